"""The threads that kernels run on: made when first needed, parked when idle, gone at the end.

    drawing    what they do at the board of tickets, without the interpreter's lock
    turns      how they share their cores with other programs
    tickets    the board, and the instructions that it takes

They are Python threads that spend their lives in compiled code. The first who calls a kernel has
the workers; who calls one meanwhile, from another thread, computes alone. A forked process makes
workers of its own.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from stepconv.errors import ArgumentError
from stepconv.kernels.compile import drawing, tickets
from stepconv.kernels.compile.jit import compiled
from stepconv.kernels.environment import most_threads

# Parts of a job for each thread: so many that a thread which comes late, or loses its core, costs
# the others little. A long job has more, for nobody is interrupted within a part.
PARTS = 8
# After so many nanoseconds of a job its caller looks whether there are signals, such as Ctrl-C's.
_PATIENCE = 50_000_000


class _Own(threading.local):
    """What a thread has of its own: how many its calls run on, and where they note how many."""

    count = 0
    noted: list[int] | None = None


_own = _Own()


class Board:
    """A board of tickets, which lives as long as this object."""

    def __init__(self) -> None:
        memory = np.zeros(tickets.BYTES + tickets.WORD, np.uint8)
        first = -memory.ctypes.data % tickets.WORD
        self.numbers = memory[first : first + tickets.BYTES].view(np.int64)
        self.address = self.numbers.ctypes.data
        for word, address in _system().items():
            self.numbers[word // 8] = address


class Pool:
    """Workers round a board, one for each thread but the caller's own."""

    def __init__(self) -> None:
        self.board = Board()
        self.taken = threading.Lock()
        self._workers: list[threading.Thread] = []
        self._parked: list[threading.Lock] = []

    def wake(self, threads: int) -> None:
        """See to it that so many threads, with the caller's, look at the board soon.

        While others share the caller's core it works alone.
        """
        if self.board.numbers[(tickets.NOTES + tickets.SHARED) // 8] > time.monotonic_ns():
            return
        _tell(self.board.address + tickets.RUNNING, 1)
        while len(self._workers) < threads - 1:
            number = len(self._workers) + 1
            worker = threading.Thread(
                target=self._live, args=(number,), name=f"stepconv-{number}", daemon=True
            )
            self._workers.append(worker)
            worker.start()
        while self._parked:
            self._parked.pop().release()

    def close(self) -> None:
        """Send the workers home."""
        _tell(self.board.address + tickets.STOP, 1)
        for _ in range(100):  # a second: who is about to park does so after it was called
            while self._parked:
                self._parked.pop().release()
            self._workers = [worker for worker in self._workers if worker.is_alive()]
            if not self._workers:
                break
            self._workers[0].join(0.01)

    def _live(self, number: int) -> None:
        rest = threading.Lock()
        rest.acquire()
        board = self.board.address
        while not _look(board + tickets.STOP):
            if _serve(board, number):
                self._step_aside()
            else:
                self._parked.append(rest)
                rest.acquire()

    def _step_aside(self) -> None:
        """Keep the calling worker off the core that jobs are published from."""
        numbers = self.board.numbers
        try:
            allowed = os.sched_getaffinity(os.getpid())
            os.sched_setaffinity(0, allowed - {int(numbers[tickets.CORE // 8])})
        except OSError:  # there is no other core, or the system has a say in it
            numbers[tickets.PLACE // 8] = 0


_pool: Pool | None = None
_spare: list[Board] = []  # for those who compute alone


def run(begin: Any, *given: Any, parts: int = 0) -> None:
    """Have begin(board, threads, parts, until, *given) publish a job and do it with the others.

    It tells whether all is done. Where the time is up before, it is called again, with 0 parts, to
    go on. Ctrl-C ends the call: what is drawn already is waited for, and nothing else is done.
    The job is cut into `parts`, or more.
    """
    threads = thread_count()
    pool = _pool_of_process() if threads > 1 else None
    if pool is not None and pool.taken.acquire(blocking=False):
        try:
            pool.wake(threads)
            _see_through(begin, pool.board.address, threads, parts, given)
        finally:
            _tell(pool.board.address + tickets.RUNNING, 0)
            pool.taken.release()
    else:
        try:
            own = _spare.pop()
        except IndexError:
            own = Board()
        _see_through(begin, own.address, 1, parts, given)
        _spare.append(own)


def _see_through(begin: Any, board: int, threads: int, least: int, given: tuple[Any, ...]) -> None:
    parts = min(max(PARTS * threads, least), tickets.MOST)
    if _own.noted is not None:
        _own.noted.append(threads)
    try:
        while not begin(board, threads, parts, time.monotonic_ns() + _PATIENCE, *given):
            parts = 0
    except BaseException:
        _give_up(board)
        raise


def thread_count() -> int:
    """Return on how many threads a kernel that is called now will run."""
    return _own.count or most_threads()


@contextmanager
def counted() -> Iterator[list[int]]:
    """Note on how many threads each parallel kernel runs that is called in a `with` block."""
    noted = _own.noted = []
    try:
        yield noted
    finally:
        _own.noted = None


def use_threads(count: int) -> None:
    """Run this thread's parallel kernels on so many threads, at most as many as there are."""
    if not 1 <= count <= most_threads():
        raise ArgumentError(f"threads={count} does not fit: 1 to {most_threads()} fit")
    _own.count = count


def threading_status() -> dict[str, Any]:
    """Return how parallel kernels run in this process, without starting any thread."""
    running = len(_pool._workers) + 1 if _pool is not None else 1
    counts = {"threads": thread_count(), "max_threads": most_threads(), "running": running}
    return {"layer": "stepconv's own", **counts}


def _pool_of_process() -> Pool:
    global _pool
    if _pool is None:
        with _making:
            if _pool is None:
                _pool = Pool()
    return _pool


@functools.cache
def _system() -> dict[int, int]:
    """Return where the functions lie by which threads tell the time, let others run, and sleep."""
    if sys.platform == "win32":
        library, names = ctypes.WinDLL("kernel32"), {"SwitchToThread": tickets.YIELD}
        names["Sleep"] = tickets.SLEEP
    else:
        library, names = ctypes.CDLL(None), {"sched_yield": tickets.YIELD}
        names |= {"usleep": tickets.SLEEP, "clock_gettime": tickets.CLOCK}
        if hasattr(os, "sched_setaffinity") and hasattr(library, "sched_getcpu"):
            names["sched_getcpu"] = tickets.PLACE
    address = ctypes.c_void_p
    return {
        word: address.from_buffer(getattr(library, name)).value or 0 for name, word in names.items()
    }


_serve = compiled(drawing.serve)
_give_up = compiled(drawing.give_up)
_look = compiled(drawing.peek)
_tell = compiled(drawing.poke)
_making = threading.Lock()


def _forget() -> None:
    """In a forked process: the workers, and who held what, stayed behind."""
    global _pool, _making
    _pool, _making = None, threading.Lock()
    _spare.clear()


def _end() -> None:
    if _pool is not None:
        _pool.close()


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
