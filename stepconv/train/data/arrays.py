"""Numbers of any kind as pictures, and labels of any kind as classes, with nothing lost."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import DataError

Array = NDArray[Any]

MOST_CLASSES = 1000


def planes(given: Array, name: str, shape: tuple[int, ...] | None = None) -> Array:
    """Return pictures as (count, channels, rows, columns), in bytes if they are bytes at heart.

    Two axes are signals of one channel; three are gray pictures, or signals of several channels
    where `shape` says so; of four the channels are the second or the last. Numbers that are whole
    from 0 to 255, or from 0 to 1 in steps of 1/255, become bytes; any others stay numbers.
    """
    pictures = numbers(given, name, shape)
    if pictures.dtype == np.uint8:
        return np.ascontiguousarray(pictures)
    low, high = float(pictures.min()), float(pictures.max())
    if low >= 0 and high <= 255:
        levels = np.multiply(pictures, 255.0 if high <= 1 else 1.0, order="C")
        whole = np.rint(levels)
        if np.abs(levels - whole).max() < 1e-3:
            return whole.astype(np.uint8)
    return np.ascontiguousarray(pictures, np.float32)


def numbers(given: Array, name: str, shape: tuple[int, ...] | None = None) -> Array:
    """Return pictures as (count, channels, rows, columns), their numbers as they are."""
    pictures = _four_axes(given, shape)
    if pictures is None or pictures.size == 0:
        raise DataError(
            f"{name}: pictures of shape {given.shape}: (count, rows, columns) fits, channels "
            f"before or behind rows and columns, or (count, length) for signals"
        )
    if pictures.dtype.kind not in "biuf":
        raise DataError(f"{name}: pictures of type {pictures.dtype}: numbers fit")
    low, high = float(pictures.min()), float(pictures.max())
    if not np.isfinite(high - low):
        raise DataError(f"{name}: pixels from {low:g} to {high:g}: finite numbers fit")
    return pictures


def _four_axes(given: Array, shape: tuple[int, ...] | None) -> Array | None:
    """Return the pictures with channels in front of rows and columns; None if they have none."""
    if shape is not None and given.ndim == 3 and given.shape[1:] == (shape[0], *shape[2:]):
        if shape[1] == 1:
            return given[:, :, np.newaxis]
    if given.ndim == 2:
        return given[:, np.newaxis, np.newaxis]
    if given.ndim == 3:
        return given[:, np.newaxis]
    if given.ndim != 4:
        return None
    _, first, _, last = given.shape
    if first in (1, 3) or (last not in (1, 3) and first <= last):
        return given
    return given.transpose(0, 3, 1, 2)  # as TensorFlow orders them


class Classes(NamedTuple):
    """The names of classes, the number of its class for each picture of each part, and remarks."""

    names: tuple[str, ...]
    labels: list[NDArray[np.int64]]
    notes: list[str]


def classes(parts: Sequence[Array], name: str, known: Sequence[str] = ()) -> Classes:
    """Return what labels mean: integers, which `known` may name, or names.

    >>> classes([np.array([1, 2, 2])], "x")
    Classes(names=('1', '2'), labels=[array([0, 1, 1])], notes=['labels run from 1 to 2'])
    """
    parts = [part[:, 0] if part.ndim == 2 and part.shape[1] == 1 else part for part in parts]
    for part in parts:
        if part.ndim != 1 or part.dtype.kind not in "iuU":
            raise DataError(
                f"{name}: labels of shape {part.shape} and type {part.dtype}: "
                f"one integer for each picture fits, or one name"
            )
    values = sorted({value for part in parts for value in np.unique(part).tolist()})
    if len(values) > MOST_CLASSES:
        raise DataError(f"{name} has {len(values):,} classes: at most {MOST_CLASSES} fit")
    notes = []
    if isinstance(values[0] if values else 0, int):
        if values and not 0 <= values[0] <= values[-1] < MOST_CLASSES:
            raise DataError(
                f"{name}: labels from {values[0]} to {values[-1]}: 0 to {MOST_CLASSES - 1} fit"
            )
        if known and values[-1] >= len(known):
            raise DataError(f"{name}: label {values[-1]}, but {len(known)} names: one each fits")
        if known:
            values = list(range(len(known)))
        else:
            notes = _remarks(values, parts)
    names = tuple(map(str, known or values))
    return Classes(names, [np.searchsorted(values, part) for part in parts], notes)


def _remarks(values: list[int], parts: Sequence[Array]) -> list[str]:
    """Return what is odd about integer labels: they begin at 1, or some are missing."""
    if values == list(range(len(values))):
        return []
    if values == list(range(1, len(values) + 1)):
        return [f"labels run from 1 to {values[-1]}"]
    every = np.concatenate(parts)
    counts = ", ".join(f"{value} ({(every == value).sum():,})" for value in values[-3:])
    missing = sorted(set(range(values[-1])) - set(values))
    some = ", ".join(map(str, missing[:5])) + (", …" if len(missing) > 5 else "")
    return [f"no picture has label {some}; the last labels are {counts}: is one a slip?"]
