"""Where a batch goes in and what comes out: pictures onto lanes, answers, losses."""

from __future__ import annotations

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
from stepconv.kernels.cpu.machine.vector import (
    Int,
    Vector,
    Vectors,
    tile,
)
from stepconv.kernels.kinds import CROSS_ENTROPY


@tile(np.float32)
def _lay_out(
    v: Vectors, picture: Int, rows: Int, columns: Int, whole: Int, rest: Int, out: Int, pitch: Int
) -> None:
    """Copy the rows of a picture to rows that are `pitch` bytes apart."""

    def line(y: Int, _: list[Vector]) -> list[Vector]:
        source, goal = picture + y * columns * 4, out + y * pitch

        def cells(i: Int, _: list[Vector]) -> list[Vector]:
            v.store(goal + i * v.bytes, v.load(source + i * v.bytes))
            return []

        v.loop(whole, [], cells)
        at = whole * v.bytes
        v.store_some(goal + at, v.load_some(source + at, rest), rest)
        return []

    v.loop(rows, [], line)


@operands(
    "control out out_task mask mask_task room room_task channels rows columns out_rows out_columns "
    "top left scale shift"
)
def take_pictures(row: int, task: int) -> None:
    """out[cell][lane] = scale · byte + shift of the lane's picture, 0 where there is none.

    Pixels that are float32 already stay as they are. Around each picture lie `top` rows and `left`
    columns of 0, and what is left of `out` behind.
    """
    r = int64s(row)
    control, out, mask = int64s(r[1]), r[2] + task * r[3], float32s(r[4] + task * r[5])
    room, channels, rows, columns = r[6] + task * r[7], r[8], r[9], r[10]
    out_rows, out_columns = r[11], r[12]
    scale, shift = float32s(row + 15 * 8)[0], float32s(row + 16 * 8)[0]
    first, cells = r[13] * out_columns + r[14], channels * out_rows * out_columns
    pixels, order = channels * rows * columns, int64s(control[ORDER])
    flat = room + LANES * cells * 4
    picture = float32s(flat)
    for lane in range(LANES):
        image = task * LANES + lane
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
        for channel in range(channels):
            source = flat + channel * rows * columns * 4
            goal = room + (lane * cells + channel * out_rows * out_columns + first) * 4
            whole, rest = columns // LANES, columns % LANES
            _lay_out(source, rows, columns, whole, rest, goal, out_columns * 4)
    whole = cells // LANES * LANES
    for i in range(0, whole, LANES):
        square(room + i * 4, cells * 4, out + i * VECTOR, VECTOR)
    spread, lines = float32s(out), float32s(room)
    for i in range(whole, cells):
        for lane in range(LANES):
            spread[i * LANES + lane] = lines[lane * cells + i]


@operands("control answers answers_task classes")
def give_answers(row: int, task: int) -> None:
    """Write the answers of a chunk's images, one row per image."""
    r = int64s(row)
    control, lanes_of, classes = int64s(r[1]), float32s(r[2] + task * r[3]), r[4]
    out = float32s(control[ANSWERS])
    for lane in range(min(LANES, control[IMAGES] - task * LANES)):
        for c in range(classes):
            out[(task * LANES + lane) * classes + c] = lanes_of[c * LANES + lane]


@operands("control z z_task dz dz_task found found_task classes kind slope")
def compare(row: int, task: int) -> None:
    """Compare answers z with labels: loss, number of right ones, and the gradient for z.

    cross-entropy: -log(e^z_label / Σ e^z), with the gradient e^z / Σ e^z, less 1 at the label.
    squared error: the mean of (z - t)², t being 1 at the label and 0 else.
    """
    r = int64s(row)
    control, z, dz = int64s(r[1]), float32s(r[2] + task * r[3]), float32s(r[4] + task * r[5])
    found, classes, kind = float64s(r[6] + task * r[7]), r[8], r[9]
    slope = float32s(row + 10 * 8)[0]
    labels, images = int64s(control[LABELS]), control[IMAGES]
    loss, right = 0.0, 0
    for lane in range(LANES):
        image = task * LANES + lane
        if image >= images:
            for c in range(classes):
                dz[c * LANES + lane] = 0
            continue
        label, best = labels[image], 0
        for c in range(1, classes):
            if z[c * LANES + lane] > z[best * LANES + lane]:
                best = c
        right += best == label
        if kind == CROSS_ENTROPY:
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
