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
        title=_said(scene.title, names),
        paragraphs=tuple(_said(text, names) for text in scene.paragraphs),
        question=None if scene.question is None else _filled(scene.question, names),
    )


def _filled(question: Question, names: Names) -> Question:
    answers = tuple(
        answer._replace(
            text=None if answer.text is None else _said(answer.text, names),
            reason=_said(answer.reason, names),
        )
        for answer in question.answers
    )
    return replace(question, text=_said(question.text, names), answers=answers)


def _said(text: str, names: Names) -> str:
    """Return a text as it is read: its numbers filled in, and no backticks round formulas."""
    return fill(text, names).replace("`", "")
