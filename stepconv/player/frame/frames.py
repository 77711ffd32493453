"""Frames: what one step of a trace looks like, as plain data, before any colour or terminal."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.player.frame.film import PLAIN_SUMS, SINGLE, Film, sizes_of
from stepconv.player.frame.formats import Format, plain
from stepconv.player.frame.grid import (
    BREAK,
    PADDING,
    PICTURE,
    RESULT,
    WINNER,
    Cell,
    Grid,
    Sheet,
    sheet_of,
)
from stepconv.player.frame.sums import MOST_SUMS, MOST_TERMS, Sum, as_planes, sums_of, total_of
from stepconv.trace import Step, Trace
from stepconv.trace.gather import WEIGHTED
from stepconv.trace.sentence import sentence
from stepconv.trace.words import channel_names, channel_title, place, planes

Array = NDArray[Any]

# A sentence of more terms than these is cut short.
_TOLD_TERMS = 12
# Families whose cells each meet a number of their own, and what that is.
_MET = {"route": "winner?", "spread": "1 / cells", "slope": "slope", "balance": "softmax"}


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
    family: str
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
    def sides(self) -> tuple[Grid, Grid]:
        """Source and result in the order in which they stand: a gradient flows back."""
        return (self.result, self.source) if self.backward else (self.source, self.result)

    @property
    def grids(self) -> tuple[Grid, ...]:
        """All panels that the frame has."""
        inner = self.window, self.kernel, self.products, self.other
        every = self.source, *inner, self.result
        return tuple(grid for grid in every if grid is not None)

    def looking(self, look: str) -> Frame:
        """Return the frame with its grids in one look; as a picture that is where cells lie."""
        if not look:
            return self
        names = ["source", "result", "other"]
        names += [] if look == PICTURE else ["window", "kernel", "products"]
        grids: dict[str, Grid | None] = {name: getattr(self, name) for name in names}
        changed: Any = {k: replace(grid, look=look) for k, grid in grids.items() if grid}
        return replace(self, **changed)


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
        family=film.family,
        place=place(step),
        backward=film.trace.call.is_backward,
        source=_source(film, step, channel),
        result=_result(film, step, stops),
        window=_window(film, step, channel),
        kernel=_kernel(film, step, channel),
        weights=_weights(film, step, channel),
        products=_products(film, step, channel),
        other=_other(film, step),
        sums=sums_of(film, step, channel, (MOST_SUMS, MOST_TERMS)),
        total=total_of(film, step),
        sentence=sentence(step, _TOLD_TERMS).partition(": ")[2],
        formulas=film.formulas,
        channel=channel,
        channels=len(names),
        rounded=film.rounded,
        notes=film.notes,
        one_row=film.gather.axes == 1,
        largest_patch=film.largest_patch,
    )


def _source(film: Film, step: Step, channel: int) -> Grid:
    """Return the plane over which the window moves, and the window on it."""
    rows, columns = step.readings
    plane = int(step.pairs[channel, 0]) if len(step.pairs) else 0
    special: dict[Cell, str] = {}
    if step.winner is not None:
        y, z = (0, *step.winner)[-2:]
        special[y, z] = WINNER
    chosen = plain(channel_title(step, channel))
    title = " · ".join(filter(None, [f"{film.source_name} {film.sizes('source')}", chosen]))
    marked = rows.positions, columns.positions
    return Grid(
        *("source", title, film.source_sheet(plane), marked),
        special=special,
        depth=film.depth("source"),
        colours=film.colours("source", plane),
    )


def _result(film: Film, step: Step, stops: Set[int]) -> Grid:
    """Return the plane that fills up, the cell that this step computed, and the stops to come."""
    plane, i, j = step.place
    _, height, width = film.gather.shape
    first = plane * height * width
    ahead = (stop - first for stop in stops if step.index < stop < first + height * width)
    special = {divmod(stop, width): BREAK for stop in ahead}
    name = f"{film.trace.call.operation.result} {film.sizes('result')}"
    title = " · ".join(filter(None, [name, ", ".join(planes(step))]))
    known = i * width + j + 1
    colours = film.colours("result", plane)
    return Grid(
        *("result", title, film.result_sheet(plane), ((i,), (j,)), RESULT, known, special),
        depth=film.depth("result"),
        # Before its last plane is at work, cells have no colour yet.
        colours=colours if plane % max(len(colours), 1) == len(colours) - 1 else (),
    )


def _window(film: Film, step: Step, channel: int) -> Grid | None:
    """Return the cells under the window, those in the padding marked."""
    if film.family in (*SINGLE, "total") or not len(step.pairs) or step.patch.size == 0:
        return None
    rows, columns = step.readings
    ys, zs = np.arange(len(rows.positions)), np.arange(len(columns.positions))
    if film.outside is None:
        ys = np.where(np.array(rows.cells) >= 0, ys, -1)
        zs = np.where(np.array(columns.cells) >= 0, zs, -1)
    special: dict[Cell, str] = {(int(y), int(z)): PADDING for y, z in np.argwhere(step.in_padding)}
    if step.winner is not None:
        y, z = (0, *step.winner)[-2:]
        special[rows.positions.index(y), columns.positions.index(z)] = WINNER
    cells = as_planes(step, step.patch)[channel]
    sheet = Sheet(cells, film.source_format, ys, zs, outside=film.outside)
    title = "copies" if film.family == "fold" else "window"
    return Grid("window", title, sheet, special=special)


def _kernel(film: Film, step: Step, channel: int) -> Grid | None:
    """Return the weights as they are applied; those that this step uses are marked if not all."""
    if film.family in _MET and step.kernel is not None and len(step.pairs):
        cells = as_planes(step, step.kernel)[channel]
        format = Format() if film.gather.weights is None else film.weights_format
        return Grid("kernel", _MET[film.family], sheet_of(cells, format))
    if film.gather.weights is None or film.family not in WEIGHTED or not len(step.pairs):
        return None
    # On the way back the windows that read a cell meet it by descending taps: a half turn.
    back = film.family == "return"
    sheet = film.weights_sheet(int(step.pairs[channel, 1]), turned=back)
    taps = [reading.taps for reading in step.readings]
    if back:
        taps = [
            tuple(size - 1 - tap for tap in each)
            for each, size in zip(taps, sheet.plane.shape, strict=True)
        ]
    operation = film.trace.call.operation
    name = "kernel" if operation.weights == "w" else str(operation.weights)
    turned = " turned" if name == "kernel" and operation.mirrored != back else ""
    scale = f": {film.scale}" if film.scale else ""
    title = f"{name} {sizes_of(sheet.plane.shape[-film.gather.axes :])}{turned}{scale}"
    if any(list(each) != sorted(set(each)) for each in taps):
        # Copies in the border: some weights meet the cell more than once.
        cells = film.whole(as_planes(step, np.asarray(step.kernel))[channel])
        return Grid("kernel", f"{name} as it is met{scale}", sheet_of(cells, film.weights_format))
    every = tuple(map(len, taps)) == sheet.plane.shape
    return Grid("kernel", title, sheet, ((), ()) if every else (taps[0], taps[1]))


def _weights(film: Film, step: Step, channel: int) -> Grid | None:
    """Return the weights that the window's cells meet, each at the place of its cell."""
    if film.family not in WEIGHTED or step.kernel is None or step.kernel.size == 0:
        return None
    cells = film.whole(as_planes(step, step.kernel)[channel])
    return Grid("kernel", "weights", sheet_of(cells, film.weights_format))


def _products(film: Film, step: Step, channel: int) -> Grid | None:
    """Return the window's cells times the weights that they meet."""
    if film.family in (*SINGLE, *PLAIN_SUMS, "largest") or not len(step.pairs):
        return None
    cells = as_planes(step, step.products)[channel]
    title = "e^(x - max)" if film.family == "share" else "products"
    return Grid("products", title, sheet_of(cells, film.products_format))


def _other(film: Film, step: Step) -> Grid | None:
    """Return x where it decides about a gradient."""
    call = film.trace.call
    if not call.is_backward or call.operation.family not in ("route", "gate", "slope", "balance"):
        return None
    plane, i, j = step.place
    sheet = sheet_of(film.x_planes[plane], film.x_format)
    return Grid("other", f"x {film.sizes('result')}", sheet, ((i,), (j,)))
