"""How a gradient comes through many layers, with the identity path and without it.

A layer is ReLU of four 3x3 filters over four maps of 8x8 cells, with small weights drawn by chance.
Without the path y = F(x), and the gradient is multiplied by F' again and again. With it it is
y = F(x) + x, and the factor F' + 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from stepconv.trace.jobs import function_of

DEPTHS = (8, 20, 56)
_CHANNELS, _SIDE = 4, 8
# A small part of what keeps numbers, on average, as large as they were (He et al. 2015).
_SPREAD = 0.15 * np.sqrt(2 / (_CHANNELS * 3 * 3))

Cells = NDArray[np.float64]


def arrives(depth: int, path: bool) -> list[float]:
    """Return how large the gradient is behind each layer, from the loss, where it is 1, back.

    >>> plain, residual = arrives(56, path=False)[-1], arrives(56, path=True)[-1]
    >>> plain < 1e-12, 1 < residual < 10
    (True, True)
    """
    correlate, _ = function_of("correlate")
    relu, _ = function_of("relu")
    correlate_backward, _ = function_of("correlate_grad_x")
    relu_backward, _ = function_of("relu_backward")
    luck = np.random.default_rng(1)
    x = luck.standard_normal((_CHANNELS, _SIDE, _SIDE))
    met: list[tuple[Cells, Cells, Cells]] = []
    for _ in range(depth):
        w = luck.standard_normal((_CHANNELS, _CHANNELS, 3, 3)) * _SPREAD
        z = correlate(x, w, padding="same")
        met.append((x, w, z))
        x = relu(z) + (x if path else 0)
    grad = luck.standard_normal(x.shape)
    sizes = [_size(grad)]
    for x, w, z in reversed(met):
        through = correlate_backward(x, w, relu_backward(z, grad), padding="same")[0]
        grad = through + (grad if path else 0)
        sizes.append(_size(grad))
    return [size / sizes[0] for size in sizes]


def _size(grad: Cells) -> float:
    return float(np.sqrt((grad**2).mean()))
