"""What a stranger's data has to look like: a few checks that put together say it all.

    person = table({"name": text(80), "age": whole(0, 150)}, {"friends": listing(text(80), 9)})
    person(data, "the person")

A check takes a value and the name of its place. It returns the value, or raises an Unlike that
names the place, the value and what would fit. JSON comes in by `read`, which bounds its depth too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import inf, isfinite
from typing import Any

from stepconv.errors import StepconvError

Check = Callable[[Any, str], Any]

# Nobody nests what we write so deep.
_DEEPEST = 100


class Unlike(StepconvError, ValueError):
    """A value that is not what was agreed on."""

    def __init__(self, value: Any, place: str, fits: str) -> None:
        shown = repr(value)[:60] if isinstance(value, str | int | float) else type(value).__name__
        super().__init__(f"{place} is {shown}: {fits} fits")


def read(content: str | bytes, check: Check, place: str) -> Any:
    """Return what JSON says, if the check accepts it."""
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):
        raise Unlike(content[:40], place, "JSON") from None
    if not _is_flat(value, _DEEPEST):
        raise Unlike(value, place, f"JSON no deeper than {_DEEPEST} levels")
    return check(value, place)


def whole(least: int = 0, most: int = 2**63 - 1) -> Check:
    """Accept an int from `least` to `most`, and no bool."""

    def check(value: Any, place: str) -> Any:
        if type(value) is not int or not least <= value <= most:
            raise Unlike(value, place, f"a whole number from {least} to {most}")
        return value

    return check


def real(least: float = -inf, most: float = inf) -> Check:
    """Accept a number from `least` to `most` that is finite."""

    def check(value: Any, place: str) -> Any:
        if type(value) not in (int, float) or not least <= value <= most or not _fits(value):
            raise Unlike(value, place, f"a number from {least} to {most}")
        return value

    return check


def decimal(value: Any, place: str) -> Any:
    """Accept any number of 64 bits, infinity and NaN included."""
    if type(value) is not float and (type(value) is not int or abs(value) > 2**63):
        raise Unlike(value, place, "a number")
    return value


def nothing(value: Any, place: str) -> Any:
    """Accept null."""
    if value is not None:
        raise Unlike(value, place, "nothing")
    return value


def _fits(value: float) -> bool:
    try:
        return isfinite(value)
    except OverflowError:  # an int that no float holds
        return False


def flag(value: Any, place: str) -> Any:
    """Accept true and false."""
    if type(value) is not bool:
        raise Unlike(value, place, "true or false")
    return value


def text(most: int) -> Check:
    """Accept a text of at most so many characters."""

    def check(value: Any, place: str) -> Any:
        if type(value) is not str or len(value) > most:
            raise Unlike(value, place, f"a text of at most {most} characters")
        return value

    return check


def one_of(*known: Any) -> Check:
    """Accept one of these values."""

    def check(value: Any, place: str) -> Any:
        if type(value) not in set(map(type, known)) or value not in known:
            raise Unlike(value, place, f"one of {', '.join(map(str, known))}")
        return value

    return check


def either(first: Check, second: Check) -> Check:
    """Accept what one of two checks does."""

    def check(value: Any, place: str) -> Any:
        try:
            return first(value, place)
        except Unlike:
            return second(value, place)

    return check


def listing(each: Check, most: int, least: int = 0) -> Check:
    """Accept a list of values that a check accepts."""

    def check(value: Any, place: str) -> Any:
        if type(value) is not list or not least <= len(value) <= most:
            raise Unlike(value, place, f"a list of {least} to {most} entries")
        for number, one in enumerate(value):
            each(one, f"{place}[{number}]")
        return value

    return check


def row(*each: Check) -> Check:
    """Accept a list of as many values, each by its own check."""

    def check(value: Any, place: str) -> Any:
        if type(value) is not list or len(value) != len(each):
            raise Unlike(value, place, f"a list of {len(each)} entries")
        for number, (accepts, one) in enumerate(zip(each, value, strict=True)):
            accepts(one, f"{place}[{number}]")
        return value

    return check


def named(each: Check, most: int) -> Check:
    """Accept a table of any names whose values a check accepts."""

    def check(value: Any, place: str) -> Any:
        if type(value) is not dict or len(value) > most:
            raise Unlike(value, place, f"a table of at most {most} names")
        for name, one in value.items():
            each(one, f"{place}.{name[:40]}")
        return value

    return check


def table(needed: Mapping[str, Check], optional: Mapping[str, Check] = {}) -> Check:
    """Accept a table with the names that are needed, and perhaps the others, and no more."""

    def check(value: Any, place: str) -> Any:
        if type(value) is not dict:
            raise Unlike(value, place, f"a table of {', '.join((*needed, *optional))}")
        for name in needed.keys() - value.keys():
            raise Unlike(list(value), f"{place}, which lacks {name!r},", f"a table with {name!r}")
        for name, one in value.items():
            accepts = needed.get(name) or optional.get(name)
            if accepts is None:
                raise Unlike(name[:40], f"a name in {place}", ", ".join((*needed, *optional)))
            accepts(one, f"{place}.{name}")
        return value

    return check


def plain(value: Any, place: str) -> Any:
    """Accept whatever JSON can say."""
    return value


def _is_flat(value: Any, depth: int) -> bool:
    """Tell whether nested data ends before so many levels."""
    level = [value]
    while level and depth:
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
        level, depth = [one for one in inner if isinstance(one, dict | list)], depth - 1
    return not level
