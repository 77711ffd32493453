"""How wrong the answers of a network are: one number to make small, and its gradient."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.ops.differences import gradient_error

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


# What a loss is: answers and labels in, the mean loss of a batch and its gradient out.
Loss = Callable[[Array, Array], tuple[float, Array]]

LOSSES: dict[str, Loss] = {
    "cross-entropy": cross_entropy,
    "mean-squared-error": mean_squared_error,
}

# A right gradient is off by less, even where the slope has a corner.
MOST_OFF = 1e-3


def function_of(loss: str | Loss) -> Loss:
    """Return the loss of that name, or the function that is one."""
    if callable(loss):
        return loss
    if loss not in LOSSES:
        raise ArgumentError(f"loss={loss!r} is not known: one of {', '.join(LOSSES)} fits")
    return LOSSES[loss]


def check_loss(loss: str | Loss, classes: int) -> str | Loss:
    """Return the loss if there is one of that name; a function has to give its own gradient."""
    function = function_of(loss)
    if not callable(loss):
        return loss
    labels = np.arange(4) % classes
    answers = np.random.default_rng(0).standard_normal((4, classes))
    try:
        value, gradient = function(answers, labels)
        float(value)
    except (TypeError, ValueError) as error:
        raise ArgumentError(
            f"loss={_name(loss)} cannot be used: {error}; a function of (answers, labels) that "
            "gives (loss, gradient for the answers) fits"
        ) from None
    if np.shape(gradient) != answers.shape:
        raise ArgumentError(
            f"loss={_name(loss)} gives a gradient of shape {np.shape(gradient)}: that of the "
            f"answers, {answers.shape}, fits"
        )

    def forward(z: Array) -> float:
        return function(z, labels)[0]

    def backward(z: Array, grad: Array) -> Array:
        return np.asarray(grad * function(z, labels)[1])

    off = gradient_error(forward, backward, answers)
    if not off < MOST_OFF:
        raise ArgumentError(
            f"loss={_name(loss)}: its gradient is not the slope of its loss, off by {off:.2g} of it"
        )
    return loss


def _name(loss: Any) -> str:
    return str(getattr(loss, "__name__", repr(loss)))
