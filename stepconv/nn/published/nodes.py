"""A node of an ONNX graph as a layer of ours, with its weights; what none can say is refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import StepconvError
from stepconv.geometry import Shape
from stepconv.nn import layers
from stepconv.nn.layers import Layer
from stepconv.nn.published.fixed import ChannelShuffle, LocalNorm, ReLU6
from stepconv.nn.published.graph import Graph, Node
from stepconv.nn.published.stacking import Link, varying

Array = NDArray[Any]
Arrays = dict[str, Array]


@dataclass
class Stack:
    """Layers in the making: what they are, their arrays in the same order, the shape so far."""

    graph: Graph
    shape: Shape
    layers: list[Layer] = field(default_factory=list)
    arrays: list[Arrays] = field(default_factory=list)

    def add(self, layer: Layer, **arrays: Array) -> None:
        """Append a layer with its weights."""
        self.shape = layer.output(self.shape)
        self.layers.append(layer)
        self.arrays.append(arrays)

    def constant(self, node: Node, place: int) -> Array:
        """Return the constant that a node reads at a place."""
        if place >= len(node.inputs) or node.inputs[place] not in self.graph.constants:
            raise node.refuse(f"reads no constant at place {place}: weights are constants")
        return self.graph.constants[node.inputs[place]].astype(np.float32, copy=False)


def convert(links: Sequence[Link], graph: Graph, shape: Shape) -> Stack:
    """Return the layers that a stack of nodes is."""
    made = Stack(graph, shape)
    for link in _with_shuffles(links, graph):
        node = link.node
        try:
            if link.branches:
                _join(made, link)
            elif node.kind in _LAYERS:
                _LAYERS[node.kind](made, node)
            else:
                raise node.refuse(f"is no layer of ours: {', '.join(sorted(_LAYERS))} are")
        except StepconvError as error:
            if node.name in str(error):
                raise
            raise node.refuse(f"does not fit: {error}") from None
        except KeyError as error:
            raise node.refuse(f"lacks {error.args[0]}") from None
        except (TypeError, ValueError, IndexError, OverflowError):
            raise node.refuse("has options that are none of its kind") from None
    return made


# Three nodes that deal channels out to groups, as one.
_SHUFFLE = "Shuffle"


def _with_shuffles(links: Sequence[Link], graph: Graph) -> list[Link]:
    """Return the links with three that shuffle channels taken together."""
    left, found = list(links), list[Link]()
    while left:
        kinds = [link.node.kind for link in left[:3]]
        first = left[0].node
        told = graph.constants.get(first.inputs[-1])
        shuffles = kinds == ["Reshape", "Transpose", "Reshape"]
        if shuffles and told is not None and told.size == 5 and told.dtype.kind == "i":
            turned = left[1].node.options.get("perm")
            if turned != [0, 2, 1, 3, 4]:
                raise left[1].node.refuse(f"turns axes to {turned}: [0, 2, 1, 3, 4] fits")
            groups = {"groups": int(told.ravel()[1])}
            found.append(Link(replace(first, kind=_SHUFFLE, options=groups)))
            del left[:3]
        else:
            found.append(left.pop(0))
    return found


def _shuffle(made: Stack, node: Node) -> None:
    made.add(ChannelShuffle(node.options["groups"]))


def _join(made: Stack, link: Link) -> None:
    """Add branches: a concatenation, or a sum, which has two at a time."""
    stacks = [convert(branch, made.graph, made.shape) for branch in link.branches]
    if link.node.kind == "Concat":
        if link.node.options.get("axis", 1) not in (1, -3):
            raise link.node.refuse("joins along another axis than the channels")
        layer: Layer = layers.Concat(tuple(tuple(one.layers) for one in stacks))
    else:
        # The longest is the body; a shortcut may hand on what it is given.
        stacks.sort(key=lambda one: -len(one.layers))
        *bodies, last = stacks
        inner: tuple[Layer, ...] = tuple(last.layers)
        for body in reversed(bodies):
            if not body.layers:
                raise link.node.refuse("adds a tensor to itself")
            inner = (layers.Residual(tuple(body.layers), inner),)
        (layer,) = inner
    made.add(layer)
    # What lies inside comes first; a sum of three is two, one inside the other.
    joins = 1 if link.node.kind == "Concat" else len(stacks) - 1
    made.arrays[-1:] = [arrays for one in stacks for arrays in one.arrays] + [{}] * joins


def _window(node: Node, made: Stack) -> dict[str, Any]:
    """Return how a window slides, as our layers say it."""
    options = node.options
    auto = options.get("auto_pad", "NOTSET")
    stride = tuple(options.get("strides", (1, 1)))
    if auto in ("SAME_UPPER", "SAME_LOWER"):
        if auto == "SAME_LOWER":
            raise node.refuse("puts the odd cell of its padding in front: SAME_UPPER fits")
        return {"stride": _one(stride), "padding": "same"}
    pads = tuple(options.get("pads", (0, 0, 0, 0)))
    if len(pads) != 4:
        raise node.refuse(f"has pads {list(pads)}: those of rows and columns fit")
    top, left, bottom, right = pads
    padding: Any = ((top, bottom), (left, right))
    if (top, left) == (bottom, right):
        padding = _one((top, left))
    return {"stride": _one(stride), "padding": padding}


def _one(pair: tuple[int, ...]) -> Any:
    return pair[0] if len(set(pair)) == 1 else pair


def _conv(made: Stack, node: Node) -> None:
    w = made.constant(node, 1)
    if w.ndim != 4:
        raise node.refuse(f"has weights of {w.ndim} axes: 4 fit")
    bias = {"bias": made.constant(node, 2)} if len(node.inputs) > 2 else {}
    layer = layers.Conv(
        w.shape[0],
        _one(w.shape[2:]),
        dilation=_one(tuple(node.options.get("dilations", (1, 1)))),
        groups=int(node.options.get("group", 1)),
        bias=bool(bias),
        **_window(node, made),
    )
    made.add(layer, weight=w, **bias)


def _gemm(made: Stack, node: Node) -> None:
    options = node.options
    if options.get("transA") or options.get("alpha", 1.0) != 1 or options.get("beta", 1.0) != 1:
        raise node.refuse("scales or turns: transA 0, alpha 1 and beta 1 fit")
    w = made.constant(node, 1)
    _dense(made, w if options.get("transB") else w.T)
    if len(node.inputs) > 2:
        _shift(made, node, made.constant(node, 2))


def _matmul(made: Stack, node: Node) -> None:
    _dense(made, made.constant(node, 1).T)


def _dense(made: Stack, w: Array) -> None:
    if len(made.shape) > 1:
        made.add(layers.Flatten())
    made.add(layers.Dense(w.shape[0], bias=False), weight=np.ascontiguousarray(w))


def _norm(made: Stack, node: Node) -> None:
    scale, shift, mean, variance = (made.constant(node, place) for place in range(1, 5))
    layer = layers.BatchNorm(epsilon=float(np.float32(node.options.get("epsilon", 1e-5))))
    made.add(layer, weight=scale, bias=shift, running_mean=mean, running_var=variance)


def _shifted(made: Stack, node: Node) -> None:
    _shift(made, node, _constant(made, node))


def _constant(made: Stack, node: Node) -> Array:
    """Return the constant that a sum or product with one has."""
    places = [k for k, one in enumerate(node.inputs) if one in made.graph.constants]
    if len(places) != 1:
        raise node.refuse("has no constant")
    return made.constant(node, places[0])


def _shift(made: Stack, node: Node, by: Array) -> None:
    """Add a number to each channel: the last layer takes it as its bias."""
    last, arrays, numbers = _last(made, node, by)
    if "bias" in arrays:
        arrays["bias"] = arrays["bias"] + numbers
    else:
        arrays["bias"] = numbers
        made.layers[-1] = replace(last, bias=True)


def _scaled(made: Stack, node: Node) -> None:
    """Multiply each channel: the last layer takes it into its weights."""
    _, arrays, numbers = _last(made, node, _constant(made, node))
    w = arrays["weight"]
    arrays["weight"] = w * numbers.reshape(-1, *[1] * (w.ndim - 1))
    if "bias" in arrays:
        arrays["bias"] = arrays["bias"] * numbers


def _last(made: Stack, node: Node, by: Array) -> tuple[Any, Arrays, Array]:
    kinds = layers.Conv | layers.Dense | layers.BatchNorm
    if not made.layers or not isinstance(made.layers[-1], kinds):
        raise node.refuse("changes channels by constants, and no conv, dense or norm is before it")
    channels = made.shape[0]
    if by.size not in (1, channels):
        raise node.refuse(f"has {by.size} constants for {channels} channels")
    return made.layers[-1], made.arrays[-1], np.broadcast_to(by.ravel(), channels).astype("f4")


def _max_pool(made: Stack, node: Node) -> None:
    made.add(
        layers.MaxPool(
            _one(tuple(node.options["kernel_shape"])),
            dilation=_one(tuple(node.options.get("dilations", (1, 1)))),
            ceil_mode=bool(node.options.get("ceil_mode", 0)),
            **_window(node, made),
        )
    )


def _avg_pool(made: Stack, node: Node) -> None:
    made.add(
        layers.AvgPool(
            _one(tuple(node.options["kernel_shape"])),
            ceil_mode=bool(node.options.get("ceil_mode", 0)),
            count_include_pad=bool(node.options.get("count_include_pad", 0)),
            **_window(node, made),
        )
    )


def _global_avg_pool(made: Stack, node: Node) -> None:
    # One window over all: a plane of one cell is left, which a conv may read.
    made.add(layers.AvgPool(_one(made.shape[1:])))


def _clip(made: Stack, node: Node) -> None:
    ends = [made.constant(node, place) for place in range(1, len(node.inputs))]
    low = float(ends[0]) if ends else node.options.get("min", float("-inf"))
    high = float(ends[1]) if len(ends) > 1 else node.options.get("max", float("inf"))
    if (low, high) == (0, 6):
        made.add(ReLU6())
    elif (low, high) == (0, float("inf")):
        made.add(layers.ReLU())
    else:
        raise node.refuse(f"clips to {low:g} and {high:g}: 0 and 6 fit")


def _local_norm(made: Stack, node: Node) -> None:
    usual = {"alpha": 1e-4, "beta": 0.75, "bias": 1.0}
    numbers = {name: float(node.options.get(name, number)) for name, number in usual.items()}
    made.add(LocalNorm(int(node.options["size"]), **numbers))


def _flat(made: Stack, node: Node) -> None:
    """Lay out flat: what a Reshape does may be nothing else."""
    shapes = [made.graph.constants.get(one) for one in node.inputs[1:]]
    wanted = [int(size) for size in shapes[0].ravel()] if shapes and shapes[0] is not None else []
    flat = prod(made.shape)
    if node.kind == "Reshape" and wanted and (len(wanted) != 2 or wanted[1] not in (-1, flat)):
        if wanted[1:] in (list(made.shape), [*made.shape[:1], 1, 1]):
            return
        raise node.refuse(f"makes {wanted} of {layers.sizes(made.shape)}: one flat row fits")
    if len(made.shape) > 1:
        made.add(layers.Flatten())


def _leaky(made: Stack, node: Node) -> None:
    made.add(layers.LeakyReLU(float(np.float32(node.options.get("alpha", 0.01)))))


def _dropout(made: Stack, node: Node) -> None:
    ratio = made.constant(node, 1) if len(node.inputs) > 1 else node.options.get("ratio", 0.5)
    made.add(layers.Dropout(float(ratio)))


def _nothing(made: Stack, node: Node) -> None:
    """Leave out what changes no number."""


def _softmax(made: Stack, node: Node) -> None:
    """Leave out the shares at the end: our networks end in answers, and predict takes shares."""
    readers = [one for one in made.graph.nodes.values() if node.output in varying(made.graph, one)]
    if any(one.kind not in ("Identity", "Reshape", "Flatten", "Squeeze") for one in readers):
        raise node.refuse("stands within the network: at its end one fits")


def _plain(layer: type[Layer]) -> Callable[[Stack, Node], None]:
    return lambda made, node: made.add(layer())


_LAYERS: dict[str, Callable[[Stack, Node], None]] = {
    "Conv": _conv,
    "Gemm": _gemm,
    "MatMul": _matmul,
    "BatchNormalization": _norm,
    "Add": _shifted,
    "Sum": _shifted,
    "Mul": _scaled,
    "MaxPool": _max_pool,
    "AveragePool": _avg_pool,
    "GlobalAveragePool": _global_avg_pool,
    "Relu": _plain(layers.ReLU),
    "LeakyRelu": _leaky,
    "Tanh": _plain(layers.Tanh),
    "Sigmoid": _plain(layers.Sigmoid),
    "Clip": _clip,
    "LRN": _local_norm,
    _SHUFFLE: _shuffle,
    "Flatten": _flat,
    "Reshape": _flat,
    "Squeeze": _flat,
    "Dropout": _dropout,
    "Identity": _nothing,
    "Softmax": _softmax,
}
