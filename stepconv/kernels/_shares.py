"""Runs code at an address once for every share of some work, whatever its arguments are.

The arguments are laid down in memory beside a small function that takes them up again and calls the
code. So the driver that has the threads needs three numbers: it is compiled once for all kernels.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from llvmlite import ir
from numba import prange
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def _call_code(_context: Any, address: Any, arguments: Any) -> Any:
    """Call the code at an address as Numba calls a function of these arguments."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kinds = signature.args[1].types
        given = cgutils.unpack_tuple(builder, values[1], len(kinds))
        _emit_call(context, builder, values[0], kinds, given)
        return context.get_dummy_value()

    return numba.types.void(address, arguments), emit


@intrinsic
def _for_any_share(_context: Any, address: Any, arguments: Any) -> Any:
    """Return where arguments are kept, and the code that calls an address with a share and them.

    Whoever runs that code, entry(share, shares, kept), need not know what the arguments are.
    """
    number = numba.types.int64

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kept = cgutils.alloca_once_value(builder, cgutils.pack_struct(builder, values))
        integer = context.get_value_type(number)
        entry = ir.Function(
            builder.module, ir.FunctionType(ir.VoidType(), [integer] * 3), ".stepconv.entry"
        )
        entry.linkage = "internal"
        inside = ir.IRBuilder(entry.append_basic_block())
        share, shares, place = entry.args
        code, given = cgutils.unpack_tuple(inside, inside.load(inside.inttoptr(place, kept.type)))
        kinds = signature.args[1].types
        all_given = [share, shares, *cgutils.unpack_tuple(inside, given, len(kinds))]
        _emit_call(context, inside, code, (number, number, *kinds), all_given)
        inside.ret_void()
        addresses = [builder.ptrtoint(pointer, integer) for pointer in (entry, kept)]
        return context.make_tuple(builder, signature.return_type, addresses)

    return numba.types.UniTuple(number, 2)(address, arguments), emit


@intrinsic
def _call_entry(_context: Any, entry: Any, share: Any, shares: Any, kept: Any) -> Any:
    def emit(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [value.type for value in values[1:]])
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), values[1:])
        return context.get_dummy_value()

    return numba.types.void(entry, share, shares, kept), emit


def _emit_call(context: Any, builder: Any, address: Any, kinds: Any, given: Any) -> None:
    function = context.call_conv.get_function_type(numba.types.none, kinds)
    code = builder.inttoptr(address, function.as_pointer())
    context.call_conv.call_function(builder, code, numba.types.none, kinds, given)


def share_out(entry: int, shares: int, kept: int) -> None:
    """Run the code at an address for every share, each on a thread."""
    for task in prange(shares):
        _call_entry(entry, np.int64(task), shares, kept)


def start(driver: int, address: int, shares: int, arguments: tuple[Any, ...]) -> None:
    """Let the driver call the code at an address for every share.

    This is compiled for every kind of arguments; the driver, which has the threads and takes three
    times as long to compile, once for all.
    """
    entry, kept = _for_any_share(address, arguments)
    _call_code(driver, (entry, np.int64(shares), kept))
