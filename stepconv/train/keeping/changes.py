"""Changes: what somebody changes while a network learns, from which step on, so that it can repeat.

A wish may come at any time, from another thread. It becomes a change between two steps; a training
that goes on from before that step makes the same change there again.
"""

import json
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from stepconv import files
from stepconv.errors import ArgumentError, DataError
from stepconv.train.recipe import Recipe

FILE = "changes.jsonl"
CHANGEABLE = ("lr", "momentum", "batch_size", "weight_decay")
# Larger batches would take a new network's memory in the middle of a training.
LARGEST_BATCH = 1024


@dataclass(frozen=True)
class Change:
    """A choice that is another once so many steps are made."""

    step: int
    name: str
    value: Any


class Changes:
    """The changes of a training, and the wishes that are to become some."""

    def __init__(self, made: Iterable[Change] = ()) -> None:
        self.made = list(made)
        self._wishes: deque[tuple[str, Any]] = deque()

    def wish(self, recipe: Recipe, name: str, value: Any) -> None:
        """Ask for a change of what was chosen; what cannot be is refused at once."""
        if name not in CHANGEABLE:
            fits = ", ".join(CHANGEABLE)
            raise ArgumentError(f"{name}={value!r} cannot be changed on the way: {fits} can")
        if name == "batch_size" and value > LARGEST_BATCH:
            raise ArgumentError(f"batch_size={value} is too large: {LARGEST_BATCH} fits")
        replace(recipe, **{name: value})
        self._wishes.append((name, value))

    def taken(self, step: int) -> Iterator[Change]:
        """Make changes of the wishes, once so many steps are made."""
        while self._wishes:
            change = Change(step, *self._wishes.popleft())
            self.made.append(change)
            yield change

    def recipe(self, recipe: Recipe, step: int) -> Recipe:
        """Return what is chosen once so many steps are made."""
        chosen = {change.name: change.value for change in self.made if change.step <= step}
        return replace(recipe, **chosen) if chosen else recipe

    def save(self, folder: Path) -> None:
        """Write the changes, a line for each; nothing where there are none."""
        if self.made:
            lines = (json.dumps(asdict(change)) + "\n" for change in self.made)
            files.write(folder / FILE, "".join(lines).encode())


def load(folder: Path) -> Changes:
    """Return the changes that a folder tells."""
    path = folder / FILE
    if not path.exists():
        return Changes()
    try:
        found = [Change(**json.loads(line)) for line in path.read_text("utf-8").splitlines()]
    except (ValueError, TypeError) as error:
        raise DataError(f"{path} is damaged: {error}") from None
    for change in found:
        if change.name not in CHANGEABLE or type(change.step) is not int:
            raise DataError(f"{path} is damaged: {change} is no change of a training")
    return Changes(found)
