"""A network as a program: flat rows of numbers that one compiled runner works through.

Building it compiles nothing but the kernels that no network has used before. A batch may be of any
size up to that of the program; which bits come out does not depend on the number of threads.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.kernels.cpu.lanes import batches, updates
from stepconv.kernels.cpu.lanes.rows import (
    ANSWERS,
    CHUNKS,
    IMAGES,
    LABELS,
    LANES,
    ORDER,
    PIXEL_BYTES,
    PIXELS,
    STEP_KEY,
    VECTOR,
    Spot,
    run,
)
from stepconv.kernels.kinds import LOSSES, STEP_NUMBERS
from stepconv.nn.cpu import cells  # noqa: F401  # it says what its kinds of steps write
from stepconv.nn.cpu.layers import way
from stepconv.nn.cpu.writer import LaneWeights, Writer, backward, forward
from stepconv.nn.layers import Dropout
from stepconv.nn.model import Model
from stepconv.nn.optim import SGD, Adadelta, Adam, Optimizer
from stepconv.nn.steps.lowering import lower
from stepconv.nn.steps.records import SumStep
from stepconv.nn.steps.tensors import Tensor

Array = NDArray[Any]

# Tasks that share the weights when the chunks are through: enough for as many threads.
_SLICES = 16

_UPDATES = {
    SGD.moments: updates.sgd,
    Adam.moments: updates.adam,
    Adadelta.moments: updates.adadelta,
}


class Program:
    """The rows of a network for batches of up to so many images, and the memory they work in."""

    def __init__(
        self,
        model: Model,
        weights: LaneWeights,
        batch_size: int,
        *,
        scale: float,
        shift: float = 0.0,
        optimizer: Optimizer | None = None,
        loss: str = "cross-entropy",
        winograd: bool = False,
        frozen: Collection[str] = (),
    ) -> None:
        """Write the program: for training if there is an optimiser, else for answers alone."""
        training = optimizer is not None
        self.batch_size = batch_size
        self.draws = any(isinstance(place.layer, Dropout) for place in model.places)
        self._count = 0
        self._writer = p = Writer(
            weights, batch_size, training=training, slices=_SLICES, winograd=winograd
        )
        self._weights = weights
        self.network = network = lower(model, training=training)

        channels, rows, columns = model.input_shape
        top, left = network.border
        p.emit(
            batches.take_pictures,
            control=p.control,
            out=p.value(network.x),
            mask=p.mask,
            room=p.room(network.x.cells * VECTOR + channels * rows * columns * 4),
            channels=channels,
            rows=rows,
            columns=columns,
            out_rows=network.x.plane[0],
            out_columns=network.x.plane[1],
            top=top,
            left=left,
            scale=float(scale),
            shift=float(shift),
        )
        for step in network.steps:
            forward(step, p)
        if optimizer is None:
            self._answers = np.zeros((batch_size, model.classes), np.float32)
            p.controls[ANSWERS] = p.keep(self._answers)
            p.emit(
                batches.give_answers,
                control=p.control,
                answers=p.value(network.y),
                classes=model.classes,
            )
        else:
            self._found = np.zeros((p.chunks, 8))  # a line of the cache for each chunk
            p.emit(
                batches.compare,
                control=p.control,
                z=p.value(network.y),
                dz=p.gradient(network.y),
                found=(p.keep(self._found), 64),
                classes=model.classes,
                kind=LOSSES[loss],
                slope=network.y.slope,
            )
            for step in reversed(network.steps):
                backward(step, p)
            self._write_updates(optimizer, frozen)
        self._rows, self._stages, self._by_chunks = p.finish()
        self.ways = [way(step, p) for step in network.steps if isinstance(step, SumStep)]

    def answers(self, images: Array, order: Array | None, count: int) -> Array:
        """Return the network's answers for the first `count` images, or those that `order` says."""
        self._set_batch(images, order, count)
        run(self._rows, self._stages)
        return self._answers[:count].copy()

    def step(
        self, images: Array, labels: Array, order: Array | None, count: int, key: int
    ) -> tuple[float, int]:
        """Go forward, back, and update; return the sum of the losses and how many were right."""
        self._set_batch(images, order, count)
        controls = self._writer.controls
        controls[LABELS], controls[STEP_KEY] = labels.ctypes.data, key
        run(self._rows, self._stages)
        found = self._found[: controls[CHUNKS]]
        return float(found[:, 0].sum()), int(found[:, 1].sum())

    def places(self) -> dict[str, Any]:
        """Return where the parts of the program lie, for whoever runs it elsewhere."""
        p = self._writer
        own = {"numbers": p.keep(self.numbers), "found": p.keep(self._found)} if p.training else {}
        return {
            **(own or {"answers": p.keep(self._answers)}),
            "rows": p.keep(self._rows),
            "width": self._rows.shape[1] * self._rows.itemsize,
            "stages": p.keep(self._stages),
            "stage_count": len(self._stages),
            "by_chunks": [self._by_chunks.start, self._by_chunks.stop],
            "control": p.control,
            "image_tables": p.image_tables(),
            "batch_size": self.batch_size,
        }

    def value(self, t: Tensor) -> Spot:
        """Return where the values of a tensor lie, those of each chunk."""
        return self._writer.value(t)

    def gradient(self, t: Tensor) -> Spot:
        """Return where the gradient of a tensor lies."""
        return self._writer.gradient(t)

    def set_moments(self, rows: list[Array]) -> None:
        """Take over the optimiser's rows."""
        for moment, row in zip(self.moments, rows, strict=True):
            moment[:] = row

    def gradients(self) -> dict[str, Array]:
        """Return what the last step found, by the names of the parameters."""
        p, weights = self._writer, self._weights
        total = p.gradients.copy()
        for chunk in range(p.controls[CHUNKS]):
            total[: weights.chunked] += p.read(p.found_all, chunk, weights.chunked)
        return weights.named(total)

    def _set_batch(self, images: Array, order: Array | None, count: int) -> None:
        controls = self._writer.controls
        if count != self._count:
            self._count, chunks = count, self._writer.set_images(count)
            self._stages[self._by_chunks, 2] = chunks
            controls[IMAGES], controls[CHUNKS] = count, chunks
        controls[PIXELS], controls[PIXEL_BYTES] = images.ctypes.data, images.itemsize
        controls[ORDER] = 0 if order is None else order.ctypes.data

    def _write_updates(self, optimizer: Optimizer, frozen: Collection[str]) -> None:
        """Write the rows that move the parameters, those summed by chunks and the others.

        The frozen ones have none.
        """
        p, weights = self._writer, self._weights
        self.numbers = np.zeros(STEP_NUMBERS, np.float32)
        self.moments = [np.zeros(weights.size, np.float32) for _ in optimizer.moments]
        numbers, found = p.keep(self.numbers), p.keep(p.gradients) + 4 * weights.chunked
        moments = dict(zip(optimizer.moments, map(p.keep, self.moments), strict=True))
        parts = (
            (0, weights.chunked, p.found_all, 1),
            (weights.chunked, weights.size, Spot(found, 0), 0),
        )
        for begin, stop, at, chunked in parts:
            for first, end in weights.moving(begin, stop, frozen):
                vectors = (end - first) // LANES
                p.emit_update(
                    _UPDATES[optimizer.moments],
                    p=p.keep(weights.values) + 4 * first,
                    found=at.address + 4 * (first - begin),
                    found_step=at.task,
                    chunked=chunked,
                    **{name: address + 4 * first for name, address in moments.items()},
                    count=vectors,
                    share=-(-vectors // _SLICES),
                    control=p.control,
                    numbers=numbers,
                )
