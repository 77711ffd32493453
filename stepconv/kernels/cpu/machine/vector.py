"""Vectors for kernels: what tiles are made of, and the file that speaks LLVM.

A tile is a small piece of machine code that kernels call. It is written as a Python function that
runs once, when the kernel is compiled: each operation on the values it is given emits the
instruction for it.

    @tile(np.float32)
    def add_rows(v: Vectors, left: Int, right: Int, out: Int, count: Int) -> None:
        def step(i: Int, _: list[Vector]) -> list[Vector]:
            at = i * v.bytes
            v.store(out + at, v.load(left + at) + v.load(right + at))
            return []
        v.loop(count, [], step)

Arguments are int64: addresses in bytes, and counts; or a NamedTuple of these, which the tile gets
under its name. A vector is as wide as this machine's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from stepconv.kernels.cpu.machine.host import (
    features,
    has_masks,
    lanes,
    registers,
    vector_bits,
)
from stepconv.kernels.cpu.machine.values import (
    INT64,
    Int,
    Mask,
    Vector,
    value_of,
)

__all__ = [
    "Int",
    "Mask",
    "Vector",
    "Vectors",
    "address",
    "features",
    "has_masks",
    "lanes",
    "registers",
    "tile",
    "vector_bits",
]

_INT32 = ir.IntType(32)


class Vectors:
    """What a tile can do with vectors of one type of number."""

    def __init__(self, builder: Any, dtype: Any) -> None:
        self._builder = builder
        self.size = np.dtype(dtype).itemsize
        self.lanes = lanes(dtype)
        self.bytes = self.size * self.lanes
        self._scalar = ir.FloatType() if self.size == 4 else ir.DoubleType()
        self._type = ir.VectorType(self._scalar, self.lanes)

    def load(self, address: Int) -> Vector:
        """Return the numbers at an address."""
        return self._vector(self._builder.load(self._pointer(address, self._type), align=self.size))

    def store(self, address: Int, vector: Vector) -> None:
        """Write a vector to an address."""
        pointer = self._pointer(address, self._type)
        self._builder.store(vector.value, pointer, align=self.size)

    def load_some(self, address: Int, count: Int) -> Vector:
        """Return the first `count` numbers at an address, 0 in the other lanes."""
        return self.load_where(self._first(count), address, self.zero())

    def store_some(self, address: Int, vector: Vector, count: Int) -> None:
        """Write the first `count` numbers of a vector to an address."""
        self.store_where(self._first(count), address, vector)

    def splat(self, address: Int) -> Vector:
        """Return a vector with the number at an address in every lane."""
        number = self._builder.load(self._pointer(address, self._scalar))
        undefined = ir.Constant(self._type, ir.Undefined)
        first = self._builder.insert_element(undefined, number, ir.Constant(_INT32, 0))
        everywhere = self._indices([0] * self.lanes)
        return self._vector(self._builder.shuffle_vector(first, undefined, everywhere))

    def constant(self, number: float) -> Vector:
        """Return a vector with a number in every lane."""
        return self._vector(ir.Constant(self._type, [number] * self.lanes))

    def zero(self) -> Vector:
        """Return a vector of zeros."""
        return self.constant(0)

    def integer(self, address: Int) -> Int:
        """Return the int64 at an address."""
        return Int(self._builder, self._builder.load(self._pointer(address, INT64)))

    def fma(self, a: Vector, b: Vector, c: Vector) -> Vector:
        """Return a · b + c, rounded once."""
        return self._vector(self._call("fma", self._type, [a.value, b.value, c.value]))

    def transposed(self, rows: list[Vector]) -> list[Vector]:
        """Return the columns of a square, by interleaving rows that lie half of it apart."""
        half = self.lanes // 2
        low = self._indices([x for i in range(half) for x in (i, self.lanes + i)])
        high = self._indices([x for i in range(half, 2 * half) for x in (i, self.lanes + i)])
        for _ in range(half.bit_length()):
            rows = [
                self._vector(self._builder.shuffle_vector(a.value, b.value, order))
                for a, b in zip(rows[:half], rows[half:], strict=True)
                for order in (low, high)
            ]
        return rows

    def loop(
        self,
        count: Int,
        state: Sequence[Vector],
        step: Callable[[Int, list[Vector]], Sequence[Vector]],
    ) -> list[Vector]:
        """Run `state = step(i, state)` for i from 0 to count - 1, with the state in registers.

        A count of 0 or less leaves the state as it is.
        """
        builder = self._builder
        before = builder.block
        body = builder.append_basic_block("loop")
        after = builder.append_basic_block("after")
        zero = value_of(0)
        builder.cbranch(builder.icmp_signed(">", count.value, zero), body, after)

        builder.position_at_end(body)
        i = builder.phi(INT64)
        carried = [builder.phi(self._type) for _ in state]
        results = list(step(Int(builder, i), [self._vector(phi) for phi in carried]))
        following = builder.add(i, value_of(1))
        last = builder.block
        builder.cbranch(builder.icmp_signed("<", following, count.value), body, after)
        i.add_incoming(zero, before)
        i.add_incoming(following, last)

        builder.position_at_end(after)
        final = []
        for phi, first, result in zip(carried, state, results, strict=True):
            phi.add_incoming(first.value, before)
            phi.add_incoming(result.value, last)
            out = builder.phi(self._type)
            out.add_incoming(first.value, before)
            out.add_incoming(result.value, last)
            final.append(self._vector(out))
        return final

    def lanes_between(self, low: Int, high: Int) -> Mask:
        """Return a mask of the lanes from `low` to `high` - 1."""
        builder = self._builder

        def below(count: Int) -> Any:
            """Return a number whose bits are 1 for the lanes below `count`."""
            some = self.most(0, self.least(count, self.lanes))
            return builder.sub(builder.shl(value_of(1), some.value), value_of(1))

        # Integers are worked with beside the vectors, and cost them no time.
        return self._mask(builder.and_(builder.not_(below(low)), below(high)))

    def mask(self, address: Int) -> Mask:
        """Return the mask whose lane l is bit l of the int64 at an address."""
        return self._mask(self.integer(address).value)

    def load_where(self, mask: Mask, address: Int, other: Vector) -> Vector:
        """Return the numbers at an address in the lanes of the mask, alone these are read."""
        args = [
            self._pointer(address, self._type),
            ir.Constant(_INT32, self.size),
            mask.value,
            other.value,
        ]
        return self._vector(self._call("masked.load", self._type, args, ".p0"))

    def store_where(self, mask: Mask, address: Int, vector: Vector) -> None:
        """Write the lanes of the mask to an address."""
        args = [
            vector.value,
            self._pointer(address, self._type),
            ir.Constant(_INT32, self.size),
            mask.value,
        ]
        self._call("masked.store", ir.VoidType(), args, ".p0")

    def above_or_nan(self, a: Vector, b: Vector) -> Mask:
        """Return where a > b or one of them is NaN."""
        return Mask(self._builder, self._builder.fcmp_unordered(">", a.value, b.value))

    def either_nan(self, a: Vector, b: Vector) -> Mask:
        """Return where a or b is NaN."""
        return Mask(self._builder, self._builder.fcmp_unordered("uno", a.value, b.value))

    def equal(self, a: Vector, b: Vector) -> Mask:
        """Return where a = b."""
        return Mask(self._builder, self._builder.fcmp_ordered("==", a.value, b.value))

    def select(self, mask: Mask, a: Vector, b: Vector) -> Vector:
        """Return a in the lanes of the mask and b in the others."""
        return self._vector(self._builder.select(mask.value, a.value, b.value))

    def quotient(self, a: Vector, b: Vector) -> Vector:
        """Return a / b."""
        return self._vector(self._builder.fdiv(a.value, b.value))

    def unzipped(self, a: Vector, b: Vector) -> list[Vector]:
        """Return the numbers of a and b at even places, and those at odd ones."""
        return [self._shuffled(a, b, range(odd, 2 * self.lanes, 2)) for odd in (0, 1)]

    def zipped(self, a: Vector, b: Vector) -> list[Vector]:
        """Return a0 b0 a1 b1 …, the contrary of `unzipped`."""
        turns = [x for i in range(self.lanes) for x in (i, self.lanes + i)]
        return [self._shuffled(a, b, half) for half in (turns[: self.lanes], turns[self.lanes :])]

    def moved_up(self, before: Vector, a: Vector, count: int) -> Vector:
        """Return a with its numbers `count` lanes further on, behind the last of `before`."""
        return self._shuffled(before, a, range(self.lanes - count, 2 * self.lanes - count))

    def sqrt(self, a: Vector) -> Vector:
        """Return the square root of a."""
        return self._vector(self._call("sqrt", self._type, [a.value]))

    def above(self, a: Vector, b: Vector) -> Mask:
        """Return where a > b; nowhere where one of them is NaN."""
        return Mask(self._builder, self._builder.fcmp_ordered(">", a.value, b.value))

    def add_totals(self, places: Sequence[Int], vectors: Sequence[Vector]) -> None:
        """Add the sum of the lanes of each vector to the number at its place."""
        for start in range(0, len(vectors), self.lanes):
            rows = list(vectors[start : start + self.lanes])
            rows += [self.zero()] * ((1 << (len(rows) - 1).bit_length()) - len(rows))
            for _ in range(self.lanes.bit_length() - 1):
                # Sums of neighbours, those of two rows in one, until a lane holds all of a row.
                pairs = zip(rows[::2], rows[1::2], strict=True) if rows[1:] else [rows * 2]
                rows = [even + odd for even, odd in (self.unzipped(*pair) for pair in pairs)]
            for lane, place in enumerate(places[start : start + self.lanes]):
                pointer = self._pointer(place, self._scalar)
                total = self._builder.extract_element(rows[0].value, ir.Constant(_INT32, lane))
                self._builder.store(self._builder.fadd(self._builder.load(pointer), total), pointer)

    def when(self, test: Int, yes: Callable[[], None], no: Callable[[], None]) -> None:
        """Run one piece where `test` is above 0, and the other where it is not."""
        positive = self._builder.icmp_signed(">", test.value, value_of(0))
        with self._builder.if_else(positive) as branches:
            for branch, piece in zip(branches, (yes, no), strict=True):
                with branch:
                    piece()

    def within(self, index: Int | int, low: Int | int, high: Int, inside: Int, outside: Int) -> Int:
        """Return `inside` where low <= index < high, else `outside`."""
        builder = self._builder
        above = builder.icmp_signed("<=", value_of(low), value_of(index))
        below = builder.icmp_signed("<", value_of(index), high.value)
        chosen = builder.select(builder.and_(above, below), inside.value, outside.value)
        return Int(builder, chosen)

    def least(self, a: Int | int, b: Int | int) -> Int:
        """Return the smaller of a and b."""
        return self._first_if("<", a, b)

    def most(self, a: Int | int, b: Int | int) -> Int:
        """Return the larger of a and b."""
        return self._first_if(">", a, b)

    def quotient_up(self, a: Int, b: int) -> Int:
        """Return a / b, rounded up."""
        return Int(self._builder, self._builder.sdiv((a + (b - 1)).value, value_of(b)))

    def stream(self, address: Int, vector: Vector) -> None:
        """Write a vector past the caches, to an address that is a multiple of its size.

        Other threads see it after a `fence`.
        """
        pointer = self._pointer(address, self._type)
        stored = self._builder.store(vector.value, pointer, align=self.bytes)
        hint = self._builder.module.add_metadata([ir.Constant(_INT32, 1)])
        stored.set_metadata("nontemporal", hint)

    def prefetch(self, address: Int) -> None:
        """Ask for the line of memory at an address, which will be read soon."""
        # To read, into the second cache, data.
        options = [ir.Constant(_INT32, number) for number in (0, 2, 1)]
        args = [self._pointer(address, self._scalar), *options]
        self._function("llvm.prefetch.p0", ir.VoidType(), args)

    def fence(self) -> None:
        """Wait until all that was written can be seen by other threads."""
        self._builder.fence("seq_cst")

    def move(self, source: Int, out: Int, size: int) -> None:
        """Copy a number of `size` bytes, whatever its type."""
        number = ir.IntType(8 * size)
        pointer = self._pointer(source, number)
        self._builder.store(self._builder.load(pointer), self._pointer(out, number))

    def _shuffled(self, a: Vector, b: Vector, order: Sequence[int]) -> Vector:
        indices = self._indices(list(order))
        return self._vector(self._builder.shuffle_vector(a.value, b.value, indices))

    def _vector(self, value: Any) -> Vector:
        return Vector(self._builder, value)

    def _pointer(self, address: Int, to: Any) -> Any:
        return self._builder.inttoptr(address.value, to.as_pointer())

    def _indices(self, order: list[int]) -> Any:
        return ir.Constant(ir.VectorType(_INT32, len(order)), order)

    def _mask(self, bits: Any) -> Mask:
        """Return the mask whose lane l is bit l of an int64."""
        narrow = self._builder.trunc(bits, ir.IntType(self.lanes))
        kind = ir.VectorType(ir.IntType(1), self.lanes)
        return Mask(self._builder, self._builder.bitcast(narrow, kind))

    def _first(self, count: Int) -> Mask:
        """Return a mask of the lanes below `count`."""
        wide = ir.VectorType(INT64, self.lanes)
        undefined = ir.Constant(wide, ir.Undefined)
        one = self._builder.insert_element(undefined, count.value, ir.Constant(_INT32, 0))
        limit = self._builder.shuffle_vector(one, undefined, self._indices([0] * self.lanes))
        numbers = ir.Constant(wide, list(range(self.lanes)))
        return Mask(self._builder, self._builder.icmp_signed("<", numbers, limit))

    def _call(self, name: str, returns: Any, args: list[Any], suffix: str = "") -> Any:
        """Call one of LLVM's own functions on vectors of this type."""
        full = f"llvm.{name}.v{self.lanes}f{8 * self.size}{suffix}"
        return self._function(full, returns, args)

    def _function(self, name: str, returns: Any, args: list[Any]) -> Any:
        kind = ir.FunctionType(returns, [arg.type for arg in args])
        module = self._builder.module
        function = module.globals.get(name) or ir.Function(module, kind, name)
        return self._builder.call(function, args)

    def _first_if(self, relation: str, a: Int | int, b: Int | int) -> Int:
        first, second = value_of(a), value_of(b)
        chosen = self._builder.icmp_signed(relation, first, second)
        return Int(self._builder, self._builder.select(chosen, first, second))


def tile(dtype: Any) -> Callable[[Callable[..., None]], Any]:
    """Make a function that kernels can call out of a recipe for vectors of `dtype`.

    It stays a function of its own in the machine code. Put into the middle of a kernel, it would
    have to share the registers with all that goes on there, and its loops would be slower by half.
    """

    def make(recipe: Callable[..., None]) -> Any:
        def function_in(module: Any, kinds: tuple[Any, ...], count: int) -> Any:
            for found in module.functions:
                if getattr(found, "recipe", None) is recipe:
                    return found
            name = module.get_unique_name(f"tile.{recipe.__name__}")
            function = ir.Function(module, ir.FunctionType(ir.VoidType(), [INT64] * count), name)
            function.recipe = recipe
            function.linkage = "internal"
            function.attributes.add("noinline")
            function.attributes.add("nounwind")
            builder = ir.IRBuilder(function.append_basic_block())
            numbers = (Int(builder, number) for number in function.args)
            recipe(Vectors(builder, dtype), *(_named(kind, numbers) for kind in kinds))
            builder.ret_void()
            return function

        def typed(_context: Any, *kinds: Any) -> Any:
            def emit(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
                numbers = _int64s(context, builder, types.Tuple(given), values[0])
                builder.call(function_in(builder.module, kinds, len(numbers)), numbers)
                return context.get_dummy_value()

            given = [kind if isinstance(kind, types.BaseTuple) else types.int64 for kind in kinds]
            return types.void(types.StarArgTuple(given)), emit

        return intrinsic(typed)

    return make


def _int64s(context: Any, builder: Any, kind: Any, value: Any) -> list[Any]:
    """Return a number, or all that a tuple holds, as int64."""
    if not isinstance(kind, types.BaseTuple):
        return [context.cast(builder, value, kind, types.int64)]
    parts = [(one, builder.extract_value(value, i)) for i, one in enumerate(kind)]
    return [number for one, part in parts for number in _int64s(context, builder, one, part)]


def _named(kind: Any, numbers: Iterator[Int]) -> Any:
    """Return the next of the numbers, or as many as a NamedTuple holds, under their names."""
    if not isinstance(kind, types.BaseTuple):
        return next(numbers)
    return kind.instance_class(*(_named(one, numbers) for one in kind))


@intrinsic
def address(_context: Any, array: Any) -> Any:
    """Return where the first number of an array lies; the caller keeps the array alive."""

    def emit(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        made = context.make_array(signature.args[0])(context, builder, values[0])
        return builder.ptrtoint(made.data, INT64)

    return types.int64(array), emit
