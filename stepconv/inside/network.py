"""A network with its weights, ready to be looked into: forward through all layers, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from operator import add
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.inside.calls import LayerCall, call_of, joined, parted
from stepconv.inside.graph import INPUT, Graph, Node, graph_of
from stepconv.nn.layers import sizes
from stepconv.nn.model import Model

Array = NDArray[Any]
Arrays = Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class Network:
    """A model with what it has learnt, and how it takes pictures.

    Bytes become scale · byte + shift. Other numbers are taken as they are, unless the network
    learnt from such (`of_bytes` is False): then they are scaled and moved.
    """

    model: Model
    parameters: Arrays
    statistics: Arrays
    scale: float = 1 / 255
    shift: float = 0.0
    of_bytes: bool = True
    backend: str | None = None

    @cached_property
    def graph(self) -> Graph:
        """Which layer reads what."""
        return graph_of(self.model)

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """The type that is computed in: that of the weights."""
        types = {array.dtype for array in self.parameters.values()}
        return np.result_type(*types) if types else np.dtype(np.float32)

    @cached_property
    def calls(self) -> dict[str, LayerCall]:
        """The layers as calls of the engine; blocks are none."""
        found = {}
        for name, node in self.graph.nodes.items():
            made = call_of(node.layer)
            if made is not None:
                arrays = {
                    full.removeprefix(f"{name}."): every[full]
                    for every, names in (
                        (self.parameters, node.parameters),
                        (self.statistics, node.statistics),
                    )
                    for full in names
                }
                found[name] = made(node.place, arrays, self.backend)
        return found

    def numbers(self, pictures: Array) -> Array:
        """Return pictures, or one, as the numbers that the network reads."""
        of_bytes = pictures.dtype == np.uint8
        if of_bytes and not self.of_bytes:
            raise ArgumentError("the network learnt from numbers, a picture in bytes does not fit")
        given = pictures.astype(self.dtype)
        if of_bytes or not self.of_bytes:
            given *= self.dtype.type(self.scale)
            given += self.dtype.type(self.shift)
        return given

    def forward(self, x: Array, name: str | None = None) -> dict[str, Array]:
        """Return the outputs of all layers for a batch; with a name, of what it depends on."""
        nodes = self.graph.nodes.values() if name is None else self.graph.before(name)
        values = {INPUT: x}
        for node in nodes:
            given = [values[source] for source in node.reads]
            call = self.calls.get(node.name)
            values[node.name] = joined(node.layer, given) if call is None else call.forward(*given)
        return values

    def backward(self, values: Arrays, name: str, grad: Array) -> dict[str, Array]:
        """Return the gradients for all outputs that a layer depends on, given that for its own."""
        return self.graph.back(name, grad, partial(self._for_inputs, values), add)

    def _for_inputs(self, values: Arrays, node: Node, grad: Array) -> list[Array]:
        """Return the gradient for each output that a node reads."""
        call = self.calls.get(node.name)
        if call is None:
            channels = [values[source].shape[1] for source in node.reads]
            return parted(node.layer, channels, grad)
        return [call.for_x(values[node.reads[0]], grad)]


def checked(
    wanted: Mapping[str, tuple[int, ...]], given: Arrays, dtype: Any, what: str
) -> dict[str, Array]:
    """Return arrays by their names, in one type, or say which is missing or does not fit."""
    found = {}
    for name, shape in wanted.items():
        if name not in given:
            raise ArgumentError(f"{what} lack {name!r}: an array of {sizes(shape)} fits")
        array = np.asarray(given[name])
        if array.shape != shape:
            got = sizes(array.shape) or "a single number"
            raise ArgumentError(f"{what}: {name} is {got}, {sizes(shape)} fits")
        found[name] = np.ascontiguousarray(array, dtype)
    strange = [name for name in given if name not in wanted]
    if strange:
        raise ArgumentError(f"{what}: {strange[0]!r} is none of the network's: {_some(wanted)} fit")
    return found


def _some(wanted: Mapping[str, Any]) -> str:
    names = list(wanted)
    return ", ".join(names[:4]) + (", …" if len(names) > 4 else "") if names else "no names"
