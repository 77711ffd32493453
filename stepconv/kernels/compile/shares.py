"""Lays the arguments of a kernel down in memory, beside code that takes them up again and calls it.

Threads know nothing of a kernel's arguments: they call code(kept, worker, share). Arrays are lent
to them without their owners, which Python keeps for as long as the call lasts: what compiled code
knows of an owner ends whenever the caller looks after Ctrl-C, though others are still at work.
"""

from __future__ import annotations

from typing import Any

import numba
from llvmlite import ir
from numba.extending import intrinsic

from stepconv.kernels.compile.drawing import finish, publish
from stepconv.kernels.compile.numba_parts import cgutils
from stepconv.kernels.compile.tickets import ARGUMENTS, BYTES


@intrinsic
def _lay(_context: Any, place: Any, address: Any, arguments: Any) -> Any:
    """Lay the address of a kernel's code and its arguments down; return what takes them up."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        lent = _without_owners(context, builder, signature.args[2], values[2])
        kept = cgutils.pack_struct(builder, [values[1], lent])
        if context.get_abi_sizeof(kept.type) > BYTES - ARGUMENTS:
            raise numba.errors.TypingError("these are more arguments than a board has room for")
        to = builder.inttoptr(values[0], kept.type.as_pointer())
        builder.store(kept, to)
        entry = _entry(context, builder.module, kept.type, signature.args[2].types)
        return builder.ptrtoint(entry, context.get_value_type(numba.types.int64))

    return numba.types.int64(place, address, arguments), emit


def _without_owners(context: Any, builder: Any, kind: Any, value: Any) -> Any:
    """Return arguments whose arrays belong to nobody, so that nobody counts who uses them."""
    if isinstance(kind, numba.types.Array):
        array = context.make_array(kind)(context, builder, value)
        array.meminfo = cgutils.get_null_value(array.meminfo.type)
        array.parent = cgutils.get_null_value(array.parent.type)
        return array._getvalue()
    if isinstance(kind, numba.types.BaseTuple):
        for i, one in enumerate(kind):
            part = _without_owners(context, builder, one, builder.extract_value(value, i))
            value = builder.insert_value(value, part, i)
    return value


def _entry(context: Any, module: Any, kept: Any, kinds: Any) -> Any:
    """Return what a thread runs: entry(kept, worker, share) calls the kernel's code."""
    number = numba.types.int64
    integer = context.get_value_type(number)
    entry = ir.Function(module, ir.FunctionType(ir.VoidType(), [integer] * 3), ".stepconv.entry")
    entry.linkage = "internal"
    builder = ir.IRBuilder(entry.append_basic_block())
    place, worker, share = entry.args
    values = builder.load(builder.inttoptr(place, kept.as_pointer()))
    address, given = cgutils.unpack_tuple(builder, values)
    arguments = cgutils.unpack_tuple(builder, given, len(kinds))
    function = context.call_conv.get_function_type(numba.types.none, (number, number, *kinds))
    code = builder.inttoptr(address, function.as_pointer())
    context.call_conv.call_function(
        builder, code, numba.types.none, (number, number, *kinds), [worker, share, *arguments]
    )
    builder.ret_void()
    return entry


def start(
    board: int, threads: int, parts: int, until: int, address: int, arguments: tuple[Any, ...]
) -> bool:
    """Publish a kernel's call, or go on with it where `parts` is 0; tell whether all is done.

    This is compiled for every kind of arguments.
    """
    if parts > 0:
        entry = _lay(board + ARGUMENTS, address, arguments)
        publish(board, entry, board + ARGUMENTS, threads, parts)
    return finish(board, until)
