"""Tiny kernels for the tests of compile.py and its cache: Numba wants functions of a file."""

import numpy as np
from numba import prange

from stepconv.kernels.compile import compiled, inner, parallel


@inner
def weighted(value, place):
    return value * (place + 1) / 3.0


@parallel
def row_sums(x, out):
    """Sum the weighted cells of each row."""
    for k in prange(x.shape[0]):
        i = np.int64(k)
        total = 0.0
        for j in range(x.shape[1]):
            total += weighted(x[i, j], j)
        out[i] = total


@parallel
def scale_and_sum(x, out):
    """Fill out with 1.1 x and return the sum of x, which Numba would make parallel by itself."""
    for k in prange(x.shape[0]):
        i = np.int64(k)
        out[i] = x[i] * 1.1
    return np.sum(x)


@compiled
def total(x):
    """Return the sum of a flat array."""
    result = 0.0
    for i in range(x.size):
        result += x[i]
    return result
