"""Whether a network learns at all: what is wrong, and what to try."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.nn.trainer import Trainer
from stepconv.train.events import Metrics
from stepconv.train.recipe import Recipe

# A loss that has not come down to this share of the loss of guessing has learnt nothing.
NOTHING_LEARNT = 0.97
# Nobody learns in fewer steps; the first ones warm up.
PATIENCE_IN_STEPS = 40
EXPLODED = 3.0


class Trouble(NamedTuple):
    """What is wrong with a training, and what may help."""

    what: str
    advice: str


def guessing(labels: NDArray[np.int64]) -> float:
    """Return the loss of whoever knows how frequent the classes are and nothing else: -Σ p ln p.

    >>> round(guessing(np.array([0, 1, 2])), 3) == round(log(3), 3)
    True
    """
    counts = np.bincount(labels)
    shares = counts[counts > 0] / len(labels)
    return float(-(shares * np.log(shares)).sum())


def trouble(
    history: Sequence[Metrics], guess: float, trainer: Trainer, recipe: Recipe
) -> Trouble | None:
    """Return what is wrong after an epoch, the most certain cause first; None if nothing is."""
    if trainer.steps < PATIENCE_IN_STEPS or guess == 0:
        return None
    silent = _silent(trainer)
    loss = history[-1].train_loss
    stuck = loss > NOTHING_LEARNT * guess
    smaller = f"try a smaller step, --lr {(recipe.lr or 0) / 10:g}"
    if silent and stuck:
        return Trouble(
            f"{silent} learns no more: all its cells, or those behind it, are silent",
            f"{smaller}, another beginning, --seed {recipe.seed + 1}, or leaky-relu layers",
        )
    if loss > EXPLODED * guess:
        return Trouble(f"the loss is {loss:.3g}, and guessing has {guess:.3g}", smaller)
    if stuck:
        return Trouble(
            f"nothing is learnt: the loss is {loss:.3g}, as of guessing ({guess:.3g})",
            f"{smaller}, a larger one, --lr {(recipe.lr or 0) * 10:g}, or more --epochs; "
            "and look at the data",
        )
    return None


def _silent(trainer: Trainer) -> str:
    """Return the first layer whose weights have gradients of nothing but 0; "" if none has."""
    for name, gradient in trainer.gradients().items():
        if name.endswith(".weight") and gradient.ndim > 1 and not gradient.any():
            return name.removesuffix(".weight")
    return ""
