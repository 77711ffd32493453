"""Where a batch goes in and what comes out: pictures onto lanes, answers, losses."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.kernels.cpu.lanes.rows import (
    ANSWERS,
    IMAGES,
    LABELS,
    LANES,
    ORDER,
    PIXEL_BYTES,
    PIXELS,
    VECTOR,
    operands,
)
from stepconv.kernels.cpu.lanes.tiles import square
from stepconv.kernels.cpu.machine.addresses import (
    float32s,
    float64s,
    int64s,
    uint8s,
)
from stepconv.kernels.cpu.machine.tiles import row_of_numbers
from stepconv.kernels.kinds import CROSS_ENTROPY

_copy_row = row_of_numbers(np.float32)


@operands(
    spots="out mask room",
    integers="control channels rows columns out_rows out_columns top left",
    floats="scale shift",
)
def take_pictures(o: Any) -> None:
    """out[cell][lane] = scale · byte + shift of the lane's picture, 0 where there is none.

    Pixels that are float32 already stay as they are. Around each picture lie `top` rows and `left`
    columns of 0, and what is left of `out` behind.
    """
    control, mask = int64s(o.control), float32s(o.mask)
    scale, shift = float32s(o.scale)[0], float32s(o.shift)[0]
    first, plane = o.top * o.out_columns + o.left, o.out_rows * o.out_columns
    cells, pixels = o.channels * plane, o.channels * o.rows * o.columns
    order = int64s(control[ORDER])
    flat = o.room + LANES * cells * 4
    picture = float32s(flat)
    for lane in range(LANES):
        image = o.task * LANES + lane
        there = image < control[IMAGES]
        mask[lane] = 1 if there else 0
        if there and control[ORDER] != 0:
            image = order[image]
        if not there:
            for i in range(pixels):
                picture[i] = 0
        elif control[PIXEL_BYTES] == 1:
            bytes_read = uint8s(control[PIXELS] + image * pixels)
            for i in range(pixels):
                picture[i] = scale * np.float32(bytes_read[i]) + shift
        else:
            numbers = float32s(control[PIXELS] + image * pixels * 4)
            for i in range(pixels):
                picture[i] = numbers[i]
        for channel in range(o.channels):
            source = flat + channel * o.rows * o.columns * 4
            goal = o.room + (lane * cells + channel * plane + first) * 4
            for y in range(o.rows):
                at, to = source + y * o.columns * 4, goal + y * o.out_columns * 4
                _copy_row(at, to, o.columns // LANES, o.columns % LANES)
    whole = cells // LANES * LANES
    for i in range(0, whole, LANES):
        square(o.room + i * 4, cells * 4, o.out + i * VECTOR, VECTOR)
    spread, lines = float32s(o.out), float32s(o.room)
    for i in range(whole, cells):
        for lane in range(LANES):
            spread[i * LANES + lane] = lines[lane * cells + i]


@operands(spots="answers", integers="control classes")
def give_answers(o: Any) -> None:
    """Write the answers of a chunk's images, one row per image."""
    control, lanes_of, classes = int64s(o.control), float32s(o.answers), o.classes
    out = float32s(control[ANSWERS])
    for lane in range(min(LANES, control[IMAGES] - o.task * LANES)):
        for c in range(classes):
            out[(o.task * LANES + lane) * classes + c] = lanes_of[c * LANES + lane]


@operands(spots="z dz found", integers="control classes kind", floats="slope")
def compare(o: Any) -> None:
    """Compare answers z with labels: loss, number of right ones, and the gradient for z.

    cross-entropy: -log(e^z_label / Σ e^z), with the gradient e^z / Σ e^z, less 1 at the label.
    squared error: the mean of (z - t)², t being 1 at the label and 0 else.
    """
    control, z, dz, found = int64s(o.control), float32s(o.z), float32s(o.dz), float64s(o.found)
    classes, slope = o.classes, float32s(o.slope)[0]
    labels, images = int64s(control[LABELS]), control[IMAGES]
    loss, right = 0.0, 0
    for lane in range(LANES):
        image = o.task * LANES + lane
        if image >= images:
            for c in range(classes):
                dz[c * LANES + lane] = 0
            continue
        label, best = labels[image], 0
        for c in range(1, classes):
            if z[c * LANES + lane] > z[best * LANES + lane]:
                best = c
        right += best == label
        if o.kind == CROSS_ENTROPY:
            largest = np.float64(z[best * LANES + lane])
            total = 0.0
            for c in range(classes):
                power = np.exp(z[c * LANES + lane] - largest)
                dz[c * LANES + lane] = power
                total += power
            loss += np.log(total) - (z[label * LANES + lane] - largest)
            for c in range(classes):
                share = dz[c * LANES + lane] / total
                dz[c * LANES + lane] = (share - (1.0 if c == label else 0.0)) / images
        else:
            for c in range(classes):
                off = z[c * LANES + lane] - (1.0 if c == label else 0.0)
                loss += off * off / classes
                dz[c * LANES + lane] = 2 * off / (classes * images)
        for c in range(classes):
            if not z[c * LANES + lane] > 0:
                dz[c * LANES + lane] *= slope
    found[0], found[1] = loss, right
