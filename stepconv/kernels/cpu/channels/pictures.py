"""Where pictures go in and answers come out: planes of colours onto pixels, pixels off to rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.kernels.cpu.channels.pixels import share
from stepconv.kernels.cpu.lanes.rows import ANSWERS, ORDER, PIXEL_BYTES, PIXELS, operands
from stepconv.kernels.cpu.machine.addresses import float32s, int64s, uint8s


@operands(
    integers="control out step channels rows columns out_rows out_columns top left pictures parts",
    floats="scale shift",
)
def take_pictures(o: Any) -> None:
    """out[pixel][channel] = scale · byte + shift; pixels that are float32 already stay as they are.

    Around each picture lie `top` rows and `left` columns of 0, and what is left of `out` behind.
    """
    control, pixels = int64s(o.control), o.channels * o.rows * o.columns
    scale, shift = float32s(o.scale)[0], float32s(o.shift)[0]
    order, numbers = int64s(control[ORDER]), o.step // 4
    for line in range(*share(o.task, o.parts, o.pictures * o.out_rows)):
        n, y = line // o.out_rows, line % o.out_rows - o.top
        picture = order[n] if control[ORDER] != 0 else n
        out = float32s(o.out + line * o.out_columns * o.step)
        for i in range(o.out_columns * numbers):
            out[i] = 0
        if y < 0 or y >= o.rows:
            continue
        for c in range(o.channels):
            first = picture * pixels + (c * o.rows + y) * o.columns
            if control[PIXEL_BYTES] == 1:
                given = uint8s(control[PIXELS] + first)
                for x in range(o.columns):
                    out[(x + o.left) * numbers + c] = scale * np.float32(given[x]) + shift
            else:
                ready = float32s(control[PIXELS] + first * 4)
                for x in range(o.columns):
                    out[(x + o.left) * numbers + c] = ready[x]


@operands(integers="control x step pictures pixels channels")
def give_answers(o: Any) -> None:
    """Write the answers of each picture, one row for each, channel after channel."""
    answers = float32s(int64s(o.control)[ANSWERS])
    for n in range(o.pictures):
        for p in range(o.pixels):
            x = float32s(o.x + (n * o.pixels + p) * o.step)
            for c in range(o.channels):
                answers[(n * o.channels + c) * o.pixels + p] = x[c]
