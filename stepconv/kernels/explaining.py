"""What ran, and why: the kernels that the calls of a `with explain()` block came to.

Each backend says in its `reasons` which of its kernels serves a call, by the rule that chose it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from stepconv import kernels
from stepconv.kernels import Kernel
from stepconv.kernels.choice import Choice

# Beside each backend, the module that knows why a kernel of it serves a call.
_REASONS = {
    "textbook": "stepconv.kernels.choice",
    "cpu": "stepconv.kernels.cpu.reasons",
    "cuda": "stepconv.kernels.cuda.reasons",
}


@dataclass(frozen=True)
class Explained:
    """A kernel that ran: which one, for what reason, on how many threads, and what it took.

    `products` are those of a sum product by product, padding and all; 0 where nothing is
    multiplied. `bytes_moved` counts every array once, as if caches held all of them.
    """

    operation: str
    backend: str
    algorithm: str
    reason: str
    threads: int
    products: int
    bytes_moved: int
    seconds: float

    def in_words(self) -> str:
        """Say it in one sentence."""
        on = f"on {self.threads:,} thread{'s' * (self.threads != 1)}"
        return f"{self.operation} on {self.backend} by {self.algorithm}, {on}: {self.reason}"


@dataclass
class Explanation:
    """All kernels that ran in a block, in order; `seconds` is what the whole block took."""

    calls: list[Explained] = field(default_factory=list)
    seconds: float = 0.0

    def __str__(self) -> str:
        """Say it in a sentence for each kernel."""
        return "\n".join(call.in_words() for call in self.calls)

    def run(self, operation: str, backend: str, kernel: Kernel, *arguments: Any) -> None:
        """Run a kernel and note what it was."""
        reasons = import_module(_REASONS[backend])
        chosen: Choice = reasons.reason(operation, *arguments)
        start = time.perf_counter()
        with reasons.counted() as threads:
            kernel(*arguments)
        seconds = time.perf_counter() - start
        arrays = (one for one in arguments if getattr(one, "ndim", 0))
        self.calls.append(
            Explained(
                *(operation, backend, chosen.kernel, chosen.reason, max(threads, default=1)),
                *(_products(operation, arguments), sum(one.nbytes for one in arrays), seconds),
            )
        )


@contextmanager
def explain() -> Iterator[Explanation]:
    """Note which kernels the calls of a `with` block come to, in this thread, and why.

    >>> import stepconv
    >>> with stepconv.explain() as e:
    ...     stepconv.correlate([1.0, 2, 3], [1, 1])
    array([3., 5.])
    >>> e.calls[0].algorithm, e.calls[0].reason
    ('loops', '4 products are fewer than 100,000')
    """
    explanation = Explanation()
    token = kernels.watching.set(explanation.run)
    start = time.perf_counter()
    try:
        yield explanation
    finally:
        explanation.seconds = time.perf_counter() - start
        kernels.watching.reset(token)


def _products(operation: str, arguments: tuple[Any, ...]) -> int:
    """Return how many products a correlation or its gradient sums."""
    if operation == "correlate":
        _, w, _, out, *_ = arguments
        return int(out.size * w[0].size)
    if operation == "correlate_grad_x":
        grad_out, w, *_ = arguments
        return int(grad_out.size * w[0].size)
    if operation == "correlate_grad_w":
        _, grad_out, grad_w, *_ = arguments
        return int(grad_out.size * grad_w[0].size)
    return 0
