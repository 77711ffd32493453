"""What there is to look at: the worked examples of the lectures, named kernels and pictures."""

from stepconv.trace.gallery import (
    GROUPS,
    NamedKernel,
    WorkedExample,
    named_kernels,
    pictures,
    worked_example,
    worked_examples,
)

__all__ = [
    "GROUPS",
    "NamedKernel",
    "WorkedExample",
    "named_kernels",
    "pictures",
    "worked_example",
    "worked_examples",
]
