"""The door for arrays: what may come in, which type is computed in, and how kernels see it."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stepconv.errors import ArgumentError, ArgumentTypeError, IntegerRangeError
from stepconv.geometry import Shape

Array = NDArray[Any]
DType = np.dtype[Any]
Kernel = Callable[..., Any]

_INT64 = np.dtype(np.int64)
_FLOAT32 = np.dtype(np.float32)
_FLOAT64 = np.dtype(np.float64)
_LARGEST = 2**63 - 1


def numeric(name: str, value: ArrayLike) -> Array:
    """Return `value` as an array of real numbers, in whatever layout it came."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ArgumentError(f"{name} is not an array of numbers: {error}") from None
    kind = array.dtype.kind
    if kind == "c":
        raise ArgumentTypeError(
            f"{name} is {array.dtype}: stepconv computes with real numbers; "
            f"call it for the real and the imaginary part"
        )
    if kind not in "biuf" or array.dtype.itemsize > 8:
        raise ArgumentTypeError(
            f"{name} is {array.dtype}: bool, integers, float16, float32 and float64 fit"
        )
    return array


def sum_dtype(*numbers: Array | float) -> DType:
    """Return the type in which products of these are summed.

    Integers and bools sum exactly in int64, float16 is summed in float32, else NumPy decides.
    """
    if all(np.asarray(number).dtype.kind in "biu" for number in numbers):
        return _INT64
    mixed = np.result_type(*numbers)
    return _FLOAT32 if mixed.itemsize < 4 else mixed.newbyteorder("=")


def float_dtype(*arrays: Array) -> DType:
    """Return the type in which averages are taken: float64 for integers."""
    mixed = sum_dtype(*arrays)
    return _FLOAT64 if mixed == _INT64 else mixed


def own_dtype(array: Array) -> DType:
    """Return the array's own type in this machine's byte order."""
    return array.dtype.newbyteorder("=")


def moving_dtype(array: Array) -> DType:
    """Return the type in which a kernel moves these numbers about: its own.

    Numba has no float16 on the CPU; float32 holds each of them exactly.
    """
    dtype = own_dtype(array)
    return _FLOAT32 if dtype == np.float16 else dtype


def laid_out(array: Array, dtype: DType, shape: Shape | None = None) -> Array:
    """Return the numbers as the kernels want them: C order, aligned, writeable, native bytes.

    That is the array itself where it is so already, and a copy where it is not.
    """
    if array.dtype.kind == "u" and array.dtype.itemsize == 8 and dtype == _INT64:
        _check_unsigned(array)
    if array.dtype != dtype or not array.flags.carray:
        array = np.array(array, dtype=dtype, order="C", subok=False)
    return array if shape is None else array.reshape(shape)


def _check_unsigned(array: Array) -> None:
    if array.size and int(array.max()) > _LARGEST:
        raise IntegerRangeError(
            f"an unsigned {int(array.max())} is beyond int64, which ends at {_LARGEST}: "
            f"pass float64"
        )


def check_sums_fit(kernel: Kernel, arrays: tuple[Array, ...], out: Array, terms: int) -> None:
    """Refuse integers whose sums of products could leave int64: no result is silently wrapped.

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
    bounds = np.empty(out.shape)
    kernel(*(np.abs(array.astype(np.float64)) for array in arrays), bounds)
    reached = float(bounds.max(initial=0.0))
    # A little below 2**63, for the bound itself is rounded.
    if reached >= 2.0**63 * (1 - 1e-9):
        raise IntegerRangeError(
            f"sums of these integers may reach {reached:.3g}, beyond int64 which ends at "
            f"{float(_LARGEST):.3g}: pass float64"
        )


def check_grad_out(grad_out: Array, shape: Shape) -> None:
    """Refuse a gradient that has not the shape of the result it belongs to."""
    if grad_out.shape != shape:
        raise ArgumentError(
            f"grad_out of shape {grad_out.shape} does not fit: the result has shape {shape}"
        )


def _largest(array: Array) -> int:
    if array.size == 0:
        return 0
    return max(abs(int(array.max())), abs(int(array.min())))
