"""Occlusion: the fall of the answer for every place where a patch hides the picture."""

from __future__ import annotations

import numpy as np

from stepconv.explorer.frame import pixels
from stepconv.explorer.visit import Visit
from stepconv.player.text.lines import Block, above, beside, cut, text_block, wrapped

# So many places of the patch along the longer side: two of them are as wide as it.
_PLACES = 14


def view(visit: Visit, width: int, height: int) -> Block:
    """Return the picture beside the falls: orange where hiding hurts, blue where it helps."""
    inside = visit.inside
    shape = inside.model.input_shape[1:]
    stride = max(round(max(shape) / _PLACES), 1)
    size = min(2 * stride, *shape)
    falls = visit.falls(size, stride)
    told = inside.prediction if visit.label is None else visit.label
    name = inside.classes[told]
    at = np.unravel_index(int(falls.argmax()), falls.shape)
    row, column = (int(each) * stride for each in at)
    share = float(inside.probabilities[told])
    words = wrapped(
        f"A patch of {size}x{size} hides a part of the picture, place after place. The answer "
        f"“{name}” is {share:.1%} without it, and falls most, by {falls.max():.1%}, where rows "
        f"{row} to {row + size - 1} and columns {column} to {column + size - 1} are hidden. "
        "Orange: hiding this hurts; blue: it helps.",
        width,
    )
    room = height - words.height - 1
    side = max(min(2 * (room - 1), width // 2 - 3, 56), 6)
    plane = inside.input.mean(axis=0)
    plane = plane - plane.min()
    down, across = pixels.fitting((plane.shape[0], plane.shape[1]), side, zoom=2)
    picture = pixels.drawn(plane, down, across, pixels.largest(plane), signed=False)
    heat = pixels.drawn(falls, down, across, pixels.largest(falls), signed=True)
    both = beside(
        above(text_block("picture", role="title"), picture),
        above(text_block("how far the answer falls", role="title"), heat),
        gap=3,
    )
    return above(cut(both, width, room), words, gap=1)
