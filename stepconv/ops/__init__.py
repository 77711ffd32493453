"""The operations: check and normalise the arguments, plan, allocate, let a kernel fill.

call            what the classes of calls have in common: each is the one door of an operation
arrays          the door for arrays: what may come in, and which type is computed in
reuse           large results in memory that was used before
correlation     correlate, convolve; transposed: their adjoint; sliding: what these share
pooling         max_pool, avg_pool
padding         pad
activation      relu, leaky_relu, tanh, sigmoid, softmax
joining         add, subtract, concat
differences     a gradient held against what a small push does
"""

from collections.abc import Callable
from functools import partial
from typing import Any

from stepconv.ops.activation import (
    CellCall,
    CurveCall,
    LeakyCall,
    SoftmaxCall,
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
from stepconv.ops.correlation import (
    CorrelationCall,
    FlipCall,
    convolve,
    convolve_backward,
    correlate,
    correlate_backward,
    flip,
)
from stepconv.ops.joining import JoinCall, add, concat, subtract
from stepconv.ops.padding import PadCall, pad, pad_backward
from stepconv.ops.pooling import (
    AvgPoolCall,
    MaxPoolCall,
    avg_pool,
    avg_pool_backward,
    max_pool,
    max_pool_backward,
)
from stepconv.ops.transposed import (
    TransposedCall,
    correlate_transpose,
    correlate_transpose_backward,
)

__all__ = [
    "add",
    "avg_pool",
    "avg_pool_backward",
    "concat",
    "convolve",
    "convolve_backward",
    "correlate",
    "correlate_backward",
    "correlate_transpose",
    "correlate_transpose_backward",
    "flip",
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
    "subtract",
    "tanh",
    "tanh_backward",
]

# What checks the arguments of an operation, but for a bias or a gradient, and plans the call.
CALLS: dict[str, Callable[..., Any]] = {
    "correlate": CorrelationCall,
    "convolve": CorrelationCall,
    "correlate_transpose": TransposedCall,
    "max_pool": MaxPoolCall,
    "avg_pool": AvgPoolCall,
    "pad": PadCall,
    "relu": partial(CellCall, "relu"),
    "leaky_relu": LeakyCall,
    "tanh": partial(CurveCall, "tanh"),
    "sigmoid": partial(CurveCall, "sigmoid"),
    "softmax": SoftmaxCall,
    "add": partial(JoinCall, "add"),
    "subtract": partial(JoinCall, "subtract"),
    "concat": partial(JoinCall, "concat"),
    "flip": FlipCall,
}
