"""The network as columns, one for each layer: what it is, what it measures, its branch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from stepconv.nn.layers import sizes
from stepconv.nn.model import Model

JOINS = {"residual": "⊕ add", "concat": "⊞ concat"}


@dataclass(frozen=True)
class Column:
    """A layer as the overview names it.

    `branch` is the stack inside a block that the layer is in, such as `residual1.body`, and `joins`
    what a block does with the ends of its stacks.
    """

    name: str
    kind: str
    output: tuple[int, ...]
    parameters: int
    branch: str = ""
    joins: str = ""

    @property
    def short(self) -> str:
        """The name without what it is in."""
        return self.name.rpartition(".")[2]

    @property
    def size(self) -> str:
        """What comes out: `6x28x28`."""
        return sizes(self.output)


@lru_cache(maxsize=8)
def columns(model: Model) -> tuple[Column, ...]:
    """Return the layers of a network as columns; the layers inside a block come before it."""
    return tuple(
        Column(
            name=place.name,
            kind=place.layer.kind,
            output=place.output,
            parameters=place.parameter_count,
            branch=place.name.rpartition(".")[0],
            joins=JOINS.get(place.layer.kind, ""),
        )
        for place in model.places
    )


def spans(shown: Sequence[Column]) -> list[tuple[str, int]]:
    """Return the branches of neighbouring columns, each with how many columns it holds.

    >>> plain, inner = Column("a", "conv", (1,), 0), Column("b", "conv", (1,), 0, "r.body")
    >>> spans([plain, plain, inner])
    [('', 2), ('r.body', 1)]
    """
    found: list[tuple[str, int]] = []
    for column in shown:
        label = column.branch
        if found and found[-1][0] == label and not column.joins:
            found[-1] = (label, found[-1][1] + 1)
        else:
            found.append((label, 1))
    return found
