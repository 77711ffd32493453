"""Slips of dense layers, losses, norms, dropout, optimisers: each the formula, a little wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing import formulas
from stepconv.testing.evidence import Evidence
from stepconv.testing.slips import theory
from stepconv.testing.tasks import TASKS

Array = NDArray[Any]
Formula = Callable[..., Any]


def _wrong(ops: str, name: str, says: str, result: int = 0) -> Callable[[Formula], Formula]:
    """Register a formula with a mistake; it takes what the operation takes, all by name."""

    def registered(formula: Formula) -> Formula:
        def make(one: Evidence) -> Array:
            task, call = TASKS[one.op], one.case.call
            made = formula(**{**task.defaults, **call.arrays, **call.options})
            return task.judged(call, (made,))[0]

        theory.slip(name, says, ops, result)(make)
        return formula

    return registered


# Dense layers.


@_wrong("dense", "bias-left-out", "the bias was not added")
def _no_bias(x: Array, w: Array, bias: Array | None) -> Array:
    return x @ w


@_wrong("dense", "bias-sign", "the bias was taken off, not added")
def _minus_bias(x: Array, w: Array, bias: Array | None) -> Array:
    return x @ w - (0 if bias is None else bias)


@_wrong("dense-backward", "weights-turned", "grad_w came turned: (outputs, inputs), not as w is", 1)
def _turned(x: Array, w: Array, grad_out: Array) -> Array:
    return grad_out.T @ x


@_wrong("dense-backward", "weights-averaged", "grad_w was divided by the number of pictures", 1)
def _averaged(x: Array, w: Array, grad_out: Array) -> Array:
    return x.T @ grad_out / len(x)


@_wrong("dense-backward", "bias-averaged", "grad_bias is the mean over pictures, not the sum", 2)
def _bias_averaged(x: Array, w: Array, grad_out: Array) -> Array:
    return grad_out.mean(axis=0)


# Losses.


def _losses(x: Array, labels: Array) -> Array:
    return np.asarray(-np.log(formulas.probabilities(x)[np.arange(len(x)), labels]))


@_wrong("cross-entropy", "not-averaged", "the losses were added up, where their mean belongs")
def _summed(x: Array, labels: Array) -> Any:
    return _losses(x, labels).sum()


@_wrong("cross-entropy", "each-alone", "it gives each picture's loss, where their mean belongs")
def _each(x: Array, labels: Array) -> Array:
    return _losses(x, labels)


@_wrong("cross-entropy", "loss-sign", "the sign is wrong: the logarithm of a share is below 0")
def _negative(x: Array, labels: Array) -> Any:
    return -_losses(x, labels).mean()


@_wrong("cross-entropy", "log-base-2", "the logarithm is to base 2, where the natural one belongs")
def _base_2(x: Array, labels: Array) -> Any:
    return _losses(x, labels).mean() / np.log(2)


@_wrong(
    "cross-entropy", "log-base-10", "the logarithm is to base 10, where the natural one belongs"
)
def _base_10(x: Array, labels: Array) -> Any:
    return _losses(x, labels).mean() / np.log(10)


@_wrong("cross-entropy", "all-numbers", "the mean is over all numbers: over pictures alone fits")
def _over_all(x: Array, labels: Array) -> Any:
    return _losses(x, labels).sum() / x.size


@_wrong(
    "cross-entropy", "exponent-overflow", "e^x overflows: take the largest x off each row first"
)
def _overflows(x: Array, labels: Array) -> Any:
    powers = np.exp(x)
    return -np.log(powers[np.arange(len(x)), labels] / powers.sum(axis=1)).mean()


@_wrong(
    "cross-entropy-backward",
    "gradient-not-averaged",
    "the gradient was not divided by the pictures",
)
def _gradient_summed(x: Array, labels: Array) -> Array:
    return formulas.cross_entropy_backward(x, labels) * len(x)


@_wrong(
    "cross-entropy-backward", "gradient-sign", "the sign is wrong: p - 1 at the right class fits"
)
def _gradient_negative(x: Array, labels: Array) -> Array:
    return -formulas.cross_entropy_backward(x, labels)


@_wrong("cross-entropy-backward", "one-missing", "1 was not taken off at the right class")
def _gradient_alone(x: Array, labels: Array) -> Array:
    return formulas.probabilities(x) / len(x)


# Norms and dropout.


def _normed(x: Array, gamma: Array, beta: Array, spread: Array) -> Array:
    return gamma * (x - x.mean(axis=0)) / spread + beta


@_wrong(
    "batch-norm",
    "variance-unbiased",
    "the variance was divided by rows - 1: a norm divides by rows",
)
def _unbiased(x: Array, gamma: Array, beta: Array, epsilon: float) -> Array:
    variance = x.var(axis=0) * len(x) / np.float64(len(x) - 1)
    return _normed(x, gamma, beta, np.sqrt(variance + epsilon))


@_wrong("batch-norm", "epsilon-outside", "epsilon was added to the root: it belongs under it")
def _outside(x: Array, gamma: Array, beta: Array, epsilon: float) -> Array:
    return _normed(x, gamma, beta, x.std(axis=0) + epsilon)


@_wrong("batch-norm", "root-missing", "it divides by the variance: its root belongs there")
def _no_root(x: Array, gamma: Array, beta: Array, epsilon: float) -> Array:
    return _normed(x, gamma, beta, x.var(axis=0) + epsilon)


@_wrong("batch-norm", "epsilon-missing", "epsilon is missing")
def _no_epsilon(x: Array, gamma: Array, beta: Array, epsilon: float) -> Array:
    return _normed(x, gamma, beta, x.std(axis=0))


@_wrong("batch-norm", "gamma-left-out", "gamma and beta were left out")
def _plain(x: Array, gamma: Array, beta: Array, epsilon: float) -> Array:
    return _normed(x, np.ones_like(gamma), np.zeros_like(beta), np.sqrt(x.var(axis=0) + epsilon))


@_wrong(
    "batch-norm", "normed-rows", "each picture was normed by itself: the mean is over the pictures"
)
def _rows(x: Array, gamma: Array, beta: Array, epsilon: float) -> Array:
    alone = (x.T - x.mean(axis=1)) / np.sqrt(x.var(axis=1) + epsilon)
    return gamma * alone.T + beta


@_wrong("batch-norm", "one-mean", "one mean and variance for all: each column has its own")
def _one_mean(x: Array, gamma: Array, beta: Array, epsilon: float) -> Array:
    return gamma * (x - x.mean()) / np.sqrt(x.var() + epsilon) + beta


@_wrong("batch-norm-backward", "constant-mean", "mean and variance were taken for constants")
def _constant(x: Array, gamma: Array, grad_out: Array, epsilon: float) -> Array:
    return grad_out * gamma / np.sqrt(x.var(axis=0) + epsilon)


@_wrong("dropout", "dropout-unscaled", "what is kept was not divided by the share that is kept")
def _unscaled(x: Array, rate: float) -> Array:
    return formulas.dropout(x, rate) * (1 - rate)


@_wrong("dropout", "dropout-keep", "the rate was taken for the share that is kept")
def _kept(x: Array, rate: float) -> Array:
    return formulas.dropout(x, 1 - rate)


@_wrong("dropout", "dropout-scale", "what is kept was divided by the rate, not by 1 - rate")
def _wrong_scale(x: Array, rate: float) -> Array:
    return formulas.dropout(x, rate) * (1 - rate) / rate


@_wrong("dropout", "dropout-nothing", "nothing was dropped")
def _nothing(x: Array, rate: float) -> Array:
    return x


# Optimisers.


@_wrong("sgd", "uphill", "the step goes uphill: lr · gradient is taken off, not added")
def _uphill(w: Array, grad: Array, lr: float) -> Array:
    return w + lr * grad


@_wrong("sgd", "step-alone", "it gives the step alone, not w after it")
def _step_alone(w: Array, grad: Array, lr: float) -> Array:
    return -lr * grad


@_wrong("sgd", "rate-missing", "the learning rate was left out")
def _no_rate(w: Array, grad: Array, lr: float) -> Array:
    return w - grad


@_wrong("adam", "uphill", "the step goes uphill: it is taken off, not added")
def _adam_uphill(w: Array, **given: Any) -> Array:
    return 2 * w - formulas.adam(w, **given)


@_wrong("adam", "means-not-fair", "the means were not made fair: they are divided by 1 - beta^t")
def _not_fair(w: Array, **given: Any) -> Array:
    return formulas.adam(w, **{**given, "t": np.inf})


@_wrong("adam", "epsilon-inside", "epsilon stands under the root: it is added to the root")
def _inside(w: Array, epsilon: float, **given: Any) -> Array:
    return _adam_with(w, lambda v: np.sqrt(v + epsilon), **given)


@_wrong("adam", "root-missing", "it divides by the mean of the squares: its root belongs there")
def _adam_no_root(w: Array, epsilon: float, **given: Any) -> Array:
    return _adam_with(w, lambda v: v + epsilon, **given)


@_wrong("adam", "step-late", "t counts from 1: it was taken for one more than it is")
def _late(w: Array, t: int, **given: Any) -> Array:
    return formulas.adam(w, t=t + 1, **given)


def _adam_with(
    w: Array,
    spread: Callable[[Array], Array],
    *,
    grad: Array,
    m: Array,
    v: Array,
    t: int,
    lr: float,
    beta1: float,
    beta2: float,
) -> Array:
    m = (beta1 * m + (1 - beta1) * grad) / (1 - beta1**t)
    v = (beta2 * v + (1 - beta2) * grad**2) / (1 - beta2**t)
    return w - lr * m / spread(v)
