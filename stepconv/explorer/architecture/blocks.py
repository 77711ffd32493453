"""A network as blocks to draw: what is a box of maps, and what is a module with branches.

What keeps the shape and has no window (activations, norms, dropout) is no block of its own, and
equal blocks that follow each other are one, with a count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

from stepconv.geometry import Shape
from stepconv.nn.layers import AvgPool, Concat, Conv, Dense, Layer, MaxPool, Residual
from stepconv.nn.model import stack

# How the branches of a module meet.
ADD, CONCAT = "add", "concat"
IDENTITY, HANDED_ON = "identity", "all that came in"


@dataclass(frozen=True)
class Volume:
    """What a plain layer hands on: a box of channels x rows x columns, or a flat row."""

    kind: str
    does: str
    shape: Shape
    times: int = 1


@dataclass(frozen=True)
class Module:
    """A layer of branches: what each of them does, and how they meet."""

    kind: str
    branches: tuple[tuple[str, ...], ...]
    joined: str
    input: Shape
    output: Shape
    times: int = 1


Block = Volume | Module


def blocks(layers: Sequence[Layer], picture: Shape) -> tuple[Block, ...]:
    """Return a network's blocks, the picture first."""
    every = [Volume("input", "input", picture), *_blocks(layers, picture)]
    found: list[Block] = []
    for _, alike in groupby(every, key=_alike):
        group = list(alike)
        last = replace(group[-1], times=len(group))
        if isinstance(last, Module) and isinstance(group[0], Module):
            last = replace(last, input=group[0].input)
        found.append(last)
    return tuple(found)


def _alike(block: Block) -> tuple[Any, ...]:
    """Return what two blocks share that are drawn as one: the maps of a dense block may grow."""
    if isinstance(block, Volume):
        return block.does, block.shape
    handed_on = (HANDED_ON,) in block.branches
    return block.kind, block.branches, None if handed_on else (block.input, block.output)


def _blocks(layers: Sequence[Layer], picture: Shape) -> Iterator[Block]:
    for place in stack(layers, picture):
        layer, parts = place.layer, place.layer.parts()
        if parts:
            yield Module(
                kind=_module(layer),
                branches=tuple(_branch(layer, part) for part in parts.values()),
                joined=ADD if isinstance(layer, Residual) else CONCAT,
                input=place.input,
                output=place.output,
            )
        elif layer.kind == "flatten":
            yield Volume("flatten", "flatten", place.output)
        elif said := does(layer):
            yield Volume(layer.kind, said, place.output)


def _module(layer: Layer) -> str:
    """Return what a layer of branches is called."""
    if isinstance(layer, Concat):
        return "dense block" if () in layer.branches else "inception module"
    return "residual block"


def _branch(layer: Layer, part: tuple[Layer, ...]) -> tuple[str, ...]:
    """Return what a branch does, layer by layer."""
    if not part:
        return (HANDED_ON if isinstance(layer, Concat) else IDENTITY,)
    told = (_module(each) if each.parts() else does(each) for each in part)
    return tuple(filter(None, told)) or (part[0].kind,)


def does(layer: Layer) -> str:
    """Return what a layer with a window or weights does; "" for the others.

    >>> does(Conv(64, 3, stride=2)), does(MaxPool(2)), does(Dense(10))
    ('3x3 conv 64 /2', '2x2 max-pool', 'dense 10')
    """
    if isinstance(layer, Dense):
        return f"dense {layer.out_features}"
    if layer.kind == "global-avg-pool":
        return "mean of each"
    if isinstance(layer, Conv):
        groups = f" in {layer.groups} groups" if layer.groups > 1 else ""
        return f"{_size(layer.window)} conv {layer.out_channels}{groups}{_stride(layer.stride, 1)}"
    if isinstance(layer, MaxPool | AvgPool):
        return f"{_size(layer.window)} {layer.kind}{_stride(layer.stride, layer.window)}"
    return ""


def _size(window: Any) -> str:
    both = window if isinstance(window, tuple) else (window, window)
    return "x".join(map(str, both))


def _stride(stride: Any, usual: Any) -> str:
    """Return how a stride is told where it is not the usual one."""
    if stride is None or stride == usual:
        return ""
    return f" /{_size(stride) if isinstance(stride, tuple) else stride}"
