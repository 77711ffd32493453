"""Reader: where somebody stands in the lessons, and what they guessed; no screen, no keys."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from stepconv.errors import StepconvError
from stepconv.lessons.expressions import agrees, read_numbers
from stepconv.lessons.names import Tools, filled
from stepconv.lessons.progress import Progress
from stepconv.lessons.scene import Answer, Lesson, Question, Scene
from stepconv.lessons.words import KEPT

# What there is to read: the list of lessons, the list of a lesson's scenes, a scene.
LESSONS, SCENES, SCENE = "lessons", "scenes", "scene"


class Reader:
    """The state of somebody who reads lessons; every scene that is shown counts as seen."""

    def __init__(self, lessons: Sequence[Lesson], tools: Tools, progress: Progress) -> None:
        self.lessons, self.tools, self.progress = lessons, tools, progress
        self.page = LESSONS
        self.chosen = 0  # the lesson that is open, or chosen in the list
        self.number = 0  # the scene that is open, or chosen in the list
        self.guess = ""
        self.told: Answer | None = None
        self.message = ""
        self.frame = 0  # of a drawing, or the first line of what a command prints
        self._filled: dict[tuple[str, int], Scene] = {}

    @property
    def lesson(self) -> Lesson:
        """The lesson that is open, or chosen."""
        return self.lessons[self.chosen]

    @property
    def scene(self) -> Scene:
        """The scene with its numbers filled in; as it is written where they do not hold."""
        key = self.lesson.name, self.number
        if key not in self._filled:
            try:
                self._filled[key] = filled(self.lesson, self.number, self.tools)
            except StepconvError as error:
                self.message = str(error)
                self._filled[key] = self.lesson.scenes[self.number]
        return self._filled[key]

    def open(self, chosen: int, number: int | None = None) -> None:
        """Open a lesson at a scene: without one where it was left."""
        self.chosen = chosen
        self.number = self.progress.place(self.lesson) if number is None else number
        self._enter()

    def move(self, by: int) -> None:
        """Go some scenes on or back; in a list choose further down or up."""
        if self.page == LESSONS:
            self.chosen = min(max(self.chosen + by, 0), len(self.lessons) - 1)
            return
        last = len(self.lesson.scenes) - 1
        ahead = self.number + by
        if self.page == SCENE and self.number == last and by > 0:
            self.message = "this lesson ends here: esc, esc leads to the others"
            return
        self.number = min(max(ahead, 0), last)
        if self.page == SCENE:
            self._enter()

    def choose(self) -> None:
        """Open what is chosen in a list."""
        self.open(self.chosen, None if self.page == LESSONS else self.number)

    def up(self) -> bool:
        """Go from a scene to its lesson's list, and from there to the lessons; False at the top."""
        if self.page == LESSONS:
            return False
        self.page = SCENES if self.page == SCENE else LESSONS
        self.message = ""
        return True

    @property
    def question(self) -> Question | None:
        """What is asked here, if something is."""
        return self.scene.question if self.page == SCENE else None

    def type(self, text: str) -> None:
        """Type a guess; an empty text takes the last character back."""
        self.guess = self.guess + text if text else self.guess[:-1]
        self.told, self.message = None, ""

    def answer(self) -> None:
        """Tell what is to be said about the guess, if it is one: a slip gives nothing away."""
        if self.question is None or not self.guess.strip():
            return
        if wants_number(self.question) and not any(c.isdigit() for c in self.guess):
            self.message = f"{self.guess.strip()} is no number: one such as 3, 1/2 or 8x8 fits"
            self.guess = ""
            return
        self.told = judged(self.question, self.guess)

    def pick(self, number: int) -> None:
        """Choose an answer of those that are offered."""
        offered = self.offered
        if number < len(offered):
            self.told = offered[number]
            self.guess = str(self.told.text).replace(KEPT, " ")

    @property
    def offered(self) -> list[Answer]:
        """The answers to choose among, mixed: always alike, and the right one anywhere."""
        asked = self.question
        answers = [each for each in asked.answers if each.text] if asked and asked.is_chosen else []
        return sorted(answers, key=lambda each: zlib.crc32(str(each.text).encode()))

    def _enter(self) -> None:
        self.page = SCENE
        self.guess, self.told, self.message, self.frame = "", None, "", 0
        self.progress.visit(self.lesson, self.number)


def wants_number(question: Question) -> bool:
    """Tell whether every right answer of a question is told in numbers."""
    right = [each.text or "" for each in question.answers if each.is_right]
    return bool(right) and all(any(c.isdigit() for c in text) for text in right)


def judged(question: Question, guess: str) -> Answer:
    """Return the answer of a question that a guess is.

    >>> right = Answer("4.5", "half", True)
    >>> judged(Question("?", (right, Answer(None, "no", False)), False), "9/2") is right
    True
    """
    typed = guess.strip().casefold().rstrip(".")
    for answer in question.answers:
        if answer.text is None:
            continue
        text = answer.text.replace(KEPT, " ")
        if text.casefold() == typed or _is_number(text, typed):
            return answer
    return next(answer for answer in question.answers if answer.text is None)


def _is_number(written: str, typed: str) -> bool:
    """Tell whether two texts spell the same numbers: 4.5 and 9/2, 8x8 and 8 x 8."""
    wanted = read_numbers(written)
    compact = typed.replace(" x ", "x").replace("×", "x").replace("\N{MINUS SIGN}", "-")
    return wanted is not None and agrees(compact, [number for number, _ in wanted])
