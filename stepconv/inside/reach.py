"""Which cells can reach a cell of a later layer: exactly, or as bounds that ignore the border.

Both go back layer by layer. A mask has the shape of a layer's output and says which cells count.
Spans say for each channel the [first, end) of rows and columns, wherever the picture ends.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.geometry import Axis, Plan
from stepconv.inside.calls import parted
from stepconv.inside.graph import Node
from stepconv.nn import layers
from stepconv.nn.own import OwnLayer

Array = NDArray[Any]
Mask = NDArray[np.bool_]

# Of a channel that is not reached.
NOWHERE = (2**40, -(2**40))


def masks_back(node: Node, mask: Mask) -> list[Mask]:
    """Return which cells of each output that a node reads can reach a marked cell of its own."""
    if node.layer.parts():
        return parted(node.layer, _channels(node), mask, axis=0)
    shape = node.place.input
    if isinstance(node.layer, layers.Dense):
        return [np.full(shape, mask.any())]
    if isinstance(node.layer, OwnLayer):
        return [_answered(node.layer, shape, mask)]
    if node.place.plan is None:
        return [mask.reshape(shape)]
    rows, columns = node.place.plan.axes
    grouped = _flowing(node.layer, mask.reshape(len(mask), *node.place.plan.output))
    # Cell (y, x) is read where some window (i, j) that counts reads row y and column x.
    seen = _reads(rows).T @ grouped.astype(np.float32) @ _reads(columns)
    return [np.repeat(seen > 0, shape[0] // len(seen), axis=0)]


def spans_back(node: Node, spans: Array) -> list[Array]:
    """Return the rows and columns of each output that a node reads from which its own come.

    Spans of a picture are (channels, axes, 2), those of a flat row a mask of its numbers.
    """
    if node.layer.parts():
        return parted(node.layer, _channels(node), spans, axis=0)
    shape = node.place.input
    if isinstance(node.layer, layers.Dense):
        return [np.full(shape, spans.any())]
    if isinstance(node.layer, layers.Flatten) and len(shape) == 3:
        return [np.stack([_extent(plane) for plane in spans.reshape(shape)])]
    if isinstance(node.layer, layers.GlobalAvgPool):
        whole = [(0, size) for size in shape[1:]]
        return [np.array([whole if reached else (NOWHERE,) * 2 for reached in spans])]
    if isinstance(node.layer, OwnLayer):
        return [_answered_within(node, spans)]
    plan = node.place.plan
    if plan is None:
        return [spans]
    return [_through_windows(plan, _hull_of_groups(node.layer, shape[0], spans))]


def start_mask(shape: tuple[int, ...], index: tuple[int, ...]) -> Mask:
    """Return a mask of one cell."""
    mask = np.zeros(shape, bool)
    mask[index] = True
    return mask


def start_spans(shape: tuple[int, ...], index: tuple[int, ...]) -> Array:
    """Return the spans of one cell."""
    if len(shape) == 1:
        return start_mask(shape, index)
    spans = np.full((shape[0], 2, 2), NOWHERE)
    spans[index[0]] = [(place, place + 1) for place in index[1:]]
    return spans


def union(one: Array, other: Array) -> Array:
    """Return masks or spans that hold what either holds."""
    return one | other if one.dtype == bool else hull(np.stack([one, other]))


def hull(spans: Array) -> Array:
    """Return the span that holds all along the first axis."""
    return np.stack([spans[..., 0].min(axis=0), spans[..., 1].max(axis=0)], axis=-1)


def _through_windows(plan: Plan, spans: Array) -> Array:
    """Window i begins at i · stride - before and reads a span of cells."""
    made = spans.copy()
    for at, axis in enumerate(plan.axes):
        reached = spans[:, at, 0] < spans[:, at, 1]
        first, last = spans[reached, at, 0], spans[reached, at, 1] - 1
        made[reached, at, 0] = first * axis.stride - axis.before
        made[reached, at, 1] = last * axis.stride - axis.before + axis.span
    return made


def _flowing(layer: layers.Layer, mask: Mask) -> Mask:
    """Return for each channel that is read alone, or for each group of them, what reads it."""
    if not isinstance(layer, layers.Conv):
        return mask
    return np.asarray(mask.reshape(layer.groups, -1, *mask.shape[1:]).any(axis=1))


def _hull_of_groups(layer: layers.Layer, channels: int, spans: Array) -> Array:
    if not isinstance(layer, layers.Conv):
        return spans
    every = spans.reshape(layer.groups, -1, *spans.shape[1:])
    return np.repeat(hull(np.moveaxis(every, 1, 0)), channels // layer.groups, axis=0)


def _answered(layer: Any, shape: tuple[int, ...], mask: Mask) -> Mask:
    """Return where a gradient drawn by chance arrives: a layer of one's own does not say."""
    draw = np.random.default_rng(0)
    learnt = [draw.standard_normal(one) for one in layer.parameters(shape).values()]
    x, grad = draw.standard_normal((1, *shape)), mask * draw.standard_normal(mask.shape)
    return np.asarray(layer.gradients(shape, x, learnt, grad[None])[0][0] != 0)


def _answered_within(node: Node, spans: Array) -> Array:
    """Return the spans of the cells that those in spans read, by what a gradient says."""
    mask = spans if spans.dtype == bool else _marked(spans, node.place.output)
    reached = _answered(node.layer, node.place.input, mask)
    if reached.ndim == 1:
        return reached
    # Of a layer that reads its own cell alone the spans may leave the picture as well.
    return spans if np.array_equal(reached, mask) else np.array([*map(_extent, reached)])


def _marked(spans: Array, shape: tuple[int, ...]) -> Mask:
    """Return the cells of the picture that spans hold."""
    mask = np.zeros(shape, bool)
    for plane, (rows, columns) in zip(mask, np.maximum(spans, 0).tolist(), strict=True):
        plane[slice(*rows), slice(*columns)] = True
    return mask


def _extent(plane: Mask) -> list[tuple[int, int]]:
    """Return the first and the end of the rows and of the columns that a plane marks."""
    if not plane.any():
        return [NOWHERE, NOWHERE]
    marked = [np.flatnonzero(plane.any(axis=1 - axis)) for axis in (0, 1)]
    return [(int(each[0]), int(each[-1]) + 1) for each in marked]


def _channels(node: Node) -> list[int]:
    """Return how many channels each stack of a block gives."""
    return [layers.through(part, node.place.input)[0] for part in node.layer.parts().values()]


@lru_cache(maxsize=256)
def _reads(axis: Axis) -> Array:
    """Return which window (a row) reads which cell (a column): 1 or 0."""
    reads = np.zeros((axis.output, axis.size), np.float32)
    for window in range(axis.output):
        reads[window, [tap for tap in axis.taps(window) if 0 <= tap < axis.size]] = 1
    return reads
