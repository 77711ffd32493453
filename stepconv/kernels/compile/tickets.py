"""How threads divide work: they draw tickets from a board, and none waits for one that sleeps.

A board is a few numbers in memory, each on a cache line of its own. Whoever has a job publishes it:
code to be called, where its arguments lie, how many parts there are. Then the publisher draws parts
from the board like every worker that is awake, and waits only for parts that somebody has really
drawn. A worker that the system never wakes costs nothing.

    TICKET   number of the job · threads · parts · next part, in one word: it is drawn by one
             exchange, so that what was drawn surely belongs to the job that is told beside it
    DONE     parts of the job that are finished
    CODE, KEPT  what is called for a part, and where its arguments lie
    STOP     not 0: workers go home
    RUNNING  not 0: more may be published any moment, nobody parks
    CORE     the core that the publisher ran on
    CLOCK, YIELD, SLEEP, PLACE  functions of the system, by address
    NOTES    a line for each thread: when its turn BEGAN, until when others SHARED its core, and
             for what SPAN of time (turns.py)

All of it runs without the interpreter's lock. The board's address comes as an argument, so that the
compiled code may be kept on disk.
"""

from __future__ import annotations

import platform
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from stepconv.kernels.compile.numba_parts import cgutils
from stepconv.kernels.environment import MOST_THREADS

WORD = 64  # bytes from one number of the board to the next
TICKET, DONE, STOP, RUNNING, CODE, KEPT, CORE, CLOCK, YIELD, SLEEP, PLACE = (
    WORD * place for place in range(11)
)
NOTES = WORD * 11
BEGAN, SHARED, SPAN = 0, 8, 16
ARGUMENTS = NOTES + WORD * (MOST_THREADS + 1)  # from here on: those of the job that is published
BYTES = ARGUMENTS + 2**13

# The fields of a ticket: how far each is shifted, and its bits. Threads have eight.
assert MOST_THREADS < 2**8
NEXT, PARTS, THREADS, NUMBER = 0, 14, 28, 36
MOST = 2**14 - 1

# A share, as kernels are handed it: which part it is, shifted, and of how many.
SHARE = 16
WHOLE = 1  # part 0 of 1

_INTEGER, _BYTE = ir.IntType(64), ir.IntType(8).as_pointer()
# An instruction that lets the other thread of a core, or of a machine, have its turn.
_PAUSES = {
    "x86_64": ("llvm.x86.sse2.pause", []),
    "amd64": ("llvm.x86.sse2.pause", []),
    "aarch64": ("llvm.aarch64.hint", [ir.Constant(ir.IntType(32), 1)]),
    "arm64": ("llvm.aarch64.hint", [ir.Constant(ir.IntType(32), 1)]),
}
_PAUSE = _PAUSES.get(platform.machine().lower())


def _number_at(builder: Any, place: Any) -> Any:
    return builder.inttoptr(place, _INTEGER.as_pointer())


@intrinsic
def look(_context: Any, place: Any) -> Any:
    """Return the number at an address, with all that was written before it."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load_atomic(_number_at(builder, values[0]), "acquire", 8)

    return types.int64(types.int64), emit


@intrinsic
def tell(_context: Any, place: Any, number: Any) -> Any:
    """Write a number to an address, after all that was written before it."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store_atomic(values[1], _number_at(builder, values[0]), "release", 8)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64), emit


@intrinsic
def add(_context: Any, place: Any, number: Any) -> Any:
    """Add to the number at an address, in one go."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.atomic_rmw("add", _number_at(builder, values[0]), values[1], "acq_rel")

    return types.int64(types.int64, types.int64), emit


@intrinsic
def exchange(_context: Any, place: Any, old: Any, new: Any) -> Any:
    """Put `new` at an address if `old` is there still, in one go; tell whether it was."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place, old, new = values
        pair = builder.cmpxchg(_number_at(builder, place), old, new, "acq_rel", "acquire")
        return builder.extract_value(pair, 1)

    return types.boolean(types.int64, types.int64, types.int64), emit


@intrinsic
def pause(_context: Any) -> Any:
    """Let some nanoseconds pass."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if _PAUSE is not None:
            name, given = _PAUSE
            kind = ir.FunctionType(ir.VoidType(), [value.type for value in given])
            builder.call(cgutils.get_or_insert_function(builder.module, kind, name), given)
        return context.get_dummy_value()

    return types.void(), emit


@intrinsic
def call(_context: Any, code: Any, kept: Any, worker: Any, share: Any) -> Any:
    """Call code(kept, worker, share) at an address."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        kind = ir.FunctionType(ir.VoidType(), [_INTEGER] * 3)
        builder.call(builder.inttoptr(values[0], kind.as_pointer()), values[1:])
        return context.get_dummy_value()

    return types.void(*[types.int64] * 4), emit


@intrinsic
def ask(_context: Any, function: Any, number: Any) -> Any:
    """Call a function of the system, int(int), at an address, and return its answer."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        small = ir.IntType(32)
        kind = ir.FunctionType(small, [small])
        code = builder.inttoptr(values[0], kind.as_pointer())
        return builder.sext(builder.call(code, [builder.trunc(values[1], small)]), _INTEGER)

    return types.int64(types.int64, types.int64), emit


@intrinsic
def nanoseconds(_context: Any, clock: Any, number: Any) -> Any:
    """Return what clock_gettime at address `clock` says of the clock of this number."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        small = ir.IntType(32)
        time = cgutils.alloca_once(builder, ir.ArrayType(_INTEGER, 2))
        kind = ir.FunctionType(small, [small, time.type])
        code = builder.inttoptr(values[0], kind.as_pointer())
        builder.call(code, [builder.trunc(values[1], small), time])
        seconds, rest = cgutils.unpack_tuple(builder, builder.load(time), 2)
        return builder.add(builder.mul(seconds, _INTEGER(10**9)), rest)

    return types.int64(types.int64, types.int64), emit
