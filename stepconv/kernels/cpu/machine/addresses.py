"""Addresses for kernels that are handed no arrays: the numbers that lie at an address."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from stepconv.kernels.cpu.machine.values import INT64, Int


def _numbers(kind: Any, llvm: Any) -> Any:
    """Make the function that takes an address for that of an array of numbers."""

    @intrinsic
    def numbers(_context: Any, address: Any) -> Any:
        def emit(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            return builder.inttoptr(values[0], llvm.as_pointer())

        return types.CPointer(kind)(types.int64), emit

    return numbers


int64s = _numbers(types.int64, INT64)
float32s = _numbers(types.float32, ir.FloatType())
float64s = _numbers(types.float64, ir.DoubleType())
uint8s = _numbers(types.uint8, ir.IntType(8))


def named_rows(kind: Any) -> Any:
    """Make the function `row(table, n)`: the int64 in row n of a table, as a NamedTuple."""
    size = len(kind._fields)

    @intrinsic
    def row(_context: Any, table: Any, number: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            table, number = (Int(builder, value) for value in values)
            first = builder.inttoptr((table + number * (8 * size)).value, INT64.as_pointer())
            places = [builder.gep(first, [ir.Constant(INT64, i)]) for i in range(size)]
            numbers = [builder.load(place) for place in places]
            return context.make_tuple(builder, signature.return_type, numbers)

        return types.NamedUniTuple(types.int64, size, kind)(types.int64, types.int64), emit

    return row
