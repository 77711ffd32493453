"""Hypothesis strategies: arrays and legal calls that shrink to the smallest one that fails.

Everything is small by default, for a textbook loop has to follow.

>>> from hypothesis import given, settings
>>> from stepconv import correlate, convolve, flip
>>> @settings(max_examples=5, deadline=None)
... @given(correlations(whole=True))
... def convolving_is_correlating_with_the_mirrored_kernel(call):
...     mirrored = call.but(w=flip(call.arrays["w"]))
...     assert (call.run(convolve) == mirrored.run(correlate)).all()
>>> convolving_is_correlating_with_the_mirrored_kernel()

- `signals`, `images`, `batches` and `kernels` make arrays, filled with `cells`;
- `correlations`, `transposed`, `max_pools`, `avg_pools` and `pads` make whole calls that fit, every
  option in each of its spellings; `run` makes the call on whatever function is to be judged;
- `backwards` adds the gradient that the backward of such a call wants;
- `awkward` lays an array out in memory as nobody expects it.
"""

from collections.abc import Callable
from itertools import count
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import ArrayLike

from stepconv import geometry
from stepconv.errors import ArgumentError
from stepconv.geometry import MODES, PADDINGS
from stepconv.testing.calls import Array, Call
from stepconv.testing.layouts import layouts

Draw = st.DrawFn
Shape = tuple[int, ...]

FLOATS = ("float64", "float32")
DTYPES = (*FLOATS, "float16", "int64", "int32", "int8", "uint8", "bool")


# Numbers and arrays.


def dtypes(*names: str) -> st.SearchStrategy[np.dtype[Any]]:
    """Return a dtype: one of `names`, or of all that stepconv takes."""
    return st.sampled_from(names or DTYPES).map(np.dtype)


def cells(
    dtype: Any = "float64", *, whole: bool = False, nan: bool = False, infinity: bool = False
) -> st.SearchStrategy[Any]:
    """Return numbers that behave: between -64 and 64, none so small that products underflow.

    Floats that are `whole` lie between -8 and 8: they add and multiply without rounding, so two
    orders of summing have to agree in every bit. `nan` and `infinity` mix those in.
    """
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return st.booleans()
    if dtype.kind in "iu":
        return st.integers(-8 if dtype.kind == "i" else 0, 8)
    numbers: st.SearchStrategy[float] = st.integers(-8, 8)
    if not whole:
        last = 2 ** np.finfo(dtype).nmant  # every bit of a mantissa is used
        numbers |= st.integers(-last, last).map(lambda number: number * 64 / last)
    special = [float("nan")] * nan + [float("inf"), float("-inf")] * infinity
    return numbers | st.sampled_from(special) if special else numbers


def arrays(
    shape: Shape | st.SearchStrategy[Shape], dtype: Any = "float64", **kind: Any
) -> st.SearchStrategy[Array]:
    """Return arrays of a shape, filled with `cells(dtype, **kind)`."""
    return npst.arrays(np.dtype(dtype), shape, elements=cells(dtype, **kind))


def signals(
    dtype: Any = "float64", *, least: int = 1, most: int = 8, **kind: Any
) -> st.SearchStrategy[Array]:
    """Return arrays (length,)."""
    return arrays(st.tuples(st.integers(least, most)), dtype, **kind)


def images(
    dtype: Any = "float64", *, least: int = 1, most: int = 6, **kind: Any
) -> st.SearchStrategy[Array]:
    """Return arrays (height, width)."""
    side = st.integers(least, most)
    return arrays(st.tuples(side, side), dtype, **kind)


def batches(
    dtype: Any = "float64",
    *,
    axes: int = 2,
    channels: int | None = None,
    empty: bool = False,
    least: int = 1,
    most: int = 5,
    **kind: Any,
) -> st.SearchStrategy[Array]:
    """Return what a layer reads: (N, C, L) with one spatial axis, (N, C, H, W) with two.

    `empty` allows a batch of none.
    """
    channel = st.integers(1, 3) if channels is None else st.just(channels)
    sides = [st.integers(least, most)] * axes
    return arrays(st.tuples(st.integers(1 - empty, 2), channel, *sides), dtype, **kind)


def kernels(
    x_shape: Shape,
    dtype: Any = "float64",
    *,
    axes: int | None = None,
    most: int = 3,
    **kind: Any,
) -> st.SearchStrategy[Array]:
    """Return kernels that fit into an x of this shape, without padding.

    `axes` is how many of x's axes are spatial: all, which asks for a plain kernel, if None. Else
    the kernel is a layer's and reads the channels in front of them.
    """
    spatial = x_shape if axes is None else x_shape[-axes:]
    window = st.tuples(*(st.integers(1, min(most, side)) for side in spatial))
    if axes is None:
        return arrays(window, dtype, **kind)
    filters = st.tuples(st.integers(1, 3), st.just(x_shape[-axes - 1]))
    return arrays(st.tuples(filters, window).map(lambda two: two[0] + two[1]), dtype, **kind)


# Calls that fit.


@st.composite
def correlations(
    draw: Draw,
    /,
    *,
    dtype: Any = "float64",
    axes: int | None = None,
    layer: bool | None = None,
    modes: tuple[str, ...] = MODES,
    bias: bool = False,
    empty: bool = False,
    **kind: Any,
) -> Call:
    """Return a legal call of correlate or convolve.

    One or two spatial `axes`, plain or a `layer`; None lets either come. `bias` lets one come,
    `empty` a batch of none. No bias is what the backward functions need.
    """
    axes = draw(st.integers(1, 2)) if axes is None else axes
    layer = draw(st.booleans()) if layer is None else layer
    mode = draw(st.sampled_from(modes))
    window = _each(draw, axes, 1, 3)
    stride, dilation = _spelt(draw, axes, 1, 3), _spelt(draw, axes, 1, 2)
    padding = _padding(draw, (2,) * axes)
    plane = _sizes(
        draw,
        lambda n, k, s, d, p: (
            geometry.correlation_plan((n,), (k,), stride=s, dilation=d, padding=p)
            .axes[0]
            .sources(mode)
        ),
        *(window, _all(stride, axes), _all(dilation, axes), _sides(padding, axes)),
    )
    x_shape, w_shape, groups = plane, window, 1
    if layer:
        groups, in_group, out_group = draw(st.tuples(*[st.integers(1, 2)] * 3))
        x_shape = (*_leading(draw, empty), groups * in_group, *plane)
        w_shape = (groups * out_group, in_group, *window)
    options = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    named = {"x": x_shape, "w": w_shape}
    if bias and draw(st.booleans()):
        named["bias"] = (w_shape[0] if layer else 1,)
    return Call(_filled(draw, named, dtype, kind), {**options, "mode": mode})


@st.composite
def transposed(
    draw: Draw,
    /,
    *,
    dtype: Any = "float64",
    axes: int | None = None,
    layer: bool | None = None,
    bias: bool = False,
    **kind: Any,
) -> Call:
    """Return a legal call of correlate_transpose; the arguments are those of `correlations`."""
    axes = draw(st.integers(1, 2)) if axes is None else axes
    layer = draw(st.booleans()) if layer is None else layer
    window = _each(draw, axes, 1, 3)
    stride, dilation = _spelt(draw, axes, 1, 3), _spelt(draw, axes, 1, 2)
    padding = _spelt(draw, axes, 0, 2)
    room = min(max(s, d) for s, d in zip(_all(stride, axes), _all(dilation, axes), strict=True))
    output_padding = _spelt(draw, axes, 0, room - 1)
    plane = _sizes(
        draw,
        lambda n, k, s, d, p, o: geometry.transposed_plan(
            (n,), (k,), stride=s, dilation=d, padding=p, output_padding=o
        ),
        window,
        *(_all(option, axes) for option in (stride, dilation, padding, output_padding)),
    )
    x_shape, w_shape, groups = plane, window, 1
    if layer:
        groups, in_group, out_group = draw(st.tuples(*[st.integers(1, 2)] * 3))
        x_shape = (*_leading(draw, False), groups * in_group, *plane)
        w_shape = (groups * in_group, out_group, *window)
    options = {"stride": stride, "padding": padding, "output_padding": output_padding}
    named = {"x": x_shape, "w": w_shape}
    if bias and draw(st.booleans()):
        named["bias"] = (groups * out_group if layer else 1,)
    return Call(
        _filled(draw, named, dtype, kind), {**options, "dilation": dilation, "groups": groups}
    )


@st.composite
def max_pools(
    draw: Draw, /, *, dtype: Any = "float64", axes: int | None = None, **kind: Any
) -> Call:
    """Return a legal call of max_pool: overlapping, dilated, padded, ceil_mode windows too."""
    axes = draw(st.integers(1, 2)) if axes is None else axes
    dilation = _spelt(draw, axes, 1, 2)
    return _pool(draw, axes, _all(dilation, axes), {"dilation": dilation}, dtype, kind)


@st.composite
def avg_pools(
    draw: Draw, /, *, dtype: Any = "float64", axes: int | None = None, **kind: Any
) -> Call:
    """Return a legal call of avg_pool: overlapping, padded, ceil_mode windows too."""
    axes = draw(st.integers(1, 2)) if axes is None else axes
    options = {"count_include_pad": draw(st.booleans())}
    return _pool(draw, axes, (1,) * axes, options, dtype, kind)


@st.composite
def pads(
    draw: Draw,
    /,
    *,
    dtype: Any = "float64",
    axes: int | None = None,
    modes: tuple[str, ...] = MODES,
    **kind: Any,
) -> Call:
    """Return a legal call of pad."""
    axes = draw(st.integers(1, 2)) if axes is None else axes
    mode = draw(st.sampled_from(modes))
    padding = _padding(draw, (3,) * axes, words=())
    plane = _sizes(
        draw,
        lambda n, p: geometry.padding_plan((n,), p).axes[0].sources(mode),
        _sides(padding, axes),
    )
    # On an image `2` and `(2, 3)` name two axes: for one axis alone they need a signal.
    alone = axes == 1 and (isinstance(padding, int) or len(padding) == 2)
    shape = (*(() if alone else _leading(draw, False)), *plane)
    options = {"padding": padding, "mode": mode}
    if mode == "zeros":
        dtype = _one_dtype(draw, dtype)
        options["value"] = draw(cells(dtype, **kind))
    return Call(_filled(draw, {"x": shape}, dtype, kind), options)


@st.composite
def backwards(
    draw: Draw,
    /,
    calls: st.SearchStrategy[Call],
    function: Callable[..., Array],
    **kind: Any,
) -> Call:
    """Return a legal call of the backward of `function`: one of `calls`, and a grad_out.

    >>> from stepconv import correlate, correlate_backward
    >>> strategy = backwards(correlations(), correlate).map(lambda c: c.run(correlate_backward))
    """
    call = draw(calls)
    out = call.run(function)
    return call.but(grad_out=draw(arrays(out.shape, out.dtype, **kind)))


# Memory as nobody expects it.


def awkward(array: ArrayLike) -> st.SearchStrategy[Array]:
    """Return the same numbers in one of the `layouts`."""
    return st.sampled_from(list(layouts(array).values()))


# The parts that calls are drawn from.


def _each(draw: Draw, axes: int, least: int, most: int) -> tuple[int, ...]:
    """Draw one integer per axis."""
    return draw(st.tuples(*[st.integers(least, most)] * axes))


def _spelt(draw: Draw, axes: int, least: int, most: int) -> Any:
    """Draw an option as an int for all axes, or one int per axis."""
    number = st.integers(least, most)
    return draw(
        number | st.tuples(*[number] * axes) | st.lists(number, min_size=axes, max_size=axes)
    )


def _all(option: Any, axes: int) -> tuple[int, ...]:
    """Return one integer per axis of what `_spelt` drew."""
    return (option,) * axes if isinstance(option, int) else tuple(option)


def _padding(draw: Draw, most: Shape, words: tuple[str, ...] = PADDINGS) -> Any:
    """Draw a padding of at most so many cells per axis, in any of its spellings."""
    pairs = st.tuples(*(st.tuples(st.integers(0, m), st.integers(0, m)) for m in most))
    numbers = st.integers(0, min(most)) | st.tuples(*(st.integers(0, m) for m in most)) | pairs
    if len(most) == 1:
        numbers |= pairs.map(lambda only: only[0])
    return draw(st.sampled_from(words) | numbers if words else numbers)


def _sides(padding: Any, axes: int) -> tuple[Any, ...]:
    """Return for each axis what it makes of a padding: a word, or (before, after)."""
    return (padding,) * axes if isinstance(padding, str) else geometry.pads(padding, axes)


def _sizes(draw: Draw, plan: Callable[..., Any], *numbers: tuple[Any, ...]) -> Shape:
    """Draw a size for each axis, up to a few cells above the least one that has a plan."""
    return tuple(
        draw(st.integers(least, least + 4))
        for least in (_least(plan, *each) for each in zip(*numbers, strict=True))
    )


def _least(plan: Callable[..., Any], *numbers: Any) -> int:
    for size in count(1):
        try:
            plan(size, *numbers)
        except ArgumentError:
            continue
        return size
    raise AssertionError("counting ends nowhere")


def _leading(draw: Draw, empty: bool) -> Shape:
    """Draw the axis of a batch, or none."""
    return draw(st.just(()) | st.tuples(st.integers(1 - empty, 2)))


def _pool(
    draw: Draw,
    axes: int,
    dilation: Shape,
    options: dict[str, Any],
    dtype: Any,
    kind: dict[str, Any],
) -> Call:
    window = _each(draw, axes, 1, 3)
    stride = draw(st.none()) if draw(st.booleans()) else _spelt(draw, axes, 1, 3)
    reach = (d * (k - 1) for d, k in zip(dilation, window, strict=True))
    padding = _padding(draw, tuple(min(2, cells) for cells in reach))
    plane = _sizes(
        draw,
        lambda n, k, d, p: geometry.pooling_plan((n,), k, dilation=d, padding=p),
        *(window, dilation, _sides(padding, axes)),
    )
    leading = draw(st.just(()) | st.tuples(st.integers(1, 2)) | st.just((2, 2)))
    shape = (*leading, *plane)
    # An int is a square window on an image and a plain one on a signal.
    alike = len(set(window)) == 1 and min(len(shape), 2) == axes
    spelling: Any = draw(st.sampled_from([window[0], window])) if alike else window
    options = {"window": spelling, "stride": stride, "padding": padding, **options}
    options["ceil_mode"] = draw(st.booleans())
    return Call(_filled(draw, {"x": shape}, dtype, kind), options)


def _filled(
    draw: Draw, shapes: dict[str, Shape], dtype: Any, kind: dict[str, Any]
) -> dict[str, Array]:
    """Draw an array for each named shape, all of one type."""
    dtype = _one_dtype(draw, dtype)
    return {name: draw(arrays(shape, dtype, **kind)) for name, shape in shapes.items()}


def _one_dtype(draw: Draw, dtype: Any) -> Any:
    """Return a dtype, drawn if a strategy was given."""
    return draw(dtype) if isinstance(dtype, st.SearchStrategy) else dtype
