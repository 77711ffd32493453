"""Blocks of a network as lines: boxes abreast as far as they fit, modules between them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from stepconv.explorer.architecture.blocks import ADD, Block, Module, Volume
from stepconv.explorer.architecture.sizes import face
from stepconv.geometry import Shape
from stepconv.nn.layers import sizes
from stepconv.player.text import lines as text
from stepconv.player.text.lines import Line, Piece

# Lines and columns of the largest face, and the steps back of the deepest box.
_HIGH, _WIDE, _DEEP = 4, 8, 3
_ROLES = {"conv": "key", "dense": "state", "max-pool": "arrow", "avg-pool": "arrow"}
_GAP = 2


def drawing(blocks: Sequence[Block], width: int) -> list[Line]:
    """Return a network as lines of at most `width` columns; the first block is its picture."""
    first = blocks[0]
    picture = first.shape if isinstance(first, Volume) else first.input
    drawn: list[Line] = []
    for plain, group in groupby(blocks, key=lambda block: isinstance(block, Volume)):
        if plain:
            drawn += _abreast([each for each in group if isinstance(each, Volume)], picture, width)
        else:
            for each in group:
                if isinstance(each, Module):
                    drawn += _module(each, width)
                    drawn.append(())
    while drawn and not drawn[-1]:
        drawn.pop()
    return [text.clipped_line(line, width) for line in drawn]


def _abreast(volumes: Sequence[Volume], picture: Shape, width: int) -> list[Line]:
    """Return boxes beside each other, in as many rows as it takes."""
    boxes = [_box(each, picture) for each in volumes]
    drawn: list[Line] = []
    row: list[text.Block] = []
    for box in boxes:
        if row and sum(each.width + _GAP for each in row) + box.width > width:
            drawn += [*_standing(row), ()]
            row = []
        row.append(box)
    return [*drawn, *_standing(row), ()]


def _standing(row: list[text.Block]) -> tuple[Line, ...]:
    """Return boxes beside each other on one ground."""
    high = max(box.height for box in row)
    stood = [text.Block(((),) * (high - box.height) + box.lines, box.width) for box in row]
    return text.beside(*stood, gap=_GAP).lines


def _box(volume: Volume, picture: Shape) -> text.Block:
    """Return a box in perspective, what makes it and its shape below it."""
    shares = face(volume.shape, picture)
    high = max(round(_HIGH * shares.height), 1)
    wide = max(round(_WIDE * shares.width), 1)
    deep = max(round(_DEEP * shares.depth), 1)
    canvas = [[" "] * (wide + deep + 2) for _ in range(high + deep + 2)]
    for x in range(1, wide + 1):
        canvas[deep][x] = canvas[deep + high + 1][x] = canvas[0][x + deep] = "─"
    for y in range(1, high + 1):
        canvas[deep + y][0] = canvas[deep + y][wide + 1] = canvas[y][wide + 1 + deep] = "│"
    for step in range(1, deep + 1):
        for y, x in ((deep, 0), (deep, wide + 1), (deep + high + 1, wide + 1)):
            canvas[y - step][x + step] = "╱"
    for y, start, end in ((deep, "┌", "┐"), (deep + high + 1, "└", "┘")):
        canvas[y][0], canvas[y][wide + 1] = start, end
    role = _ROLES.get(volume.kind, "")
    box = [(Piece("".join(line).rstrip(), role),) for line in canvas]
    times = f" ×{volume.times}" if volume.times > 1 else ""
    told = [(Piece(f"{volume.does}{times}"),), (Piece(sizes(volume.shape), "muted"),)]
    return text.block([*box, *told])


def _module(module: Module, width: int) -> list[Line]:
    """Return a module: a title, then its branches from where they part to where they meet."""
    times = f" ×{module.times}" if module.times > 1 else ""
    title = (
        Piece(f"{module.kind}{times}", "title"),
        Piece(f"  {sizes(module.input)} → {sizes(module.output)}", "muted"),
    )
    sign = "⊕" if module.joined == ADD else "┬"
    told = [" ─ ".join(branch) for branch in module.branches]
    if max(map(len, told)) + len(module.joined) + 12 > width:
        told = [branch.replace(" conv ", "·") for branch in told]
    room = max(map(len, told))
    last = len(told) - 1
    lines: list[Line] = [title]
    for number, branch in enumerate(told):
        start = " ─┬─ " if not number else "  └─ " if number == last else "  ├─ "
        line = "─" * (room - len(branch) + 1)
        end = f"─{sign}─ {module.joined}" if not number else "─┘" if number == last else "─┤"
        lines.append((Piece(start, "bar"), Piece(f"{branch} "), Piece(f"{line}{end}", "bar")))
    if not last:
        lines[-1] = (Piece(" ── ", "bar"), Piece(told[0]), Piece(f" ── {module.joined}", "bar"))
    return lines
