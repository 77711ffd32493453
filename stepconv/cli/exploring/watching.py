"""A training watched: what it tells goes to the screen, what is wished goes to the training."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stepconv.explorer.bench.bench import Bench
from stepconv.explorer.bench.shelf import Books, First, Shelf
from stepconv.explorer.subject import Look, Moment, Subject
from stepconv.explorer.visit import Visit
from stepconv.explorer.watch.watched import Misread, Watched
from stepconv.inside import Inside, look_inside
from stepconv.train import events
from stepconv.train.judge import names
from stepconv.train.keeping.changes import CHANGEABLE
from stepconv.train.loop import answers
from stepconv.train.runs import Run

if TYPE_CHECKING:
    Array = NDArray[Any]

# Test pictures that are read after each epoch for misread ones; and how many of these are kept.
_READ, _KEPT = 500, 40
# Seconds between two copies of the weights for the screen.
_BETWEEN = 0.5


def watch(run: Run, first: events.Event, told: Iterator[events.Event], title: str) -> events.Event:
    """Show a training to its end; return the event that ended it."""
    from stepconv.explorer.watch import app

    listener = Listener(run, title)
    listener.hear(first)
    app.watch(listener.visit(), listener.watched, lambda: listener.follow(told))
    # Here, for signals can be given back in the main thread alone.
    told.close()  # type: ignore[attr-defined]
    return listener.last


class Listener:
    """Who hears what a training tells, and tells the screen."""

    def __init__(self, run: Run, title: str) -> None:
        self.run = run
        self.classes = tuple(names(run.data.classes, run.model.classes))
        how = run.changes.recipe(run.recipe, run.trainer.steps)
        chosen = {name: getattr(how, name) for name in CHANGEABLE}
        if hasattr(run.trainer.optimizer, "momentum"):
            chosen["momentum"] = run.trainer.optimizer.momentum
        else:
            del chosen["momentum"]
        self.watched = Watched(title, chosen, self._wish, self._end)
        self.last: events.Event = events.Finished(())
        self._caught = 0.0

    def _wish(self, name: str, value: Any) -> None:
        self.run.changes.wish(self.run.recipe, name, value)

    def _end(self) -> None:
        self.run.ends = True

    def follow(self, told: Iterator[events.Event]) -> None:
        """Hear all events to the one that ends the training."""
        for event in told:
            self.hear(event)
            if isinstance(event, events.Finished | events.Stopped | events.Diverged):
                return

    def hear(self, event: events.Event) -> None:
        """Tell the screen what happened."""
        watched = self.watched
        self.last = event
        match event:
            case events.Started():
                watched.started(event.step, event.epochs, self._done(event.epochs))
            case events.Stepped():
                right = event.correct / event.images
                watched.stepped(event.step, event.epoch, event.loss, right, event.rate)
                watched.done = self._done(watched.epochs)
                self._catch()
            case events.Changed():
                watched.changed(event.name, event.value, event.step)
            case events.EpochEnded():
                watched.judged(event.metrics.judged, event.metrics.images_per_second)
                watched.misread = self._misread()
            case events.Warned():
                watched.said = f"{event.trouble}; {event.advice}"
            case events.Stopped():
                watched.over(f"stopped and saved after step {event.step}")
            case events.Diverged():
                watched.over(f"the loss is no number any more: {event.advice}")
            case events.Finished():
                watched.done = 1.0
                watched.over("all epochs are done")

    def _done(self, epochs: int) -> float:
        """Return what share of all epochs' pictures were seen."""
        at, count = self.run.position, len(self.run.data.train)
        return (at.epoch + at.images / count) / epochs

    def visit(self) -> Visit:
        """Return the network as it is now, to be looked into with the test pictures."""
        test, shape = self.run.data.test, self.run.model.input_shape
        books = Books(test.pictures, test.labels)
        first = First(0, np.asarray(test.pictures[0]), int(test.labels[0]))
        look = self._look()

        def answer(pictures: Array) -> Array:
            told = [look(picture, None).prediction for picture in pictures[:_READ]]
            return np.array([*told, *books.labels[len(told) :]])

        shelf = Shelf(self.run.data.name, lambda: books, self.classes, answer, first)
        bench = Bench((shape[0], shape[1], shape[2]), shelf=shelf, of_bytes=self.run.feed.of_bytes)
        return Visit(Subject(self.run.folder.name, [Moment("now", look)], self.classes), bench)

    def _catch(self) -> None:
        """Copy the weights for the screen, if it wants them and has not had them just now."""
        if self.watched.wants_weights and monotonic() - self._caught > _BETWEEN:
            self.watched.caught_look = self._look()
            self._caught = monotonic()

    def _look(self) -> Look:
        """Return how one looks into a copy of the network as it is between these two steps."""
        network = self.run.network()
        made: list[Inside] = []

        def look(picture: Array, label: int | None) -> Inside:
            if not made:
                made.append(look_inside(network, picture, label))
            return made[0].with_picture(picture, label)

        return look

    def _misread(self) -> list[Misread]:
        """Return test pictures that the network misreads now."""
        run = self.run
        few = run.data.test.pick(slice(_READ))
        told = answers(run.trainer, run.feed.samples(few)).argmax(axis=1)
        wrong = np.flatnonzero(told != few.labels)[:_KEPT]
        return [Misread(few.pictures[i], int(told[i]), int(few.labels[i])) for i in wrong]
