"""A network with a picture in it as a chain: calls after one another, their cells linked.

In a chain everything is (channels, rows, columns). A flat row is so many channels of one cell, and
a dense layer has windows as large as the picture that it reads; so flattening, like dropout, does
nothing. What joins more than two branches is a link for each but the first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from stepconv import ops
from stepconv.errors import ArgumentError
from stepconv.inside.graph import INPUT, Node
from stepconv.nn import layers
from stepconv.trace import About, Chain, From

if TYPE_CHECKING:
    from stepconv.inside.record import Inside


class Chained(NamedTuple):
    """A chain, and which link of it each layer is; None is the picture."""

    chain: Chain
    links: dict[str, int | None]


def chained(inside: Inside) -> Chained:
    """Record all layers of a network, and the probabilities at the end."""
    made = _Maker(inside)
    for node in inside.network.graph.nodes.values():
        made.add(node)
    last = made.links[inside.network.graph.last]
    made.then("softmax", ops.softmax, x=From(last))
    return Chained(made.chain, made.links)


class _Maker:
    """A chain that grows by one layer after the other."""

    def __init__(self, inside: Inside) -> None:
        self.inside, self.chain = inside, Chain(inside.input)
        self.links: dict[str, int | None] = {INPUT: None}

    def add(self, node: Node) -> None:
        """Append the links of a layer, as far as it computes anything."""
        first, *others = (From(self.links[source]) for source in node.reads)
        match node.layer:
            case layers.Flatten() | layers.Dropout():
                self.links[node.name] = first.link
            case layers.Residual():
                self.then(node.name, ops.add, x=first, y=others[0])
            case layers.Concat():
                self.links[node.name] = first.link
                for other in others:
                    self.then(node.name, ops.concat, x=From(self.links[node.name]), y=other)
            case _:
                call = self.inside.network.calls[node.name]
                given = self.chain.output_of(first.link)
                arguments = call.arguments(given, None)
                if isinstance(node.layer, layers.Dense):
                    w = call.arrays["weight"].reshape(-1, *given.shape)
                    arguments |= {"w": w}
                self.then(node.name, call.function, **{**arguments, "x": first})

    def then(self, name: str, function: Callable[..., Any], **arguments: Any) -> None:
        """Append a link that is, or ends, the layer of this name."""
        about = About(f"{self.inside.model.name} · {name}")
        backend = self.inside.network.backend
        try:
            self.chain = self.chain.then(function, about=about, backend=backend, **arguments)
        except ArgumentError as error:
            raise ArgumentError(f"{name} is no link of a chain: {error}") from None
        self.links[name] = len(self.chain) - 1
