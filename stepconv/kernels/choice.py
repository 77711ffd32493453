"""Which kernel serves a call, and why: what each backend's `choose` answers before it computes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Choice(NamedTuple):
    """The kernel that serves a call, the rule that says so, and the numbers that it compared."""

    kernel: str
    rule: str
    numbers: tuple[Any, ...] = ()
    found: Any = None  # on the way, and of use to the kernel

    @property
    def reason(self) -> str:
        """The rule with its numbers filled in."""
        return self.rule.format(*self.numbers)


def reason(_operation: str, *_arguments: Any) -> Choice:
    """Return why the textbook serves a call as it does: it has one way."""
    return Choice("loops", "plain Python, one window at a time")


@contextmanager
def counted() -> Iterator[list[int]]:
    """Count the textbook's threads: there is none but the caller's."""
    yield [1]
