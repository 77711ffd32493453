"""What is measured: each cell is one computation, told so that every peer can be asked for it."""

from __future__ import annotations

import fnmatch
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from math import prod
from typing import Any

import numpy as np

from stepconv.errors import ArgumentError, closest
from stepconv.geometry import Plan, correlation_plan, padding_plan, pooling_plan

Array = Any
Arrays = dict[str, Array]
Shape = tuple[int, ...]

DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Cell:
    """One computation on arrays of one shape.

    `kind` is filter, layer, max-pool, avg-pool or pad; `direction` is forward, dX, dW or backward
    (all gradients of a layer; a pool's only one). `bound` says what should limit a fast kernel:
    fma, memory, or nothing that has a name. `algorithms` are those of ours to time beside "auto".
    """

    name: str
    work: str
    kind: str
    x: Shape
    w: Shape
    direction: str = "forward"
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1
    mode: str = "zeros"
    rank_one: bool = False
    bound: str = ""
    algorithms: tuple[str, ...] = ()

    @property
    def plan(self) -> Plan:
        """The integers of the call."""
        if self.kind == "pad":
            return padding_plan(self.x, self.w)
        slide = {"stride": self.stride, "padding": self.padding, "dilation": self.dilation}
        if self.kind in ("max-pool", "avg-pool"):
            return pooling_plan(self.x, self.w, **slide)
        return correlation_plan(self.x, self.w, groups=self.groups, **slide)

    @property
    def y(self) -> Shape:
        """The shape of what the forward direction gives."""
        plan = self.plan
        if self.kind == "pad":
            return (*self.x[:-2], *(axis.padded for axis in plan.axes))
        if self.kind == "layer":
            return (self.x[0], self.w[0], *plan.output)
        return (*self.x[: len(self.x) - len(plan.output)], *plan.output)

    @property
    def flops(self) -> int | None:
        """Additions and multiplications of the direct sum; a rank-1 kernel's is two passes."""
        if self.kind not in ("filter", "layer"):
            return None
        if self.rank_one:
            return 2 * prod(self.y) * sum(self.w)
        batch = self.x[0] if self.kind == "layer" else 1
        return 2 * self.plan.products * batch * (2 if self.direction == "backward" else 1)

    @property
    def terms(self) -> int:
        """How many products one number of the result sums."""
        if self.direction == "dW":
            return prod(self.y) // self.w[0]
        if self.direction == "dX":
            return prod(self.w) // self.w[1] // self.groups
        return prod(self.w[1:]) if self.kind == "layer" else prod(self.w)

    def traffic(self, dtype: str) -> int:
        """Bytes that have to be read and written at least once."""
        # A gradient reads and writes the same three arrays in other roles.
        count = prod(self.x) + prod(self.y)
        if self.kind in ("filter", "layer"):
            count += prod(self.w)
        if self.direction == "backward" and self.kind == "layer":
            count += prod(self.x) + prod(self.w)
        if self.direction == "backward" and self.kind == "max-pool":
            count += prod(self.x)
        return count * np.dtype(dtype).itemsize

    def to_json(self) -> dict[str, Any]:
        """Return the cell as plain data."""
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> Cell:
        """Return the cell that `to_json` told."""
        # JSON knows no tuples.
        told: Any = {k: tuple(v) if isinstance(v, list) else v for k, v in data.items()}
        return Cell(**told)


def arrays(cell: Cell, dtype: str) -> Arrays:
    """Return x, w and the gradient of the result: the same numbers in every process."""
    random = np.random.default_rng(zlib.crc32(cell.name.encode()))
    made: Arrays = {"x": random.standard_normal(cell.x).astype(dtype)}
    if cell.rank_one:
        made["column"], made["row"] = (_triangle(size).astype(dtype) for size in cell.w)
        made["w"] = np.outer(made["column"], made["row"])
    elif cell.kind in ("filter", "layer"):
        made["w"] = random.standard_normal(cell.w).astype(dtype)
    if cell.direction != "forward":
        made["grad_out"] = random.standard_normal(cell.y).astype(dtype)
    return made


def _triangle(size: int) -> Array:
    """1 2 3 2 1: outer products of it are exact, so such a kernel is rank 1 to the last bit."""
    return np.minimum(np.arange(1, size + 1), np.arange(size, 0, -1))


def catalogue() -> tuple[Cell, ...]:
    """Return every cell of the table."""
    return (*_filters(), *_layers(), *_pools(), *_pads(), _tiny())


def choose(cells: Sequence[Cell], patterns: Sequence[str]) -> list[Cell]:
    """Return the cells that one of the patterns names; all if there is no pattern.

    A pattern is a name, a pattern as of file names (`*-dW`), or else a part of names.
    """
    found: set[str] = set()
    names = [cell.name for cell in cells]
    for pattern in patterns:
        ways = (pattern, f"*{pattern}*")
        here = next(filter(None, (fnmatch.filter(names, way) for way in ways)), [])
        if not here:
            hint = closest(pattern, names, f"{names[0]!r} or '*-dW' would fit;")
            raise ArgumentError(f"no cell matches {pattern!r}: {hint} --list shows all")
        found.update(here)
    return [cell for cell in cells if not patterns or cell.name in found]


def image_filter(size: int, k: int, **options: Any) -> Cell:
    """Return the cell of a square image filtered to the same size."""
    cell = Cell(f"filter-{k}", f"{size}² by {k}x{k}", "filter", (size, size), (k, k))
    return replace(cell, padding=k // 2, **options)


def _filters() -> Iterator[Cell]:
    for k in (3, 5, 15, 31, 63, 127):
        # From some 31x31 on a Fourier transform is the faster way.
        algorithms = ("fft",) if k > 30 else ()
        bound = {3: "memory", 15: "fma"}.get(k, "")
        yield image_filter(2048, k, algorithms=algorithms, bound=bound)
    for k in (5, 15, 31):
        named: dict[str, str] = {"name": f"rank1-{k}", "work": f"2048² by {k}x{k} of rank 1"}
        yield image_filter(2048, k, rank_one=True, bound="memory", **named)


def _layers() -> Iterator[Cell]:
    def each(
        name: str, work: str, x: Shape, w: Shape, directions: str, bound: str = "", **options: Any
    ) -> Iterator[Cell]:
        for direction in directions.split():
            told = f"{work}: {direction}"
            cell = Cell(f"{name}-{direction}", told, "layer", x, w, direction, **options)
            yield replace(cell, bound=bound if direction != "backward" else "")

    every, ways = "forward dX dW backward", "forward dX dW"
    work = "LeNet conv1, N=64 1→6 28² 5x5 pad 2"
    yield from each("lenet1", work, (64, 1, 28, 28), (6, 1, 5, 5), "forward dW backward", padding=2)
    work = "LeNet conv2, N=64 6→16 14² 5x5"
    yield from each("lenet2", work, (64, 6, 14, 14), (16, 6, 5, 5), every)
    for name, work, x, w in (
        ("32-64", "N=16 32→64 28² 3x3 pad 1", (16, 32, 28, 28), (64, 32, 3, 3)),
        ("64-64", "N=8 64→64 56² 3x3 pad 1", (8, 64, 56, 56), (64, 64, 3, 3)),
    ):
        for cell in each(name, work, x, w, every, padding=1, bound="fma"):
            ours = ("winograd",) if cell.direction in ("forward", "dX") else ()
            yield replace(cell, algorithms=ours)
    x, w = (16, 32, 28, 28), (64, 32, 3, 3)
    work = "N=16 32→64 28² 3x3 pad 1 stride 2"
    yield from each("stride2", work, x, w, ways, padding=1, stride=2)
    work = "N=16 32→64 28² 3x3 pad 2 dilation 2"
    yield from each("dilation2", work, x, w, ways, padding=2, dilation=2)
    work, x = "N=16 64 channels 56² 3x3 pad 1 depthwise", (16, 64, 56, 56)
    yield from each("depthwise", work, x, (64, 1, 3, 3), ways, padding=1, groups=64)
    work = "N=16 64→128 28² 1x1"
    yield from each("1x1", work, (16, 64, 28, 28), (128, 64, 1, 1), ways)
    work = "N=4 3→64 224² 7x7 pad 3 stride 2"
    yield from each("7x7", work, (4, 3, 224, 224), (64, 3, 7, 7), ways, padding=3, stride=2)
    work = "1-D N=16 32→64 L=4096 k=9 pad 4"
    yield from each("1d", work, (16, 32, 4096), (64, 32, 9), ways, padding=4)


def _pools() -> Iterator[Cell]:
    x: Shape = (16, 64, 56, 56)
    memory: dict[str, Any] = {"stride": 2, "bound": "memory"}
    for kind in ("max-pool", "avg-pool"):
        for k, padding in ((2, 0), (3, 1)):
            for direction in ("forward", "backward"):
                name = f"{kind}-{k}-{direction}"
                work = f"{kind} {k}x{k} stride 2 of 16x64x56²: {direction}"
                yield Cell(name, work, kind, x, (k, k), direction, padding=padding, **memory)


def _pads() -> Iterator[Cell]:
    for mode in ("zeros", "reflect", "replicate", "circular"):
        work = f"pad 8x64x56² by 2: {mode}"
        yield Cell(f"pad-{mode}", work, "pad", (8, 64, 56, 56), (2, 2), mode=mode, bound="memory")


def _tiny() -> Cell:
    return Cell("tiny", "one call, 8x8 by 3x3", "filter", (8, 8), (3, 3))
