"""Why a kernel of a GPU serves a call: `choose` is asked, given the kernel's own arguments."""

from typing import Any

from stepconv.kernels.choice import Choice
from stepconv.kernels.cuda.conv import choose as conv
from stepconv.kernels.cuda.machine.launch import counted

__all__ = ["counted", "reason"]


def reason(operation: str, *arguments: Any) -> Choice:
    """Return which kernel serves an operation, and why."""
    if operation in ("correlate", "correlate_grad_x"):
        _, w, _, _, slide, groups = arguments
        return conv.choice(w, slide, groups, backwards=operation == "correlate_grad_x")
    if operation == "correlate_grad_w":
        _, _, grad_w, _, groups = arguments
        return conv.weights_choice(grad_w.shape, groups)
    return Choice(operation, "it has one way")
