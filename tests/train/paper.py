"""Sheets of paper with a digit: in fonts or by strokes, thin, off the middle, shaded, in a JPEG."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.train.data.strokes import STROKES

KINDS = ("font", "thin", "shaded", "jpeg", "off the middle", "pen")


def sheet(digit: int, kind: str, seed: int) -> NDArray[np.float64]:
    """Return a sheet of 160 to 320 cells a side, in gray from 0 to 255."""
    from PIL import Image, ImageDraw, ImageFont

    draw = np.random.default_rng(seed)
    width, height = (int(side) for side in draw.integers(160, 320, 2))
    y, x = np.mgrid[0:height, 0:width]
    paper: Any = np.full((height, width), 230.0)
    if kind == "shaded":
        paper = 130 + 90 * (x / width) * (0.5 + 0.5 * y / height)
    ink = Image.new("L", (width, height), 0)
    pen = ImageDraw.Draw(ink)
    if kind in ("thin", "pen"):
        ways = STROKES[digit]
        unit = min(width, height) * 0.07
        for stroke in ways[seed % len(ways)].split("/"):
            points = (map(float, point.split(",")) for point in stroke.split())
            line = [(width * 0.3 + a * unit, height * 0.12 + b * unit) for a, b in points]
            pen.line(line, fill=255, width=2 if kind == "thin" else 9, joint="curve")
    else:
        aside = kind == "off the middle"
        font = ImageFont.load_default(min(width, height) * (0.35 if aside else 0.6))
        place = (width * 0.05, height * 0.1) if aside else (width * 0.3, height * 0.15)
        pen.text(place, str(digit), fill=255, font=font)
    cells = paper * (1 - 0.8 * np.asarray(ink) / 255) + draw.normal(0, 4, paper.shape)
    image = Image.fromarray(np.clip(cells, 0, 255).astype(np.uint8))
    if kind in ("jpeg", "shaded"):
        file = io.BytesIO()
        image.save(file, "JPEG", quality=30)
        image = Image.open(file)
    return np.asarray(image).astype(float)
