"""Where the tensors of a network lie: those that are not needed at one time share a place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from stepconv.nn.steps.records import Step
from stepconv.nn.steps.tensors import Tensor

T = TypeVar("T")

Life = tuple[int, int]  # the numbers of the first and the last step that need it


def lives(steps: Sequence[Step], x: Tensor, y: Tensor) -> dict[Tensor, Life]:
    """Return from when until when each tensor is needed that is no part of another."""
    found: dict[Tensor, Life] = {x.root: (-1, -1)}
    for number, step in enumerate(steps):
        for t in (*step.reads, step.y):
            first, _ = found.get(t.root, (number, number))
            found[t.root] = first, number
    first, _ = found[y.root]
    found[y.root] = first, len(steps)
    return found


def places(sizes: Mapping[T, int], life: Mapping[T, Life]) -> tuple[dict[T, int], int]:
    """Return where each begins, so that none overlaps another of its time, and the size of all.

    >>> places({"a": 4, "b": 2, "c": 3}, {"a": (0, 1), "b": (1, 2), "c": (2, 3)})
    ({'a': 0, 'c': 0, 'b': 4}, 6)
    """
    found: dict[T, int] = {}
    for one in sorted(sizes, key=lambda one: -sizes[one]):
        first, last = life[one]
        beside = [
            (found[other], found[other] + sizes[other])
            for other in found
            if life[other][0] <= last and first <= life[other][1]
        ]
        at = 0
        for begin, end in sorted(beside):
            if begin - at >= sizes[one]:
                break
            at = max(at, end)
        found[one] = at
    return found, max((found[one] + sizes[one] for one in found), default=0)
