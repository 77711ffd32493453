"""Progress: which scenes somebody has seen and where they stopped, in the user's state folder."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from stepconv import files
from stepconv.lessons.scene import Lesson


@dataclass
class Progress:
    """The titles of the scenes seen, by lesson, and the one where each lesson was left.

    Scenes are known by their titles, so that a lesson may be edited. A file that cannot be read or
    written is no reason to stop a lesson: then nothing is remembered.
    """

    path: Path
    seen: dict[str, list[str]] = field(default_factory=dict)
    at: dict[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None = None) -> Progress:
        """Return what is remembered; nothing where there is no file, or a damaged one."""
        path = path or file()
        try:
            data = json.loads(path.read_text("utf-8"))
            seen = {
                str(name): [str(title) for title in data["seen"][name]] for name in data["seen"]
            }
            at = {str(name): str(title) for name, title in data["at"].items()}
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            seen, at = {}, {}
        return cls(path, seen, at)

    def count(self, lesson: Lesson) -> int:
        """Return how many scenes of a lesson have been seen."""
        return sum(self.has_seen(lesson, number) for number in range(len(lesson.scenes)))

    def has_seen(self, lesson: Lesson, number: int) -> bool:
        """Tell whether a scene has been seen."""
        return lesson.scenes[number].title in self.seen.get(lesson.name, ())

    def place(self, lesson: Lesson) -> int:
        """Return the scene where a lesson was left; the first if it was never opened."""
        titles = [scene.title for scene in lesson.scenes]
        title = self.at.get(lesson.name)
        return titles.index(title) if title in titles else 0

    def visit(self, lesson: Lesson, number: int) -> None:
        """Remember that a scene was looked at."""
        title = lesson.scenes[number].title
        known = self.seen.setdefault(lesson.name, [])
        if title not in known:
            known.append(title)
        self.at[lesson.name] = title

    def forget(self, name: str | None = None) -> None:
        """Forget a lesson, or all of them."""
        for kept in (self.seen, self.at):
            for each in [name] if name else list(kept):
                kept.pop(each, None)

    def save(self) -> None:
        """Write what is remembered."""
        data: dict[str, Any] = {"seen": self.seen, "at": self.at}
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            files.write(self.path, json.dumps(data, indent=1).encode())


def file() -> Path:
    """Return where progress is kept."""
    return folder() / "lessons.json"


def folder() -> Path:
    """Return the user's state folder."""
    import platformdirs

    return platformdirs.user_state_path("stepconv", appauthor=False)
