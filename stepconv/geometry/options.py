"""The spellings of stride, padding and dilation, turned into plain integers at one door."""

import operator
from collections.abc import Sequence
from types import NoneType
from typing import Any

from stepconv.errors import ArgumentError, ArgumentTypeError

PADDINGS = ("valid", "same", "full")
MODES = ("zeros", "reflect", "replicate", "circular")

Pair = tuple[int, int]

_PLAIN = {bool, int, str, NoneType}

# Kernels multiply a position by a stride: both have to be far from the end of int64.
LARGEST_OPTION = 2**31 - 1
LARGEST_SIZE = 2**62


def integer(name: str, value: Any, least: int, most: int = LARGEST_OPTION) -> int:
    """Return `value` as a plain int from `least` to `most`; bools and floats are refused."""
    if isinstance(value, bool):
        raise ArgumentTypeError(f"{name}={value!r} is a bool: an int of at least {least} fits")
    try:
        number = operator.index(value)
    except TypeError:
        raise ArgumentTypeError(
            f"{name}={_shown(value)} is not an integer: an int of at least {least} fits"
        ) from None
    if number < least:
        raise ArgumentError(f"{name}={number} is too small: {least} or more fits")
    if number > most:
        raise ArgumentError(f"{name}={number} is too large: at most {most} fits")
    return number


def flag(name: str, value: Any) -> bool:
    """Return `value` as a bool; 0, 1 and NumPy's bools count, a string does not."""
    if getattr(value, "ndim", 0) == 0 and value in (False, True):
        return bool(value)
    raise ArgumentTypeError(f"{name}={value!r} is not a bool: True or False fits")


def word(name: str, value: Any, known: tuple[str, ...]) -> str:
    """Return `value` if it is one of the `known` words."""
    if isinstance(value, str) and value in known:
        return value
    choices = ", ".join(repr(choice) for choice in known)
    if not isinstance(value, str):
        raise ArgumentTypeError(f"{name}={value!r} is not a word: one of {choices} fits")
    raise ArgumentError(f"{name}={value!r} is not known: one of {choices} fits")


def per_axis(name: str, value: Any, axes: int, least: int) -> tuple[int, ...]:
    """Return one integer per axis: `2` and `(2, 2)` say the same on two axes."""
    if not is_sequence(value):
        return (integer(name, value, least),) * axes
    entries = list(value)
    if len(entries) != axes:
        raise ArgumentError(
            f"{name}={_shown(value)} has {_counted(len(entries), 'number')} for "
            f"{_counted(axes, 'axis')}: an int fits, or one for each axis"
        )
    return tuple(integer(name, entry, least) for entry in entries)


def pads(padding: Any, axes: int) -> tuple[Pair, ...]:
    """Return (before, after) for each axis.

    An int pads all sides alike, one int per axis both sides of that axis, a pair per axis
    says each side: on two axes `1`, `(1, 1)` and `((1, 1), (1, 1))` are the same.
    """
    if not is_sequence(padding):
        cells = _pad(padding, padding)
        return ((cells, cells),) * axes
    entries = list(padding)
    if axes == 1 and len(entries) == 2 and not any(is_sequence(entry) for entry in entries):
        entries = [entries]
    if len(entries) != axes:
        raise ArgumentError(
            f"padding={_shown(padding)} has {_counted(len(entries), 'entry')} for "
            f"{_counted(axes, 'axis')}: an int, one int per axis or (before, after) per axis fits"
        )
    return tuple(_pair(entry, padding) for entry in entries)


def is_plain(value: Any) -> bool:
    """Tell options that a call can be remembered by: (True, 1.0) would pass for (1, 1)."""
    if type(value) is tuple:
        return set(map(type, value)) <= {int}
    return type(value) in _PLAIN


def is_sequence(value: Any) -> bool:
    """Tell `(1, 2)` from `1`; a 0-d array looks like a sequence but holds one number."""
    if getattr(value, "ndim", 1) == 0 or isinstance(value, str | bytes):
        return False
    return isinstance(value, Sequence) or hasattr(value, "tolist")


def _pair(entry: Any, padding: Any) -> Pair:
    sides = list(entry) if is_sequence(entry) else [entry, entry]
    if len(sides) != 2:
        raise ArgumentError(
            f"padding={_shown(padding)} gives one axis {len(sides)} numbers: (before, after) fits"
        )
    return _pad(sides[0], padding), _pad(sides[1], padding)


def _pad(cells: Any, padding: Any) -> int:
    if isinstance(cells, str):
        raise ArgumentTypeError(
            f"padding={_shown(padding)} has a word for one axis: a word stands for all of them"
        )
    number = integer("padding", cells, -LARGEST_OPTION)
    if number < 0:
        raise ArgumentError(
            f"padding={_shown(padding)} is negative: 0 or more cells fit; slice x to crop it"
        )
    return number


def _shown(value: Any) -> str:
    return repr(value.tolist() if hasattr(value, "tolist") else value)


def _counted(count: int, noun: str) -> str:
    plural = {"axis": "axes", "entry": "entries", "number": "numbers"}
    return f"{count} {noun if count == 1 else plural[noun]}"
