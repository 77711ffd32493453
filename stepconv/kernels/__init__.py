"""The table of backends and operations: which function computes what, and why one cannot."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from typing import Any

from stepconv.errors import ArgumentError, ArgumentTypeError, BackendError

Kernel = Callable[..., Any]

OPERATIONS = (
    "correlate",
    "correlate_grad_x",
    "correlate_grad_w",
    "channel_sums",
    "pad",
    "pad_backward",
    "max_pool",
    "max_pool_backward",
    "avg_pool",
    "avg_pool_backward",
    "relu",
    "relu_backward",
)

# A module per backend with one function per operation, all of one name and signature.
_MODULES = {
    "textbook": "stepconv.kernels.textbook",
    "cpu": "stepconv.kernels.cpu",
    "cuda": None,
}

_NO_CUDA = "this version of stepconv has no CUDA kernels"

_chosen: ContextVar[str] = ContextVar("backend", default="cpu")


def find(operation: str, backend: str | None = None) -> Kernel:
    """Return the function that computes `operation` on `backend`, None being the one in use."""
    return _find(operation, _chosen.get() if backend is None else check_backend(backend))


@cache
def _find(operation: str, backend: str) -> Kernel:
    module = _MODULES[backend]
    if module is None:
        raise BackendError(f"backend 'cuda' is not available: {_NO_CUDA}")
    kernel: Kernel | None = getattr(import_module(module), operation, None)
    if kernel is None:
        raise BackendError(f"backend {backend!r} has no kernel for {operation!r}")
    return kernel


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


def backends() -> dict[str, str]:
    """Return what each backend is, or why it is not to be had: those begin `not available`."""
    import os

    cores = os.cpu_count() or 1
    return {
        "textbook": "plain Python, one window at a time",
        "cpu": f"Numba kernels, parallel on {cores} core{'s' * (cores != 1)}",
        "cuda": f"not available: {_NO_CUDA}",
    }
