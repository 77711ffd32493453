"""Copies between the host and a GPU: each as late as may be, and none that is not needed.

@on_gpu("out")  a function that Python calls: arrays come from the host or the card, and the
                named results go back to where they are
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar, cast

import numpy as np
from numba import cuda

from stepconv.kernels.cuda.machine.array import CardArray, Shape, allocate
from stepconv.kernels.cuda.machine.launch import SIMULATED, with_names
from stepconv.kernels.cuda.machine.memory import plain_errors
from stepconv.kernels.cuda.machine.numba_parts import of_the_simulator

Array = Any
F = TypeVar("F", bound=Callable[..., Any])

# Arrays of the host that are no larger are tables, which come again with every call.
_TABLE_BYTES = 1 << 14

_uploaded: ContextVar[dict[int, tuple[Array, CardArray]] | None]
_uploaded = ContextVar("uploaded", default=None)


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


def to_card(value: Any) -> Any:
    """Return an array of the host as one of the card; what is no array, or there, stays itself."""
    if isinstance(value, tuple):
        return with_names(value, map(to_card, value))
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


def on_card(array: Any) -> CardArray:
    """Return an array as the operations take it; one of the host's is copied to the card.

    What another library has there is taken as it is: the memory stays its own, and stays alive.
    """
    if isinstance(array, CardArray):
        return array
    if isinstance(array, np.ndarray):
        with plain_errors("a copy", array):
            return cast(CardArray, to_card(array))
    with plain_errors("an array of another library"):
        if not SIMULATED:
            return CardArray(cuda.as_cuda_array(array), array)
        # The simulator's card is the host.
        interface = {"__array_interface__": array.__cuda_array_interface__}
        memory = np.asarray(type("OnHost", (), interface)())
        return CardArray(of_the_simulator(memory), array)
