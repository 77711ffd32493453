"""Pictures of a data set, looked through one by one: all, of one class, or those misread."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Books(NamedTuple):
    """Pictures of (count, channels, rows, columns), and the class of each."""

    pictures: Array
    labels: Array


class First(NamedTuple):
    """The picture that is out at first, which is there before all others are read."""

    number: int
    picture: Array
    label: int


class Shelf:
    """Pictures of a data set, and which of them are looked through.

    `load` reads them, when somebody wants more than the `first`. `answer` gives the class that the
    network takes each of some pictures for; it is asked once, for those who look for wrong answers.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], Books],
        classes: Sequence[str],
        answer: Callable[[Array], Array],
        first: First | None = None,
    ) -> None:
        self.name, self.classes = name, tuple(classes)
        self._load, self._answer, self.first = load, answer, first
        self.index = 0 if first is None else first.number
        # Only pictures of this class, and only those misread, if asked for.
        self.only: int | None = None
        self.only_wrong = False

    @cached_property
    def books(self) -> Books:
        """All pictures with their labels."""
        return self._load()

    def __len__(self) -> int:
        return len(self.books.labels)

    @cached_property
    def answers(self) -> Array:
        """What the network takes each picture for."""
        return np.asarray(self._answer(self.books.pictures))

    @property
    def picture(self) -> Array:
        """The picture that is out."""
        if self.first is not None and self.index == self.first.number:
            return self.first.picture
        return np.asarray(self.books.pictures[self.index])

    @property
    def label(self) -> int:
        """The class of the picture that is out."""
        if self.first is not None and self.index == self.first.number:
            return self.first.label
        return int(self.books.labels[self.index])

    @property
    def places(self) -> Array:
        """The numbers of the pictures that are looked through."""
        kept = np.ones(len(self), bool)
        if self.only is not None:
            kept &= self.books.labels == self.only
        if self.only_wrong:
            kept &= self.answers != self.books.labels
        return np.flatnonzero(kept)

    def step(self, by: int) -> bool:
        """Take the next picture of those, or the one before; tell whether there is any."""
        places = self.places
        if not len(places):
            return False
        at = int(np.searchsorted(places, self.index, side="left"))
        here = at < len(places) and places[at] == self.index
        onward = at + by if here else at if by > 0 else at - 1
        self.index = int(places[onward % len(places)])
        return True

    def choose(self, label: int | None) -> bool:
        """Look through one class alone, or with None through all; go to the nearest such."""
        before, self.only = self.only, label
        if len(self.places) and (self.index in self.places or self.step(1)):
            return True
        self.only = before
        return False

    def toggle_wrong(self) -> bool:
        """Look through the misread ones alone, or through all again."""
        self.only_wrong = not self.only_wrong
        if len(self.places) and (self.index in self.places or self.step(1)):
            return True
        self.only_wrong = False
        return False

    @property
    def words(self) -> str:
        """Which picture is out, and of which: "digits picture 17 · 3 of 8 misread of class 5"."""
        if self.only is None and not self.only_wrong:
            return f"{self.name} picture {self.index}"
        places = self.places
        at = int(np.searchsorted(places, self.index)) + 1
        kind = "" if self.only is None else f" of class {self.classes[self.only]}"
        wrong = " misread" if self.only_wrong else ""
        return f"{self.name} picture {self.index} · {at} of {len(places):,}{wrong}{kind}"
