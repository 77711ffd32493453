"""The training itself: batch after batch, epoch after epoch, as a stream of events.

    for event in train(trainer, data, recipe):
        match event: ...

Everything the next step depends on is in the trainer and in `Position`, so that a training that
goes on from there makes the same numbers as one that was never stopped.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from math import isfinite
from time import perf_counter
from typing import Any

import numpy as np

from stepconv.nn.trainer import Predictor, Trainer
from stepconv.train import chance, health
from stepconv.train.data import DataSet, Samples
from stepconv.train.events import (
    Changed,
    Diverged,
    EpochEnded,
    Event,
    Finished,
    Metrics,
    Started,
    Stepped,
    Stopped,
    Warned,
)
from stepconv.train.keeping.changes import Changes
from stepconv.train.recipe import Recipe

# Pictures that are judged at a time: few enough that nobody waits long for Ctrl-C.
JUDGED_AT_ONCE = 1000
# On the way as many pictures are judged as are learnt from twice, or so many; all in the end.
JUDGED_AT_LEAST = 200
# Pictures that lie on disk are let go after so many bytes, so that they take no more memory.
HELD_BYTES = 2**27


@dataclass
class Position:
    """How far a training has come: whole epochs, and what the one under way came to so far."""

    epoch: int = 0
    images: int = 0
    loss: float = 0.0
    correct: int = 0
    learning: float = 0.0
    seconds: float = 0.0
    history: list[Metrics] = field(default_factory=list)


def train(
    trainer: Trainer,
    data: DataSet,
    recipe: Recipe,
    position: Position | None = None,
    stop: Callable[[], bool] = lambda: False,
    changes: Changes | None = None,
) -> Iterator[Event]:
    """Yield what happens until all steps are made, `stop` says so, or the loss is no number.

    Where pictures are held back, the training also ends when `patience` epochs were none better.

    `position` is kept up to date: between two events it belongs to the state of the trainer.
    `changes` are what was chosen otherwise on the way. They change no schedule: how far it has come
    is told by the pictures that were seen.
    """
    at = Position() if position is None else position
    count = len(data.train)
    per_epoch = -(-count // recipe.batch_size)
    total = recipe.total(per_epoch)
    told = Changes() if changes is None else changes
    how = told.recipe(recipe, trainer.steps)
    rates, guess, warned = how.rates(total), health.guessing(data.train.labels), False
    if how != recipe:
        _follow(trainer, how)
    judged = "valid" if len(data.validation) else "test"
    held_at_most = max(1, HELD_BYTES // max(1, data.train.pictures[:1].nbytes))
    # On a GPU the whole set lies there; pictures that are changed on the way go there by batches.
    held = (data.train.pictures, data.train.labels)
    held = held if recipe.augment else trainer.bring(*held)
    # One answer compiles what is not compiled yet, so that no step has to wait for it.
    trainer.logits(data.train.pictures[:1])
    if trainer.backend == "cuda":
        trainer.rehearse(*held, range(min(count, recipe.batch_size)))
    together = 1 if recipe.augment else trainer.together
    epochs = -(-total // per_epoch)
    yield Started(epochs, per_epoch, trainer.steps, tuple(at.history), judged, total)
    while at.epoch * per_epoch < total and not given_up(at.history, recipe.patience):
        order = chance.shuffled(count, recipe.seed, at.epoch)
        # The last epoch may have fewer steps.
        end = min(count, (total - at.epoch * per_epoch) * recipe.batch_size)
        before, began = at.seconds, perf_counter()
        while at.images < end:
            if stop():
                at.seconds = before + perf_counter() - began
                yield Stopped(at.epoch + 1, trainer.steps)
                return
            for change in told.taken(trainer.steps):
                yield Changed(change.step, change.name, change.value)
            if (chosen := told.recipe(recipe, trainer.steps)) != how:
                how, rates = chosen, chosen.rates(total)
                _follow(trainer, how)
            first, size = at.images, how.batch_size
            starts = range(first, min(first + size * together, end), size)
            due = at.epoch * per_epoch
            batches = [
                (rates(due + start // recipe.batch_size), order[start : min(start + size, end)])
                for start in starts
            ]
            made = trainer.steps
            clock = perf_counter()
            found = _learn(trainer, held, recipe, data.form, at.epoch, batches)
            at.learning += perf_counter() - clock
            at.seconds = before + perf_counter() - began
            for (_, rows), (loss, correct) in zip(batches, found, strict=True):
                at.images += len(rows)
                at.loss += loss * len(rows)
                at.correct += correct
            bad = [step for step, (loss, _) in enumerate(found, made + 1) if not isfinite(loss)]
            if first // held_at_most != starts.stop // held_at_most:
                data.train.release()
            if bad:
                yield Diverged(at.epoch + 1, bad[0], _advice(recipe))
                return
            for (rate, rows), (loss, correct) in zip(batches, found, strict=True):
                made += 1
                yield Stepped(at.epoch + 1, made, len(rows), correct, loss, rate)
        is_last = (at.epoch + 1) * per_epoch >= total
        test, validation = _judged(trainer, data, recipe, at.epoch + 1, is_last)
        at.seconds = before + perf_counter() - began
        metrics = Metrics(
            epoch=at.epoch + 1,
            train_loss=at.loss / at.images,
            train_accuracy=at.correct / at.images,
            test_accuracy=test,
            images_per_second=round(at.images / at.learning, 1),
            seconds=round(at.seconds, 3),
            validation_accuracy=validation,
        )
        at.history.append(metrics)
        at.epoch += 1
        at.images, at.loss, at.correct, at.learning, at.seconds = 0, 0.0, 0, 0.0, 0.0
        yield EpochEnded(metrics)
        if not warned and (trouble := health.trouble(metrics, guess, trainer, recipe)):
            warned = True
            yield Warned(at.epoch, trouble.what, trouble.advice)
    yield Finished(tuple(at.history))


def _follow(trainer: Trainer, how: Recipe) -> None:
    """Let a trainer go by what is chosen now."""
    trainer.optimizer = how.make_optimizer()
    trainer.take_batches(how.batch_size)


def given_up(history: Sequence[Metrics], patience: int | None) -> bool:
    """Say whether so many epochs have gone by since the best one on what was held back."""
    found = [m.validation_accuracy or 0.0 for m in history]
    return bool(patience and found and len(found) - 1 - found.index(max(found)) >= patience)


def is_best(history: Sequence[Metrics]) -> bool:
    """Say whether no epoch before the last is better than it on what was held back.

    Of those that are equally good, as with few pictures many are, the last learnt longest.
    """
    *before, last = (m.validation_accuracy for m in history)
    return last is not None and all(last >= (found or 0.0) for found in before)


def _judged(
    trainer: Trainer, data: DataSet, recipe: Recipe, epoch: int, last: bool
) -> tuple[float | None, float | None]:
    """Return the accuracies on test and validation pictures, as far as they are looked at."""
    if not last and epoch % recipe.evaluate_every:
        return None, None
    if len(data.validation):
        return None, accuracy(trainer, data.validation)
    most = max(JUDGED_AT_LEAST, 2 * len(data.train))
    step = 1 if last else -(-len(data.test) // most)
    return accuracy(trainer, data.test.pick(slice(None, None, step))), None


def accuracy(predictor: Predictor, samples: Samples) -> float:
    """Return the part of the samples whose class the network tells, from 0 to 1."""
    return float((answers(predictor, samples).argmax(axis=1) == samples.labels).mean())


def answers(predictor: Predictor, samples: Samples) -> Any:
    """Return the network's answers, (pictures, classes)."""
    starts = range(0, len(samples), JUDGED_AT_ONCE)
    found = []
    for start in starts:
        found.append(predictor.logits(samples.pictures[start : start + JUDGED_AT_ONCE]))
        samples.release()
    return np.concatenate(found)


def _learn(
    trainer: Trainer, held: tuple[Any, Any], recipe: Recipe, form: str, epoch: int, batches: Any
) -> list[tuple[float, int]]:
    """Make a step for each (rate, rows)."""
    if not recipe.augment:
        return trainer.learn(*held, batches)
    from stepconv.train import augment

    pictures, labels = held
    amounts, found = augment.usual(form, pictures.shape[1:]), []
    for rate, rows in batches:
        changed = augment.apply(pictures[rows], rows, recipe.seed, epoch, amounts)
        found.append(trainer.step(changed, labels[rows], rate))
    return found


def _advice(recipe: Recipe) -> str:
    assert recipe.lr is not None
    advice = f"try a smaller step, --lr {recipe.lr / 10:g}"
    return advice if recipe.warm_up else f"{advice}, or a gentle start, --warm-up 100"
