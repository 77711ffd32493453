"""The forms of famous courses: how a student was told to write it, one line each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Form:
    """How a course wants an operation to be called; parameters are recognised by their names.

    `functions` is a pattern of names and `needs` are parameters that must be there; `fixed` are
    options that it always has. `odd` kernels alone, `square` windows alone are asked for where it
    says nothing of others; `single` means one window, as large as the input; `ties` whether it says
    who wins where two are largest; `numbers` that a padding in words may be one in numbers, too.

    Of what networks are trained with, `axes` tell which arrays come otherwise than ours, and
    `probabilities` that answers come as shares.
    """

    name: str
    course: str
    ops: str
    functions: str
    needs: str = ""
    x: str = "NCHW"
    w: str = "OIHW"
    out: str = "NCHW"
    bias: str = "O"
    fixed: dict[str, Any] = field(default_factory=dict)
    odd: bool = False
    square: bool = False
    single: bool = False
    ties: bool = True
    numbers: bool = False
    axes: dict[str, str] = field(default_factory=dict)
    probabilities: bool = False

    @property
    def layout(self) -> tuple[Any, ...]:
        """All that tells how arrays come, and none of how options are spelt."""
        return self.x, self.w, self.out, *self.axes.items(), self.probabilities

    def fits(self, op: str, function: str, parameters: set[str]) -> bool:
        """Tell whether a function of this name and parameters is taken for this form."""
        known = any(re.fullmatch(each, op) for each in self.ops.split())
        named = re.fullmatch(self.functions, function) is not None
        return known and named and set(self.needs.split()) <= parameters


_CONV, _POOL = "correlate convolve", "max-pool avg-pool"
_BACK, _POOL_BACK = "correlate-backward convolve-backward", "max-pool-backward avg-pool-backward"
_NHWC: dict[str, Any] = {"x": "NHWC", "w": "HWIO", "out": "NHWC", "bias": "111O"}
_SAME: dict[str, Any] = {"padding": "same"}
_DLAI, _HOLBERTON = "deeplearning.ai", "Holberton"

FORMS = (
    # A dict of options, and (out, cache) back.
    Form(
        "cs231n-conv",
        "CS231n, EECS498",
        _CONV,
        r"conv_forward\w*|forward|\w*Conv",
        "x w b conv_param",
    ),
    Form(
        "cs231n-conv-backward",
        "CS231n, EECS498",
        _BACK,
        r"conv_back\w*|backward|\w*Conv",
        "dout cache",
    ),
    Form("cs231n-pool", "CS231n, EECS498", _POOL, r"\w*[pP]ool\w*|forward", "x pool_param"),
    Form(
        "cs231n-pool-backward",
        "CS231n, EECS498",
        _POOL_BACK,
        r"\w*[pP]ool\w*|backward",
        "dout cache",
    ),
    Form("deeplearning-ai-pad", _DLAI, "pad", "zero_pad", "X pad", x="NHWC", out="NHWC"),
    Form(
        *("deeplearning-ai-single-step", _DLAI, _CONV, "conv_single_step", "a_slice_prev W b"),
        x="HWC",
        w="HWI",
        out="",
        bias="111",
        single=True,
    ),
    Form(
        *("deeplearning-ai-conv", _DLAI, _CONV, r"conv_forward\w*", "A_prev W b hparameters"),
        **_NHWC,
        square=True,
    ),
    Form(
        *("deeplearning-ai-pool", _DLAI, _POOL, r"pool_forward\w*", "A_prev hparameters"),
        x="NHWC",
        out="NHWC",
        square=True,
    ),
    Form(
        *("deeplearning-ai-conv-backward", _DLAI, _BACK, r"conv_back\w*", "dZ cache"),
        **_NHWC,
        square=True,
    ),
    Form(
        *("deeplearning-ai-pool-backward", _DLAI, _POOL_BACK, r"pool_back\w*", "dA cache"),
        x="NHWC",
        out="NHWC",
        square=True,
        ties=False,
    ),
    Form(
        *("deeplearning-ai-mask", _DLAI, "max-pool-backward", "create_mask\\w*", "x"),
        x="HW",
        out="",
        single=True,
        ties=False,
    ),
    Form(
        *("deeplearning-ai-distribute", _DLAI, "avg-pool-backward", "distribute_value", "dz shape"),
        x="HW",
        out="",
        single=True,
    ),
    Form(
        *("holberton-grayscale-valid", _HOLBERTON, _CONV, "convolve_grayscale_valid", ""),
        x="NHW",
        w="HW",
        out="NHW",
    ),
    Form(
        *("holberton-grayscale-same", _HOLBERTON, _CONV, "convolve_grayscale_same", ""),
        x="NHW",
        w="HW",
        out="NHW",
        fixed=_SAME,
        odd=True,
    ),
    Form(
        *("holberton-grayscale", _HOLBERTON, _CONV, r"convolve_grayscale(_padding)?", ""),
        x="NHW",
        w="HW",
        out="NHW",
        numbers=True,
    ),
    Form(
        *("holberton-channels", _HOLBERTON, _CONV, "convolve_channels", "images kernel"),
        x="NHWC",
        w="HWI",
        out="NHW",
        numbers=True,
    ),
    Form(
        "holberton-kernels", _HOLBERTON, _CONV, "convolve", "images kernels", **_NHWC, numbers=True
    ),
    Form(
        *("holberton-pool", _HOLBERTON, _POOL, "pool", "images kernel_shape"),
        x="NHWC",
        out="NHWC",
    ),
    Form("holberton-conv-forward", _HOLBERTON, _CONV, "conv_forward", "A_prev activation", **_NHWC),
    Form(
        *("holberton-pool-forward", _HOLBERTON, _POOL, "pool_forward", "A_prev kernel_shape"),
        x="NHWC",
        out="NHWC",
    ),
    Form("holberton-conv-backward", _HOLBERTON, _BACK, "conv_backward", "dZ A_prev W", **_NHWC),
    Form(
        *("holberton-pool-backward", _HOLBERTON, _POOL_BACK, "pool_backward", "dA A_prev"),
        x="NHWC",
        out="NHWC",
        ties=False,
    ),
    Form("d2l-corr2d", "Dive into Deep Learning", _CONV, "corr2d", x="HW", w="HW", out="HW"),
    Form(
        *("d2l-multi-in", "Dive into Deep Learning", _CONV, "corr2d_multi_in"),
        x="CHW",
        w="IHW",
        out="HW",
    ),
    Form(
        *("d2l-multi-in-out", "Dive into Deep Learning", _CONV, "corr2d_multi_in_out"),
        x="CHW",
        w="OIHW",
        out="CHW",
    ),
    Form(
        *("d2l-pool", "Dive into Deep Learning", _POOL, "pool2d", "X pool_size"),
        x="HW",
        out="HW",
        fixed={"stride": 1},
    ),
    Form(
        *("cs131-conv", "CS131", _CONV, r"conv_(nested|fast|faster)", ""),
        x="HW",
        w="HW",
        out="HW",
        fixed=_SAME,
        odd=True,
    ),
    Form(
        *("cs131-correlation", "CS131", _CONV, "cross_correlation", "f g"),
        x="HW",
        w="HW",
        out="HW",
        fixed=_SAME,
        odd=True,
    ),
    Form("cs131-pad", "CS131", "pad", "zero_pad", "pad_height pad_width", x="HW", out="HW"),
    Form("arena-conv1d", "ARENA", _CONV, r"conv1d(_minimal)?", "x weights", "NCL", "OIL", "NCL"),
    Form("arena-conv2d", "ARENA", _CONV, r"conv2d(_minimal)?", "x weights"),
    Form("arena-pad1d", "ARENA", "pad", "pad1d", "left right", x="NCL", out="NCL"),
    Form("arena-pad2d", "ARENA", "pad", "pad2d", "left right top bottom"),
    Form("arena-maxpool2d", "ARENA", _POOL, "maxpool2d", "x kernel_size"),
    Form("dlsys-conv", "dlsys", _CONV, "conv", "a b", **_NHWC, square=True),
    Form(
        *("opencv-filter", "OpenCV", _CONV, r"filter_?2[dD]", "ddepth"),
        x="HW",
        w="HW",
        out="HW",
        odd=True,
        fixed={"padding": "same", "mode": "reflect"},
    ),
    Form(
        *("11-785-pool-stride1", "11-785", _POOL, r"(Max|Mean|Avg)Pool\w*_stride1"),
        fixed={"stride": 1},
    ),
    # Its sizes leave the padding out, so none is asked for.
    Form(
        *("scratch-pooling", "deep-learning-from-scratch", f"{_POOL} {_POOL_BACK}", r"Pooling\w*"),
        needs="pool_h pool_w stride pad",
        fixed={"padding": 0},
    ),
    # What it computes has the size of the input; the window starts at each cell, or ends there.
    Form(
        *("minitorch-conv1d", "minitorch", _CONV, r"_?tensor_conv1d", "out input weight"),
        x="NCL",
        w="OIL",
        out="NCL",
        fixed={"padding": "behind"},
    ),
    Form(
        *("minitorch-conv2d", "minitorch", _CONV, r"_?tensor_conv2d", "out input weight"),
        fixed={"padding": "behind"},
    ),
    Form("minitorch-valid", "minitorch", _CONV, r"_?tensor_conv2d", "out input weight"),
)
# Where no name tells the layout: the likely ones of operations that slide, x, w and out.
LAYOUTS = (
    ("HW", "HW", "HW"),
    ("NCHW", "OIHW", "NCHW"),
    ("NHWC", "HWIO", "NHWC"),
    ("CHW", "OIHW", "CHW"),
    ("CHW", "IHW", "HW"),
    ("HWC", "HWIO", "HWC"),
    ("HWC", "HWI", "HW"),
    ("NHW", "HW", "NHW"),
    ("NCHW", "IHW", "NHW"),
    ("NHWC", "HWI", "NHW"),
    ("HW", "OHW", "CHW"),
    ("HW", "HWO", "HWC"),
    ("HW", "OHW", "HWC"),
    ("L", "L", "L"),
    ("NCL", "OIL", "NCL"),
    ("CL", "OIL", "CL"),
    ("NLC", "LIO", "NLC"),
    ("NL", "L", "NL"),
)
