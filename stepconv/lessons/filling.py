"""Fill in a scene: every text with its numbers, every claim checked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from stepconv.errors import ArgumentError
from stepconv.lessons.expressions import Names, fill, value
from stepconv.lessons.scene import Question, Scene


def fill_scene(scene: Scene, names: Names) -> Scene:
    """Return the scene as it is read; what the engine contradicts is refused."""
    for claim in scene.holds:
        if not np.all(value(claim, names)):
            raise ArgumentError(f"holds: {claim} does not hold")
    return replace(
        scene,
        title=fill(scene.title, names),
        paragraphs=tuple(fill(text, names) for text in scene.paragraphs),
        question=None if scene.question is None else _filled(scene.question, names),
    )


def _filled(question: Question, names: Names) -> Question:
    answers = tuple(
        answer._replace(
            text=None if answer.text is None else fill(answer.text, names),
            reason=fill(answer.reason, names),
        )
        for answer in question.answers
    )
    return replace(question, text=fill(question.text, names), answers=answers)
