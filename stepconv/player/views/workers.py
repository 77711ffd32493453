"""The view "who computed this?": a letter and a colour for each thread or block."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.player.frame import words
from stepconv.player.frame.film import Film
from stepconv.player.text.lines import (
    Block,
    Line,
    Piece,
    Spot,
    above,
    beside,
    block,
    clipped,
    text_block,
)

Array = NDArray[Any]

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# As many colours as a colour-blind eye keeps apart; then they start again, the letters do not.
COLOURS = 6


@lru_cache(maxsize=2)
def teams(film: Film) -> tuple[tuple[tuple[int, ...], ...], Array]:
    """Return who computed: the threads or blocks, and for each step which of them."""
    workers = film.trace.workers
    # Of a GPU's block and thread the block tells where the work was done.
    leaders = workers if workers.ndim == 1 else workers[:, 0]
    known, which = np.unique(leaders, return_inverse=True)
    depth = workers.ndim
    return tuple((int(leader), 0)[:depth] for leader in known), which.reshape(-1)


def view(film: Film, index: int, width: int, height: int) -> Block:
    """Return the result's plane with the letter of whoever computed each cell, and a legend."""
    known, which = teams(film)
    plane, i, j = film.gather.place(index)
    cells = which.reshape(film.gather.shape)[plane]
    legend = _legend(known, which, width)
    asked = f"{film.trace.call.operation.result} {film.sizes('result')}: who computed which cell?"
    title = text_block(asked, role="title")
    room = height - 2
    beside_it = width - legend.width - 3
    if beside_it < min(cells.shape[1] + 2, 24):
        drawn = _map(cells, (i, j), width, max(room - legend.height - 1, 1))
        return above(title, drawn, legend)
    drawn = _map(cells, (i, j), beside_it, room)
    return above(title, beside(drawn, legend, gap=3))


def _legend(known: tuple[tuple[int, ...], ...], which: Array, width: int) -> Block:
    shares = np.bincount(which, minlength=len(known))
    lines: list[Line] = []
    for number, worker in enumerate(known[:12]):
        steps = int(shares[number])
        told = clipped(f" {words.worker_name(worker)}: {steps} steps", width - 3)
        lines.append((Piece(f" {_letter(number)} ", _role(number)), Piece(told)))
    if len(known) > 12:
        lines.append((Piece(f"… and {len(known) - 12} more", "muted"),))
    if len(known) == 1:
        lines.append((Piece("one worker did it all", "muted"),))
    return block(lines)


def _map(cells: Array, here: tuple[int, int], width: int, height: int) -> Block:
    """Return a letter for each cell, or for as many cells, evenly chosen, as fit."""
    rows, columns = cells.shape
    wide = 2 if 2 * columns + 1 <= width else 1
    down, across = min(rows, height), min(columns, (width - 1) // wide)
    ys, zs = np.arange(down) * rows // max(down, 1), np.arange(across) * columns // max(across, 1)
    # The step's own cell stays in the picture, whatever was chosen.
    y, z = (int(np.searchsorted(at, n, "right")) - 1 for at, n in zip((ys, zs), here, strict=True))
    lines = []
    for row, i in enumerate(ys.tolist()):
        pieces = []
        for column, j in enumerate(zs.tolist()):
            number, marked = int(cells[i, j]), row == y
            edge = "[" if marked and column == z else "]" if marked and column == z + 1 else " "
            pieces.append(Piece(edge if wide == 2 else "", "result" if edge != " " else ""))
            role = "result" if marked and column == z else _role(number)
            pieces.append(Piece(_letter(number), role, Spot("result", i, j)))
        last = row == y and z == across - 1 and wide == 2
        pieces.append(Piece("]", "result") if last else Piece(" "))
        lines.append(pieces)
    return block(lines)


def _letter(number: int) -> str:
    return LETTERS[number % len(LETTERS)]


def _role(number: int) -> str:
    return f"worker {number % COLOURS}"
