"""The panels of a frame: which plane each one shows, and which of its cells are marked."""

from __future__ import annotations

from collections.abc import Set
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.player.frame.film import (
    PLAIN_SUMS,
    SINGLE,
    WEIGHTED,
    Film,
    sizes_of,
)
from stepconv.player.frame.numbers import Format
from stepconv.player.frame.plane import (
    BREAK,
    PADDING,
    RESULT,
    WINNER,
    Cell,
    Grid,
    Sheet,
    sheet_of,
)
from stepconv.player.text.lines import plain
from stepconv.trace import Step

Array = NDArray[Any]


def source(film: Film, step: Step, channel: int, names: list[str]) -> Grid:
    """Return the plane over which the window moves, and the window on it."""
    rows, columns = step.readings
    plane = int(step.pairs[channel, 0]) if len(step.pairs) else 0
    special: dict[Cell, str] = {}
    if step.winner is not None:
        y, z = (0, *step.winner)[-2:]
        special[y, z] = WINNER
    name = names[channel] if names else ""
    chosen = f"{name} {channel + 1}/{len(names)}" if len(names) > 1 else name
    title = " · ".join(filter(None, [f"{film.source_name} {film.sizes('source')}", plain(chosen)]))
    marked = rows.positions, columns.positions
    return Grid("source", title, film.source_sheet(plane), marked, special=special)


def result(film: Film, step: Step, stops: Set[int]) -> Grid:
    """Return the plane that fills up, the cell that this step computed, and the stops to come."""
    plane, i, j = step.place
    planes, height, width = film.gather.shape
    first = plane * height * width
    ahead = (stop - first for stop in stops if step.index < stop < first + height * width)
    special = {divmod(stop, width): BREAK for stop in ahead}
    which = f" · {plane + 1}/{planes}" if planes > 1 else ""
    title = f"{film.trace.call.operation.result} {film.sizes('result')}{which}"
    known = i * width + j + 1
    return Grid("result", title, film.result_sheet(plane), ((i,), (j,)), RESULT, known, special)


def window(film: Film, step: Step, channel: int) -> Grid | None:
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


def kernel(film: Film, step: Step, channel: int) -> Grid | None:
    """Return the weights as they are applied; those that this step uses are marked if not all."""
    if film.family in ("route", "spread") and step.kernel is not None:
        cells = as_planes(step, step.kernel)[channel]
        routed = film.family == "route"
        title = "winner?" if routed else "1 / cells"
        return Grid("kernel", title, sheet_of(cells, Format() if routed else film.weights_format))
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
    title = f"{name} {sizes_of(sheet.plane.shape[-film.gather.axes :])}{turned}"
    if any(list(each) != sorted(set(each)) for each in taps):
        # Copies in the border: some weights meet the cell more than once.
        cells = as_planes(step, np.asarray(step.kernel))[channel]
        return Grid("kernel", f"{name} as it is met", sheet_of(cells, film.weights_format))
    every = tuple(map(len, taps)) == sheet.plane.shape
    return Grid("kernel", title, sheet, ((), ()) if every else (taps[0], taps[1]))


def weights(film: Film, step: Step, channel: int) -> Grid | None:
    """Return the weights that the window's cells meet, each at the place of its cell."""
    if film.family not in WEIGHTED or step.kernel is None or step.kernel.size == 0:
        return None
    cells = as_planes(step, step.kernel)[channel]
    return Grid("kernel", "weights", sheet_of(cells, film.weights_format))


def products(film: Film, step: Step, channel: int) -> Grid | None:
    """Return the window's cells times the weights that they meet."""
    if film.family in (*SINGLE, *PLAIN_SUMS, "largest") or not len(step.pairs):
        return None
    cells = as_planes(step, step.products)[channel]
    return Grid("products", "products", sheet_of(cells, film.products_format))


def other(film: Film, step: Step) -> Grid | None:
    """Return x where it decides about a gradient."""
    if film.family not in ("route", "gate") or not film.trace.call.is_backward:
        return None
    plane, i, j = step.place
    sheet = sheet_of(film.x_planes[plane], film.x_format)
    return Grid("other", f"x {film.sizes('result')}", sheet, ((i,), (j,)))


def as_planes(step: Step, cells: Array) -> Array:
    """Return what a step gives as (channels, rows, columns)."""
    rows, columns = step.readings
    return cells.reshape(len(step.pairs), len(rows.positions), len(columns.positions))
