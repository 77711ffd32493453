"""One axis against counting on one's fingers: windows, bounds, taps, divisors, sources."""

from itertools import pairwise
from math import ceil, floor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepconv.errors import ArgumentError
from stepconv.geometry import MODES, Axis, output_size, same_pads
from tests.geometry.axes import axes


def starts_that_fit(axis: Axis) -> list[int]:
    """Slide a ruler over the padded cells until it sticks out."""
    cells = list(range(axis.size + axis.before + axis.after))
    ruler = [a * axis.dilation for a in range(axis.window)]
    return [
        start
        for start in range(0, len(cells), axis.stride)
        if all(start + tap < len(cells) for tap in ruler)
    ]


@given(axes())
def test_output_counts_the_windows_that_fit(axis: Axis) -> None:
    assert axis.output == len(starts_that_fit(axis))
    pads = (axis.before, axis.after)
    same = {"stride": axis.stride, "dilation": axis.dilation}
    assert axis.output == output_size(axis.size, axis.window, padding=(pads,), **same)  # type: ignore[arg-type]


def sizes_as_pytorch(axis: Axis) -> int:
    """Transcribe pooling_output_shape_pad_lr of PyTorch's aten/src/ATen/native/Pool.h."""
    numerator = axis.size + axis.before + axis.after - axis.dilation * (axis.window - 1) - 1
    numerator += axis.stride - 1 if axis.ceil_mode else 0
    output = numerator // axis.stride + 1
    # ensure that the last pooling starts inside the image needed to avoid problems in ceil mode
    if axis.ceil_mode and (output - 1) * axis.stride >= axis.size + axis.before:
        output -= 1
    return output


@given(axes(pools=True, ceil=True))
def test_output_in_ceil_mode_is_pytorchs(axis: Axis) -> None:
    assert axis.output == sizes_as_pytorch(axis)


@given(axes(pools=True, ceil=True))
def test_output_is_what_torch_itself_gives(axis: Axis) -> None:
    torch = pytest.importorskip("torch")
    pad = min(axis.before, axis.window // 2)  # torch takes half a window on both sides at most
    size = max(axis.size, axis.span - 2 * pad)
    given_to_both = (axis.stride, pad, axis.dilation, axis.ceil_mode)
    pooled = torch.nn.functional.max_pool1d(torch.zeros(1, 1, size), axis.window, *given_to_both)
    assert (
        Axis(size, axis.window, axis.stride, axis.dilation, pad, pad, axis.ceil_mode).output
        == pooled.shape[-1]
    )


@given(axes(pools=True, ceil=True))
def test_ceil_mode_leaves_no_cell_over_that_a_window_could_reach(axis: Axis) -> None:
    covered = (axis.output - 1) * axis.stride + axis.span
    room = axis.padded - covered
    if axis.ceil_mode:
        assert room <= 0 or axis.drops_last
        assert axis.bounds(axis.output - 1)[0] < axis.size
    else:
        assert 0 <= room < axis.stride
        assert not axis.drops_last


@given(axes(ceil=True))
def test_bounds_in_both_coordinates(axis: Axis) -> None:
    for index in range(axis.output):
        start, stop = axis.bounds(index)
        assert axis.padded_bounds(index) == (start + axis.before, stop + axis.before)
        assert start == index * axis.stride - axis.before
        taps = axis.taps(index)
        assert len(taps) == axis.window
        assert (taps[0], taps[-1] + 1) == (start, stop)
        assert all(b - a == axis.dilation for a, b in pairwise(taps))
        if not axis.ceil_mode:
            assert -axis.before <= start < stop <= axis.size + axis.after


@given(axes(ceil=True))
def test_unread_cells_are_under_no_window(axis: Axis) -> None:
    readers = np.zeros(axis.size, int)
    for index in range(axis.output):
        for a in range(axis.window):
            cell = index * axis.stride + a * axis.dilation - axis.before
            if 0 <= cell < axis.size:
                readers[cell] += 1
    assert axis.unread() == tuple(np.flatnonzero(readers == 0))


@given(axes(dilated=False, pools=True, ceil=True), st.booleans())
def test_counts_are_the_cells_an_average_divides_by(axis: Axis, include_pad: bool) -> None:
    real = [1] * axis.size
    border = [int(include_pad)]
    beyond = [0] * axis.window * 2
    cells = border * axis.before + real + border * axis.after + beyond
    counted = tuple(
        sum(cells[start : start + axis.window])
        for start in range(0, axis.output * axis.stride, axis.stride)
    )
    assert axis.counts(include_pad=include_pad) == counted
    assert min(counted) >= 1


NUMPY_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


@pytest.mark.parametrize("mode", MODES)
@given(st.integers(1, 5), st.integers(0, 12), st.integers(0, 12))
def test_sources_are_numpys_pad_of_the_positions(
    mode: str, size: int, before: int, after: int
) -> None:
    if mode == "reflect":
        before, after = min(before, size - 1), min(after, size - 1)
    constant = {"constant_values": -1} if mode == "zeros" else {}
    wanted = np.pad(np.arange(size), (before, after), NUMPY_MODES[mode], **constant)  # type: ignore[call-overload]
    axis = Axis(size, 1, before=before, after=after)
    assert axis.sources(mode) == tuple(wanted)


def test_reflect_refuses_what_it_cannot_copy() -> None:
    with pytest.raises(ArgumentError, match=r"cannot pad 3 cells by 3: at most 2 fit"):
        Axis(3, 1, before=1, after=3).sources("reflect")
    with pytest.raises(ArgumentError, match="mode='circular' has no cell to copy"):
        Axis(0, 1, before=1).sources("circular")


@given(axes(pools=True, ceil=True))
def test_formula_says_the_output_and_evaluates_to_it(axis: Axis) -> None:
    left, right = axis.formula().split(" = ")
    sum_of_it = right.replace("·", "*").removesuffix(" window that starts beyond the input")
    assert int(left) == axis.output
    assert eval(sum_of_it, {"floor": floor, "ceil": ceil}) == axis.output
    for number in (axis.size, axis.span, axis.before, axis.after, axis.stride):
        assert str(number) in right


@given(st.integers(1, 20), st.integers(1, 7), st.integers(1, 5))
def test_same_gives_ceil_of_size_over_stride(size: int, span: int, stride: int) -> None:
    before, after = same_pads(size, span, stride)
    padded = Axis(size, span, stride, before=before, after=after)
    assert padded.output == ceil(size / stride)
    assert after - before in (0, 1)
    # No cell more than needed.
    if before + after:
        assert Axis(size, span, stride, before=before + after - 1).output < padded.output
