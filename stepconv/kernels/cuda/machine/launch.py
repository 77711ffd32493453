"""All that a kernel needs round it on a GPU: memory, transfers, grids, and errors in plain words.

    @kernel         a function that the card runs; `launch` starts it, `launch_each` with a thread
                    for each of so many cells
    @inner          a helper that kernels call
    @on_gpu("out")  a function that Python calls: arrays come from the host or the card, and the
                    named results go back to where they are
    written_down()  a `with` block whose launches are written down, to be run later (sequence.py)

Everything runs on the card's default stream, in the order of the calls. So memory may be taken
again as soon as Python has let go of it: what still reads it was launched before what will write.
No fast-math flag is ever set: NaN and infinity stay what they are.
"""

from __future__ import annotations

import functools
import inspect
import os
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from importlib import import_module
from importlib.util import find_spec
from typing import Any, ClassVar, NamedTuple, TypeVar, cast

import numba
import numpy as np
from numba import cuda
from numba.cuda.cudadrv.driver import CudaAPIError

from stepconv.errors import BackendError
from stepconv.kernels.cuda.machine.array import CardArray

Array = Any
Shape = tuple[int, ...]
F = TypeVar("F", bound=Callable[..., Any])

# In the simulator each thread is one of Python's, so blocks are so small there that little pictures
# fill several of them and leave ragged edges.
SIMULATED = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"

THREADS = 4 if SIMULATED else 256  # in a block of `launch_each`

# Whether arrays of shared memory can be told to begin where 16 bytes can be read at once; Numba's
# own older target and the simulator cannot.
ALIGNED = find_spec("numba_cuda") is not None and not SIMULATED

# Numba warns of few blocks, and small pictures are what we live on.
_configs: list[Any] = [numba.config]
with suppress(ImportError):
    _configs.append(import_module("numba.cuda.core.config"))
for _config in _configs:
    _config.CUDA_LOW_OCCUPANCY_WARNINGS = 0

_OUT_OF_MEMORY = 2  # CUDA_ERROR_OUT_OF_MEMORY

# Arrays of the host that are no larger are tables, which come again with every call.
_TABLE_BYTES = 1 << 14
_KEPT_BYTES = 1 << 30


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
    call, list_of = Launch(function, blocks, threads, arguments), _written.get()
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


def launch_each(function: Any, cells: int, *arguments: Any) -> None:
    """Run a kernel with a thread for each cell; those beyond the last have nothing to do."""
    launch(function, -(-cells // THREADS), THREADS, *arguments)


def on_gpu(*results: str) -> Callable[[F], F]:
    """Let a function that launches kernels take arrays from wherever they are.

    Arrays of the host are copied to the card; the named results, if they are the host's, are
    made there and copied back.
    """

    def decorate(function: F) -> F:
        names = tuple(inspect.signature(function).parameters)
        places = [names.index(name) for name in results]

        @functools.wraps(function)
        def run(*arguments: Any) -> None:
            arrays = [one for one in arguments if isinstance(one, np.ndarray | CardArray)]
            with plain_errors(function.__name__, *arrays):
                given = [
                    allocate(argument.shape, argument.dtype)
                    if place in places and isinstance(argument, np.ndarray)
                    else to_card(argument)
                    for place, argument in enumerate(arguments)
                ]
                function(*given)
                for place in places:
                    if isinstance(arguments[place], np.ndarray):
                        given[place].copy_to_host(arguments[place])

        return cast(F, run)

    return decorate


# Memory.


class _Memory:
    """Memory of the card that goes to whoever asks next for as much, once nobody holds it."""

    kept: ClassVar[dict[tuple[Shape, str], list[Any]]] = {}
    kept_bytes: ClassVar[int] = 0

    def __init__(self, shape: Shape, dtype: np.dtype[Any]) -> None:
        self.key = (shape, dtype.str)
        waiting = self.kept.get(self.key)
        if waiting:
            self.array = waiting.pop()
            _Memory.kept_bytes -= self.array.nbytes
            return
        try:
            self.array = cuda.device_array(shape, dtype)
        except (CudaAPIError, MemoryError):
            _Memory.free_kept()
            self.array = cuda.device_array(shape, dtype)

    def __del__(self) -> None:
        if hasattr(self, "array") and _Memory.kept_bytes + self.array.nbytes <= _KEPT_BYTES:
            self.kept.setdefault(self.key, []).append(self.array)
            _Memory.kept_bytes += self.array.nbytes

    @staticmethod
    def free_kept() -> None:
        """Give back to the card what waits for the next to ask."""
        _Memory.kept.clear()
        _Memory.kept_bytes = 0


def allocate(shape: Shape, dtype: Any) -> CardArray:
    """Return an array of the card, of any content."""
    memory = _Memory(tuple(map(int, shape)), np.dtype(dtype))
    return CardArray(memory.array, memory)


def to_card(value: Any) -> Any:
    """Return an array of the host as one of the card; what is no array, or there, stays itself."""
    if isinstance(value, tuple):
        return _alike(value, map(to_card, value))
    if not isinstance(value, np.ndarray):
        return value
    if value.nbytes <= _TABLE_BYTES:
        return _table(value.tobytes(), value.dtype.str, value.shape)
    known = _uploaded.get()
    if known is not None and id(value) in known:
        return known[id(value)][1]
    found = allocate(value.shape, value.dtype)
    found.numba.copy_to_device(np.ascontiguousarray(value))
    if known is not None:
        known[id(value)] = (value, found)  # held, for an id is an array's as long as it lives
    return found


_uploaded: ContextVar[dict[int, tuple[Array, CardArray]] | None]
_uploaded = ContextVar("uploaded", default=None)


@contextmanager
def uploaded_once() -> Iterator[None]:
    """Copy an array of the host to the card once, however many calls of the block read it."""
    token = _uploaded.set({})
    try:
        yield
    finally:
        _uploaded.reset(token)


@functools.lru_cache(maxsize=512)
def _table(content: bytes, dtype: str, shape: Shape) -> CardArray:
    """Return a small array of the host on the card, where it stays; nobody writes to it."""
    return CardArray(cuda.to_device(np.frombuffer(content, dtype).reshape(shape)))


def write(array: Any, target: CardArray) -> None:
    """Copy numbers of the host into the first ones of an array on the card."""
    with plain_errors("copying to the card", target):
        numbers = np.ascontiguousarray(array).reshape(-1)
        goal = target if target.shape == numbers.shape else part(target, 0, numbers.size)
        goal.numba.copy_to_device(numbers)


def part(array: CardArray, first: int, end: int) -> CardArray:
    """Return the numbers from `first` to before `end` of a row, in the memory where they are."""
    return CardArray(array.numba[first:end], array.memory)


def adopt(foreign: Any) -> CardArray:
    """Return what another library has on the card; the memory stays its own, and stays alive."""
    with plain_errors("an array of another library"):
        if not SIMULATED:
            return CardArray(cuda.as_cuda_array(foreign), foreign)
        from numba.cuda.cudadrv.devicearray import FakeCUDAArray

        # The simulator's card is the host.
        interface = {"__array_interface__": foreign.__cuda_array_interface__}
        memory = np.asarray(type("OnHost", (), interface)())
        return CardArray(FakeCUDAArray(memory), foreign)


def copy_to_host(array: CardArray, out: Any = None) -> Any:
    """Return the numbers as an array of the host, or write them into one."""
    with plain_errors("copying to the host", array):
        return array.numba.copy_to_host(out)


def _alike(numbers: tuple[Any, ...], others: Iterable[Any]) -> tuple[Any, ...]:
    """Return others under the names that the numbers of a tuple have, if any."""
    return numbers._make(others) if hasattr(numbers, "_make") else tuple(others)


def _bare(argument: Any) -> Any:
    """Return what Numba launches kernels with."""
    if isinstance(argument, tuple):
        return _alike(argument, map(_bare, argument))
    return argument.numba if isinstance(argument, CardArray) else argument


# Errors.


@contextmanager
def plain_errors(what: str, *arrays: Any) -> Iterator[None]:
    """Turn an error of the driver into a BackendError that names what was asked for."""
    try:
        yield
    except (CudaAPIError, MemoryError) as error:
        sizes = ", ".join(f"{array.dtype}{list(array.shape)}" for array in arrays)
        asked = f"{what} of {sizes}" if arrays else what
        if isinstance(error, MemoryError) or int(getattr(error, "code", 0)) == _OUT_OF_MEMORY:
            size = sum(array.nbytes for array in arrays) / 2**20
            needed = f": its arrays need {size:.1f} MiB" if arrays else ""
            raise BackendError(f"{asked} does not fit into the GPU's memory{needed}") from error
        raise BackendError(
            f"{asked} failed on the GPU ({error}); if the card is lost, only a new process finds "
            f"it again"
        ) from error
