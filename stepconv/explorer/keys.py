"""The keys of the explorer, declared once: what is pressed, the last line and the help read them.

In a window the keys are those of the player; only `esc` at its steps leads out again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from stepconv.explorer.standing import BENCH, FILTER, LAYER, MAP, NETWORK
from stepconv.player.text.lines import Block, Line, Piece, Spot, block, clipped_line, line_width


class Key(NamedTuple):
    """A key, or some that belong together.

    `shown` is how screens write it and `does` what it does, in words. `presses` say which method
    of `Visit` each calls, and with what; where there is none the app itself acts. It holds at the
    levels in `at`, or at the bench, and everywhere if there are none. One with a `name` stands in
    the last line, if there is room.
    """

    shown: str
    does: str
    presses: dict[str, tuple[Any, ...]]
    name: str = ""
    at: tuple[str, ...] = ()


_ARROWS = {
    "left": ("move", 0, -1),
    "right": ("move", 0, 1),
    "up": ("move", -1, 0),
    "down": ("move", 1, 0),
}
_PEN = {key: ("arrow", *step) for key, (_, *step) in _ARROWS.items()}
_SHIFT = {f"shift+{key}": ("alter", "moved", *step) for key, (_, *step) in _ARROWS.items()}
_DIGITS = [str(digit) for digit in range(10)]
_LABELS = {digit: ("say_label", int(digit)) for digit in _DIGITS}
_ONLY = {digit: ("only", int(digit)) for digit in _DIGITS}
_MAPS = {"f": ("change_plane", 1), "F": ("change_plane", -1)}
_LAYERS = {"comma": ("change_layer", -1), "full_stop": ("change_layer", 1)}
_BENCH = (BENCH,)
_LEVELS = (NETWORK, LAYER, MAP, FILTER)

# In the order of the help and of the last line.
KEYS = (
    Key("←→↑↓", "layers and maps; in a map its cells", _ARROWS, "move", _LEVELS),
    Key("enter", "in: network, layer, map, window", {"enter": ("enter",)}, "in", _LEVELS),
    Key("esc", "out, or close what is open", {"escape": ("leave",)}, "out"),
    Key(
        "d", "the bench: draw, take pictures, change them", {"d": ("look", BENCH)}, "draw", _LEVELS
    ),
    Key("g", "gradients, from the loss back", {"g": ("toggle_backward",)}, "back", _LEVELS),
    Key("w", "the filter of a map, and its weights", {"w": ("filters",)}, "weights", _LEVELS[1:]),
    Key("tab", "a filter's next channel", {"tab": ("change_channel", 1)}, "", (FILTER,)),
    Key("f F , .", "next map, back; layer before, next", _MAPS | _LAYERS, "", _LEVELS),
    Key("n", "a map as numbers or as a picture", {"n": ("toggle_numbers",)}, "numbers", (MAP,)),
    Key(
        "v",
        "what the cell sees, or how it follows each pixel",
        {"v": ("toggle_influence",)},
        "influence",
        (MAP,),
    ),
    Key("m", "what excites a map most", {"m": ("look", "exciting")}, "most", _LEVELS),
    Key(
        "o",
        "hide a part: how far does the answer fall?",
        {"o": ("look", "occlusion")},
        "hide",
        _LEVELS,
    ),
    Key(
        "s", "one step of gradient descent: before, after", {"s": ("look", "step")}, "step", _LEVELS
    ),
    Key("i", "with and without an identity path", {"i": ("look", "identity")}, "identity", _LEVELS),
    Key(
        "[ ]",
        "earlier and later in the training",
        {"left_square_bracket": ("travel", -1), "right_square_bracket": ("travel", 1)},
        "time",
    ),
    Key(
        "+ -",
        "a larger or smaller step",
        {
            "plus": ("change_rate", 1),
            "equals_sign": ("change_rate", 1),
            "minus": ("change_rate", -1),
        },
        "",
        _LEVELS,
    ),
    Key("0-9", "say which class is right", _LABELS, "", _LEVELS),
    Key("home end", "first and last", {"home": ("to_end", 0), "end": ("to_end", 1)}, "", _LEVELS),
    Key("←→↑↓", "move the pen, or shift a picture", _PEN, "pen", _BENCH),
    Key("space", "pen down and up; the mouse draws too", {"space": ("pen",)}, "down", _BENCH),
    Key("e", "rubber", {"e": ("rub",)}, "rub", _BENCH),
    Key("x", "an empty sheet", {"x": ("clear",), "backspace": ("clear",)}, "clear", _BENCH),
    Key("p P", "next test picture; back", {"p": ("take", 1), "P": ("take", -1)}, "picture", _BENCH),
    Key("0-9", "browse one class; a all", _ONLY | {"a": ("only", None)}, "class", _BENCH),
    Key("w", "browse wrong answers", {"w": ("only_wrong",)}, "wrong", _BENCH),
    Key("c", "centre as MNIST does, or not", {"c": ("toggle_centre",)}, "centre", _BENCH),
    Key("shift+←", "shift, whatever the picture", _SHIFT, "", _BENCH),
    Key("r R", "turn", {"r": ("alter", "turned", 5), "R": ("alter", "turned", -5)}, "turn", _BENCH),
    Key(
        "+ -",
        "scale",
        {
            "plus": ("alter", "scaled", 10),
            "equals_sign": ("alter", "scaled", 10),
            "minus": ("alter", "scaled", -10),
        },
        "scale",
        _BENCH,
    ),
    Key(
        "t T",
        "thicker, thinner",
        {"t": ("alter", "thickened", 1), "T": ("alter", "thickened", -1)},
        "thick",
        _BENCH,
    ),
    Key("b", "a blot", {"b": ("alter", "blotted")}, "blot", _BENCH),
    Key("z", "take all changes back", {"z": ("restore",)}, "undo", _BENCH),
    Key("d", "take the pen to what is shown", {"d": ("draw",)}, "", _BENCH),
    Key("enter", "back to the network", {"enter": ("leave",)}, "", _BENCH),
    Key("l", "light or dark", {"l": ()}),
    Key("?", "this page", {"question_mark": ("look", "help"), "f1": ("look", "help")}, "keys"),
    Key("q", "leave the explorer", {"q": (), "ctrl+c": ()}),
)
_LEADS_TO_ALL = "?"


def at(context: str) -> list[Key]:
    """Return the keys that hold at a level, or at the bench."""
    return [key for key in KEYS if not key.at or context in key.at]


def pressed(context: str, key: str) -> tuple[Any, ...] | None:
    """Return what a key does there: a method and its arguments; None for nothing."""
    for each in at(context):
        if key in each.presses:
            return each.presses[key] or None
    return None


def foot(context: str, message: str, width: int) -> Line:
    """Return the last line: a message if there is one, else the keys, as many as fit."""
    if message:
        return clipped_line((Piece(f" {message}", "message"),), width)
    named = [key for key in at(context) if key.name]
    last = next(key for key in named if key.shown == _LEADS_TO_ALL)
    room = width - 1 - line_width(_piece(last))
    pieces = [Piece(" ")]
    for key in named:
        room -= line_width(_piece(key)) + 2
        if key is not last and room >= 0:
            pieces += [*_piece(key), Piece("  ")]
    return (*pieces, *_piece(last))


def _piece(key: Key) -> tuple[Piece, Piece]:
    return Piece(key.shown, "key", _spot(key)), Piece(f" {key.name}", "", _spot(key))


def page(context: str, width: int) -> Block:
    """Return the page of the keys that hold at a level, or at the bench."""
    lines = [
        (Piece(f" {key.shown}".ljust(10), "key", _spot(key)), Piece(key.does, "", _spot(key)))
        for key in KEYS
        if not key.at or (BENCH in key.at) == (context == BENCH)
    ]
    return block(clipped_line(line, width) for line in lines)


def _spot(key: Key) -> Spot:
    return Spot(f"key:{next(iter(key.presses))}")
