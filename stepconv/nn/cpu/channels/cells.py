"""Pools, norms, branches and activations for a few pictures, as rows of a program."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.kernels.cpu.channels import cells, pools
from stepconv.kernels.cpu.lanes.rows import LANES
from stepconv.nn.cpu.channels.windows import shares, sides
from stepconv.nn.cpu.channels.writer import At, Writer, tasks_for, write
from stepconv.nn.steps.folding import scale_and_shift
from stepconv.nn.steps.records import (
    ActivationStep,
    AddStep,
    AvgPoolStep,
    ConcatStep,
    LocalNormStep,
    MaxPoolStep,
    NormStep,
    PoolStep,
    ShuffleStep,
    SqueezeStep,
)
from stepconv.nn.steps.tensors import Tensor

# Pools.


@write.register
def _(step: MaxPoolStep, p: Writer) -> None:
    p.emit(pools.max_pool, **_pool(step, p))


@write.register
def _(step: AvgPoolStep, p: Writer) -> None:
    p.emit(pools.avg_pool, shares=p.packed.keep(shares(step.counts)), **_pool(step, p))


def _pool(step: PoolStep, p: Writer) -> dict[str, Any]:
    """Return the operands of a pool, and how many tasks it has."""
    x, y, plan, channels = p.at(step.x), p.at(step.y), step.plan, step.x.channels
    down, across = (p.packed.keep(sides(axis)) for axis in plan.axes)
    pixels, window = p.pictures * y.pixels, plan.rows.window * plan.columns.window
    tasks = tasks_for(size=4 * pixels * channels * (window + 1))
    pixel_parts = min(tasks, pixels)
    channel_parts = min(-(-tasks // pixel_parts), -(-channels // LANES))
    return {
        "tasks": pixel_parts * channel_parts,
        "x": x.address,
        "x_step": x.step,
        "x_row": x.columns * x.step,
        "x_plane": x.picture,
        "out": y.address,
        "out_step": y.step,
        "pictures": p.pictures,
        "rows": y.rows,
        "columns": y.columns,
        "channels": channels,
        "down": down,
        "across": across,
        "row_dilation": plan.rows.dilation,
        "column_dilation": plan.columns.dilation,
        "pixel_parts": pixel_parts,
        "channel_parts": channel_parts,
    }


# Pixel by pixel.


def emit(
    p: Writer,
    kernel: Any,
    x: At,
    y: At,
    channels: int,
    *,
    heavy: int = 2,
    room: int = 0,
    **operands: Any,
) -> None:
    """Write the row of a kernel that goes through pixels: `heavy` says how much it does to each.

    A task may have `room`, in bytes.
    """
    pixels = p.pictures * y.pixels
    parts = min(pixels, tasks_for(size=4 * heavy * pixels * channels))
    if room:
        operands["room"] = p.rooms(room, parts)
    p.emit(
        kernel,
        parts,
        x=x.address,
        x_step=x.step,
        out=y.address,
        out_step=y.step,
        pixels=pixels,
        channels=channels,
        parts=parts,
        **operands,
    )


def hand_on(p: Writer, x: Tensor, y: Tensor) -> None:
    """Write the row that hands a tensor on, through the activation of y."""
    given, to = p.flat(x), p.at(y)
    emit(p, cells.hand_on, given, to, y.channels, slope=y.slope, limit=y.limit)


@write.register
def _(step: ActivationStep, p: Writer) -> None:
    hand_on(p, step.x, step.y)


@write.register
def _(step: ConcatStep, p: Writer) -> None:
    for made, part in zip(step.reads, step.parts, strict=True):
        if made is not part:
            part.slope = 1.0  # a copy
            hand_on(p, made, part)


@write.register
def _(step: AddStep, p: Writer) -> None:
    (a, b), y = map(p.flat, step.reads), p.at(step.y)
    pixels, channels = p.pictures * y.pixels, step.y.channels
    parts = min(pixels, tasks_for(size=12 * pixels * channels))
    p.emit(
        cells.add,
        parts,
        a=a.address,
        a_step=a.step,
        b=b.address,
        b_step=b.step,
        out=y.address,
        out_step=y.step,
        pixels=pixels,
        channels=channels,
        parts=parts,
        slope=step.y.slope,
        limit=step.y.limit,
    )


@write.register
def _(step: NormStep, p: Writer) -> None:
    def made() -> tuple[int, int]:
        both = scale_and_shift(step, p.packed.parameters, p.packed.statistics)
        scale, shift = (p.packed.keep(np.pad(a, (0, LANES)).astype(np.float32)) for a in both)
        return scale, shift

    scale, shift = p.packed.once(step.place.name, made)
    emit(
        p,
        cells.scale,
        p.flat(step.x),
        p.at(step.y),
        step.y.channels,
        scale=scale,
        shift=shift,
        slope=step.y.slope,
        limit=step.y.limit,
    )


@write.register
def _(step: SqueezeStep, p: Writer) -> None:
    x, y = p.flat(step.x), p.at(step.y)
    emit(p, cells.squeeze, x, y, step.y.channels, heavy=50, kind=step.kind)


@write.register
def _(step: LocalNormStep, p: Writer) -> None:
    layer, channels = step.layer, step.x.channels
    size = 4 * (2 * channels + layer.size + 3 * LANES)
    emit(
        p,
        cells.local_norm,
        p.flat(step.x),
        p.at(step.y),
        channels,
        heavy=20,
        room=size,
        before=(layer.size - 1) // 2,
        neighbours=layer.size,
        alpha=layer.alpha / layer.size,
        beta=layer.beta,
        bias=layer.bias,
    )


@write.register
def _(step: ShuffleStep, p: Writer) -> None:
    x, y = p.flat(step.x), p.at(step.y)
    emit(p, cells.deal, x, y, step.y.channels, heavy=10, groups=step.layer.groups)
