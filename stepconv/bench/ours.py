"""stepconv as one of those that are measured, with its exact answer for comparison."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np

import stepconv
from stepconv import kernels
from stepconv.bench.cells import Array, Arrays, Cell

Call = Callable[[], Any]


class Ours:
    """The public functions; for dX or dW alone, which have none, the kernels that these call."""

    def versions(self) -> dict[str, str]:
        return {"stepconv": stepconv.__version__}

    def use_threads(self, count: int) -> None:
        from stepconv.kernels.compile import use_threads

        use_threads(count)

    def variants(self, cell: Cell, arrays: Arrays) -> dict[str, Call]:
        """Return what can be timed: the default algorithm, and each that is asked for by name."""
        auto = _call(cell, arrays)
        return {"auto": auto} | {name: _with_algorithm(name, auto) for name in cell.algorithms}

    def to_numpy(self, result: Any) -> Array:
        return joined(result)

    def exact(self, cell: Cell, arrays: Arrays) -> tuple[Array, Array] | None:
        """Return the result in float64 and Σ|a·b|, which its rounding is measured by."""
        if cell.kind not in ("filter", "layer") or arrays["x"].dtype != np.float32:
            return None
        wide = {name: array.astype(np.float64) for name, array in arrays.items()}
        sizes = {name: np.abs(array) for name, array in wide.items()}
        return joined(_call(cell, wide)()), joined(_call(cell, sizes)())


def _call(cell: Cell, arrays: Arrays) -> Call:
    x: Array = arrays["x"]
    w: Array = arrays.get("w")
    grad: Array = arrays.get("grad_out")
    slide: dict[str, Any] = {"stride": cell.stride, "padding": cell.padding}
    if cell.kind == "pad":
        return lambda: stepconv.pad(x, cell.w, mode=cell.mode)
    if cell.kind in ("max-pool", "avg-pool"):
        name = cell.kind.replace("-", "_")
        if cell.direction == "forward":
            pool = getattr(stepconv, name)
            return lambda: pool(x, cell.w, **slide)
        back = getattr(stepconv, f"{name}_backward")
        return lambda: back(x, grad, cell.w, **slide)
    slide |= {"dilation": cell.dilation, "groups": cell.groups}
    if cell.direction == "forward":
        return lambda: stepconv.correlate(x, w, **slide)
    if cell.direction == "backward":
        return lambda: stepconv.correlate_backward(x, w, grad, **slide)
    return _gradient(cell, arrays)


def _gradient(cell: Cell, arrays: Arrays) -> Call:
    """Return a call of one gradient's kernel; like the peers it allocates its result each time."""
    x, w, grad = (_planes(arrays[name]) for name in ("x", "w", "grad_out"))
    slide = cell.plan.slide
    if cell.direction == "dX":
        kernel = kernels.find("correlate_grad_x")
        bias = np.zeros(x.shape[1], x.dtype, like=x)

        def grad_x() -> Array:
            out = np.empty(x.shape, x.dtype, like=x)
            kernel(grad, w, bias, out, slide, cell.groups)
            return out.reshape(cell.x)

        return grad_x
    kernel = kernels.find("correlate_grad_w")

    def grad_w() -> Array:
        out = np.empty(w.shape, w.dtype, like=w)
        kernel(x, grad, out, slide, cell.groups)
        return out.reshape(cell.w)

    return grad_w


def _planes(array: Array) -> Array:
    """Return the array as kernels want it: a signal has one row."""
    return array if array.ndim == 4 else array.reshape(*array.shape[:2], 1, prod(array.shape[2:]))


def _with_algorithm(name: str, call: Call) -> Call:
    def chosen() -> Any:
        with stepconv.use_algorithm(name):
            return call()

    return chosen


def joined(result: Any) -> Array:
    """Return a result as one array; a tuple of gradients becomes one row of numbers."""
    if isinstance(result, tuple):
        return np.concatenate([np.ravel(array) for array in result])
    return np.asarray(result)
