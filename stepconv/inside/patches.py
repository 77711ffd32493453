"""Patches of pictures: one that hides a part of this, and those of many that excite a map most."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.errors import ArgumentError, ArgumentTypeError
from stepconv.geometry import integer
from stepconv.inside.field import Field
from stepconv.nn.layers import number, sizes
from stepconv.nn.trainer import Predictor

if TYPE_CHECKING:
    from stepconv.inside.record import Inside

Array = NDArray[Any]

AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class Excited:
    """A place that a channel answers to strongly: in which picture, where, and what is there.

    `number` counts the pictures, `index` is the cell of the layer's output and `activation` its
    number; `bounds` are [start, stop) of its field in pixels, and `patch` the pixels there, 0 where
    the field is wider than the picture.
    """

    number: int
    label: int | None
    index: tuple[int, ...]
    activation: float
    bounds: tuple[tuple[int, int], ...]
    patch: Array


def occlude(inside: Inside, size: int, stride: int, value: float) -> Array:
    """Return the fall of the class's probability for each place of a patch, rows by columns."""
    _, height, width = inside.model.input_shape
    size = integer("size", size, 1, min(height, width))
    stride = integer("stride", stride, 1)
    number("value", float(value), -np.inf, np.inf)
    rows, columns = (range(0, sides - size + 1, stride) for sides in (height, width))
    places = [(y, x) for y in rows for x in columns]
    predictor, judged = _predictor(inside), inside.label
    told = inside.prediction if judged is None else judged
    falls = []
    for start in range(0, len(places) + 1, AT_ONCE):
        some = places[start : start + AT_ONCE]
        hidden = np.repeat(inside.input[None].astype(np.float32), len(some) + 1, axis=0)
        for picture, (y, x) in zip(hidden, some, strict=False):
            picture[:, y : y + size, x : x + size] = value
        shares = ops.softmax(predictor.logits(hidden))[:, told]  # the last one hides nothing
        falls.append(shares[-1] - shares[:-1])
    return np.concatenate(falls).reshape(len(rows), len(columns))


def most(inside: Inside, name: str, channel: int, data: Any, n: int) -> list[Excited]:
    """Return the n pictures that excite a channel most, each at the place where it does most."""
    look = inside[inside.network.graph.check(name)]
    channel = integer("channel", channel, 0, look.shape[0] - 1)
    pictures, labels = _samples(data)
    shape = inside.model.input_shape
    if pictures.ndim == 3 and shape[0] == 1:
        pictures = pictures[:, None]
    if pictures.shape[1:] != shape:
        got = sizes(pictures.shape[1:])
        raise ArgumentError(f"data holds pictures of {got}: the network reads {sizes(shape)}")
    n = integer("n", n, 1)
    peaks, cells = [], []
    for values in _answers(inside, name, pictures):
        flat = values[name][:, channel].reshape(len(values[name]), -1)
        peaks.append(flat.max(axis=1))
        cells.append(flat.argmax(axis=1))
    peak, cell = np.concatenate(peaks), np.concatenate(cells)
    found = []
    for best in np.argsort(-peak, kind="stable")[:n].tolist():
        place = np.unravel_index(cell[best], look.shape[1:]) if look.shape[1:] else ()
        index = (channel, *map(int, place))
        bounds = Field(inside.network, inside.values, name, index).bounds
        label = None if labels is None else int(labels[best])
        patch = _cut(pictures[best], bounds)
        found.append(Excited(best, label, index, float(peak[best]), bounds, patch))
    return found


def _predictor(inside: Inside) -> Predictor:
    """Return the program that answers many pictures fast."""
    network = inside.network
    backend = network.backend if network.backend == "cuda" else "cpu"
    return Predictor(network.model, network.parameters, network.statistics, backend=backend)


def _answers(inside: Inside, name: str, pictures: Array) -> Iterator[dict[str, Array]]:
    network = inside.network
    for start in range(0, len(pictures), AT_ONCE):
        some = network.numbers(pictures[start : start + AT_ONCE])
        yield network.forward(some, name)


def _samples(data: Any) -> tuple[Array, Array | None]:
    """Return the pictures that were meant, and their labels if there are any."""
    samples = getattr(data, "test", data)
    pictures = np.asarray(getattr(samples, "pictures", samples))
    if pictures.ndim not in (3, 4) or pictures.dtype.kind not in "biuf":
        raise ArgumentTypeError(
            f"data={type(data).__name__} holds no pictures: an array of (n, channels, rows, "
            "columns) or a data set fits"
        )
    if not len(pictures):
        raise ArgumentError("data holds no picture: one or more fit")
    return pictures, getattr(samples, "labels", None)


def _cut(picture: Array, bounds: tuple[tuple[int, int], ...]) -> Array:
    """Return the pixels within bounds, 0 where these leave the picture."""
    (top, bottom), (left, right) = bounds
    channels, height, width = picture.shape
    patch = np.zeros((channels, bottom - top, right - left), picture.dtype)
    rows, columns = slice(max(top, 0), min(bottom, height)), slice(max(left, 0), min(right, width))
    inner = picture[:, rows, columns]
    y, x = rows.start - top, columns.start - left
    patch[:, y : y + inner.shape[1], x : x + inner.shape[2]] = inner
    return patch
