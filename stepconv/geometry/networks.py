"""Sizes of a stack of layers: how much of the picture one cell sees, how much there is to learn."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

from stepconv.errors import ArgumentError
from stepconv.geometry.axis import Axis
from stepconv.geometry.options import flag, integer, per_axis


@dataclass(frozen=True, slots=True)
class ReceptiveField:
    """The cells of the input that one cell of the last layer depends on, along one axis.

    Cell i of the output sees [start + i·jump, start + i·jump + size) of the input.
    """

    size: int = 1
    jump: int = 1
    start: int = 0

    def bounds(self, index: int) -> tuple[int, int]:
        """Return [start, stop) in cells of the network's input; negative in the padding."""
        first = self.start + index * self.jump
        return first, first + self.size


def receptive_field(layers: Iterable[Axis], before: ReceptiveField | None = None) -> ReceptiveField:
    """Return what one output cell of a stack of layers sees; `layers` from first to last.

    `before` is what a cell sees that goes into the first of them: itself if left out.

    >>> three = Axis(size=28, window=3, before=1, after=1)
    >>> receptive_field([three, three])
    ReceptiveField(size=5, jump=1, start=-2)
    """
    field = before or ReceptiveField()
    size, jump, start = field.size, field.jump, field.start
    for layer in layers:
        size += (layer.span - 1) * jump
        start -= layer.before * jump
        jump *= layer.stride
    return ReceptiveField(size, jump, start)


def covering(fields: Iterable[ReceptiveField]) -> ReceptiveField:
    """Return what a cell sees that is made of one cell of each of several stacks.

    >>> covering([ReceptiveField(), ReceptiveField(size=3, start=-1)])
    ReceptiveField(size=3, jump=1, start=-1)
    """
    every = tuple(fields)
    start = min(field.start for field in every)
    stop = max(field.start + field.size for field in every)
    return ReceptiveField(stop - start, max(field.jump for field in every), start)


def parameter_count(
    out_channels: int,
    in_channels: int,
    kernel: int | Sequence[int],
    *,
    bias: Any = True,
    groups: int = 1,
) -> int:
    """Return the learnt numbers of a layer of filters; an int kernel is square.

    >>> parameter_count(10, 3, 3)
    280
    """
    out_channels = integer("out_channels", out_channels, 1)
    in_channels, groups = integer("in_channels", in_channels, 1), integer("groups", groups, 1)
    if in_channels % groups or out_channels % groups:
        raise ArgumentError(
            f"groups={groups} does not divide in_channels={in_channels} "
            f"and out_channels={out_channels}"
        )
    axes = len(kernel) if isinstance(kernel, Sequence) else 2
    weights = in_channels // groups * prod(per_axis("kernel", kernel, axes, 1))
    return out_channels * (weights + flag("bias", bias))


def dense_parameter_count(inputs: int, outputs: int, *, bias: Any = True) -> int:
    """Return the learnt numbers of a fully connected layer.

    >>> dense_parameter_count(3072, 1024)
    3146752
    """
    inputs, outputs = integer("inputs", inputs, 1), integer("outputs", outputs, 1)
    return inputs * outputs + (outputs if flag("bias", bias) else 0)
