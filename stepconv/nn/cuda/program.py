"""A network as a program for a GPU: the launches of a step, written down once and run as one.

What lives on the card stays there: data, parameters, moments, everything in between. The host sends
the card the controls of some steps, a few hundred numbers each, starts these steps, and gets back
two numbers of each: the loss and how many were right. A batch of another size is another sequence
of launches on the same memory.
"""

from __future__ import annotations

from collections.abc import Collection
from math import prod
from typing import Any

import numpy as np

from stepconv.kernels.cuda.machine.array import CardArray, allocate
from stepconv.kernels.cuda.machine.launch import written_down
from stepconv.kernels.cuda.machine.memory import plain_errors
from stepconv.kernels.cuda.machine.transfers import part, write
from stepconv.kernels.cuda.network import batches, updates
from stepconv.kernels.cuda.network.sequence import Sequence
from stepconv.kernels.kinds import LOSSES, STEP_NUMBERS
from stepconv.nn.cuda import cells, layers  # noqa: F401  # they say what steps write
from stepconv.nn.cuda.writer import CardWeights, CardWriter, Memory, backward, forward
from stepconv.nn.layers import Dropout
from stepconv.nn.model import Model
from stepconv.nn.optim import SGD, Adadelta, Adam, Optimizer
from stepconv.nn.steps.lowering import lower
from stepconv.nn.steps.records import SumStep
from stepconv.nn.steps.ways import Way

Array = Any

# Sizes of a batch, and sets, whose launches are kept; a training has two of them, for the last
# batch of an epoch is smaller.
_SEQUENCES = 4

# So many steps are started before the host waits for what they found.
TOGETHER = 32

_UPDATES = {
    SGD.moments: updates.sgd,
    Adam.moments: updates.adam,
    Adadelta.moments: updates.adadelta,
}


class CardProgram:
    """The launches of a network for batches of up to so many images, and their memory."""

    def __init__(
        self,
        model: Model,
        weights: CardWeights,
        batch_size: int,
        *,
        scale: float,
        shift: float = 0.0,
        optimizer: Optimizer | None = None,
        loss: str = "cross-entropy",
        winograd: bool = False,
        frozen: Collection[str] = (),
    ) -> None:
        """Prepare the program: for training if there is an optimiser, else for answers alone.

        `winograd` admits a way that there is not here: `ways` says that direct sums take its place.
        """
        self.draws = any(isinstance(place.layer, Dropout) for place in model.places)
        self.numbers = np.zeros(STEP_NUMBERS, np.float32)
        self._model, self._weights, self._most = model, weights, batch_size
        self._scale, self._shift = scale, shift
        self._training, self._kind = optimizer is not None, LOSSES[loss]
        self._frozen = frozen
        self._network = lower(model, training=self._training, bordered=False)
        why = "a GPU has no other way" if winograd else ""
        sums = (step for step in self._network.steps if isinstance(step, SumStep))
        self.ways = [Way(step.place.name, "direct", "direct", why) for step in sums]
        self._formula = None if optimizer is None else _UPDATES[optimizer.moments]
        self._memory: Memory = {}
        self._sequences: dict[Any, tuple[Sequence, Array, Array]] = {}
        with plain_errors(f"a program for {model.name} in batches of {batch_size}"):
            self._noted: list[int] = []  # how many images the steps have that are still to be made
            self._rows = np.zeros((TOGETHER, batches.ROWS + batch_size))
            self._sheet = allocate((1 + self._rows.size,), np.float64)
            self._controls = allocate(self._rows.shape[1:], np.float64)
            self._found = allocate((TOGETHER, 2), np.float64)
            self._labels = allocate((batch_size,), np.int64)
            self._rooms: dict[Any, Array] = {}
            rows = 0 if optimizer is None else 1 + len(optimizer.moments)
            self._gradients, *self._moments = [_zeros(weights.size) for _ in range(rows)] or [None]

    def answers(self, images: Array, order: Array | None, count: int) -> Array:
        """Return the network's answers for the first `count` images, or those that `order` says."""
        pictures, rows = self._placed(images, order, count)
        self.note(rows, 0)
        self._run(pictures, self._labels)
        answers = self._memory["value", self._network.y.whole]
        found: Array = part(answers, 0, count * self._model.classes).copy_to_host()
        return found.reshape(count, self._model.classes)

    def step(
        self, images: Array, labels: Array, order: Array | None, count: int, key: int
    ) -> tuple[float, int]:
        """Go forward, back, and update; return the sum of the losses and how many were right.

        Labels of the host are those of the batch; labels on the card are those of the whole set.
        """
        pictures, rows = self._placed(images, order, count)
        if not isinstance(labels, CardArray):
            write(labels, self._labels)
            labels = self._labels
        self.note(rows, key)
        return self.make_steps(pictures, labels)[0]

    def note(self, rows: Array, key: int) -> None:
        """Note a step with these images and the present `numbers`: TOGETHER of them at most."""
        told = self._rows[len(self._noted)]
        told[batches.KEY] = key
        told[batches.NUMBERS : batches.ROWS] = self.numbers
        told[batches.ROWS : batches.ROWS + len(rows)] = rows
        self._noted.append(len(rows))

    def make_steps(self, pictures: Array, labels: Array) -> list[tuple[float, int]]:
        """Make the steps that are noted, with a set on the card; return what each found."""
        steps = self._run(pictures, labels)
        found = self._found.copy_to_host()[:steps].tolist()
        return [(loss, int(right)) for loss, right in found]

    def gradients(self) -> dict[str, Array]:
        """Return what the last step found, by the names of the parameters."""
        return self._weights.named(self._gradients.copy_to_host())

    @property
    def moments(self) -> list[Array]:
        """Copies of the optimiser's rows, which lie as the parameters do."""
        return [moment.copy_to_host() for moment in self._moments]

    def set_moments(self, rows: list[Array]) -> None:
        """Take over the optimiser's rows."""
        for moment, row in zip(self._moments, rows, strict=True):
            write(row, moment)

    def launches(self, count: int) -> int:
        """Return how many launches a step with so many images takes."""
        return len(self._sequence(self._room(np.dtype(np.uint8)), self._labels, count))

    def _placed(self, images: Array, order: Array | None, count: int) -> tuple[Array, Array]:
        """Return images on the card, and which of them are meant."""
        if isinstance(images, CardArray):
            return images, np.arange(count) if order is None else order
        room = self._room(images.dtype)
        write(images[:count] if order is None else images[order], room)
        return room, np.arange(count)

    def _room(self, dtype: np.dtype[Any]) -> Array:
        """Return the room for a batch of the host."""
        if dtype not in self._rooms:
            pixels = self._most * prod(self._model.input_shape)
            self._rooms[dtype] = allocate((pixels,), dtype)
        return self._rooms[dtype]

    def _run(self, pictures: Array, labels: Array) -> int:
        """Start the steps that are noted; return how many they are."""
        counts, self._noted = self._noted, []
        write(np.append(0.0, self._rows[: len(counts)]), self._sheet)  # row 0 is the next
        for count in counts:
            with plain_errors(f"{self._model.name} with {count} images"):
                self._sequence(pictures, labels, count).run()
        return len(counts)

    def _sequence(self, pictures: Array, labels: Array, count: int) -> Sequence:
        """Return the launches for so many images of a set."""
        key = (id(pictures), id(labels), count)
        if key in self._sequences:
            self._sequences[key] = self._sequences.pop(key)  # to the end: the first goes first
        else:
            if len(self._sequences) == _SEQUENCES:
                self._sequences.pop(next(iter(self._sequences)))
            with written_down() as launches:
                self._write(pictures, labels, count)
            # The arrays are held because an id is theirs only as long as they live.
            self._sequences[key] = (Sequence(launches), pictures, labels)
        return self._sequences[key][0]

    def _write(self, pictures: Array, labels: Array, count: int) -> None:
        """Write down all launches, from the pictures to the update."""
        x, y, steps = self._network.x, self._network.y, self._network.steps
        p = CardWriter(
            self._weights,
            self._memory,
            self._most,
            count,
            steps,
            self._controls,
            training=self._training,
        )
        line = (self._scale, self._shift) if pictures.dtype == np.uint8 else (1.0, 0.0)
        batches.take_row(self._sheet, self._controls)
        batches.take_pictures(pictures.reshape(-1), self._controls, p.value(x), count, line)
        for step in steps:
            forward(step, p)
        z, shape = p.value(y), (count, self._model.classes)
        if not self._training:
            return
        batches.compare(
            z.reshape(shape),
            p.gradient(y).reshape(shape),
            labels,
            self._controls,
            self._sheet,
            self._found,
            self._kind,
            y.slope,
        )
        for step in reversed(steps):
            backward(step, p)
        updates.update(
            self._formula,
            self._weights.learnt,
            self._gradients,
            p.found_all,
            p.places(self._frozen),
            *self._moments,
            self._controls,
        )


def _zeros(count: int) -> Array:
    made = allocate((count,), np.float32)
    write(np.zeros(count, np.float32), made)
    return made
