"""What threads do at the board of tickets: publish a job, draw its parts, wait for the rest.

A thread that computes looks at the clock between two parts, so that who is asked for a long job is
back in Python in time for Ctrl-C, and goes on from there.
"""

from __future__ import annotations

import time

from stepconv.kernels.compile.jit import inner
from stepconv.kernels.compile.tickets import (
    ALONE,
    CAUTION,
    CLOCK,
    CODE,
    DONE,
    KEPT,
    LONGEST,
    MOST,
    NUMBER,
    PARTS,
    SHARE,
    SLEEP,
    STOP,
    THREADS,
    TICKET,
    YIELD,
    add,
    call,
    exchange,
    look,
    nanoseconds,
    pause,
    system,
    tell,
)
from stepconv.kernels.environment import MOST_THREADS

# Who waits for the others first spins, then lets others run, then sleeps so many microseconds.
SPINS, YIELDS, NAP = 4_000, 50, 50
# A worker with nothing to do spins so often before it parks.
IDLE_SPINS = 20_000
# After so many nanoseconds a worker offers its core to others between two parts: who has waited for
# the core then takes it at a moment when nobody waits for the worker.
TURN = 1_000_000
# Who waits so many nanoseconds longer than two parts take waits for one that has lost its core.
STALL = 300_000
# So many jobs are at most done alone after others did not come.
MOST_ALONE = 64

_MONOTONIC = getattr(time, "CLOCK_MONOTONIC", 0)


@inner
def now(board: int) -> int:
    """Return the time in nanoseconds, 0 where the system has no clock that we know."""
    clock = look(board + CLOCK)
    return nanoseconds(clock, _MONOTONIC) if clock != 0 else 0


@inner
def draw(board: int, worker: int) -> int:
    """Return the part that is drawn and the number of parts, in one number, or 0 for none."""
    while True:
        ticket = look(board + TICKET)
        part, parts = ticket & MOST, ticket >> PARTS & MOST
        if part >= parts or worker >= ticket >> THREADS & MOST_THREADS:
            return 0
        if exchange(board + TICKET, ticket, ticket + 1):
            return part << SHARE | parts


@inner
def work(board: int, until: int) -> bool:
    """Draw parts and do them; tell whether none is left, or whether it is past `until`."""
    begun = now(board)
    while True:
        share = draw(board, 0)
        if share == 0:
            return True
        call(look(board + CODE), look(board + KEPT), 0, share)
        add(board + DONE, 1)
        ended = now(board)
        tell(board + LONGEST, max(look(board + LONGEST), ended - begun))
        if ended > until:
            return False
        begun = ended


@inner
def publish(board: int, code: int, kept: int, threads: int, parts: int) -> None:
    """Let `threads` threads call code(kept, worker, share) for every part of a job."""
    if threads > 1 and look(board + ALONE) > 0:
        add(board + ALONE, -1)
        threads = 1
    tell(board + CODE, code)
    tell(board + KEPT, kept)
    tell(board + DONE, 0)
    tell(board + LONGEST, 0)
    number = (look(board + TICKET) >> NUMBER) + 1 & 2**27 - 1
    tell(board + TICKET, number << NUMBER | threads << THREADS | parts << PARTS)


@inner
def finish(board: int, until: int) -> bool:
    """Do what is left of a job and wait for what others have drawn; False: it is past `until`."""
    if not work(board, until):
        return False
    ticket, begun = look(board + TICKET), now(board)
    parts, spun = ticket >> PARTS & MOST, 0
    while look(board + DONE) < parts:
        spun += 1
        if spun <= SPINS:
            pause()
        elif spun <= SPINS + YIELDS:
            system(look(board + YIELD), 0)
        elif now(board) > until:
            return False
        else:
            system(look(board + SLEEP), NAP)
    if ticket >> THREADS & MOST_THREADS > 1:
        _learn(board, now(board) - begun > 2 * look(board + LONGEST) + STALL)
    return True


@inner
def _learn(board: int, stalled: bool) -> None:
    """Count on nobody for a while where somebody drew a part and lost the core."""
    caution = look(board + CAUTION)
    if stalled:
        caution = min(2 * caution + 1, MOST_ALONE)
        tell(board + ALONE, caution)
    elif caution > 0:
        caution -= 1
    tell(board + CAUTION, caution)


def give_up(board: int) -> None:
    """Let nobody draw any more parts, and wait for those that are drawn."""
    while True:
        ticket = look(board + TICKET)
        drawn = ticket & MOST
        if exchange(board + TICKET, ticket, ticket & ~(MOST << PARTS) | drawn << PARTS):
            break
    while look(board + DONE) < drawn:
        system(look(board + SLEEP), NAP)


def serve(board: int, worker: int) -> None:
    """Work for whoever publishes, until nobody has for a while."""
    idle, turn = 0, now(board)
    while idle < IDLE_SPINS and look(board + STOP) == 0:
        share = draw(board, worker)
        if share == 0:
            pause()
            idle += 1
            continue
        call(look(board + CODE), look(board + KEPT), worker, share)
        add(board + DONE, 1)
        idle = 0
        if now(board) - turn > TURN:
            system(look(board + YIELD), 0)
            turn = now(board)


def peek(place: int) -> int:
    """Return the number at an address."""
    return look(place)


def poke(place: int, number: int) -> None:
    """Write a number to an address."""
    tell(place, number)
