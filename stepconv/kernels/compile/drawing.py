"""What threads do at the board of tickets: publish a job, draw its parts, wait for the rest.

A thread that computes looks at the clock between two parts, so that who is asked for a long job is
back in Python in time for Ctrl-C, and goes on from there.
"""

from __future__ import annotations

from stepconv.kernels.compile.jit import inner
from stepconv.kernels.compile.tickets import (
    CODE,
    CORE,
    DONE,
    KEPT,
    MOST,
    NUMBER,
    PARTS,
    PLACE,
    RUNNING,
    SHARE,
    SLEEP,
    STOP,
    THREADS,
    TICKET,
    add,
    ask,
    call,
    exchange,
    look,
    pause,
    tell,
)
from stepconv.kernels.compile.turns import begin, now, offer, rest, shares
from stepconv.kernels.environment import MOST_THREADS

# Who waits for the others first spins, then offers its core, then sleeps so many microseconds.
SPINS, OFFERS, NAP = 4_000, 50, 50
# A worker with nothing to do spins so often before it parks; where others want its core it spins
# less, and sleeps so often.
IDLE_SPINS, IDLE_NAPS = 20_000, 40


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
    begin(board, 0)
    while True:
        share = draw(board, 0)
        if share == 0:
            return True
        call(look(board + CODE), look(board + KEPT), 0, share)
        add(board + DONE, 1)
        time = now(board)
        if time > until:
            return False
        if look(board + TICKET) >> THREADS & MOST_THREADS > 1:
            rest(board, 0, time)


@inner
def publish(board: int, code: int, kept: int, threads: int, parts: int) -> None:
    """Let `threads` threads call code(kept, worker, share) for every part of a job."""
    if threads > 1 and shares(board, 0):
        threads = 1
    if look(board + PLACE) != 0:
        tell(board + CORE, ask(look(board + PLACE), 0))
    tell(board + CODE, code)
    tell(board + KEPT, kept)
    tell(board + DONE, 0)
    number = (look(board + TICKET) >> NUMBER) + 1 & 2**27 - 1
    tell(board + TICKET, number << NUMBER | threads << THREADS | parts << PARTS)


@inner
def finish(board: int, until: int) -> bool:
    """Do what is left of a job and wait for what others have drawn; False: it is past `until`."""
    if not work(board, until):
        return False
    parts, spun = look(board + TICKET) >> PARTS & MOST, 0
    while look(board + DONE) < parts:
        spun += 1
        if spun <= SPINS:
            pause()
        elif spun <= SPINS + OFFERS and not shares(board, 0):
            offer(board, 0)
        elif now(board) > until:
            return False
        else:
            ask(look(board + SLEEP), NAP)
    return True


def give_up(board: int) -> None:
    """Let nobody draw any more parts, and wait for those that are drawn."""
    while True:
        ticket = look(board + TICKET)
        drawn = ticket & MOST
        if exchange(board + TICKET, ticket, ticket & ~(MOST << PARTS) | drawn << PARTS):
            break
    while look(board + DONE) < drawn:
        ask(look(board + SLEEP), NAP)


def serve(board: int, worker: int) -> bool:
    """Work for whoever publishes, until nobody has for a while.

    True: go on, but on another core, for this is the publisher's. A system puts who wakes up beside
    who woke it where no core is free, and leaves both there.
    """
    idle = 0
    begin(board, worker)
    while look(board + STOP) == 0:
        place = look(board + PLACE)
        if place != 0 and ask(place, 0) == look(board + CORE):
            return True
        share = draw(board, worker)
        if share != 0:
            call(look(board + CODE), look(board + KEPT), worker, share)
            add(board + DONE, 1)
            rest(board, worker, now(board))
            idle = 0
            continue
        idle += 1
        if idle == SPINS and shares(board, worker):
            idle = IDLE_SPINS
        if idle <= IDLE_SPINS:
            pause()
            continue
        patient = idle <= IDLE_SPINS + IDLE_NAPS and shares(board, worker)
        if look(board + RUNNING) == 0 and not patient:
            break
        ask(look(board + SLEEP), NAP)
    return False


def peek(place: int) -> int:
    """Return the number at an address."""
    return look(place)


def poke(place: int, number: int) -> None:
    """Write a number to an address."""
    tell(place, number)
