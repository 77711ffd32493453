"""Pictures like photographs, painted by code: a boat at sunset in colour, a house, a face, hills.

Each is painted from back to front: shapes with soft rims over a ground, then the grain that makes
a photograph of it. Nothing is drawn by chance: the grain is a fixed function of the place.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float64]


def painted() -> dict[str, Array]:
    """Return the pictures by name: grey as (rows, columns), in colour (3, rows, columns)."""
    return {
        "boat-48x64": boat(48, 64),
        "house-32x32": house(32),
        "face-64x64": face(64),
        "hills-256x256": hills(256),
    }


def boat(rows: int, columns: int) -> Array:
    """Return a boat with a red and a white sail before an evening sky, in colour."""
    y, x = _places(rows, columns)
    sea = y > 0.62
    glow = np.exp(-((x - 0.72) ** 2 + 2 * (y - 0.5) ** 2) / 0.08)
    sky = _mix((70, 110, 190), (250, 190, 120), np.clip(y / 0.62, 0, 1) ** 1.5)
    water = _mix((40, 90, 130), (12, 40, 80), np.clip((y - 0.62) / 0.38, 0, 1))
    waves = 14 * np.sin(70 * y + 9 * np.sin(11 * x)) + 8 * np.sin(31 * x + 45 * y)
    light = np.where(sea, waves * (0.4 + glow), 0) + 90 * glow * np.where(sea, 0.5, 0.8)
    planes = np.where(sea, water, sky) + light * np.array([1.0, 0.75, 0.45])[:, None, None]
    planes = _over(planes, (255, 240, 190), _disc(y, x, 0.5, 0.72, 0.075) * ~sea)
    planes = _over(planes, (205, 45, 40), _triangle(y, x, (0.12, 0.36), (0.66, 0.14), (0.66, 0.36)))
    planes = _over(planes, (240, 240, 232), _triangle(y, x, (0.2, 0.39), (0.66, 0.39), (0.66, 0.6)))
    hull = _half(0.70 - y) * _half(y - 0.80) * _half(0.1 + 0.6 * (y - 0.7) - x)
    hull *= _half(x - 0.64 + 0.6 * (y - 0.7))
    planes = _over(planes, (70, 42, 30), hull)
    return _grained(planes, 5)


def house(side: int) -> Array:
    """Return a house with a roof, a door, a window and a tree beside it, in grey."""
    y, x = _places(side, side)
    ground = np.where(y > 0.82, 96.0, 205 - 60 * y)
    planes = _over(ground, 176, _box(y, x, 0.45, 0.82, 0.18, 0.66))
    planes = _over(planes, 70, _triangle(y, x, (0.15, 0.42), (0.46, 0.1), (0.46, 0.74)))
    planes = _over(planes, 40, _box(y, x, 0.6, 0.82, 0.26, 0.38))
    planes = _over(planes, 238, _box(y, x, 0.54, 0.68, 0.46, 0.6))
    planes = _over(planes, 60, _box(y, x, 0.6, 0.84, 0.82, 0.87))
    planes = _over(planes, 112, _disc(y, x, 0.5, 0.845, 0.13))
    return _grained(planes, 3)


def face(side: int) -> Array:
    """Return a face in grey, lit from the left."""
    y, x = _places(side, side)
    across, down = (x - 0.5) / 0.3, (y - 0.52) / 0.4
    inside = _soft(1 - np.sqrt(across**2 + down**2), 0.03)
    skin = 190 - 70 * np.clip(across + 0.3, 0, 2) ** 1.5 - 25 * np.abs(down)
    planes = _over(60 + 50 * x, skin, inside)
    planes = _over(planes, 45, inside * _soft(0.26 + 0.1 * np.abs(across) - y, 0.03))
    for eye in (0.38, 0.62):
        planes = _over(planes, 228, _disc(2.2 * y, x, 2.2 * 0.46, eye, 0.065))
        planes = _over(planes, 25, _disc(y, x, 0.46, eye, 0.026))
        planes = _over(planes, 50, _box(y, x, 0.385, 0.41, eye - 0.075, eye + 0.075))
    planes = _over(planes, 105, _triangle(y, x, (0.47, 0.5), (0.64, 0.45), (0.64, 0.57)) * 0.6)
    planes = _over(planes, 92, _disc(3 * y, x, 3 * 0.75, 0.5, 0.11))
    return _grained(planes, 4)


def hills(side: int) -> Array:
    """Return hills behind one another in mist, in grey."""
    y, x = _places(side, side)
    planes = 225 - 40 * y + 30 * np.exp(-((x - 0.3) ** 2 + (y - 0.25) ** 2) / 0.02)
    for number, (height, tone) in enumerate(((0.42, 168), (0.55, 120), (0.7, 78), (0.86, 38))):
        ridge = height + sum(
            0.09 / wave * np.sin(wave * (5 + number) * x + 2.4 * number * wave + wave)
            for wave in (1, 2, 3, 5, 8, 13)
        )
        texture = 9 * np.sin(61 * x + 23 * y * (1 + number)) * np.sin(37 * y - 19 * x)
        planes = _over(planes, tone + texture, _soft(y - ridge, 0.004))
    return _grained(planes, 6)


def _places(rows: int, columns: int) -> tuple[Floats, Floats]:
    """Return where the middle of each pixel lies, from 0 to 1 down and across."""
    y = (np.arange(rows) + 0.5)[:, None] / rows
    x = (np.arange(columns) + 0.5)[None, :] / columns
    return y, x


def _mix(one: Any, other: Any, share: Floats) -> Floats:
    first, second = (np.array(each, float)[:, None, None] for each in (one, other))
    return np.asarray(first + (second - first) * share)


def _over(planes: Floats, tone: Any, share: Any) -> Floats:
    """Paint a tone, or a colour, over a picture where `share` is 1."""
    colour = np.asarray(tone, float)
    if colour.ndim == 1:
        colour = colour[:, None, None]
    return np.asarray(planes * (1 - share) + colour * share)


def _soft(distance: Floats, rim: float) -> Floats:
    return np.asarray(np.clip(distance / rim + 0.5, 0, 1))


def _half(distance: Floats) -> Floats:
    """Tell how far a place is in: 1 where the distance is below 0, with a soft rim."""
    return _soft(-distance, 0.02)


def _disc(y: Floats, x: Floats, row: float, column: float, radius: float) -> Floats:
    return _soft(radius - np.hypot(y - row, x - column), 0.02)


def _box(y: Floats, x: Floats, top: float, bottom: float, left: float, right: float) -> Floats:
    return _half(top - y) * _half(y - bottom) * _half(left - x) * _half(x - right)


def _triangle(y: Floats, x: Floats, *corners: tuple[float, float]) -> Floats:
    """Return a triangle whose corners, (row, column), go against the clock."""
    inside = np.ones((1, 1))
    for (top, left), (bottom, right) in zip(corners, (*corners[1:], corners[0]), strict=True):
        along = np.hypot(bottom - top, right - left)
        inside = inside * _half(((right - left) * (y - top) - (bottom - top) * (x - left)) / along)
    return inside


def _grained(planes: Floats, strength: float) -> Array:
    """Return bytes with the grain of a film: a fixed pattern that looks like none."""
    i, j = np.indices(planes.shape[-2:], dtype=np.uint32)
    mixed = (i * np.uint32(374761393) + j * np.uint32(668265263)) ^ np.uint32(0x5BD1E995)
    mixed = (mixed ^ (mixed >> np.uint32(13))) * np.uint32(1274126177)
    grain = (mixed >> np.uint32(16)) / 32768.0 - 1
    gray: Array = np.rint(np.clip(planes + strength * grain, 0, 255)).astype(np.int64)
    return gray
