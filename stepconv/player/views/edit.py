"""The view in which a call is changed: its fields, the cells under the cursor, what comes of it."""

from __future__ import annotations

from stepconv.player.editing import Editor
from stepconv.player.frame.formats import format_of
from stepconv.player.frame.frames import Frame
from stepconv.player.frame.grid import RESULT, Grid, sheet_of
from stepconv.player.text import layout, panels
from stepconv.player.text.lines import (
    Block,
    Line,
    Piece,
    above,
    beside,
    block,
    clipped,
    cut,
    indented,
    wrapped,
)

_NAMES = {
    "named": "its name",
    "count_include_pad": "count pads",
    "output_padding": "extra cells",
    "ceil_mode": "ceil mode",
}
_KEYS = (
    "tab field, arrows move, 0-9 / type, space paint, shift+arrows shift, k kernel, o input, "
    "[ ] plane, u U undo redo, c command, s save, page keys step, esc"
)


def view(editor: Editor, frame: Frame, width: int, height: int) -> list[Line]:
    """Return the fields with the cells that are edited, and beside them the step."""
    told = indented(wrapped(_KEYS, width - 2, "key"), 1).lines
    left = min(max(width * 2 // 5, 22), 40)
    rows = height - len(told) - 1
    fields = block(_field(editor, name, left) for name in editor.fields)
    cells = _cells(editor, left, max(rows - fields.height - 2, 2))
    side = cut(above(fields, cells, gap=1), left, rows)
    step = layout.screen(frame, max(width - left - 2, 20), rows)
    body = beside(side, block(step), gap=2)
    message = editor.message or (f"typed: {editor.typed}" if editor.typed else "")
    said: Line = (Piece(f" {clipped(message, width - 2)}", "message"),)
    lines = [*body.lines[:rows], *([()] * (rows - body.height)), said, *told]
    return lines[-height:]


def _field(editor: Editor, name: str, width: int) -> Line:
    chosen = name == editor.focus
    label = f"{'▸' if chosen else ' '} {_NAMES.get(name, name):<11} "
    shown = clipped(editor.shown(name), max(width - len(label), 4))
    return (Piece(label, "title" if chosen else "muted"), Piece(shown, "window" if chosen else ""))


def _cells(editor: Editor, width: int, height: int) -> Block:
    """Return the plane under the cursor; of the kernel where the cursor is elsewhere."""
    field = editor.focus if editor.focus in ("kernel", "input") else "kernel"
    if field not in editor.fields:
        field = "input"
    planes = editor.planes(field)
    here = field == editor.focus
    plane = editor.plane if here else 0
    many = f" · plane {plane} of {len(planes)}" if len(planes) > 1 else ""
    marked = ((editor.cell[0],), (editor.cell[1],)) if here else ((), ())
    sheet = sheet_of(planes[plane], format_of(planes))
    grid = Grid(f"edited {field}", f"{field}{many}", sheet, marked, RESULT)
    return panels.part(grid, width, height)[1]
