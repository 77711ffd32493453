"""How wrong the answers of a network are: one number to make small, and its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError

Array = NDArray[Any]


def softmax(logits: Array) -> Array:
    """Turn each row of numbers into probabilities: e^z / Σ e^z."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Array = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def cross_entropy(logits: Array, labels: Array) -> tuple[float, Array]:
    """Return the mean of -log(probability of the right class), and its gradient for the logits.

    >>> loss, gradient = cross_entropy(np.zeros((1, 4)), np.array([2]))
    >>> round(loss, 3), gradient
    (1.386, array([[ 0.25,  0.25, -0.75,  0.25]]))
    """
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_sums = np.log(np.exp(shifted).sum(axis=1))
    rows = np.arange(len(labels))
    loss = float(np.mean(log_sums - shifted[rows, labels]))
    gradient = softmax(logits)
    gradient[rows, labels] -= 1
    return loss, gradient / len(labels)


def mean_squared_error(logits: Array, labels: Array) -> tuple[float, Array]:
    """Return the mean of (z - t)², t being 1 for the right class and 0 else, and its gradient.

    >>> loss, gradient = mean_squared_error(np.array([[0.0, 3.0]]), np.array([1]))
    >>> loss, gradient
    (2.0, array([[0., 2.]]))
    """
    off = logits.copy()
    off[np.arange(len(labels)), labels] -= 1
    return float(np.mean(off**2)), 2 * off / off.size


LOSSES: dict[str, Callable[[Array, Array], tuple[float, Array]]] = {
    "cross-entropy": cross_entropy,
    "mean-squared-error": mean_squared_error,
}


def check_loss(name: str) -> str:
    """Return `name` if there is a loss of that name."""
    if name not in LOSSES:
        raise ArgumentError(f"loss={name!r} is not known: one of {', '.join(LOSSES)} fits")
    return name
