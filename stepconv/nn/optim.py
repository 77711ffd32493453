"""How parameters follow their gradients, and how large a step they take: optimisers, schedules.

An optimiser is a description; `update` is its formula in NumPy. A schedule is a pure function: the
learning rate of a step depends on the number of the step and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, inf, pi, sqrt
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.geometry import flag, integer, word
from stepconv.kernels import kinds
from stepconv.nn.layers import number

Array = NDArray[Any]


def _pulled(o: Any, p: Array, gradient: Array, decay: float) -> Array:
    """Return the gradient cut to ±clip, with both pulls towards 0: decay · p and l1 · sign(p)."""
    g: Array = np.clip(gradient, -o.clip, o.clip) + decay * p + o.l1 * np.sign(p)
    return g


def _check_pulls(o: Any) -> None:
    number("weight_decay", o.weight_decay, 0, 1)
    number("l1", o.l1, 0, 1)
    if number("clip", o.clip, 0, inf) == 0:
        raise ArgumentError("clip=0 leaves nothing of a gradient: above 0 fits")


@dataclass(frozen=True)
class SGD:
    """Follow the gradient; with momentum, a mean of it that forgets slowly.

    `nesterov` looks one step ahead. `weight_decay` pulls every parameter towards 0 in proportion,
    `l1` by the same amount; each number of a gradient is cut to ±`clip` first.
    """

    momentum: float = 0.9
    nesterov: bool = False
    weight_decay: float = 0.0
    l1: float = 0.0
    clip: float = inf
    kind: ClassVar[str] = "sgd"
    moments: ClassVar[tuple[str, ...]] = ("velocity",)

    def __post_init__(self) -> None:
        number("momentum", self.momentum, 0, 1)
        _check_pulls(self)
        if flag("nesterov", self.nesterov) and self.momentum == 0:
            raise ArgumentError("nesterov=True looks ahead along the momentum: above 0 fits")

    def update(
        self, p: Array, gradient: Array, moments: list[Array], rate: float, step: int
    ) -> None:
        """Move parameters p, in place; `step` counts from 1."""
        [velocity] = moments
        g = _pulled(self, p, gradient, self.weight_decay)
        velocity *= self.momentum
        velocity += g
        p -= rate * (g + self.momentum * velocity if self.nesterov else velocity)

    def numbers(self, rate: float, step: int) -> dict[int, float]:
        """Return what a kernel's update goes by, at the places that kernels/kinds.py names."""
        return {
            kinds.RATE: rate,
            kinds.DECAY: self.weight_decay,
            kinds.L1: self.l1,
            kinds.CLIP: self.clip,
            kinds.MOMENTUM: self.momentum,
            kinds.AHEAD: self.momentum if self.nesterov else 0.0,
        }


@dataclass(frozen=True)
class Adam:
    """Give each parameter a pace of its own: mean gradient over the root of the mean square."""

    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    weight_decay: float = 0.0
    l1: float = 0.0
    clip: float = inf
    kind: ClassVar[str] = "adam"
    moments: ClassVar[tuple[str, ...]] = ("mean", "square")
    decays_apart: ClassVar[bool] = False
    corrects: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in ("beta1", "beta2"):
            if number(name, getattr(self, name), 0, 1) == 1:
                raise ArgumentError(f"{name}=1 never learns: below 1 fits")
        number("epsilon", self.epsilon, 0, 1)
        _check_pulls(self)

    def update(
        self, p: Array, gradient: Array, moments: list[Array], rate: float, step: int
    ) -> None:
        """Move parameters p, in place; `step` counts from 1."""
        mean, square = moments
        g = _pulled(self, p, gradient, 0.0 if self.decays_apart else self.weight_decay)
        if self.decays_apart:
            p *= 1 - rate * self.weight_decay
        mean += (1 - self.beta1) * (g - mean)
        square += (1 - self.beta2) * (g * g - square)
        seen1, seen2 = self._seen(step)
        root = np.sqrt(square) / sqrt(seen2)
        p -= rate / seen1 * mean / (root + self.epsilon)

    def _seen(self, step: int) -> tuple[float, float]:
        """Return the weight of what has been seen so far in both means, which begin at 0."""
        return (1 - self.beta1**step, 1 - self.beta2**step) if self.corrects else (1.0, 1.0)

    def numbers(self, rate: float, step: int) -> dict[int, float]:
        """Return what a kernel's update goes by, at the places that kernels/kinds.py names."""
        seen1, seen2 = self._seen(step)
        return {
            kinds.RATE: rate,
            kinds.DECAY: 0.0 if self.decays_apart else self.weight_decay,
            kinds.L1: self.l1,
            kinds.CLIP: self.clip,
            kinds.BETA1: self.beta1,
            kinds.BETA2: self.beta2,
            kinds.EPSILON: self.epsilon,
            kinds.ROOT: 1 / sqrt(seen2),
            kinds.PACE: rate / seen1,
            kinds.SHRINK: 1 - rate * self.weight_decay if self.decays_apart else 1.0,
        }


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam whose weight decay pulls at the parameters themselves, not at their gradients."""

    weight_decay: float = 0.01
    kind: ClassVar[str] = "adamw"
    decays_apart: ClassVar[bool] = True


@dataclass(frozen=True)
class RMSprop(Adam):
    """The gradient itself over the root of its mean square, which begins at 0 uncorrected."""

    beta1: float = 0.0
    beta2: float = 0.99
    kind: ClassVar[str] = "rmsprop"
    corrects: ClassVar[bool] = False


@dataclass(frozen=True)
class Adadelta:
    """Go as far as the last ways were long, in units of the last gradients: no rate to choose."""

    rho: float = 0.9
    epsilon: float = 1e-6
    weight_decay: float = 0.0
    l1: float = 0.0
    clip: float = inf
    kind: ClassVar[str] = "adadelta"
    moments: ClassVar[tuple[str, ...]] = ("square", "travelled")

    def __post_init__(self) -> None:
        if number("rho", self.rho, 0, 1) == 1:
            raise ArgumentError("rho=1 never learns: below 1 fits")
        number("epsilon", self.epsilon, 0, 1)
        _check_pulls(self)

    def update(
        self, p: Array, gradient: Array, moments: list[Array], rate: float, step: int
    ) -> None:
        """Move parameters p, in place; `step` counts from 1."""
        square, travelled = moments
        g = _pulled(self, p, gradient, self.weight_decay)
        square += (1 - self.rho) * (g * g - square)
        way = np.sqrt(travelled + self.epsilon) / np.sqrt(square + self.epsilon) * g
        travelled += (1 - self.rho) * (way * way - travelled)
        p -= rate * way

    def numbers(self, rate: float, step: int) -> dict[int, float]:
        """Return what a kernel's update goes by, at the places that kernels/kinds.py names."""
        return {
            kinds.RATE: rate,
            kinds.DECAY: self.weight_decay,
            kinds.L1: self.l1,
            kinds.CLIP: self.clip,
            kinds.BETA1: self.rho,
            kinds.EPSILON: self.epsilon,
        }


Optimizer = SGD | Adam | Adadelta
OPTIMIZERS: dict[str, type[SGD] | type[Adam] | type[Adadelta]] = {
    o.kind: o for o in (SGD, Adam, AdamW, RMSprop, Adadelta)
}

SCHEDULES = ("constant", "step", "cosine", "one-cycle")


@dataclass(frozen=True)
class Schedule:
    """The learning rate over a training of `steps` steps.

    constant    ▆▆▆▆▆▆▆▆   the same all the time
    step        ▇▇▇▄▄▄▂▂   times `factor` after each `every`-th part of the training
    cosine      ▇▇▇▆▄▃▂▁   half a wave down to 0
    one-cycle   ▂▄▆▇▆▄▂▁   up for 30% of the steps, down for the rest, both in half a wave

    In the first `warm_up` steps the rate grows from near 0.
    """

    name: str
    rate: float
    steps: int
    warm_up: int = 0
    factor: float = 0.1
    every: float = 1 / 3

    def __post_init__(self) -> None:
        word("schedule", self.name, SCHEDULES)
        number("rate", self.rate, 0, 1e6)
        integer("steps", self.steps, 1)
        integer("warm_up", self.warm_up, 0)
        number("factor", self.factor, 0, 1)
        if number("every", self.every, 0, 1) == 0:
            raise ArgumentError("every=0 leaves no steps at the first rate: above 0 fits")

    def __call__(self, step: int) -> float:
        """Return the learning rate of a step; steps count from 0.

        >>> [round(Schedule("cosine", 0.1, 4)(step), 3) for step in range(4)]
        [0.1, 0.085, 0.05, 0.015]
        """
        warm = min(1.0, (step + 1) / (self.warm_up + 1))
        return self.rate * warm * self._share(min(step / self.steps, 1.0))

    def _share(self, done: float) -> float:
        """Return the part of the full rate that is due when `done` of the training is done."""
        if self.name == "step":
            return float(self.factor ** int(done / self.every + 1e-9))
        if self.name == "cosine":
            return _wave(done)
        if self.name == "one-cycle":
            top, low = 0.3, 0.04
            if done < top:
                return low + (1 - low) * (1 - _wave(done / top))
            return _wave((done - top) / (1 - top))
        return 1.0


def _wave(t: float) -> float:
    """Fall from 1 to 0 as t goes from 0 to 1, gently at both ends."""
    return (1 + cos(pi * t)) / 2
