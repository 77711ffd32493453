"""Frames: what one step of a trace looks like, as plain data, before any colour or terminal."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass

from stepconv.player.frame import grids, sums
from stepconv.player.frame.film import Film
from stepconv.player.frame.plane import Grid
from stepconv.player.frame.sums import Sum
from stepconv.trace import Trace
from stepconv.trace.words import channel_names, place, sentence

# A sentence on the screen stops after so many terms.
_TERMS = 12


@dataclass(frozen=True, eq=False)
class Frame:
    """One step of a trace, ready to be drawn.

    `source` is where the window lies, `result` what fills up; `window`, `kernel`, `products` and
    `weights`, those of the kernel that meet the window, are there where the operation has them;
    `other` is a plane that decides, such as the x of a ReLU's gradient. `sums` are those of the
    channels, `total` what makes the result of them.
    """

    number: int
    steps: int
    title: str
    operation: str
    place: str
    backward: bool
    source: Grid
    result: Grid
    window: Grid | None
    kernel: Grid | None
    weights: Grid | None
    products: Grid | None
    other: Grid | None
    sums: tuple[Sum, ...]
    total: Sum | None
    sentence: str
    formulas: tuple[str, ...]
    channel: int
    channels: int
    rounded: tuple[str, ...]
    notes: tuple[str, ...]
    one_row: bool
    largest_patch: tuple[int, int]

    @property
    def grids(self) -> tuple[Grid, ...]:
        """All panels that the frame has."""
        every = (
            *(self.source, self.window, self.kernel, self.products),
            *(self.other, self.result),
        )
        return tuple(grid for grid in every if grid is not None)


def frame(
    filmed: Film | Trace, index: int, channel: int = 0, stops: Set[int] = frozenset()
) -> Frame:
    """Return the frame of step `index`, with one of its channels chosen and stops marked.

    For many frames of one trace hand over its `Film`, which remembers what they share.

    >>> import stepconv
    >>> shot = frame(stepconv.record(stepconv.correlate, [1, 2, 3], [1, -1]), 1)
    >>> shot.place, shot.total, shot.sums[0].terms
    ('cell 1', None, ('2·1', '3·(-1)'))
    """
    film = Film(filmed) if isinstance(filmed, Trace) else filmed
    step = film.trace[index]  # which holds a step from a file against the arrays beside it
    names = channel_names(step)
    channel = min(max(channel, 0), max(len(names) - 1, 0))
    return Frame(
        number=index,
        steps=len(film),
        title=film.title,
        operation=film.trace.call.operation.title,
        place=place(step),
        backward=film.trace.call.is_backward,
        source=grids.source(film, step, channel, names),
        result=grids.result(film, step, stops),
        window=grids.window(film, step, channel),
        kernel=grids.kernel(film, step, channel),
        weights=grids.weights(film, step, channel),
        products=grids.products(film, step, channel),
        other=grids.other(film, step),
        sums=sums.of_channels(film, step, channel, names),
        total=sums.total(film, step, names),
        sentence=sentence(step, _TERMS).partition(": ")[2],
        formulas=film.formulas,
        channel=channel,
        channels=len(names),
        rounded=film.rounded,
        notes=film.notes,
        one_row=film.gather.axes == 1,
        largest_patch=film.largest_patch,
    )
