"""The GPU kernels, compiled by Numba for CUDA; same names and signatures as the textbook's.

conv            correlations and their gradients; `conv/choose.py` says which kernel serves which
pool, pad       a thread for each cell of the result
activations     cell by cell
recording       the textbook's loops, for the recorder
reasons         why a kernel serves a call
network         what trains, beside the operations
machine         decorators, memory, arrays and copies: what all of these stand on
"""

from stepconv.kernels.cuda.activations import (
    leaky_relu,
    leaky_relu_backward,
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    softmax,
    softmax_backward,
    tanh,
    tanh_backward,
)
from stepconv.kernels.cuda.conv.choose import (
    channel_sums,
    correlate,
    correlate_grad_w,
    correlate_grad_x,
)
from stepconv.kernels.cuda.machine.transfers import on_card, uploaded_once
from stepconv.kernels.cuda.pad import pad, pad_backward
from stepconv.kernels.cuda.pool import avg_pool, avg_pool_backward, max_pool, max_pool_backward

__all__ = [
    "avg_pool",
    "avg_pool_backward",
    "channel_sums",
    "correlate",
    "correlate_grad_w",
    "correlate_grad_x",
    "leaky_relu",
    "leaky_relu_backward",
    "max_pool",
    "max_pool_backward",
    "on_card",
    "pad",
    "pad_backward",
    "relu",
    "relu_backward",
    "sigmoid",
    "sigmoid_backward",
    "softmax",
    "softmax_backward",
    "tanh",
    "tanh_backward",
    "uploaded_once",
]
