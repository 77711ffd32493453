"""Numba's CUDA simulator, made to run a block's threads in turn instead of all at once.

The simulator starts them together and looks again and again whether all wait at a barrier. Here
each runs alone from barrier to barrier, which is some twenty times faster, and the same every time:
in the order of their numbers or the other way round, so that threads which do not wait for each
other where they should are found out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
from numba.cuda.simulator import kernel as simulated
from numba.cuda.simulator.kernelapi import Dim3


class Thread(simulated.BlockThread):
    """It takes one place after the other, goes on when told to, and hands back at each barrier."""

    def __init__(self) -> None:
        threading.Thread.__init__(self, daemon=True)
        self.go, self.back = threading.Lock(), threading.Lock()
        self.go.acquire()
        self.back.acquire()
        self.start()

    def take(self, manager: Any, block: Any, place: Any, work: Callable[[], None]) -> None:
        """Be this thread of this block."""
        self._manager, self.work = manager, work
        self.blockIdx, self.threadIdx = Dim3(*block), Dim3(*place)
        self.done, self.abort, self.exception = False, False, None

    def run(self) -> None:
        while True:
            self.go.acquire()
            try:
                self.work()
            except Exception as error:
                self.exception = error
            self.done = True
            self.back.release()

    def syncthreads(self) -> None:
        self.back.release()
        self.go.acquire()
        if self.abort:
            raise RuntimeError("another thread of the block has failed")

    def turn(self) -> None:
        """Run from one barrier to the next."""
        if not self.done:
            self.go.release()
            self.back.acquire()


class Block(simulated.BlockManager):
    """A block whose threads take turns."""

    backwards = False
    threads: list[Thread] = []  # noqa: RUF012  # shared by all blocks

    def run(self, grid_point: Any, *arguments: Any) -> None:
        places = list(np.ndindex(*self._block_dim))
        while len(self.threads) < len(places):
            self.threads.append(Thread())
        threads = self.threads[: len(places)]
        for thread, place in zip(threads, places, strict=True):
            thread.take(self, grid_point, place, lambda: self._f(*arguments))
        while not all(thread.done for thread in threads):
            for thread in reversed(threads) if Block.backwards else threads:
                thread.turn()
            failed = [thread.exception for thread in threads if thread.exception]
            if failed or 0 < sum(thread.done for thread in threads) < len(threads):
                for thread in threads:
                    thread.abort = True
                    while not thread.done:
                        thread.turn()
                raise failed[0] if failed else AssertionError("threads wait for some that are gone")


def take_turns() -> None:
    """Run all blocks from now on this way."""
    simulated.BlockManager = Block
