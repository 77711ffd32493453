"""Call: which operation was called with which options, as plain data; the numbers apart."""

from dataclasses import dataclass
from typing import Any

from stepconv.geometry import Plan


@dataclass(frozen=True)
class Operation:
    """What a recorded operation does, and in which words it is told.

    `family` says how output cells gather: "slide" a window over an image, "return" a gradient to
    the cells it came from, "weigh" the weights, "total" for a bias; "largest" and "average" pool,
    "route" and "spread" lead their gradients back; "border" pads and "fold" leads back; "gate" and
    "mirror". The windows move over `source` and its cells meet `weights`, if there are any.
    """

    title: str
    family: str
    source: str = "x"
    weights: str | None = None
    result: str = "output"
    mirrored: bool = False


OPERATIONS = {
    "correlate": Operation("cross-correlation", "slide", "x", "w"),
    "convolve": Operation("convolution", "slide", "x", "w", mirrored=True),
    "correlate_transpose": Operation("transposed cross-correlation", "return", "x", "w"),
    "max_pool": Operation("max pooling", "largest"),
    "avg_pool": Operation("average pooling", "average"),
    "pad": Operation("padding", "border"),
    "relu": Operation("ReLU", "gate"),
    "flip": Operation("half turn of a kernel", "mirror", "w"),
    "correlate_grad_x": Operation(
        "grad_x of a cross-correlation", "return", "grad_out", "w", "grad_x"
    ),
    "correlate_grad_w": Operation(
        "grad_w of a cross-correlation", "weigh", "x", "grad_out", "grad_w"
    ),
    "correlate_grad_bias": Operation(
        "grad_bias of a cross-correlation", "total", "grad_out", None, "grad_bias"
    ),
    "convolve_grad_x": Operation(
        "grad_x of a convolution", "return", "grad_out", "w", "grad_x", mirrored=True
    ),
    "convolve_grad_w": Operation(
        "grad_w of a convolution", "weigh", "x", "grad_out", "grad_w", mirrored=True
    ),
    "convolve_grad_bias": Operation(
        "grad_bias of a convolution", "total", "grad_out", None, "grad_bias"
    ),
    "correlate_transpose_grad_x": Operation(
        "grad_x of a transposed cross-correlation", "slide", "grad_out", "w", "grad_x"
    ),
    "correlate_transpose_grad_w": Operation(
        "grad_w of a transposed cross-correlation", "weigh", "grad_out", "x", "grad_w"
    ),
    "correlate_transpose_grad_bias": Operation(
        "grad_bias of a transposed cross-correlation",
        *("total", "grad_out", None, "grad_bias"),
    ),
    "max_pool_backward": Operation("gradient of max pooling", "route", "grad_out", None, "grad_x"),
    "avg_pool_backward": Operation(
        "gradient of average pooling", "spread", "grad_out", None, "grad_x"
    ),
    "pad_backward": Operation("gradient of padding", "fold", "grad_out", None, "grad_x"),
    "relu_backward": Operation("gradient of ReLU", "gate", "grad_out", None, "grad_x"),
}


@dataclass(frozen=True)
class Call:
    """An operation's name, its plan, and the few options that are not in the plan."""

    op: str
    plan: Plan
    mode: str = "zeros"
    value: Any = 0
    include_pad: bool = False

    @property
    def operation(self) -> Operation:
        """What the operation does."""
        return OPERATIONS[self.op]

    @property
    def is_backward(self) -> bool:
        """Whether the result is a gradient."""
        return self.operation.result != "output"
