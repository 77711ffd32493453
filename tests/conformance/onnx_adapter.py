"""Speak ONNX: run a small graph of its operators by calls of stepconv.

Only names and spellings are translated here; what stepconv's interface cannot say raises
`Inexpressible` with the reason.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

import stepconv

Array = NDArray[Any]
Attributes = dict[str, Any]
Options = dict[str, Any]

PAD_MODES = {"constant": "zeros", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}


class Inexpressible(Exception):
    """stepconv's interface has no words for this case."""


def run(model: Any, inputs: list[Array]) -> list[Array]:
    """Return the outputs of an ONNX model, one node after the other."""
    from onnx import helper, numpy_helper

    graph = model.graph
    values = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    free = [entry.name for entry in graph.input if entry.name not in values]
    values.update(zip(free, inputs, strict=True))
    for node in graph.node:
        attributes = {entry.name: helper.get_attribute_value(entry) for entry in node.attribute}
        arguments = [values[name] if name else None for name in node.input]
        results = OPERATORS[node.op_type](attributes, len(node.output), *arguments)
        values.update(zip(node.output, results, strict=True))
    return [values[entry.name] for entry in graph.output]


def conv(attributes: Attributes, _: int, x: Array, w: Array, bias: Array | None = None) -> Any:
    sizes = spatial(x)
    options = sliding(attributes, sizes, w.shape[2:])
    return [stepconv.correlate(x, w, bias, groups=attributes.get("group", 1), **options)]


def conv_transpose(
    attributes: Attributes, _: int, x: Array, w: Array, bias: Array | None = None
) -> Any:
    """stepconv crops both sides of an axis alike: what ONNX crops on one side is sliced off."""
    axes = len(spatial(x))
    strides = attributes.get("strides", [1] * axes)
    dilations = attributes.get("dilations", [1] * axes)
    extra = list(attributes.get("output_padding", [0] * axes))
    whole = [
        (size - 1) * stride + dilation * (window - 1) + 1 + more
        for size, stride, dilation, window, more in zip(
            x.shape[2:], strides, dilations, w.shape[2:], extra, strict=True
        )
    ]
    wanted = attributes.get("output_shape")
    upper = attributes.get("auto_pad") == b"SAME_UPPER"
    if wanted is None and attributes.get("auto_pad", b"NOTSET").startswith(b"SAME"):
        wanted = [size * stride for size, stride in zip(x.shape[2:], strides, strict=True)]
    if wanted is None:
        pads = pairs(attributes.get("pads", [0] * 2 * axes))
    else:
        extra = [
            more + max(want - size, 0)
            for more, want, size in zip(extra, wanted, whole, strict=True)
        ]
        crops = [max(size - want, 0) for want, size in zip(wanted, whole, strict=True)]
        pads = [halves(crop, smaller_in_front=upper) for crop in crops]
    result = stepconv.correlate_transpose(
        x,
        w,
        bias,
        stride=strides,
        dilation=dilations,
        output_padding=extra,
        groups=attributes.get("group", 1),
    )
    kept = (
        slice(front, size - back)
        for (front, back), size in zip(pads, result.shape[2:], strict=True)
    )
    return [result[:, :, *kept]]


def max_pool(attributes: Attributes, outputs: int, x: Array) -> Any:
    window, options = pooling(attributes, x)
    largest = stepconv.max_pool(x, window, **options)
    if outputs == 1:
        return [largest]
    order = "F" if attributes.get("storage_order", 0) else "C"
    return [largest, winners(x, largest.shape, window, options, order)]


def winners(x: Array, shape: tuple[int, ...], window: Any, options: Options, order: str) -> Array:
    """Return where in x each largest cell is: the cell to which its gradient goes.

    ONNX counts rows first or columns first within a plane, planes one after the other.
    """
    plane = x.shape[2:]
    indices = np.empty(shape, np.int64)
    for place in np.ndindex(shape):
        impulse = np.zeros(shape, np.int64)
        impulse[place] = 1
        grad_x = stepconv.max_pool_backward(x, impulse, window, **options)
        (n, c, *cell) = (int(axis[0]) for axis in np.nonzero(grad_x))
        within = np.ravel_multi_index(cell, plane, order=order)  # type: ignore[call-overload]
        indices[place] = (n * x.shape[1] + c) * np.prod(plane) + within
    return indices


def average_pool(attributes: Attributes, _: int, x: Array) -> Any:
    window, options = pooling(attributes, x)
    if any(step != 1 for step in options.pop("dilation")):
        raise Inexpressible("avg_pool has no dilation")
    include = bool(attributes.get("count_include_pad", 0))
    return [stepconv.avg_pool(x, window, count_include_pad=include, **options)]


def global_max_pool(_: Attributes, __: int, x: Array) -> Any:
    return [stepconv.max_pool(x, spatial(x))]


def global_average_pool(_: Attributes, __: int, x: Array) -> Any:
    return [stepconv.avg_pool(x, spatial(x))]


def pad(
    attributes: Attributes,
    _: int,
    x: Array,
    pads: Array | None = None,
    value: Array | None = None,
    axes: Array | None = None,
) -> Any:
    """Up to opset 10 the pads and the value are attributes, later they are inputs."""
    listed = attributes["pads"] if pads is None else pads.tolist()
    named = range(x.ndim) if axes is None else [int(axis) % x.ndim for axis in axes]
    sides = dict.fromkeys(range(x.ndim), (0, 0)) | dict(zip(named, pairs(listed), strict=True))
    if any(sides[axis] != (0, 0) for axis in range(x.ndim - 2)):
        raise Inexpressible("pad acts on the last two axes")
    mode = PAD_MODES[attributes.get("mode", b"constant").decode()]
    options: Options = {"mode": mode}
    if mode == "zeros":
        options["value"] = attributes.get("value", 0.0) if value is None else value.item()
    return [stepconv.pad(x, (sides[x.ndim - 2], sides[x.ndim - 1]), **options)]


def unsqueeze(attributes: Attributes, _: int, x: Array) -> Any:
    return [np.expand_dims(x, tuple(attributes["axes"]))]


def squeeze(attributes: Attributes, _: int, x: Array) -> Any:
    return [np.squeeze(x, tuple(attributes["axes"]))]


OPERATORS: dict[str, Callable[..., list[Array]]] = {
    "Conv": conv,
    "ConvTranspose": conv_transpose,
    "MaxPool": max_pool,
    "AveragePool": average_pool,
    "GlobalMaxPool": global_max_pool,
    "GlobalAveragePool": global_average_pool,
    "Pad": pad,
    # PyTorch exports an average of a signal as that of an image of one column.
    "Unsqueeze": unsqueeze,
    "Squeeze": squeeze,
}


def pooling(attributes: Attributes, x: Array) -> tuple[list[int], Options]:
    """Return the window and the options of a pool."""
    window = attributes["kernel_shape"]
    options = sliding(attributes, spatial(x), window)
    return window, {**options, "ceil_mode": bool(attributes.get("ceil_mode", 0))}


def sliding(attributes: Attributes, sizes: tuple[int, ...], window: Any) -> Options:
    """Return stride, dilation and padding in stepconv's spelling."""
    axes = len(sizes)
    strides = attributes.get("strides", [1] * axes)
    dilations = attributes.get("dilations", [1] * axes)
    auto_pad = attributes.get("auto_pad", b"NOTSET")
    padding: Any
    if auto_pad == b"VALID":
        padding = "valid"
    elif auto_pad == b"SAME_UPPER":
        padding = "same"
    elif auto_pad == b"SAME_LOWER":
        numbers = zip(sizes, window, strides, dilations, strict=True)
        padding = [halves(same_total(*each), smaller_in_front=False) for each in numbers]
    else:
        padding = pairs(attributes.get("pads", [0] * 2 * axes))
    return {"stride": strides, "dilation": dilations, "padding": padding}


def spatial(x: Array) -> tuple[int, ...]:
    """Return the sizes behind the batch and the channels."""
    sizes = x.shape[2:]
    if len(sizes) > 2:
        raise Inexpressible(f"{len(sizes)} spatial axes")
    return sizes


def pairs(pads: list[int]) -> list[tuple[int, int]]:
    """Return (front, back) per axis: ONNX lists all fronts, then all backs."""
    axes = len(pads) // 2
    return list(zip(pads[:axes], pads[axes:], strict=True))


def same_total(size: int, window: int, stride: int, dilation: int) -> int:
    """Return the cells of padding that give ceil(size / stride) windows."""
    last = (-(-size // stride) - 1) * stride
    return max(last + dilation * (window - 1) + 1 - size, 0)


def halves(total: int, *, smaller_in_front: bool) -> tuple[int, int]:
    """Return `total` as two halves, of which the one in front or the one behind is smaller."""
    less, more = total // 2, total - total // 2
    return (less, more) if smaller_in_front else (more, less)
