"""The keys of the player, declared once: bindings, the last line, clicks and the help read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stepconv.player.text.lines import Block, Line, Piece, Spot, block, clipped_line


class Key(NamedTuple):
    """A key, or two that belong together.

    `shown` is how screens write it and `does` what it does, in words. `actions` say it to Textual:
    its name of the key and an action of the app, of which `do` calls a method of `Playback`; a
    click does the first. A key with a `place`, from 1 on, stands in the last line, if there is
    room, under its `name`. In the help, one that is `beside` another shares the line before it.
    """

    shown: str
    does: str
    actions: dict[str, str]
    place: int = 0
    name: str = ""
    beside: bool = False


_ARROWS = {"right": "do('move', 1)", "left": "do('move', -1)"}
_ROWS = {"down": "do('move_row', 1)", "up": "do('move_row', -1)"}
_AGAIN = {"n": "do('find_again')", "N": "do('find_again', True)"}
_SPEED = {"plus,equals_sign": "do('change_speed', 1)", "minus": "do('change_speed', -1)"}

# In the order of the help.
KEYS = (
    Key("space", "play and pause", {"space": "do('toggle_playing')"}, 1, "play"),
    Key("+-", "faster, slower", _SPEED, beside=True),
    Key("←→", "a step", _ARROWS, 2, "step"),
    Key("↑↓", "a row", _ROWS, beside=True),
    Key("home", "first", {"home": "do('go_to_end', 0)"}, beside=True),
    Key("end", "last", {"end": "do('go_to_end', 1)"}, beside=True),
    Key("g", "go to step 17 or to cell 3,4; or click on a cell", {"g": "ask('go_to')"}, 9, "go to"),
    Key("e", "change it: kernel, input, options", {"e": "do('edit')"}, 3, "edit"),
    Key("w", "why this size? how do others pad?", {"w": "look('sizes')"}, 4, "why"),
    Key("L", "in letters", {"L": "do('toggle_letters')"}, beside=True),
    Key("r", "who reads this pixel? the arrows move it", {"r": "look('readers')"}, 5, "who"),
    Key("c", "correlation and convolution", {"c": "look('compare')"}, 8, "flip"),
    Key("h", "turns the kernel", {"h": "do('turn')"}, beside=True),
    Key("/", "find padding <0 >9 =5 nan sign max min", {"slash": "ask('find')"}, 10, "find"),
    Key("n N", "again", _AGAIN, beside=True),
    Key("b", "breakpoint", {"b": "do('toggle_breakpoint')"}, 11, "break"),
    Key("B", "stops wherever something holds", {"B": "ask('break_when')"}, beside=True),
    Key("p", "one window in large digits, for a projector", {"p": "look('present')"}, 6, "large"),
    Key("t", "who computed this: threads or GPU blocks", {"t": "look('workers')"}, 7, "threads"),
    Key("u", "every term of a sum", {"u": "look('terms')"}),
    Key("v", "numbers, shades, picture", {"v": "do('change_style')"}, beside=True),
    Key("tab", "next channel", {"tab": "do('change_channel', 1)"}),
    Key("shift+tab", "back", {"shift+tab": "do('change_channel', -1)"}, beside=True),
    Key("a", "all or one", {"a": "do('toggle_abreast')"}, beside=True),
    Key("f", "next filter, same cell", {"f": "do('change_plane', 1)"}),
    Key("F", "back", {"F": "do('change_plane', -1)"}, beside=True),
    Key("i", "image", {"i": "do('change_image', 1)"}, beside=True),
    Key("I", "back", {"I": "do('change_image', -1)"}, beside=True),
    Key("]", "along a chain", {"right_square_bracket": "do('walk', 1)"}),
    Key("[", "back", {"left_square_bracket": "do('walk', -1)"}, beside=True),
    Key("enter", "to where", {"enter": "answer"}, beside=True),
    Key("s", "all", {"s": "look('strip')"}, beside=True),
    Key("?", "this page", {"question_mark,f1": "look('help')"}, 12, "keys"),
    Key("l", "light or dark", {"l": "light"}, beside=True),
    Key("esc", "closes", {"escape": "leave"}, beside=True),
    Key("q", "leave", {"q": "stop", "ctrl+c": "quit"}, beside=True),
)
# In the order of the last line.
FOOT = sorted((key for key in KEYS if key.place), key=lambda key: key.place)
# Those that hold where an algorithm is stepped through as well.
STEPPED = tuple(
    key for key in KEYS if key.shown in ("space", "+-", "←→", "home", "end", "?", "l", "esc", "q")
)
CLICKS = {key.shown: next(iter(key.actions.values())) for key in KEYS}
_MOUSE = "click on a cell, the bar or a key; the wheel steps"


# What the colours of cells mean, each in its own.
_LEGEND = (
    *(("window", "window"), ("padding", "padding"), ("winner, output", "result")),
    *(("below 0", "#409cff"), ("above 0", "#ff9620")),
)


def legend() -> Line:
    """Return what the colours of cells mean, on one line."""
    told = [piece for meaning, role in _LEGEND for piece in (Piece(" "), Piece(meaning, role))]
    return (Piece(" colours", "key"), *told)


def view(width: int, every: Sequence[Key] = KEYS) -> Block:
    """Return the page of keys; each can be clicked."""
    lines: list[list[Piece]] = []
    for key in every:
        spot = Spot(f"key:{key.shown}")
        if key.beside:
            lines[-1].append(Piece(f"; {key.shown} {key.does}", "", spot))
        else:
            lines.append([Piece(f" {key.shown}".ljust(8), "key", spot), Piece(key.does, "", spot)])
    lines.append([Piece(" mouse  ", "key"), Piece(_MOUSE)])
    lines.append(list(legend()))
    return block(clipped_line(tuple(line), width - 1) for line in lines)
