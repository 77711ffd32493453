"""What a lesson says, as plain data: scenes in order, each with something to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

# A view that the player lacks: the whole picture, before and after.
PICTURES = "pictures"
# Words that a scene may take to say what to look at.
MOST_WORDS = 60


class Answer(NamedTuple):
    """An answer somebody may give, and the reason why it is right or not.

    A text of None is whatever else is typed.
    """

    text: str | None
    reason: str
    is_right: bool


@dataclass(frozen=True)
class Question:
    """A guess before one looks: typed, or chosen among the answers."""

    text: str
    answers: tuple[Answer, ...]
    is_chosen: bool


@dataclass(frozen=True)
class Place:
    """Where a scene stands in the record that it opens; None is where a player would begin."""

    step: int | None = None
    view: str | None = None
    cursor: tuple[int, ...] | None = None
    link: int | None = None


@dataclass(frozen=True)
class Scene:
    """One thing to look at: a title, at most 60 words, and what it opens or draws.

    `opens` is a command line without `stepconv`, `draws` the name of a drawing and its numbers.
    `lets` name expressions, `holds` are some that have to be true. Texts keep their braces, which
    `filling` fills.
    """

    title: str
    paragraphs: tuple[str, ...]
    line: int
    opens: str = ""
    draws: str = ""
    place: Place = Place()
    items: tuple[str, ...] = ()
    lets: tuple[tuple[str, str], ...] = ()
    holds: tuple[str, ...] = ()
    question: Question | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """Every text of the scene that a person reads."""
        asked = self.question
        told = (
            (each for answer in asked.answers for each in (answer.text, answer.reason))
            if (asked)
            else ()
        )
        return (
            self.title,
            *self.paragraphs,
            *([asked.text] if asked else []),
            *(text for text in told if text),
        )


@dataclass(frozen=True)
class Lesson:
    """A lesson: its name, its title, what it is about, and its scenes."""

    name: str
    title: str
    about: tuple[str, ...]
    scenes: tuple[Scene, ...]
