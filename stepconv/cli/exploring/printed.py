"""A network looked into on stdout: layer by layer, or one cell with its window and its field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stepconv.cli import terminal
from stepconv.cli.showing import steps
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stepconv.inside import Inside


def parsed(at: str) -> tuple[str, tuple[int, ...]]:
    """Return the layer and the cell that were typed.

    >>> parsed("conv2:3,4,5"), parsed("dense1:7")
    (('conv2', (3, 4, 5)), ('dense1', (7,)))
    """
    layer, _, place = at.rpartition(":")
    numbers = [number.strip() for number in place.split(",")]
    if not layer or not all(number.isdecimal() for number in numbers):
        raise ArgumentError(f"--at {at!r} is no cell of a layer: conv2:3,4,5 or dense1:7 fits")
    return layer.strip(), tuple(map(int, numbers))


def show(inside: Inside, *, plain: bool, as_json: bool) -> None:
    """Print a line for every layer, and what the network takes the picture for."""
    from stepconv.inside import shown

    with terminal.working():
        _ = inside.probabilities
    if as_json:
        for row in shown.layer_rows(inside):
            terminal.print_json(vars(row))
        terminal.print_json(answer(inside), ensure_ascii=False)
    elif plain:
        for line in sentences(inside):
            print(line)
    else:
        for line in shown.table(inside):
            print(line)


def answer(inside: Inside) -> dict[str, Any]:
    """Return what the network says of the picture as plain data."""
    told = inside.prediction
    found = {
        "prediction": told,
        "class": inside.classes[told],
        "probability": float(inside.probabilities[told]),
        "probabilities": inside.probabilities.tolist(),
        "classes": inside.classes,
    }
    if inside.label is None:
        return found
    return found | {"label": inside.label, "loss": inside.loss}


def sentences(inside: Inside) -> Iterator[str]:
    """Yield a sentence for every layer, and one for the answer."""
    from stepconv.inside import shown

    yield f"{inside.model.name} reads a picture of {_sizes(inside.input.shape)}."
    for row in shown.layer_rows(inside):
        seen = f"a cell sees {_sizes(row.field)} pixels"
        numbers = f"numbers from {row.minimum:.4g} to {row.maximum:.4g}, mean {row.mean:.4g}"
        yield (
            f"{row.layer}, {row.kind}: output {_sizes(row.output_shape)}, {seen}, {numbers}, "
            f"{row.share_of_zeros:.0%} zeros."
        )
    shares = inside.probabilities
    order = sorted(range(len(shares)), key=lambda k: -shares[k])[:3]
    likely = ", ".join(f"{inside.classes[k]} {shares[k]:.1%}" for k in order)
    yield f"It is {shown.verdict(inside)}. Likeliest: {likely}."


def show_cell(
    inside: Inside, layer: str, index: tuple[int, ...], *, plain: bool, as_json: bool
) -> None:
    """Print the step that computed a cell, and the pixels that can reach it."""
    try:
        with terminal.working():
            step = inside.at(layer, index)
    except ArgumentError as error:
        raise ArgumentError(f"--at {layer}:{','.join(map(str, index))}: {error}") from None
    field = inside.field(layer, index) if layer in inside.layers else None
    if as_json:
        found = {"layer": layer, **steps.as_data(step), "output_index": index}
        if field is not None:
            found |= {"field": field.bounds, "field_pixels": int(field.cells.any(axis=0).sum())}
        terminal.print_json(found)
        return
    if plain:
        print(f"{layer}: {step.in_words()}")
    else:
        steps.panels(step.trace, [step])
    if field is not None:
        print(field.in_words())


def _sizes(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
