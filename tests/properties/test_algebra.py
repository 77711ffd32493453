"""The laws of convolution. All numbers are whole, so equal means equal in every bit."""

from math import ceil
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stepconv import convolve, correlate, flip, pad
from stepconv.geometry import correlation_plan, pads
from stepconv.testing import strategies as some
from stepconv.testing.calls import Array, Call

small = st.integers(-3, 3)
slides = some.correlations(whole=True)
plain = some.correlations(layer=False, whole=True)
layers = some.correlations(layer=True, whole=True)


def like(data: st.DataObject, array: Array) -> Array:
    """Draw another array of the same shape."""
    return data.draw(some.arrays(array.shape, array.dtype, whole=True))


def axes_of(w: Array) -> int:
    """Return how many axes a kernel slides along."""
    return w.ndim if w.ndim < 3 else w.ndim - 2


def per_axis(option: Any, axes: int) -> list[int]:
    """Spell an option out."""
    return [option] * axes if isinstance(option, int) else list(option)


def every(steps: list[int]) -> Any:
    """Return the index of every so many-th cell along the last axes."""
    return (..., *(slice(None, None, step) for step in steps))


def equal(comp: Any, ref: Any) -> None:
    """Compare shapes and all cells; -0 is 0."""
    np.testing.assert_array_equal(comp, ref, strict=True)


@given(slides, small, small, st.data())
def test_linear_in_x(backend: str, call: Call, a: int, b: int, data: st.DataObject) -> None:
    x, other = call.arrays["x"], like(data, call.arrays["x"])
    both = call.but(x=a * x + b * other).run(correlate, backend=backend)
    second = call.but(x=other).run(correlate, backend=backend)
    equal(both, a * call.run(correlate, backend=backend) + b * second)


@given(slides, small, small, st.data())
def test_linear_in_w(backend: str, call: Call, a: int, b: int, data: st.DataObject) -> None:
    w, other = call.arrays["w"], like(data, call.arrays["w"])
    both = call.but(w=a * w + b * other).run(correlate, backend=backend)
    second = call.but(w=other).run(correlate, backend=backend)
    equal(both, a * call.run(correlate, backend=backend) + b * second)


@given(layers, st.data())
def test_the_bias_is_added_to_each_filter(backend: str, call: Call, data: st.DataObject) -> None:
    filters = call.arrays["w"].shape[0]
    bias = data.draw(some.arrays((filters,), whole=True))
    without = call.run(correlate, backend=backend)
    axes = call.arrays["w"].ndim - 2
    equal(call.run(correlate, bias=bias, backend=backend), without + bias.reshape(-1, *(1,) * axes))


@given(st.integers(1, 2), st.data())
def test_convolution_commutes_and_associates(backend: str, axes: int, data: st.DataObject) -> None:
    shapes = st.tuples(*[st.integers(1, 5 - axes)] * axes)
    a, b, c = (data.draw(some.arrays(shapes, whole=True)) for _ in range(3))

    def full(x: Array, w: Array) -> Array:
        return convolve(x, w, padding="full", backend=backend)

    equal(full(a, b), full(b, a))
    equal(full(full(a, b), c), full(a, full(b, c)))


@given(slides)
def test_convolving_is_correlating_with_the_mirrored_kernel(backend: str, call: Call) -> None:
    w = call.arrays["w"]
    mirrored = w[every([-1] * axes_of(w))]
    equal(flip(w), mirrored)
    convolved = call.run(convolve, backend=backend)
    equal(convolved, call.but(w=mirrored).run(correlate, backend=backend))


@given(plain, st.data())
def test_shifting_the_input_shifts_the_output(
    backend: str, call: Call, data: st.DataObject
) -> None:
    x, w = call.arrays["x"], call.arrays["w"]
    stride = call.options["stride"]
    strides = per_axis(stride, x.ndim)
    windows = data.draw(st.tuples(*[st.integers(0, 2)] * x.ndim))
    options = {"stride": stride, "dilation": call.options["dilation"], "backend": backend}
    # Cells of zeros in front of the signal: so many strides later, so many windows later.
    room = [(max(0, k - n) * 2 + 2, 0) for k, n in zip(w.shape, x.shape, strict=True)]
    x = np.pad(x, room)
    front = [(n * s, 0) for n, s in zip(windows, strides, strict=True)]
    rest = tuple(slice(n, None) for n in windows)
    equal(correlate(np.pad(x, front), w, **options)[rest], correlate(x, w, **options))


@given(st.integers(1, 2), st.data())
def test_an_impulse_paints_the_kernel(backend: str, axes: int, data: st.DataObject) -> None:
    w = data.draw(some.arrays(st.tuples(*[st.integers(1, 4)] * axes), whole=True))
    where = data.draw(st.tuples(*[st.integers(0, 3)] * axes))
    impulse = np.zeros([n + data.draw(st.integers(1, 3)) for n in where])
    impulse[where] = 1
    painted = convolve(impulse, w, padding="full", backend=backend)
    place = tuple(slice(n, n + k) for n, k in zip(where, w.shape, strict=True))
    equal(painted[place], w)
    painted[place] = 0
    assert not painted.any()


@given(layers)
def test_groups_are_the_concatenation_of_their_parts(backend: str, call: Call) -> None:
    x, w = call.arrays["x"], call.arrays["w"]
    groups, channels = call.options["groups"], w.ndim - 1
    parts = zip(np.split(x, groups, axis=x.ndim - channels), np.split(w, groups), strict=True)
    one = call.with_options(groups=1)
    parted = [one.but(x=a, w=b).run(correlate, backend=backend) for a, b in parts]
    equal(call.run(correlate, backend=backend), np.concatenate(parted, axis=x.ndim - channels))


@given(slides)
def test_dilation_is_a_kernel_with_zeros_between(backend: str, call: Call) -> None:
    w, dilation = call.arrays["w"], call.options["dilation"]
    axes = axes_of(w)
    steps = per_axis(dilation, axes)
    spans = [(k - 1) * d + 1 for k, d in zip(w.shape[w.ndim - axes :], steps, strict=True)]
    wide = np.zeros((*w.shape[: w.ndim - axes], *spans))
    wide[every(steps)] = w
    dense = call.but(w=wide).with_options(dilation=1)
    equal(call.run(correlate, backend=backend), dense.run(correlate, backend=backend))


@given(slides)
def test_stride_leaves_out_windows(backend: str, call: Call) -> None:
    w, stride = call.arrays["w"], call.options["stride"]
    steps = per_axis(stride, axes_of(w))
    if call.options["padding"] == "same":  # whose padding depends on the stride
        call = call.with_options(padding="full")
    if call.options["mode"] == "reflect":
        call = call.with_options(mode="zeros")
    dense = call.with_options(stride=1).run(correlate, backend=backend)
    equal(call.run(correlate, backend=backend), dense[every(steps)])


@given(slides)
def test_same_gives_ceil_of_size_over_stride(backend: str, call: Call) -> None:
    x, w, stride = call.arrays["x"], call.arrays["w"], call.options["stride"]
    axes = axes_of(w)
    steps = per_axis(stride, axes)
    same = call.with_options(padding="same", mode="zeros").run(correlate, backend=backend)
    sizes = zip(x.shape[x.ndim - axes :], steps, strict=True)
    assert same.shape[same.ndim - axes :] == tuple(ceil(n / s) for n, s in sizes)


@given(slides)
def test_a_mode_is_a_border_put_round_first(backend: str, call: Call) -> None:
    x, w = call.arrays["x"], call.arrays["w"]
    mode, options = call.options["mode"], call.without("mode").options
    sides = [(a.before, a.after) for a in correlation_plan(x.shape, w.shape, **options).axes]
    bordered = call.but(x=pad(x, sides, mode=mode, backend=backend))
    bare = bordered.with_options(padding="valid", mode="zeros")
    equal(call.run(correlate, backend=backend), bare.run(correlate, backend=backend))


@given(layers)
def test_an_image_is_its_batch_of_one(backend: str, call: Call) -> None:
    x, w = call.arrays["x"], call.arrays["w"]
    batch = x if x.ndim == w.ndim else x[None]
    together = call.but(x=batch).run(correlate, backend=backend)
    alone = [call.but(x=image).run(correlate, backend=backend) for image in batch]
    equal(together, np.stack(alone))


@given(plain)
def test_a_plain_call_is_a_layer_of_one_channel(backend: str, call: Call) -> None:
    layer = call.but(x=call.arrays["x"][None], w=call.arrays["w"][None, None])
    equal(call.run(correlate, backend=backend)[None], layer.run(correlate, backend=backend))


@given(some.correlations(axes=1, whole=True))
def test_a_signal_is_an_image_of_one_row(backend: str, call: Call) -> None:
    x, w = call.arrays["x"], call.arrays["w"]

    padding = call.options["padding"]
    if not isinstance(padding, str):
        padding = ((0, 0), *pads(padding, 1))
    row = call.but(x=x[..., None, :], w=w[..., None, :]).with_options(
        stride=(1, *per_axis(call.options["stride"], 1)),
        dilation=(1, *per_axis(call.options["dilation"], 1)),
        padding=padding,
    )
    equal(call.run(correlate, backend=backend)[..., None, :], row.run(correlate, backend=backend))
