"""An array in the memory of a GPU, with the few of NumPy's manners that the operations use.

NumPy's own functions ask it (NEP 18): `np.empty(shape, dtype, like=x)` lies beside x, so that the
operations need not know where that is. What another library has on the card is taken in without a
copy, and each of them takes a result in the same way, through `__cuda_array_interface__`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

Array = Any
Shape = tuple[int, ...]

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
        from stepconv.kernels.cuda.machine import launch

        laid_out = self if self.flags.carray else self.astype(self.dtype)
        return launch.copy_to_host(laid_out, out)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """Copy to the host, for whoever asks by `np.asarray`."""
        return np.asarray(self.copy_to_host(), dtype)

    def reshape(self, *shape: Any) -> CardArray:
        """Return the same memory in another shape."""
        wanted = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple) else shape
        if wanted == self.shape:
            return self  # Numba takes its time to make an array, and most need none
        if wanted == (-1,):
            wanted = (self.size,)
        return CardArray(self.numba.reshape(wanted), self.memory)

    def astype(self, dtype: Any, order: str = "C", copy: bool = True) -> CardArray:
        """Return the numbers in C order as another type; in their own only a `copy` is new."""
        from stepconv.kernels.cuda.machine import moving

        if not copy and np.dtype(dtype) == self.dtype:
            return self
        return moving.converted(self, np.dtype(dtype))

    def __abs__(self) -> CardArray:
        from stepconv.kernels.cuda.machine import moving

        return moving.magnitudes(self)

    def max(self, initial: Any = None) -> Any:
        """Return the largest number, or `initial` if that is larger."""
        from stepconv.kernels.cuda.machine import moving

        return moving.extreme(self, np.max, initial)

    def min(self) -> Any:
        """Return the smallest number."""
        from stepconv.kernels.cuda.machine import moving

        return moving.extreme(self, np.min, None)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, args: Any, kwargs: Any
    ) -> Any:
        from stepconv.kernels.cuda.machine import moving

        known: dict[Any, Callable[..., Any]] = {
            np.empty: moving.empty,
            np.zeros: moving.zeros,
            np.flip: moving.flipped,
            np.result_type: _result_type,
        }
        if function not in known:
            return NotImplemented
        return known[function](*args, **kwargs)


def _result_type(*arrays: Any) -> np.dtype[Any]:
    """Return the type that NumPy computes in, given arrays and numbers."""
    return np.result_type(*(getattr(array, "dtype", array) for array in arrays))
