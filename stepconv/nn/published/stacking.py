"""A graph as stacks of layers: one node after the other, and branches from where they part.

Every tensor has a gate: the last one that every way from the input goes through. Branches that meet
in a sum or a concatenation part at the gate of what they make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from stepconv.nn.published.graph import Graph, Node

JOINS = ("Add", "Sum", "Concat")
# Branches within branches so deep were not meant.
_DEEPEST = 64


@dataclass(frozen=True)
class Link:
    """A node in a stack; where branches meet in it, the stacks that they are."""

    node: Node
    branches: tuple[tuple[Link, ...], ...] = ()


def stacked(graph: Graph) -> tuple[Link, ...]:
    """Return the nodes from the input to the output."""
    gates, depths = {graph.input: graph.input}, {graph.input: 0}
    for output, node in graph.nodes.items():
        read = varying(graph, node)
        if not read:
            raise node.refuse("reads constants alone")
        gate = read[0]
        for other in read[1:]:
            while gate != other:
                # The deeper of the two goes up.
                if depths[gate] < depths[other]:
                    other = gates[other]
                else:
                    gate = gates[gate]
        gates[output], depths[output] = gate, depths[gate] + 1
    return _between(graph, gates, graph.output, graph.input, 0)


def varying(graph: Graph, node: Node) -> list[str]:
    """Return what a node reads that is no constant and no size."""
    return [one for one in node.inputs if one not in graph.constants and one not in graph.sizes]


def _between(
    graph: Graph, gates: dict[str, str], end: str, start: str, deep: int
) -> tuple[Link, ...]:
    links: list[Link] = []
    at = end
    while at != start:
        node = graph.nodes[at]
        read = varying(graph, node)
        if deep > _DEEPEST:
            raise node.refuse(f"lies in more than {_DEEPEST} branches within branches")
        if len(read) > 1 or (node.kind == "Concat" and read):
            if node.kind not in JOINS:
                raise node.refuse("joins branches: sums and concatenations fit")
            gate = gates[at]
            links.append(Link(node, _branches(graph, gates, read, gate, deep)))
            at = gate
        else:
            links.append(Link(node))
            at = read[0]
    return tuple(reversed(links))


def _branches(
    graph: Graph, gates: dict[str, str], read: Sequence[str], gate: str, deep: int
) -> tuple[tuple[Link, ...], ...]:
    return tuple(_between(graph, gates, one, gate, deep + 1) for one in read)
