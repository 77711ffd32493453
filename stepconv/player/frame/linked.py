"""From link to link of a chain: what a cell was made from, and what is made of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from stepconv.trace import Chain
from stepconv.trace.chain import Cells, told

# A link and one of its steps, or why there is none to go to.
Onward = tuple[int, int] | str
# Of more cells than these only the nearest are looked up.
_MOST = 600


class Way(NamedTuple):
    """A way from a cell: to one that it was made from, or that it flows into; with its number."""

    link: int | None
    cell: int
    onward: bool


def onward(chain: Chain, link: int, step: int, by: int) -> Onward:
    """Return where the cell leads: by 1 to what is made of it, by -1 to what it was made from.

    Of several cells it is the winner or the one in the middle. A cell that leads nowhere leaves the
    choice of a step to who walks: the first.
    """
    if by > 0:
        if link == len(chain) - 1:
            return "this is the last link: what it gives is the result"
        goes = chain.goes_to(link, step)
        return (goes[0].link or 0, _middle(goes[0])) if goes else (link + 1, 0)
    before = [source.link for source in chain.links[link].sources.values()]
    links = [source for source in before if source is not None]
    if not links:
        if chain[link].call.operation.source not in chain.links[link].sources:
            return "this link has numbers of its own: there is no link before it"
        return "this link is made from the input: there is no link before it"
    made = [cells for cells in chain.made_from(link, step) if cells.link is not None]
    if not made:
        return links[0], 0
    source = made[0].link or 0
    won = _winner(chain, link, step)
    return source, _middle(made[0]) if won is None else won


def ways(chain: Chain, link: int, step: int) -> tuple[Way, ...]:
    """Return where one may go from a cell: what it was made from, then what it flows into.

    >>> import stepconv
    >>> calls = [(stepconv.correlate, {"w": [1, -1]}), (stepconv.relu, {})]
    >>> [(way.link, way.cell) for way in ways(stepconv.record(calls, [3, 1, 4]), 0, 1)]
    [(None, 1), (None, 2), (1, 1)]
    """
    made, goes = chain.made_from(link, step), chain.goes_to(link, step)
    return tuple(
        Way(cells.link, cell, onward)
        for onward, every in ((False, made), (True, goes))
        for cells in every
        for cell in cells.numbers.tolist()
    )


def where(chain: Chain, link: int | None, cell: int) -> str:
    """Return which cell it is, of which link."""
    return _where(chain, Cells(link, np.array([cell])))


def before(chain: Chain, link: int, step: int) -> dict[int | None, set[int]]:
    """Return the cells of links before, and of the input, that a cell was made from.

    All that can reach it; of very many only those next to it.
    """
    return _reached(link, step, chain.made_from)


def after(chain: Chain, link: int, step: int) -> dict[int | None, set[int]]:
    """Return the cells of later links that a cell can reach; of very many those next to it."""
    return _reached(link, step, chain.goes_to)


def _reached(
    link: int, step: int, next_to: Callable[[int, int], tuple[Cells, ...]]
) -> dict[int | None, set[int]]:
    nearest: dict[int | None, set[int]] = {
        cells.link: set(cells.numbers.tolist()) for cells in next_to(link, step)
    }
    reached = {key: set(cells) for key, cells in nearest.items()}
    waiting = [(key, cell) for key, cells in nearest.items() for cell in cells]
    while waiting:
        at, cell = waiting.pop()
        if at is None:
            continue
        for key, numbers in next_to(at, cell):
            fresh = set(numbers.tolist()) - reached.setdefault(key, set())
            reached[key] |= fresh
            waiting += [(key, each) for each in fresh]
        if sum(map(len, reached.values())) > _MOST:
            return nearest
    return reached


def sentence(chain: Chain, link: int, step: int) -> tuple[str, str, str]:
    """Return which link it is, what the cell was made from, and what is made of it.

    >>> import stepconv
    >>> calls = [(stepconv.correlate, {"w": [1, -1]}), (stepconv.relu, {})]
    >>> sentence(stepconv.record(calls, [3, 1, 4]), 0, 1)
    ('link 0 of 2', 'from 2 cells of the input', 'into cell 1 of link 1')
    """
    made = " and ".join(_where(chain, cells) for cells in chain.made_from(link, step))
    goes = " and ".join(_where(chain, cells) for cells in chain.goes_to(link, step))
    last = link == len(chain) - 1
    return (
        f"link {link} of {len(chain)}",
        f"from {made or 'padding alone'}",
        f"into {goes}" if goes else "the result" if last else "into no cell",
    )


def _where(chain: Chain, cells: Cells) -> str:
    if len(cells.numbers) > 1:
        return f"{len(cells.numbers)} cells of {told(cells.link)}"
    shape, place = chain.output_of(cells.link).shape, chain.places(cells)[0]
    # One plane alone needs no number, and a signal has no row.
    first = next((axis for axis, size in enumerate(shape[:-2]) if size > 1), max(len(shape) - 2, 0))
    return f"cell {','.join(map(str, place[first:]))} of {told(cells.link)}"


def _winner(chain: Chain, link: int, step: int) -> int | None:
    """Return the cell that a max pooling chose, in the link before it."""
    trace = chain[link]
    winners = trace.winners
    if winners is None or trace.call.operation.family != "largest":
        return None
    _, height, width = trace.gather.source.shape
    won = int(winners.reshape(-1)[step])
    return None if won < 0 else trace.gather.place(step)[0] * height * width + won


def _middle(cells: Cells) -> int:
    return int(cells.numbers[len(cells.numbers) // 2])
