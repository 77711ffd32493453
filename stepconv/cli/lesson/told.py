"""Lessons without a screen: in sentences for a pipe or a screen reader, as a list, as data."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from stepconv.cli.lesson.opening import typed
from stepconv.lessons.names import Tools, filled, is_played, target
from stepconv.lessons.scene import Lesson, Scene
from stepconv.lessons.words import KEPT

if TYPE_CHECKING:
    from stepconv.trace import Step

# What a drawing is made of that says nothing aloud: shades and bars, lines of boxes, arrowheads.
_SHADES, _LINES = re.compile("[\u2580-\u259f]"), re.compile("[\u2500-\u257f\u25b6]+")
# Lines, at most, if all frames of a film are told.
_FEW = 16


def sentences(lesson: Lesson, tools: Tools, only: int | None = None) -> Iterator[str]:
    """Yield a lesson, or one scene of it, as lines that can be read aloud."""
    yield f"{lesson.title}."
    yield from lesson.about
    for number in range(len(lesson.scenes)) if only is None else (only,):
        yield ""
        yield from _scene(lesson, number, tools)


def _scene(lesson: Lesson, number: int, tools: Tools) -> Iterator[str]:
    yield from map(_plain, _said(lesson, number, tools))


def _said(lesson: Lesson, number: int, tools: Tools) -> Iterator[str]:
    scene = filled(lesson, number, tools)
    end = "" if scene.title.endswith(("?", "…")) else "."
    yield f"Scene {number + 1} of {len(lesson.scenes)}: {scene.title}{end}"
    yield from scene.paragraphs
    if scene.draws:
        from stepconv.lessons.drawings import draw

        yield from _words_of(draw(scene.draws))
    if scene.opens:
        yield f"To look: {', then '.join(typed(shlex.split(scene.opens)))}"
    step = _step(scene, tools)
    if step is not None:
        yield f"{step.in_words()}."
    if scene.question is not None:
        yield f"Guess: {scene.question.text}"
        for answer in scene.question.answers:
            yield f"  {answer.text or 'anything else'}: {answer.reason}"


def _words_of(frames: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield what can be read aloud of a drawing: of a film that says much, its last frame."""
    words = []
    for frame in frames:
        bare = (_LINES.sub(" ", line).strip() for line in frame if not _SHADES.search(line))
        words.append([line for line in bare if line])
    is_short = sum(map(len, words)) <= _FEW
    for frame in words if is_short else words[-1:]:
        yield from frame


def _plain(text: str) -> str:
    return text.replace(KEPT, " ")


def _step(scene: Scene, tools: Tools) -> Step | None:
    from stepconv.trace import Chain

    if not is_played(scene):
        return None
    record = tools.record(target(scene))
    trace = record[scene.place.link or 0] if isinstance(record, Chain) else record
    return trace[scene.place.step or 0] if len(trace) else None


def command(scene: Scene) -> str:
    """Return what one would type to open what a scene opens."""
    return f"stepconv {scene.opens}" if scene.opens else ""


def listed(lessons: Sequence[Lesson]) -> Iterator[str]:
    """Yield the scenes of lessons, one a line."""
    for lesson in lessons:
        yield f"{lesson.name}: {lesson.title}"
        for number, scene in enumerate(lesson.scenes, 1):
            yield f"  {number:>2}  {written(scene.title)}"


def written(title: str) -> str:
    """Return a title as it is written, without computing what its braces check."""
    from stepconv.lessons.expressions import braces

    return braces.sub(lambda match: match[1].partition(" = ")[0], title)


def as_list(lessons: Sequence[Lesson]) -> list[dict[str, Any]]:
    """Return the scenes of lessons as plain data, none computed."""
    return [
        {
            "lesson": lesson.name,
            "scene": number,
            "title": written(scene.title),
            "items": scene.items,
            "opens": command(scene) or f"drawing {scene.draws}",
        }
        for lesson in lessons
        for number, scene in enumerate(lesson.scenes, 1)
    ]


def as_data(lesson: Lesson, tools: Tools) -> dict[str, Any]:
    """Return a lesson with all its numbers as plain data."""
    scenes = []
    for number, listed in enumerate(as_list([lesson])):
        scene = filled(lesson, number, tools)
        asked = scene.question
        place = {name: value for name, value in vars(scene.place).items() if value is not None}
        scenes.append(
            {
                **listed,
                "title": _plain(scene.title),
                "text": list(map(_plain, scene.paragraphs)),
                "stands": place,
                "question": None
                if asked is None
                else {
                    "text": _plain(asked.text),
                    "chosen": asked.is_chosen,
                    "answers": [
                        {
                            "text": each.text and _plain(each.text),
                            "right": each.is_right,
                            "reason": _plain(each.reason),
                        }
                        for each in asked.answers
                    ],
                },
            }
        )
    return {"lesson": lesson.name, "title": lesson.title, "about": lesson.about, "scenes": scenes}
