"""The hot tiles are the machine code that they are meant to be: full vectors, nothing spilled."""

import platform
import re
from typing import Any

import numba
import numpy as np
import pytest

from stepconv.kernels.cpu.conv.few_filters import tile_shape as shape
from stepconv.kernels.cpu.conv.filter_tiles import (
    Edge,
    Lines,
    Result,
    Weights,
    line_sums,
    window_sums,
)
from stepconv.kernels.cpu.conv.filter_weights import Grads, weight_sums
from stepconv.kernels.cpu.machine.tiles import Side, dot, multiply_add, rows_of
from stepconv.kernels.cpu.machine.vector import has_masks, registers, vector_bits

X86 = platform.machine().lower() in ("x86_64", "amd64")
ARM = platform.machine().lower() in ("aarch64", "arm64")

pytestmark = pytest.mark.skipif(not (X86 or ARM), reason="no other processor's code is known here")

# How the processor names a fused multiply-add, a vector register and a place on the stack.
FMA = r"\bvfn?m(?:add|sub)\d+p[sd]\b" if X86 else r"\bfml[as]\b"
WIDE = {512: "%zmm", 256: "%ymm"}.get(vector_bits(), "%xmm")
WIDEST = rf"{WIDE}\d+" if X86 else r"\bv\d+\.[24][sd]"
FMA_LINE = "vfmadd231ps\t{0}1, {0}2, {0}3"
LOAD = r"\bv?(?:mov|broadcast)\w+\s+-?\w*\(" if X86 else r"\bld"
# What the tiles of filters are given.
WINDOW = (Lines, 1, Weights, Result, Edge)
GRADIENT = (Lines, 2, Grads, 1, Edge)
STACK = r"\(%rsp" if X86 else r"\[sp"


def machine_code(tile: Any, *kinds: Any) -> list[str]:
    """Return the instructions and labels of a function that does nothing but the tile.

    A tile gets so many numbers, or a NamedTuple of them.
    """
    count, given = 0, []
    for kind in kinds:
        numbers = [
            f"a{count + i}" for i in range(kind if isinstance(kind, int) else len(kind._fields))
        ]
        count += len(numbers)
        joined = ", ".join(numbers)
        given.append(joined if isinstance(kind, int) else f"{kind.__name__}({joined})")
    scope = {kind.__name__: kind for kind in kinds if not isinstance(kind, int)} | {"tile": tile}
    names = ", ".join(f"a{i}" for i in range(count))
    exec(f"def run({names}):\n    tile({', '.join(given)})", scope)
    run = numba.njit((numba.int64,) * count)(scope["run"])
    (text,) = run.inspect_asm().values()
    lines = [line.split("#")[0].strip() for line in text.splitlines()]
    return [line for line in lines if line and not re.match(r"\.(?!L\w+:)", line)]


def hot_loop(code: list[str]) -> list[str]:
    """Return the innermost loop that multiplies most of what it loads."""
    labels = {line[:-1]: i for i, line in enumerate(code) if line.endswith(":")}
    ranges = []
    for end, line in enumerate(code):
        jump = re.match(r"(?:j\w+|b(?:\.\w+)?|cbn?z\s+\w+,|tbn?z.*,)\s+(\.\w+)$", line)
        start = labels.get(jump[1], end) if jump else end
        if start < end:
            ranges.append((start, end))
    innermost = [code[a : b + 1] for a, b in ranges if not any(a <= c and d < b for c, d in ranges)]
    return max(innermost, key=lambda loop: (len(sums(loop)), count(LOAD, loop)), default=[])


def sums(loop: list[str]) -> set[str]:
    """Return the registers that products are added to."""
    return {line.split(",")[-1].strip() for line in loop if re.search(FMA, line)}


def count(pattern: str, code: list[str]) -> int:
    return sum(bool(re.search(pattern, line)) for line in code)


@pytest.mark.parametrize("vectors", [1, 2, 4])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_layers_tile(vectors: int, dtype: str) -> None:
    """Each step of the loop loads a row of weights once and uses it for all cells."""
    rows = rows_of(vectors)
    judge(machine_code(multiply_add(np.dtype(dtype), rows, vectors), 9), rows * vectors)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_tile_of_few_filters(dtype: str) -> None:
    rows, vectors = shape(6)
    judge(machine_code(multiply_add(np.dtype(dtype), rows, vectors), 9), rows * vectors)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_weights_tile(dtype: str) -> None:
    rows, columns = 4, 4 if registers() == 32 else 2
    judge(machine_code(dot(np.dtype(dtype), rows, columns), Side, Side, 6), rows * columns)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_filters_tile(dtype: str) -> None:
    rows, vectors = 4, 4 if registers() == 32 else 2
    judge(machine_code(window_sums(np.dtype(dtype), rows, vectors), *WINDOW), rows * vectors)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_small_filters_tile(dtype: str) -> None:
    """Its weights and lines stay in registers from step to step, where there are enough of them."""
    if registers() < 32:
        pytest.skip("a machine of 16 registers loads the weights at every step")
    judge(machine_code(window_sums(np.dtype(dtype), 4, 2, 3, 3, near=True), *WINDOW), 8)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_tile_of_one_row(dtype: str) -> None:
    """Each step of the loop loads a vector for two weights."""
    vectors = 8 if registers() == 32 else 4
    loop = hot_loop(
        machine_code(line_sums(np.dtype(dtype), vectors, near=True), 2, Weights, Result)
    )
    assert len(sums(loop)) == vectors
    judge_vectors(loop)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_filters_weights_tile(dtype: str) -> None:
    loop = hot_loop(machine_code(weight_sums(np.dtype(dtype), 4, 3, 3, near=True), *GRADIENT))
    assert len(sums(loop)) == 9
    judge_vectors(loop)


@pytest.mark.skipif(not has_masks(), reason="there lines are copied at an edge")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_filters_tiles_at_an_edge(dtype: str) -> None:
    kind = np.dtype(dtype)
    for tile, kinds in (
        (window_sums(kind, 4, 2, 3, 3, near=True, edges=True), WINDOW),
        (weight_sums(kind, 4, 3, 3, near=True, edges=True), GRADIENT),
    ):
        loop = hot_loop(machine_code(tile, *kinds))
        assert any("{%k" in line for line in loop)
        judge_vectors(loop)


def judge_vectors(loop: list[str]) -> None:
    """Hold its vectors alone against what is meant: counts and addresses may lie on the stack."""
    wide = [line for line in loop if re.search(WIDEST, line)]
    assert count(FMA, loop) == count(FMA, wide) > 0
    assert count(STACK, wide) == 0, "\n".join(loop)


def judge(code: list[str], expected: int) -> None:
    """Hold the hot loop against what is meant: so many sums, on the widest vectors there are."""
    loop = hot_loop(code)
    assert len(sums(loop)) == expected
    narrow = [line for line in loop if re.search(FMA, line) and not re.search(WIDEST, line)]
    assert not narrow
    assert count(STACK, loop) == 0, "\n".join(loop)


@pytest.mark.skipif(not X86 or WIDE == "%xmm", reason="the lines are those of wide x86")
def test_the_judge_sees_a_narrow_loop_and_a_spill() -> None:
    loop = [".LBB0_1:", FMA_LINE.format("%xmm"), "jne\t.LBB0_1"]
    with pytest.raises(AssertionError):
        judge(loop, 1)
    with pytest.raises(AssertionError):
        judge([loop[0], FMA_LINE.format(WIDE), "movq\t8(%rsp), %rax", loop[2]], 1)
    judge([loop[0], FMA_LINE.format(WIDE), loop[2]], 1)
