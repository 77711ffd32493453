"""How each library, ours among them, is asked for a cell: what it calls the computation."""

from __future__ import annotations

import contextlib
from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib import import_module
from math import prod
from typing import Any

import numpy as np

import stepconv
from stepconv import kernels
from stepconv.bench.cells import Array, Arrays, Cell

Call = Callable[[], Any]

OURS = "stepconv"


class Peer(ABC):
    """A library in a worker process."""

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Return the library's version, by its name."""

    @abstractmethod
    def variants(self, cell: Cell, arrays: Arrays) -> dict[str, Call]:
        """Return the ways in which the library computes a cell, by name; none if it cannot."""

    def use_threads(self, count: int) -> None:  # noqa: B027  a library may know no threads
        """Compute on so many threads from now on."""

    def to_numpy(self, result: Any) -> Array:
        """Return a result as one array; a tuple of gradients becomes one row of numbers."""
        return _joined(result)


class Ours(Peer):
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

    def exact(self, cell: Cell, arrays: Arrays) -> tuple[Array, Array] | None:
        """Return the result in float64 and Σ|a·b|, which its rounding is measured by."""
        if cell.kind not in ("filter", "layer") or arrays["x"].dtype != np.float32:
            return None
        wide = {name: array.astype(np.float64) for name, array in arrays.items()}
        sizes = {name: np.abs(array) for name, array in wide.items()}
        return _joined(_call(cell, wide)()), _joined(_call(cell, sizes)())


class Torch(Peer):
    """PyTorch, in one of its two layouts of images; gradients by the function autograd calls."""

    def __init__(self, layout: str) -> None:
        self._torch: Any = import_module("torch")
        self._layout = layout
        self._torch.set_grad_enabled(False)

    def versions(self) -> dict[str, str]:
        return {"torch": str(self._torch.__version__)}

    def use_threads(self, count: int) -> None:
        self._torch.set_num_threads(count)

    def to_numpy(self, result: Any) -> Array:
        if isinstance(result, tuple):
            return _joined(tuple(part.numpy() for part in result))
        return result.numpy().copy()

    def variants(self, cell: Cell, arrays: Arrays) -> dict[str, Call]:
        if self._layout == "channels_last" and len(cell.x) != 4:
            return {}
        if cell.kind == "filter":
            return self._filter(cell, arrays)
        tensors = {name: self._tensor(array) for name, array in arrays.items()}
        if cell.kind == "layer":
            return {"conv": self._layer(cell, tensors)}
        if cell.kind == "pad":
            return {"pad": self._pad(cell, tensors["x"])}
        return {"pool": self._pool(cell, tensors)}

    def _tensor(self, array: Array) -> Any:
        tensor = self._torch.from_numpy(array)
        if self._layout == "channels_last" and array.ndim == 4:
            return tensor.contiguous(memory_format=self._torch.channels_last)
        return tensor

    def _filter(self, cell: Cell, arrays: Arrays) -> dict[str, Call]:
        torch, x, w = self._torch, arrays["x"], arrays["w"]
        image, kernel = self._tensor(x)[None, None], self._tensor(w)[None, None]
        calls: dict[str, Call] = {}
        conv = torch.nn.functional.conv2d
        if cell.w[0] <= 15:
            calls["conv2d"] = lambda: conv(image, kernel, padding=cell.padding)[0, 0]
        if cell.w[0] >= 15:
            calls["fft"] = self._fft(cell, image[0, 0], kernel[0, 0])
        return calls

    def _fft(self, cell: Cell, x: Any, w: Any) -> Call:
        fft = self._torch.fft
        sizes = [_smooth(n + k - 1) for n, k in zip(cell.x, cell.w, strict=True)]
        (first, second), (high, wide) = [k // 2 for k in cell.w], cell.x

        def call() -> Any:
            spectrum = fft.rfft2(x, sizes) * fft.rfft2(w.flip(0, 1), sizes)
            whole = fft.irfft2(spectrum, sizes)
            return whole[first : first + high, second : second + wide]

        return call

    def _layer(self, cell: Cell, t: dict[str, Any]) -> Call:
        axes = len(cell.x) - 2
        x, w, grad = t["x"], t["w"], t.get("grad_out")
        slide = ([cell.stride] * axes, [cell.padding] * axes, [cell.dilation] * axes)
        if cell.direction == "forward":
            conv = getattr(self._torch.nn.functional, f"conv{axes}d")
            return lambda: conv(x, w, None, *slide, cell.groups)
        back = self._torch.ops.aten.convolution_backward
        mask = [cell.direction in ("dX", "backward"), cell.direction in ("dW", "backward")]
        every = cell.direction == "backward"
        options = ([cell.w[0]], *slide, False, [0] * axes, cell.groups, [*mask, every])

        def call() -> Any:
            results = back(grad, x, w, *options)
            return tuple(results) if every else results[0 if mask[0] else 1]

        return call

    def _pool(self, cell: Cell, t: dict[str, Any]) -> Call:
        functional, aten = self._torch.nn.functional, self._torch.ops.aten
        x, grad = t["x"], t.get("grad_out")
        window, stride, pad = [*cell.w], [cell.stride] * 2, [cell.padding] * 2
        if cell.kind == "max-pool":
            if cell.direction == "forward":
                return lambda: functional.max_pool2d(x, window, stride, pad)
            _, winners = functional.max_pool2d(x, window, stride, pad, return_indices=True)
            max_back = aten.max_pool2d_with_indices_backward
            return lambda: max_back(grad, x, window, stride, pad, [1, 1], False, winners)
        if cell.direction == "forward":
            average = functional.avg_pool2d
            return lambda: average(x, window, stride, pad, count_include_pad=False)
        back = aten.avg_pool2d_backward
        return lambda: back(grad, x, window, stride, pad, False, False, None)

    def _pad(self, cell: Cell, x: Any) -> Call:
        pad = self._torch.nn.functional.pad
        mode = "constant" if cell.mode == "zeros" else cell.mode
        sides = [cell.w[1], cell.w[1], cell.w[0], cell.w[0]]
        return lambda: pad(x, sides, mode=mode)


class OpenCV(Peer):
    """OpenCV, which filters single images; it keeps their size and so wants a 'same' border."""

    def __init__(self) -> None:
        self._cv2: Any = import_module("cv2")

    def versions(self) -> dict[str, str]:
        return {"cv2": str(self._cv2.__version__)}

    def use_threads(self, count: int) -> None:
        self._cv2.setNumThreads(count)

    def variants(self, cell: Cell, arrays: Arrays) -> dict[str, Call]:
        if cell.kind != "filter" or cell.padding != cell.w[0] // 2:
            return {}
        cv2, x, w, zeros = self._cv2, arrays["x"], arrays["w"], self._cv2.BORDER_CONSTANT
        calls: dict[str, Call] = {"filter2D": lambda: cv2.filter2D(x, -1, w, borderType=zeros)}
        if cell.rank_one:
            row, column = arrays["row"], arrays["column"]
            calls["sepFilter2D"] = lambda: cv2.sepFilter2D(x, -1, row, column, borderType=zeros)
        return calls


class SciPy(Peer):
    """scipy.signal: Fourier transforms for large kernels, the direct sum for the tiny call."""

    def __init__(self) -> None:
        self._signal: Any = import_module("scipy.signal")
        self._fft: Any = import_module("scipy.fft")
        self._workers = contextlib.ExitStack()

    def versions(self) -> dict[str, str]:
        return {"scipy": str(import_module("scipy").__version__)}

    def use_threads(self, count: int) -> None:
        self._workers.close()
        self._workers.enter_context(self._fft.set_workers(count))

    def variants(self, cell: Cell, arrays: Arrays) -> dict[str, Call]:
        if cell.kind != "filter":
            return {}
        signal, x, w = self._signal, arrays["x"], arrays["w"]
        if cell.padding == 0:
            return {"correlate2d": lambda: signal.correlate2d(x, w, "valid")}
        if cell.rank_one or cell.w[0] < 15:
            return {}
        return {
            "fftconvolve": lambda: signal.fftconvolve(x, w[::-1, ::-1], "same"),
            "oaconvolve": lambda: signal.oaconvolve(x, w[::-1, ::-1], "same"),
        }


class NumPy(Peer):
    """NumPy, which pads."""

    def versions(self) -> dict[str, str]:
        return {"numpy": np.__version__}

    def variants(self, cell: Cell, arrays: Arrays) -> dict[str, Call]:
        if cell.kind != "pad":
            return {}
        x = arrays["x"]
        names = {"zeros": "constant", "replicate": "edge", "circular": "wrap"}
        mode: Any = names.get(cell.mode, cell.mode)
        sides = [(0, 0)] * (x.ndim - 2) + [(cell.w[0],) * 2, (cell.w[1],) * 2]
        return {"pad": lambda: np.pad(x, sides, mode=mode)}


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


# By the name of the worker: the package that has to be installed, and how to make the peer.
PEERS: dict[str, tuple[str, Callable[[], Peer]]] = {
    OURS: ("stepconv", Ours),
    "torch NCHW": ("torch", lambda: Torch("NCHW")),
    "torch channels_last": ("torch", lambda: Torch("channels_last")),
    "cv2": ("cv2", OpenCV),
    "scipy": ("scipy", SciPy),
    "numpy": ("numpy", NumPy),
}


def _smooth(size: int) -> int:
    """Return the next length that has no prime factor above 5: Fourier transforms like those."""
    while True:
        rest = size
        for prime in (2, 3, 5):
            while rest % prime == 0:
                rest //= prime
        if rest == 1:
            return size
        size += 1


def _joined(result: Any) -> Array:
    if isinstance(result, tuple):
        return np.concatenate([np.ravel(array) for array in result])
    return np.asarray(result)
