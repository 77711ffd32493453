"""Every size, pad and window bound in plain integers: nothing else in stepconv counts cells.

options         the spellings of stride, padding and dilation, at one door
axis            one spatial axis of a call: where windows start, how many there are
plan            the frozen integers of a call; slide: those that kernels are given, by name
budget          how much of memory and loops a call may take, told from its plan
reading         what one output cell reads along an axis, forwards and backwards
networks        sizes of a stack of layers
"""

from stepconv.geometry.axis import Axis, same_pads
from stepconv.geometry.networks import (
    ReceptiveField,
    covering,
    dense_parameter_count,
    parameter_count,
    receptive_field,
)
from stepconv.geometry.options import (
    LARGEST_SIZE,
    MODES,
    PADDINGS,
    flag,
    integer,
    is_sequence,
    pads,
    per_axis,
    word,
)
from stepconv.geometry.plan import (
    Plan,
    Shape,
    correlation_plan,
    output_size,
    padding_plan,
    pooling_plan,
    transposed_plan,
)
from stepconv.geometry.reading import Reading
from stepconv.geometry.slide import Slide, Window

__all__ = [
    "LARGEST_SIZE",
    "MODES",
    "PADDINGS",
    "Axis",
    "Plan",
    "Reading",
    "ReceptiveField",
    "Shape",
    "Slide",
    "Window",
    "correlation_plan",
    "covering",
    "dense_parameter_count",
    "flag",
    "integer",
    "is_sequence",
    "output_size",
    "padding_plan",
    "pads",
    "parameter_count",
    "per_axis",
    "pooling_plan",
    "receptive_field",
    "same_pads",
    "transposed_plan",
    "word",
]
