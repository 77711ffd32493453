"""Plans of whole calls: every spelling of one option is one plan, sizes go there and back."""

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepconv import geometry
from stepconv.geometry import Axis, Plan, correlation_plan, pooling_plan, transposed_plan
from stepconv.testing import strategies as some
from stepconv.testing.calls import Call


def plan_of(call: Call) -> Plan:
    """Return the plan of a call of correlate."""
    options = {name: value for name, value in call.options.items() if name != "mode"}
    return correlation_plan(call.arrays["x"].shape, call.arrays["w"].shape, **options)


@given(st.integers(0, 3), st.integers(1, 3), st.integers(1, 2))
def test_an_int_its_list_its_array_and_pairs_are_one_plan(
    cells: int, stride: int, dilation: int
) -> None:
    def plan(padding: Any, stride: Any, dilation: Any) -> Plan:
        options = {"stride": stride, "padding": padding, "dilation": dilation}
        return correlation_plan((9, 8), (3, 2), **options)

    wanted = plan(cells, stride, dilation)
    side = (cells, cells)
    for padding in (side, [cells] * 2, (side, side), [[cells] * 2] * 2, np.array([side, side])):
        assert plan(padding, stride, dilation) == wanted
    for spell in (lambda n: (n, n), lambda n: [n, n], np.int64, lambda n: np.array([n, n])):
        assert plan(cells, spell(stride), spell(dilation)) == wanted
    assert plan(np.int8(cells), np.array(stride), dilation) == wanted


@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 3), st.integers(1, 3))
def test_words_are_the_pads_they_stand_for(
    size: int, window: int, stride: int, dilation: int
) -> None:
    def axis(padding: Any) -> Axis:
        options = {"stride": stride, "dilation": dilation, "padding": padding}
        return correlation_plan((size,), (window,), **options).axes[0]

    span = dilation * (window - 1) + 1
    same = geometry.same_pads(size, span, stride)
    assert axis("same") == axis((same,)) == axis(same)
    assert axis("full") == axis(span - 1) == axis((span - 1, span - 1))
    if size >= span:
        assert axis("valid") == axis(0) == axis(((0, 0),))


def test_pairs_mean_before_and_after() -> None:
    plan = correlation_plan((5, 6), (2, 2), padding=((1, 2), (3, 0)))
    assert [(axis.before, axis.after) for axis in plan.axes] == [(1, 2), (3, 0)]
    per_axis = correlation_plan((5, 6), (2, 2), padding=(1, 2))
    assert [(axis.before, axis.after) for axis in per_axis.axes] == [(1, 1), (2, 2)]
    signal = correlation_plan((5,), (2,), padding=(1, 2))
    assert [(axis.before, axis.after) for axis in signal.axes] == [(1, 2)]


@given(some.correlations(whole=True))
def test_a_plan_names_the_shapes_the_products_and_the_numbers(call: Call) -> None:
    x, w, plan = call.arrays["x"], call.arrays["w"], plan_of(call)
    axes = len(plan.axes)
    assert axes == (1 if w.ndim in (1, 3) else 2)
    assert plan.input == x.shape[-axes:]
    layer = w.ndim > 2
    groups = call.options["groups"]
    assert (plan.in_channels, plan.out_channels, plan.groups) == (
        (w.shape[1] * groups, w.shape[0], groups) if layer else (1, 1, 1)
    )
    window = w.shape[-axes:]
    assert plan.window == ((1, *window) if axes == 1 else window)
    taps = [[(i, t) for i in range(axis.output) for t in axis.taps(i)] for axis in plan.axes]
    per_filter = len(list(product(*taps))) * (w.shape[1] if layer else 1)
    assert plan.products == per_filter * plan.out_channels
    if axes == 1:
        assert plan.rows == Axis(size=1, window=1)
    both = (plan.rows, plan.columns)
    assert plan.slide == (
        *(axis.stride for axis in both),
        *(axis.dilation for axis in both),
        *(axis.before for axis in both),
    )


@given(some.correlations(whole=True))
def test_after_padding_every_window_reads_the_same_padded_cells(call: Call) -> None:
    plan = plan_of(call)
    padded = plan.after_padding()
    assert padded.output == plan.output
    for axis, after in zip(plan.axes, padded.axes, strict=True):
        assert after.size == axis.padded
        for index in range(axis.output):
            assert after.bounds(index) == axis.padded_bounds(index)


@given(some.transposed(axes=1, layer=False, whole=True))
def test_transposed_sizes_are_the_inputs_that_lead_back(call: Call) -> None:
    x, w, options = call.arrays["x"], call.arrays["w"], call.options
    plan = transposed_plan(x.shape, w.shape, **options)
    (axis,) = plan.axes
    assert axis.output == x.size
    one = {name: options[name] for name in ("stride", "padding", "dilation")}
    lone = {name: value if isinstance(value, int) else value[0] for name, value in one.items()}

    def leads_back(size: int) -> bool:
        fits = size + 2 * lone["padding"] >= axis.span
        return fits and correlation_plan((size,), w.shape, **lone).output == x.shape

    # Without output_padding the smallest of them, which may have no cell at all.
    bare = axis.size - (axis.before - axis.after)
    if bare >= 1:
        sizes = {size for size in range(1, axis.size + 9) if leads_back(size)}
        assert sizes == set(range(bare, bare + axis.stride))


@given(some.max_pools(whole=True))
def test_a_pool_takes_the_last_axes_and_its_window_for_a_stride(call: Call) -> None:
    shape, options = call.arrays["x"].shape, call.options
    plan = pooling_plan(shape, **options)
    axes = len(plan.axes)
    assert plan.input == shape[-axes:]
    window = tuple(axis.window for axis in plan.axes)
    assert window == (
        (options["window"],) * axes if isinstance(options["window"], int) else options["window"]
    )
    if options["stride"] is None:
        assert tuple(axis.stride for axis in plan.axes) == window
    assert pooling_plan(shape, **{**options, "window": window}) == plan
    assert min(plan.output) >= 1


@pytest.mark.parametrize(
    ("x_shape", "w_shape", "options", "named"),
    [
        ((5, 5), (7, 7), {}, "kernel 7x7 does not fit into the padded input 5x5"),
        ((7, 7), (5, 5), {"dilation": 2}, r"kernel 5x5 \(dilation 2: 9x9\) does not fit .* 7x7"),
        ((9,), (3,), {"stride": 0}, "stride=0 is too small: 1 or more"),
        ((9,), (3,), {"dilation": -1}, "dilation=-1 is too small"),
        ((9,), (3,), {"padding": -1}, "padding=-1 is negative"),
        ((9,), (3,), {"padding": "sme"}, "padding='sme' is not known: one of 'valid', 'same'"),
        ((9, 9), (3, 3), {"padding": (1, 2, 3)}, r"padding=\(1, 2, 3\) has 3 entries for 2 axes"),
        ((9, 9), (3, 3), {"padding": ((1, 2, 3), 1)}, "gives one axis 3 numbers"),
        ((9, 9), (3, 3), {"stride": (1, 2, 3)}, r"stride=\(1, 2, 3\) has 3 numbers for 2 axes"),
        ((9,), (3, 3), {}, r"x of shape \(9,\) does not fit w: a 2-D kernel slides"),
        ((9, 9), (0, 3), {}, r"w of shape \(0, 3\) is empty"),
        ((9, 9), (), {}, "w of shape .* has 0 axes: 1 to 4 fit"),
        ((9, 9), (1, 1, 1, 1, 1), {}, "has 5 axes: 1 to 4 fit"),
        ((1, 4, 9), (2, 3, 3), {}, r"x has 4 channels, w of shape \(2, 3, 3\) reads 3"),
        ((1, 4, 9), (2, 4, 3), {"groups": 3}, "groups=3 does not divide the 4 channels of x"),
        ((1, 4, 9), (2, 4, 3), {"groups": 0}, "groups=0 is too small"),
        ((9,), (3,), {"groups": 2}, "groups=2 needs channels"),
    ],
)
def test_nonsense_is_refused_by_name(
    x_shape: tuple[int, ...], w_shape: tuple[int, ...], options: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        correlation_plan(x_shape, w_shape, **options)


@pytest.mark.parametrize(
    "options", [{"stride": 1.5}, {"stride": True}, {"dilation": "2"}, {"groups": 1.0}]
)
def test_wrong_types_are_type_errors(options: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match=next(iter(options))):
        correlation_plan((1, 2, 9), (1, 2, 3), **options)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"window": 4}, "window 4 does not fit into the padded input 3"),
        ({"window": 0}, "window=0 is too small"),
        ({"window": 2, "padding": 2}, "padding=2 is not smaller than the window of 2"),
        ({"window": (2, 2)}, "needs 2 axes"),
        ({"window": (1, 1, 1)}, "names 3 axes"),
    ],
)
def test_pools_refuse_nonsense(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        pooling_plan((3,), **options)
    with pytest.raises(ValueError, match="has no cell to pool"):
        pooling_plan((2, 0), 1)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"output_padding": 2, "stride": 2}, "output_padding=2 is too large: with stride=2"),
        ({"padding": 3}, "padding=3 leaves no output"),
        ({"padding": "same"}, "padding='same' is not known here"),
        ({"padding": -1}, "padding=-1"),
    ],
)
def test_transposed_plans_refuse_nonsense(options: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        transposed_plan((3,), (3,), **options)
