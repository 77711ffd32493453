"""Those who listen to a training: a live screen, plain lines, JSON lines, or nobody."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import log10
from time import monotonic
from typing import TYPE_CHECKING

from stepconv.cli.showing import curve
from stepconv.train import events

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.text import Text

# Seconds from one picture of the screen to the next: smooth to the eye, nothing to the training.
REFRESH = 0.1
HEIGHT = 6


@contextmanager
def waiting(console: "Console", quiet: bool = False) -> "Iterator[Callable[[str], None]]":
    """Give a function that says what is going on: beside a spinner, or in lines on a pipe."""
    if quiet:
        yield lambda text: None
    elif console.is_terminal and not console.is_dumb_terminal:
        with console.status("") as status:
            yield lambda text: status.update(text)
    else:
        said = set()

        def say(text: str) -> None:
            # How far something has come is told once: what it is stands before the colon.
            what = text.partition(":")[0]
            if what not in said:
                said.add(what)
                console.print(text, soft_wrap=True, markup=False)

        yield say


def heading(judged: str = "test") -> str:
    """Return what stands over the rows, where the network was judged by such pictures."""
    return f"{'epoch':>5} {'loss':>8} {'train':>7} {judged:>7} {'images/s':>9} {'seconds':>8}"


def row(m: events.Metrics) -> str:
    """Return an epoch as a line of the table."""
    judged = m.judged
    accuracy = "" if judged is None else f"{judged:.2%}"
    return (
        f"{m.epoch:>5} {m.train_loss:>8.4f} {m.train_accuracy:>7.2%} {accuracy:>7} "
        f"{m.images_per_second:>9,.0f} {m.seconds:>8.1f}"
    )


def lines(told: "Iterable[events.Event]") -> "Iterator[events.Event]":
    """Print the table as it grows."""
    for event in told:
        if isinstance(event, events.Started):
            print(heading(event.judged), *map(row, event.history), sep="\n", flush=True)
        elif isinstance(event, events.EpochEnded):
            print(row(event.metrics), flush=True)
        yield event


def as_json(told: "Iterable[events.Event]") -> "Iterator[events.Event]":
    """Print an object for each epoch."""
    import json

    for event in told:
        if isinstance(event, events.EpochEnded):
            print(json.dumps(event.metrics.to_dict()), flush=True)
        yield event


def live(
    told: "Iterable[events.Event]", console: "Console", title: str, speed: bool = True
) -> "Iterator[events.Event]":
    """Draw curves, progress and table in place while the network learns.

    Without `speed` nothing is said of it: somebody slows the training down.
    """
    from rich.live import Live

    screen, due = Screen(title, speed), 0.0
    with Live(console=console, auto_refresh=False, vertical_overflow="crop") as drawn:
        for event in told:
            screen.hear(event)
            stepped = isinstance(event, events.Stepped)
            if not stepped or monotonic() >= due:
                drawn.update(screen.draw(console.width), refresh=True)
                due = monotonic() + REFRESH
            yield event


class Screen:
    """What the events so far look like."""

    def __init__(self, title: str, speed: bool = True) -> None:
        self.title = title
        self.speed = speed
        self.started: events.Started | None = None
        self.last: events.Stepped | None = None
        self.losses: list[float] = []
        self.correct: list[float] = []
        self.history: list[events.Metrics] = []
        self.images = 0
        self.began = monotonic()

    def hear(self, event: "events.Event") -> None:
        """Take note of an event."""
        match event:
            case events.Started():
                self.started, self.began = event, monotonic()
                self.history = list(event.history)
            case events.Stepped():
                self.last = event
                self.losses.append(log10(max(event.loss, 1e-6)))
                self.correct.append(event.correct / event.images)
                self.images += event.images
            case events.EpochEnded():
                self.history.append(event.metrics)

    def draw(self, width: int) -> "Group":
        """Return the screen in so many columns."""
        from rich.console import Group
        from rich.text import Text

        width = min(width, 100)
        half = (width - 3) // 2
        left = curve.curve(self.losses, half, HEIGHT)
        right = curve.curve(self.correct, half, HEIGHT, 0.0, 1.0)
        loss = f"loss {self.last.loss:.4f}, log scale" if self.last else "loss"
        recent = self.correct[-20:]
        right_title = f"right {sum(recent) / len(recent):.1%}, 0 to 100%" if recent else "right"
        curves = [
            Text.assemble((f"{loss:<{half}}", "dodger_blue1"), "   ", (right_title, "orange3"))
        ]
        for one, other in zip(left, right, strict=True):
            curves.append(Text.assemble((one, "dodger_blue1"), "   ", (other, "orange3")))
        judged = self.started.judged if self.started else "test"
        table = [Text(heading(judged), "bold"), *(Text(row(m)) for m in self.history[-8:])]
        return Group(
            Text(self.title, "bold", no_wrap=True, overflow="ellipsis"),
            self._progress(width),
            *curves,
            *(table if self.history else []),
        )

    def _progress(self, width: int) -> "Text":
        from rich.text import Text

        if self.started is None or self.last is None:
            return Text("")
        started = self.started
        done, steps = self.last.step, started.epochs * started.steps_per_epoch
        seconds = max(monotonic() - self.began, 1e-9)
        left = seconds / (done - started.step) * (steps - done)
        clock = f"{int(left) // 60}:{int(left) % 60:02}"
        ends = (
            f"epoch {self.last.epoch} of {started.epochs} ",
            f" {self.images / seconds:,.0f} images/s · {clock} left" if self.speed else "",
        )
        room = max(width - sum(map(len, ends)), 4)
        full = round(room * done / steps)
        return Text.assemble(
            ends[0], ("━" * full, "orange3"), ("─" * (room - full), "dim"), ends[1]
        )
