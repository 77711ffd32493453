"""Visit: where one stands inside a network and what keys do, without a screen or a clock.

One goes in from the network to a layer, to one of its maps or filters, and to the window that made
a number, which the player shows; and out the same way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import StepconvError
from stepconv.explorer.at_bench import AtBench
from stepconv.explorer.bench.shelf import Books
from stepconv.explorer.standing import (
    BENCH,
    EXCITING,
    FILTER,
    HELP,
    LAYER,
    MAP,
    NETWORK,
    STEP,
    WINDOW,
)
from stepconv.inside.record import Inside
from stepconv.player.playback import Playback

if TYPE_CHECKING:
    from stepconv.inside.identity import Pair
    from stepconv.inside.patches import Excited

Array = NDArray[Any]

# Out of each level into the one above it.
_OUT = {LAYER: NETWORK, MAP: LAYER, FILTER: LAYER}
# What may be looked at but makes no sense without the right class.
_NEED_A_LABEL = (STEP,)
# Pictures of a data set that are searched for what excites a map, and pixels of all of them:
# nobody waits for more.
_MOST_SEARCHED, _MOST_PIXELS = 1000, 1000 * 28 * 28
RATES = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0)


T = TypeVar("T")


class Visit(AtBench):
    """The state of an explorer. What is refused becomes the `message`; nothing raises for a key."""

    def press(self, method: str, *arguments: Any) -> None:
        """Do what a key means; what cannot be done becomes the message."""
        try:
            getattr(self, method)(*arguments)
        except (StepconvError, OSError) as error:
            self.message = str(error)

    # In and out.

    def enter(self) -> None:
        """Go in: network, layer, map, window."""
        self.message = ""
        if self.view:
            self.look(self.view)
        elif self.level == NETWORK:
            self.level = LAYER
        elif self.level == LAYER:
            self.level = MAP
        elif self.level in (MAP, FILTER):
            self._open_window()

    @property
    def is_outermost(self) -> bool:
        """Whether there is nothing to close, and no level further out."""
        return self.level == NETWORK and not self.view and not self.message

    def leave(self) -> None:
        """Close what is open, else go out by one level."""
        if self.message and not self.view:
            self.message = ""
        elif self.view:
            self.look(self.view)
        elif self.level == WINDOW:
            self.playback = None
            self.level = self._from
        else:
            self.level = _OUT.get(self.level, NETWORK)

    def filters(self) -> None:
        """Go to the filter that made the map, or back to the map."""
        if self.level == FILTER:
            self.level = MAP
        elif self.weights is None:
            self.message = f"{self.column.name} has no weights: it is a {self.column.kind}"
        else:
            self.level, self.message = FILTER, ""

    def go_to(self, name: str, plane: int | None = None) -> None:
        """Go to a layer by its name, and to one of its maps; if it is chosen already, go in."""
        before = self.column.name, self.plane
        numbers = {column.name: number for number, column in enumerate(self.columns)}
        self.change_layer(numbers[name] - self._layer)
        if plane is not None:
            self.change_plane(plane - self.plane)
        if (self.column.name, self.plane) == before and self.level in (NETWORK, LAYER):
            self.enter()

    def _open_window(self) -> None:
        """Open the player at the step that made the chosen number."""
        if self.level == FILTER:
            self._need_label()
            index = self.weight_index
            step = None if index is None else self.inside.at(f"{self.column.name}.weight", index)
        elif self.backward:
            step = self._gradient_step()
        else:
            step = None if self.index is None else self.layer.at(self.index)
        if step is None:
            return
        self.playback = Playback(step.trace)
        self.playback.go(step.index)
        self._from, self.level = self.level, WINDOW

    def _gradient_step(self) -> Any:
        """Return the step that computed the chosen cell's gradient, in a call that reads it."""
        name = self.column.name
        readers = [node for node in self.inside.network.graph.nodes.values() if name in node.reads]
        if not readers:
            self.message = (
                "the loss itself gives this gradient: probability − 1 for the right class"
            )
            return None
        if len(readers) > 1 or readers[0].layer.parts():
            told = " and ".join(node.name for node in readers)
            self.message = f"what comes back from {told} is added up, nothing is multiplied"
            return None
        trace = self.inside[readers[0].name].trace("x")
        index = self.index
        return None if index is None else trace[int(np.ravel_multi_index(index, self.layer.shape))]

    # What else one may look at.

    def look(self, view: str) -> None:
        """Show a view; the same again leads back."""
        self.message = ""
        if self.view != view and view in _NEED_A_LABEL and self.label is None:
            self.message = _ASK_LABEL
            return
        was_bench = self.view == BENCH
        if view == HELP:
            # The page of keys is put over what is looked at, and taken away again.
            self.behind, self.view = self.view, self.behind if self.view == HELP else HELP
            return
        if view == EXCITING and self.view != view and self.bench.shelf is not None:
            self.bench.shelf.books  # noqa: B018 - read here, where an error becomes the message
        self.view = "" if self.view == view else view
        if (self.view == BENCH) != was_bench and self.rival is not None:
            self.look_again()

    @property
    def gradient_sizes(self) -> dict[str, float]:
        """How large each layer's gradient is: the root of the mean square of its cells."""

        def sizes() -> dict[str, float]:
            grads = {name: self.inside[name].grad.astype(float) for name in self.inside.layers}
            return {name: float(np.sqrt((grad**2).mean())) for name, grad in grads.items()}

        return self._once(("sizes",), sizes)

    def falls(self, size: int, stride: int) -> Array:
        """Return how far the answer falls for every place of a patch that hides the picture."""
        return self._once(("falls", size, stride), lambda: self.inside.occlude(size, stride))

    def excited(self, count: int) -> list[Excited]:
        """Return the places of the data set's pictures that excite the chosen map most."""
        if self.bench.shelf is None:
            return []
        name, plane = self.column.name, self.filter
        books = self.searched
        return self._once(
            ("excited", self.moment, name, plane, count),
            lambda: self.inside.most(name, plane, books, count),
            whatever_the_picture=True,
        )

    @property
    def searched(self) -> Books:
        """The pictures of the data set that are searched for what excites a map."""
        assert self.bench.shelf is not None
        many = max(_MOST_PIXELS // self.inside.input.size, 1)
        return Books(*(each[: min(many, _MOST_SEARCHED)] for each in self.bench.shelf.books))

    @property
    def kept(self) -> tuple[Pair | None, dict[int, Pair]]:
        """What arrives of the gradient with identity paths and without."""
        from stepconv.inside.identity import compared

        return self._once(("kept",), lambda: compared(self.inside))

    def _once(
        self, what: tuple[Any, ...], make: Callable[[], T], whatever_the_picture: bool = False
    ) -> T:
        """Return what was made before of this picture, or make it."""
        memory = self._memory if whatever_the_picture else self._of_picture
        if what not in memory:
            memory[what] = make()
        found: T = memory[what]
        return found

    def toggle_backward(self) -> None:
        """Show gradients from the loss back, or what goes forward again."""
        if self.label is None:
            self.message = _ASK_LABEL
            return
        self.backward, self.message = not self.backward, ""

    def _need_label(self) -> None:
        if self.label is None:
            raise StepconvError(_ASK_LABEL)

    def say_label(self, label: int) -> None:
        """Say which class is right."""
        if label >= len(self.subject.classes):
            self.message = f"there are {len(self.subject.classes)} classes, from 0 on"
            return
        self.chosen_label = label
        self.look_again()
        self.message = f"the right class is {self.subject.classes[label]}"

    def toggle_numbers(self) -> None:
        """Show a map as numbers, or as a picture."""
        self.as_numbers = not self.as_numbers

    def toggle_influence(self) -> None:
        """Show over the picture what the cell sees, or how it follows each pixel."""
        self.influence = not self.influence

    def change_rate(self, by: int) -> None:
        """Take a larger or a smaller step of gradient descent."""
        at = min(max(RATES.index(self.rate) + by, 0), len(RATES) - 1)
        self.rate = RATES[at]

    def after_step(self) -> Inside:
        """Return the network after one step of gradient descent on this picture."""
        return self.inside.step(self.rate).inside

    def travel(self, by: int) -> None:
        """Go to a later moment of the training, or to an earlier one."""
        last = len(self.subject.moments) - 1
        if not last:
            self.message = "one moment alone was kept: train --keep 12 keeps more"
            return
        if not 0 <= self.moment + by <= last:
            self.message = "there is nothing before" if by < 0 else "there is nothing later"
            return
        self.moment += by
        self.message = ""
        self.look_again()


_ASK_LABEL = "which class is right? a digit key says it, then ask again"
