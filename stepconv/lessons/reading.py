"""Read a lesson from its text: headings, lines that say what a scene opens, and prose."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from stepconv.errors import ArgumentError, closest
from stepconv.files import check_plain
from stepconv.lessons.expressions import braces
from stepconv.lessons.scene import MOST_WORDS, Answer, Lesson, Place, Question, Scene

# What a line of a scene may begin with; every other line is prose.
KEYS = (
    *("opens", "draws", "step", "view", "cursor", "link", "items", "let", "holds"),
    *("ask", "choose", "right", "wrong"),
)
# Commands that a scene may open, and options of theirs that it may not: they write or delete.
OPENS = (
    *("play", "show", "shapes", "examples", "why", "look"),
    *("explore", "train", "compare", "evaluate", "predict", "filters"),
)
_WRITES = ("--out", "--output", "--force", "--svg", "--sheet", "--resume")
# Keys that may stand several times.
_MANY = ("let", "holds", "right", "wrong")
_KEY = re.compile(r"([a-z]+):(?:\s+(.*))?$")
_ITEM = re.compile(r"\d+-\d+")
_ARROW = "->"


@dataclass
class _Draft:
    """A scene while its lines are read: the lines of each key, and the prose."""

    title: str
    line: int
    said: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    paragraphs: list[str] = field(default_factory=list)


def parse(text: str, name: str) -> Lesson:
    """Return the lesson that a text tells; `name` is for the lesson and for complaints.

    >>> lesson = parse("# Sums\\n\\n## One window\\nopens: play flip\\n\\nLook.\\n", "sums")
    >>> lesson.title, lesson.scenes[0].title, lesson.scenes[0].opens
    ('Sums', 'One window', 'play flip')
    """
    title, about, drafts = "", list[str](), list[_Draft]()
    for number, line, starts in _lines(text):
        if line.startswith("## "):
            drafts.append(_Draft(line[3:].strip(), number))
        elif line.startswith("# "):
            if title:
                raise ArgumentError(f"{name}, line {number}: a second title: a scene's has ##")
            title = line[2:].strip()
        elif (match := _KEY.match(line)) and match[1] in KEYS:
            if not drafts:
                raise ArgumentError(
                    f"{name}, line {number}: {match[1]!r} is of no scene: '## A window' begins one"
                )
            drafts[-1].said.setdefault(match[1], []).append((number, match[2] or ""))
        elif match and drafts and not drafts[-1].paragraphs:
            hint = closest(match[1], KEYS, f"{', '.join(KEYS)} are known")
            raise ArgumentError(f"{name}, line {number}: {match[1]!r} is not known: {hint}")
        else:
            _add(drafts[-1].paragraphs if drafts else about, line, starts)
    if not title:
        raise ArgumentError(f"{name} has no title: a first line such as '# Images' fits")
    if not drafts:
        raise ArgumentError(f"{name} has no scene: a heading such as '## A window' begins one")
    return Lesson(name, title, tuple(about), tuple(_scene(draft, name) for draft in drafts))


def read(path: Path) -> Lesson:
    """Return the lesson in a file; its name is the file's, without a number in front."""
    check_plain(path)
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise ArgumentError(f"{path} is no lesson: it is not written in UTF-8") from None
    return parse(text, name_of(path))


def name_of(path: Path) -> str:
    """Return what a lesson is called: `images` for `2-images.md`."""
    return re.sub(r"^\d+-", "", path.stem)


def _lines(text: str) -> Iterator[tuple[int, str, bool]]:
    """Yield each line that says something: its number, the line, whether a paragraph starts.

    An indented line goes on with the line before it.
    """
    held: tuple[int, str, bool] | None = None
    starts = True
    for number, raw in enumerate(text.splitlines(), 1):
        if held and raw.strip() and raw[0] in " \t":
            held = (held[0], f"{held[1]} {raw.strip()}", held[2])
            continue
        if held:
            yield held
        held = (number, raw.strip(), starts) if raw.strip() else None
        key = _KEY.match(raw)
        starts = not raw.strip() or raw.startswith("#") or bool(key and key[1] in KEYS)
    if held:
        yield held


def _add(paragraphs: list[str], line: str, starts: bool) -> None:
    if starts or not paragraphs:
        paragraphs.append(line)
    else:
        paragraphs[-1] += f" {line}"


def _scene(draft: _Draft, name: str) -> Scene:
    where = f"{name}, line {draft.line}"
    for key, lines in draft.said.items():
        if len(lines) > 1 and key not in _MANY:
            raise ArgumentError(f"{name}, line {lines[1][0]}: a second {key!r}: one fits")
    once = {key: lines[0][1] for key, lines in draft.said.items()}
    words = sum(len(braces.sub("0", text).split()) for text in draft.paragraphs)
    if words > MOST_WORDS:
        raise ArgumentError(f"{where}: the scene has {words} words: {MOST_WORDS} fit")
    items = tuple(filter(None, re.split(r"[,\s]+", once.get("items", ""))))
    for item in items:
        if not _ITEM.fullmatch(item):
            raise ArgumentError(f"{where}: {item!r} is no item of a lecture: 2-05 fits")
    return Scene(
        draft.title,
        tuple(draft.paragraphs),
        draft.line,
        opens=_opens(once.get("opens", ""), where),
        draws=once.get("draws", ""),
        place=_place(once, where),
        items=items,
        lets=tuple(_let(text, f"{name}, line {n}") for n, text in draft.said.get("let", [])),
        holds=tuple(text for _, text in draft.said.get("holds", [])),
        question=_question(draft, name),
    )


def _opens(text: str, where: str) -> str:
    """Return the command line of a scene: one that looks, as a lesson may come from anybody."""
    command = text.removeprefix("stepconv ")
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ArgumentError(f"{where}: opens={command!r} is no command line: {error}") from None
    for number, word in enumerate(words):
        if number == 0 and word not in OPENS:
            hint = closest(word, OPENS, f"{', '.join(OPENS)} fit")
            raise ArgumentError(f"{where}: opens={command!r} is not for lessons: {hint}")
        if word.partition("=")[0] in _WRITES or word.startswith("-o"):
            raise ArgumentError(f"{where}: opens={command!r} would write: without {word} it fits")
    return command


def _let(text: str, where: str) -> tuple[str, str]:
    """Return a name and the expression that it stands for."""
    name, equals, expression = text.partition(" = ")
    if not equals or not name.strip().isidentifier():
        raise ArgumentError(f"{where}: {text!r} names nothing: let: edge = kernel('sobel-x')")
    return name.strip(), expression


def _place(once: dict[str, str], where: str) -> Place:
    numbers = {key: _numbers(once[key], key, where) for key in ("step", "link") if key in once}
    cursor = _numbers(once["cursor"], "cursor", where, many=True) if "cursor" in once else None
    return Place(
        step=numbers["step"][0] if "step" in numbers else None,
        view=once.get("view"),
        cursor=cursor,
        link=numbers["link"][0] if "link" in numbers else None,
    )


def _numbers(text: str, key: str, where: str, many: bool = False) -> tuple[int, ...]:
    words = text.split(",")
    try:
        if not many and len(words) > 1:
            raise ValueError
        return tuple(int(word) for word in words)
    except ValueError:
        fits = "3,4" if many else "3"
        raise ArgumentError(f"{where}: {key}={text!r} does not fit: {fits} does") from None


def _question(draft: _Draft, name: str) -> Question | None:
    """Return the question of a scene; its answers stand in the order of their lines."""
    said = draft.said
    where = f"{name}, line {draft.line}"
    asked = [key for key in ("ask", "choose") if key in said]
    lines = sorted(
        (number, key, text) for key in ("right", "wrong") for number, text in said.get(key, [])
    )
    if not asked:
        if lines:
            raise ArgumentError(f"{name}, line {lines[0][0]}: an answer without a question: ask:")
        return None
    if len(asked) > 1:
        raise ArgumentError(f"{where}: ask: and choose: say two things: give one")
    answers = tuple(_answer(key, text, f"{name}, line {number}") for number, key, text in lines)
    if not any(answer.is_right for answer in answers):
        raise ArgumentError(f"{where}: the question has no right answer: right: 8 -> why")
    if asked == ["ask"] and all(answer.text for answer in answers):
        raise ArgumentError(f"{where}: other answers are typed too: wrong: -> why")
    return Question(said[asked[0]][0][1], answers, asked == ["choose"])


def _answer(key: str, text: str, where: str) -> Answer:
    answer, arrow, reason = text.partition(_ARROW)
    if not arrow or not reason.strip():
        raise ArgumentError(f"{where}: an answer has its reason: {key}: 8 -> the window fits there")
    if key == "right" and not answer.strip():
        raise ArgumentError(f"{where}: the right answer is missing before ->")
    return Answer(answer.strip() or None, reason.strip(), key == "right")
