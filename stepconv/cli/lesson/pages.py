"""The pages of a lesson as lines with roles: the lists, a scene with its picture."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from stepconv.cli.lesson.opening import Opened
from stepconv.cli.lesson.told import written
from stepconv.lessons.reader import LESSONS, SCENES, Reader
from stepconv.lessons.scene import PICTURES, Scene
from stepconv.lessons.words import KEPT
from stepconv.player.frame.frames import Frame
from stepconv.player.playback import Playback
from stepconv.player.text import digits, layout
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
    columns,
    indented,
    text_block,
    wrapped,
)
from stepconv.player.text.picture import picture
from stepconv.player.views import screen

# Text is read in lines of at most so many columns; where a screen is so wide, beside its picture.
_LONGEST, _ABREAST = 76, 116
_BESIDE = 42
# On a projector lines are short, and each sentence stands alone.
_LARGE = 46
_SENTENCE = re.compile(r"(?<=[.?!])\s+")
# Before what is chosen, for a screen without colours.
_MARK = "▸"
_DIGITS = re.compile(r"[-0-9./ ]+")
# What no line is broken at while it is wrapped.
_STUCK = "\x01"
# Columns for the arrow between two pictures.
_ARROW = 6
# A picture in fewer lines shows nothing.
_LEAST = 5
LETTERS = "abcdefgh"


def lines(
    reader: Reader, opened: Opened, playback: Playback | None, width: int, height: int
) -> list[Line]:
    """Return the lines of the page that is open: exactly `height`, none wider than `width`."""
    if reader.page == LESSONS:
        drawn = [*_list_of_lessons(reader, width, height - 2), _keys(_LIST_KEYS, reader, width)]
    elif reader.page == SCENES:
        drawn = [*_list_of_scenes(reader, width, height - 2), _keys(_LIST_KEYS, reader, width)]
    else:
        drawn = [
            *_scene(reader, opened, playback, width, height - 1),
            _keys(_scene_keys(reader, opened), reader, width),
        ]
    return _exactly(drawn[:-1], drawn[-1:], width, height)


_LIST_KEYS = (("↑↓", "choose"), ("enter", "open"), ("esc", "back"), ("q", "leave"))


def waiting(reader: Reader, width: int, height: int) -> list[Line]:
    """Return the page of a scene that is still being worked out."""
    title = written(reader.lesson.scenes[reader.number].title)
    keys = _keys((("→", "next"), ("←", "back"), ("esc", "scenes")), reader, width)
    told = Piece(
        " computing … kernels are compiled at their first use, networks are trained", "muted"
    )
    return _exactly([(Piece(f" {title}", "title"),), (), (told,)], [keys], width, height)


def large(
    reader: Reader, opened: Opened, playback: Playback | None, part: str, width: int, height: int
) -> list[Line]:
    """Return one idea for a projector: a scene's text, its picture, or its question, alone."""
    scene = reader.scene
    head: Line = (Piece(f" {_plain(scene.title)}", "title"),)
    keys = _keys(
        (("→", "next"), ("←", "back"), ("enter", "go inside"), ("esc", "scenes")), reader, width
    )
    room = height - 3
    if part == "picture":
        body = _picture(reader, opened, playback, width, room)
        return _exactly([head, (), *body.lines], [keys], width, height)
    narrow = min(width - 4, _LARGE)
    if part == "question":
        told = above(_asked(reader, narrow), _large_guess(reader, narrow), gap=1)
    else:
        each = (
            sentence for paragraph in scene.paragraphs for sentence in _SENTENCE.split(paragraph)
        )
        told = above(*(_wrapped(sentence, narrow, "title") for sentence in each), gap=1)
    left = indented(told, max((width - narrow) // 2, 1))
    above_it: list[Line] = [()] * max((room - left.height) // 2, 0)
    return _exactly([head, (), *above_it, *left.lines], [keys], width, height)


def _large_guess(reader: Reader, width: int) -> Block:
    """Return a guess in large digits, if it is a number that fits."""
    size = digits.LARGE
    is_number = bool(_DIGITS.fullmatch(reader.guess)) and reader.question is not None
    if not is_number or digits.large_width(reader.guess, size) > width:
        return Block()
    return text_block(*digits.large(reader.guess, size), role="large")


def _wrapped(text: str, width: int, role: str = "") -> Block:
    """Return a text in lines, each row of numbers whole on one of them."""
    lines = wrapped(text.replace(KEPT, _STUCK), width, role).lines
    return block(
        [piece._replace(text=piece.text.replace(_STUCK, " ")) for piece in line] for line in lines
    )


def parts(reader: Reader, opened: Opened) -> list[str]:
    """Return what a scene has to show on a projector, screen by screen."""
    shows = opened.record is not None or opened.frames or opened.command or opened.message
    return ["text", *(["picture"] if shows else []), *(["question"] if reader.question else [])]


def _exactly(drawn: list[Line], foot: list[Line], width: int, height: int) -> list[Line]:
    kept = drawn[: height - len(foot)]
    kept += [()] * (height - len(foot) - len(kept))
    return [clipped_line(line, width) for line in (*kept, *foot)]


def _scene_keys(reader: Reader, opened: Opened) -> list[tuple[str, str]]:
    question = reader.question
    keys: list[tuple[str, str]] = []
    if question is not None and question.is_chosen and reader.told is None:
        keys.append((f"a-{LETTERS[len(reader.offered) - 1]}", "guess"))
    elif question is not None and reader.told is None:
        keys.append(("type", "a guess"))
    if reader.guess and reader.told is None:
        keys.append(("enter", "answer"))
    elif opened.record is not None:
        keys.append(("enter", "go inside"))
    elif opened.command:
        keys.append(("enter", f"stepconv {opened.command[0]}"))
    if opened.frames:
        keys.append(("↑↓", "turn" if len(opened.frames) > 1 else "scroll"))
    keys += [("→", "next"), ("←", "back"), ("esc", "scenes")]
    return keys


def _keys(keys: Sequence[tuple[str, str]], reader: Reader, width: int) -> Line:
    if reader.message:
        return (Piece(f" {clipped(reader.message, width - 2)}", "message"),)
    pieces = [Piece(" ")]
    for shown, does in keys:
        spot = Spot(f"key:{shown}")
        pieces += [Piece(shown, "key", spot), Piece(f" {does}", "", spot), Piece("  ")]
    return tuple(pieces)


def _list_of_lessons(reader: Reader, width: int, height: int) -> list[Line]:
    told: list[list[Line]] = []
    for number, lesson in enumerate(reader.lessons):
        chosen = number == reader.chosen
        seen, every = reader.progress.count(lesson), len(lesson.scenes)
        state = "new" if not seen else "all seen" if seen == every else f"{seen} of {every} seen"
        name = f"{_MARK if chosen else ' '}{number + 1}  {lesson.title}"
        line = f"{clipped(name, width - columns(state) - 2)}"
        line += " " * (width - columns(line) - columns(state) - 1) + state + " "
        told.append([(Piece(line, "window" if chosen else "title", Spot("list", number)),)])
        about = indented(_wrapped(" ".join(lesson.about), min(width - 6, _LONGEST), "muted"), 4)
        told[-1] += [*about.lines, ()]
    kept = _around(told, reader.chosen, height - 2)
    return [(Piece(" Lessons: look, guess, change", "title"),), (), *kept]


def _list_of_scenes(reader: Reader, width: int, height: int) -> list[Line]:
    lesson = reader.lesson
    told: list[list[Line]] = []
    for number, scene in enumerate(lesson.scenes):
        mark = "✓" if reader.progress.has_seen(lesson, number) else " "
        here = _MARK if number == reader.number else " "
        line = f"{here}{number + 1:>2} {mark} {written(scene.title)}"
        role = "window" if number == reader.number else ""
        padded = clipped(line, width).ljust(width) if role else clipped(line, width)
        told.append([(Piece(padded, role, Spot("list", number)),)])
    kept = _around(told, reader.number, height - 2)
    return [(Piece(f" {lesson.title}", "title"),), (), *kept]


def _around(entries: list[list[Line]], chosen: int, height: int) -> list[Line]:
    """Return as many lines as fit, with the chosen entry among them."""
    every = [line for entry in entries for line in entry]
    here = sum(len(entry) for entry in entries[:chosen])
    start = min(max(here - height // 2, 0), max(len(every) - height, 0))
    return every[start : start + height]


def _scene(
    reader: Reader, opened: Opened, playback: Playback | None, width: int, height: int
) -> list[Line]:
    scene, lesson = reader.scene, reader.lesson
    count = f"{reader.number + 1} of {len(lesson.scenes)}"
    name = f" {_plain(scene.title)}"
    gap = width - columns(name) - columns(f"{lesson.title} · {count}") - 1
    right = f"{lesson.title} · {count}" if gap > 1 else count
    gap = max(width - columns(name) - columns(right) - 1, 1)
    head: Line = (Piece(name, "title"), Piece(" " * gap), Piece(right, "muted"))
    abreast = width >= _ABREAST
    text = _text(reader, scene, _BESIDE if abreast else min(width - 2, _LONGEST))
    if abreast:
        left = indented(Block(text.lines, _BESIDE), 1)
        right_side = _picture(reader, opened, playback, width - _BESIDE - 5, height - 2)
        both = beside(left, right_side, gap=3) if right_side.lines else left
        return [head, (), *both.lines][:height]
    room = height - text.height - 3
    drawn = _picture(reader, opened, playback, width, room) if room >= _LEAST else Block()
    gap_line: list[Line] = [()] if drawn.lines else []
    return [head, (), *indented(text, 1).lines, *gap_line, *drawn.lines][:height]


def _text(reader: Reader, scene: Scene, width: int) -> Block:
    """Return what a scene says and asks, and the reason once somebody has guessed."""
    told = [_wrapped(paragraph, width) for paragraph in scene.paragraphs]
    return above(above(*told), _asked(reader, width), gap=1)


def _asked(reader: Reader, width: int) -> Block:
    question = reader.question
    if question is None:
        return Block()
    parts = [_wrapped(question.text, width, "title")]
    if question.is_chosen:
        told = reader.told
        for letter, answer in zip(LETTERS, reader.offered, strict=False):
            role, mark = ("large", _MARK) if answer is told else ("", " ")
            spot = Spot("answer", LETTERS.index(letter))
            parts.append(block([[Piece(f"{mark}{letter}  {_plain(answer.text)}", role, spot)]]))
    else:
        parts.append(block([[Piece(" guess: ", "muted"), Piece(f"{reader.guess}▏", "large")]]))
    if reader.told is not None:
        reason = _wrapped(_sentence(reader.told.reason), width - 2, "result-text")
        parts.append(indented(reason, 1))
    return above(*parts)


def _plain(text: str | None) -> str:
    return (text or "").replace(KEPT, " ")


def _sentence(reason: str) -> str:
    return f"{reason[:1].upper()}{reason[1:]}"


def _before_and_after(frame: Frame, width: int, height: int) -> Block:
    """Return the picture that goes in and the whole of what comes out, as large as they fit."""
    half = (width - _ARROW) // 2
    drawn = []
    for grid in (frame.source, frame.result):
        whole = replace(grid, marked=((), ()), known=None)
        # What is seen in colour is no channel alone.
        title = grid.title.partition(" · ")[0] if grid.colours else grid.title
        title = clipped(title, half)
        drawn.append(above(text_block(title, role="muted"), picture(whole, half, height - 1)))
    middle = block([()] * (min(each.height for each in drawn) // 2) + [[Piece("▶", "arrow")]])
    return indented(beside(drawn[0], middle, drawn[1], gap=2), 1)


def _picture(
    reader: Reader, opened: Opened, playback: Playback | None, width: int, height: int
) -> Block:
    """Return what a scene opens in so much room: a step, lines of a command or a drawing."""
    frame, pictures = reader.frame, reader.scene.place.view == PICTURES
    if opened.message:
        return indented(_wrapped(opened.message, width - 2, "message"), 1)
    if opened.record is not None and playback is not None and not opened.frames:
        if pictures:
            return _before_and_after(playback.frame(), width - 2, height)
        if playback.view == "step" and playback.chain is None and len(playback.film):
            return block(layout.screen(playback.frame(), width, height))
        # A view stands above a bar and the keys, which the player has, not its picture here.
        return block(screen.lines(playback, width, height + 2)[:height])
    if opened.frames:
        shown = opened.frames[min(frame, len(opened.frames) - 1)]
        # What is longer than the room, and no film, is turned line by line.
        first = min(frame, max(len(shown) - height, 0)) if len(opened.frames) == 1 else 0
        return text_block(*(f" {line}" for line in shown[first : first + height]))
    if opened.command:
        return indented(
            _wrapped(f"enter: stepconv {' '.join(opened.command)}", width - 2, "key"), 1
        )
    return Block()
