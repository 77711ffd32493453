"""Call: which operation was called with which options, as plain data; the numbers apart."""

from dataclasses import dataclass
from typing import Any

from stepconv.geometry import Plan
from stepconv.operations import PASSES, Pass


@dataclass(frozen=True)
class Call:
    """An operation's name, its plan, and the few options that are not in the plan."""

    op: str
    plan: Plan
    mode: str = "zeros"
    value: Any = 0
    count_include_pad: bool = False
    slope: float = 0.0

    @property
    def operation(self) -> Pass:
        """What the operation does."""
        return PASSES[self.op]

    @property
    def is_backward(self) -> bool:
        """Whether the result is a gradient."""
        return self.operation.gradient is not None
