"""What is explored: a network at several moments of its training, and what its answers mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from stepconv.inside.record import Inside

Array = NDArray[Any]
Look = Callable[[Array, int | None], Inside]


@dataclass(frozen=True, eq=False)
class Moment:
    """A state of the network: what it is called, and how one looks into it with a picture."""

    name: str
    look: Look


@dataclass(frozen=True, eq=False)
class Subject:
    """A network: its name, its moments from the first to the last, its classes."""

    name: str
    moments: Sequence[Moment]
    classes: tuple[str, ...]
