"""All links of a chain at once: what each gives, and which of it belongs to the cell at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from stepconv.player.frame import linked
from stepconv.player.frame.film import Film, sizes_of
from stepconv.player.frame.formats import format_of
from stepconv.player.frame.grid import RESULT, WINDOW, Cell, Grid, sheet_of
from stepconv.trace import Chain


@dataclass(frozen=True, eq=False)
class Stop:
    """What a link of a chain gives, or with None the chain's input: a plane of it."""

    link: int | None
    plane: int
    grid: Grid
    here: bool


def strip(chain: Chain, film: Callable[[int], Film], link: int, step: int) -> tuple[Stop, ...]:
    """Return the input and what every link gives, marked where the cell is from and goes to.

    >>> import stepconv
    >>> calls = [(stepconv.correlate, {"w": [1, -1]}), (stepconv.relu, {})]
    >>> chain = stepconv.record(calls, [3, 1, 4])
    >>> stops = strip(chain, lambda link: Film(chain[link]), 1, 0)
    >>> [(stop.grid.title, stop.grid.marked[1]) for stop in stops]
    [('input 3', (0, 1)), ('0 correlate 2 ← input', (0,)), ('1 relu 2 ← 0', (0,))]
    """
    made = linked.before(chain, link, step)
    goes = linked.after(chain, link, step)
    every: list[int | None] = [None, *range(len(chain))]
    stops = []
    for each in every:
        cells = {step} if each == link else made.get(each, set()) | goes.get(each, set())
        role = WINDOW if each in made else RESULT
        stops.append(_stop(chain, film, each, cells, role, each == link))
    return tuple(stops)


def _stop(
    chain: Chain,
    film: Callable[[int], Film],
    link: int | None,
    cells: set[int],
    role: str,
    here: bool,
) -> Stop:
    """Return the plane that most of the cells are in, with these marked."""
    output = chain.output_of(link)
    axes = 2 if output.ndim > 1 and (link is None or film(link).gather.axes == 2) else 1
    shape = (output.shape[-2] if axes == 2 else 1, output.shape[-1])
    size = max(shape[0] * shape[1], 1)
    planes = [cell // size for cell in sorted(cells)]
    plane = max(set(planes), key=planes.count, default=0)
    marked = [divmod(cell % size, shape[1]) for cell in sorted(cells) if cell // size == plane]
    if link is None:
        stack = output.reshape(-1, *shape)
        sheet = sheet_of(stack[plane], format_of(stack))
    else:
        sheet = film(link).result_sheet(plane)
    count = output.size // size
    many = f" · plane {plane} of {count}" if count > 1 else ""
    title = f"{_name(chain, link)}{many}"
    part = "input" if link is None else f"link:{link}"
    rows = tuple(dict.fromkeys(row for row, _ in marked))
    columns = tuple(sorted({column for _, column in marked}))
    grid = Grid(part, title, sheet, (rows, columns), role)
    if len(rows) * len(columns) != len(marked):
        special: dict[Cell, str] = dict.fromkeys(marked, role)
        grid = Grid(part, title, sheet, role=role, special=special)
    return Stop(link, plane, grid, here)


def _name(chain: Chain, link: int | None) -> str:
    if link is None:
        return f"input {_sizes(chain.input)}"
    sources = dict.fromkeys(source.link for source in chain.links[link].sources.values())
    told = ", ".join("input" if source is None else str(source) for source in sources)
    trace = chain[link]
    arrow = f" ← {told}" if told else ""
    return f"{link} {trace.op.replace('_', '-')} {_sizes(trace.output)}{arrow}"


def _sizes(array: np.ndarray) -> str:
    return sizes_of(array.shape).removeprefix("of ")
