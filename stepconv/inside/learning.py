"""What a network would learn of one picture: the gradient of each weight, and a step along it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError, ArgumentTypeError, closest
from stepconv.trace import Step

if TYPE_CHECKING:
    from stepconv.inside.record import Inside

Array = NDArray[Any]

# The argument of the engine's call that a layer's weight is.
_ARGUMENTS = {"weight": "w", "bias": "bias"}


class Gradients(Mapping[str, Array]):
    """The gradients of the loss for what is learnt: by PyTorch's names, or by those in a layer.

    `names` has the full name for each: `conv1.weight`, for a layer's `weight`.
    """

    def __init__(self, inside: Inside, names: Mapping[str, str]) -> None:
        self.inside, self.names = inside, names

    def __getitem__(self, name: str) -> Array:
        layer, _, part = self._full(name).rpartition(".")
        return self.inside[layer].found[part]

    def at(self, name: str, index: Any) -> Step:
        """Return the step that computed the gradient of one weight.

        It reads what the weight met in each window, and the gradient of what came out there.
        """
        from stepconv.inside.record import step_at

        full = self._full(name)
        layer, _, part = full.rpartition(".")
        shape = self.inside.network.parameters[full].shape
        return step_at(self.inside[layer].trace(_ARGUMENTS[part]), shape, index, full)

    def _full(self, name: str) -> str:
        if name not in self.names:
            known = list(self.names)
            fits = f"{', '.join(known[:4])}{', …' if len(known) > 4 else ''} fit"
            hint = closest(str(name), known, fits if known else "there is nothing to learn")
            raise ArgumentError(f"{name!r} is not learnt here: {hint}")
        return self.names[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names)

    def __len__(self) -> int:
        return len(self.names)

    def __repr__(self) -> str:
        return f"<Gradients of {self.inside.model.name}: {', '.join(self.names.values())}>"


class Stepped(NamedTuple):
    """A weight before a step, its gradient, and the weight after it: w - lr · gradient."""

    weight: Any
    gradient: Any
    after: Any


@dataclass(frozen=True, eq=False, repr=False)
class Update(Mapping[str, Stepped]):
    """One step of gradient descent on the loss of the one picture: w - lr · g."""

    before: Inside
    lr: float

    def __post_init__(self) -> None:
        if isinstance(self.lr, bool) or not isinstance(self.lr, int | float | np.number):
            raise ArgumentTypeError(f"lr={self.lr!r} is not a number: one such as 0.1 fits")
        if not isfinite(self.lr):
            raise ArgumentError(f"lr={self.lr!r} is not finite: a number such as 0.1 fits")

    def __getitem__(self, name: str) -> Stepped:
        gradient = self.before.gradients[name]
        w = self.before.network.parameters[name]
        return Stepped(w, gradient, w - w.dtype.type(self.lr) * gradient)

    def at(self, name: str, index: Any) -> Stepped:
        """Return the three numbers of one weight."""
        from stepconv.inside.record import cell_of

        weight, gradient, after = self[name]
        cell = cell_of(weight.shape, index, name)
        return Stepped(weight[cell], gradient[cell], after[cell])

    def in_words(self, name: str, index: Any) -> str:
        """Return the step of one weight as a sentence: `w - lr · g = …` with its numbers."""
        w, g, after = self.at(name, index)
        return f"{name}: w - lr · g = {w:.6g} - {self.lr:g} · {_signed(g)} = {after:.6g}"

    @cached_property
    def inside(self) -> Inside:
        """The network after the step, with the same picture and label."""
        before = self.before
        network = replace(before.network, parameters={name: self[name].after for name in self})
        return type(before)(network, before.picture, before.input, before.label, before.how)

    def __iter__(self) -> Iterator[str]:
        return iter(self.before.gradients)

    def __len__(self) -> int:
        return len(self.before.gradients)

    def __repr__(self) -> str:
        return (
            f"<Step of {self.before.model.name}: lr {self.lr:g}, "
            f"loss {self.before.loss:.4g} -> {self.inside.loss:.4g}>"
        )


def _signed(number: Any) -> str:
    return f"({number:.6g})" if number < 0 else f"{number:.6g}"
