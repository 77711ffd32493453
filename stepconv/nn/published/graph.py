"""An ONNX file as plain data: nodes in order, constants worked out. Nothing in it is trusted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import files
from stepconv.errors import ArgumentError, DataError
from stepconv.geometry import Shape

Array = NDArray[Any]

# What a file may ask for: bytes, nodes, and numbers in all its constants together.
MOST_BYTES, MOST_NODES, MOST_NUMBERS = 2**31, 20_000, 5 * 10**8


@dataclass(frozen=True)
class Node:
    """One operation: what it is, what it reads and makes, and its options."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    output: str
    options: Mapping[str, Any]

    def refuse(self, why: str) -> ArgumentError:
        """Return the error that names this node."""
        return ArgumentError(f"node {self.name} ({self.kind}) {why}")


@dataclass
class Graph:
    """What a network computes: nodes by what they make, and constants by name."""

    name: str
    input: str
    shape: Shape
    output: str
    nodes: dict[str, Node] = field(default_factory=dict)
    constants: dict[str, Array] = field(default_factory=dict)
    # What only tells sizes of a tensor, as PyTorch writes before it lays one out flat.
    sizes: set[str] = field(default_factory=set)
    notes: dict[str, str] = field(default_factory=dict)


def read(path: Path) -> Graph:
    """Return the graph in a file, or say what is wrong with it."""
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError:
        raise ArgumentError(f"{path} needs onnx: pip install 'stepconv[onnx]'") from None
    files.check_plain(path)
    if path.stat().st_size > MOST_BYTES:
        raise DataError(f"{path} has {path.stat().st_size:,} bytes: {MOST_BYTES:,} at most fit")
    try:
        model = onnx.load_model_from_string(path.read_bytes())
    except DecodeError:
        raise DataError(f"{path} is damaged, or no ONNX file") from None
    try:
        return _graph(model)
    except ArgumentError as error:
        raise told_of(path, error) from None
    except (TypeError, ValueError, KeyError, IndexError, OverflowError):
        raise DataError(f"{path} is damaged: a node's options are of no known kind") from None


def told_of(path: Path, error: Exception) -> ArgumentError:
    """Return an error that names the file, in one line whatever a node of it is called."""
    return ArgumentError(f"{path}: {' '.join(str(error).split())}")


def _graph(model: Any) -> Graph:
    made = model.graph
    if len(made.node) > MOST_NODES:
        raise ArgumentError(f"{len(made.node):,} nodes are too many: {MOST_NODES:,} fit")
    budget = _Budget()
    constants = {each.name: budget.array(each) for each in made.initializer}
    given = [each for each in made.input if each.name not in constants]
    if len(given) != 1 or len(made.output) != 1:
        raise ArgumentError(
            f"it has {len(given)} inputs and {len(made.output)} outputs: one picture in, one row "
            f"of answers out fit"
        )
    sizes = [each.dim_value for each in given[0].type.tensor_type.shape.dim]
    if len(sizes) < 2 or min(sizes[1:]) < 1:
        raise ArgumentError(f"its input {given[0].name} has no fixed size: a batch of such fits")
    graph = Graph(made.name or "network", given[0].name, tuple(sizes[1:]), made.output[0].name)
    graph.constants = constants
    graph.notes = {each.key: each.value for each in model.metadata_props}
    for each in made.node:
        _add(graph, each, budget)
    if graph.output not in graph.nodes:
        raise ArgumentError(f"nothing makes its output {graph.output}")
    return graph


class _Budget:
    """Counts the numbers of constants before memory is taken for them."""

    def __init__(self) -> None:
        self.left = MOST_NUMBERS

    def take(self, shape: tuple[int, ...], name: str) -> None:
        """Take so many numbers, or refuse them."""
        if any(size < 0 for size in shape):
            raise ArgumentError(f"constant {name} has a size below 0: {shape}")
        self.left -= prod(shape)
        if self.left < 0:
            raise ArgumentError(f"constant {name} and those before it are too large")

    def array(self, tensor: Any) -> Array:
        """Return a tensor of the file, which must hold what its sizes say."""
        from onnx import TensorProto, numpy_helper

        name, shape = tensor.name, tuple(tensor.dims)
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            raise ArgumentError(f"constant {name} lies in another file: one file fits")
        self.take(shape, name)
        try:
            return np.asarray(numpy_helper.to_array(tensor))
        except (ValueError, TypeError, KeyError):
            raise ArgumentError(f"constant {name} does not hold {shape} numbers") from None


def _add(graph: Graph, each: Any, budget: _Budget) -> None:
    """Add a node, or what it comes to if all that it reads is known."""
    from onnx import helper

    options = {}
    for attribute in each.attribute:
        value = helper.get_attribute_value(attribute)
        options[attribute.name] = (
            value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        )
    name = each.name or (each.output[0] if each.output else each.op_type)
    outputs = [output for output in each.output if output]
    node = Node(each.op_type, str(name)[:200], tuple(filter(None, each.input)), "", options)
    if not outputs:
        raise node.refuse("makes nothing")
    for output in outputs:
        if output in graph.nodes or output in graph.constants or output == graph.input:
            raise node.refuse(f"makes {output}, which is there already")
    # Dropout and old batch norms make more than what the next node reads.
    node = Node(node.kind, node.name, node.inputs, outputs[0], options)
    known = {graph.input, *graph.nodes, *graph.constants, *graph.sizes}
    if missing := [one for one in node.inputs if one not in known]:
        raise node.refuse(f"reads {missing[0]}, which no node before it makes")
    if node.kind == "Shape" or (node.inputs and any(one in graph.sizes for one in node.inputs)):
        if node.kind not in _OF_SIZES:
            if node.kind == "Reshape":
                graph.nodes[node.output] = node
                return
            raise node.refuse("computes with sizes: what does not depend on them fits")
        graph.sizes.update(outputs)
    elif node.kind in _FOLDED and all(one in graph.constants for one in node.inputs):
        arrays = [graph.constants[one] for one in node.inputs]
        graph.constants[node.output] = _folded(node, arrays, budget)
    else:
        graph.nodes[node.output] = node


_OF_SIZES = (
    *("Shape", "Gather", "Unsqueeze", "Squeeze", "Concat", "Slice", "Cast", "Mul", "Identity"),
    "ReduceProd",
)


def _folded(node: Node, arrays: list[Array], budget: _Budget) -> Array:
    from onnx import TensorProto

    if node.kind == "Constant":
        value = node.options.get("value")
        if isinstance(value, TensorProto):
            return budget.array(value)
        number = next(iter(node.options.values()), 0.0)
        return np.asarray(number)
    if node.kind == "ConstantOfShape":
        shape = tuple(int(size) for size in arrays[0].ravel())
        budget.take(shape, node.output)
        value = node.options.get("value")
        filler = (
            budget.array(value).ravel() if isinstance(value, TensorProto) else np.zeros(1, "f4")
        )
        return np.full(shape, filler[0], filler.dtype)
    try:
        return np.asarray(_FOLDED[node.kind](node, *arrays))
    except (ValueError, IndexError, TypeError) as error:
        raise node.refuse(f"does not fit its constants: {error}") from None


def _axes(node: Node, more: tuple[Array, ...]) -> tuple[int, ...]:
    axes = more[0].ravel() if more else node.options.get("axes", ())
    return tuple(int(axis) for axis in axes)


_FOLDED: dict[str, Callable[..., Any]] = {
    "Constant": lambda node: node,
    "ConstantOfShape": lambda node, shape: shape,
    "Identity": lambda _, x: x,
    "Unsqueeze": lambda node, x, *more: np.expand_dims(x, _axes(node, more)),
    "Squeeze": lambda node, x, *more: x.squeeze(_axes(node, more) or None),
    "Reshape": lambda _, x, shape: x.reshape(tuple(int(size) for size in shape)),
    "Transpose": lambda node, x: x.transpose(node.options.get("perm")),
    "Cast": lambda _, x: x,
}
