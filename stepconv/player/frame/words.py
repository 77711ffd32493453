"""What the views say in sentences: why the result has this size, who pads how, who reads a cell."""

from __future__ import annotations

from dataclasses import dataclass

from stepconv.geometry import Axis, same_pads
from stepconv.player.frame.film import Film
from stepconv.trace.size import size_formula

_LINES = {"slide": "windows", "largest": "windows", "average": "windows"}


@dataclass(frozen=True)
class SamePadding:
    """How one library places the padding that it calls 'same' along one axis."""

    library: str
    before: int | None
    after: int | None
    remark: str = ""

    @property
    def words(self) -> str:
        """The pads, or why there are none."""
        if self.before is None or self.after is None:
            return self.remark
        pads = f"{self.before} in front, {self.after} behind"
        return f"{pads} ({self.remark})" if self.remark else pads


def same_paddings(axis: Axis) -> tuple[SamePadding, ...]:
    """Return how PyTorch, TensorFlow and SciPy would place 'same' padding along an axis.

    >>> [(same.library, same.before, same.after) for same in same_paddings(Axis(5, 4))]
    [('PyTorch', 1, 2), ('TensorFlow, Keras, ONNX', 1, 2), ('SciPy', 2, 1)]
    """
    total = axis.span - 1
    if axis.stride > 1:
        torch = SamePadding("PyTorch", None, None, f"refuses 'same' with stride {axis.stride}")
    else:
        torch = SamePadding("PyTorch", total // 2, total - total // 2)
    front, behind = same_pads(axis.size, axis.span, axis.stride)
    scipy_remark = "and no stride: every window" if axis.stride > 1 else ""
    return (
        torch,
        SamePadding("TensorFlow, Keras, ONNX", front, behind),
        SamePadding("SciPy", total - total // 2, total // 2, scipy_remark),
    )


def same_sentence(axis: Axis) -> str:
    """Say whether the libraries agree about 'same' padding along an axis."""
    pads = {(same.before, same.after) for same in same_paddings(axis) if same.before is not None}
    if len(pads) == 1:
        return "They agree: the padding is even."
    return "An odd cell goes behind in deep learning, in front in SciPy."


def size_sentences(film: Film, axis: Axis) -> tuple[str, ...]:
    """Say in words why the result has its size along an axis."""
    call = film.trace.call
    told = _forward_sentences(film.forward, axis)
    if not call.is_backward:
        return told
    result = call.operation.result
    same = f"{result} has the size of {result.removeprefix('grad_')}."
    return (same, f"Forward: {told[0]}", *told[1:])


def _forward_sentences(operation: str, axis: Axis) -> tuple[str, ...]:
    formula = size_formula(operation, axis)
    if not formula:
        return (f"Each cell becomes one cell: {axis.size} stay {axis.size}.",)
    if operation == "correlate_transpose":
        return (formula, "Each cell is spread over a window of the result.")
    return (formula,) if operation == "pad" else (formula, *_window_sentences(axis))


def _window_sentences(axis: Axis) -> tuple[str, ...]:
    parts = [f"{axis.size} cells"]
    if axis.before or axis.after:
        parts.append(f"{axis.before} + {axis.after} of padding")
    dilated = f" (dilation {axis.dilation}: it spans {axis.span})" if axis.dilation > 1 else ""
    told = [f"{' and '.join(parts)}, a window of {axis.window}{dilated}, stride {axis.stride}."]
    rest = (axis.padded - axis.span) % axis.stride
    if rest and not axis.ceil_mode:
        cells = "1 cell is" if rest == 1 else f"{rest} cells are"
        told.append(f"{cells} left over behind the last window: the floor().")
    if axis.ceil_mode and rest:
        kept = (
            "is dropped: it starts beyond the input" if axis.drops_last else "sticks out and stays"
        )
        told.append(f"With ceil_mode the last window {kept}.")
    return tuple(told)


def unread_sentence(axis: Axis, name: str) -> str:
    """Say which cells no window reads.

    >>> unread_sentence(Axis(size=6, window=2, stride=3), "column")
    'no window reads columns 2, 5'
    """
    unread = axis.unread()
    if not unread:
        return ""
    listed = ", ".join(map(str, unread[:12])) + (", …" if len(unread) > 12 else "")
    return f"no window reads {name}{'s' if len(unread) > 1 else ''} {listed}"


def readers_sentence(film: Film, cell: tuple[int, int], readers: tuple[int, int]) -> str:
    """Say how many windows read a cell of the source."""
    count = readers[0] * readers[1]
    _, height, width = film.gather.shape
    times = "no window reads it" if not count else f"{_counted(count, film)} read it"
    if count == 1:
        times = f"{_counted(count, film)} reads it"
    spot = f"row {cell[0]}, column {cell[1]}" if film.gather.axes == 2 else f"cell {cell[1]}"
    return f"{film.source_name}, {spot}: {times}, of {height * width}."


def _counted(count: int, film: Film) -> str:
    noun = _LINES.get(film.family, "output cells")
    return f"1 {noun[:-1]}" if count == 1 else f"{count} {noun}"


def rim_sentence(corner: int, most: int) -> str:
    """Say what the map of readers teaches."""
    if corner == most:
        return "The corner counts as much as any cell."
    return f"The corner is read {_times(corner)}, the middle up to {_times(most)}."


def _times(count: int) -> str:
    return "once" if count == 1 else "never" if count == 0 else f"{count} times"


def worker_name(worker: tuple[int, ...]) -> str:
    """Return what a worker is called."""
    return f"thread {worker[0]}" if len(worker) == 1 else f"block {worker[0]}"
