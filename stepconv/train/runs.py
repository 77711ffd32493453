"""A training with a folder: saved on the way, stopped at any moment, taken up again bit for bit.

    run = Run.new(folder, model, data, recipe)      # or Run.resumed(folder, data)
    for event in run.events():
        ...

In the folder lie `model.safetensors` (the network, for whoever uses it), `state.safetensors` (all
that the next step depends on) and `metrics.jsonl` (a line for each epoch). Each appears whole or
not at all. The state alone is enough to go on: the two others follow from it. It knows no backend:
what was begun on a CPU goes on on a GPU, and back, only not in the same bits.
"""

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from threading import current_thread, main_thread
from time import monotonic
from typing import Any

from stepconv import files
from stepconv.errors import ArgumentError, DataError, StepconvError
from stepconv.nn import Model, checkpoint, from_dict, to_dict
from stepconv.nn.checkpoint import Network
from stepconv.nn.trainer import Predictor, Trainer
from stepconv.train import loop, recipe
from stepconv.train.data import DataSet, check_labels
from stepconv.train.events import Diverged, EpochEnded, Event, Metrics, Saved, Stepped, Stopped
from stepconv.train.recipe import Recipe

MODEL, STATE, METRICS = "model.safetensors", "state.safetensors", "metrics.jsonl"

# Whoever pulls the plug loses no more than this.
SECONDS_BETWEEN_SAVES = 15.0


@dataclass(eq=False)
class Run:
    """A network in training, what it learns from, how, how far it is, and where it is kept."""

    folder: Path
    model: Model
    data: DataSet
    recipe: Recipe
    trainer: Trainer
    position: loop.Position

    @classmethod
    def new(
        cls, folder: Path, model: Model, data: DataSet, how: Recipe, backend: str = "cpu"
    ) -> "Run":
        """Begin a training; the folder must hold none yet."""
        check_new(folder)
        check_labels(data, model.classes)
        trainer = _trainer(model, data, how, backend)
        run = cls(folder, model, data, how, trainer, loop.Position())
        folder.mkdir(parents=True, exist_ok=True)
        return run

    @classmethod
    def resumed(cls, folder: Path, data: DataSet, backend: str = "cpu") -> "Run":
        """Go on where the folder's training was saved last, with the same data."""
        saved = Stored.read(folder)
        if saved.fingerprint != data.fingerprint:
            raise ArgumentError(
                f"{folder} was trained on other data: {saved.recipe.data} ({saved.fingerprint}), "
                f"not {data.name} ({data.fingerprint})"
            )
        files.tidy(folder)
        trainer = _trainer(saved.model, data, saved.recipe, backend)
        try:
            trainer.restore(saved.arrays)
        except StepconvError as error:
            raise DataError(f"{folder / STATE} does not fit its network: {error}") from None
        return cls(folder, saved.model, data, saved.recipe, trainer, saved.position)

    def events(self, save_every: float = SECONDS_BETWEEN_SAVES) -> Iterator[Event]:
        """Train to the end, saving after each epoch and every so many seconds.

        Ctrl-C and a request to end stop after the step under way; what was learnt is saved.
        """
        with _stopping() as stop:
            self.save()
            saved = monotonic()
            for event in loop.train(self.trainer, self.data, self.recipe, self.position, stop):
                if isinstance(event, Diverged):
                    yield event
                    return
                due = isinstance(event, Stepped) and monotonic() - saved >= save_every
                if due or isinstance(event, EpochEnded | Stopped):
                    self.save()
                    saved = monotonic()
                    yield Saved(self.folder, self.trainer.steps)
                yield event

    def save(self) -> None:
        """Write all files; the state comes first, because the others follow from it."""
        position = asdict(self.position)
        about = {
            "model": to_dict(self.model),
            "recipe": self.recipe.to_dict(),
            "fingerprint": self.data.fingerprint,
            "position": position,
        }
        checkpoint.save(self.folder / STATE, "state", self.trainer.state(), about)
        checkpoint.save_network(self.folder / MODEL, self.network())
        lines = (json.dumps(metrics) + "\n" for metrics in position["history"])
        files.write(self.folder / METRICS, "".join(lines).encode())

    def network(self) -> Network:
        """Return the network as it is now, with what it takes to use it."""
        about = {
            "classes": list(self.data.classes),
            "scale": scale(self.data),
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
    position: loop.Position
    arrays: dict[str, Any]

    @classmethod
    def read(cls, folder: Path) -> "Stored":
        """Return what was saved last."""
        path = folder / STATE
        if not path.exists():
            raise ArgumentError(f"{folder} holds no training to go on with: there is no {STATE}")
        arrays, about = checkpoint.load(path, "state")
        try:
            position = dict(about["position"])
            history = [Metrics(**metrics) for metrics in position.pop("history")]
            return cls(
                from_dict(about["model"]),
                recipe.from_dict(about["recipe"]),
                about["fingerprint"],
                loop.Position(**position, history=history),
                arrays,
            )
        except (KeyError, TypeError, StepconvError) as error:
            raise DataError(f"{path} holds no training that this version knows: {error}") from None

    def check(self, folder: Path, model: Model | None, asked: dict[str, Any]) -> None:
        """Refuse another model or other options than those of the training; None asks nothing."""
        if model is not None and to_dict(model) != to_dict(self.model):
            if model.name == self.model.name:
                raise ArgumentError(f"{folder} holds a {model.name} of other layers")
            raise ArgumentError(f"{folder} holds a {self.model.name}, not a {model.name}")
        wanted = replace(self.recipe, **asked)
        if differences := self.recipe.differences(wanted):
            raise ArgumentError(
                f"{folder} was begun with {'; '.join(differences)}: a training goes on as it began"
            )


def predictor(network: Network, backend: str = "cpu") -> Predictor:
    """Return a network that answers, fed as it was while it learnt."""
    factor = network.about.get("scale", 1 / 255)
    return Predictor(
        network.model, network.parameters, network.statistics, scale=factor, backend=backend
    )


def scale(data: DataSet) -> float:
    """Return the factor that brings bytes to a standard deviation of 1."""
    return 1 / (255 * data.scale[1])


def _trainer(model: Model, data: DataSet, how: Recipe, backend: str) -> Trainer:
    return Trainer(
        model,
        how.make_optimizer(),
        batch_size=how.batch_size,
        seed=how.seed,
        scale=scale(data),
        algorithm=how.algorithm,
        backend=backend,
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
        before = {each: signal.signal(each, wish) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(wishes)
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
