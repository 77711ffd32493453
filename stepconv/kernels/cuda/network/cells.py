"""What networks do to each number alone on a GPU: activations, sums of branches, dropout.

Numbers lie in rows, an image behind the other. A thread computes one of them.
"""

import math
from typing import Any, NamedTuple

import numpy as np
from numba import cuda

from stepconv.kernels.cuda.machine.launch import inner, kernel, launch_each
from stepconv.kernels.kinds import TANH

Array = Any


class Places(NamedTuple):
    """Where the numbers of each image are: how many it has; where its first is in x, of how many.

    The same two of out and sign.
    """

    cells: int
    x_first: int
    x_pitch: int
    out_first: int
    out_pitch: int


WHOLE = Places(1, 0, 0, 0, 0)  # of all images, from one place to the same


def hand_on(
    x: Array,
    sign: Array,
    out: Array,
    count: int,
    slope: float,
    adds: bool,
    places: Places = WHOLE,
) -> None:
    """out = x where sign is positive, slope · x elsewhere; or added to what is there.

    With sign = x this activates; with sign = an activated array it is the way back through it.
    """
    launch_each(_hand_on, count, x, sign, out, count, np.float32(slope), adds, places)


@kernel
def _hand_on(
    x: Array, sign: Array, out: Array, count: int, slope: Any, adds: bool, places: Places
) -> None:
    i = cuda.grid(1)
    if i < count:
        source = goal = i
        if places.x_pitch > 0:
            image, cell = i // places.cells, i % places.cells
            source = image * places.x_pitch + places.x_first + cell
            goal = image * places.out_pitch + places.out_first + cell
        value = x[source]
        if slope != 1 and not sign[goal] > 0:
            value *= slope
        out[goal] = out[goal] + value if adds else value


def add(a: Array, b: Array, out: Array, slope: float) -> None:
    """out = activation(a + b)."""
    launch_each(_add, out.size, a, b, out, np.float32(slope))


@kernel
def _add(a: Array, b: Array, out: Array, slope: Any) -> None:
    i = cuda.grid(1)
    if i < out.size:
        total = a[i] + b[i]
        out[i] = total if total > 0 else slope * total


def squeeze(x: Array, out: Array, kind: int) -> None:
    """out = tanh(x) or 1 / (1 + e^-x)."""
    launch_each(_squeeze, out.size, x, out, kind)


@kernel
def _squeeze(x: Array, out: Array, kind: int) -> None:
    i = cuda.grid(1)
    if i < out.size:
        # 1 / (1 + e^-x) = (1 + tanh(x / 2)) / 2
        half = x.dtype.type(0.5)
        out[i] = math.tanh(x[i]) if kind == TANH else half + half * math.tanh(half * x[i])


def squeeze_back(
    y: Array, dy: Array, sign: Array, dx: Array, kind: int, slope: float, adds: bool
) -> None:
    """dx = dy · (1 - y²) or dy · y · (1 - y), times the slope at x; or added to what is there."""
    launch_each(_squeeze_back, dx.size, y, dy, sign, dx, kind, np.float32(slope), adds)


@kernel
def _squeeze_back(
    y: Array, dy: Array, sign: Array, dx: Array, kind: int, slope: Any, adds: bool
) -> None:
    i = cuda.grid(1)
    if i < dx.size:
        one = y.dtype.type(1)
        value = dy[i] * (one - y[i] * y[i] if kind == TANH else y[i] * (one - y[i]))
        if not sign[i] > 0:
            value *= slope
        dx[i] = dx[i] + value if adds else value


def silence(
    x: Array,
    sign: Array,
    out: Array,
    controls: Array,
    layer: int,
    threshold: int,
    scale: float,
    slope: float,
    adds: bool,
) -> None:
    """out = scale · x in the cells that are kept, 0 in the others: forward and back alike.

    Which those are, nn/dropout.py says; controls[0] is the key of the step.
    """
    numbers = (np.float32(scale), np.float32(slope))
    launch_each(_silence, out.size, x, sign, out, controls, layer, threshold, *numbers, adds)


@kernel
def _silence(
    x: Array,
    sign: Array,
    out: Array,
    controls: Array,
    layer: int,
    threshold: int,
    scale: Any,
    slope: Any,
    adds: bool,
) -> None:
    i = cuda.grid(1)
    if i < out.size:
        key = _mixed(np.uint32(np.uint32(controls[0]) ^ _mixed(np.uint32(layer))))
        keep = _mixed(np.uint32(_mixed(np.uint32(i)) ^ key)) >= np.uint32(threshold)
        value = x[i] * (scale if keep else x.dtype.type(0))
        if not sign[i] > 0:
            value *= slope
        out[i] = out[i] + value if adds else value


@inner
def _mixed(word: Any) -> Any:
    """Return 32 bits that depend on all 32 bits of `word` (lowbias32, as in nn/dropout.py)."""
    word = np.uint32(np.uint32(word ^ (word >> np.uint32(16))) * np.uint32(0x7FEB352D))
    word = np.uint32(np.uint32(word ^ (word >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.uint32(word ^ (word >> np.uint32(16)))
