"""Why a kernel of the CPU serves a call: each `choose` is asked, given the kernel's arguments."""

from collections.abc import Callable
from typing import Any

from stepconv.geometry import Slide, Window
from stepconv.kernels.choice import Choice
from stepconv.kernels.compile import counted
from stepconv.kernels.cpu.conv import choose as conv
from stepconv.kernels.cpu.pool import choose as pool

__all__ = ["counted", "reason"]

Array = Any


def reason(operation: str, *arguments: Any) -> Choice:
    """Return which kernel serves an operation, and why."""
    if operation in _ASKED:
        return conv.told(_ASKED[operation](*arguments))
    return Choice(operation, "it has one way")


def _correlate(x: Array, w: Array, _bias: Array, out: Array, slide: Slide, groups: int) -> Choice:
    return conv.choice(x, w, out, slide, groups)


def _grad_x(
    grad_out: Array, w: Array, _bias: Array, grad_x: Array, slide: Slide, groups: int
) -> Choice:
    return conv.choice_grad_x(grad_out, w, grad_x, slide, groups)


def _pool(x: Array, *rest: Any) -> Choice:
    window, slide = rest[-2:]
    return pool.choice(x, window, slide)


def _max_back(x: Array, grad_out: Array, grad_x: Array, window: Window, slide: Slide) -> Choice:
    if x.dtype == grad_x.dtype == grad_out.dtype:
        return pool.choice(x, window, slide)
    return Choice("loops", "x is of {}, its gradient of {}", (x.dtype, grad_out.dtype))


_ASKED: dict[str, Callable[..., Choice]] = {
    "correlate": _correlate,
    "correlate_grad_x": _grad_x,
    "correlate_grad_w": conv.choice_grad_w,
    "max_pool": _pool,
    "max_pool_backward": _max_back,
    "avg_pool": _pool,
    "avg_pool_backward": _pool,
}
