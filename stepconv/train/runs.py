"""A training with a folder: saved on the way, stopped at any moment, taken up again bit for bit.

    run = Run.new(folder, model, data, recipe)      # or Run.resumed(folder, data)
    for event in run.events():
        ...

In the folder lie `model.safetensors` (the network, for whoever uses it), `state.safetensors` (all
that the next step depends on) and `metrics.jsonl` (a line for each epoch). Each appears whole or
not at all. The state alone is enough to go on: the two others follow from it. It knows no backend:
what was begun on a CPU goes on on a GPU, and back, only not in the same bits. What else is kept on
the way, if somebody wants it, is in `keeping`.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from math import prod
from pathlib import Path
from threading import current_thread, main_thread
from time import monotonic
from typing import Any

import numpy as np

from stepconv import files
from stepconv.errors import ArgumentError, DataError, StepconvError
from stepconv.files import schema
from stepconv.files.schema import (
    Check,
    decimal,
    either,
    flag,
    listing,
    named,
    nothing,
    plain,
    real,
    table,
    text,
    whole,
)
from stepconv.nn import Model, checkpoint, from_dict, to_dict
from stepconv.nn.checkpoint import Network
from stepconv.nn.trainer import Predictor, Trainer, check_layers
from stepconv.train import loop, recipe
from stepconv.train.data import DataSet, check_labels
from stepconv.train.events import (
    Changed,
    Diverged,
    EpochEnded,
    Event,
    Finished,
    Metrics,
    Saved,
    Started,
    Stepped,
    Stopped,
)
from stepconv.train.feed import Feed
from stepconv.train.judge import Verdict, judge
from stepconv.train.keeping import changes, moments
from stepconv.train.keeping.changes import Change, Changes
from stepconv.train.lock import Lock
from stepconv.train.recipe import Recipe
from stepconv.train.start import take_over

_SOME = either(decimal, nothing)
_METRICS = table(
    {
        "epoch": whole(0, 2**53),
        "train_loss": decimal,
        "train_accuracy": _SOME,
        "test_accuracy": _SOME,
        "images_per_second": decimal,
        "seconds": decimal,
    },
    {"validation_accuracy": _SOME},
)
# What a state says beside its numbers.
_ABOUT: dict[str, Check] = {
    "model": named(plain, 100),
    "recipe": named(plain, 100),
    "fingerprint": text(10_000),
    "feed": table({}, {"scale": real(), "shift": real(), "form": text(40), "of_bytes": flag}),
    "position": table(
        {"history": listing(_METRICS, 10**6)},
        {
            "epoch": whole(0, 2**53),
            "images": whole(0, 2**53),
            "correct": whole(0, 2**53),
            **dict.fromkeys(("loss", "learning", "seconds"), decimal),
        },
    ),
    "keep": whole(0, 10**9),
}

MODEL, STATE, METRICS = checkpoint.FILE, "state.safetensors", "metrics.jsonl"

# Ctrl-C, a request to end, and a terminal that is closed.
STOPPING = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]

# Of the pictures held back, the network is less sure of so few: what it is still less sure of is
# likely nothing that it knows.
RARE = 0.01

# Whoever pulls the plug loses no more than this.
SECONDS_BETWEEN_SAVES = 15.0
# Epochs of a few pictures follow each other faster than a disk can be waited for.
SECONDS_BETWEEN_EPOCHS = 1.0


@dataclass(eq=False)
class Run:
    """A network in training, what it learns from, how, how far it is, and where it is kept."""

    folder: Path
    model: Model
    data: DataSet
    recipe: Recipe
    trainer: Trainer
    feed: Feed
    position: loop.Position
    lock: Lock
    keep: int = 0
    changes: Changes = field(default_factory=Changes)
    # Whoever listens sets this to stop after the step under way.
    ends: bool = False

    @classmethod
    def new(
        cls,
        folder: Path,
        model: Model,
        data: DataSet,
        how: Recipe,
        backend: str = "cpu",
        start: Network | None = None,
        keep: int = 0,
    ) -> "Run":
        """Begin a training, with the weights of `start` where they fit; the folder must be free.

        So many moments of it are kept, to be looked at later.
        """
        check_labels(data, model.classes)
        if how.patience and not len(data.validation):
            raise ArgumentError(f"patience={how.patience} needs --validation to choose by")
        feed = Feed.of(data)
        folder.mkdir(parents=True, exist_ok=True)
        lock = Lock(folder)
        check_new(folder)
        trainer = _trainer(model, how, feed, backend)
        if start is not None:
            take_over(trainer, start)
        return cls(folder, model, data, how, trainer, feed, loop.Position(), lock, keep)

    @classmethod
    def resumed(
        cls, folder: Path, data: DataSet, backend: str = "cpu", epochs: int | None = None
    ) -> "Run":
        """Go on where the folder's training was saved last, with the same data.

        With a number of `epochs` for longer than it was meant to be, if its schedule allows that.
        """
        lock = Lock(folder) if folder.is_dir() else None
        saved = Stored.read(folder)
        assert lock is not None
        how = saved.recipe if epochs is None else saved.recipe.lengthened(epochs)
        if saved.fingerprint != data.fingerprint:
            raise ArgumentError(
                f"{folder} was trained on other data: {saved.recipe.data} ({saved.fingerprint}), "
                f"not {data.name} ({data.fingerprint})"
            )
        files.tidy(folder)
        feed = saved.feed or Feed(scale(data))  # of a version that only scaled
        trainer = _trainer(saved.model, how, feed, backend)
        try:
            trainer.restore(saved.arrays)
        except StepconvError as error:
            raise DataError(f"{folder / STATE} does not fit its network: {error}") from None
        # A change may have been written down after the state was.
        told = max(changes.load(folder), saved.changes, key=lambda each: len(each.made))
        at = saved.position
        return cls(folder, saved.model, data, how, trainer, feed, at, lock, saved.keep, told)

    def events(self, save_every: float = SECONDS_BETWEEN_SAVES) -> Iterator[Event]:
        """Train to the end, saving after epochs and every so many seconds.

        Ctrl-C, a request to end and a terminal that closes stop after the step under way; what was
        learnt is saved. So it is if whoever listens gives up, whatever the reason.
        """
        fed = self.feed.data(self.data)
        with _stopping() as stop:
            self.save()
            saved, at, good = monotonic(), self._place(), True
            due: list[int] = []
            try:
                stops = lambda: stop() or self.ends  # noqa: E731
                for event in loop.train(
                    self.trainer, fed, self.recipe, self.position, stops, self.changes
                ):
                    if isinstance(event, Diverged):
                        good = False
                        yield event
                        return
                    if isinstance(event, Started):
                        every = moments.steps(event.steps, self.keep)
                        due = [step for step in every if step >= self.trainer.steps]
                    if isinstance(event, Changed):
                        self.changes.save(self.folder)
                    self._keep(event, due)
                    seconds = monotonic() - saved
                    if at != self._place() and self._due(event, seconds, save_every):
                        self.save()
                        saved, at = monotonic(), self._place()
                        yield Saved(self.folder, self.trainer.steps)
                    yield event
            except GeneratorExit:
                # Between two events, state and position belong together.
                if good and at != self._place():
                    self.save()
                raise
            finally:
                self.lock.release()

    def _keep(self, event: Event, due: list[int]) -> None:
        """Keep a moment if one is due; a GPU may have made some steps more before it tells."""
        steps = self.trainer.steps
        told = isinstance(event, Started | Stepped) and event.step == steps
        if told and due and due[0] <= steps:
            moments.keep(self.folder, steps, self.network())
            due[:] = [step for step in due if step > steps]

    def _place(self) -> tuple[int, int]:
        """Return how far the training is, in steps and in epochs that were judged."""
        return self.trainer.steps, self.position.epoch

    def _due(self, event: Event, seconds: float, save_every: float) -> bool:
        """Say whether to save at this event, so long after the last time."""
        if isinstance(event, EpochEnded):
            best = loop.is_best(self.position.history)
            return best or seconds >= min(save_every, SECONDS_BETWEEN_EPOCHS)
        if isinstance(event, Stepped):
            return seconds >= save_every
        return isinstance(event, Stopped | Finished)

    def save(self) -> None:
        """Write all files.

        The state comes first, because the others follow from it: but for a network that was chosen
        by what was held back, which is not the last one.
        """
        history = self.position.history
        best = bool(history and not self.position.images and loop.is_best(history))
        if best:
            sure = judge(self.trainer, self.feed.samples(self.data.validation)).sure
            network = self.network()
            network.about["sure_from"] = float(np.quantile(sure, RARE))
            checkpoint.save_network(self.folder / MODEL, network)
        about = {
            "model": to_dict(self.model),
            "recipe": self.recipe.to_dict(),
            "fingerprint": self.data.fingerprint,
            "feed": asdict(self.feed),
            "position": asdict(self.position),
            **({"keep": self.keep} if self.keep else {}),
            **({"changes": list(map(asdict, self.changes.made))} if self.changes.made else {}),
        }
        checkpoint.save(self.folder / STATE, "state", self.trainer.state(), about)
        if not len(self.data.validation) or not history:
            checkpoint.save_network(self.folder / MODEL, self.network())
        lines = (json.dumps(metrics.to_dict()) + "\n" for metrics in history)
        files.write(self.folder / METRICS, "".join(lines).encode())

    def verdict(self) -> Verdict:
        """Return what the network that is kept says of the test pictures."""
        asked: Predictor = self.trainer
        if len(self.data.validation):
            asked = predictor(checkpoint.load_network(self.folder / MODEL))
        return judge(asked, self.feed.samples(self.data.test))

    def network(self) -> Network:
        """Return the network as it is now, with what it takes to use it."""
        about = {
            "classes": list(self.data.classes),
            **asdict(self.feed),
            "data": self.data.name,
            "fingerprint": self.data.fingerprint,
            "recipe": self.recipe.to_dict(),
        }
        return Network(self.model, self.trainer.parameters(), self.trainer.statistics(), about)


def check_new(folder: Path) -> None:
    """Refuse a folder that holds a training already."""
    if (folder / STATE).exists():
        raise ArgumentError(f"{folder} holds a training already: --resume goes on with it")


@dataclass(frozen=True, eq=False)
class Stored:
    """What a run folder says of its training."""

    model: Model
    recipe: Recipe
    fingerprint: str
    feed: Feed | None
    position: loop.Position
    arrays: dict[str, Any]
    keep: int = 0
    changes: Changes = field(default_factory=Changes)

    @classmethod
    def read(cls, folder: Path) -> "Stored":
        """Return what was saved last."""
        path = folder / STATE
        if not path.exists():
            raise ArgumentError(f"{folder} holds no training to go on with: there is no {STATE}")
        arrays, about = checkpoint.load(path, "state", _ABOUT)
        try:
            position = dict(about["position"])
            history = [Metrics(**metrics) for metrics in position.pop("history")]
            return cls(
                from_dict(about["model"]),
                recipe.from_dict(about["recipe"]),
                about["fingerprint"],
                Feed(**about["feed"]) if "feed" in about else None,
                loop.Position(**position, history=history),
                arrays,
                about.get("keep", 0),
                Changes(Change(**change) for change in about.get("changes", ())),
            )
        except (KeyError, TypeError, ValueError, StepconvError) as error:
            raise DataError(f"{path} holds no training that this version knows: {error}") from None

    def check(self, folder: Path, model: Model | None, asked: dict[str, Any]) -> None:
        """Refuse another model or other options than those of the training; None asks nothing."""
        if model is not None and to_dict(model) != to_dict(self.model):
            if model.name == self.model.name:
                raise ArgumentError(f"{folder} holds a {model.name} of other layers")
            raise ArgumentError(f"{folder} holds a {self.model.name}, not a {model.name}")
        # Where the data lies may change: what it is, is told by its fingerprint.
        wanted = replace(self.recipe, **{**asked, "data": self.recipe.data})
        longer = max(wanted.epochs, self.recipe.epochs)
        if longer > self.recipe.epochs:
            wanted = replace(wanted, epochs=self.recipe.epochs)
        if differences := self.recipe.differences(wanted):
            raise ArgumentError(
                f"{folder} was begun with {'; '.join(differences)}: a training goes on as it began"
            )
        self.recipe.lengthened(longer)


def metrics_in(line: str) -> Metrics:
    """Return what a line of the metrics' file says."""
    return Metrics(**schema.read(line, _METRICS, "a line"))


def predictor(network: Network, backend: str = "cpu") -> Predictor:
    """Return a network that answers, fed as it was while it learnt."""
    feed = Feed.told(network.about)
    return Predictor(
        network.model,
        network.parameters,
        network.statistics,
        scale=feed.scale,
        shift=feed.shift,
        backend=backend,
    )


def scale(data: DataSet) -> float:
    """Return the factor that brings the training pixels to a standard deviation of 1."""
    return Feed.of(data).scale


def _trainer(model: Model, how: Recipe, feed: Feed, backend: str) -> Trainer:
    _check_memory(model, how.batch_size)
    return Trainer(
        model,
        how.make_optimizer(),
        batch_size=how.batch_size,
        seed=how.seed,
        scale=feed.scale,
        shift=feed.shift,
        algorithm=how.algorithm,
        frozen=_frozen(how),
        backend=backend,
    )


def check(model: Model, how: Recipe) -> None:
    """Refuse a network that cannot be trained so, before anything is made for it."""
    _check_memory(model, how.batch_size)
    check_layers(model, _frozen(how))


def _frozen(how: Recipe) -> tuple[str, ...]:
    return tuple(filter(None, how.freeze.split(",")))


def _check_memory(model: Model, batch_size: int) -> None:
    """Refuse a network whose training this machine cannot hold, before memory is taken for it."""
    # Weights, gradients and two moments; what each layer gives, and its gradient.
    cells = sum(prod(place.output) for place in model.places)
    needed = 4 * (4 * model.parameter_count + 2 * batch_size * cells)
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        if needed > there:
            raise ArgumentError(
                f"{model.name} needs {needed / 2**30:,.1f} GiB to train in batches of "
                f"{batch_size}, and there are {there / 2**30:,.1f}: smaller layers fit"
            )


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Turn the first Ctrl-C into a wish, so that no step is cut in the middle; a second is real."""
    wishes: list[int] = []

    def wish(number: int, frame: Any) -> None:
        wishes.append(number)
        for each, handler in before.items():
            signal.signal(each, handler)

    before: dict[int, Any] = {}
    if current_thread() is main_thread():
        before = {each: signal.signal(each, wish) for each in STOPPING}
    try:
        yield lambda: bool(wishes)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
