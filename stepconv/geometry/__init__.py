"""Every size, pad and window bound in plain integers: nothing else in stepconv counts cells."""

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
