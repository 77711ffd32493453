"""Layers that published networks have and none of ours learns with: by the formulas, in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.geometry import Shape, integer
from stepconv.nn.layers import LAYERS, Shapes, number
from stepconv.nn.own import OwnLayer

Array = NDArray[Any]

# Channels that a local norm may look at: room for them is made beside each cell.
_MOST_BESIDE = 2**16


@dataclass(frozen=True)
class _Fixed(OwnLayer):
    """A layer that learns nothing and keeps the shape of its input."""

    def parameters(self, shape: Shape) -> Shapes:
        return {}

    def output(self, shape: Shape) -> Shape:
        return shape


@dataclass(frozen=True)
class LocalNorm(_Fixed):
    """Divides each cell by the strength of its neighbours in `size` channels, as AlexNet did.

    y = x / (bias + alpha / size · Σ x² over the channels beside it)^beta
    """

    size: int = 5
    alpha: float = 1e-4
    beta: float = 0.75
    bias: float = 1.0
    kind: ClassVar[str] = "local-norm"

    def check(self) -> None:
        integer("size", self.size, 1, _MOST_BESIDE)
        number("alpha", self.alpha, 0, 1e6)
        number("beta", self.beta, 0, 1e3)
        number("bias", self.bias, 0, 1e6)

    def output_of(self, x: Array, learnt: Sequence[Array]) -> Array:
        return np.asarray(x * self._strength(x) ** x.dtype.type(-self.beta))

    def gradients(
        self, shape: Shape, x: Array, learnt: Sequence[Array], grad: Array
    ) -> tuple[Array, dict[str, Array]]:
        # dy_c/dx_k = [c = k] · s_c^-beta - 2 · alpha · beta / size · x_c · s_c^-(beta + 1) · x_k
        strength = self._strength(x)
        pulled = grad * x * strength ** -(self.beta + 1)
        spread = self._summed(pulled, self.size - 1 - (self.size - 1) // 2)
        for_x = grad * strength**-self.beta
        return for_x - 2 * self.alpha * self.beta / self.size * x * spread, {}

    def _strength(self, x: Array) -> Array:
        number_of = x.dtype.type
        summed = self._summed(x * x, (self.size - 1) // 2)
        return np.asarray(number_of(self.bias) + number_of(self.alpha / self.size) * summed)

    def _summed(self, x: Array, before: int) -> Array:
        """Return for each channel the sum over `size` channels, of which so many lie before it."""
        channels = x.shape[1]
        padded = np.pad(x, [(0, 0), (before, self.size - 1 - before), *[(0, 0)] * (x.ndim - 2)])
        total = padded[:, :channels].copy()
        for k in range(1, self.size):
            total += padded[:, k : k + channels]
        return np.asarray(total)


@dataclass(frozen=True)
class ReLU6(_Fixed):
    """Keeps what lies between 0 and 6: small phones compute it in few bits."""

    kind: ClassVar[str] = "relu6"

    def output_of(self, x: Array, learnt: Sequence[Array]) -> Array:
        return np.clip(x, x.dtype.type(0), x.dtype.type(6))

    def gradients(
        self, shape: Shape, x: Array, learnt: Sequence[Array], grad: Array
    ) -> tuple[Array, dict[str, Array]]:
        return np.where((x > 0) & (x < 6), grad, grad.dtype.type(0)), {}


@dataclass(frozen=True)
class ChannelShuffle(_Fixed):
    """Deals the channels of each group out to all groups, as ShuffleNet does between its layers."""

    groups: int
    kind: ClassVar[str] = "channel-shuffle"

    def check(self) -> None:
        integer("groups", self.groups, 1)

    def output(self, shape: Shape) -> Shape:
        if shape[0] % self.groups:
            raise ArgumentError(f"groups={self.groups} does not divide {shape[0]} channels")
        return shape

    def output_of(self, x: Array, learnt: Sequence[Array]) -> Array:
        return _dealt(x, self.groups)

    def gradients(
        self, shape: Shape, x: Array, learnt: Sequence[Array], grad: Array
    ) -> tuple[Array, dict[str, Array]]:
        return _dealt(grad, shape[0] // self.groups), {}


def _dealt(x: Array, groups: int) -> Array:
    """Return x with channel c of group g in place g of group c: 2 of 3 are 0 3 1 4 2 5."""
    apart = x.reshape(len(x), groups, x.shape[1] // groups, *x.shape[2:])
    return np.ascontiguousarray(apart.swapaxes(1, 2)).reshape(x.shape)


FIXED = (LocalNorm, ReLU6, ChannelShuffle)
LAYERS |= {made.kind: made for made in FIXED}
