"""The table of backends and operations: which function computes what, and why one cannot.

textbook        every operation as a slide writes it: the oracle
cpu, cuda       the same names and signatures, fast; card: which card is there
recording       the textbook's loops in the form that keeps a record
passes          a correlation and its gradient for x, told as the same thing
winograd        the matrices of 3x3 layers with fewer multiplications
choice, kinds   a kernel that was chosen, with the reason; numbers of activations and losses
environment     what the environment says of threads, read before Numba is
explaining      what ran in a block, and why: asked of each backend's `reasons`
compile         how kernels are compiled, cached and run; portable: for any machine, or a browser
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, partial
from importlib import import_module
from typing import Any

from stepconv.errors import ArgumentError, ArgumentTypeError, BackendError
from stepconv.kernels import environment
from stepconv.operations import PASSES

Kernel = Callable[..., Any]

OPERATIONS = tuple(dict.fromkeys(one.kernel for one in PASSES.values() if one.kernel))

# A module per backend with one function per operation, all of one name and signature.
_MODULES = {
    "textbook": "stepconv.kernels.textbook",
    "cpu": "stepconv.kernels.cpu",
    "cuda": "stepconv.kernels.cuda",
}

# Beside each, the module that computes the same one step at a time and keeps a record.
_RECORDERS = {
    "textbook": "stepconv.kernels.recording",
    "cpu": "stepconv.kernels.cpu.recording",
    "cuda": "stepconv.kernels.cuda.recording",
}

# What tells who computed a step: so many numbers a backend's recorders write down for each.
WORKERS = {"textbook": ("thread",), "cpu": ("thread",), "cuda": ("block", "thread")}

_chosen: ContextVar[str] = ContextVar("backend", default="cpu")

# How a kernel may come to its result. "auto" takes the fastest way that keeps a sum of n products
# within n·u·Σ|a·b| of the exact one; "winograd" and "fft" round worse and are admitted by name.
ALGORITHMS = ("auto", "direct", "separable", "winograd", "fft")

_algorithm: ContextVar[str] = ContextVar("algorithm", default="auto")

# What runs a kernel in its place, told what it is, while somebody asks for explanations.
watching: ContextVar[Callable[..., None] | None] = ContextVar("watching", default=None)


def find(operation: str, backend: str | None = None, beside: Any = None) -> Kernel:
    """Return the function that computes `operation` on `backend`, None being the one in use.

    `beside` is the array beside which the result is to lie: one on a GPU needs a backend there.
    """
    name = chosen_backend() if backend is None else check_backend(backend)
    if name != "cuda" and is_on_card(beside):
        raise ArgumentError(
            f"backend={name!r} computes in the host's memory, and the array is on a GPU: "
            f"backend='cuda' fits"
        )
    kernel = _find(operation, name)
    watch = watching.get()
    return kernel if watch is None else partial(watch, operation, name, kernel)


def find_recorder(line: str, backend: str) -> Kernel:
    """Return what records a call on `backend` by a line of `kernels.recording`."""
    from stepconv.kernels import recording

    recorder: Kernel = _module(_RECORDERS[backend], backend).recorder(getattr(recording, line))
    return recorder


def is_on_card(array: object) -> bool:
    """Tell whether an array, of whatever library, lies in the memory of a GPU."""
    return hasattr(array, "__cuda_array_interface__")


def on_card(array: Any) -> Any:
    """Return an array as operations take it on a GPU: one that is there is not copied."""
    return _module("stepconv.kernels.cuda", "cuda").on_card(array)


@contextmanager
def uploaded_once(backend: str | None) -> Iterator[None]:
    """Let the calls in a `with` block share what they copy to a GPU, if `backend` is one."""
    if (chosen_backend() if backend is None else backend) != "cuda":
        yield
        return
    with _module("stepconv.kernels.cuda", "cuda").uploaded_once():
        yield


def chosen_backend() -> str:
    """Return the backend that is in use here."""
    return _chosen.get()


@cache
def _find(operation: str, backend: str) -> Kernel:
    module = _module(_MODULES[backend], backend)
    kernel: Kernel | None = getattr(module, operation, None)
    if kernel is None:
        raise BackendError(f"backend {backend!r} has no kernel for {operation!r}")
    return kernel


def _module(name: str, backend: str) -> Any:
    """Import a module of a backend, if the machine has what that needs."""
    check_available(backend)
    return import_module(name)


def check_available(backend: str) -> None:
    """Say why the machine has not what a backend needs, if so."""
    if backend != "textbook":
        environment.check(backend)
    if backend == "cuda":
        from stepconv.kernels.card import card

        try:
            card()
        except BackendError as error:
            raise BackendError(f"backend 'cuda' is not available: {error}") from None


def check_backend(backend: object) -> str:
    """Return `backend` if there is one of that name, at hand or not."""
    known = ", ".join(repr(name) for name in _MODULES)
    if not isinstance(backend, str):
        raise ArgumentTypeError(f"backend={backend!r} is not a name: one of {known} fits")
    if backend not in _MODULES:
        raise ArgumentError(f"backend={backend!r} is not known: one of {known} fits")
    return backend


@contextmanager
def use_backend(backend: str) -> Iterator[None]:
    """Compute on `backend` inside a `with` block, in this thread alone.

    >>> import stepconv
    >>> with stepconv.use_backend("textbook"):
    ...     stepconv.correlate([1, 2, 3], [1, 1])
    array([3, 5])
    """
    token = _chosen.set(check_backend(backend))
    try:
        yield
    finally:
        _chosen.reset(token)


@contextmanager
def use_algorithm(algorithm: str) -> Iterator[None]:
    """Admit an algorithm inside a `with` block, in this thread alone.

    "direct" sums product by product. "separable" splits kernels that are a column times a row.
    "auto" does so where it is faster, and it transforms large kernels where that is proven to be as
    good as a sum. "winograd" serves 3x3 layers and "fft" filters of one channel; both round worse
    than a sum of products. Where an algorithm does not fit, "direct" takes over.

    >>> import stepconv
    >>> with stepconv.use_algorithm("direct"):
    ...     stepconv.correlate([1, 2, 3], [1, 1])
    array([3, 5])
    """
    token = _algorithm.set(check_algorithm(algorithm))
    try:
        yield
    finally:
        _algorithm.reset(token)


def chosen_algorithm() -> str:
    """Return the algorithm that is admitted here."""
    return _algorithm.get()


def check_algorithm(algorithm: object) -> str:
    """Return `algorithm` if there is one of that name."""
    known = ", ".join(repr(name) for name in ALGORITHMS)
    if not isinstance(algorithm, str):
        raise ArgumentTypeError(f"algorithm={algorithm!r} is not a name: one of {known} fits")
    if algorithm not in ALGORITHMS:
        raise ArgumentError(f"algorithm={algorithm!r} is not known: one of {known} fits")
    return algorithm


def backends() -> dict[str, str]:
    """Return what each backend is, or why it is not to be had: those begin `not available`."""
    import os

    from stepconv.kernels.card import card

    try:
        gpu = card()
    except BackendError as error:
        gpu = f"not available: {error}"
    cores = os.cpu_count() or 1
    cpu = f"Numba kernels, parallel on {cores} core{'s' * (cores != 1)}"
    if environment.is_off():
        cpu = "not available: NUMBA_DISABLE_JIT turns its compiler off"
    return {
        "textbook": "plain Python, one window at a time",
        "cpu": cpu,
        "cuda": gpu,
    }
