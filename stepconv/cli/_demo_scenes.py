"""What the demo shows, as plain lines before any colour: a convolution, a pooling, a gradient.

The engine computes every number here. A window is marked by [ ] and coloured by its role, so that
nothing depends on colour alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product, zip_longest
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.geometry import Axis, correlation_plan, pooling_plan
from stepconv.trace.gallery import WorkedExample, worked_example

Array = NDArray[Any]
Cells = set[tuple[int, int]]
# A line is pieces of text, each with a role: "title", "window", "result", "note" or "".
Line = list[tuple[str, str]]

# The loops as a slide writes them: slow, but there at once, without compiling.
BACKEND = "textbook"
CHANNELS = ("red", "green", "blue")


@dataclass(frozen=True)
class Scene:
    """One worked example to step through.

    `draw(step, height)` gives the picture of a step in that many lines where it can, or whole,
    `say(step)` tells it in words, and `telling` are the steps worth a stop.
    """

    example: WorkedExample
    steps: int
    telling: tuple[int, ...]
    draw: Callable[[int, int | None], list[Line]]
    say: Callable[[int], str]


def scenes() -> list[Scene]:
    """Return the scenes in the order in which they are played."""
    return [
        convolution(worked_example("vertical-edge-rgb"), telling=(0, 3, 63)),
        pooling(worked_example("max-pool-4x4")),
        gradient(worked_example("max-pool-backward")),
    ]


def convolution(example: WorkedExample, telling: tuple[int, ...]) -> Scene:
    """Return a scene of one filter over a colour picture without padding."""
    x, (w,) = example.inputs["x"], example.inputs["w"]
    plan = correlation_plan(x.shape, example.inputs["w"].shape, **example.options)
    sums = [
        ops.correlate(plane, kernel, **example.options, backend=BACKEND)
        for plane, kernel in zip(x, w, strict=True)
    ]
    (out,) = example.run(BACKEND)
    # Widths that hold for all steps, so that nothing jumps from one to the next.
    width = _width(np.array([*sums, out]))
    product_width = _width(np.multiply.outer(np.unique(x), np.unique(w)))

    def at(step: int) -> tuple[int, int, Cells, list[Array]]:
        i, j = np.unravel_index(step, out.shape)
        cells = _window(plan.axes, (int(i), int(j)))
        top, left = min(cells)
        patch = x[:, top : top + w.shape[1], left : left + w.shape[2]]
        return int(i), int(j), cells, list(patch * w)

    def equation(name: str, terms: Iterable[Any], total: Any, role: str = "") -> Line:
        left = f"{name:<5} {_sum(terms):>{len(w) * (width + 3) - 3}} = "
        return [(left, ""), (f"{_number(total):>{width}}", role)]

    def draw(step: int, height: int | None) -> list[Line]:
        i, j, cells, products = at(step)
        kernel = [[(f"kernel {_size(w[0])}", "note")], *grid(w[0])]
        multiplied = [[("products", "note")], *grid(products[0], width=product_width)]
        equations: list[Line] = [[], [("rows of products, added:", "note")]]
        for name, one, total in zip(CHANNELS, products, sums, strict=True):
            equations.append(equation(name, one.sum(axis=1), total[i, j]))
        equations.append(equation("", [total[i, j] for total in sums], out[i, j], "result"))
        pictured = [[(f"input {_size(x[0])}, {CHANNELS[0]}", "note")], *grid(x[0], cells, "window")]
        result = grid(out, {(i, j)}, "result", step + 1)
        # The lines around: title, status, the input with its heading, the output's heading.
        room = max(3, height - len(x[0]) - 4) if height else len(result)
        first = min(max(i - room // 2, 0), max(len(result) - room, 0))
        return [
            [(example.title, "title")],
            [(f"{example.id} · window {step + 1} of {out.size} · row {i}, column {j}", "")],
            *beside(pictured, beside(kernel, multiplied) + equations),
            [(f"output {_size(out)}: {plan.rows.formula()}", "note")],
            *result[first : first + room],
        ]

    def say(step: int) -> str:
        i, j, _, products = at(step)
        channels = (
            f"{name}: {_sum(np.ravel(one))} = {_number(total[i, j])}"
            for name, one, total in zip(CHANNELS, products, sums, strict=True)
        )
        return (
            f"Window {step + 1} of {out.size}, at row {i}, column {j}. "
            f"Products added, {'; '.join(channels)}. "
            f"All channels: {_sum(total[i, j] for total in sums)} = {_number(out[i, j])}."
        )

    return Scene(example, out.size, telling, draw, say)


def pooling(example: WorkedExample) -> Scene:
    """Return a scene of max pooling."""
    x, out = example.inputs["x"], example.run(BACKEND)
    plan = pooling_plan(x.shape, **example.options)
    places = [(int(i), int(j)) for i, j in np.ndindex(out.shape)]

    def equation(step: int) -> str:
        cells = sorted(_window(plan.axes, places[step]))
        listed = ", ".join(_number(x[cell]) for cell in cells)
        return f"max({listed}) = {_number(out[places[step]])}"

    def draw(step: int, height: int | None) -> list[Line]:
        window = _window(plan.axes, places[step])
        left = [[(f"input {_size(x)}", "note")], *grid(x, window, "window")]
        right = [[("output", "note")], *grid(out, {places[step]}, "result", step + 1)]
        lines: list[Line] = [[(equation(earlier), "")] for earlier in range(step + 1)]
        title: Line = [(example.title, "title")]
        return [title, *beside(beside(left, right, 4), [[], *lines], 4)]

    def say(step: int) -> str:
        i, j = places[step]
        return f"Window {step + 1} of {out.size}, at row {i}, column {j}: {equation(step)}."

    return Scene(example, out.size, (out.size - 1,), draw, say)


def gradient(example: WorkedExample) -> Scene:
    """Return a scene of one step: where max pooling sends the gradient."""
    x, grad_out, grad_x = example.inputs["x"], example.inputs["grad_out"], example.run(BACKEND)
    winners = {(int(i), int(j)) for i, j in np.argwhere(grad_x)}
    forward = ops.max_pool(x, **example.options, backend=BACKEND)
    largest = ", ".join(map(_number, np.ravel(forward)))

    def draw(step: int, height: int | None) -> list[Line]:
        left = [[("input", "note")], *grid(x, winners, "window")]
        middle = [[("gradient", "note")], *grid(grad_out)]
        right = [[("gradient of the input", "note")], *grid(grad_x, winners, "result")]
        return [
            [(example.title, "title")],
            *beside(beside(left, middle, 4), right, 4),
            [(f"The largest cells, {largest}, get it; the others get 0.", "")],
        ]

    def say(step: int) -> str:
        places = ", ".join(f"row {i} column {j}" for i, j in sorted(winners))
        return f"The largest cells of the windows are {largest}. The gradient goes to {places}."

    return Scene(example, 1, (0,), draw, say)


def grid(
    array: Array,
    marked: Iterable[tuple[int, int]] = (),
    role: str = "",
    shown: int | None = None,
    width: int = 0,
) -> list[Line]:
    """Return the rows of a matrix; cells from number `shown` on are dots, not computed yet.

    >>> for line in grid(np.array([[1, 2, 3], [4, 5, 6]]), {(0, 1), (0, 2)}, shown=5):
    ...     print("".join(text for text, _ in line).rstrip())
     1[2 3]
     4 5 ·
    """
    marks = set(marked)
    shown = array.size if shown is None else shown
    rows, columns = array.shape
    width = max(width, _width(array))
    lines = []
    for i in range(rows):
        line: Line = []
        for j in range(columns):
            cell = _number(array[i, j]) if i * columns + j < shown else "·"
            inside, before = (i, j) in marks, (i, j - 1) in marks
            edge = " " if inside == before else "[" if inside else "]"
            line.append((edge, role if inside or before else ""))
            line.append((f"{cell:>{width}}", role if inside else ""))
        closing = (i, columns - 1) in marks
        line.append(("]" if closing else " ", role if closing else ""))
        lines.append(line)
    return lines


def beside(left: list[Line], right: list[Line], gap: int = 2) -> list[Line]:
    """Return two blocks of lines next to each other."""
    width = max(map(length, left))
    nothing: Line = []
    return [
        [*one, (" " * (width - length(one) + gap), ""), *other] if other else one
        for one, other in zip_longest(left, right, fillvalue=nothing)
    ]


def length(line: Line) -> int:
    """Return how many characters a line takes."""
    return sum(len(text) for text, _ in line)


def _window(axes: tuple[Axis, ...], place: tuple[int, int]) -> Cells:
    rows, columns = (axis.taps(index) for axis, index in zip(axes, place, strict=True))
    return set(product(rows, columns))


def _sum(terms: Iterable[Any]) -> str:
    """Return numbers with plus signs between them, negative ones in brackets."""
    words = map(_number, terms)
    return " + ".join(f"({word})" if word.startswith("-") else word for word in words)


def _number(value: Any) -> str:
    return f"{value:g}"


def _width(array: Array) -> int:
    """Return how many characters the longest of the numbers takes."""
    return max(len(_number(value)) for value in np.ravel(array))


def _size(array: Array) -> str:
    return "x".join(map(str, array.shape))
