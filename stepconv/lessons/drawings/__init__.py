"""Small drawings for lessons, each plain data -> frames of lines; several frames are a film.

A drawing is a function that takes the words after its name in `draws:` and gives frames, each a
list of lines of at most 78 columns and 14 lines, so that it stands beside the text on any screen.

integral        two boxes, sampled finer and finer: the sum meets the integral
grid            a picture as its numbers
wiring          which cells a dense layer and a convolution connect, with the counts
fives           a perfect 5, and what a shift, a turn, another hand makes of it
learns          a kernel that learns a worked example, step by step
sweep           how right trainings are that differ in one option, with the spread over seeds
paths           a gradient on its way back, with the identity path and without
sketches        what a slide draws and no engine computes: `sketch cortex`
"""

from collections.abc import Callable, Mapping, Sequence

from stepconv.errors import ArgumentError, StepconvError, closest
from stepconv.lessons.drawings import fives, grid, integral, learns, paths, sketches, sweep, wiring
from stepconv.lessons.drawings.grid import HIGH, WIDE

Frames = Sequence[Sequence[str]]

DRAWINGS: Mapping[str, Callable[..., Frames]] = {
    "integral": integral.frames,
    "grid": grid.frames,
    "wiring": wiring.frames,
    "fives": fives.frames,
    "learns": learns.frames,
    "paths": paths.frames,
    "sweep": sweep.frames,
    "sketch": sketches.frames,
}


def draw(text: str) -> Frames:
    """Return the frames of the drawing that a line `draws:` names, with its words."""
    name, *words = text.split()
    if name not in DRAWINGS:
        hint = closest(name, DRAWINGS, f"{', '.join(DRAWINGS)} are known")
        raise ArgumentError(f"draws: {name!r} is not known: {hint}")
    try:
        frames = DRAWINGS[name](*words)
    except StepconvError:
        raise
    except (TypeError, ValueError, ArithmeticError, LookupError):
        raise ArgumentError(f"draws: {text!r}: {name} takes other words") from None
    high = max(map(len, frames), default=0)
    wide = max((len(line) for frame in frames for line in frame), default=0)
    if not 0 < high <= HIGH or wide > WIDE:
        raise ArgumentError(
            f"draws: {text!r} has {high} lines of {wide} columns: 1 to {HIGH} of {WIDE} fit"
        )
    return frames
