"""The processes of this machine: each takes one training after the other.

A process that dies costs what it had not saved: the others save and stop, and all begin again.
"""

import os
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from itertools import islice
from multiprocessing import get_context

from stepconv.kernels.environment import cores
from stepconv.sweep.experiment import Training
from stepconv.sweep.trial import Outcome, Place, attempt

# A training whose process dies so often is given up.
_DEATHS = 3


def shares(trainings: int, workers: int | None) -> tuple[int, int]:
    """Return how many processes there are, and on how many threads each computes.

    Two trainings of one thread each do more in a minute than one of two after the other: there are
    as many processes as cores, and threads to each where there are fewer trainings than that.
    """
    most = cores()
    count = max(1, min(workers or most, trainings))
    return count, max(1, most // count)


def run(trainings: Sequence[Training], place: Place, workers: int | None) -> Iterator[Outcome]:
    """Yield each training's outcome as it ends."""
    count, threads = shares(len(trainings), workers)
    place = replace(place, threads=threads)
    left = {each.name: each for each in trainings}
    deaths, suspects = Counter[str](), set[str]()
    while left:
        # Whose process died is not told. All that were under way may have been it: one at a time
        # they tell.
        alone = [left[name] for name in suspects]
        some, several = (alone, 1) if alone else (list(left.values()), count)
        suspects = set()
        for outcome in _round(some, place, several):
            if outcome.status == "died":
                suspects.add(outcome.name)
                deaths[outcome.name] += several == 1
                if deaths[outcome.name] < _DEATHS:
                    continue
                suspects.remove(outcome.name)
                told = f"its process died {_DEATHS} times"
                outcome = replace(outcome, status="failed", told=told)
            del left[outcome.name]
            yield outcome


def _round(some: Sequence[Training], place: Place, count: int) -> Iterator[Outcome]:
    """Let processes work through some trainings, until one of them dies."""
    pool = ProcessPoolExecutor(count, get_context("spawn"), _begin, (place.threads or 1,))
    waiting: dict[Future[Outcome], str] = {}
    todo = iter(some)
    try:
        while True:
            # No more than there are processes: what waits in a queue would be lost with the pool.
            for training in islice(todo, count - len(waiting)):
                waiting[pool.submit(attempt, training, place)] = training.name
            if not waiting:
                return
            for outcome in _ended(waiting):
                yield outcome
                if outcome.status == "died":
                    todo = iter(())
    except BaseException:
        _stop(pool)
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _ended(waiting: dict[Future[Outcome], str]) -> Iterator[Outcome]:
    ready, _ = wait(waiting, return_when=FIRST_COMPLETED)
    for future in ready:
        name = waiting.pop(future)
        try:
            outcome = future.result()
        except BrokenProcessPool:
            outcome = Outcome(name, "died")
        except Exception as error:  # what no trial foresees is its own trouble, not the sweep's
            outcome = Outcome(name, "failed", told=f"{type(error).__name__}: {error}")
        if outcome.status != "stopped":  # a pool that breaks asks the others to stop
            yield outcome


def _begin(threads: int) -> None:
    """Prepare a process: Ctrl-C is for the one that asks, which then asks all others to save."""
    os.environ["STEPCONV_THREADS"] = str(threads)
    if hasattr(os, "setpgrp"):
        os.setpgrp()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _stop(pool: ProcessPoolExecutor) -> None:
    """Ask all processes to save and stop."""
    for process in (pool._processes or {}).values():
        process.terminate()
