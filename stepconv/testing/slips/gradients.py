"""Slips on the way back through a convolution: gradients of x, of the kernel, of the bias."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.evidence import Evidence
from stepconv.testing.slips import sliding, theory
from stepconv.testing.slips.sliding import Sliding

Array = NDArray[Any]
Wrong = Callable[[Sliding], Array | None]
X, W, BIAS = range(3)
_OPS = "correlate-backward|convolve-backward"


def backs(name: str, says: str, result: int) -> Callable[[Wrong], Wrong]:
    """Register a slip of one of the gradients."""

    def registered(wrong: Wrong) -> Wrong:
        def make(one: Evidence) -> Array | None:
            s = sliding.of(one)
            made = wrong(s)
            if made is None or result == BIAS:
                right = one.expected[BIAS].shape
                return (
                    made.reshape(right)
                    if made is not None and made.size == np.prod(right)
                    else made
                )
            if result == W and one.op.startswith("convolve"):
                made = made[:, :, ::-1, ::-1]
            return s.back(made)

        theory.slip(name, says, _OPS, result)(make)
        return wrong

    return registered


def _grad(s: Sliding) -> Array:
    assert s.grad is not None
    return s.grad


def grad_x_padded(s: Sliding, *, add: bool = True) -> Array:
    """Return the gradient of the padded input: each window gets its kernel times its gradient."""
    grad, made = _grad(s), np.zeros_like(s.padded)
    (sy, sx), (dy, dx), groups = s.stride, s.dilation, s.groups
    n, c, _, _ = made.shape
    given = grad.reshape(n, groups, -1, *grad.shape[2:])
    w = s.w.reshape(groups, -1, *s.w.shape[1:])
    parts = np.einsum("ngohw,gocij->ngcijhw", given, w).reshape(
        n, c, *s.w.shape[2:], *grad.shape[2:]
    )
    for i in range(grad.shape[2]):
        for j in range(grad.shape[3]):
            rows = slice(i * sy, i * sy + dy * (s.w.shape[2] - 1) + 1, dy)
            columns = slice(j * sx, j * sx + dx * (s.w.shape[3] - 1) + 1, dx)
            part = parts[:, :, :, :, i, j]
            made[:, :, rows, columns] = part + (made[:, :, rows, columns] if add else 0)
    return made


def cropped(s: Sliding, made: Array) -> Array:
    """Return the gradient without its border."""
    (top, _), (left, _) = s.pads
    return made[:, :, top : top + s.x.shape[2], left : left + s.x.shape[3]]


def grad_x(s: Sliding) -> Array:
    """Return the gradient of x."""
    return cropped(s, grad_x_padded(s))


def grad_w(s: Sliding) -> Array:
    """Return the gradient of the kernel as it slides: windows times gradients, summed."""
    n, c, high, wide = s.windows.shape[:4]
    windows = s.windows.reshape(n, s.groups, c // s.groups, high, wide, *s.w.shape[2:])
    grad = _grad(s).reshape(n, s.groups, -1, high, wide)
    return np.einsum("ngchwij,ngohw->gocij", windows, grad).reshape(s.w.shape)


@backs("kernel-not-mirrored", "grad_x: the kernel was not mirrored on the way back", X)
def not_mirrored(s: Sliding) -> Array:
    return grad_x(s.but(w=s.w[:, :, ::-1, ::-1]))


@backs("assigned", "grad_x: where windows overlap, the last overwrites the others: += adds", X)
def assigned(s: Sliding) -> Array:
    return cropped(s, grad_x_padded(s, add=False))


@backs("assigned", "grad_x: each filter overwrites what the others gave: += adds", X)
def last_filter_alone(s: Sliding) -> Array:
    return grad_x(s.but(w=np.concatenate([s.w[:-1] * 0, s.w[-1:]])))


@backs("assigned", "grad_x: where windows overlap, the last overwrites the others: += adds", X)
def last_filter_and_window(s: Sliding) -> Array:
    last = s.but(w=np.concatenate([s.w[:-1] * 0, s.w[-1:]]))
    return cropped(s, grad_x_padded(last, add=False))


@backs("stride-forgotten", "grad_x: the stride was forgotten on the way back", X)
def stride_forgotten(s: Sliding) -> Array:
    return grad_x(s.but(stride=(1, 1)))


@backs("padding-kept", "grad_x has the border of the padded input still", X)
def border_kept(s: Sliding) -> Array:
    return grad_x_padded(s)


@backs("padding-cut", "grad_x: the border was cut off behind alone", X)
def cut_behind(s: Sliding) -> Array:
    return grad_x_padded(s)[:, :, : s.x.shape[2], : s.x.shape[3]]


@backs("padding-cut", "grad_x: the border was cut off in front alone", X)
def cut_in_front(s: Sliding) -> Array:
    (top, _), (left, _) = s.pads
    return grad_x_padded(s)[:, :, top:, left:]


@backs("batch-averaged", "grad_x was divided by the size of the batch", X)
def x_averaged(s: Sliding) -> Array:
    return grad_x(s) / len(s.x)


@backs("sign", "grad_x has the wrong sign", X)
def x_negated(s: Sliding) -> Array:
    return -grad_x(s)


@backs("transposed-kernel", "grad_x: rows and columns of the kernel were exchanged", X)
def x_turned(s: Sliding) -> Array:
    return grad_x(s.but(w=s.w.swapaxes(2, 3)))


@backs("dilation-forgotten", "grad_x: the dilation was forgotten on the way back", X)
def x_undilated(s: Sliding) -> Array:
    return grad_x(s.but(dilation=(1, 1)))


@backs("mirrored-dw", "grad_w is mirrored", W)
def w_mirrored(s: Sliding) -> Array:
    return grad_w(s)[:, :, ::-1, ::-1]


@backs("stride-forgotten", "grad_w: the stride was forgotten on the way back", W)
def w_unmoved(s: Sliding) -> Array:
    high, wide = _grad(s).shape[2:]
    every = s.but(stride=(1, 1)).windows[:, :, :high, :wide]
    return np.einsum("nchwij,nohw->ocij", every, _grad(s))


@backs("padding-forgotten", "grad_w: the input was not padded on the way back", W)
def w_unpadded(s: Sliding) -> Array | None:
    if not any(map(any, s.pads)):
        return None
    behind = np.pad(s.x, ((0, 0), (0, 0), *((0, a + b) for a, b in s.pads)))
    return grad_w(s.but(x=behind, pads=((0, 0), (0, 0))))


@backs("batch-averaged", "grad_w was divided by the size of the batch", W)
def w_averaged(s: Sliding) -> Array:
    return grad_w(s) / len(s.x)


@backs("assigned", "grad_w: each window overwrites what the others gave: += adds", W)
def w_last_window(s: Sliding) -> Array:
    grad = np.zeros_like(_grad(s))
    grad[-1, :, -1, -1] = _grad(s)[-1, :, -1, -1]
    return grad_w(s.but(grad=grad))


@backs("assigned", "grad_w: each image overwrites what the others gave: += adds", W)
def w_last_image(s: Sliding) -> Array:
    grad = np.zeros_like(_grad(s))
    grad[-1] = _grad(s)[-1]
    return grad_w(s.but(grad=grad))


@backs("assigned", "grad_w: each place overwrites what the others gave: += adds", W)
def w_last_place(s: Sliding) -> Array:
    grad = np.zeros_like(_grad(s))
    grad[:, :, -1, -1] = _grad(s)[:, :, -1, -1]
    return grad_w(s.but(grad=grad))


@backs("first-image", "grad_w: the first image alone was used", W)
def w_first_image(s: Sliding) -> Array:
    grad = np.zeros_like(_grad(s))
    grad[0] = _grad(s)[0]
    return grad_w(s.but(grad=grad))


@backs("spatial-mean", "grad_w was averaged over the places, not summed", W)
def w_mean(s: Sliding) -> Array:
    return grad_w(s) / _grad(s)[0, 0].size


@backs("sign", "grad_w has the wrong sign", W)
def w_negated(s: Sliding) -> Array:
    return -grad_w(s)


@backs("transposed-kernel", "grad_w: its rows and columns are exchanged", W)
def w_turned(s: Sliding) -> Array:
    return grad_w(s).swapaxes(2, 3)


@backs("dilation-forgotten", "grad_w: the dilation was forgotten on the way back", W)
def w_undilated(s: Sliding) -> Array:
    high, wide = _grad(s).shape[2:]
    every = s.but(dilation=(1, 1)).windows[:, :, :high, :wide]
    return np.einsum("nchwij,nohw->ocij", every, _grad(s))


# The bias's gradient: its size alone is looked at where axes differ.


def _bias(name: str, says: str, change: Callable[[Array], Any]) -> None:
    @backs(name, says, BIAS)
    def wrong(s: Sliding) -> Array:
        made = np.asarray(change(_grad(s)))
        if s.rank < 3 and made.ndim:
            made = made[..., 0] if made.ndim == 1 else made[0]
        return made


_bias(
    "batch-averaged",
    "grad_bias was divided by the size of the batch",
    lambda g: g.sum((0, 2, 3)) / len(g),
)
_SPATIAL = "grad_bias: the sum over rows and columns is missing"
_bias("db-not-summed", _SPATIAL, lambda g: g.sum(0))
_bias("db-not-summed", _SPATIAL, lambda g: g[:, :, 0, 0].sum(0))
_bias("db-not-summed", _SPATIAL, lambda g: g[:, :, -1, -1].sum(0))
_bias("db-not-summed", "grad_bias: the sum over columns is missing", lambda g: g.sum((0, 2)))
_bias("db-not-summed", "grad_bias: the sum over rows is missing", lambda g: g.sum((0, 3)))
_bias("db-batch", "grad_bias: the sum over the batch is missing", lambda g: g.sum((2, 3)))
_bias(
    "assigned",
    "grad_bias: each image overwrites what the others gave: += adds",
    lambda g: g[-1].sum((1, 2)),
)
_bias(
    "assigned",
    "grad_bias: each place overwrites what the others gave: += adds",
    lambda g: g[-1, :, -1, -1],
)
_bias("first-image", "grad_bias: the first image alone was used", lambda g: g[0].sum((1, 2)))
_bias("spatial-mean", "grad_bias was averaged, not summed", lambda g: g.mean((0, 2, 3)))
_bias(
    "spatial-mean", "grad_bias was averaged over rows and columns", lambda g: g.mean((2, 3)).sum(0)
)
_bias(
    "db-all",
    "grad_bias is summed over the filters as well",
    lambda g: g.sum((0, 2, 3)) * 0 + g.sum(),
)
_bias("db-all", "grad_bias is summed over the filters as well", lambda g: g.sum())
_bias("sign", "grad_bias has the wrong sign", lambda g: -g.sum((0, 2, 3)))
