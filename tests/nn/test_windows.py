"""The tables of a layer list every product of a window and an image once, and no other."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from stepconv.geometry import Axis, Plan
from stepconv.nn.cpu.windows import (
    backward_lines,
    families,
    forward_lines,
    tap_families,
)


@st.composite
def axes(draw: st.DrawFn) -> Axis:
    """Return an axis on which one window fits at least."""
    one = st.integers(1, 3)
    axis = Axis(
        draw(st.integers(1, 9)),
        draw(st.integers(1, 4)),
        draw(one),
        draw(one),
        draw(st.integers(0, 4)),
        draw(st.integers(0, 4)),
    )
    assume(axis.padded >= axis.span)
    return axis


def products(axis: Axis) -> set[tuple[int, int, int]]:
    """Return every (window, place in it, cell of the image) that meet."""
    return {
        (i, k, cell)
        for i in range(axis.output)
        for k, cell in enumerate(axis.taps(i))
        if 0 <= cell < axis.size
    }


@given(axes())
def test_forward_lines_list_every_product_once(axis: Axis) -> None:
    listed = [
        (cell, k, source + step)
        for line in forward_lines(axis)
        for cell, source in zip(line.cells, line.sources, strict=True)
        for k, step in line.taps
    ]
    assert len(listed) == len(set(listed))
    assert set(listed) == products(axis)
    assert sorted(c for line in forward_lines(axis) for c in line.cells) == [*range(axis.output)]


@given(axes())
def test_backward_lines_list_every_product_once(axis: Axis) -> None:
    listed = [
        (source + step, k, cell)
        for line in backward_lines(axis)
        for cell, source in zip(line.cells, line.sources, strict=True)
        for k, step in line.taps
    ]
    assert len(listed) == len(set(listed))
    assert set(listed) == products(axis)
    assert sorted(c for line in backward_lines(axis) for c in line.cells) == [*range(axis.size)]


@given(axes(), axes(), st.integers(1, 3))
def test_families_of_taps_list_every_product_once(rows: Axis, columns: Axis, channels: int) -> None:
    plan = Plan((rows, columns), channels)
    listed = []
    for family in tap_families(plan, channels, vector=1):
        for in_x, in_w in family.taps:
            for y in range(*family.rows):
                for x in range(*family.columns):
                    cell = in_x + y * rows.stride * columns.size + x * columns.stride
                    listed.append((y, x, in_w // 4, cell))
    window, plane = rows.window * columns.window, rows.size * columns.size
    expected = {
        (y, x, c * window + ky * columns.window + kx, c * plane + v * columns.size + u)
        for y, ky, v in products(rows)
        for x, kx, u in products(columns)
        for c in range(channels)
    }
    assert len(listed) == len(set(listed))
    assert set(listed) == expected


@pytest.mark.parametrize(("padding", "count"), [(0, 1), (1, 9)])
def test_families_of_a_plane(padding: int, count: int) -> None:
    axis = Axis(size=6, window=3, before=padding, after=padding)
    lines = (forward_lines(axis), forward_lines(axis))
    made = families(lines, (6, 6), axis.output, vector=64, channels=2, w_channel=36, w_columns=3)
    assert len(made) == count
    inner = max(made, key=lambda family: len(family.taps))
    assert len(inner.taps) == 18
    assert inner.taps[:4].tolist() == [[0, 0], [64, 4], [128, 8], [6 * 64, 12]]
    assert (np.diff(inner.taps[:, 0]) > 0).all()  # memory is read in one direction
    assert sum(len(family.cells) for family in made) == axis.output**2
