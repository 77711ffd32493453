"""The adjoint of correlate: every cell of x paints the kernel (transposed convolution)."""

from typing import Any

from numpy.typing import ArrayLike

from stepconv import kernels
from stepconv.geometry import transposed_plan
from stepconv.ops import sliding
from stepconv.ops.arrays import Array, check_grad_out, numeric, sum_dtype
from stepconv.ops.correlation import Gradients


def correlate_transpose(
    x: ArrayLike,
    w: ArrayLike,
    bias: ArrayLike | None = None,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    backend: str | None = None,
) -> Array:
    """Let every cell of x paint the kernel, scaled by itself, and add where paint overlaps.

    Weights are (channels, filters / groups, …). `padding` crops the result on both sides of
    each axis, `output_padding` adds cells behind; each is an int or one int per axis.

    >>> correlate_transpose([1, 2], [1, 1, 1], stride=2)
    array([1, 1, 3, 2, 2])
    """
    call = TransposedCall(x, w, stride, padding, output_padding, dilation, groups, backend)
    return call.forward(bias)


def correlate_transpose_backward(
    x: ArrayLike,
    w: ArrayLike,
    grad_out: ArrayLike,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
    backend: str | None = None,
) -> Gradients:
    """Return (grad_x, grad_w, grad_bias) of `correlate_transpose` with the same arguments.

    >>> correlate_transpose_backward([1, 2], [1, 1, 1], [1, 2, 3, 4, 5], stride=2)[0]
    array([ 6, 12])
    """
    call = TransposedCall(x, w, stride, padding, output_padding, dilation, groups, backend)
    return call.backward(grad_out)


class TransposedCall(sliding.SlidingCall):
    """One transposed correlation whose arguments have been checked.

    Its plan is that of the correlation leading back, so forward and backward change places.
    """

    def __init__(
        self,
        x: ArrayLike,
        w: ArrayLike,
        stride: Any,
        padding: Any,
        output_padding: Any,
        dilation: Any,
        groups: Any,
        backend: str | None = None,
    ) -> None:
        self.x = numeric("x", x)
        self.w = numeric("w", w, self.x)
        self.plan = transposed_plan(
            self.x.shape,
            self.w.shape,
            stride=stride,
            padding=padding,
            output_padding=output_padding,
            dilation=dilation,
            groups=groups,
        )
        self.shape = sliding.result_shape(self.x, self.w, self.plan.in_channels, self.plan.input)
        self.backend = backend

    def forward(self, bias: ArrayLike | None) -> Array:
        """Return the result of the call."""
        offset = sliding.checked_bias(bias, self.w, self.plan.in_channels, self.x)
        dtype = sliding.dtype_with_bias(self.x, self.w, bias)
        x, w = sliding.as_images(self.x, self.w, dtype), sliding.as_filters(self.w, dtype)
        return sliding.slide_back(x, w, offset, self.shape, self.plan, self.backend)

    def backward(self, grad_out: ArrayLike) -> Gradients:
        """Return the gradients of the call, given that of its result."""
        grad = numeric("grad_out", grad_out, self.x)
        check_grad_out(grad, self.shape)
        dtype = sum_dtype(self.x, self.w, grad)
        x, w = sliding.as_images(self.x, self.w, dtype), sliding.as_filters(self.w, dtype)
        grad = sliding.as_images(grad, self.w, dtype)
        with kernels.uploaded_once(self.backend):
            return (
                sliding.slide(grad, w, None, self.x.shape, self.plan, self.backend),
                sliding.weigh(grad, x, self.w.shape, self.plan, self.backend),
                sliding.sum_channels(grad, sliding.bias_shape(self.w, grad), self.backend),
            )
