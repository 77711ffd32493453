"""Networks side by side: when, by whom, what they cost, how deep, and what they get wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from stepconv.cli import terminal

if TYPE_CHECKING:
    from rich.console import Console

    from stepconv.nn.shapes import Measured

_HEADS = ("network", "year", "authors", "parameters", "multiplications", "depth", "sees", "error")
_LEFT = ("network", "authors")
_GAP = "  "
# Fewer columns than these say nothing of who it was.
_LEAST_AUTHORS = 8


class Compared(NamedTuple):
    """A network in the table; `error` is in per cent, `judged` says on what, and who told it."""

    network: Measured
    year: int | None
    authors: str
    error: float | None
    judged: str

    def as_data(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "model": self.network.name,
            "about": self.network.about,
            "input": self.network.input,
            "year": self.year,
            "authors": self.authors or None,
            "parameters": self.network.parameters,
            "multiplications": self.network.multiplications,
            "depth": self.network.depth,
            "receptive_field": self.network.field,
            "published_error": self.error if self.year else None,
            "error": self.error,
            "judged": self.judged or None,
        }


def compared(network: Measured) -> Compared:
    """Return a network with its paper, or with what its run folder says of it."""
    from stepconv.nn.zoo.papers import paper

    if known := paper(network.name):
        after = f"after {known.after}" if known.after else known.judged
        return Compared(network, known.year, known.authors, known.error, after)
    if not Path(network.name).is_dir():
        return Compared(network, None, "", None, "")
    from stepconv.train import trained

    run = trained.load(Path(network.name))
    accuracy = run.history[-1].test_accuracy if run.history else None
    if accuracy is None:
        return Compared(network, None, "", None, "")
    data = Path(str(run.network.about.get("data", "its data"))).name
    return Compared(network, None, "", round(100 * (1 - accuracy), 2), f"{data}, measured here")


def show(console: Console, networks: Sequence[Measured], as_json: bool) -> None:
    """Print the table, or an object a line."""
    every = [compared(network) for network in networks]
    if as_json:
        for each in every:
            terminal.print_json(each.as_data(), ensure_ascii=False)
        return
    width = console.width if console.is_terminal else None
    for line in table(every, width):
        console.print(line, markup=False, soft_wrap=True)


def table(every: Sequence[Compared], width: int | None) -> Iterator[str]:
    """Yield the lines of the table: of at most `width` columns, or everything in full for a pipe.

    Where there is little room large numbers are short, and authors are cut, then left out.
    """
    full = [_row(each, short=False) for each in every]
    judged = [each.judged for each in every]
    if width is None:
        ends = ["judged on", *judged]
        lines = _aligned([_HEADS, *full])
        yield from (f"{a}{_GAP}{b}".rstrip() for a, b in zip(lines, ends, strict=True))
        return
    cells = [_HEADS, *full]
    if _wide(cells) > width:
        short = ("network", "year", "authors", "params", "products", "depth", "sees", "error")
        cells = [short, *(_row(each, short=True) for each in every)]
    at = _HEADS.index("authors")
    authors = max(len(row[at]) for row in cells)
    room = authors - max(_wide(cells) - width, 0)
    if room >= _LEAST_AUTHORS:
        cells = [(*row[:at], terminal.cut(row[at], room), *row[at + 1 :]) for row in cells]
    else:
        cells = [(*row[:at], *row[at + 1 :]) for row in cells]
    room = max(len(row[0]) for row in cells) - max(_wide(cells) - width, 0)
    cells = [(_end(row[0], max(room, 1)), *row[1:]) for row in cells]
    yield from (terminal.cut(line, width) for line in _aligned(cells))
    told: dict[str, list[str]] = {}
    for each in every:
        if each.error is not None:
            told.setdefault(each.judged, []).append(each.network.name)
    if told:
        yield ""
        yield terminal.cut("errors in per cent (together: networks that vote):", width)
        yield from (terminal.cut(f"  {k}: {', '.join(v)}", width) for k, v in told.items())


def _end(name: str, width: int) -> str:
    """Return the end of a name: of a path it tells most."""
    return name if len(name) <= width else f"…{name[len(name) + 1 - width :]}"


def _row(each: Compared, short: bool) -> tuple[str, ...]:
    def counted(number: int) -> str:
        return terminal.short(number) if short else f"{number:,}"

    sees = each.network.field
    field = str(sees[0]) if len(set(sees)) == 1 else "x".join(map(str, sees))
    return (
        each.network.name,
        str(each.year or "–"),
        each.authors or "–",
        counted(each.network.parameters),
        counted(each.network.multiplications),
        str(each.network.depth),
        field,
        "–" if each.error is None else f"{each.error:g} %",
    )


def _wide(cells: Sequence[tuple[str, ...]]) -> int:
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return sum(widths) + len(_GAP) * (len(widths) - 1)


def _aligned(cells: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Yield the lines: names to the left, what is counted to the right."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    has_authors = len(cells[0]) == len(_HEADS)
    left = [head in _LEFT for head in _HEADS if has_authors or head != "authors"]
    for row in cells:
        aligned = (
            cell.ljust(width) if to_left else cell.rjust(width)
            for cell, width, to_left in zip(row, widths, left, strict=True)
        )
        yield _GAP.join(aligned).rstrip()
