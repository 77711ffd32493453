"""Large digits for the last row of a lecture hall, made of blocks."""

from __future__ import annotations

_GLYPHS = {
    "0": "### #.# #.# #.# ###",
    "1": ".#. ##. .#. .#. ###",
    "2": "### ..# ### #.. ###",
    "3": "### ..# ### ..# ###",
    "4": "#.# #.# ### ..# ..#",
    "5": "### #.. ### ..# ###",
    "6": "### #.. ### #.# ###",
    "7": "### ..# .#. .#. .#.",
    "8": "### #.# ### #.# ###",
    "9": "### #.# ### ..# ###",
    "-": "... ... ### ... ...",
    "+": "... .#. ### .#. ...",
    "=": "... ### ... ### ...",
    "≈": "... .## ##. .## ##.",
    "·": "... ... .#. ... ...",
    ".": ". . . . #",
    "/": "..# ..# .#. #.. #..",
    "(": ".# #. #. #. .#",
    ")": "#. .# .# .# #.",
    "n": "... ##. #.# #.# #.#",
    "a": "... .## #.# #.# .##",
    "i": "# . # # #",
    "f": ".## .#. ### .#. .#.",
    "e": "... ### ### #.. ###",
    "…": "..... ..... ..... ..... #.#.#",
    " ": ".. .. .. .. ..",
}
_ROWS = 5
SMALL, LARGE = 1, 2


def large(text: str, size: int = SMALL) -> list[str]:
    """Return a text in large digits: 3 lines of half blocks, or 5 lines of twice the width.

    >>> print(*large("42"), sep="|")
    █ █ ▀▀█|▀▀█ █▀▀|  ▀ ▀▀▀
    """
    glyphs = [_GLYPHS.get(character, _GLYPHS["·"]).split() for character in text]
    rows = [".".join(glyph[row] for glyph in glyphs) for row in range(_ROWS)]
    if size == LARGE:
        return ["".join("██" if dot == "#" else "  " for dot in row) for row in rows]
    rows.append("." * len(rows[0]))
    shades = {("#", "#"): "█", ("#", "."): "▀", (".", "#"): "▄", (".", "."): " "}
    return [
        "".join(shades[pair] for pair in zip(rows[i], rows[i + 1], strict=True))
        for i in range(0, _ROWS, 2)
    ]


def large_width(text: str, size: int = SMALL) -> int:
    """Return how many columns a text takes in large digits."""
    glyphs = (_GLYPHS.get(character, _GLYPHS["·"]) for character in text)
    return size * (sum(glyph.index(" ") if " " in glyph else 1 for glyph in glyphs) + len(text) - 1)


def large_height(size: int = SMALL) -> int:
    """Return how many lines large digits take."""
    return 3 if size == SMALL else _ROWS
