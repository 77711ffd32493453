"""Layers of weights as rows of a program: conv and dense, forward and back.

Each step of a network knows what it reads and what it makes. `forward` and `backward` write the
rows that compute it for a chunk of images; the plain semantics are in plain.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from stepconv.geometry import Plan
from stepconv.kernels.cpu.lanes import layers
from stepconv.kernels.cpu.lanes.rows import LANES, VECTOR
from stepconv.kernels.kinds import ACTIVATE, ADD_GRADIENT, STORE_GRADIENT
from stepconv.nn.cpu.windows import (
    Family,
    Taps,
    backward_lines,
    families,
    forward_lines,
    tap_families,
)
from stepconv.nn.cpu.winograd import (
    pays,
    pays_for_weights,
    write_sums,
    write_weight_sums,
)
from stepconv.nn.cpu.writer import ONE_GROUP, Spot, Writer
from stepconv.nn.layers import Conv, Dense
from stepconv.nn.model import Place
from stepconv.nn.steps.tensors import Tensor

# Cells that are summed for all output channels before the next ones: what they read has to stay in
# the second-level cache. A multiple of every tile's width.
_BLOCK = 120
# Cells of the gradient that are gone through for all weights before the next ones.
_BAND = 112
# Rows of weights in a task of their own.
_ROWS = 8


class Step(Protocol):
    """One layer at its place in a network."""

    def forward(self, p: Writer) -> None:
        """Write the rows that make the layer's values."""

    def backward(self, p: Writer) -> None:
        """Write the rows that turn the gradient of its values into those of all it reads."""


@dataclass
class ConvStep:
    """Filters that slide over the image."""

    place: Place
    layer: Conv
    x: Tensor
    y: Tensor

    def forward(self, p: Writer) -> None:
        plan, layer = self._plan, self.layer
        bias = p.weight(f"{self.place.name}.bias") if layer.bias else p.zeros
        if p.winograd and pays(plan, layer.groups, self.x.channels, self.y.channels):
            write_sums(
                p,
                self.place.name,
                self.x,
                p.value(self.x),
                self.y,
                before=(plan.rows.before, plan.columns.before),
                back=False,
                bias=bias,
                bias_step=4 if layer.bias else 0,
                out=p.value(self.y),
                sign=p.value(self.y),
                mode=ACTIVATE,
                slope=self.y.slope,
            )
            return
        # Where the pictures have a border, it is there for the weights' gradients: skipped here.
        inner = layer.plan(self.place.input)
        window = plan.rows.window * plan.columns.window
        w_row = self._in_group * window * 4
        made = families(
            (forward_lines(inner.rows), forward_lines(inner.columns)),
            self.x.plane,
            self.y.plane[1],
            vector=VECTOR,
            channels=self._in_group,
            w_channel=window * 4,
            w_columns=plan.columns.window,
            origin=(inner.rows.before, inner.columns.before) if self.x.bordered else (0, 0),
        )
        table, count = p.families(made)
        p.emit(
            layers.sum_weighted,
            x=p.value(self.x),
            w=p.weight(f"{self.place.name}.weight"),
            bias=bias,
            out=p.value(self.y),
            sign=p.value(self.y),
            families=table,
            family_count=count,
            rows=self._out_group,
            rows_task=0,
            block=_BLOCK,
            groups=layer.groups,
            x_group=self._in_group * self._x_plane,
            w_group=self._out_group * w_row,
            out_group=self._out_group * self._y_plane,
            w_step=w_row,
            bias_step=4 if layer.bias else 0,
            out_step=self._y_plane,
            mode=ACTIVATE,
            slope=self.y.slope,
        )

    def backward(self, p: Writer) -> None:
        self._weights_back(p)
        if self.x.learns:
            self._image_back(p)

    def _weights_back(self, p: Writer) -> None:
        plan, name = self._plan, self.place.name
        rows, columns = self.y.plane
        taps = tap_families(plan, self._in_group, VECTOR)
        w_row = self._in_group * plan.rows.window * plan.columns.window * 4
        if p.winograd and pays_for_weights(
            plan, self.layer.groups, self.x.channels, self.y.channels
        ):
            before = (plan.rows.before, plan.columns.before)
            write_weight_sums(p, name, self.x, self.y, before=before)
            if not self.layer.bias:
                return
            taps, w_row = [], 0  # the sums of the biases are left
        table, count = p.tap_families(taps)
        p.emit(
            layers.sum_weight_gradients,
            x=p.value(self.x),
            dy=p.gradient(self.y),
            dw=p.found(f"{name}.weight"),
            db=p.found(f"{name}.bias" if self.layer.bias else f"{name}.weight").address,
            x_row=plan.rows.stride * plan.columns.size * VECTOR,
            x_column=plan.columns.stride * VECTOR,
            dy_plane=self._y_plane,
            dy_row=columns * VECTOR,
            w_row=w_row,
            columns=columns,
            families=table,
            family_count=count,
            groups=self.layer.groups,
            x_group=self._in_group * self._x_plane,
            out_group=self._out_group,
            rows=rows,
            band=max(1, round(_BAND / columns)),
            has_bias=int(self.layer.bias),
        )

    def _image_back(self, p: Writer) -> None:
        plan = self._plan
        if p.winograd and pays(plan, self.layer.groups, self.y.channels, self.x.channels):
            out, adds = p.into(self.x)
            write_sums(
                p,
                self.place.name,
                self.y,
                p.gradient(self.y),
                self.x,
                before=(2 - plan.rows.before, 2 - plan.columns.before),
                back=True,
                bias=p.zeros,
                bias_step=0,
                out=out,
                sign=p.value(self.x),
                mode=ADD_GRADIENT if adds else STORE_GRADIENT,
                slope=self.x.slope,
            )
            return
        lines = (backward_lines(plan.rows), backward_lines(plan.columns))
        window = plan.rows.window * plan.columns.window
        w_row = self._in_group * window * 4
        made = families(
            lines,
            self.y.plane,
            self.x.plane[1],
            vector=VECTOR,
            channels=self._out_group,
            w_channel=w_row,
            w_columns=plan.columns.window,
        )
        out, adds = p.into(self.x)
        # Cells that no window reads have a gradient of 0: to be stored, but not to be added.
        table, count = p.families([f for f in made if len(f.taps) or not adds])
        p.emit(
            layers.sum_weighted,
            x=p.gradient(self.y),
            w=p.weight(f"{self.place.name}.weight"),
            bias=p.zeros,
            out=out,
            sign=p.value(self.x),
            families=table,
            family_count=count,
            rows=self._in_group,
            rows_task=0,
            block=_BLOCK,
            groups=self.layer.groups,
            x_group=self._out_group * self._y_plane,
            w_group=self._out_group * w_row,
            out_group=self._in_group * self._x_plane,
            w_step=window * 4,
            bias_step=0,
            out_step=self._x_plane,
            mode=ADD_GRADIENT if adds else STORE_GRADIENT,
            slope=self.x.slope,
        )

    @property
    def _plan(self) -> Plan:
        plan = self.layer.plan(self.place.input)
        return plan.after_padding() if self.x.bordered else plan

    @property
    def _in_group(self) -> int:
        return self.x.channels // self.layer.groups

    @property
    def _out_group(self) -> int:
        return self.y.channels // self.layer.groups

    @property
    def _x_plane(self) -> int:
        return self.x.plane[0] * self.x.plane[1] * VECTOR

    @property
    def _y_plane(self) -> int:
        return self.y.plane[0] * self.y.plane[1] * VECTOR


@dataclass
class DenseStep:
    """Every output sums every input."""

    place: Place
    layer: Dense
    x: Tensor
    y: Tensor

    def forward(self, p: Writer) -> None:
        inputs = np.arange(self.x.cells)
        taps = np.stack([inputs * VECTOR, inputs * 4], axis=1)
        self._sums(
            p,
            taps,
            x=p.value(self.x),
            bias=p.weight(f"{self.place.name}.bias") if self.layer.bias else p.zeros,
            out=p.value(self.y),
            sign=p.value(self.y),
            rows=self.y.cells,
            w_step=self.x.cells * 4,
            bias_step=4 if self.layer.bias else 0,
            mode=ACTIVATE,
            slope=self.y.slope,
        )

    def backward(self, p: Writer) -> None:
        if self.x.cells < LANES:
            self._weights_back(p, self.x.cells)
        else:
            self._weights_back(p, 0)
            self._weights_back_at_once(p)
        if self.x.learns:
            outputs = np.arange(self.y.cells)
            taps = np.stack([outputs * VECTOR, outputs * self.x.cells * 4], axis=1)
            out, adds = p.into(self.x)
            self._sums(
                p,
                taps,
                x=p.gradient(self.y),
                bias=p.zeros,
                out=out,
                sign=p.value(self.x),
                rows=self.x.cells,
                w_step=4,
                bias_step=0,
                mode=ADD_GRADIENT if adds else STORE_GRADIENT,
                slope=self.x.slope,
            )

    def _sums(self, p: Writer, taps: Any, **operands: Any) -> None:
        """Write a sum over weights: one cell, of which each channel is a number of the row."""
        table, count = p.families([Family(taps, np.zeros((1, 2), np.int64))])
        p.emit(
            layers.sum_weighted,
            w=p.weight(f"{self.place.name}.weight"),
            families=table,
            family_count=count,
            block=_BLOCK,
            out_step=VECTOR,
            **ONE_GROUP,
            **operands,
        )

    def _weights_back(self, p: Writer, inputs: int) -> None:
        """Sum the gradients of the biases, and of the weights of so many inputs, chunk by chunk."""
        name = self.place.name
        bias = p.found(f"{name}.bias") if self.layer.bias else None
        weight = p.found(f"{name}.weight") if inputs else bias
        if weight is None:
            return
        k = np.arange(inputs)
        taps = Taps(np.stack([k * VECTOR, k * 4], axis=1), (0, 1), (0, 1))
        table, count = p.tap_families([taps])
        p.emit(
            layers.sum_weight_gradients,
            x=p.value(self.x),
            dy=p.gradient(self.y),
            dw=weight,
            db=(bias or weight).address,
            x_row=0,
            x_column=0,
            dy_plane=VECTOR,
            dy_row=0,
            w_row=inputs * 4,
            columns=1,
            families=table,
            family_count=count,
            groups=1,
            x_group=0,
            out_group=self.y.cells,
            rows=1,
            band=1,
            has_bias=int(self.layer.bias),
        )

    def _weights_back_at_once(self, p: Writer) -> None:
        """Sum the gradients of the weights over all images of the batch, some rows in a task.

        dw[m][k] = Σ_image dy[m][image] · x[image][k]: with the cells of each image behind each
        other, the vectors hold neighbouring weights and the images are the taps.
        """
        inputs = self.x.cells
        turned, gradient = p.room(inputs * VECTOR), p.gradient(self.y)
        p.emit(layers.turn, x=p.value(self.x), out=turned, count=inputs)
        chunk, lane = np.divmod(np.arange(p.chunks * LANES), LANES)
        taps = np.stack(
            [chunk * turned.task + lane * inputs * 4, chunk * gradient.task + lane * 4], axis=1
        )
        # The last vector of a row is moved back to end with it.
        last = (inputs - LANES) * 4
        vectors = np.minimum(np.arange(0, inputs * 4, VECTOR), last)
        table, count = p.families([Family(taps, np.stack([vectors, vectors], axis=1))], images=True)
        rows = _ROWS * max(1, self.y.cells // (_ROWS * p.slices))
        whole = p.whole(f"{self.place.name}.weight")
        p.emit_at_once(
            layers.sum_weighted,
            -(-self.y.cells // rows),
            x=turned.address,
            w=Spot(gradient.address, rows * VECTOR),
            bias=p.zeros,
            out=Spot(whole, rows * inputs * 4),
            sign=Spot(whole, rows * inputs * 4),
            families=table,
            family_count=count,
            rows=self.y.cells,
            block=_BLOCK,
            **{**ONE_GROUP, "rows_task": rows},
            w_step=VECTOR,
            bias_step=0,
            out_step=inputs * 4,
            mode=STORE_GRADIENT,
            slope=1.0,
        )
