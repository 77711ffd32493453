"""A training as lines: its curves and choices, gradients, kernels, misread pictures, the keys."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from stepconv.explorer.frame import pixels
from stepconv.explorer.views import network
from stepconv.explorer.visit import Visit
from stepconv.explorer.watch.watched import (
    CURVES,
    GRADIENTS,
    HELP,
    INSIDE,
    KERNELS,
    MISREAD,
    NAMES,
    Watched,
)
from stepconv.nn.layers import sizes
from stepconv.player.text import curve
from stepconv.player.text.lines import (
    Block,
    Line,
    Piece,
    Spot,
    above,
    beside,
    block,
    clipped,
    clipped_line,
    cut,
    filled,
    indented,
    line_width,
    text_block,
    wrapped,
)


class Key(NamedTuple):
    """A key of the watched training: how it is written, what it does, and what it calls."""

    shown: str
    does: str
    presses: dict[str, tuple[str, object]]
    name: str = ""


# In the order of the help and of the last line.
KEYS = (
    Key("↑↓", "choose what to change", {"up": ("choose", -1), "down": ("choose", 1)}, "choose"),
    Key("←→", "less of it, more of it", {"left": ("change", -1), "right": ("change", 1)}, "change"),
    Key("m", "the network inside: all maps of a picture", {"m": ("look", INSIDE)}, "maps"),
    Key("g", "how large the gradient is at each layer", {"g": ("look", GRADIENTS)}, "gradients"),
    Key("k", "the first layer's kernels", {"k": ("look", KERNELS)}, "kernels"),
    Key("e", "test pictures that were misread last", {"e": ("look", MISREAD)}, "misread"),
    Key("esc", "back to the curves", {"escape": ("look", CURVES)}),
    Key("?", "this page", {"question_mark": ("look", HELP)}, "keys"),
    Key("q", "stop and save; when it is over, leave", {"q": ("leave", None)}, "stop"),
)
_GAP = 3


def lines(watched: Watched, visit: Visit, width: int, height: int) -> list[Line]:
    """Return the lines of the screen: exactly `height` of them, none wider than `width`."""
    top = [_head(watched, width), _progress(watched, width)]
    room = height - len(top) - 1
    body = _body(watched, visit, width - 2, room)
    kept = list(indented(body, 1).lines[:room])
    drawn = [*top, *kept, *([()] * (room - len(kept))), _foot(watched, width)]
    fitting = [clipped_line(line, width) for line in drawn[:height]]
    return fitting + [()] * (height - len(fitting))


def _body(watched: Watched, visit: Visit, width: int, height: int) -> Block:
    match watched.view:
        case "gradients":
            return _gradients(visit, width, height)
        case "kernels":
            return _kernels(visit, width, height)
        case "misread":
            return _misread(watched, visit, width, height)
        case "help":
            rows = ((Piece(f"{key.shown:<6}", "key"), Piece(key.does)) for key in KEYS)
            return block(clipped_line(row, width) for row in rows)
    return _curves(watched, width, height)


def _head(watched: Watched, width: int) -> Line:
    return filled((Piece(f" {watched.title}", "title"),), width)


def _progress(watched: Watched, width: int) -> Line:
    """Return how far it is: epoch, steps, rate and speed round a bar."""
    start = f" epoch {watched.epoch} of {watched.epochs} "
    speed = f" · {watched.speed:,.0f} images/s" if watched.speed else ""
    end = f" step {watched.step:,} · rate {watched.rate:.3g}{speed} "
    room = max(width - len(start) - len(end), 4)
    full = min(round(room * watched.done), room)
    return (
        Piece(start),
        Piece("━" * full, "arrow"),
        Piece("─" * (room - full), "muted"),
        Piece(end, "muted"),
    )


def _foot(watched: Watched, width: int) -> Line:
    said = watched.said if watched.is_over else watched.message or watched.said
    if said:
        ends = "" if not watched.is_over else " · q leaves"
        return clipped_line((Piece(f" {said}{ends}", "message"),), width)
    pieces: list[Piece] = [Piece(" ")]
    for key in KEYS:
        spot = Spot(f"key:{next(iter(key.presses))}")
        more = [Piece(key.shown, "key", spot), Piece(f" {key.name}  ", "", spot)]
        if key.name and line_width([*pieces, *more]) <= width:
            pieces += more
    return tuple(pieces)


def _curves(watched: Watched, width: int, height: int) -> Block:
    """Return loss and accuracy as they went, and what can be changed below."""
    choices = _choices(watched, width)
    high = max(height - choices.height - 3, 3)
    half = (width - _GAP) // 2
    loss = f"loss {10 ** watched.losses[-1]:.4f}, log scale" if watched.losses else "loss"
    recent = watched.right[-20:]
    right = f"right {sum(recent) / len(recent):.1%}" if recent else "right"
    if watched.judged_at:
        right += f" · test {watched.judged_at[-1][1]:.2%}"
    shown = curve.resample(watched.losses, 2 * half)
    ends = (min(shown, default=0.0), max(shown, default=1.0))
    losses = curve.curve(watched.losses, half, high, *ends)
    rights = curve.curve(watched.right, half, high, 0.0, 1.0)
    drawn = beside(
        above(text_block(clipped(loss, half), role="title"), text_block(*losses, role="bar")),
        above(text_block(clipped(right, half), role="title"), text_block(*rights, role="arrow")),
        gap=_GAP,
    )
    return above(drawn, choices, gap=1)


def _choices(watched: Watched, width: int) -> Block:
    """Return what can be changed, the chosen one marked."""
    rows: list[Line] = []
    for number, (name, value) in enumerate(watched.choices.items()):
        is_it = number == watched.chosen
        told = f"{NAMES[name]:<14} {value:g}"
        mark = "▸ " if is_it else "  "
        rows.append((Piece(mark, "arrow"), Piece(told, "title" if is_it else "")))
    return cut(block(rows), width, len(rows))


def _gradients(visit: Visit, width: int, height: int) -> Block:
    """Return how large the gradient of the loss is at each layer, for the picture at hand."""
    if visit.inside.label is None:
        return wrapped("The picture has no label: there is no loss of it.", width, "message")
    named = min(max(len(column.name) for column in visit.columns), width // 2)
    wide = min(width - named - 2, 40)
    columns = visit.columns
    shown = columns if len(columns) <= height - 1 else columns[:: -(-len(columns) // (height - 1))]
    sizes_of = visit.gradient_sizes
    top = max(sizes_of.values())
    rows: list[Line] = [(Piece("gradient of the loss, root mean square, by layer", "title"),)]
    for column in shown:
        name = clipped(column.name, named).ljust(named + 2)
        rows.append((Piece(name), *network.size_bar(sizes_of[column.name], top, wide)))
    return block(rows)


def _kernels(visit: Visit, width: int, height: int) -> Block:
    """Return the kernels of the first layer of windows; blue is below 0, orange above."""
    found = [
        (name, np.asarray(array))
        for name, array in visit.inside.network.parameters.items()
        if name.endswith(".weight") and array.ndim == 4
    ]
    if not found:
        return wrapped("This network has no windows, so no kernels to show.", width)
    name, kernels = found[0]
    planes = kernels.mean(axis=1)
    down, across = pixels.fitting(planes.shape[1:], 14, zoom=2)
    most = pixels.largest(planes)
    abreast = max((width + 2) // (across + 2), 1)
    drawn = [pixels.drawn(plane, down, across, most, signed=True) for plane in planes]
    rows = [beside(*drawn[at : at + abreast], gap=2) for at in range(0, len(drawn), abreast)]
    title = text_block(f"{name}: {sizes(kernels.shape)}", role="title")
    return cut(above(title, *rows, gap=1), width, height)


def _misread(watched: Watched, visit: Visit, width: int, height: int) -> Block:
    """Return the test pictures that were misread at the end of the last epoch."""
    if not watched.misread:
        return wrapped("None was misread yet: an epoch's end tells.", width)
    side = 14 if height < 30 else 20
    drawn = []
    for each in watched.misread[: (width // (side + 2)) * max(height // (side // 2 + 2), 1)]:
        plane = each.picture.max(axis=0).astype(float)
        down, across = pixels.fitting((plane.shape[0], plane.shape[1]), side)
        one = pixels.drawn(plane, down, across, pixels.largest(plane), signed=False)
        classes = visit.subject.classes
        head = clipped(f"{classes[each.told]}, is {classes[each.right]}", across)
        drawn.append(above(text_block(head, role="result-text"), one))
    abreast = max((width + 2) // (side + 2), 1)
    rows = [beside(*drawn[at : at + abreast], gap=2) for at in range(0, len(drawn), abreast)]
    return cut(above(*rows, gap=1), width, height)
