"""`stepconv filters`: what the first layer of a trained network has learnt to look for."""

from math import prod
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv.cli.reading import networks
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.nn.checkpoint import Network

WIDTH = 14


def filters(
    path: networks.Trained,
    layer: Annotated[
        str | None, typer.Option(help="The layer, as conv2; the first with weights if not given.")
    ] = None,
    count: Annotated[int, typer.Option(min=1, help="Show so many at most.")] = 32,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
) -> None:
    """Show the kernels that MODEL has learnt, as pictures.

    Black is the most negative weight, white the largest, gray stands for 0. A kernel looks for what
    it looks like: a bright stroke above a dark one finds the lower edge of a line. Cells of a dense
    layer that reads pictures are shown as pictures.

    Examples:

        stepconv filters runs/lenet5-mnist
        stepconv filters runs/lenet5-mnist --layer conv2 --count 8
    """
    from stepconv.cli import terminal

    network = networks.trained(path)
    name, kernels = learned(network, layer)
    if as_json:
        terminal.print_json({"layer": name, "kernels": kernels.tolist()})
        return
    from stepconv.cli.showing import preview

    console = terminal.stdout()
    shown = pictures(kernels)[:count]
    size = "x".join(map(str, kernels.shape[2:]))
    print(
        f"{network.model.name}, {name}: {len(kernels)} kernels of {size}, {kernels.shape[1]} deep"
    )
    across = max(1, (console.width + 2) // (WIDTH + 2))
    for start in range(0, len(shown), across):
        row = dict(shown[start : start + across])
        # Places that stay empty keep the others as narrow as in the rows before.
        blank = {" " * n: shown[0][1] * 0 for n in range(1, across - len(row) + 1)}
        preview.show(console, {**row, **blank})


def learned(network: "Network", layer: str | None) -> tuple[str, Any]:
    """Return a layer's name and its kernels, (how many, channels, rows, columns)."""
    shape = network.model.input_shape
    found = {}
    for key, array in network.parameters.items():
        name, _, kind = key.rpartition(".")
        if kind == "weight" and array.ndim == 4:
            found[name] = array
        elif kind == "weight" and array.ndim == 2 and array[0].size == prod(shape):
            found[name] = array.reshape(-1, *shape)
    if not found:
        raise ArgumentError(f"{network.model.name} has no layer whose weights make pictures")
    if layer is None:
        layer = next(iter(found))
    if layer not in found:
        raise ArgumentError(f"layer {layer!r} has no kernels to show: {', '.join(found)} fit")
    return layer, found[layer]


def pictures(kernels: Any) -> list[tuple[str, Any]]:
    """Return captions and 8-bit pictures, 0 as middle gray; three channels are colours."""
    import numpy as np

    shown = []
    for number, kernel in enumerate(kernels):
        most = np.abs(kernel).max() or 1.0
        bytes_ = np.rint(127.5 + 127.5 * kernel / most).astype(np.uint8)
        if len(kernel) in (1, 3):
            shown.append((str(number), bytes_))
        else:
            shown += [(f"{number}, channel {c}", plane) for c, plane in enumerate(bytes_)]
    return shown
