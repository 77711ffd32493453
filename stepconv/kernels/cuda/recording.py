"""The recorder on a GPU: the textbook's loops, compiled, with a thread for each output cell.

`workers` has a row for each row of the output, and two numbers for each cell of it: the block and
the thread in it that computed the cell.
"""

from collections.abc import Callable
from functools import cache
from inspect import Parameter, Signature, signature
from typing import Any

from numba import cuda

from stepconv.kernels.cuda.machine.launch import SIMULATED, inner, kernel, launch
from stepconv.kernels.cuda.machine.transfers import on_gpu
from stepconv.kernels.recording import RESULTS

Array = Any

# A warp: the smallest block that keeps a card's threads busy shows best how blocks share the work.
_BLOCK = 4 if SIMULATED else 32


@cache
def recorder(line_of: Callable[..., None]) -> Callable[..., None]:
    """Return the function that runs a line of kernels/recording.py for every row of `workers`."""
    run_line = inner(line_of)

    @kernel
    def record(workers: Array, arguments: tuple[Any, ...]) -> None:
        cell = cuda.grid(1)
        if cell < workers.shape[0] * workers.shape[1]:
            line, j = cell // workers.shape[1], cell % workers.shape[1]
            run_line(line, j, j + 1, *arguments)
            workers[line, j, 0] = cuda.blockIdx.x
            workers[line, j, 1] = cuda.threadIdx.x

    def run(workers: Array, *arguments: Any) -> None:
        cells = workers.shape[0] * workers.shape[1]
        launch(record, -(-cells // _BLOCK), _BLOCK, workers, arguments)

    names = ("workers", *list(signature(line_of).parameters)[3:])
    given = [Parameter(name, Parameter.POSITIONAL_ONLY) for name in names]
    run.__signature__ = Signature(given)  # type: ignore[attr-defined]
    return on_gpu("workers", *RESULTS[line_of.__name__])(run)
