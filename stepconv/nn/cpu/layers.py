"""Layers of weights as rows of a program: conv and dense, forward and back.

A dense layer is a conv whose image and window are one cell each. The plain semantics are in
twin.py.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from stepconv.kernels.cpu.lanes import layers
from stepconv.kernels.cpu.lanes.rows import LANES, VECTOR, Spot
from stepconv.kernels.kinds import ACTIVATE, ADD_GRADIENT, STORE_GRADIENT
from stepconv.nn.cpu import winograd
from stepconv.nn.cpu.windows import (
    backward_lines,
    families,
    forward_lines,
    line_of_cells,
    tap_families,
)
from stepconv.nn.cpu.writer import ONE_GROUP, Writer, backward, forward
from stepconv.nn.steps.records import SumStep
from stepconv.nn.steps.tensors import Tensor
from stepconv.nn.steps.ways import Way

# Cells that are summed for all output channels before the next ones: what they read has to stay in
# the second-level cache. A multiple of every tile's width.
_BLOCK = 120
# Cells of the gradient that are gone through for all weights before the next ones.
_BAND = 112
# Rows of weights in a task of their own.
_ROWS = 8


def way(step: SumStep, p: Writer) -> Way:
    """Return by which algorithms a layer learns."""
    if not p.winograd:
        return Way(step.place.name, "direct", "direct")
    reasons = winograd.why_not(step.plan), winograd.why_not_weights(step.plan)
    sums, weights = ("direct" if reason else "winograd" for reason in reasons)
    return Way(step.place.name, sums, weights, reasons[1])


@forward.register
def _(step: SumStep, p: Writer) -> None:
    y = p.value(step.y)
    end = {"out": y, "sign": y, "mode": ACTIVATE, "slope": step.y.slope}
    end |= {"bias": p.zeros, "bias_step": 0}
    if step.layer.bias:
        end |= {"bias": p.weight(f"{step.place.name}.bias"), "bias_step": 4}
    _write_sums(p, step, end, back=False)


@backward.register
def _(step: SumStep, p: Writer) -> None:
    _write_weight_sums(p, step)
    if step.x.learns:
        into = p.into(step)
        mode = ADD_GRADIENT if into.adds else STORE_GRADIENT
        end = {"out": into.out, "sign": into.sign, "mode": mode, "slope": into.slope}
        end |= {"bias": p.zeros, "bias_step": 0}
        _write_sums(p, step, end, back=True)


def _write_sums(p: Writer, step: SumStep, end: dict[str, Any], *, back: bool) -> None:
    """Write the rows of a layer, or of its gradient for x: `end` is what becomes of the sums."""
    if way(step, p).sums == "winograd":
        winograd.write_sums(p, step, end, back=back)
        return
    source, target = (step.y, step.x) if back else (step.x, step.y)
    groups, window, inner = step.plan.groups, step.plan.window, step.inner
    reads, makes = source.channels // groups, target.channels // groups
    cells = prod(window) * 4
    w_channel, w_step = (makes * cells, cells) if back else (cells, reads * cells)
    made = families(
        [backward_lines(axis) if back else forward_lines(axis) for axis in inner.axes],
        source.plane,
        target.plane[1],
        vector=VECTOR,
        channels=reads,
        w_channel=w_channel,
        w_columns=window.columns,
        # Where the pictures have a border, it is there for the weights' gradients: skipped here.
        origin=(inner.rows.before, inner.columns.before) if source.bordered else (0, 0),
    )
    if end["mode"] == ADD_GRADIENT:
        # Cells that no window reads have a gradient of 0: to be stored, but not to be added.
        made = [family for family in made if len(family.taps)]
    p.emit(
        layers.sum_weighted,
        x=p.gradient(source) if back else p.value(source),
        w=p.weight(f"{step.place.name}.weight"),
        **p.families(made),
        rows=makes,
        rows_task=0,
        block=_BLOCK,
        groups=groups,
        x_group=reads * _plane(source),
        w_group=reads * makes * cells,
        out_group=makes * _plane(target),
        w_step=w_step,
        out_step=_plane(target),
        **end,
    )


def _write_weight_sums(p: Writer, step: SumStep) -> None:
    """Write the rows of the gradients of a layer's weights and biases."""
    plan, name = step.plan, step.place.name
    in_group, out_group = (t.channels // plan.groups for t in (step.x, step.y))
    taps, w_row = tap_families(plan, in_group, VECTOR), in_group * prod(plan.window) * 4
    bias = p.found(f"{name}.bias") if step.layer.bias else None
    at_once = f"{name}.weight" in p.weights.at_once
    if at_once or way(step, p).weights == "winograd":
        write = _write_weight_sums_at_once if at_once else winograd.write_weight_sums
        write(p, step)
        if bias is None:
            return
        taps, w_row, weight = [], 0, bias  # the sums of the biases are left
    else:
        weight = p.found(f"{name}.weight")
    rows, columns = step.y.plane
    p.emit(
        layers.sum_weight_gradients,
        x=p.value(step.x),
        dy=p.gradient(step.y),
        dw=weight,
        db=bias or weight,
        x_row=plan.rows.stride * plan.columns.size * VECTOR,
        x_column=plan.columns.stride * VECTOR,
        dy_plane=_plane(step.y),
        dy_row=columns * VECTOR,
        w_row=w_row,
        columns=columns,
        **p.tap_families(taps),
        groups=plan.groups,
        x_group=in_group * _plane(step.x),
        out_group=out_group,
        rows=rows,
        band=max(1, round(_BAND / columns)),
        has_bias=int(step.layer.bias),
    )


def _write_weight_sums_at_once(p: Writer, step: SumStep) -> None:
    """Sum the gradients of a dense layer's weights over all images, some rows in a task.

    dw[m][k] = Σ_image dy[m][image] · x[image][k]: with the cells of each image behind each
    other, the vectors hold neighbouring weights and the images are the taps.
    """
    inputs, outputs = step.x.cells, step.y.cells
    turned, gradient = p.room(inputs * VECTOR), p.gradient(step.y)
    p.emit(layers.turn, x=p.value(step.x), out=turned, count=inputs)
    chunk, lane = np.divmod(np.arange(p.chunks * LANES), LANES)
    # The last vector of a row is moved back to end with it.
    vectors = np.minimum(np.arange(0, inputs * 4, VECTOR), (inputs - LANES) * 4)
    family = line_of_cells(
        chunk * turned.task + lane * inputs * 4, chunk * gradient.task + lane * 4, vectors
    )
    rows = _ROWS * max(1, outputs // (_ROWS * p.slices))
    whole = Spot(p.whole(f"{step.place.name}.weight"), rows * inputs * 4)
    p.emit_at_once(
        layers.sum_weighted,
        -(-outputs // rows),
        x=turned.address,
        w=Spot(gradient.address, rows * VECTOR),
        bias=p.zeros,
        out=whole,
        sign=whole,
        **p.families([family], images=True),
        rows=outputs,
        block=_BLOCK,
        **{**ONE_GROUP, "rows_task": rows},
        w_step=VECTOR,
        bias_step=0,
        out_step=inputs * 4,
        mode=STORE_GRADIENT,
        slope=1.0,
    )


def _plane(t: Tensor) -> int:
    return t.plane[0] * t.plane[1] * VECTOR
