"""Which kernel serves a call, and why: what each backend's `choose` answers before it computes."""

from typing import Any, NamedTuple


class Choice(NamedTuple):
    """The kernel that serves a call, the rule that says so, and the numbers that it compared."""

    kernel: str
    rule: str
    numbers: tuple[float, ...] = ()
    found: Any = None  # on the way, and of use to the kernel

    @property
    def reason(self) -> str:
        """The rule with its numbers filled in."""
        return self.rule.format(*self.numbers)
