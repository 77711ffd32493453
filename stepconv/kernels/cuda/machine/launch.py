"""Kernels of a GPU and how they are started.

    @kernel         a function that the card runs; `launch` starts it, `launch_each` with a thread
                    for each of so many cells
    @inner          a helper that kernels call
    written_down()  a `with` block whose launches are written down, to be run later (sequence.py)

No fast-math flag is ever set: NaN and infinity stay what they are.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.util import find_spec
from typing import Any, NamedTuple, TypeVar, cast

from numba import cuda

from stepconv.kernels.cuda.machine.numba_parts import CONFIGS

F = TypeVar("F", bound=Callable[..., Any])

# In the simulator each thread is one of Python's, so blocks are so small there that little pictures
# fill several of them and leave ragged edges.
SIMULATED = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"

THREADS = 4 if SIMULATED else 256  # in a block of `launch_each`

# Whether arrays of shared memory can be told to begin where 16 bytes can be read at once; Numba's
# own older target and the simulator cannot.
ALIGNED = find_spec("numba_cuda") is not None and not SIMULATED

# Numba warns of few blocks, and small pictures are what we live on.
for _config in CONFIGS:
    _config.CUDA_LOW_OCCUPANCY_WARNINGS = 0


def kernel(function: F) -> F:
    """Compile a function that the card runs, for the types of each launch."""
    return cast(F, cuda.jit(function))


def inner(function: F) -> F:
    """Compile a function for calls from kernels; one in another module must not use `cuda`."""
    return cast(F, cuda.jit(device=True)(function))


def launch(function: Any, blocks: int, threads: Any, *arguments: Any) -> None:
    """Run a kernel on a row of blocks, which may be 2³¹ - 1 long; arrays are those of the card."""
    if blocks == 0:
        return
    call, list_of, noted = (
        Launch(function, blocks, threads, arguments),
        _written.get(),
        _noted.get(),
    )
    if noted is not None:
        noted.append(call.thread_count)
    if list_of is None:
        call.start()
    else:
        list_of.append(call)


class Launch(NamedTuple):
    """A kernel with all that it is given; it keeps its arrays alive."""

    function: Any
    blocks: int
    threads: Any
    arguments: tuple[Any, ...]

    @property
    def thread_count(self) -> int:
        """Threads of all blocks together."""
        return self.blocks * math.prod(
            self.threads if isinstance(self.threads, tuple) else (self.threads,)
        )

    def start(self, stream: Any = 0) -> None:
        """Run it after what was started before, without waiting for it."""
        given = [_bare(argument) for argument in self.arguments]
        if not SIMULATED:
            self.function[self.blocks, self.threads, stream](*given)
            return
        with warnings.catch_warnings():
            # Its numbers are NumPy's, which warn where IEEE arithmetic goes on.
            warnings.simplefilter("ignore")
            self.function[self.blocks, self.threads](*given)


_written: ContextVar[list[Launch] | None] = ContextVar("written", default=None)


@contextmanager
def written_down() -> Iterator[list[Launch]]:
    """Write launches down instead of starting them; this thread's, inside the `with` block."""
    launches: list[Launch] = []
    token = _written.set(launches)
    try:
        yield launches
    finally:
        _written.reset(token)


_noted: ContextVar[list[int] | None] = ContextVar("noted", default=None)


@contextmanager
def counted() -> Iterator[list[int]]:
    """Note of how many threads each launch of a `with` block is, and wait for all of them."""
    noted: list[int] = []
    token = _noted.set(noted)
    try:
        yield noted
        cuda.synchronize()
    finally:
        _noted.reset(token)


def launch_each(function: Any, cells: int, *arguments: Any) -> None:
    """Run a kernel with a thread for each cell; those beyond the last have nothing to do."""
    launch(function, -(-cells // THREADS), THREADS, *arguments)


def with_names(numbers: tuple[Any, ...], others: Iterable[Any]) -> tuple[Any, ...]:
    """Return others under the names that the numbers of a tuple have, if any."""
    return numbers._make(others) if hasattr(numbers, "_make") else tuple(others)


def _bare(argument: Any) -> Any:
    """Return what Numba launches kernels with: of an array on the card, Numba's array."""
    if isinstance(argument, tuple):
        return with_names(argument, map(_bare, argument))
    return getattr(argument, "numba", argument)
