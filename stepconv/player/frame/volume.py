"""Volume: all channels, all filters with their biases and all results of a step at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from stepconv.player.frame.film import Film
from stepconv.player.frame.formats import plain
from stepconv.player.frame.frames import Frame
from stepconv.player.frame.grid import RESULT, Grid
from stepconv.trace.words import factor

# Of more channels or filters than these no screen has room for all.
_MOST = 8


@dataclass(frozen=True, eq=False)
class Filter:
    """A filter: its name, a plane of weights for each channel that it reads, its bias."""

    name: str
    kernels: tuple[Grid, ...]
    bias: str
    result: Grid
    chosen: bool


@dataclass(frozen=True, eq=False)
class Volume:
    """The planes of a picture, with the window on those that flow in, and every filter."""

    channels: tuple[Grid, ...]
    filters: tuple[Filter, ...]


def volume(film: Film, shot: Frame) -> Volume | None:
    """Return all planes of a frame; None where there is one channel and one filter, or very many.

    >>> import numpy as np, stepconv
    >>> from stepconv.player.frame.frames import frame
    >>> film = Film(stepconv.record(stepconv.correlate, np.ones((3, 2, 2)), np.ones((2, 3, 1, 1))))
    >>> every = volume(film, frame(film, 0))
    >>> len(every.channels), [each.name for each in every.filters]
    (3, ['filter 0', 'filter 1'])
    """
    plan = film.trace.plan
    if film.family != "slide" or film.gather.axes != 2:
        return None
    planes = plan.in_channels, plan.out_channels
    if planes == (1, 1) or max(planes) > _MOST:
        return None
    plane, i, j = film.gather.place(shot.number)
    image, here = divmod(plane, plan.out_channels)
    step = film.trace.step(shot.number)
    flowing = step.pairs[:, 0].tolist()
    first = image * plan.in_channels
    inputs = range(first, first + plan.in_channels)
    channels = tuple(_channel(film, shot, each, each in flowing) for each in inputs)
    filters = tuple(_filter(film, image, each, here, (i, j)) for each in range(plan.out_channels))
    return Volume(channels, filters)


def _channel(film: Film, shot: Frame, plane: int, flows: bool) -> Grid:
    number = plane % film.trace.plan.in_channels
    name = _named(film, number)
    title = f"{film.source_name} {film.sizes('source')} · {name}" if number == 0 else name
    marked = shot.source.marked if flows else ((), ())
    return replace(shot.source, title=title, sheet=film.source_sheet(plane), marked=marked, depth=1)


def _named(film: Film, channel: int) -> str:
    names = film.trace.about.channels
    return plain(names[channel]) if channel < len(names) else f"channel {channel}"


def _filter(film: Film, image: int, index: int, here: int, cell: tuple[int, int]) -> Filter:
    """Return a filter; the one that computes the step has its cell marked in its result."""
    plan, (_, height, width) = film.trace.plan, film.gather.shape
    plane = image * plan.out_channels + index
    pairs = film.gather.pairs(np.array([plane]))[0]
    chosen = index == here
    sheets = [film.weights_sheet(int(weights)) for _, weights in pairs]
    everything = tuple(range(sheets[0].shape[0])), tuple(range(sheets[0].shape[1]))
    kernels = tuple(
        Grid("kernel", _named(film, channel), sheet, everything if chosen else ((), ()))
        for channel, sheet in zip(pairs[:, 0] % plan.in_channels, sheets, strict=True)
    )
    # Steps go through the filters one after the other.
    known = 0 if index > here else height * width if index < here else cell[0] * width + cell[1] + 1
    result = Grid(
        "result" if chosen else f"result {index}",
        f"output {film.sizes('result')} · filter {index}",
        film.result_sheet(plane),
        ((cell[0],), (cell[1],)) if chosen else ((), ()),
        RESULT,
        known,
    )
    bias = f"+ {factor(film.gather.bias[index])} (bias)" if film.has_bias else ""
    return Filter(f"filter {index}", kernels, bias, result, chosen)
