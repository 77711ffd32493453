"""Operands by name: what a kernel of a program reads off its row, and how its code is called."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
)

from stepconv.kernels.compile.numba_parts import AttributeTemplate
from stepconv.kernels.cpu.machine.values import INT64, Int

_ROW = ir.LiteralStructType([INT64, INT64])
_CODE = ir.FunctionType(ir.VoidType(), [_ROW])


class Row(types.Type):
    """The only argument of a kernel of a program: where its row is, and the number of the task.

    In the row lie the code's address, the spots, the integers, the floats; all take eight bytes.

        o.task       the number of the task
        o.x          of a spot: the address that is the task's own
        o.x_task     by how many bytes it moves on from task to task
        o.count      of an integer: itself
        o.scale      of a float: the address of it
    """

    def __init__(self, spots: tuple[str, ...], integers: tuple[str, ...], floats: tuple[str, ...]):
        self.spots, self.integers, self.floats = spots, integers, floats
        words = [word for spot in spots for word in (spot, f"{spot}_task")]
        self.places = {name: 1 + i for i, name in enumerate((*words, *integers, *floats))}
        super().__init__(f"Row({' '.join(words)} | {' '.join(integers)} | {' '.join(floats)})")


@register_model(Row)
class _RowModel(models.StructModel):
    def __init__(self, manager: Any, row: Any) -> None:
        super().__init__(manager, row, [("address", types.int64), ("task", types.int64)])


@infer_getattr
class _Names(AttributeTemplate):
    key = Row

    def generic_resolve(self, row: Row, name: str) -> Any:
        """Return the type of what is found under a name."""
        return types.int64 if name == "task" or name in row.places else None


@lower_getattr_generic(Row)
def _operand(_context: Any, builder: Any, row: Row, value: Any, name: str) -> Any:
    address, task = (Int(builder, builder.extract_value(value, i)) for i in range(2))
    if name == "task":
        return task.value

    def word(name: str) -> Int:
        pointer = (address + 8 * row.places[name]).value
        read = builder.load(builder.inttoptr(pointer, INT64.as_pointer()))
        # No kernel writes into a row, so that the compiler need not read it twice.
        read.set_metadata("invariant.load", builder.module.add_metadata([]))
        return Int(builder, read)

    if name in row.floats:
        return (address + 8 * row.places[name]).value
    if name in row.spots:
        return (word(name) + task * word(f"{name}_task")).value
    return word(name).value


@intrinsic
def call(_context: Any, code: Any, row: Any, task: Any) -> Any:
    """Call the code at an address with the address of a row and the number of a task."""

    def emit(context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        code, row, task = values
        given = builder.insert_value(ir.Constant(_ROW, ir.Undefined), row, 0)
        given = builder.insert_value(given, task, 1)
        builder.call(builder.inttoptr(code, _CODE.as_pointer()), [given])
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, types.int64), emit
