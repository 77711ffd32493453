"""Slide a kernel over a signal or an image: correlate, convolve, and the gradients of both."""

from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from stepconv import kernels
from stepconv.geometry import MODES, Plan, correlation_plan, word
from stepconv.kernels import use_algorithm
from stepconv.ops import sliding
from stepconv.ops.arrays import Array, DType, check_grad_out, numeric, own_dtype, sum_dtype
from stepconv.ops.call import Operands, cells_plan, operands
from stepconv.ops.padding import fold_border, put_border

Gradients = tuple[Array, Array, Array]

_AS_BEFORE = nullcontext()


def correlate(
    x: ArrayLike,
    w: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
    mode: str = "zeros",
    backend: str | None = None,
    algorithm: str | None = None,
) -> Array:
    """Slide the kernel over x as it is, and sum the products under it at each stop.

    The rank of w decides what x is: 1-D a signal, 2-D a plain image, 3-D weights
    (filters, channels / groups, k) a layer on (N, C, L) or (C, L), 4-D weights
    (filters, channels / groups, kh, kw) a layer on (N, C, H, W) or (C, H, W).

    `padding` is "valid" (none), "same" (ceil(n / stride) outputs, an odd cell goes behind),
    "full", an int, one int per axis, or (before, after) per axis; `mode` fills it: "zeros",
    "reflect", "replicate" or "circular". `algorithm` admits another way to the result than "auto"
    (see `use_algorithm`).

    >>> correlate([1, 2, 3, 4], [1, 0, -1])
    array([-2, -2])
    >>> correlate([1, 2, 3, 4], [1, 0, -1], padding="same")
    array([-2, -2, -2,  3])
    """
    call = CorrelationCall(x, w, stride, padding, dilation, groups, mode, backend)
    with _AS_BEFORE if algorithm is None else use_algorithm(algorithm):
        return call.forward(bias)


def convolve(
    x: ArrayLike,
    w: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
    mode: str = "zeros",
    backend: str | None = None,
    algorithm: str | None = None,
) -> Array:
    """Mirror the kernel on every spatial axis, then slide it: signal processing's convolution.

    The arguments are those of `correlate`.

    >>> convolve([1, 2, 3, 4], [1, 0, -1])
    array([2, 2])
    >>> convolve([0, 1, 0], [3, 4, 5], padding="same")
    array([3, 4, 5])
    """
    call = CorrelationCall(x, flip(w), stride, padding, dilation, groups, mode, backend)
    with _AS_BEFORE if algorithm is None else use_algorithm(algorithm):
        return call.forward(bias)


def correlate_backward(
    x: ArrayLike,
    w: ArrayLike,
    grad_out: ArrayLike,
    *,
    stride: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
    mode: str = "zeros",
    backend: str | None = None,
    algorithm: str | None = None,
) -> Gradients:
    """Return (grad_x, grad_w, grad_bias) of a call of `correlate` with the same arguments.

    `grad_out` is the gradient of its result; a plain kernel's grad_bias is one number.

    >>> grad_x, grad_w, grad_bias = correlate_backward([1, 2, 3], [4, 5], [1, 10])
    >>> grad_x, grad_w, grad_bias
    (array([ 4, 45, 50]), array([21, 32]), array(11))
    """
    call = CorrelationCall(x, w, stride, padding, dilation, groups, mode, backend)
    with _AS_BEFORE if algorithm is None else use_algorithm(algorithm):
        return call.backward(grad_out)


def convolve_backward(
    x: ArrayLike,
    w: ArrayLike,
    grad_out: ArrayLike,
    *,
    stride: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: int = 1,
    mode: str = "zeros",
    backend: str | None = None,
    algorithm: str | None = None,
) -> Gradients:
    """Return (grad_x, grad_w, grad_bias) of a call of `convolve` with the same arguments.

    >>> grad_x, grad_w, grad_bias = convolve_backward([1, 2, 3], [4, 5], [1, 10])
    >>> grad_x, grad_w, grad_bias
    (array([ 5, 54, 40]), array([32, 21]), array(11))
    """
    call = CorrelationCall(x, flip(w), stride, padding, dilation, groups, mode, backend)
    with _AS_BEFORE if algorithm is None else use_algorithm(algorithm):
        grad_x, grad_w, grad_bias = call.backward(grad_out)
    return grad_x, flip(grad_w), grad_bias


def flip(w: ArrayLike) -> Array:
    """Mirror a kernel on every spatial axis: half a turn in two dimensions.

    Weights of rank 3 and 4 are mirrored on their last one and two axes.

    >>> flip([[3, 4, 5], [1, 0, 2], [-1, 9, 7]])
    array([[ 7,  9, -1],
           [ 2,  0,  1],
           [ 5,  4,  3]])
    """
    kernel = numeric("w", w)
    axes = range(kernel.ndim)[0 if kernel.ndim < 3 else 2 :]
    return np.flip(kernel, tuple(axes)).astype(own_dtype(kernel), order="C")


class CorrelationCall(sliding.SlidingCall):
    """One correlation whose arguments have been checked."""

    def __init__(
        self,
        x: ArrayLike,
        w: ArrayLike,
        stride: Any,
        padding: Any,
        dilation: Any,
        groups: Any,
        mode: str,
        backend: str | None = None,
    ) -> None:
        self.x = numeric("x", x)
        self.w = numeric("w", w, self.x)
        self.plan = correlation_plan(
            self.x.shape,
            self.w.shape,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
        )
        self.shape = sliding.result_shape(self.x, self.w, self.plan.out_channels, self.plan.output)
        self.mode = word("mode", mode, MODES)
        self.backend = backend

    def forward(self, bias: ArrayLike | None) -> Array:
        """Return the result of the call."""
        offset = sliding.checked_bias(bias, self.w, self.plan.out_channels, self.x)
        dtype = sliding.dtype_with_bias(self.x, self.w, bias)
        x, plan = self._images(dtype)
        w = sliding.as_filters(self.w, dtype)
        return sliding.slide(x, w, offset, self.shape, plan, self.backend)

    def backward(self, grad_out: ArrayLike) -> Gradients:
        """Return the gradients of the call, given that of its result."""
        grad = numeric("grad_out", grad_out, self.x)
        check_grad_out(grad, self.shape)
        dtype = sum_dtype(self.x, self.w, grad)
        with kernels.uploaded_once(self.backend):
            x, plan = self._images(dtype)
            w, grad = sliding.as_filters(self.w, dtype), sliding.as_images(grad, self.w, dtype)
            if self.mode == "zeros":
                grad_x = sliding.slide_back(grad, w, None, self.x.shape, plan, self.backend)
            else:
                bordered = sliding.slide_back(grad, w, None, x.shape, plan, self.backend)
                grad_x = fold_border(bordered, self.x.shape, self.plan, self.mode, self.backend)
            return (
                grad_x,
                sliding.weigh(x, grad, self.w.shape, plan, self.backend),
                sliding.sum_channels(grad, sliding.bias_shape(self.w, grad), self.backend),
            )

    def _images(self, dtype: DType) -> tuple[Array, Plan]:
        """Return x for the kernels and the plan by which they read it.

        Zeros around x are the kernels' business; any other border is put round it here.
        """
        x = sliding.as_images(self.x, self.w, dtype)
        if self.mode == "zeros":
            return x, self.plan
        return put_border(x, self.plan, self.mode, 0, self.backend), self.plan.after_padding()


class FlipCall:
    """One half turn of a kernel, its argument checked; `flip` itself needs no plan."""

    def __init__(self, w: ArrayLike) -> None:
        self.w = numeric("w", w)
        self.shape = self.w.shape

    @property
    def plan(self) -> Plan:
        """Windows of one cell on the axes that are mirrored."""
        return cells_plan(self.w.shape[-sliding.spatial_axes(self.w) :])

    def forward_operands(self) -> Operands:
        """Return the kernel in its own type."""
        return operands({"w": self.w}, own_dtype(self.w), self.w.shape)
