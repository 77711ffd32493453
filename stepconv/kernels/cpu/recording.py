"""The recorder on the CPU: the textbook's loops, compiled, the rows shared among the threads."""

from collections.abc import Callable
from functools import cache
from typing import Any

from stepconv.kernels.compile import inner, parallel, share_of

Array = Any


@cache
def recorder(line_of: Callable[..., None]) -> Callable[..., None]:
    """Return the function that runs a line of kernels/recording.py for every row of `workers`."""
    run_line = inner(line_of)

    @parallel
    def record(worker: int, share: int, workers: Array, arguments: tuple[Any, ...]) -> None:
        for line in range(*share_of(len(workers), share)):
            run_line(line, 0, workers.shape[1], *arguments)
            workers[line] = worker

    return lambda workers, *arguments: record(workers, arguments)
