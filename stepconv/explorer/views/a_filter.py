"""One filter: the weights of a channel; with the right class their gradients, and a step."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.explorer.frame.planes import planes
from stepconv.explorer.views.a_map import shown_part
from stepconv.explorer.visit import Visit
from stepconv.nn.layers import sizes
from stepconv.player.frame.formats import format_of
from stepconv.player.frame.grid import RESULT, Grid, sheet_of
from stepconv.player.text.lines import Block, above, beside, cut, text_block, wrapped
from stepconv.player.text.numbers import numbers_of

Array = NDArray[Any]


def view(visit: Visit, width: int, height: int) -> Block:
    """Return the weights, and if there is a loss their gradients and what a step makes of them."""
    told = wrapped(" ".join(sentences(visit)), width)
    grids = list(panels(visit))
    each = (width - 3 * (len(grids) - 1)) // len(grids)
    room = height - told.height
    abreast = beside(*(_drawn(grid, each, room) for grid in grids), gap=3)
    if abreast.width > width or any(grid.shape[1] * 7 > each for grid in grids):
        deep = max(room // len(grids), 3)
        abreast = above(*(_drawn(grid, width, deep) for grid in grids))
    gap = int(abreast.height < room)
    return cut(above(abreast, told, gap=gap), width, height)


def sentences(visit: Visit) -> Iterator[str]:
    """Yield what there is to say of the chosen weight."""
    name, index = f"{visit.column.name}.weight", visit.weight_index
    if index is None:
        yield "There is no weight here: the row ends before."
        return
    where = ", ".join(map(str, index))
    w = np.asarray(visit.inside.network.parameters[name])
    if visit.label is None:
        yield f"{name}[{where}] = {w[index]:.5g}."
        yield "A digit key says which class is right: then there are gradients."
        return
    _, gradient, after = visit.inside.step(visit.rate)[name]
    g = f"{gradient[index]:.5g}"
    g = f"({g})" if g.startswith("-") else g
    moved = f"{w[index]:.5g} − {visit.rate:g} · {g} = {after[index]:.5g}"
    yield f"{name}[{where}]: w − lr · g = {moved}."
    shape = sizes(visit.inside[visit.column.name].shape)
    yield f"Its gradient is a sum over the cells of the output, {shape}: enter shows every product."


def panels(visit: Visit) -> Iterator[Grid]:
    """Yield the weights of the chosen channel, their gradients and what a step makes of them."""
    name = f"{visit.column.name}.weight"
    channel, row, column = visit.weight
    w = np.asarray(visit.inside.network.parameters[name])
    arrays = {"w": w}
    if visit.label is not None:
        _, gradient, after = visit.inside.step(visit.rate)[name]
        arrays |= {"gradient g": gradient, f"w − {visit.rate:g}·g": after}
    for title, array in arrays.items():
        plane = _plane(array[visit.filter], channel)
        told = f"{title} · filter {visit.filter}, channel {channel}" if title == "w" else title
        format = format_of(np.float32(plane))
        yield Grid("weight", told, sheet_of(plane, format), ((row,), (column,)), RESULT)


def _plane(kernel: Array, channel: int) -> Array:
    return np.asarray(kernel[channel] if kernel.ndim == 3 else planes(kernel.reshape(-1))[0])


def _drawn(grid: Grid, width: int, height: int) -> Block:
    rows, columns = grid.shape
    ((row,), (column,)) = grid.marked
    down = shown_part(rows, row, height - 1)
    across = shown_part(columns, column, (width - 1) // (grid.sheet.format.width + 1))
    title = text_block(grid.title, role="title")
    return cut(above(title, numbers_of(grid, down, across)), width, height)
