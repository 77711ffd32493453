"""Where a batch goes in and what comes out on a GPU: pictures, losses, and how many were right.

What differs from step to step lies in one array, the controls: the key of dropout, the numbers of
the optimiser, and which pictures of the set make the batch. A step can be a graph because of that.

The host need not wait for a step to tell the next one: it sends a sheet with the controls of many.
Each step takes the next row of the sheet, and writes what it found into a row of its own.

    sheet     number of the next row | controls of row 0 | controls of row 1 | ...
"""

import math
from typing import Any

import numba
import numpy as np
from numba import cuda

from stepconv.kernels.cuda.machine.launch import THREADS, kernel, launch, launch_each
from stepconv.kernels.cuda.machine.sums import add_in_block
from stepconv.kernels.kinds import CROSS_ENTROPY, STEP_NUMBERS

Array = Any

# Where the controls stand; all are float64, which holds every integer that is meant.
KEY, NUMBERS, ROWS = 0, 1, 1 + STEP_NUMBERS


def take_row(sheet: Array, controls: Array) -> None:
    """controls = the next row of the sheet, and there is one less to come."""
    launch(_take_row, 1, THREADS, sheet, controls)


@kernel
def _take_row(sheet: Array, controls: Array) -> None:
    thread = cuda.threadIdx.x
    first = 1 + int(sheet[0]) * controls.size
    for i in range(thread, controls.size, THREADS):
        controls[i] = sheet[first + i]
    cuda.syncthreads()  # all have read which row it is
    if thread == 0:
        sheet[0] += 1


def take_pictures(
    pictures: Array, controls: Array, out: Array, images: int, line: tuple[float, float]
) -> None:
    """out = scale · the pictures that the controls name + shift, an image behind the other."""
    cells = out.size // images
    scale, shift = map(np.float32, line)
    launch_each(_take, out.size, pictures, controls, out, cells, scale, shift)


@kernel
def _take(pictures: Array, controls: Array, out: Array, cells: int, scale: Any, shift: Any) -> None:
    i = cuda.grid(1)
    if i < out.size:
        row = int(controls[ROWS + i // cells])
        out[i] = scale * out.dtype.type(pictures[row * cells + i % cells]) + shift


def compare(
    z: Array,
    dz: Array,
    labels: Array,
    controls: Array,
    sheet: Array,
    found: Array,
    kind: int,
    slope: float,
) -> None:
    """Compare answers z (images, classes) with labels.

    The row of `found` that is the step's gets the sum of the losses and the number of right ones.

    cross-entropy: -log(e^z_label / Σ e^z), with the gradient e^z / Σ e^z, less 1 at the label.
    squared error: the mean of (z - t)², t being 1 at the label and 0 else.
    """
    numbers = (kind, np.float32(slope))
    launch(_compare, 1, THREADS, z, dz, labels, controls, sheet, found, *numbers)


@kernel
def _compare(
    z: Array,
    dz: Array,
    labels: Array,
    controls: Array,
    sheet: Array,
    found: Array,
    kind: int,
    slope: Any,
) -> None:
    losses = cuda.shared.array(THREADS, numba.float64)
    rights = cuda.shared.array(THREADS, numba.float64)
    thread = cuda.threadIdx.x
    images, classes = z.shape
    loss, right = 0.0, 0.0
    for image in range(thread, images, THREADS):
        label, best = labels[int(controls[ROWS + image])], 0
        for c in range(1, classes):
            if z[image, c] > z[image, best]:
                best = c
        if best == label:
            right += 1
        if kind == CROSS_ENTROPY:
            largest, total = z[image, best], 0.0
            for c in range(classes):
                power = math.exp(z[image, c] - largest)
                dz[image, c] = power
                total += power
            loss += math.log(total) - (z[image, label] - largest)
            for c in range(classes):
                share = dz[image, c] / total
                dz[image, c] = (share - (1.0 if c == label else 0.0)) / images
        else:
            for c in range(classes):
                off = z[image, c] - (1.0 if c == label else 0.0)
                loss += off * off / classes
                dz[image, c] = 2 * off / (classes * images)
        for c in range(classes):
            if not z[image, c] > 0:
                dz[image, c] *= slope
    add_in_block(losses, thread, loss)
    add_in_block(rights, thread, right)
    if thread == 0:
        row = int(sheet[0]) - 1  # the one that was taken last
        found[row, 0], found[row, 1] = losses[0], rights[0]
