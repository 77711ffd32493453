"""What excites a map most: the pictures of the data set, cut out where the map answers loudest."""

from __future__ import annotations

from stepconv.explorer.frame import pixels
from stepconv.explorer.visit import Visit
from stepconv.player.text.lines import Block, above, beside, clipped, cut, text_block, wrapped

COUNT = 9


def view(visit: Visit, width: int, height: int) -> Block:
    """Return the patches that excite the chosen map, the strongest first."""
    name, plane = visit.column.name, visit.filter
    found = visit.excited(COUNT)
    if not found:
        return wrapped("No data set is at hand: --data mnist gives one.", width, "message")
    (top, bottom), (left, right) = found[0].bounds
    words = wrapped(
        f"{name}, map {plane}: the {len(found)} places of {len(visit.searched.labels):,} pictures "
        f"that excite it most, with all that its cell sees there, {bottom - top}x{right - left}. "
        "↑↓ another map, , . another layer: edges first, then strokes, then digits.",
        width,
    )
    side = max(min(20, width // 5 - 3, height - words.height - 4), 6)
    drawn = []
    for each in found:
        plane_ = each.patch.max(axis=0)
        down, across = pixels.fitting((plane_.shape[0], plane_.shape[1]), side, zoom=3)
        one = pixels.drawn(plane_, down, across, pixels.largest(plane_), signed=False)
        label = "" if each.label is None else f" · {visit.subject.classes[each.label]}"
        head = text_block(clipped(f"{each.activation:.3g}{label}", max(across, 9)), role="muted")
        drawn.append(above(head, one))
    wide = max(each.width for each in drawn)
    abreast = max((width + 2) // (wide + 2), 1)
    rows = [beside(*drawn[at : at + abreast], gap=2) for at in range(0, len(drawn), abreast)]
    return cut(above(words, *rows, gap=1), width, height)
