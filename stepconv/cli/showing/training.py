"""Those who listen to a training: a live screen, plain lines, JSON lines, or nobody."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import log10
from threading import Timer
from time import monotonic
from typing import TYPE_CHECKING

from stepconv.player.text import curve
from stepconv.train import events

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.text import Text

# Seconds from one picture of the screen to the next: smooth to the eye, nothing to the training.
REFRESH = 0.1
# Whoever is refused within so many seconds need not hear what was begun.
_AT_ONCE = 2.0
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
        said, held, begun = set[str](), list[str](), monotonic()

        def tell() -> None:
            while held:
                console.print(held.pop(0), soft_wrap=True, markup=False)

        def say(text: str) -> None:
            # How far something has come is told once: what it is stands before the colon.
            what = text.partition(":")[0]
            if what not in said:
                said.add(what)
                held.append(text)
            # What is refused at once is told in one line, with none before it.
            if monotonic() - begun > _AT_ONCE:
                tell()

        later = Timer(_AT_ONCE, tell)
        later.daemon = True
        later.start()
        try:
            yield say
            tell()
        finally:
            later.cancel()


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
                drawn.update(screen.draw(console.width, console.height), refresh=True)
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
        self.warned = ""
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
            case events.Warned():
                self.warned = f"{event.trouble}; {event.advice}"

    def draw(self, width: int, height: int = 24) -> "Group":
        """Return the screen in so many columns, with as many epochs as the lines have room for."""
        from rich.console import Group
        from rich.text import Text

        # Two columns are left for the ^C that a terminal writes: what wraps cannot be drawn over.
        width, high = min(width - 2, 160), max(HEIGHT, min((height - 8) // 2, 12))
        half = (width - 3) // 2
        loss = f"loss {self.last.loss:.4f}, log scale" if self.last else "loss"
        recent = self.correct[-20:]
        right = f"right {sum(recent) / len(recent):.1%}" if recent else "right"
        judged = self.started.judged if self.started else "test"
        known = [m.judged for m in self.history if m.judged is not None]
        if known:
            right = f"{right}, {judged} {known[-1]:.1%}"
        shown = curve.resample(self.losses, 2 * half)
        low, top = min(shown, default=0.0), max(shown, default=0.0)
        marks = (f"{10**top:.3g}", f"{10**low:.3g}")
        lines = [
            Text.assemble((f"{loss:<{half}}"[:half], "dodger_blue1"), "   ", (right, "orange3"))
        ]
        ours = _with_axis(self.losses, half, high, marks, (low, top))
        theirs = _with_axis(self.correct, half, high, ("100%", "0%"), (0.0, 1.0))
        over = _with_axis(self._judged(), half, high, ("100%", "0%"), (0.0, 1.0))
        for one, other, above in zip(ours, theirs, over, strict=True):
            line = Text.assemble((one, "dodger_blue1"), "   ")
            for below, dot in zip(other, above, strict=True):
                # Where both have dots in one cell, those of the judged pictures are seen.
                line.append(below if dot in (below, curve.NOTHING) else dot, _colour(below, dot))
            lines.append(line)
        room = max(1, height - high - 5)
        table = [Text(heading(judged), "bold"), *(Text(row(m)) for m in self.history[-room:])]
        return Group(
            Text(self.title, "bold", no_wrap=True, overflow="ellipsis"),
            self._progress(width),
            *lines,
            *(table if self.history else []),
            *([Text(self.warned, "bold red", no_wrap=True)] if self.warned else []),
        )

    def _judged(self) -> list[float]:
        """Return the accuracy on judged pictures at every step that was seen, if it is known."""
        if self.started is None or not self.history or not self.correct:
            return []
        values: list[float] = []
        for m in self.history:
            known = m.judged if m.judged is not None else (values or [0.0])[-1]
            values += [known] * self.started.steps_per_epoch
        first, seen = self.started.step, len(self.correct)
        return (values + values[-1:] * seen)[first : first + seen]

    def _progress(self, width: int) -> "Text":
        from rich.text import Text

        if self.started is None or self.last is None:
            return Text("")
        started = self.started
        done, steps = self.last.step, started.steps
        seconds = max(monotonic() - self.began, 1e-9)
        left = seconds / (done - started.step) * (steps - done)
        clock = f"{_clock(seconds)} gone, {_clock(left)}"
        ends = (
            f"epoch {self.last.epoch} of {started.epochs} ",
            f" {self.images / seconds:,.0f} images/s · {clock} left" if self.speed else "",
        )
        room = max(width - sum(map(len, ends)), 4)
        full = round(room * done / steps)
        return Text.assemble(
            ends[0], ("━" * full, "orange3"), ("─" * (room - full), "dim"), ends[1]
        )


def _with_axis(
    values: list[float], width: int, height: int, marks: tuple[str, str], ends: tuple[float, float]
) -> list[str]:
    """Return a curve with the numbers of its top and bottom to the left of it."""
    beside = max(map(len, marks))
    drawn = curve.curve(values, width - beside - 1, height, *ends)
    labels = [marks[0], *[""] * (height - 2), marks[1]]
    return [f"{label:>{beside}} {line}" for label, line in zip(labels, drawn, strict=True)]


def _colour(below: str, dot: str) -> str:
    return "orange3" if dot in (below, curve.NOTHING) else "green3"


def _clock(seconds: float) -> str:
    """Return minutes and seconds.

    >>> _clock(75.4)
    '1:15'
    """
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
