"""Addresses for kernels that are handed no arrays: numbers at an address, code at an address."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_INT64 = ir.IntType(64)
_CODE = ir.FunctionType(ir.VoidType(), [_INT64, _INT64])


def _numbers(kind: Any, llvm: Any) -> Any:
    """Make the function that takes an address for that of an array of numbers."""

    @intrinsic
    def numbers(_context: Any, address: Any) -> Any:
        def emit(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            return builder.inttoptr(values[0], llvm.as_pointer())

        return types.CPointer(kind)(types.int64), emit

    return numbers


int64s = _numbers(types.int64, _INT64)
float32s = _numbers(types.float32, ir.FloatType())
float64s = _numbers(types.float64, ir.DoubleType())
uint8s = _numbers(types.uint8, ir.IntType(8))


@intrinsic
def call(_context: Any, code: Any, row: Any, task: Any) -> Any:
    """Call the code at an address with two int64."""

    def emit(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        builder.call(builder.inttoptr(values[0], _CODE.as_pointer()), values[1:])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), emit
