"""An array in the memory of a GPU, with the few of NumPy's manners that the operations use.

NumPy's own functions ask it (NEP 18): `np.empty(shape, dtype, like=x)` lies beside x, so that the
operations need not know where that is. What another library has on the card is taken in without a
copy, and each of them takes a result in the same way, through `__cuda_array_interface__`. All new
arrays are in C order.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from stepconv.kernels.cuda.machine import moving
from stepconv.kernels.cuda.machine.launch import THREADS, launch, launch_each
from stepconv.kernels.cuda.machine.memory import Memory, plain_errors

Array = Any
Shape = tuple[int, ...]

_PARTS = 3 * THREADS  # threads that look for an extreme, each among its share of the cells

_DEFAULT_STREAM = 1  # as the interface (version 3) calls the one where all calls run


class CardArray:
    """Numbers on the card: `numba` is Numba's array of them, `memory` what keeps them there."""

    __slots__ = ("__weakref__", "memory", "numba")

    def __init__(self, numba: Any, memory: Any = None) -> None:
        self.numba, self.memory = numba, memory

    @property
    def shape(self) -> Shape:
        return tuple(self.numba.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.numba.dtype)

    @property
    def ndim(self) -> int:
        return len(self.numba.shape)

    @property
    def size(self) -> int:
        return math.prod(self.numba.shape)

    @property
    def nbytes(self) -> int:
        return self.size * self.dtype.itemsize

    @property
    def flags(self) -> SimpleNamespace:
        """What `laid_out` asks: whether kernels can take the array as it is."""
        return SimpleNamespace(carray=bool(self.numba.is_c_contiguous()))

    @property
    def __cuda_array_interface__(self) -> dict[str, Any]:
        if hasattr(self.numba, "__cuda_array_interface__"):
            interface = self.numba.__cuda_array_interface__
        else:
            interface = self.numba.__array_interface__  # in the simulator
        # Who reads it on another stream waits for this one: the result may still be on its way.
        return {**interface, "stream": _DEFAULT_STREAM}

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        return f"<CardArray of {self.dtype}{list(self.shape)} on the GPU>"

    def copy_to_host(self, out: Array | None = None) -> Array:
        """Return the numbers as a NumPy array, or write them into one."""
        laid_out = self if self.flags.carray else self.astype(self.dtype)
        with plain_errors("copying to the host", laid_out):
            return laid_out.numba.copy_to_host(out)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Copy to the host, for whoever asks by `np.asarray`."""
        return np.asarray(self.copy_to_host(), dtype)

    def reshape(self, *shape: Any) -> CardArray:
        """Return the same memory in another shape."""
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        if wanted == (-1,):
            wanted = (self.size,)
        if wanted == self.shape:
            return self  # Numba takes its time to make an array, and most need none
        return CardArray(self.numba.reshape(wanted), self.memory)

    def astype(self, dtype: Any, order: str = "C", copy: bool = True) -> CardArray:
        """Return the numbers in C order as another type; in their own only a `copy` is new."""
        if not copy and np.dtype(dtype) == self.dtype:
            return self
        return self._made(moving.convert, self, dtype)

    def __abs__(self) -> CardArray:
        return self._made(moving.take_magnitudes, self.reshape(-1), self.dtype)

    def flipped(self, axis: tuple[int, ...]) -> CardArray:
        """Return kernels mirrored on all of their axes, which are the last ones."""
        area = math.prod(self.shape[place] for place in axis)
        flat = self.astype(self.dtype).reshape(-1)
        return self._made(moving.flip, flat, self.dtype, area)

    def _made(self, kernel: Any, x: CardArray, dtype: Any, *numbers: int) -> CardArray:
        """Return an array of this one's shape that a kernel makes of x, a cell in each thread."""
        out = _empty(self.shape, dtype)
        if out.size:
            launch_each(kernel, out.size, x, out.reshape(-1), *numbers)
        return out

    def max(self, initial: Any = None) -> Any:
        """Return the largest number, or `initial` if that is larger."""
        given = {} if initial is None else {"initial": initial}
        return np.max(self._extremes()[1].copy_to_host(), **given)

    def min(self) -> Any:
        """Return the smallest number."""
        return np.min(self._extremes()[0].copy_to_host())

    def _extremes(self) -> tuple[CardArray, CardArray]:
        """Return some numbers with the smallest among them, and some with the largest."""
        lows, highs = (_empty((min(_PARTS, self.size),), self.dtype) for _ in range(2))
        if self.size:
            flat = self.astype(self.dtype).reshape(-1)
            launch(moving.find_extremes, -(-lows.size // THREADS), THREADS, flat, lows, highs)
        return lows, highs

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        if function not in _KNOWN:
            return NotImplemented
        return _KNOWN[function](*args, **kwargs)


def allocate(shape: Shape, dtype: Any) -> CardArray:
    """Return an array of the card, of any content."""
    memory = Memory(tuple(map(int, shape)), np.dtype(dtype))
    return CardArray(memory.array, memory)


def _empty(shape: int | Shape, dtype: Any = np.float64) -> CardArray:
    sizes = (shape,) if isinstance(shape, int) else shape
    with plain_errors(f"a result of {np.dtype(dtype)}{list(sizes)}"):
        return allocate(sizes, dtype)


def _zeros(shape: int | Shape, dtype: Any = np.float64) -> CardArray:
    out = _empty(shape, dtype)
    if out.size:
        launch_each(moving.fill, out.size, out.reshape(-1), out.dtype.type(0))
    return out


def _result_type(*arrays: Any) -> np.dtype[Any]:
    """Return the type that NumPy computes in, given arrays and numbers."""
    return np.result_type(*(getattr(array, "dtype", array) for array in arrays))


_KNOWN: dict[Any, Callable[..., Any]] = {
    np.empty: _empty,
    np.zeros: _zeros,
    np.flip: CardArray.flipped,
    np.result_type: _result_type,
}
