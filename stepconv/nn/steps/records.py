"""What a network computes step by step, as plain data that any backend can write down.

A step reads tensors and makes one. On the way back it turns the gradient of what it made into those
of all that it read. Where several steps give one tensor a gradient, the first to go back stores its
own and the others add theirs: `adds` says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from stepconv.geometry import Axis, Plan
from stepconv.nn.dropout import threshold
from stepconv.nn.layers import AvgPool, BatchNorm, Conv, Dense, Dropout, GlobalAvgPool, MaxPool
from stepconv.nn.model import Place
from stepconv.nn.published.fixed import ChannelShuffle, LocalNorm
from stepconv.nn.steps.tensors import Tensor

_CELL = Axis(size=1, window=1)


@dataclass(eq=False)
class Step:
    """One layer at its place in a network."""

    place: Place
    reads: tuple[Tensor, ...]
    y: Tensor
    # For each tensor that is read: whether its gradient holds something when this step goes back.
    adds: tuple[bool, ...] = field(default=(), init=False)

    @property
    def x(self) -> Tensor:
        """What is read, where that is one tensor."""
        return self.reads[0]


@dataclass(eq=False)
class SumStep(Step):
    """Sums of products with weights, and then the activation that y has."""

    layer: Conv | Dense

    @cached_property
    def plan(self) -> Plan:
        """How a window slides over x; a dense layer's is one cell on an image of one."""
        return Plan((_CELL, _CELL), self.x.cells, self.y.cells)

    @property
    def inner(self) -> Plan:
        """The same for the image alone, where x is one with a border."""
        return self.plan


@dataclass(eq=False)
class ConvStep(SumStep):
    """Filters that slide over the image."""

    layer: Conv

    @cached_property
    def plan(self) -> Plan:
        return self.inner.after_padding() if self.x.bordered else self.inner

    @cached_property
    def inner(self) -> Plan:
        return self.layer.plan(self.place.input)


@dataclass(eq=False)
class DenseStep(SumStep):
    """Every output sums every input."""

    layer: Dense


@dataclass(eq=False)
class PoolStep(Step):
    """One number for each window of a channel."""

    layer: MaxPool | AvgPool | GlobalAvgPool

    @cached_property
    def plan(self) -> Plan:
        """How the window slides over x."""
        return self.layer.plan(self.place.input)


@dataclass(eq=False)
class MaxPoolStep(PoolStep):
    """The largest cell of each window."""

    @property
    def writes_once(self) -> bool:
        """Whether the windows lie side by side and leave no cell out."""
        return all(axis.stride >= axis.span and not axis.unread() for axis in self.plan.axes)


@dataclass(eq=False)
class AvgPoolStep(PoolStep):
    """The mean of each window, or of the whole plane."""

    @property
    def counts(self) -> list[tuple[int, ...]]:
        """Along each axis, how many cells of each window an average divides by."""
        include = isinstance(self.layer, AvgPool) and self.layer.count_include_pad
        return [axis.counts(include_pad=include) for axis in self.plan.axes]


@dataclass(eq=False)
class ActivationStep(Step):
    """An activation by slope that nobody could apply on the way: ReLU of a sum of branches."""


@dataclass(eq=False)
class SqueezeStep(Step):
    """Tanh or sigmoid: `kind` is one of kernels/kinds.py."""

    kind: int


@dataclass(eq=False)
class LocalNormStep(Step):
    """Each cell divided by the strength of its neighbours in other channels."""

    layer: LocalNorm


@dataclass(eq=False)
class ShuffleStep(Step):
    """The channels of each group dealt out to all groups."""

    layer: ChannelShuffle


@dataclass(eq=False)
class DropoutStep(Step):
    """Silences a share of the cells; the way back silences the same ones."""

    layer: Dropout
    number: int  # of all dropouts of the network

    @property
    def threshold(self) -> int:
        """The number below which a cell's 32 bits silence it."""
        return threshold(self.layer.rate)

    @property
    def scale(self) -> float:
        """What the cells that are kept are multiplied by."""
        return 1 / (1 - self.layer.rate)


@dataclass(eq=False)
class NormStep(Step):
    """Batch normalisation: sums of each channel over the batch, then what they tell all."""

    layer: BatchNorm

    @property
    def cells(self) -> int:
        """Cells of a channel."""
        return self.x.cells // self.x.channels


@dataclass(eq=False)
class AddStep(Step):
    """The sum of two branches."""


@dataclass(eq=False)
class ConcatStep(Step):
    """Branches on top of each other: `parts` are what each of them becomes a part of y as.

    A branch that can be made in place is its own part; the others are copied there.
    """

    parts: tuple[Tensor, ...]

    def slope(self, made: Tensor) -> float:
        """Return the slope that a branch's gradient still has to go back through.

        Where all branches have one activation, what reads the whole has done so.
        """
        return 1.0 if made.slope == self.y.slope else made.slope
