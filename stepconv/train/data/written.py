"""Digits found on paper: a photograph may be shaded, and hold several or none.

The paper is taken for a surface of gray that bends gently. What stands out from it on one side is
ink; pieces of ink that lie above each other are one digit, and the digits are read from the left.
"""

import numpy as np
from numpy.typing import NDArray

from stepconv.train.data import centre

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

# Photographs are looked at in so many cells along their longer side.
LARGEST = 160
# Ink stands out from the paper's noise by so many times, and by so many of 255 levels.
TIMES_NOISE, LEVELS = 6.0, 24.0
# A piece of ink that is so much lower than the tallest, or lighter than the heaviest, is a speck.
LOW, LIGHT = 0.3, 0.03
# Strokes of MNIST are some two cells of 20 wide; thinner ones are drawn over.
STROKE = 1.8


def digits(gray: Floats) -> list[NDArray[np.uint8]]:
    """Return the digits on a sheet, from left to right, each as MNIST would have it."""
    scale = min(1.0, LARGEST / max(gray.shape))
    small = centre.resized(gray, *(max(1, round(size * scale)) for size in gray.shape))
    ink, noise = above_paper(small)
    least = max(TIMES_NOISE * noise, LEVELS)
    if float(np.quantile(ink, 0.999)) < least:
        return []
    strong = ink > max(least / 2, 0.4 * float(np.quantile(ink, 0.999)))
    found = []
    for mask in _digits(strong):
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        near = _grown(mask[box], 1)
        piece = np.where(near, ink[box], 0)
        found.append(centre.of_ink(_thickened(piece, mask[box])))
    return found


def above_paper(gray: Floats) -> tuple[Floats, float]:
    """Return how far each cell stands out from the paper on the side of the ink, and its noise.

    The paper is a + b·x + c·y + d·x² + e·x·y + f·y², fitted to the edge of the sheet, then to all
    cells that are near it.
    """
    rows, columns = gray.shape
    y, x = np.mgrid[-1 : 1 : rows * 1j, -1 : 1 : columns * 1j]
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    paper: Mask = np.maximum(abs(x), abs(y)) > 0.8
    if min(rows, columns) < 40:  # too few cells to tell a bend from a digit
        ink = centre.bright_on_black(gray)
        return ink, float(np.median(np.abs(ink[paper])))
    for _ in range(4):
        fit, *_ = np.linalg.lstsq(terms[paper], gray[paper], rcond=None)
        away = gray - terms @ fit
        noise = float(np.median(np.abs(away[paper])))
        paper = np.abs(away) < max(4 * noise, 4.0)
        if paper.sum() < 0.2 * paper.size:
            break
    dark = -float(np.quantile(away, 0.002)) > float(np.quantile(away, 0.998))
    return np.maximum(-away if dark else away, 0), noise


def _digits(strong: Mask) -> list[Mask]:
    """Return the ink of each digit: pieces that share most of their columns are one."""
    pieces = _pieces(strong)
    heaviest = max(piece.sum() for piece in pieces)
    tallest = max(np.ptp(np.flatnonzero(piece.any(axis=1))) + 1 for piece in pieces)
    kept = [piece for piece in pieces if piece.sum() >= LIGHT * heaviest]
    merged: list[Mask] = []
    for piece in sorted(kept, key=lambda piece: int(np.flatnonzero(piece.any(axis=0))[0])):
        mine = piece.any(axis=0)
        if merged:
            theirs = merged[-1].any(axis=0)
            if (mine & theirs).sum() > 0.5 * min(mine.sum(), theirs.sum()):
                merged[-1] = merged[-1] | piece
                continue
        merged.append(piece)
    high = [np.ptp(np.flatnonzero(mask.any(axis=1))) + 1 for mask in merged]
    return [mask for mask, rows in zip(merged, high, strict=True) if rows >= LOW * tallest]


def _pieces(strong: Mask) -> list[Mask]:
    """Return the connected pieces; corners connect."""
    rest = strong.copy()
    pieces = []
    while rest.any():
        piece = np.zeros_like(rest)
        piece.flat[int(rest.argmax())] = True
        while (larger := _grown(piece, 1) & rest).sum() > piece.sum():
            piece = larger
        pieces.append(piece)
        rest &= ~piece
    return pieces


def _grown(mask: Mask, by: int) -> Mask:
    """Return the mask with all cells that are next to it, `by` times."""
    for _ in range(by):
        padded = np.pad(mask, 1)
        tall = padded[:-2] | padded[1:-1] | padded[2:]
        mask = tall[:, :-2] | tall[:, 1:-1] | tall[:, 2:]
    return mask


def _thickened(ink: Floats, mask: Mask) -> Floats:
    """Return a digit with strokes as wide as a network knows them, if they are thinner."""
    inner = mask & ~_grown(~np.pad(mask, 1), 1)[1:-1, 1:-1]
    edge = int(mask.sum() - inner.sum())
    width = 2 * float(mask.sum()) / edge  # of a long stroke: area / half of its outline
    scale = centre.BOX / max(mask.shape)
    by = round((STROKE - width * scale) / (2 * scale))
    if by <= 0:
        return ink
    room = np.pad(mask, by)
    return np.where(_grown(room, by), float(ink.max()), 0.0)
