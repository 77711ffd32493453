"""Runs code at an address once for every share of some work, each on a thread of Numba's.

Numba's threads run functions of one kind: those of a gufunc, that is of NumPy's generalised ufuncs.
The arguments of the code are laid down in memory, beside a small function of that kind that takes
them up again and calls the code. `prange` would come to the same, but takes half a second to
compile.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba.extending import intrinsic

from stepconv.kernels.compile.numba_parts import HAND_OUT, cgutils


@intrinsic
def _for_every_share(_context: Any, address: Any, shares: Any, arguments: Any) -> Any:
    """Call the code at an address with share, shares and the arguments, for every share."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kept = cgutils.alloca_once_value(builder, cgutils.pack_struct(builder, values))
        entry = _entry(context, builder.module, kept.type, signature.args[2].types)
        integer, byte = context.get_value_type(numba.types.int64), ir.IntType(8).as_pointer()
        # An array of bytes that begins at address 0: the address of a cell is its share.
        begin = cgutils.alloca_once_value(builder, byte(None))
        sizes = cgutils.alloca_once_value(builder, cgutils.pack_array(builder, [values[1]] * 2))
        steps = cgutils.alloca_once_value(builder, integer(1))
        given = [builder.bitcast(value, byte) for value in (entry, begin, sizes, steps, kept)]
        numbers = [integer(1), integer(1), values[1]]
        kind = ir.FunctionType(ir.VoidType(), [v.type for v in (*given, *numbers)])
        hand_out = cgutils.get_or_insert_function(builder.module, kind, HAND_OUT)
        builder.call(hand_out, given + numbers)
        return context.get_dummy_value()

    return numba.types.void(address, shares, arguments), emit


def _entry(context: Any, module: Any, kept: Any, kinds: Any) -> Any:
    """Return what a thread runs: entry(arrays, sizes, steps, kept) does sizes[0] shares."""
    number = numba.types.int64
    integer, byte = context.get_value_type(number), ir.IntType(8).as_pointer()
    pointers = [byte.as_pointer(), integer.as_pointer(), integer.as_pointer(), byte]
    entry = ir.Function(module, ir.FunctionType(ir.VoidType(), pointers), ".stepconv.entry")
    entry.linkage = "internal"
    builder = ir.IRBuilder(entry.append_basic_block())
    arrays, sizes, _, place = entry.args
    first = builder.ptrtoint(builder.load(arrays), integer)
    values = builder.load(builder.bitcast(place, kept))
    address, shares, given = cgutils.unpack_tuple(builder, values)
    arguments = cgutils.unpack_tuple(builder, given, len(kinds))
    function = context.call_conv.get_function_type(numba.types.none, (number, number, *kinds))
    code = builder.inttoptr(address, function.as_pointer())
    with cgutils.for_range(builder, builder.load(sizes)) as loop:
        share = builder.add(first, loop.index)
        context.call_conv.call_function(
            builder, code, numba.types.none, (number, number, *kinds), [share, shares, *arguments]
        )
    builder.ret_void()
    return entry


def start(address: int, shares: int, arguments: tuple[Any, ...]) -> None:
    """Call the code at an address for every share. This is compiled for every kind of arguments."""
    _for_every_share(address, shares, arguments)
