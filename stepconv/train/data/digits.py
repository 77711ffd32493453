"""Digits made by code: how many different 5s are there? As many as one asks for.

A way of writing the digit is taken, its points are pushed about, the whole is slanted, turned and
stretched, and a pen of some thickness follows it. Like in MNIST it then fills 20 of 28 cells and
lies with its centre of mass in the middle. Picture 1,000 is the same whether the 999 before it are
made or not.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.train import chance
from stepconv.train.data.samples import Samples
from stepconv.train.data.strokes import STROKES

CLASSES = tuple("0123456789")
TRAINING, TESTING = 20_000, 4_000
FINGERPRINT = "digits 1"  # another number whenever the pictures change

SIDE, BOX = 28, 20.0
CHUNK = 256  # pictures drawn together: their distances stay in the cache
POINTS_A_PIECE = 3  # straight pieces that a curve takes from one point to the next

Floats = NDArray[np.float64]


class Ways(NamedTuple):
    """Every way to write a digit, padded to the same number of points and pieces.

    `curve[way] @ corners[way]` are the points that the pen goes through; piece i goes from point i
    to point i + 1 if `drawn[way, i]`, else the pen is up.
    """

    digit: NDArray[np.int64]
    corners: Floats
    curve: Floats
    drawn: NDArray[np.bool_]


def make(count: int, *, seed: int = 0, first: int = 0) -> Samples:
    """Return `count` digits, from number `first` on.

    >>> some = make(3, first=5)
    >>> some.pictures.shape, bool((some.pictures == make(8).pictures[5:]).all())
    ((3, 1, 28, 28), True)
    """
    pictures = np.empty((count, 1, SIDE, SIDE), np.uint8)
    labels = np.empty(count, np.int64)
    for start in range(0, count, CHUNK):
        numbers = first + np.arange(start, min(start + CHUNK, count))
        some = slice(start, start + len(numbers))
        pictures[some, 0], labels[some] = _draw(numbers, seed)
    return Samples(pictures, labels)


def _draw(numbers: NDArray[np.int64], seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    ways = _ways()
    corners = ways.corners.shape[1]
    luck = chance.uniform(seed, 0, numbers, 16 + 2 * corners)
    digit = (luck[:, 0] * 10).astype(np.int64)
    first = np.searchsorted(ways.digit, digit)
    many = np.searchsorted(ways.digit, digit, side="right") - first
    way = first + (luck[:, 1] * many).astype(np.int64)
    spread = 2 * luck - 1  # from -1 to 1

    pushed = ways.corners[way] + PUSH * spread[:, 16:].reshape(-1, corners, 2)
    points = ways.curve[way] @ _transformed(pushed, spread)
    drawn = ways.drawn[way]
    radius = RADIUS[0] + (RADIUS[1] - RADIUS[0]) * luck[:, 2] ** 2
    points = _placed(points, drawn, radius, luck, spread)
    softness = 1 + luck[:, 3]
    return _inked(points, drawn, radius, softness), digit


PUSH = 0.55
RADIUS = (0.9, 2.1)
REACH = RADIUS[1] + 1  # of a pen of any radius and softness


def _transformed(corners: Floats, spread: Floats) -> Floats:
    """Return the corners bent, slanted, turned and stretched about the middle of the paper."""
    x, y = corners[..., 0] - 3, corners[..., 1] - 5
    bend, slant, turn, wide = (spread[:, 4:8] * (0.35, 0.45, 0.2, 0.35)).T[..., np.newaxis]
    x = x * (1 + wide) + bend * np.cos(y * (np.pi / 5) + 3 * spread[:, 8:9])
    y = y + 0.8 * spread[:, 12:13] * np.cos(x * (np.pi / 4) + 3 * spread[:, 13:14])
    x = x - (slant + 0.12) * y  # most people lean to the right
    return np.stack([x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)], -1)


def _placed(
    points: Floats, drawn: NDArray[np.bool_], radius: Floats, luck: Floats, spread: Floats
) -> Floats:
    """Return the points in cells of the picture: the box filled, the centre of mass central."""
    used = np.zeros(points.shape[:2], bool)
    used[:, :-1] |= drawn
    used[:, 1:] |= drawn
    kept = used[..., np.newaxis]
    low = np.where(kept, points, np.inf).min(axis=1)
    high = np.where(kept, points, -np.inf).max(axis=1)
    room = BOX * (1 - 0.15 * luck[:, 9]) - 2 * radius
    points = points * (room / (high - low).max(axis=1))[:, np.newaxis, np.newaxis]
    start, step = points[:, :-1], np.diff(points, axis=1)
    ink = np.where(drawn, np.hypot(step[..., 0], step[..., 1]), 0)[..., np.newaxis]
    centre = ((start + step / 2) * ink).sum(axis=1) / ink.sum(axis=1)
    middle = (SIDE - 1) / 2 + spread[:, 10:12] * 0.8
    # To 1/1024 of a cell: cosines that differ in their last bit give the same picture.
    exact: Floats = np.rint((points + (middle - centre)[:, np.newaxis]) * 1024)
    return exact / 1024


def _inked(
    points: Floats, drawn: NDArray[np.bool_], radius: Floats, softness: Floats
) -> NDArray[np.uint8]:
    """Return the pictures: a cell is as bright as it is near to the line."""
    nearest = np.full((len(points), SIDE, SIDE), np.float32(1e9))
    for piece in range(drawn.shape[1]):
        (of,) = drawn[:, piece].nonzero()
        if len(of):
            start, stop = points[of, piece], points[of, piece + 1]
            x, y = _around(start, stop)
            box = of[:, np.newaxis, np.newaxis], y[:, :, np.newaxis], x[:, np.newaxis]
            nearest[box] = np.minimum(nearest[box], _squared_distance(start, stop, x, y))
    distance = np.sqrt(nearest)
    scale = (255 / softness).astype(np.float32)[:, np.newaxis, np.newaxis]
    edge = (radius + softness / 2).astype(np.float32)[:, np.newaxis, np.newaxis]
    ink: NDArray[np.float32] = np.clip((edge - distance) * scale, 0, 255)
    return np.rint(ink).astype(np.uint8)


def _around(start: Floats, stop: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return columns and rows of a square for each piece: beyond it the pen leaves no ink."""
    low = np.floor(np.minimum(start, stop) - REACH)
    size = min(SIDE, int((np.maximum(start, stop) + REACH - low).max()) + 1)
    first = np.clip(low, 0, SIDE - size).astype(np.int64)
    x, y = (first[:, axis, np.newaxis] + np.arange(size) for axis in (0, 1))
    return x, y


def _squared_distance(
    start: Floats, stop: Floats, columns: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Return the squared distance of every cell from the piece between two points.

    With p a cell, a and b the ends: t = (p - a)·(b - a) / |b - a|² cut to 0 … 1 is the nearest
    place on the piece, and |p - a|² - 2t (p - a)·(b - a) + t²|b - a|² its squared distance.
    """
    a, step = start.astype(np.float32), (stop - start).astype(np.float32)
    length = np.maximum((step * step).sum(axis=1), np.float32(1e-6))[:, np.newaxis, np.newaxis]
    x, y = columns.astype(np.float32) - a[:, :1], rows.astype(np.float32) - a[:, 1:]
    along = (y * step[:, 1:])[:, :, np.newaxis] + (x * step[:, :1])[:, np.newaxis]
    t = np.clip(along / length, 0, 1)
    square = (y * y)[:, :, np.newaxis] + (x * x)[:, np.newaxis]
    squared: NDArray[np.float32] = np.maximum(square + t * (t * length - 2 * along), 0)
    return squared


@cache
def _ways() -> Ways:
    written = [(digit, text) for digit, ways in STROKES.items() for text in ways]
    strokes = [[_points(stroke) for stroke in text.split("/")] for _, text in written]
    most_corners = max(sum(map(len, way)) for way in strokes)
    most_points = max(sum((len(s) - 1) * POINTS_A_PIECE + 1 for s in way) for way in strokes)
    corners = np.zeros((len(written), most_corners, 2))
    curve = np.zeros((len(written), most_points, most_corners))
    drawn = np.zeros((len(written), most_points - 1), bool)
    for w, way in enumerate(strokes):
        corner = point = 0
        for stroke in way:
            weights = _curve(len(stroke))
            corners[w, corner : corner + len(stroke)] = stroke
            curve[w, point : point + len(weights), corner : corner + len(stroke)] = weights
            drawn[w, point : point + len(weights) - 1] = True
            corner, point = corner + len(stroke), point + len(weights)
    return Ways(np.array([digit for digit, _ in written]), corners, curve, drawn)


def _points(stroke: str) -> list[tuple[float, float]]:
    pairs = (pair.split(",") for pair in stroke.split())
    return [(float(x), float(y)) for x, y in pairs]


def _curve(corners: int) -> Floats:
    """Return the weights of a Catmull-Rom curve: rows of points, columns of corners."""
    rows = []
    for piece in range(corners - 1):
        around = np.clip(np.arange(piece - 1, piece + 3), 0, corners - 1)
        last = piece == corners - 2
        for t in np.arange(POINTS_A_PIECE + last) / POINTS_A_PIECE:
            row = np.zeros(corners)
            np.add.at(
                row,
                around,
                (
                    (-t + 2 * t**2 - t**3) / 2,
                    (2 - 5 * t**2 + 3 * t**3) / 2,
                    (t + 4 * t**2 - 3 * t**3) / 2,
                    (-(t**2) + t**3) / 2,
                ),
            )
            rows.append(row)
    return np.array(rows)
