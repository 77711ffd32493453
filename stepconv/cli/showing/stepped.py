"""A call by a named algorithm: its steps as panels, sentences or JSON, and a table at the end."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from stepconv.cli.reading import targets
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.algorithms import Machine, Measured, Row, Run, Step
    from stepconv.player.stepped.pages import Page
    from stepconv.trace import Chain, Trace

# Kernels of the engine that are an algorithm's own form, by the name that `use_algorithm` takes.
_KERNELS = {
    "separable": {"separable": "separable"},
    "winograd": {"winograd": "winograd F(4x4,3x3)"},
    "fft": {"fourier": "fft", "proven fourier": "fft"},
    "direct": {
        "loops": "direct",
        **dict.fromkeys(("filter", "few_filters", "many_filters"), "tiles"),
    },
}
# A matrix of more numbers than these is not made to measure a product.
_MATRIX = 1 << 25
_SECONDS = 0.05


@dataclass(frozen=True)
class Wanted:
    """Which steps are to be printed, and how: as panels, unless something else is said."""

    step: int | None
    steps: str | None
    plain: bool
    as_json: bool


def check_letters(way: str | None, letters: bool) -> None:
    """Refuse letters where the steps of an algorithm are told."""
    if way is not None and letters:
        raise ArgumentError(f"--letters has no place with --as {way}: no sizes are told")


def one_call(record: Trace | Chain, way: str, link: int | None) -> Trace:
    """Return the call that is stepped through: of a chain the link that is asked for."""
    from stepconv.cli.showing.links import shown

    found = shown(record, link)
    if len(found) > 1:
        raise ArgumentError(
            f"--as {way} steps through one call, and this is a chain of {len(found)}: "
            f"show or export with --link 0 to {len(found) - 1} fits"
        )
    return found[0].trace


def cell_of(text: str | None, trace: Trace) -> tuple[int, int, int]:
    """Return the output cell (plane, row, column) that `--cell` names; the first without it."""
    if text is None:
        return 0, 0, 0
    planes, *plane = trace.gather.shape
    shape = plane[2 - trace.gather.axes :]
    try:
        given = [int(number) for number in text.split(",")]
    except ValueError:
        given = []
    numbers = [*[0] * (len(shape) == len(given)), *given]
    limits = [planes, *shape]
    if len(numbers) != len(limits) or not all(
        0 <= n < m for n, m in zip(numbers, limits, strict=True)
    ):
        last = ",".join(str(size - 1) for size in limits)
        raise ArgumentError(
            f"--cell {text!r} is no output cell: {','.join('0' * len(limits))} to {last} fits, "
            "the plane in front"
        )
    return numbers[0], numbers[-2] if len(shape) == 2 else 0, numbers[-1]


def machine() -> Machine:
    """Return what this machine is: the size of its first cache, and of its vectors."""
    import os

    import numpy as np

    from stepconv.algorithms import Machine
    from stepconv.kernels.cpu.machine.host import lanes

    known = getattr(os, "sysconf_names", {})
    names = {"cache_bytes": "SC_LEVEL1_DCACHE_SIZE", "line_bytes": "SC_LEVEL1_DCACHE_LINESIZE"}
    sizes = {key: os.sysconf(name) for key, name in names.items() if name in known}
    found = {key: size for key, size in sizes.items() if size > 0}
    return Machine(**found, vector_bytes=lanes(np.uint8))


@dataclass(frozen=True)
class Made:
    """What is asked for, computed; the table of all ways follows when somebody comes to it."""

    trace: Trace
    way: str
    cell: tuple[int, int, int]
    machine: Machine
    runs: list[Run]

    @property
    def title(self) -> str:
        """What the call is called."""
        return self.trace.about.title or self.trace.call.operation.title

    @property
    def steps(self) -> list[tuple[str, Step]]:
        """The steps of all runs one after the other, each with its algorithm."""
        return [(run.algorithm.title, step) for run in self.runs for step in run.steps]

    def pages(
        self,
        backend: str | None,
        step: int | None = None,
        steps: str | None = None,
        *,
        everything: bool = True,
        every: int = 1,
    ) -> list[Page]:
        """Return the pages that are wanted: steps, and behind the last of them the table."""
        from stepconv.cli.reading.steps import chosen
        from stepconv.player.stepped import pages

        found = self.steps
        last = len(found)
        numbers = chosen(range(last + 1), step, steps, everything=everything, every=every)
        made = pages.pages(found, self.rows(backend) if last in numbers else [])
        return [made[number] for number in numbers]

    def rows(self, backend: str | None) -> list[Row]:
        """Return the table of all ways that suit the call, beside what is measured now."""
        from stepconv import algorithms
        from stepconv.cli import terminal

        with terminal.working("measuring …"):
            done = {self.way: self.runs}
            every = algorithms.every_run(self.trace, self.cell, self.machine, done=done)
            return algorithms.table(every, measured(self.trace, backend))


def made(asked: targets.Asked, way: str, cell: str | None, link: int | None = None) -> Made:
    """Compute what is asked for."""
    from stepconv import algorithms
    from stepconv.trace.gallery.traces import has_windows

    algorithms.check_way(way)
    example = asked.example
    if example is not None and not has_windows(example):
        raise ArgumentError(f"--as {way}: {example.id} is a number that no kernel slides for")
    trace = one_call(targets.trace_of(asked), way, link)
    at, here = cell_of(cell, trace), machine()
    return Made(trace, way, at, here, algorithms.runs(trace, way, at, here))


def show(
    asked: targets.Asked, way: str, cell: str | None, link: int | None, wanted: Wanted
) -> None:
    """Print the steps that are wanted, and the table, which is the last."""
    from stepconv.cli import terminal

    pages = made(asked, way, cell, link).pages(asked.backend, wanted.step, wanted.steps)
    if wanted.as_json:
        for page in pages:
            terminal.print_json(as_data(page))
    elif wanted.plain:
        _sentences(pages)
    else:
        _panels(pages)


def play(asked: targets.Asked, way: str, cell: str | None) -> int:
    """Play the steps on this terminal; return the exit status."""
    from stepconv.player.stepped import app
    from stepconv.player.stepped.playback import Playback

    return app.play(Playback(made(asked, way, cell).pages(asked.backend)))


def _sentences(pages: list[Page]) -> None:
    from stepconv.player.stepped import table

    for page in pages:
        for told in [page.spoken] if page.step else map(table.row_in_words, page.rows):
            print(told)


def _panels(pages: list[Page]) -> None:
    from rich.panel import Panel

    from stepconv.cli import terminal
    from stepconv.player import render
    from stepconv.player.stepped import lines, table

    console = terminal.stdout()
    for page in pages:
        if page.step is None:
            console.print(render.text(list(table.table(page.rows, console.width).lines)))
            continue
        drawn = render.text(list(lines.body(page.step, console.width - 4).lines))
        title = f"{page.algorithm}, step {page.number}: {page.title}"
        console.print(Panel(drawn, title=title, title_align="left", expand=False))


def as_data(page: Page) -> dict[str, Any]:
    """Return a page as plain data."""
    step = page.step
    if step is None:
        return {"table": [row.as_data() for row in page.rows]}
    return {
        "step": page.number,
        "algorithm": page.algorithm,
        "title": step.title,
        "words": step.words,
        "formula": step.formula,
        "panels": [
            {
                "name": each.name,
                "title": each.title,
                "cells": each.cells.tolist(),
                "marked": [list(part) for part in each.marked],
                "special": [
                    {"cell": list(cell), "role": role} for cell, role in each.special.items()
                ],
            }
            for each in step.panels
        ],
        "counters": asdict(step.counts),
    }


def measured(trace: Trace, backend: str | None) -> dict[str, Measured]:
    """Return what the call takes by each of the engine's algorithms that serve it, and by NumPy."""
    from stepconv.algorithms import Measured
    from stepconv.cli.commands import why
    from stepconv.trace.jobs import spelled

    function, _, options = spelled(trace.call)
    call = (function, {**trace.arrays, **options, "backend": backend})
    found: dict[str, Measured] = {}
    for name, kernels in _KERNELS.items():
        _, best = why.fastest([call], name, _SECONDS)
        ran = best.calls[0]
        if ran.algorithm in kernels:
            told = f"the engine's {ran.algorithm} on {ran.backend}"
            title = kernels[ran.algorithm]
            on_card = title == "tiles" and ran.backend == "cuda"
            found["tiles of a GPU" if on_card else title] = Measured(ran.seconds, told)
    seconds = _product_of_matrices(trace)
    if seconds is not None:
        found["im2col"] = Measured(seconds, "NumPy")
    return found


def _product_of_matrices(trace: Trace) -> float | None:
    """Return how long NumPy takes to lay out all windows and multiply; None where that is much."""
    import time

    import numpy as np
    from numpy.lib.stride_tricks import sliding_window_view

    import stepconv

    plan, gather = trace.plan, trace.gather
    weights = gather.weights
    assert weights is not None
    matrix_w = weights.reshape(plan.out_channels, -1)
    numbers = len(trace) // plan.out_channels * matrix_w.shape[1]
    if plan.groups > 1 or numbers > _MATRIX:
        return None
    axes = (plan.rows, plan.columns)
    pads = tuple((axis.before, axis.after) for axis in axes)
    images = gather.source.reshape(-1, plan.in_channels, *gather.source.shape[1:])

    def compute() -> None:
        padded = stepconv.pad(images, pads, mode=trace.call.mode)
        spans = tuple(axis.span for axis in axes)
        windows = sliding_window_view(padded, spans, (2, 3))
        step, gap = [axis.stride for axis in axes], [axis.dilation for axis in axes]
        windows = windows[:, :, :: step[0], :: step[1], :: gap[0], :: gap[1]]
        rows = windows.transpose(0, 2, 3, 1, 4, 5).reshape(-1, matrix_w.shape[1])
        np.matmul(rows, matrix_w.T)

    compute()  # the first time something may be compiled
    best, end = float("inf"), time.perf_counter() + _SECONDS
    for _ in range(50):
        start = time.perf_counter()
        compute()
        best = min(best, time.perf_counter() - start)
        if time.perf_counter() > end:
            break
    return best
