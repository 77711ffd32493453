"""What a tile works on while it is written: numbers, vectors and masks that LLVM will compute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir

INT64 = ir.IntType(64)


@dataclass(frozen=True)
class Int:
    """An int64 in a tile: an address or a count."""

    builder: Any
    value: Any

    def __add__(self, other: Int | int) -> Int:
        return Int(self.builder, self.builder.add(self.value, value_of(other)))

    def __sub__(self, other: Int | int) -> Int:
        return Int(self.builder, self.builder.sub(self.value, value_of(other)))

    def __mul__(self, other: Int | int) -> Int:
        return Int(self.builder, self.builder.mul(self.value, value_of(other)))


@dataclass(frozen=True)
class Vector:
    """A vector of floating-point numbers in a tile."""

    builder: Any
    value: Any

    def __add__(self, other: Vector) -> Vector:
        return Vector(self.builder, self.builder.fadd(self.value, other.value))

    def __sub__(self, other: Vector) -> Vector:
        return Vector(self.builder, self.builder.fsub(self.value, other.value))

    def __mul__(self, other: Vector) -> Vector:
        return Vector(self.builder, self.builder.fmul(self.value, other.value))


@dataclass(frozen=True)
class Mask:
    """A yes or no for each lane of a vector in a tile."""

    builder: Any
    value: Any

    def __and__(self, other: Mask) -> Mask:
        return Mask(self.builder, self.builder.and_(self.value, other.value))

    def __or__(self, other: Mask) -> Mask:
        return Mask(self.builder, self.builder.or_(self.value, other.value))

    def __invert__(self) -> Mask:
        return Mask(self.builder, self.builder.not_(self.value))


def value_of(number: Int | int) -> Any:
    """Return the LLVM value of a number."""
    return number.value if isinstance(number, Int) else ir.Constant(INT64, number)
