"""Film: a trace made ready for showing, with all that its frames share worked out once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.geometry import Reading
from stepconv.player.frame.formats import (
    Format,
    common_denominator,
    format_of,
    plain,
    products_format,
)
from stepconv.player.frame.grid import Sheet, sheet_of
from stepconv.trace import Trace
from stepconv.trace.gather import WEIGHTED
from stepconv.trace.ring import Ringed, outside, rings
from stepconv.trace.size import formulas, forward

Array = NDArray[Any]

# Channels of a picture that can be seen in colour.
COLOURS = ("red", "green", "blue")
# Families that add cells up as they are.
PLAIN_SUMS = ("average", "total", "fold")
# Families whose result is a single cell that goes through.
SINGLE = ("border", "mirror", "gate", "curve")


class Film:
    """A trace made ready for showing: what all its frames share is worked out once."""

    def __init__(self, trace: Trace, *, letters: bool = False) -> None:
        self.trace = trace
        # Whether sizes are told in the letters of textbooks.
        self.letters = letters
        self.gather = trace.gather
        self.family = trace.call.operation.family
        # Always the same sheet of a plane, for what is drawn of it is remembered.
        self._sources: dict[int, Sheet] = {}
        self._weights: dict[tuple[int, bool], Sheet] = {}
        self._results: dict[int, Sheet] = {}

    def __len__(self) -> int:
        return len(self.trace)

    def weights_sheet(self, plane: int, *, turned: bool = False) -> Sheet:
        """Return a plane of the weights, or that after a half turn."""
        assert self.gather.weights is not None
        cells = self.whole(self.gather.weights[plane])
        cells = cells[::-1, ::-1] if turned else cells
        return self._weights.setdefault((plane, turned), sheet_of(cells, self.weights_format))

    @cached_property
    def title(self) -> str:
        """What the trace shows."""
        return plain(self.trace.about.title)

    @property
    def source_name(self) -> str:
        """What the plane is called over which the window moves."""
        operation = self.trace.call.operation
        forward = not self.trace.call.is_backward and operation.source == "x"
        return "input" if forward else operation.source

    @property
    def has_bias(self) -> bool:
        """Whether a bias is added to the sums."""
        return "bias" in self.trace.arrays and not self.trace.call.is_backward

    @property
    def formulas(self) -> tuple[str, ...]:
        """The size of the result along each axis, as a formula filled in; each formula once."""
        return formulas(self.trace, self.letters)

    @property
    def forward(self) -> str:
        """The operation, or the one that it is a gradient of."""
        return forward(self.trace)

    @cached_property
    def rounded(self) -> tuple[str, ...]:
        """Names of the panels that leave digits out."""
        formats = {
            self.source_name: self.source_format,
            "kernel": self.weights_format,
            "products": self.products_format,
            self.trace.call.operation.result: self.result_format,
        }
        return tuple(name for name, format in formats.items() if format.rounded)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What the author of the trace says about it."""
        return tuple(plain(note) for note in self.trace.about.notes)

    @cached_property
    def source_format(self) -> Format:
        """How the cells of the source are written, in all its planes alike."""
        outside = self.outside
        return format_of(self.gather.source, *([] if outside is None else [outside]))

    @cached_property
    def weights_format(self) -> Format:
        """How weights are written."""
        weights = self.gather.weights
        if weights is None or self.family in PLAIN_SUMS:
            return Format()
        return format_of(self.whole(weights))

    @cached_property
    def denominator(self) -> int:
        """The number that all weights are whole parts of, so that 1/16 stays 1/16; else 1."""
        operation, weights = self.trace.call.operation, self.gather.weights
        if weights is None or operation.weights != "w" or self.family not in WEIGHTED:
            return 1
        return common_denominator(weights)

    @property
    def scale(self) -> str:
        """What the whole numbers of the kernel are multiplied with, as it stands before them."""
        return f"1/{self.denominator}·" if self.denominator > 1 else ""

    def whole(self, weights: Array) -> Array:
        """Return weights in parts of the common denominator."""
        if self.denominator == 1:
            return weights
        parts: Array = np.rint(weights * self.denominator).astype(np.int64)
        return parts

    @cached_property
    def products_format(self) -> Format:
        """How products are written."""
        weights = self.gather.weights
        if self.family == "share":
            return format_of(self.trace.output, 1)  # powers of at most 1
        if weights is None or self.family in PLAIN_SUMS:
            return self.source_format
        ends = _ends(self.gather.source, 0), _ends(weights, None)
        format = products_format(self.source_format, format_of(weights), *ends)
        # Infinity times zero is not a number: no panel may be too narrow for that.
        odd = any(_is_odd(array) for array in (self.gather.source, weights))
        return replace(format, width=max(format.width, 4)) if odd else format

    @cached_property
    def result_format(self) -> Format:
        """How the cells of the result are written."""
        return format_of(self.trace.output)

    @cached_property
    def result_planes(self) -> Array:
        """The result as (planes, rows, columns)."""
        return self.trace.output.reshape(self.gather.shape)

    @cached_property
    def largest_patch(self) -> tuple[int, int]:
        """The most rows and columns that any step reads, so that panels keep their size."""
        most = (max((len(r.positions) for r in each), default=0) for each in self.readings())
        rows, columns = most
        return rows, columns

    def readings(self) -> tuple[Iterator[Reading], Iterator[Reading]]:
        """Yield what each row, and what each column, of a plane of the result reads."""
        _, height, width = self.gather.shape
        return map(self.gather.row, range(height)), map(self.gather.column, range(width))

    def source_sheet(self, plane: int) -> Sheet:
        """Return a plane of the source with its ring; an empty one if there are no planes."""
        if len(self.gather.source) == 0:
            return sheet_of(np.empty((0, 0), self.gather.source.dtype), self.source_format)
        if plane not in self._sources:
            (rows, top), (columns, left) = self._rings
            cells = self.gather.source[plane]
            self._sources[plane] = Sheet(
                cells, self.source_format, rows, columns, top, left, self.outside
            )
        return self._sources[plane]

    def result_sheet(self, plane: int) -> Sheet:
        """Return a plane of the result."""
        sheet = sheet_of(self.result_planes[plane], self.result_format)
        return self._results.setdefault(plane, sheet)

    @property
    def outside(self) -> Any:
        """The constant of the padding; None where padding has no number."""
        return outside(self.trace)

    @cached_property
    def _rings(self) -> tuple[Ringed, Ringed]:
        return rings(self.trace)

    @cached_property
    def x_planes(self) -> Array:
        return self.trace.arrays["x"].reshape(self.gather.shape)

    @cached_property
    def x_format(self) -> Format:
        return format_of(self.x_planes)

    def depth(self, part: str) -> int:
        """Return of how many planes the volume is that the source, or the result, is one of."""
        array = self._array(part)
        return array.shape[-3] if self.gather.axes == 2 and array.ndim > 2 else 1

    def colours(self, part: str, plane: int) -> tuple[Sheet, ...]:
        """Return the sheets of red, green and blue where a plane is of a picture in colour."""
        if self.trace.about.channels != COLOURS or self.depth(part) != len(COLOURS):
            return ()
        plan, alone = self.trace.plan, self.family != "slide"
        if self.source_name != "input" or (part == "result" and not alone and plan.groups != 3):
            return ()
        sheet = self.source_sheet if part == "source" else self.result_sheet
        first = plane // len(COLOURS) * len(COLOURS)
        return tuple(map(sheet, range(first, first + len(COLOURS))))

    def _array(self, part: str) -> Array:
        if part == "result":
            return self.trace.output
        return self.trace.arrays[self.trace.call.operation.source]

    def sizes(self, part: str) -> str:
        shape = (self.gather.source if part == "source" else self.result_planes).shape
        return sizes_of(shape[-self.gather.axes :])


def sizes_of(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) if len(shape) > 1 else f"of {shape[0]}"


def _ends(array: Array, also: Any) -> tuple[Any, Any]:
    """Return the least and the largest finite number, `also` among them."""
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    ends = [finite.min(), finite.max()] if finite.size else []
    ends += [array.dtype.type(also)] if also is not None or not ends else []
    return min(ends), max(ends)


def _is_odd(array: Array) -> bool:
    return array.dtype.kind == "f" and not np.isfinite(array).all()
