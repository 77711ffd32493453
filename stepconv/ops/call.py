"""A call whose arguments have been checked: what each of its passes computes with, and what comes.

Every operation has a class of such calls. Its constructor is the one door: it refuses, plans, and
knows the shape of the result. `forward` and `backward` let the kernels work; a recorder asks for
the `plan` and for the same operands, by `forward_operands` and `backward_operands`, instead.
"""

from collections.abc import Mapping
from typing import NamedTuple

from stepconv.geometry import Axis, Plan, Shape
from stepconv.ops.arrays import Array, DType, laid_out


class Operands(NamedTuple):
    """The arrays of a pass in the types that it computes in; shape and type of its result."""

    arrays: dict[str, Array]
    shape: Shape
    dtype: DType


def operands(arrays: Mapping[str, Array], dtype: DType, shape: Shape) -> Operands:
    """Return operands that are all of the type of their result."""
    return Operands({name: laid_out(array, dtype) for name, array in arrays.items()}, shape, dtype)


def cells_plan(shape: Shape) -> Plan:
    """Return the plan of what becomes of each cell alone; a single number is a line of one."""
    return Plan(tuple(Axis(size, 1) for size in shape or (1,)))
