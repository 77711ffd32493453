"""A layer: all of its maps, the numbers of the chosen one, and the filter that made it."""

from __future__ import annotations

from typing import Any

import numpy as np

from stepconv.explorer.frame import pixels
from stepconv.explorer.visit import Visit
from stepconv.nn.layers import sizes
from stepconv.nn.shapes import parameter_formula, size_formulas
from stepconv.player.text.lines import (
    Block,
    Piece,
    above,
    beside,
    block,
    clipped,
    cut,
    text_block,
    wrapped,
)

_SMALLEST = 6


def view(visit: Visit, width: int, height: int) -> Block:
    """Return the maps, as large as all of them fit; the filter beside them."""
    head = _head(visit, width)
    told = _told(visit, width)
    room = height - head.height - told.height
    kernels = _kernels(visit, max(width // 4, 16), room)
    beside_them = kernels.width + 3 if kernels.lines else 0
    maps = _maps(visit, width - beside_them, room)
    return above(head, beside(maps, kernels, gap=3), told)


def _head(visit: Visit, width: int) -> Block:
    """Return what the layer is, with its formulas filled in."""
    place = visit.layer.place
    formulas = [*size_formulas(place), *filter(None, [parameter_formula(place)])]
    said = f"{visit.column.kind}: {sizes(place.input)} to {sizes(place.output)}"
    return wrapped(" · ".join([said, *formulas]), width, "muted")


def _told(visit: Visit, width: int) -> Block:
    """Return the numbers of the chosen map in a sentence."""
    planes = visit.numbers_of(visit.column.name)
    cells = planes[visit.plane] if len(visit.column.output) == 3 else visit.layer.output
    zeros = float((cells == 0).mean())
    name = f"map {visit.plane} of {len(planes)}" if len(planes) > 1 else "its cells"
    kind = "gradients" if visit.backward else name
    text = (
        f"{kind}: from {cells.min():.4g} to {cells.max():.4g}, mean {cells.mean():.4g}, "
        f"{zeros:.0%} are 0"
    )
    return wrapped(text, width)


def _maps(visit: Visit, width: int, height: int) -> Block:
    planes = visit.numbers_of(visit.column.name)
    count, shape = len(planes), planes.shape[1:]
    most, signed = pixels.largest(planes), bool((planes < 0).any())
    side, gap = next(
        (
            (side, gap)
            for side in range(max(shape) * 2, _SMALLEST, -1)
            for gap in (1, 0)
            if _holds(shape, side, gap, width, height) >= count
        ),
        (_SMALLEST, 1),
    )
    down, across = pixels.fitting(shape, side, zoom=2)
    abreast = max((width + 1) // (across + 3), 1)
    visit.abreast = abreast
    rows = max((height + gap) // ((down + 1) // 2 + gap), 1)
    first = min(max(visit.plane // abreast - rows // 2, 0), max(-(-count // abreast) - rows, 0))
    laid: list[Block] = []
    for row in range(first, min(first + rows, -(-count // abreast))):
        drawn = []
        for number in range(row * abreast, min((row + 1) * abreast, count)):
            part = f"map:{visit.column.name}:{number}"
            one = pixels.drawn(planes[number], down, across, most, signed=signed, part=part)
            chosen = number == visit.plane
            drawn.append(pixels.boxed(one) if chosen else pixels.unboxed(one))
        laid.append(beside(*drawn, gap=1))
    return cut(above(*laid, gap=gap), width, height)


def _holds(shape: tuple[int, ...], side: int, gap: int, width: int, height: int) -> int:
    """Return how many maps fit that have at most so many pixels on a side."""
    down, across = pixels.fitting((shape[0], shape[1]), side, zoom=2)
    return ((width + 1) // (across + 3)) * ((height + gap) // ((down + 1) // 2 + gap))


def _kernels(visit: Visit, width: int, height: int) -> Block:
    """Return the filter of the chosen map: a picture for each channel that flows in."""
    weights = visit.weights
    if weights is None or weights[0].size < 2 or height < 3:
        return Block()
    kernel = weights[visit.filter]
    titled = f"filter {visit.filter}: {sizes(kernel.shape)}"
    if visit.backward:
        titled = f"gradient, filter {visit.filter}"
    title = text_block(clipped(titled, width), role="title")
    down, across = pixels.fitting(kernel.shape[1:], min(14, width), zoom=2)
    most = pixels.largest(kernel)
    abreast = max((width + 1) // (across + 1), 1)
    rows = max((height - 2) // ((down + 1) // 2 + 1), 1)
    shown = kernel[: abreast * rows]
    laid = [
        beside(
            *(
                pixels.drawn(plane, down, across, most, signed=True)
                for plane in shown[at:][:abreast]
            ),
            gap=1,
        )
        for at in range(0, len(shown), abreast)
    ]
    rest = len(kernel) - len(shown)
    told = block([(Piece(f"… {rest} more channels" if rest else _bias(visit), "muted"),)])
    return cut(above(title, above(*laid, gap=1), told), width, height)


def _bias(visit: Visit) -> str:
    name, learnt = f"{visit.column.name}.bias", visit.inside.network.parameters
    if name not in learnt:
        return ""
    arrays: Any = visit.inside.gradients if visit.backward else learnt
    return f"bias {np.asarray(arrays[name])[visit.filter]:.4g}"
