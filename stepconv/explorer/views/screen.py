"""One screen of the explorer: the way in, all layers in a line, what is looked at, the keys."""

from __future__ import annotations

from stepconv.explorer import keys
from stepconv.explorer.frame.planes import plane_shape
from stepconv.explorer.standing import (
    BENCH,
    EXCITING,
    FILTER,
    HELP,
    IDENTITY,
    LAYER,
    MAP,
    NETWORK,
    OCCLUSION,
    STEP,
    WINDOW,
)
from stepconv.explorer.views import (
    a_filter,
    a_map,
    bench,
    exciting,
    identity,
    layer,
    network,
    occlusion,
    step,
)
from stepconv.explorer.visit import Visit
from stepconv.player.text.lines import (
    Line,
    Piece,
    Spot,
    clipped_line,
    columns,
    filled,
    indented,
    line_width,
)
from stepconv.player.views import screen as player_screen

_LEVELS = {NETWORK: network.view, LAYER: layer.view, MAP: a_map.view, FILTER: a_filter.view}
_VIEWS = {
    BENCH: bench.view,
    OCCLUSION: occlusion.view,
    EXCITING: exciting.view,
    STEP: step.view,
    IDENTITY: identity.view,
}
_TITLES = {
    BENCH: "bench",
    OCCLUSION: "hidden",
    EXCITING: "what excites it",
    STEP: "one step",
    IDENTITY: "identity paths",
    HELP: "keys",
}


def lines(visit: Visit, width: int, height: int) -> list[Line]:
    """Return the lines of the screen: exactly `height` of them, none wider than `width`."""
    if visit.level == WINDOW and visit.playback is not None:
        played = player_screen.lines(visit.playback, width, height - 1)
        return _fitted([head(visit, width), *played], width, height)
    top = [head(visit, width), strip(visit, width)]
    foot = keys.foot(context(visit), visit.message, width)
    room = height - len(top) - 1
    if visit.view == HELP:
        body = keys.page(context(visit), width - 2)
    else:
        drawn = _VIEWS.get(visit.view) or _LEVELS[visit.level]
        body = drawn(visit, width - 2, room)
    kept = list(indented(body, 1).lines[:room])
    return _fitted([*top, *kept, *([()] * (room - len(kept))), foot], width, height)


def context(visit: Visit) -> str:
    """Return where one stands, as the keys know it; their own page hides nothing of that."""
    view = visit.behind if visit.view == HELP else visit.view
    return BENCH if view == BENCH else visit.level


def way_in(visit: Visit) -> list[str]:
    """Return the steps that lead from the network to where one stands."""
    way = [visit.subject.name]
    if visit.level == NETWORK:
        return way
    way.append(visit.column.name)
    level = visit._from if visit.level == WINDOW else visit.level
    if level in (MAP, FILTER) and plane_shape(visit.column.output)[0] > 1:
        way.append(f"{'filter' if level == FILTER else 'map'} {visit.plane}")
    if level == FILTER:
        way.append("weight " + ",".join(map(str, visit.weight_index or ("–",))))
    elif level == MAP:
        way.append("cell " + ",".join(map(str, (visit.index or ("–",))[-2:])))
    if visit.level == WINDOW:
        way.append("window")
    return way


def head(visit: Visit, width: int) -> Line:
    """Return the line that says where one stands, when, in which direction, and the answer.

    Where there is little room, the way is told from further in.
    """
    sure = "" if visit.waits else _answer(visit)
    room = width - columns(sure) - 2
    way = way_in(visit)
    for start in range(len(way)):
        pieces = _told(visit, way[start:], start > 0)
        if line_width(pieces) <= room:
            break
    line = filled(clipped_line(pieces, room), room)
    return (*line, Piece(sure, "result-text"), Piece(" "))


def _told(visit: Visit, way: list[str], is_cut: bool) -> Line:
    pieces: list[Piece] = [Piece(" … › " if is_cut else " ", "muted")]
    for number, part in enumerate(way):
        pieces.append(Piece(" › ", "muted") if number else Piece(""))
        pieces.append(Piece(part, "title" if number == len(way) - 1 else ""))
    if visit.view:
        pieces.append(Piece(f" · {_TITLES[visit.view]}", "arrow"))
    if visit.backward:
        pieces.append(Piece(" · gradients ◀", "arrow"))
    if len(visit.subject.moments) > 1:
        pieces.append(Piece(f" · {visit.subject.moments[visit.moment].name}", "state"))
    return tuple(pieces)


def _answer(visit: Visit) -> str:
    """Return what the network says, how sure it is, and whether it is right."""
    inside = visit.inside
    told = inside.classes[inside.prediction]
    sure = f"{told} {float(inside.probabilities[inside.prediction]):.0%}"
    if visit.label is None:
        return sure
    right = visit.label == inside.prediction
    return f"{sure} {'✓' if right else f'✗ {inside.classes[visit.label]}'} loss {inside.loss:.3g}"


def strip(visit: Visit, width: int) -> Line:
    """Return all layers in a line, the one that one is at marked, as many as fit round it."""
    every = visit.columns
    here = every.index(visit.column)
    pieces = {i: _in_strip(visit, i) for i in (here,)}
    first = last = here
    room = width - 6 - line_width(pieces[here])
    while True:
        grown = False
        for i in (last + 1, first - 1):
            if 0 <= i < len(every):
                made = _in_strip(visit, i)
                if line_width(made) <= room:
                    room -= line_width(made)
                    pieces[i] = made
                    first, last, grown = min(first, i), max(last, i), True
        if not grown:
            break
    start = Piece(" " if first == 0 else f" ‹{first} ", "muted")
    after = len(every) - 1 - last
    end = Piece("" if not after else f" {after}›", "muted")
    return (start, *(piece for i in range(first, last + 1) for piece in pieces[i]), end)


def _in_strip(visit: Visit, number: int) -> Line:
    column = visit.columns[number]
    joined = "⊕" if column.joins else "·" if column.branch else "─"
    spot = Spot(f"layer:{column.name}")
    here = column is visit.column
    name = Piece(column.short, "window" if here else "bar" if column.branch else "muted", spot)
    return (Piece(f"{joined}" if number else "", "muted"), name)


def _fitted(drawn: list[Line], width: int, height: int) -> list[Line]:
    kept = [clipped_line(line, width) for line in drawn[:height]]
    return kept + [()] * (height - len(kept))
