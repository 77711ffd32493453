"""The GPU kernels, compiled by Numba for CUDA; same names and signatures as the textbook's."""

from typing import Any

import numpy as np

from stepconv.kernels.cuda.activations import relu, relu_backward
from stepconv.kernels.cuda.conv.choose import (
    channel_sums,
    correlate,
    correlate_grad_w,
    correlate_grad_x,
)
from stepconv.kernels.cuda.machine.array import CardArray
from stepconv.kernels.cuda.machine.launch import (
    adopt,
    plain_errors,
    to_card,
    uploaded_once,
)
from stepconv.kernels.cuda.pad import pad, pad_backward
from stepconv.kernels.cuda.pool import avg_pool, avg_pool_backward, max_pool, max_pool_backward

__all__ = [
    "avg_pool",
    "avg_pool_backward",
    "channel_sums",
    "correlate",
    "correlate_grad_w",
    "correlate_grad_x",
    "max_pool",
    "max_pool_backward",
    "on_card",
    "pad",
    "pad_backward",
    "relu",
    "relu_backward",
    "uploaded_once",
]


def on_card(array: Any) -> CardArray:
    """Return an array as the operations take it; one of the host's is copied to the card."""
    if isinstance(array, CardArray):
        return array
    if not isinstance(array, np.ndarray):
        return adopt(array)
    with plain_errors("a copy", array):
        return to_card(array)
