"""Plan: the frozen integers of one call, from which every kernel, trace and picture is drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, wraps
from math import prod
from typing import Any, ParamSpec

from stepconv.errors import ArgumentError
from stepconv.geometry.axis import Axis, same_pads
from stepconv.geometry.budget import check_plan
from stepconv.geometry.options import (
    LARGEST_SIZE,
    PADDINGS,
    flag,
    integer,
    is_plain,
    is_sequence,
    pads,
    per_axis,
    word,
)
from stepconv.geometry.slide import Slide, Window

Shape = tuple[int, ...]
P = ParamSpec("P")

_TRIVIAL = Axis(size=1, window=1)


@dataclass(frozen=True)
class Plan:
    """One call in integers: an `Axis` per spatial axis, and the channels.

    A correlation reads `in_channels` and writes `out_channels`. A transposed correlation has
    the plan of the correlation whose adjoint it is. Pools and pads work on each channel alone.
    """

    axes: tuple[Axis, ...]
    in_channels: int = 1
    out_channels: int = 1
    groups: int = 1

    @cached_property
    def output(self) -> Shape:
        """Cells of the output along each spatial axis."""
        return tuple(axis.output for axis in self.axes)

    @cached_property
    def output_plane(self) -> tuple[int, int]:
        """Rows and columns of the output; that of a signal has one row."""
        return self.rows.output, self.columns.output

    @cached_property
    def input(self) -> Shape:
        """Cells of the input along each spatial axis."""
        return tuple(axis.size for axis in self.axes)

    @cached_property
    def padded(self) -> Shape:
        """Cells of the padded input along each spatial axis."""
        return tuple(axis.padded for axis in self.axes)

    @cached_property
    def rows(self) -> Axis:
        """The vertical axis; a signal has one row."""
        return self.axes[0] if len(self.axes) == 2 else _TRIVIAL

    @property
    def columns(self) -> Axis:
        """The horizontal axis."""
        return self.axes[-1]

    @cached_property
    def slide(self) -> Slide:
        """Strides, dilations and front pads: how the windows lie on the input."""
        rows, columns = self.rows, self.columns
        return Slide(
            *(rows.stride, columns.stride),
            *(rows.dilation, columns.dilation),
            *(rows.before, columns.before),
        )

    @cached_property
    def window(self) -> Window:
        """Cells of the window, rows before columns."""
        return Window(self.rows.window, self.columns.window)

    @property
    def products(self) -> int:
        """Multiplications for one image."""
        cells = prod(self.output) * prod(axis.window for axis in self.axes)
        return self.out_channels * (self.in_channels // self.groups) * cells

    def after_padding(self) -> "Plan":
        """Return the plan of the same call on an input that is padded already."""
        axes = tuple(replace(axis, size=axis.padded, before=0, after=0) for axis in self.axes)
        return replace(self, axes=axes)


def _remembered(build: Callable[P, Plan]) -> Callable[P, Plan]:
    """Make a function remember the plans of its latest calls."""
    kept: Any = lru_cache(maxsize=1024, typed=True)(build)

    @wraps(build)
    def plan(*args: P.args, **options: P.kwargs) -> Plan:
        plain = all(map(is_plain, args)) and all(map(is_plain, options.values()))
        built: Plan = (kept if plain else build)(*args, **options)
        return built

    return plan


def correlation_plan(
    x_shape: Shape,
    w_shape: Shape,
    *,
    stride: Any = 1,
    padding: Any = "valid",
    dilation: Any = 1,
    groups: Any = 1,
) -> Plan:
    """Return the plan of a kernel sliding over x; the rank of w says what x is."""
    options = (stride, padding, dilation, groups)
    # A tiny call is over in microseconds: here `_remembered` would take one of them.
    if all(map(is_plain, options)):
        return _remembered_correlation(x_shape, w_shape, *options)
    return _correlation_plan(x_shape, w_shape, *options)


def _correlation_plan(
    x_shape: Shape, w_shape: Shape, stride: Any, padding: Any, dilation: Any, groups: Any
) -> Plan:
    axes = _check_ranks(x_shape, w_shape)
    groups = integer("groups", groups, 1)
    out_channels, in_group, *window = (1, 1, *w_shape) if len(w_shape) < 3 else w_shape
    in_channels = 1 if len(w_shape) < 3 else x_shape[-axes - 1]
    if len(w_shape) < 3 and groups != 1:
        raise ArgumentError(f"groups={groups} needs channels: a plain kernel has groups=1")
    if in_channels % groups or out_channels % groups:
        raise ArgumentError(
            f"groups={groups} does not divide the {in_channels} channels of x "
            f"and the {out_channels} filters of w"
        )
    if in_channels != in_group * groups:
        raise ArgumentError(
            f"x has {in_channels} channels, w of shape {_sizes(w_shape)} reads {in_group}"
            + (f" in each of {groups} groups: {in_group * groups} fit" if groups > 1 else "")
        )
    strides = per_axis("stride", stride, axes, 1)
    dilations = per_axis("dilation", dilation, axes, 1)
    built = _axes(x_shape[-axes:], tuple(window), strides, padding, dilations)
    return check_plan(Plan(_fitting("kernel", built), in_channels, out_channels, groups))


_remembered_correlation = lru_cache(maxsize=1024, typed=True)(_correlation_plan)


def transposed_plan(
    x_shape: Shape,
    w_shape: Shape,
    *,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    dilation: Any = 1,
    groups: Any = 1,
) -> Plan:
    """Return the plan of the correlation that leads from the transposed output back to x.

    Its size along an axis is (n - 1)·stride - 2·padding + span + output_padding.
    """
    axes = _check_ranks(x_shape, w_shape)
    groups = integer("groups", groups, 1)
    channels, out_group, *window = (1, 1, *w_shape) if len(w_shape) < 3 else w_shape
    x_channels = 1 if len(w_shape) < 3 else x_shape[-axes - 1]
    if len(w_shape) < 3 and groups != 1:
        raise ArgumentError(f"groups={groups} needs channels: a plain kernel has groups=1")
    if x_channels != channels:
        raise ArgumentError(
            f"x has {x_channels} channels, w of shape {_sizes(w_shape)} reads {channels}: "
            f"a transposed w is (channels, filters / groups, …)"
        )
    if channels % groups:
        raise ArgumentError(f"groups={groups} does not divide the {channels} channels of x")
    if isinstance(padding, str):
        raise ArgumentError(
            f"padding={padding!r} is not known here: an int or one int per axis fits"
        )
    every = zip(
        x_shape[-axes:],
        window,
        per_axis("stride", stride, axes, 1),
        per_axis("padding", padding, axes, 0),
        per_axis("output_padding", output_padding, axes, 0),
        per_axis("dilation", dilation, axes, 1),
        strict=True,
    )
    built = tuple(_transposed_axis(*numbers) for numbers in every)
    return check_plan(Plan(built, out_group * groups, channels, groups))


@_remembered
def pooling_plan(
    x_shape: Shape,
    window: Any,
    stride: Any = None,
    padding: Any = "valid",
    dilation: Any = 1,
    ceil_mode: Any = False,
) -> Plan:
    """Return the plan of a window sliding over the last axes of x; stride=None is the window."""
    ceil_mode = flag("ceil_mode", ceil_mode)
    axes = _acting_axes("window", window, x_shape)
    windows = per_axis("window", window, axes, 1)
    strides = windows if stride is None else per_axis("stride", stride, axes, 1)
    dilations = per_axis("dilation", dilation, axes, 1)
    sizes = x_shape[-axes:]
    if 0 in sizes:
        raise ArgumentError(f"x of shape {_sizes(x_shape)} has no cell to pool")
    built = _axes(sizes, windows, strides, padding, dilations, ceil_mode=ceil_mode)
    for axis in built:
        if max(axis.before, axis.after) >= axis.span:
            raise ArgumentError(
                f"padding={max(axis.before, axis.after)} is not smaller than the window "
                f"of {axis.span}: at most {axis.span - 1} fits"
            )
    return check_plan(Plan(_fitting("window", built)))


@_remembered
def padding_plan(x_shape: Shape, padding: Any) -> Plan:
    """Return the plan of putting a border round the last axes of x."""
    if isinstance(padding, str):
        raise ArgumentError(
            f"padding={padding!r} needs a window: an int, one int per axis "
            f"or (before, after) per axis fits"
        )
    axes = _acting_axes("padding", padding, x_shape)
    sides = pads(padding, axes)
    sizes = x_shape[-axes:]
    built = (
        Axis(size=size, window=1, before=before, after=after)
        for size, (before, after) in zip(sizes, sides, strict=True)
    )
    return check_plan(Plan(tuple(built)))


def output_size(
    size: int,
    window: int,
    *,
    stride: int = 1,
    padding: Any = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
) -> int:
    """Return how many windows fit along one axis.

    >>> output_size(10, 3)
    8
    >>> output_size(10, 3, stride=2, padding=1)
    5
    """
    axes = _axes(
        (integer("size", size, 0, LARGEST_SIZE),),
        (integer("window", window, 1),),
        (integer("stride", stride, 1),),
        padding,
        (integer("dilation", dilation, 1),),
        ceil_mode=flag("ceil_mode", ceil_mode),
    )
    return _fitting("window", axes)[0].output


def _axes(
    sizes: Sequence[int],
    windows: Sequence[int],
    strides: Sequence[int],
    padding: Any,
    dilations: Sequence[int],
    *,
    ceil_mode: bool = False,
) -> tuple[Axis, ...]:
    """Return the axes with `padding` in any of its spellings put in."""
    every = zip(sizes, windows, strides, dilations, strict=True)
    bare = [Axis(*numbers, ceil_mode=ceil_mode) for numbers in every]
    if not isinstance(padding, str):
        sides: Sequence[tuple[int, int]] = pads(padding, len(bare))
    elif word("padding", padding, PADDINGS) == "same":
        sides = [same_pads(axis.size, axis.span, axis.stride) for axis in bare]
    elif padding == "full":
        sides = [(axis.span - 1, axis.span - 1) for axis in bare]
    else:
        return tuple(bare)
    return tuple(
        replace(axis, before=before, after=after)
        for axis, (before, after) in zip(bare, sides, strict=True)
    )


def _transposed_axis(
    size: int, window: int, stride: int, padding: int, output_padding: int, dilation: int
) -> Axis:
    if output_padding >= max(stride, dilation):
        raise ArgumentError(
            f"output_padding={output_padding} is too large: with stride={stride} and "
            f"dilation={dilation} at most {max(stride, dilation) - 1} fits"
        )
    span = dilation * (window - 1) + 1
    wide = (size - 1) * stride - 2 * padding + span + output_padding
    if size < 1:
        raise ArgumentError("x has an axis of 0 cells: one or more fit")
    if wide < 1:
        raise ArgumentError(
            f"padding={padding} leaves no output: ({size} - 1)·{stride} - 2·{padding} + {span} "
            f"+ {output_padding} = {wide}; at most {(wide - 1) // 2 + padding} fits"
        )
    # `after` may be negative: output_padding adds cells that no window of x reaches.
    return Axis(wide, window, stride, dilation, padding, padding - output_padding)


def _check_ranks(x_shape: Shape, w_shape: Shape) -> int:
    """Return the number of spatial axes, if x is what the rank of w asks for."""
    asked = {
        1: ("a 1-D kernel slides over a signal (length,)", (1,)),
        2: ("a 2-D kernel slides over an image (height, width)", (2,)),
        3: ("3-D weights read (batch, channels, length) or (channels, length)", (2, 3)),
        4: (
            "4-D weights read (batch, channels, height, width) or (channels, height, width)",
            (3, 4),
        ),
    }
    if len(w_shape) not in asked:
        raise ArgumentError(f"w of shape {_sizes(w_shape)} has {len(w_shape)} axes: 1 to 4 fit")
    if 0 in w_shape:
        raise ArgumentError(f"w of shape {_sizes(w_shape)} is empty: one cell or more fits")
    reads, ranks = asked[len(w_shape)]
    if len(x_shape) not in ranks:
        raise ArgumentError(f"x of shape {_sizes(x_shape)} does not fit w: {reads}")
    return 1 if len(w_shape) in (1, 3) else 2


def _acting_axes(name: str, value: Any, x_shape: Shape) -> int:
    """Return how many of the last axes a pool or pad acts on: one or two."""
    given = len(value) if is_sequence(value) else max(1, min(len(x_shape), 2))
    if name == "padding" and given == 2 and len(x_shape) == 1:
        return 1
    if given not in (1, 2):
        raise ArgumentError(f"{name}={value!r} names {given} axes: 1 or 2 fit")
    if len(x_shape) < given:
        axes = "1 axis" if given == 1 else f"{given} axes"
        raise ArgumentError(f"{name}={value!r} needs {axes}, x has shape {_sizes(x_shape)}")
    return given


def _fitting(what: str, axes: tuple[Axis, ...]) -> tuple[Axis, ...]:
    """Return `axes` if at least one window fits along each."""
    if all(axis.output >= 1 for axis in axes):
        return axes
    window = "x".join(str(axis.window) for axis in axes)
    span = "x".join(str(axis.span) for axis in axes)
    padded = "x".join(str(axis.padded) for axis in axes)
    dilations = {axis.dilation for axis in axes}
    dilation = "x".join(str(axis.dilation) for axis in axes)
    if len(dilations) == 1:
        dilation = str(axes[0].dilation)
    dilated = "" if dilations == {1} else f" (dilation {dilation}: {span})"
    raise ArgumentError(f"{what} {window}{dilated} does not fit into the padded input {padded}")


def _sizes(shape: Shape) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
