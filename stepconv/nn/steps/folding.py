"""Steps for answers alone: what follows sums of products is done while these are written.

A norm by known numbers is a factor and a shift of each channel: the weights before it take them.
Where two branches are added, the one that is made last adds the other on its way.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.nn.steps.records import AddStep, NormStep, Step, SumStep
from stepconv.nn.steps.tensors import Tensor

Array = NDArray[Any]
Arrays = Mapping[str, Array]


@dataclass(eq=False)
class FoldedStep(Step):
    """Sums of products, with the norm and the sum of branches that follow them."""

    sums: SumStep
    norm: NormStep | None = None

    @property
    def other(self) -> Tensor | None:
        """The branch that is added."""
        return self.reads[1] if len(self.reads) > 1 else None

    def follow(self, step: Step, *others: Tensor) -> None:
        """Do what another step does, as well."""
        self.reads += others
        self.y = step.y

    def arrays(self, parameters: Arrays, statistics: Arrays) -> tuple[Array, Array]:
        """Return weights and biases, with the norm in them."""
        name, filters = self.sums.place.name, self.y.channels
        w = parameters[f"{name}.weight"]
        bias = parameters[f"{name}.bias"] if self.sums.layer.bias else np.zeros(filters, np.float32)
        if self.norm is None:
            return w, bias
        factor, shift = scale_and_shift(self.norm, parameters, statistics)
        scaled = w * factor.reshape(-1, *(1,) * (w.ndim - 1))
        return scaled.astype(np.float32), (bias * factor + shift).astype(np.float32)


def scale_and_shift(step: NormStep, parameters: Arrays, statistics: Arrays) -> tuple[Array, Array]:
    """Return by what each channel is multiplied, and what is added then, in float64."""
    name = step.place.name
    mean, variance = (
        np.float64(statistics[f"{name}.running_{which}"]) for which in ("mean", "var")
    )
    factor = parameters[f"{name}.weight"] / np.sqrt(variance + step.layer.epsilon)
    return factor, parameters[f"{name}.bias"] - mean * factor


def fold(steps: list[Step]) -> list[Step]:
    """Return the steps of a network that does not learn, with what can be done at once as one."""
    readers = Counter(t.root for step in steps for t in step.reads)
    folded: list[Step] = []
    made: dict[Tensor, int] = {}  # by which of them last, for each root

    def last(t: Tensor) -> FoldedStep | None:
        """Return the step that makes t, if it can go on with what t becomes."""
        step = folded[made[t]] if t in made else None
        free = readers[t] == 1 and (t.slope, t.limit) == (1, inf)
        return step if isinstance(step, FoldedStep) and step.other is None and free else None

    for step in steps:
        before = None
        if isinstance(step, NormStep):
            before = last(step.x)
            if before is not None and before.norm is None:
                before.norm = step
                before.follow(step)
            else:
                before = None
        elif isinstance(step, AddStep):
            other, t = sorted(step.reads, key=lambda t: made.get(t.root, -1))
            before = None if other is t else last(t)
            if before is not None:
                before.follow(step, other)
        if before is not None:
            made[step.y.root] = folded.index(before)
            continue
        made[step.y.root] = len(folded)
        if isinstance(step, SumStep):
            step = FoldedStep(step.place, step.reads, step.y, step)
        folded.append(step)
    return folded
