"""The lessons that are shipped, found by number, by name, or as a file of one's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from stepconv.errors import ArgumentError, closest
from stepconv.lessons.expressions import braces
from stepconv.lessons.reading import name_of, read
from stepconv.lessons.scene import Lesson, Scene

_FOLDER = Path(__file__).parent


@cache
def lessons() -> tuple[Lesson, ...]:
    """Return the lessons that are shipped, in their order."""
    return tuple(read(path) for path in _files())


def lesson(name: str) -> Lesson:
    """Return the lesson of that number, name or file.

    >>> lesson("2").name == lesson("images").name == lesson("2-images").name
    True
    """
    for number, path in enumerate(_files(), 1):
        if name.lower() in (str(number), name_of(path), path.stem):
            return read(path)
    if Path(name).suffix == ".md" or Path(name).is_file():
        return read(Path(name))
    known = [name_of(path) for path in _files()]
    hint = closest(name, known, f"{', '.join(known)}, their numbers or a .md file fit")
    raise ArgumentError(f"no lesson {name!r}: {hint}")


@cache
def where(name: str) -> tuple[tuple[str, int], ...]:
    """Return in which scenes of the lessons a worked example, a kernel or a picture stands.

    A scene is told by its lesson and its number, counted from 1.
    """
    word = re.compile(rf"(?<![\w-]){re.escape(name)}(?![\w-])")
    return tuple(
        (lesson.name, number)
        for lesson in lessons()
        for number, scene in enumerate(lesson.scenes, 1)
        if any(word.search(text) for text in _computed(scene))
    )


def _computed(scene: Scene) -> Iterator[str]:
    """Yield what of a scene is no prose: what it opens and draws, and its expressions."""
    yield from (scene.opens, scene.draws, *scene.holds)
    yield from (expression for _, expression in scene.lets)
    yield from (inside for text in scene.texts for inside in braces.findall(text))


def _files() -> list[Path]:
    return sorted(_FOLDER.glob("[0-9]*.md"))
