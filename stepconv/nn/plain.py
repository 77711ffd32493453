"""The program of a network that has a layer or a loss of one's own: the twin, step by step.

It answers to what nn/cpu/program.py answers to, with NumPy and the public operations.
"""

from __future__ import annotations

from collections.abc import Collection
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.nn import twin
from stepconv.nn.layers import Dropout
from stepconv.nn.loss import Loss
from stepconv.nn.model import Model
from stepconv.nn.optim import Optimizer
from stepconv.nn.own import OwnLayer
from stepconv.nn.steps.ways import Way
from stepconv.nn.steps.weights import Weights

Array = NDArray[Any]


class PlainProgram:
    """A network and its weights, trained by the formulas as they stand."""

    ways: tuple[Way, ...] = ()

    def __init__(
        self,
        model: Model,
        weights: Weights,
        batch_size: int,
        *,
        scale: float,
        shift: float = 0.0,
        optimizer: Optimizer | None = None,
        loss: str | Loss = "cross-entropy",
        winograd: bool = False,
        frozen: Collection[str] = (),
    ) -> None:
        self._model, self._weights = model, weights
        self._scale, self._shift = np.float32(scale), np.float32(shift)
        self._optimizer, self._loss, self._frozen = optimizer, loss, frozen
        self.draws = any(isinstance(place.layer, Dropout) for place in model.places)
        self.numbers: dict[int, float] = {}  # what kernels go by: here the pace says all
        self.pace = (0.0, 0)
        moments = () if optimizer is None else optimizer.moments
        self.moments = [np.zeros(weights.size, np.float32) for _ in moments]
        self._found = np.zeros(weights.size, np.float32)
        if optimizer is not None:
            for place in model.places:
                if isinstance(place.layer, OwnLayer):
                    place.layer.check_gradients(place.name, place.input)

    def answers(self, images: Array, order: Array | None, count: int) -> Array:
        """Return the network's answers for the first `count` images, or those that `order` says."""
        parameters, statistics = self._weights.views()
        some = self._numbers(images, order, count)
        return twin.logits(self._model, parameters, statistics, some)

    def step(
        self, images: Array, labels: Array, order: Array | None, count: int, key: int
    ) -> tuple[float, int]:
        """Go forward, back, and update; return the sum of the losses and how many were right."""
        assert self._optimizer is not None  # a network in training has one
        weights, some = self._weights, self._numbers(images, order, count)
        found = twin.step(
            self._model,
            weights.parameters(),
            weights.statistics(),
            some,
            labels[:count],
            loss=self._loss,
            key=key,
        )
        self._found = weights.row(found.gradients, "gradient")
        for name, first in weights.offsets.items():
            if name not in self._frozen:
                part = slice(first, first + prod(weights.shapes[name]))
                moments = [moment[part] for moment in self.moments]
                self._optimizer.update(weights.values[part], self._found[part], moments, *self.pace)
        weights.load(weights.parameters(), found.statistics)
        return found.loss * count, found.correct

    def gradients(self) -> dict[str, Array]:
        """Return what the last step found, by the names of the parameters."""
        return self._weights.named(self._found)

    def set_moments(self, rows: list[Array]) -> None:
        """Take over the optimiser's rows."""
        for moment, row in zip(self.moments, rows, strict=True):
            moment[:] = row

    def _numbers(self, images: Array, order: Array | None, count: int) -> Array:
        """Return the pictures that are meant as the network reads them."""
        some = images[:count] if order is None else images[order[:count]]
        if some.dtype != np.uint8:
            return np.asarray(some)
        return np.asarray(self._scale * some.astype(np.float32) + self._shift)
