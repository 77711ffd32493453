"""What a stack of layers sees and learns, against following every wire back."""

from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepconv import correlate
from stepconv.geometry import (
    Axis,
    covering,
    dense_parameter_count,
    parameter_count,
    receptive_field,
)
from tests.geometry.axes import axes


@given(st.lists(axes(), max_size=4), st.integers(0, 5))
def test_receptive_field_is_the_cone_of_all_wires(layers: list[Axis], index: int) -> None:
    cone = {index}
    for layer in reversed(layers):
        taps = [a * layer.dilation for a in range(layer.window)]
        cone = {cell * layer.stride - layer.before + tap for cell in cone for tap in taps}
    assert receptive_field(layers).bounds(index) == (min(cone), max(cone) + 1)


@given(st.lists(axes(), max_size=3), st.lists(axes(), max_size=3))
def test_receptive_field_goes_on_from_another(first: list[Axis], then: list[Axis]) -> None:
    assert receptive_field(then, receptive_field(first)) == receptive_field([*first, *then])


@given(st.lists(axes(), min_size=1, max_size=4))
def test_covering_holds_every_field_and_no_more(layers: list[Axis]) -> None:
    fields = [receptive_field([layer]) for layer in layers]
    low, high = covering(fields).bounds(0)
    assert low == min(field.bounds(0)[0] for field in fields)
    assert high == max(field.bounds(0)[1] for field in fields)


@given(st.lists(st.tuples(*[st.integers(1, 2)] * 3, st.integers(0, 2)), min_size=1, max_size=3))
def test_receptive_field_holds_what_changes_an_output(
    layers: list[tuple[int, int, int, int]],
) -> None:
    size = 16
    images = np.eye(size)  # each image lights one cell
    stack = []
    signals = images
    for window, stride, dilation, pad in layers:
        stack.append(Axis(signals.shape[-1], window, stride, dilation, pad, pad))
        if stack[-1].output < 1:
            return
        options: dict[str, Any] = {"stride": stride, "padding": pad, "dilation": dilation}
        signals = correlate(signals[:, None], np.ones((1, 1, window)), **options)[:, 0]
    field = receptive_field(stack)
    for index in range(signals.shape[-1]):
        start, stop = field.bounds(index)
        seen = np.flatnonzero(signals[:, index])
        assert all(start <= cell < stop for cell in seen)
        if start >= 0 and stop <= size:
            assert (seen[0], seen[-1]) == (start, stop - 1)


@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 3),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.booleans(),
)
def test_parameter_count_counts_the_cells_of_w_and_bias(
    groups: int, in_group: int, out_group: int, window: tuple[int, int], bias: bool
) -> None:
    w = np.ones((groups * out_group, in_group, *window))
    learnt = w.size + (len(w) if bias else 0)
    sizes = (groups * out_group, groups * in_group)
    assert parameter_count(*sizes, window, bias=bias, groups=groups) == learnt
    row = prod(w.shape[:2]) * window[0] + (len(w) if bias else 0)
    assert parameter_count(*sizes, window[:1], bias=bias, groups=groups) == row
    square = prod(w.shape[:2]) * window[0] ** 2 + (len(w) if bias else 0)
    assert parameter_count(*sizes, window[0], bias=bias, groups=groups) == square


def test_dense_parameter_count() -> None:
    assert dense_parameter_count(4, 3) == np.ones((3, 4)).size + 3
    assert dense_parameter_count(4, 3, bias=False) == 12


@pytest.mark.parametrize(
    ("sizes", "groups", "named"),
    [((0, 3, 3), 1, "out_channels=0"), ((3, 0, 3), 1, "in_channels=0"), ((3, 3, 0), 1, "kernel=0")],
)
def test_layers_of_nothing_are_refused(
    sizes: tuple[int, int, int], groups: int, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        parameter_count(*sizes, groups=groups)


@pytest.mark.parametrize("sizes", [(4, 3), (3, 4)])
def test_groups_that_do_not_divide_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="groups=2"):
        parameter_count(*sizes, 3, groups=2)
