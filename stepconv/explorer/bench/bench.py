"""The bench: the picture that the network is shown, where it is from and what was done to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.explorer.bench.changes import Change, changed
from stepconv.explorer.bench.pen import FULL, Ink, Pen
from stepconv.explorer.bench.shelf import Shelf

Array = NDArray[Any]


class Bench:
    """A picture drawn, given, or from the shelf, the change made to it, and how it is centred.

    `centre` brings a drawing into the form in which the network learnt its digits; None where it
    learnt from pictures as they are. The step is on for drawings, off for pictures that are in that
    form already, and can be switched. Where a network learnt from numbers (`of_bytes` is False),
    full ink is 1.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        shelf: Shelf | None = None,
        given: Array | None = None,
        label: int | None = None,
        name: str = "",
        centre: Callable[[Array], Array] | None = None,
        of_bytes: bool = True,
    ) -> None:
        self.shape = shape
        self.shelf = shelf
        self.pen = Pen(*shape[1:])
        self.change = Change()
        self.centre, self.of_bytes = centre, of_bytes
        self.given, self.given_label, self.given_name = given, label, name
        self.source = "given" if given is not None else "shelf" if shelf is not None else "drawn"
        self.centres = self.source == "drawn"

    @property
    def original(self) -> Array:
        """The picture before any change."""
        if self.source == "given" and self.given is not None:
            return self.given
        if self.source == "shelf" and self.shelf is not None:
            return self.shelf.picture
        drawn = np.broadcast_to(self.pen.sheet, self.shape)
        return drawn.copy() if self.of_bytes else (drawn / FULL).astype(np.float32)

    @property
    def changed(self) -> Array:
        """The picture after the changes, before it is centred."""
        return changed(self.original, self.change)

    @property
    def picture(self) -> Array:
        """What the network is shown."""
        picture = self.changed
        return self.centre(picture) if self.is_centred and self.centre is not None else picture

    @property
    def is_centred(self) -> bool:
        """Whether the picture is centred before the network sees it."""
        return self.centres and self.centre is not None

    @property
    def label(self) -> int | None:
        """The class of the picture, if it is known."""
        if self.source == "shelf" and self.shelf is not None:
            return self.shelf.label
        return self.given_label if self.source == "given" else None

    @property
    def words(self) -> str:
        """Where the picture is from and what was done to it."""
        from_where = {
            "drawn": "drawn by hand",
            "given": self.given_name,
            "shelf": self.shelf.words if self.shelf is not None else "",
        }[self.source]
        done = [from_where, self.change.words, "centred" if self.is_centred else ""]
        return " · ".join(filter(None, done))

    def draw(self) -> None:
        """Take the pen: what was shown so far becomes the sheet that is drawn on."""
        if self.source != "drawn":
            before = self.changed
            self.pen.sheet = self._ink(before)
        elif self.change != Change():
            self.pen.sheet = self._ink(self.changed)
        self._begin()

    def _ink(self, picture: Array) -> Ink:
        """Return a picture as ink on a sheet."""
        plane = picture.max(axis=0)
        if self.of_bytes:
            return np.asarray(plane, np.uint8)
        low, high = float(plane.min()), float(plane.max())
        return np.asarray(np.rint((plane - low) / ((high - low) or 1) * FULL), np.uint8)

    def clear(self) -> None:
        """Take an empty sheet to draw on."""
        self.pen.clear()
        self._begin()

    def _begin(self) -> None:
        self.centres = self.centres or self.source != "drawn"
        self.source, self.change = "drawn", Change()

    def take(self, by: int) -> bool:
        """Take the next picture from the shelf, or the one before; tell whether there is any."""
        if self.shelf is None:
            return False
        if self.source == "shelf" and not self.shelf.step(by):
            return False
        self.shelf.picture  # noqa: B018 - what cannot be read is not taken
        self.centres = self.centres and self.source == "shelf"
        self.source = "shelf"
        return True

    def alter(self, method: str, *numbers: int) -> None:
        """Change the picture further: `moved`, `turned`, `scaled`, `thickened` or `blotted`."""
        self.change = getattr(self.change, method)(*numbers)

    def restore(self) -> None:
        """Take all changes back."""
        self.change = Change()
