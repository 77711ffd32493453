"""A network that answers a few pictures at once: a flat program, written for each number of them.

The sums of a picture are made in the same order whatever pictures come with it, and on any number
of threads, so that its answers are the same bits.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.kernels.cpu.channels import pictures
from stepconv.kernels.cpu.lanes.rows import ANSWERS, ORDER, PIXEL_BYTES, PIXELS, run
from stepconv.nn.cpu.channels import cells, layers  # noqa: F401  # they say what steps write
from stepconv.nn.cpu.channels.writer import Packed, Writer, tasks_for, write
from stepconv.nn.model import Model
from stepconv.nn.steps.folding import fold
from stepconv.nn.steps.lowering import lower
from stepconv.nn.steps.weights import Weights

Array = NDArray[Any]


class _Written(NamedTuple):
    """A program for so many pictures."""

    rows: Array
    stages: Array
    controls: Array


class ChannelProgram:
    """The programs of a network for up to so many pictures, and what they share."""

    def __init__(
        self,
        model: Model,
        weights: Weights,
        batch_size: int,
        *,
        scale: float,
        shift: float = 0.0,
        winograd: bool = False,
    ) -> None:
        self._model, self._feed = model, {"scale": float(scale), "shift": float(shift)}
        self._packed = Packed(*weights.views(), batch_size, winograd=winograd)
        self._written: dict[int, _Written] = {}

    def answers(self, images: Array, order: Array | None, count: int) -> Array:
        """Return the network's answers for the first `count` images, or those that `order` says."""
        if count not in self._written:
            self._written[count] = self._write(count)
        rows, stages, controls = self._written[count]
        found = np.empty((count, self._model.classes), np.float32)
        controls[PIXELS], controls[PIXEL_BYTES] = images.ctypes.data, images.itemsize
        controls[ORDER] = 0 if order is None else order.ctypes.data
        controls[ANSWERS] = found.ctypes.data
        run(rows, stages)
        return found

    def _write(self, count: int) -> _Written:
        network = lower(self._model, training=False)
        steps = fold(network.steps)
        p = Writer(network, steps, count, self._packed)
        channels, rows, columns = self._model.input_shape
        x, y, (top, left) = p.at(network.x), p.at(network.y), network.border
        control = self._packed.memory.place(p.controls)
        parts = tasks_for(size=20 * count * x.picture)
        p.emit(
            pictures.take_pictures,
            parts,
            control=control,
            out=x.address,
            step=x.step,
            channels=channels,
            rows=rows,
            columns=columns,
            out_rows=x.rows,
            out_columns=x.columns,
            top=top,
            left=left,
            pictures=count,
            parts=parts,
            **self._feed,
        )
        for step in steps:
            write(step, p)
        p.emit(
            pictures.give_answers,
            1,
            control=control,
            x=y.address,
            step=y.step,
            pictures=count,
            pixels=y.pixels,
            channels=self._model.classes // y.pixels,
        )
        return _Written(*p.finish(), p.controls)
