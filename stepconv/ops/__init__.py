"""The operations: check and normalise the arguments, plan, allocate, let a kernel fill."""

from stepconv.ops.activation import relu, relu_backward
from stepconv.ops.correlation import (
    convolve,
    convolve_backward,
    correlate,
    correlate_backward,
    flip,
)
from stepconv.ops.padding import pad, pad_backward
from stepconv.ops.pooling import avg_pool, avg_pool_backward, max_pool, max_pool_backward
from stepconv.ops.transposed import correlate_transpose, correlate_transpose_backward

__all__ = [
    "avg_pool",
    "avg_pool_backward",
    "convolve",
    "convolve_backward",
    "correlate",
    "correlate_backward",
    "correlate_transpose",
    "correlate_transpose_backward",
    "flip",
    "max_pool",
    "max_pool_backward",
    "pad",
    "pad_backward",
    "relu",
    "relu_backward",
]
