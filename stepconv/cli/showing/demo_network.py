"""The second half of the demo: a network learns to read, reads, and is looked into."""

from collections.abc import Callable, Iterable
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from rich.console import Console

    from stepconv.nn import Trainer
    from stepconv.trace import Trace
    from stepconv.train.data import DataSet, Samples

MODEL = "lenet5"
TRAINING, TESTING, EPOCHS = 3000, 500, 3
READ = 4
# Seconds between two steps of a training that is over before one has looked.
BLINK = 0.03
WIDTH = 60
# The part of the picture that is stepped through, so that all of it fits on the screen.
PATCH = 7


def play(console: "Console", pause: Callable[[float], None] | None, drawn: bool) -> None:
    """Train, read and look into the network, in pictures where they are `drawn`, else in lines."""
    trainer, data = learn(console, pause if drawn else None, drawn)
    read(console, trainer, data.test, drawn)
    if pause:
        pause(2.0)
    look(console, trainer, data, drawn)


def learn(
    console: "Console", pause: Callable[[float], None] | None, drawn: bool
) -> "tuple[Trainer, DataSet]":
    """Train on made digits; with a pause after each step, so that one can watch."""
    from stepconv.cli.showing import training

    say(
        f"A network learns to read. {MODEL} has 61,706 weights, drawn by chance; the digits are "
        "made by code. Kernels are compiled on first use, which takes some seconds.\n"
    )
    with training.waiting(console, quiet=not drawn) as now:
        now("compiling kernels: only the first time")
        trainer, data, told = _begin()
    last: Any = None
    if drawn:
        title = f"{MODEL} learns from {TRAINING:,} made digits"
        told = training.live(_slowly(told, pause), console, title, speed=pause is None)
    for event in told:
        last = event
        if not drawn and hasattr(event, "metrics"):
            m = event.metrics
            print(f"epoch {m.epoch}: loss {m.train_loss:.3f}, {m.test_accuracy:.1%} right")
    fast = last.history[-1].images_per_second
    if pause:
        say(f"Slowed down for the eye: at full speed it learnt {fast:,.0f} pictures a second.")
    print()
    return trainer, data


def read(console: "Console", trainer: "Trainer", test: "Samples", drawn: bool) -> None:
    """Show digits that the network has never seen, with what it takes them for."""
    from stepconv.cli.showing import preview
    from stepconv.train.data import Samples
    from stepconv.train.judge import judge

    some = Samples(test.pictures[:READ], test.labels[:READ])
    verdict = judge(trainer, some)
    print("It reads digits that it has never seen:")
    captions = [
        f"{told} ({sure:.0%})" for told, sure in zip(verdict.told, verdict.sure, strict=True)
    ]
    if drawn:
        count = max(1, min(READ, console.width // 15))
        shown = zip(captions[:count], some.pictures[:count, 0], strict=True)
        preview.show(console, dict(shown))
    else:
        for caption, label in zip(captions, some.labels, strict=True):
            print(f"  a {label} is told as {caption}")
    print()


def look(console: "Console", trainer: "Trainer", data: "DataSet", drawn: bool) -> None:
    """Step through the window of the first layer that found most of what it looks for."""
    from stepconv.cli.showing.steps import panels

    trace, number, best = first_layer(trainer, data)
    say(
        f"Inside, it does what you saw first. Kernel {number}, from 0, of its first layer slides "
        "over a patch of the first of these digits; weights are rounded. Where it answers most:\n"
    )
    step = trace[best]
    if drawn:
        panels(trace, [step])
    else:
        say(step.in_words())
    print()


def first_layer(trainer: "Trainer", data: "DataSet") -> "tuple[Trace, int, int]":
    """Return the record of one kernel over a patch, the kernel's number, and the step."""
    import stepconv
    from stepconv.train import runs

    parameters = trainer.parameters()
    # Weights for pixels from 0 to 1, in so few digits that a row of them fits on the screen.
    weights = np.round(parameters["conv1.weight"] * (255 * runs.scale(data)), 2).astype(float)
    bias = np.round(parameters["conv1.bias"], 2).astype(float)
    picture = np.round(data.test.pictures[0] / 255, 2)
    answers = stepconv.correlate(picture, weights, bias, backend="textbook")
    kernel, row, column = np.unravel_index(answers.argmax(), answers.shape)
    room = PATCH - weights.shape[2]
    top, left = (
        int(np.clip(at - room // 2, 0, size - PATCH))
        for at, size in zip((row, column), picture.shape[1:], strict=True)
    )
    patch = picture[:, top : top + PATCH, left : left + PATCH]
    chosen = slice(kernel, kernel + 1)
    trace = stepconv.record(
        stepconv.correlate, patch, weights[chosen], bias[chosen], backend="textbook"
    )
    return trace, int(kernel), int((row - top) * (room + 1) + column - left)


def say(text: str) -> None:
    """Print a paragraph in lines that fit; a newline at its end leaves a line empty."""
    print(fill(text, WIDTH) + "\n" * text.endswith("\n"))


def _begin() -> "tuple[Trainer, DataSet, Iterable[Any]]":
    """Return a trainer, its data and the events of the training, compiled and about to start."""
    from itertools import chain

    from stepconv import nn
    from stepconv.train import loop, runs
    from stepconv.train.data import DataSet, digits
    from stepconv.train.recipe import Recipe

    data = DataSet(
        name="digits",
        fingerprint=digits.FINGERPRINT,
        classes=digits.CLASSES,
        train=digits.make(TRAINING),
        validation=digits.make(0),
        test=digits.make(TESTING, first=digits.TRAINING),
    )
    how = Recipe(epochs=EPOCHS)
    trainer = nn.Trainer(nn.build(MODEL), how.make_optimizer(), scale=runs.scale(data))
    told = loop.train(trainer, data, how)
    return trainer, data, chain([next(told)], told)


def _slowly(told: Iterable[Any], pause: Callable[[float], None] | None) -> Iterable[Any]:
    for event in told:
        if pause:
            pause(BLINK)
        yield event
