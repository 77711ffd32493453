"""A network as a graph: which layer reads what, and how anything goes back from a layer's cells.

A network is calls after one another with branches: each layer is a node that reads the outputs of
those before it, or the picture, which is called "input".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeVar

from stepconv.errors import ArgumentError, closest
from stepconv.nn.layers import Layer, Shapes
from stepconv.nn.model import Model, Place, stack

INPUT = "input"

State = TypeVar("State")


@dataclass(frozen=True)
class Node:
    """A layer at its place, and the names of what it reads.

    A block, which joins the stacks inside it, reads the end of each; what comes `into` it is what
    these begin with.
    """

    place: Place
    into: str
    reads: tuple[str, ...]

    @property
    def name(self) -> str:
        """The layer's name, such as `residual2.body.conv1`."""
        return self.place.name

    @property
    def layer(self) -> Layer:
        """The layer's description."""
        return self.place.layer

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """What the layer learns, by full names."""
        return tuple(self.place.parameters)

    @cached_property
    def statistics(self) -> tuple[str, ...]:
        """What the layer remembers, by full names."""
        return tuple(self.place.statistics)


@dataclass(frozen=True)
class Graph:
    """All layers of a network in the order of the forward pass; inner ones come first."""

    model: Model

    @cached_property
    def nodes(self) -> dict[str, Node]:
        """The layers by name."""
        found: dict[str, Node] = {}
        _through(self.model.layers, self.model.input_shape, INPUT, "", found)
        return found

    @cached_property
    def parameter_shapes(self) -> Shapes:
        """What the network learns: full names and shapes, first layer first."""
        return self.model.parameter_shapes

    @cached_property
    def statistic_shapes(self) -> Shapes:
        """What the network remembers beside."""
        return self.model.statistic_shapes

    @property
    def last(self) -> str:
        """The layer that gives the answers."""
        return next(reversed(self.nodes))

    def before(self, name: str) -> list[Node]:
        """Return the layers that a layer depends on, and it itself, first to last."""
        wanted, found = {name}, []
        for node in reversed(self.nodes.values()):
            if node.name in wanted:
                wanted |= set(node.reads)
                found.append(node)
        return found[::-1]

    def check(self, name: str, others: Iterable[str] = ()) -> str:
        """Return `name` if there is a layer of that name, or another that is known."""
        known = [*self.nodes, *others]
        if name not in known:
            fits = f"{', '.join(known[:6])}{', …' if len(known) > 6 else ''} fit"
            hint = closest(str(name), known, fits)
            raise ArgumentError(f"layer {name!r} is not in {self.model.name}: {hint}")
        return name

    def back(
        self,
        name: str,
        given: State,
        through: Callable[[Node, State], Iterable[State]],
        join: Callable[[State, State], State],
    ) -> dict[str, State]:
        """Go back from a layer's output to the picture; return what arrives at each output.

        `through` says what of it goes on to each output that a node reads, and `join` puts together
        what comes to one output from several readers.
        """
        found = {name: given}
        for node in reversed(self.before(name)):
            for source, part in zip(node.reads, through(node, found[node.name]), strict=True):
                found[source] = join(found[source], part) if source in found else part
        return found


@lru_cache(maxsize=32)
def graph_of(model: Model) -> Graph:
    """Return a model's graph: many pictures are looked at with the same."""
    return Graph(model)


def _through(
    layers: Sequence[Layer],
    shape: tuple[int, ...],
    source: str,
    prefix: str,
    found: dict[str, Node],
) -> str:
    """Note the nodes of a stack of layers; return the name of what comes out of it."""
    for place in stack(layers, shape, prefix):
        ends = [_through(inner, place.input, source, name, found) for name, inner in place.inside()]
        found[place.name] = Node(place, source, tuple(ends) or (source,))
        source = place.name
    return source
