"""The parallel CPU kernels, compiled by Numba; same names and signatures as the textbook's.

conv, pool      correlations and pools: `choose` in each decides which kernel serves a call
pad             padding; activations: what is done to each number, or to a row of channels
recording       the textbook's loops, compiled
reasons         why a kernel serves a call
lanes           what trains: one image in each lane of a vector
channels        what answers for a few pictures: one channel in each lane
machine         what kernels are made of on this machine
"""

from stepconv.kernels.cpu.activations import (
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
from stepconv.kernels.cpu.conv.choose import (
    channel_sums,
    correlate,
    correlate_grad_w,
    correlate_grad_x,
)
from stepconv.kernels.cpu.pad import pad, pad_backward
from stepconv.kernels.cpu.pool.choose import (
    avg_pool,
    avg_pool_backward,
    max_pool,
    max_pool_backward,
)

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
]
