"""Whether a network learns at all: what is wrong, and what to try."""

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
BETTER_THAN_GUESSING = 0.1


class Trouble(NamedTuple):
    """What is wrong with a training, and what may help."""

    what: str
    advice: str


class Guess(NamedTuple):
    """What somebody comes to who knows how frequent the classes are and nothing else."""

    loss: float
    accuracy: float


def guessing(labels: NDArray[np.int64]) -> Guess:
    """Return the loss of the frequencies themselves, -Σ p ln p, and the largest of them.

    >>> guess = guessing(np.array([0, 1, 2]))
    >>> round(guess.loss, 4), round(guess.accuracy, 3)  # the loss is ln 3
    (1.0986, 0.333)
    """
    counts = np.bincount(labels)
    shares = counts[counts > 0] / len(labels)
    return Guess(float(-(shares * np.log(shares)).sum()), float(shares.max()))


def trouble(last: Metrics, guess: Guess, trainer: Trainer, recipe: Recipe) -> Trouble | None:
    """Return what is wrong after an epoch, the most certain cause first; None if nothing is."""
    loss = last.train_loss
    # The loss of the first steps is large and counts in the mean; the answers tell better.
    stuck = loss > NOTHING_LEARNT * guess.loss
    stuck = stuck and last.train_accuracy < guess.accuracy + BETTER_THAN_GUESSING
    if trainer.steps < PATIENCE_IN_STEPS or not stuck:
        return None
    silent = _silent(trainer)
    smaller = f"try a smaller step, --lr {(recipe.lr or 0) / 10:g}"
    if silent:
        return Trouble(
            f"{silent} learns no more: all its cells, or those behind it, are silent",
            f"{smaller}, another beginning, --seed {recipe.seed + 1}, or leaky-relu layers",
        )
    if loss > EXPLODED * guess.loss:
        return Trouble(f"the loss is {loss:.3g}, and guessing has {guess.loss:.3g}", smaller)
    return Trouble(
        f"nothing is learnt: the loss is {loss:.3g}, as of guessing ({guess.loss:.3g})",
        f"{smaller}, a larger one, --lr {(recipe.lr or 0) * 10:g}, or more --epochs; "
        "and look at the data",
    )


def _silent(trainer: Trainer) -> str:
    """Return the first layer whose weights have gradients of nothing but 0; "" if none has."""
    for name, gradient in trainer.gradients().items():
        if name.endswith(".weight") and gradient.ndim > 1 and not gradient.any():
            return name.removesuffix(".weight")
    return ""
