"""What networks are trained with, as a slide writes it: the answers that homework is held against.

Rows are pictures. These are no operations of the engine, which has them inside its networks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def dense(x: Array, w: Array, bias: Array | None = None) -> Array:
    """y = x·w + b: every input meets every output.

    >>> dense(np.array([[1, 2]]), np.array([[1, 0], [10, 1]]), np.array([100, 0]))
    array([[121,   2]])
    """
    product = x @ w
    return np.asarray(product if bias is None else product + bias)


def dense_backward(x: Array, w: Array, grad_out: Array) -> tuple[Array, Array, Array]:
    """Return the gradients for x, w and the bias."""
    return grad_out @ w.T, x.T @ grad_out, grad_out.sum(axis=0)


def probabilities(x: Array) -> Array:
    """p_k = e^x_k / Σ e^x_j along each row."""
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def cross_entropy(x: Array, labels: Array) -> Array:
    """Return the mean over the rows of -log p of the right class.

    >>> cross_entropy(np.zeros((2, 4)), np.array([3, 1])).round(3)  # log 4
    np.float64(1.386)
    """
    return np.asarray(-np.log(probabilities(x)[np.arange(len(x)), labels]).mean())


def cross_entropy_backward(x: Array, labels: Array) -> Array:
    """Return the gradient for x: (p - 1 at the right class) / rows."""
    return np.asarray((probabilities(x) - np.eye(x.shape[1])[labels]) / len(x))


def batch_norm(x: Array, gamma: Array, beta: Array, epsilon: float = 1e-5) -> Array:
    """y = gamma · (x - mean) / √(variance + epsilon) + beta, of each column over all rows."""
    return np.asarray(gamma * _standard(x, epsilon)[0] + beta)


def batch_norm_backward(
    x: Array, gamma: Array, grad_out: Array, epsilon: float = 1e-5
) -> tuple[Array, Array, Array]:
    """Return the gradients for x, gamma and beta; mean and variance depend on x, too."""
    y, spread = _standard(x, epsilon)
    grad_gamma, grad_beta = (grad_out * y).sum(axis=0), grad_out.sum(axis=0)
    grad_x = gamma / spread * (grad_out - grad_beta / len(x) - y * grad_gamma / len(x))
    return grad_x, grad_gamma, grad_beta


def dropout(x: Array, rate: float) -> Array:
    """Return x / (1 - rate) where chance keeps a cell, and 0 for a share of `rate`."""
    kept = np.random.default_rng(0).random(x.shape) >= rate
    return np.asarray(x * kept / max(1 - rate, 1e-300))


def sgd(w: Array, grad: Array, lr: float) -> Array:
    """w - lr · gradient: one step downhill.

    >>> sgd(np.array([1.0]), np.array([4.0]), 0.5)
    array([-1.])
    """
    return np.asarray(w - lr * grad)


def adam(
    w: Array,
    grad: Array,
    m: Array,
    v: Array,
    t: int,
    lr: float = 0.001,
    beta1: float = 0.9,
    beta2: float = 0.999,
    epsilon: float = 1e-8,
) -> Array:
    """w - lr · m̂ / (√v̂ + epsilon), by the means of gradients and squares, both made fair.

    m and v are those before step t, which counts from 1.
    """
    m = (beta1 * m + (1 - beta1) * grad) / (1 - beta1**t)
    v = (beta2 * v + (1 - beta2) * grad**2) / (1 - beta2**t)
    return np.asarray(w - lr * m / (np.sqrt(v) + epsilon))


def _standard(x: Array, epsilon: float) -> tuple[Array, Array]:
    """Return x with mean 0 and spread 1 in each column, and the spread that it had."""
    spread = np.sqrt(x.var(axis=0) + epsilon)
    return (x - x.mean(axis=0)) / spread, spread


def survivors(x: Array, got: Array) -> Array:
    """Return what dropout did to x, whatever chance chose.

    The share that became 0, in twentieths, and the smallest and largest factor of the rest.

    >>> survivors(np.ones(200), dropout(np.ones(200), 0.25))[1:].round(3)
    array([1.333, 1.333])
    """
    if got.shape != x.shape:
        return got
    kept = got[got != 0] / x[got != 0]
    if not kept.size:
        return np.array([1.0, 0.0, 0.0])
    return np.array([round(20 * float((got == 0).mean())) / 20, kept.min(), kept.max()])
