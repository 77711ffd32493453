"""The door for arrays: what may come in, which type is computed in, and how kernels see it."""

import sys
import warnings
from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stepconv import kernels
from stepconv.errors import (
    ArgumentError,
    ArgumentTypeError,
    IntegerOverflowWarning,
    IntegerRangeError,
)
from stepconv.geometry import Plan, Shape
from stepconv.geometry.budget import asked, check, spelt
from stepconv.ops import reuse

Array = NDArray[Any]
DType = np.dtype[Any]
Kernel = Callable[..., Any]

_INT64 = np.dtype(np.int64)
_FLOAT32 = np.dtype(np.float32)
_FLOAT64 = np.dtype(np.float64)
_LARGEST = 2**63 - 1


def numeric(name: str, value: ArrayLike, beside: Array | None = None) -> Array:
    """Return `value` as an array of real numbers, in whatever layout it came.

    An array on a GPU stays there. `beside` is the one that decides where the call computes: it is
    followed to a GPU, but not back from there.
    """
    # Of what has been through this door, all that is not NumPy's is on a GPU.
    led = beside is not None and type(beside) is not np.ndarray
    away = type(value) is not np.ndarray and kernels.is_on_card(value)
    if away and beside is not None and not led:
        raise ArgumentTypeError(
            f"{name} is on a GPU, and the first array of the call is not: "
            f"both on the GPU fit, or both in the host's memory"
        )
    array: Array = kernels.on_card(value) if away else _on_host(name, value)
    kind = array.dtype.kind
    if kind == "O" and isinstance(value, int):
        raise IntegerRangeError(f"{name}={value} is beyond int64: pass a float")
    if kind in "OUS":
        given = f"{name}={value!r}" if array.ndim == 0 else f"{name} is {array.dtype}, which"
        raise ArgumentTypeError(f"{given} is not an array of numbers")
    if kind == "c":
        raise ArgumentTypeError(
            f"{name} is {array.dtype}: stepconv computes with real numbers; "
            f"call it for the real and the imaginary part"
        )
    if kind not in "biuf" or array.dtype.itemsize > 8:
        raise ArgumentTypeError(
            f"{name} is {array.dtype}: bool, integers, float16, float32 and float64 fit"
        )
    return kernels.on_card(array) if led and not away else array


def _on_host(name: str, value: ArrayLike) -> Array:
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(value, masked.MaskedArray):
        raise ArgumentTypeError(
            f"{name} is a masked array, and a window has no way to leave cells out: "
            f"{name}.filled(0) fits"
        )
    try:
        return np.asarray(value)
    except ValueError:
        raise ArgumentError(
            f"{name} has rows of different lengths: rows of one length fit"
        ) from None


def sum_dtype(*numbers: Array | float) -> DType:
    """Return the type in which products of these are summed.

    Integers and bools sum exactly in int64, float16 is summed in float32, else NumPy decides.
    """
    types: list[Any] = [getattr(number, "dtype", number) for number in numbers]
    return _sum_dtype(*types)


@lru_cache(maxsize=256, typed=True)
def _sum_dtype(*types: DType | float) -> DType:
    """Return what `sum_dtype` does, of a Python number by itself: it gives way to arrays."""
    if all(_kind(one) in "biu" for one in types):
        return _INT64
    mixed = np.result_type(*types)
    return _FLOAT32 if mixed.itemsize < 4 else mixed.newbyteorder("=")


def _kind(one: DType | float) -> str:
    return (one if isinstance(one, np.dtype) else np.asarray(one).dtype).kind


def float_dtype(*arrays: Array) -> DType:
    """Return the type in which averages are taken: float64 for integers."""
    mixed = sum_dtype(*arrays)
    return _FLOAT64 if mixed == _INT64 else mixed


def on_host(value: Any) -> Any:
    """Return an array on a GPU as one of the host, and anything else as it is."""
    return kernels.on_card(value).copy_to_host() if kernels.is_on_card(value) else value


def own_dtype(array: Array) -> DType:
    """Return the array's own type in this machine's byte order."""
    return array.dtype if array.dtype.isnative else array.dtype.newbyteorder("=")


def moving_dtype(array: Array) -> DType:
    """Return the type in which a kernel moves these numbers about: its own, if it can."""
    return moved(own_dtype(array))


def moved(dtype: DType) -> DType:
    """Return the type in which a kernel moves numbers of a type about.

    Numba has no float16 on the CPU; float32 holds each of them exactly.
    """
    return _FLOAT32 if dtype.char == "e" else dtype


def laid_out(array: Array, dtype: DType, shape: Shape | None = None) -> Array:
    """Return the numbers as the kernels want them: C order, aligned, writeable, native bytes.

    That is the array itself where it is so already, and a copy where it is not.
    """
    if array.dtype.kind == "u" and array.dtype.itemsize == 8 and dtype == _INT64:
        _check_unsigned(array)
    if array.dtype != dtype or not array.flags.carray:
        # A bias that is a Python number may be too large for the type: IEEE makes it infinite.
        with np.errstate(over="ignore"):
            array = array.astype(dtype, order="C")
    return array if shape is None else array.reshape(shape)


def empty(shape: Shape, dtype: DType, like: Array, plan: Plan | None = None) -> Array:
    """Return memory for a result, or say how much of it would have been needed."""
    check("result", shape, dtype.itemsize, plan)
    try:
        return reuse.empty(shape, dtype, like)
    except (MemoryError, ValueError):  # more than is free now, or than NumPy counts
        size = spelt(prod(shape) * dtype.itemsize)
        because = "" if plan is None else asked(plan)
        raise ArgumentError(
            f"{because}no memory for a result of shape {shape}: it takes {size}"
        ) from None


def _check_unsigned(array: Array) -> None:
    if array.size and int(array.max()) > _LARGEST:
        raise IntegerRangeError(
            f"{int(array.max())} is beyond int64, which ends at {_LARGEST}: pass float64"
        )


def check_sums_fit(kernel: Kernel, arrays: tuple[Array, ...], out: Array, terms: int) -> None:
    """Warn of integers whose sums of products could leave int64: none is wrapped silently.

    `arrays` are the factors of each product, of which `terms` are summed, and a bias where there
    is one. First the largest values are looked at; where those could overflow, the same kernel
    sums the absolute values in float64, which bounds every output cell.
    """
    if (
        prod(_largest(array) for array in arrays[:2]) * terms
        + sum(_largest(array) for array in arrays[2:])
        <= _LARGEST
    ):
        return
    bounds = np.empty(out.shape, like=out)
    kernel(*(abs(array.astype(np.float64)) for array in arrays), bounds)
    # A little below 2**63, for the bound itself is rounded.
    if bounds.max(initial=0.0) >= 2.0**63 * (1 - 1e-9):
        warnings.warn(
            f"sums of products of these integers may pass {_LARGEST}, the end of int64, and "
            f"wrap as NumPy's do: pass float64",
            IntegerOverflowWarning,
            stacklevel=_caller(),
        )


def check_grad_out(grad_out: Array, shape: Shape) -> None:
    """Refuse a gradient that has not the shape of the result it belongs to."""
    if grad_out.shape != shape:
        raise ArgumentError(
            f"grad_out of shape {grad_out.shape} does not fit: the result has shape {shape}"
        )


def _caller() -> int:
    """Return the level at which a warning of the function that asks points at the user's code."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("stepconv."):
        frame, level = frame.f_back, level + 1
    return level


def _largest(array: Array) -> int:
    if array.size == 0:
        return 0
    return max(abs(int(array.max())), abs(int(array.min())))
