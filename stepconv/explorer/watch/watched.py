"""Watched: what is known of a training that goes on, and what somebody wishes of it.

The training's thread tells (`stepped`, `judged`, `caught`), the screen's asks and wishes. What one
hands to the other is put down whole, so that neither waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import log10
from typing import Any, NamedTuple

from numpy.typing import NDArray

from stepconv.errors import StepconvError
from stepconv.explorer.subject import Look

Array = NDArray[Any]

CURVES, INSIDE, GRADIENTS, KERNELS, MISREAD, HELP = (
    *("curves", "inside", "gradients", "kernels", "misread", "help"),
)
# What is looked at needs the weights as they are now.
_OF_NOW = (INSIDE, GRADIENTS, KERNELS)
# What a choice is changed to by → and ←: the next of these, or times and by this.
_BATCHES = (8, 16, 32, 64, 128, 256, 512)
_MOMENTA = (0.0, 0.5, 0.8, 0.9, 0.95, 0.99)
_DECAYS = (0.0, 1e-5, 1e-4, 5e-4, 1e-3, 5e-3, 1e-2, 5e-2)
_FASTER = 1.5


class Misread(NamedTuple):
    """A test picture, what it was taken for, and what it is."""

    picture: Array
    told: int
    right: int


@dataclass(eq=False)
class Watched:
    """A training as far as it is known; `wish` asks for a change, `end` to stop."""

    title: str
    choices: dict[str, float]
    wish: Callable[[str, Any], None]
    end: Callable[[], None]
    # What share of the training is done; batches of another size make other numbers of steps.
    done: float = 0.0
    view: str = CURVES
    chosen: int = 0
    message: str = ""
    step: int = 0
    epoch: int = 0
    epochs: int = 0
    rate: float = 0.0
    losses: list[float] = field(default_factory=list)
    right: list[float] = field(default_factory=list)
    # (step, accuracy) of each epoch on pictures that nothing was learnt from.
    judged_at: list[tuple[int, float]] = field(default_factory=list)
    misread: Sequence[Misread] = ()
    speed: float = 0.0
    is_over: bool = False
    said: str = ""
    # How one looks into the network as it was last caught, until the screen takes it.
    caught_look: Look | None = None

    def started(self, step: int, epochs: int, done: float) -> None:
        """Take note that the training begins, or goes on."""
        self.step, self.epochs, self.done = step, epochs, done

    def stepped(self, step: int, epoch: int, loss: float, right: float, rate: float) -> None:
        """Take note of a step: the mean loss of its batch, and what share of it was told right."""
        self.step, self.epoch, self.rate = step, epoch, rate
        self.losses.append(log10(max(loss, 1e-6)))
        self.right.append(right)

    def judged(self, accuracy: float | None, speed: float) -> None:
        """Take note of an epoch's end."""
        if accuracy is not None:
            self.judged_at.append((len(self.losses), accuracy))
        self.speed = speed

    def changed(self, name: str, value: float, step: int) -> None:
        """Take note of a change that holds now."""
        self.choices[name] = value
        self.said = f"{NAMES[name]} is {value:g} since step {step:,}"

    def over(self, said: str) -> None:
        """Take note that the training is over, and why."""
        self.is_over, self.said = True, said

    @property
    def wants_weights(self) -> bool:
        """Whether the screen shows what the network is now."""
        return self.view in _OF_NOW and self.caught_look is None and not self.is_over

    # What keys do.

    def look(self, view: str) -> None:
        """Show a view; the same again leads back to the curves."""
        self.view = CURVES if self.view == view else view
        self.message = ""

    def choose(self, by: int) -> None:
        """Choose what ← and → change."""
        self.chosen = (self.chosen + by) % len(self.choices)
        self.message = ""

    def change(self, by: int) -> None:
        """Wish for more or less of what is chosen."""
        name = list(self.choices)[self.chosen]
        value = _next(name, self.choices[name], by)
        try:
            self.wish(name, value)
        except StepconvError as error:
            self.message = str(error)
        else:
            self.message = f"{NAMES[name]} {value:g} from the next step on"

    def leave(self) -> None:
        """Ask the training to stop, which saves it; once it is over nothing more is asked."""
        if not self.is_over:
            self.message = "stopping after this step …"
            self.end()


NAMES = {
    "lr": "learning rate",
    "momentum": "momentum",
    "batch_size": "batch",
    "weight_decay": "weight decay",
}


def _next(name: str, value: float, by: int) -> float:
    """Return the next value of a choice, or the one before.

    >>> _next("batch_size", 64, 1), _next("lr", 0.02, -1), _next("momentum", 0.99, 1)
    (128, 0.0133, 0.99)
    """
    if name == "lr":
        return float(f"{value * _FASTER**by:.3g}")
    steps: Sequence[float] = {
        "batch_size": _BATCHES,
        "momentum": _MOMENTA,
        "weight_decay": _DECAYS,
    }[name]
    if by > 0:
        return next((step for step in steps if step > value), max(value, steps[-1]))
    return next((step for step in reversed(steps) if step < value), min(value, steps[0]))
