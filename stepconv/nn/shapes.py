"""What each layer of a network measures, with every formula filled in: rows for a table."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from stepconv.geometry import ReceptiveField, Shape, covering, receptive_field
from stepconv.nn.layers import Concat, Conv, Dense, Flatten, GlobalAvgPool, Layer, through
from stepconv.nn.model import Place, stack

# What a cell sees of the network's picture, along each axis.
Fields = tuple[ReceptiveField, ...]


@dataclass(frozen=True)
class Row:
    """One layer: what comes in, what goes out, what it learns, what one image costs, what it sees.

    `sees` are the rows and columns of the network's input that one cell of the output depends on,
    those in the padding included.
    """

    name: str
    kind: str
    input: Shape
    output: Shape
    size_formulas: tuple[str, ...]
    parameters: int
    parameter_formula: str
    multiplications: int
    sees: Shape


@dataclass(frozen=True)
class Measured:
    """A network, measured: what it is, what goes in, its layers and a row for every one."""

    name: str
    about: str
    input: Shape
    layers: tuple[Layer, ...]
    rows: tuple[Row, ...]

    @property
    def parameters(self) -> int:
        """Numbers that the network learns."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiplications(self) -> int:
        """Products of weights and inputs for one image."""
        return sum(row.multiplications for row in self.rows)

    @property
    def depth(self) -> int:
        """Layers with weights along the longest way, as in the names of the famous networks."""
        return sum(map(_depth, self.layers))

    @property
    def field(self) -> Shape:
        """What a cell of the last maps sees, before dense layers or means see all."""
        maps = [row.sees for row in self.rows if len(row.output) == 3]
        return maps[-1] if maps else _plane(self.input)


def _depth(layer: Layer) -> int:
    if isinstance(layer, Conv | Dense):
        return 1
    return max((sum(map(_depth, part)) for part in layer.parts().values()), default=0)


def measured(name: str, about: str, layers: Sequence[Layer], shape: Shape) -> Measured:
    """Return a network measured for a picture of that shape."""
    return Measured(name, about, shape, tuple(layers), rows(layers, shape))


def rows(layers: Sequence[Layer], shape: Shape) -> tuple[Row, ...]:
    """Return a row for every layer of a stack; the layers inside one come before it."""
    return tuple(_rows(layers, shape, tuple(ReceptiveField() for _ in _plane(shape)), shape, ""))


def _rows(
    layers: Sequence[Layer], shape: Shape, seen: Fields, picture: Shape, prefix: str
) -> Generator[Row, None, Fields]:
    """Yield the rows of a stack; return what a cell that comes out of it sees."""
    for place in stack(layers, shape, prefix):
        ends: list[Fields] = []
        for name, inner in place.inside():
            ends.append((yield from _rows(inner, place.input, seen, picture, name)))
        seen = _seen(place, seen, ends, picture)
        yield Row(
            place.name,
            place.layer.kind,
            place.input,
            place.output,
            size_formulas(place),
            place.parameter_count,
            parameter_formula(place),
            place.multiplications,
            tuple(field.size for field in seen),
        )
    return seen


def _seen(place: Place, seen: Fields, ends: list[Fields], picture: Shape) -> Fields:
    """Return what a cell of a layer's output sees, from what one of its input sees."""
    if ends:  # of the stacks inside
        return tuple(covering(fields) for fields in zip(*ends, strict=True))
    if isinstance(place.layer, Dense | GlobalAvgPool):
        return tuple(ReceptiveField(size) for size in _plane(picture))
    if place.plan is None:
        return seen
    pairs = zip(place.plan.axes, seen, strict=True)
    return tuple(receptive_field([axis], field) for axis, field in pairs)


def size_formulas(place: Place) -> tuple[str, ...]:
    """Return how the output's size comes about: once, or for rows and columns if they differ."""
    layer = place.layer
    if isinstance(layer, Concat):
        parts = [through(branch, place.input)[0] for branch in layer.branches]
        return (f"{place.output[0]:,} = {' + '.join(f'{part:,}' for part in parts)}",)
    if isinstance(layer, Flatten):
        return (f"{place.output[0]:,} = {'·'.join(map(str, place.input))}",)
    axes = place.plan.axes if place.plan else ()
    return tuple(dict.fromkeys(axis.formula() for axis in axes))


def parameter_formula(place: Place) -> str:
    """Return how many numbers the layer learns, with the formula filled in; "" if none.

    >>> from stepconv.nn.layers import Conv
    >>> parameter_formula(next(stack([Conv(10, 3)], (3, 32, 32))))
    '280 = (3·3·3 + 1) · 10'
    """
    shapes = place.layer.parameters(place.input)
    if not shapes:
        return ""
    out, *read = shapes["weight"]
    if not read:  # a weight and a bias for each channel
        return f"{place.parameter_count:,} = {len(shapes)} · {out:,}"
    channels, *window = read
    inputs = "·".join([*map(str, window), f"{channels:,}"])
    each = f"({inputs} + 1)" if "bias" in shapes else inputs
    return f"{place.parameter_count:,} = {each} · {out:,}"


def _plane(shape: Shape) -> Shape:
    """Return rows and columns of a picture; a flat row of numbers has one axis."""
    return shape[1:] or shape
