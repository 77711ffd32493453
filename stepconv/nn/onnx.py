"""A trained network as an ONNX model, so that engines in other languages and devices can run it.

    content = model_bytes(checkpoint.load_network(path))

A layer becomes one node of its name or a few, and the weights keep the names that they have in the
safetensors file. Dropout only works while training, so nothing is left of it. Needs the package
`onnx`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import singledispatchmethod
from typing import Any

import numpy as np
from onnx import NodeProto, TensorProto, helper, numpy_helper

from stepconv.errors import ArgumentError
from stepconv.geometry import Axis, Plan, Shape
from stepconv.nn import layers
from stepconv.nn.checkpoint import Network
from stepconv.nn.description import to_dict
from stepconv.nn.model import Place, stack
from stepconv.nn.published import fixed

IMAGES, LOGITS = "images", "logits"
# Old enough for engines that are in use: a newer onnx writes more than they read.
IR_VERSION, OPSET = 9, 17
# Layers that are one node without options.
_ALIKE = {"relu": "Relu", "tanh": "Tanh", "sigmoid": "Sigmoid", "flatten": "Flatten"}


def model_bytes(network: Network) -> bytes:
    """Return the content of an .onnx file: images (batch, c, h, w) in, logits (batch, classes) out.

    The metadata hold, as JSON, what those of the safetensors file do.
    """
    from stepconv import __version__

    model = network.model
    graph = _Graph()
    last = graph.through(model.layers, IMAGES, model.input_shape)
    graph.add("Identity", LOGITS, last)
    arrays = {**network.parameters, **network.statistics}
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            model.name,
            [_floats(IMAGES, model.input_shape)],
            [_floats(LOGITS, (model.classes,))],
            [numpy_helper.from_array(array, name) for name, array in arrays.items()]
            + graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="stepconv",
        producer_version=__version__,
        doc_string=_doc_string(network),
    )
    about = {"model": to_dict(model), **network.about}
    texts = {key: json.dumps(value, ensure_ascii=False) for key, value in about.items()}
    helper.set_model_props(made, texts)
    content: bytes = made.SerializeToString(deterministic=True)
    return content


def _floats(name: str, shape: Shape) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])


def line(network: Network) -> str:
    """Return what becomes of a pixel from 0 to 255 before the network sees it, in words.

    >>> from stepconv.nn.zoo.small import build
    >>> line(Network(build("mlp"), {}, {}, {"scale": 0.5, "shift": -1.25}))
    '0 to 255 times 0.5 plus -1.25'
    """
    scale, shift = network.about.get("scale", 1 / 255), network.about.get("shift", 0.0)
    return f"0 to 255 times {scale:.9g}" + (f" plus {shift:.9g}" if shift else "")


def _doc_string(network: Network) -> str:
    model, about = network.model, network.about
    shape = layers.sizes(model.input_shape)
    lines = [
        f"{IMAGES}: batch x channels x rows x columns, {shape} each, as the network "
        f"saw them while it learnt: pixels from {line(network)}.",
        f"{LOGITS}: a number for each class, the largest is the answer; softmax makes them shares.",
    ]
    if about.get("classes"):
        lines.append(f"Classes, from 0 on: {', '.join(about['classes'])}.")
    return "\n".join([model.about, *lines] if model.about else lines)


@dataclass
class _Graph:
    """Nodes in the making; what a node makes has the node's name."""

    nodes: list[NodeProto] = field(default_factory=list)
    constants: list[TensorProto] = field(default_factory=list)

    def add(self, kind: str, name: str, *inputs: str, **attributes: Any) -> str:
        """Append a node and return the name of what it makes."""
        self.nodes.append(helper.make_node(kind, inputs, [name], name, **attributes))
        return name

    def through(
        self, stacked: Sequence[layers.Layer], x: str, shape: Shape, prefix: str = ""
    ) -> str:
        """Append a stack of layers that reads x, and return the name of what it makes."""
        for place in stack(stacked, shape, prefix):
            x = self.layer(place.layer, place, x)
        return x

    def inside(self, place: Place, x: str) -> list[str]:
        """Append the stacks inside a layer, side by side."""
        return [self.through(inner, x, place.input, name) for name, inner in place.inside()]

    @singledispatchmethod
    def layer(self, layer: layers.Layer, place: Place, x: str) -> str:
        """Append a layer that reads x, and return the name of what it makes."""
        if layer.kind not in _ALIKE:
            raise ArgumentError(f"layer {place.name} is one of your own, which ONNX does not know")
        return self.add(_ALIKE[layer.kind], place.name, x)

    @layer.register
    def _(self, layer: layers.Conv, place: Place, x: str) -> str:
        plan = _plan(place)
        window = {
            **_window(plan.axes),
            "pads": _pads((axis.before, axis.after) for axis in plan.axes),
            "dilations": [axis.dilation for axis in plan.axes],
        }
        return self.add("Conv", place.name, x, *place.parameters, group=layer.groups, **window)

    @layer.register
    def _(self, layer: layers.Dense, place: Place, x: str) -> str:
        return self.add("Gemm", place.name, x, *place.parameters, transB=1)

    @layer.register
    def _(self, layer: layers.MaxPool, place: Place, x: str) -> str:
        axes = _plan(place).axes
        around = [_reach(axis) for axis in axes]
        if any(max(both) >= axis.window for both, axis in zip(around, axes, strict=True)):
            # A dilated window may reach further over the edge than engines allow a pool to.
            x = self.padded(place, x, around, -np.inf)
            around = [(0, 0)] * len(axes)
        dilations = [axis.dilation for axis in axes]
        return self.add(
            "MaxPool", place.name, x, **_window(axes), pads=_pads(around), dilations=dilations
        )

    @layer.register
    def _(self, layer: layers.AvgPool, place: Place, x: str) -> str:
        axes = _plan(place).axes
        around = [_reach(axis) for axis in axes]
        if layer.count_include_pad and any(axis.before or axis.after for axis in axes):
            # As cells of a larger input, the padding counts; what a window of ceil_mode reaches
            # beyond it does not.
            x = self.padded(place, x, [(axis.before, axis.after) for axis in axes], 0)
            around = [
                (0, max(0, after - axis.after))
                for (_, after), axis in zip(around, axes, strict=True)
            ]
        return self.add(
            "AveragePool", place.name, x, **_window(axes), pads=_pads(around), count_include_pad=0
        )

    @layer.register
    def _(self, layer: layers.GlobalAvgPool, place: Place, x: str) -> str:
        means = self.add("GlobalAveragePool", f"{place.name}.means", x)
        return self.add("Flatten", place.name, means)

    @layer.register
    def _(self, layer: layers.LeakyReLU, place: Place, x: str) -> str:
        return self.add("LeakyRelu", place.name, x, alpha=float(layer.slope))

    @layer.register
    def _(self, layer: layers.Dropout, place: Place, x: str) -> str:
        return x

    @layer.register
    def _(self, layer: layers.BatchNorm, place: Place, x: str) -> str:
        learnt = (*place.parameters, *place.statistics)
        return self.add("BatchNormalization", place.name, x, *learnt, epsilon=float(layer.epsilon))

    @layer.register
    def _(self, layer: fixed.LocalNorm, place: Place, x: str) -> str:
        told = {name: float(getattr(layer, name)) for name in ("alpha", "beta", "bias")}
        return self.add("LRN", place.name, x, size=layer.size, **told)

    @layer.register
    def _(self, layer: fixed.ReLU6, place: Place, x: str) -> str:
        ends = {"low": 0, "high": 6}
        names = [self.constant(f"{place.name}.{end}", np.float32(ends[end])) for end in ends]
        return self.add("Clip", place.name, x, *names)

    @layer.register
    def _(self, layer: fixed.ChannelShuffle, place: Place, x: str) -> str:
        channels, rows, columns = place.input
        apart = np.array([0, layer.groups, channels // layer.groups, rows, columns], np.int64)
        whole = np.array([0, channels, rows, columns], np.int64)
        shapes = [
            self.constant(f"{place.name}.{name}", shape)
            for name, shape in (("apart", apart), ("whole", whole))
        ]
        x = self.add("Reshape", f"{place.name}.groups", x, shapes[0])
        x = self.add("Transpose", f"{place.name}.dealt", x, perm=[0, 2, 1, 3, 4])
        return self.add("Reshape", place.name, x, shapes[1])

    def constant(self, name: str, array: Any) -> str:
        """Keep an array beside the weights and return its name."""
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    @layer.register
    def _(self, layer: layers.Residual, place: Place, x: str) -> str:
        return self.add("Add", place.name, *self.inside(place, x))

    @layer.register
    def _(self, layer: layers.Concat, place: Place, x: str) -> str:
        return self.add("Concat", place.name, *self.inside(place, x), axis=1)

    def padded(self, place: Place, x: str, around: Sequence[tuple[int, int]], value: float) -> str:
        """Append a border of one value round the rows and columns of x."""
        name = f"{place.name}.padded"
        pads = np.array(_pads([(0, 0), (0, 0), *around]), np.int64)
        self.constants += [
            numpy_helper.from_array(pads, f"{name}.pads"),
            numpy_helper.from_array(np.array(value, np.float32), f"{name}.value"),
        ]
        return self.add("Pad", name, x, f"{name}.pads", f"{name}.value")


def _plan(place: Place) -> Plan:
    plan = place.plan
    assert plan is not None
    return plan


def _window(axes: Sequence[Axis]) -> dict[str, Any]:
    return {
        "kernel_shape": [axis.window for axis in axes],
        "strides": [axis.stride for axis in axes],
    }


def _pads(sides: Iterable[tuple[int, int]]) -> list[int]:
    """Return ONNX's order of sides: before on every axis, then behind on every axis.

    >>> _pads([(1, 2), (3, 4)])
    [1, 3, 2, 4]
    """
    befores, afters = zip(*sides, strict=True)
    return [*befores, *afters]


def _reach(axis: Axis) -> tuple[int, int]:
    """Return how far the first and the last window reach over the edges of the input.

    With that for padding, as many windows fit as ceil_mode or any other rule has left. Engines
    differ in how they read ceil_mode; so they need not know it.
    """
    return axis.before, max(0, axis.bounds(axis.output - 1)[1] - axis.size)
