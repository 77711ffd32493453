"""How a thread shares its core: it learns whether others want it, and keeps off the caller's."""

import ctypes
import os
import time

import numpy as np
import pytest

from stepconv.kernels.compile import compiled, tickets, turns
from stepconv.kernels.compile.threads import Board, Pool, thread_count
from tests.kernels.processes import run

MILLISECOND = 1_000_000
FUNCTION = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)


@compiled
def rest(board: int, worker: int, time: int) -> None:
    turns.rest(board, worker, time)


@compiled
def offer(board: int, worker: int) -> None:
    turns.offer(board, worker)


class System:
    """A board whose core somebody takes, when it is offered, for so many milliseconds."""

    def __init__(self, taken: float) -> None:
        self.taken, self.offers, self.naps = taken, 0, list[int]()
        self.board = Board()
        self._kept = FUNCTION(self._yield), FUNCTION(self._sleep)
        for word, function in zip((tickets.YIELD, tickets.SLEEP), self._kept, strict=True):
            address = ctypes.cast(function, ctypes.c_void_p).value
            self.board.numbers[word // 8] = address

    def _yield(self, _: int) -> int:
        self.offers += 1
        time.sleep(self.taken / 1000)
        return 0

    def _sleep(self, microseconds: int) -> int:
        self.naps.append(microseconds)
        return 0

    def note(self, worker: int, word: int) -> int:
        return int(self.board.numbers[(tickets.NOTES + tickets.WORD * worker + word) // 8])

    def work(self, worker: int, spent: int) -> None:
        """Let a thread have worked for so many nanoseconds of its turn."""
        begun = self.note(worker, tickets.BEGAN)
        rest(self.board.address, worker, begun + spent)


def test_who_has_just_begun_a_turn_goes_on() -> None:
    system = System(taken=0)
    system.work(0, turns.TURN)
    assert (system.offers, system.naps) == (0, [])


def test_after_a_turn_the_core_is_offered() -> None:
    system = System(taken=0)
    system.work(3, turns.TURN + 1)
    assert (system.offers, system.naps) == (1, [])
    assert system.note(3, tickets.SHARED) == 0
    assert time.monotonic_ns() - system.note(3, tickets.BEGAN) < 10_000 * MILLISECOND


def test_where_an_offer_is_taken_the_thread_sleeps_after_its_turns() -> None:
    system = System(taken=2)
    offer(system.board.address, 1)
    until = system.note(1, tickets.SHARED)
    assert 0 < until - time.monotonic_ns() <= turns.LEAST
    system.board.numbers[(tickets.NOTES + tickets.WORD + tickets.BEGAN) // 8] = 0
    rest(system.board.address, 1, until - 1)
    assert system.offers == 1
    assert system.naps == [2 * turns.TURN // 1000]
    system.work(2, turns.TURN + 1)  # another thread has a core of its own
    assert system.offers == 2


def test_the_longer_others_want_the_core_the_rarer_it_is_offered() -> None:
    system = System(taken=1)
    spans = []
    for _ in range(7):
        offer(system.board.address, 0)
        spans.append(system.note(0, tickets.SPAN) // MILLISECOND)
    assert spans == [10, 20, 40, 80, 160, 160, 160]
    system.taken = 0
    offer(system.board.address, 0)
    assert system.note(0, tickets.SPAN) == 80 * MILLISECOND


def test_while_others_share_its_core_the_caller_works_alone() -> None:
    pool = Pool()
    shared = (tickets.NOTES + tickets.SHARED) // 8
    pool.board.numbers[shared] = time.monotonic_ns() + 60_000 * MILLISECOND
    pool.wake(3)
    assert pool._workers == []


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system places threads alone")
def test_a_worker_steps_off_the_callers_core() -> None:
    script = """
from stepconv.kernels.compile import threads, tickets
allowed, found = sorted(os.sched_getaffinity(0)), []
pool = threads.Pool()
def worker():
    pool.board.numbers[tickets.CORE // 8] = allowed[0]
    pool._step_aside()
    found.append(sorted(os.sched_getaffinity(0)))
one = threading.Thread(target=worker)
one.start()
one.join()
print(json.dumps([allowed, found[0], int(pool.board.numbers[tickets.PLACE // 8] != 0)]))
"""
    allowed, left, goes_on = run(script, STEPCONV_THREADS="2")
    if len(allowed) > 1:
        assert left == allowed[1:]
        assert goes_on
    else:
        assert left == allowed
        assert not goes_on


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system places threads alone")
def test_on_a_single_core_several_threads_come_to_an_end() -> None:
    script = """
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
results = [check(small.row_sums) for _ in range(200)]
print(json.dumps([len(set(results)), room.threading_status()["running"]]))
"""
    assert run(script, STEPCONV_THREADS="3") == [1, 3]


def test_a_board_has_room_for_every_thread() -> None:
    board = Board()
    last = (tickets.NOTES + tickets.WORD * thread_count()) // 8
    assert last * 8 < tickets.ARGUMENTS < board.numbers.size * 8
    assert np.count_nonzero(board.numbers[tickets.NOTES // 8 :]) == 0
