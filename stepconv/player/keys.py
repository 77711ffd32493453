"""The keys of the player, and the page that lists them."""

from __future__ import annotations

from stepconv.player.text.lines import (
    Block,
    Line,
    Piece,
    Spot,
    block,
    clipped,
)

# Key, what the last line of the screen calls it, what it does.
KEYS: tuple[tuple[str, str, str], ...] = (
    ("space", "play", "play and pause"),
    ("←→", "step", "a step back and on; ↑↓ a row up and down"),
    ("g", "go to", "go to step 17 or to cell 3,4; or click on a cell"),
    ("w", "why", "why this size? what is left over, how others pad"),
    ("r", "readers", "who reads this pixel? the arrows move it"),
    ("c", "compare", "correlation and convolution; h turns the kernel"),
    ("/", "find", "find padding <0 >9 =5 nan sign max min; n N again"),
    ("b", "break", "breakpoint; B stops wherever something holds"),
    ("p", "present", "one window in large digits, for a projector"),
    ("t", "who", "who computed this: threads or GPU blocks"),
    ("tab", "channel", "next channel; shift+tab the one before"),
    ("f", "filter", "same cell of the next filter; F the one before"),
    ("i", "image", "same cell of the next image; I the one before"),
    ("+-", "speed", "play faster, play slower"),
    ("home", "first", "first step; end: the last"),
    ("l", "light", "light or dark screen"),
    ("?", "keys", "this page"),
    ("q", "quit", "leave; esc closes a view"),
)
_MOUSE = "click on a cell, the bar or a key; the wheel steps"
# Which keys the last line names, the most asked for first; the rest stand on this page.
FOOT = ("space", "←→", "g", "b", "/", "c", "w", "r", "?")


def foot() -> tuple[tuple[str, str], ...]:
    """Return the keys that the last line names."""
    short = {key: name for key, name, _ in KEYS}
    return tuple((key, short[key]) for key in FOOT)


def view(width: int) -> Block:
    """Return the page of keys; each can be clicked."""
    lines: list[Line] = []
    for key, _, meaning in KEYS:
        spot = Spot(f"key:{key}")
        told = clipped(meaning, width - 9)
        lines.append((Piece(f" {key}".ljust(8), "key", spot), Piece(told, "", spot)))
    lines.append((Piece(" mouse  ", "key"), Piece(clipped(_MOUSE, width - 9))))
    return block(lines)
