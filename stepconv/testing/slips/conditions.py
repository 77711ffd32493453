"""What all wrong calls have in common, and no right one: slips that break, or have no formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from stepconv.testing.evidence import Evidence
from stepconv.testing.forms.letters import spatial

# So many on either side, or it may be chance.
_WRONG, _RIGHT = 2, 2


def _option(name: str, usual: Any) -> Callable[[Evidence], bool]:
    return lambda one: one.case.call.options.get(name, usual) not in (usual, "valid", None)


def _plane(one: Evidence) -> tuple[int, ...]:
    return one.given["x"].shape[-2:] if "x" in one.given else one.given["w"].shape[-2:]


def _window(one: Evidence) -> tuple[int, ...]:
    if "w" in one.given:
        return one.given["w"].shape[-2:]
    window = one.case.call.options.get("window", 1)
    return window if isinstance(window, tuple) else (window, window)


def _planes(one: Evidence, axis: int) -> int:
    x = one.given.get("x")
    return 1 if x is None or x.ndim < 3 else int(x.shape[axis])


def _filters(one: Evidence) -> int:
    w = one.given.get("w")
    return len(w) if w is not None and w.ndim > 2 else 1


def _dtype(one: Evidence) -> np.dtype[Any]:
    return next(iter(one.given.values())).dtype


def _least(one: Evidence) -> float:
    x = one.given.get("x")
    return 0.0 if x is None or not x.size else float(x.astype(float).max())


def _is(name: str, value: Any) -> Callable[[Evidence], bool]:
    return lambda one: one.case.call.options.get(name) == value


Condition = tuple[str, str, Callable[[Evidence], bool]]
CONDITIONS: tuple[Condition, ...] = (
    ("c-order", "it is right for arrays in C order alone", lambda one: one.case.layout is not None),
    (
        "fortran",
        "columns that come first in memory confuse it",
        lambda o: o.case.layout == "Fortran",
    ),
    ("batch-of-one", "it is right for a batch of one alone", lambda one: _planes(one, 0) > 1),
    ("third-image", "images from the third on are wrong", lambda one: _planes(one, 0) > 2),
    ("square-input", "it is right for square inputs alone", lambda one: len(set(_plane(one))) > 1),
    ("square-kernel", "it is right for square windows alone", lambda o: len(set(_window(o))) > 1),
    (
        *("square", "it is right for square inputs and windows alone"),
        lambda one: len(set(_plane(one))) > 1 or len(set(_window(one))) > 1,
    ),
    (
        "odd-kernel",
        "it is right for odd windows alone",
        lambda o: any(n % 2 == 0 for n in _window(o)),
    ),
    ("even-kernel", "it is right for even windows alone", lambda o: any(n % 2 for n in _window(o))),
    ("one-channel", "it is right for one channel alone", lambda one: _planes(one, 1) > 1),
    ("one-filter", "it is right for one filter alone", lambda one: _filters(one) > 1),
    ("high", "it is wrong where there are more rows than columns", lambda o: _higher(o)),
    ("wide", "it is wrong where there are more columns than rows", lambda o: _higher(o, wide=True)),
    ("stride", "it is wrong as soon as there is a stride", _option("stride", 1)),
    ("padding", "it is wrong as soon as there is padding", _option("padding", 0)),
    ("dilation", "it is wrong as soon as there is dilation", _option("dilation", 1)),
    ("groups", "it is wrong as soon as there are groups", _option("groups", 1)),
    ("bias", "it is wrong as soon as there is a bias", lambda one: "bias" in one.given),
    ("mode", "it is wrong for every mode but zeros", _option("mode", "zeros")),
    ("value", "it is wrong for every value but 0", _option("value", 0)),
    ("ceil", "it is wrong with ceil_mode", _option("ceil_mode", False)),
    *(
        ("mode", f"it is wrong for mode={mode!r}", _is("mode", mode))
        for mode in ("reflect", "replicate", "circular")
    ),
    *(
        ("padding-word", f"it is wrong for padding={word!r}", _is("padding", word))
        for word in ("same", "full")
    ),
    (
        "ties",
        "it is wrong where two cells of a window are largest",
        lambda o: o.case.stage == "ties",
    ),
    ("bytes", "it is wrong for bytes (uint8)", lambda one: _dtype(one) == np.uint8),
    ("float32", "it is wrong for float32", lambda one: _dtype(one) == np.float32),
    ("integers", "it is wrong for integers", lambda one: _dtype(one).kind in "iu"),
    ("fractions", "it is wrong for fractions", lambda one: _dtype(one).kind == "f"),
    ("negative", "it is wrong where all numbers are negative", lambda one: _least(one) < 0),
)


def _higher(one: Evidence, *, wide: bool = False) -> bool:
    sides = _plane(one)
    return len(sides) == 2 and (sides[0] < sides[1] if wide else sides[0] > sides[1])


def condition(evidence: Sequence[Evidence], x: str) -> tuple[str, str] | None:
    """Return name and words of the one condition under which every call is wrong, and no other."""
    wrong = [one for one in evidence if one.wrong]
    right = [one for one in evidence if not one.wrong]
    if len(wrong) < _WRONG or len(right) < _RIGHT:
        return None
    found: list[tuple[str, str]] = []
    for name, says, holds in CONDITIONS:
        if "square" in name and len(spatial(x)) < 2:
            continue
        if all(map(holds, wrong)) and not any(map(holds, right)):
            found.append((name, says))
    # What several conditions explain, none does.
    return found[0] if len(found) == 1 else _image(wrong) if not found else None


def _image(wrong: Sequence[Evidence]) -> tuple[str, str] | None:
    """Tell from which image on all numbers are wrong, if that is all that is."""
    firsts = set()
    for one in wrong:
        if not one.bad or one.got[0].shape != one.expected[0].shape or one.got[0].ndim < 3:
            return None
        bad = [bool(image.any()) for image in one.apart(0)]
        first = bad.index(True)
        if not all(bad[first:]):
            return None
        firsts.add(first)
    if firsts == {1}:
        return "batch-of-one", "images from the second on are wrong"
    return ("third-image", "images from the third on are wrong") if firsts == {2} else None
