"""The page of an algorithm: its steps to play in a browser, the table of all ways behind them.

All is in the file as it is written on the screen; the page looks it up and computes none.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from itertools import accumulate
from math import prod
from typing import Any

from stepconv.export import figure
from stepconv.export.svg import png
from stepconv.player.frame.grid import Grid
from stepconv.player.stepped import lines, table
from stepconv.player.stepped.pages import Page
from stepconv.web import html
from stepconv.web.record import MOST

_STYLES = ("common.css", "record.css", "stepped.css")
_SCRIPTS = ("parts.mjs", "controls.mjs", "grids.mjs", "stepped.mjs")


def page(pages: Sequence[Page], title: str) -> str:
    """Return the pages of an algorithm as an HTML file of its own."""
    told = {"title": title, "of": len(pages), "pages": [_told(each) for each in kept(pages)]}
    return html.page(title, "stepped.html", styles=_STYLES, scripts=_SCRIPTS, told=told)


def kept(pages: Sequence[Page]) -> list[Page]:
    """Return as many pages as a file holds the numbers of, and the last one, which is the table."""
    cells = (sum(prod(grid.shape) for grid in page.grids) for page in pages)
    some = [page for page, so_far in zip(pages, accumulate(cells), strict=True) if so_far <= MOST]
    return some if len(some) == len(pages) else [*some, pages[-1]]


def _told(page: Page) -> dict[str, Any]:
    """Return what the file says of a page."""
    step = page.step
    if step is None:
        words, told, costs = [], table.notes(page.rows), [table.cells(page.rows)]
    else:
        words, told, costs = [step.words, step.formula], [lines.in_words(step.counts)], []
    return {
        "number": page.number,
        "algorithm": page.algorithm,
        "title": page.title,
        "words": words,
        "panels": [_panel(grid) for grid in page.grids],
        "table": costs,
        "told": told,
    }


def _panel(grid: Grid) -> dict[str, Any]:
    """Return an array as texts, rows ending at ;, and cells by their roles; or as a picture."""
    drawn = figure.panel(grid).drawn
    if isinstance(drawn, figure.Picture):
        content = b64encode(png(drawn.shape, drawn.pixels)).decode()
        title = f"{grid.title} {grid.shape[0]}x{grid.shape[1]}"
        return {"title": title, "picture": f"data:image/png;base64,{content}"}
    roles: dict[str, list[int]] = {}
    for number, cell in enumerate(cell for row in drawn.rows for cell in row):
        if cell.role:
            roles.setdefault(cell.role, []).append(number)
    cells = ";".join(" ".join(cell.text for cell in row) for row in drawn.rows)
    return {"title": grid.title, "cells": cells, "roles": roles}
