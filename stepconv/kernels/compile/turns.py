"""How a thread shares its core with other programs: it works for a turn, then offers the core.

A system takes a core away at ticks of its own, some milliseconds apart, in the middle of a part;
everybody then waits for that part. Who offers the core between two parts has nothing that others
wait for. And where an offer is taken, somebody else wants the core: for a while the thread sleeps a
little after each turn instead, for who wakes gets the core at once, as long as it has had less than
its share, and who only offers it waits for the next tick.
"""

from __future__ import annotations

import time

from stepconv.kernels.compile.jit import inner
from stepconv.kernels.compile.tickets import (
    BEGAN,
    CLOCK,
    NOTES,
    SHARED,
    SLEEP,
    SPAN,
    WORD,
    YIELD,
    ask,
    look,
    nanoseconds,
    tell,
)

# Nanoseconds of a turn; an offer that takes so long was taken; a thread sleeps after its turns from
# the least to the most.
TURN, TAKEN = 250_000, 500_000
LEAST, MOST = 10_000_000, 160_000_000

_MONOTONIC = getattr(time, "CLOCK_MONOTONIC", 0)


@inner
def now(board: int) -> int:
    """Return the time in nanoseconds, 0 where the system has no clock that we know."""
    clock = look(board + CLOCK)
    return nanoseconds(clock, _MONOTONIC) if clock != 0 else 0


@inner
def begin(board: int, worker: int) -> None:
    """Begin a turn, if the last part that the thread did is long ago."""
    place, time = board + NOTES + WORD * worker, now(board)
    if time - look(place + BEGAN) > 2 * TURN:
        tell(place + BEGAN, time)


@inner
def rest(board: int, worker: int, time: int) -> None:
    """Between two parts: let others have the core, if it has been the thread's for a turn."""
    place = board + NOTES + WORD * worker
    spent = time - look(place + BEGAN)
    if spent > TURN:
        if time < look(place + SHARED):
            # ¾ of the turn and the time to wake up: about half of the core.
            ask(look(board + SLEEP), min(3 * spent // 4, 2 * TURN) // 1000)
        else:
            offer(board, worker)
        tell(place + BEGAN, now(board))


@inner
def offer(board: int, worker: int) -> None:
    """Offer the core, and learn from the time until it is back whether others want it."""
    place, time = board + NOTES + WORD * worker, now(board)
    ask(look(board + YIELD), 0)
    back = now(board)
    if back - time > TAKEN:
        tell(place + SPAN, min(max(2 * look(place + SPAN), LEAST), MOST))
        tell(place + SHARED, back + look(place + SPAN))
    else:
        tell(place + SPAN, look(place + SPAN) // 2)


@inner
def shares(board: int, worker: int) -> bool:
    """Tell whether others want the core of a thread."""
    return now(board) < look(board + NOTES + WORD * worker + SHARED)
