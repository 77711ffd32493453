"""A network with a picture in it, shown: a line, a table for a terminal, a page for a notebook."""

from __future__ import annotations

import base64
import html
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stepconv.nn import shapes
from stepconv.nn.layers import sizes

if TYPE_CHECKING:
    from stepconv.inside.record import Inside, LayerInside

Array = NDArray[Any]

# A page shows so many maps of a layer. It enlarges small ones up to so many pixels, a row of
# numbers up to so many, and all of a layer up to so wide.
MOST_MAPS, ENLARGED, ROW, WIDE = 16, 56, 12, 640
BAR = 20


@dataclass(frozen=True)
class LayerRow:
    """What there is to say of one layer: its output in numbers, and what one cell of it sees."""

    layer: str
    kind: str
    output_shape: tuple[int, ...]
    field: tuple[int, ...]
    minimum: float
    maximum: float
    mean: float
    share_of_zeros: float


def layer_rows(inside: Inside) -> list[LayerRow]:
    """Return a row for every layer in the order of the forward pass."""
    model = inside.model
    found = []
    for row in shapes.rows(model.layers, model.input_shape):
        out = inside[row.name].output
        found.append(
            LayerRow(
                row.name,
                row.kind,
                row.output,
                row.sees,
                float(out.min()),
                float(out.max()),
                float(out.mean(dtype=float)),
                float((out == 0).mean()),
            )
        )
    return found


def verdict(inside: Inside) -> str:
    """Return what the network takes the picture for, and what it is if that is known."""
    share = inside.probabilities[inside.prediction]
    told = f"told {inside.classes[inside.prediction]} ({share:.1%})"
    if inside.label is None:
        return told
    return f"{told}, it is {inside.classes[inside.label]}: loss {inside.loss:.4g}"


def line(inside: Inside) -> str:
    """Return a network and what it says in one line."""
    name = inside.model.name
    return f"{name}: {sizes(inside.input.shape)}, {len(inside.layers)} layers, {verdict(inside)}"


def table(inside: Inside) -> Iterator[str]:
    """Yield the lines of a table: a layer in each, the likeliest classes at the end."""
    head = ("layer", "output", "sees", "minimum", "maximum", "mean", "zeros")
    cells = [head, *map(_cells, layer_rows(inside))]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    yield line(inside)
    for name, *others in cells:
        aligned = (f"{cell:>{width}}" for cell, width in zip(others, widths[1:], strict=True))
        yield f"{name:<{widths[0]}}  {'  '.join(aligned)}"
    width = max(map(len, inside.classes))
    for k in _likeliest(inside):
        share = inside.probabilities[k]
        yield f"{inside.classes[k]:>{width}} {'█' * round(BAR * share):<{BAR}} {share:>6.1%}"


def page(inside: Inside) -> str:
    """Return a page: the picture, each layer's maps, and a bar for each class; it loads nothing."""
    parts = [f"<p><b>{html.escape(line(inside))}</b></p>", _image(_grey(inside.input)), "<table>"]
    parts.append("<tr><th>layer</th><th>output</th><th>sees</th><th>maps</th></tr>")
    for row in layer_rows(inside):
        cells = (row.layer, sizes(row.output_shape), sizes(row.field))
        told = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        parts.append(f"<tr>{told}<td>{_maps(inside[row.layer].output)}</td></tr>")
    parts.append("</table><table>")
    for k in _likeliest(inside):
        share = float(inside.probabilities[k])
        bar = f'<div style="background:#1e90ff;height:1em;width:{200 * share:.0f}px"></div>'
        name = html.escape(inside.classes[k])
        parts.append(f"<tr><td>{name}</td><td>{bar}</td><td>{share:.1%}</td></tr>")
    return "".join([*parts, "</table>"])


def maps(look: LayerInside) -> str:
    """Return a layer as a sentence and its maps, and with a label the gradients of these."""
    shown = f"<p>{html.escape(repr(look)[1:-1])}</p>{_maps(look.output)}"
    if look.inside.label is None or look.name not in look.inside.layers:
        return shown
    return f"{shown}<p>the loss's gradient for them</p>{_maps(look.grad)}"


def _cells(row: LayerRow) -> tuple[str, ...]:
    numbers = (f"{number:.3g}" for number in (row.minimum, row.maximum, row.mean))
    return (
        *(row.layer, sizes(row.output_shape), sizes(row.field)),
        *(*numbers, f"{row.share_of_zeros:.0%}"),
    )


def _likeliest(inside: Inside) -> list[int]:
    """Return the classes to show: all of few, of many the likeliest first."""
    if len(inside.classes) <= 10:
        return list(range(len(inside.classes)))
    order: list[int] = np.argsort(-inside.probabilities, kind="stable")[:10].tolist()
    return order


def _maps(out: Array) -> str:
    """Return the maps of a layer side by side as one picture, or a row of numbers as a strip."""
    if out.ndim == 1:
        return _image(_grey(out[None, None]), tall=ROW)
    few = out[:MOST_MAPS]
    apart = np.full((*few.shape[:2], 1), few.min(), few.dtype)
    strip = np.hstack(list(np.concatenate([few, apart], axis=2)))
    more = f" and {len(out) - len(few)} more" if len(out) > len(few) else ""
    return _image(_grey(strip[None])) + more


def _grey(planes: Array) -> Array:
    """Return (rows, columns, 1 or 3) bytes, from the smallest number 0 to the largest 255."""
    planes = planes if len(planes) in (1, 3) else planes[:1]
    low, high = float(planes.min()), float(planes.max())
    levels = (planes - low) / ((high - low) or 1.0)
    return np.rint(np.moveaxis(levels, 0, -1) * 255).astype(np.uint8)


def _image(pixels: Array, tall: int = ENLARGED) -> str:
    """Return bytes as an image that stands in the page itself, small ones enlarged."""
    rows, columns = pixels.shape[:2]
    zoom = max(1, min(tall // rows, WIDE // columns))
    height, width = ROW if rows == 1 else rows * zoom, columns * zoom
    code = base64.b64encode(png(pixels)).decode()
    return (
        f'<img src="data:image/png;base64,{code}" width="{width}" height="{height}" alt="" '
        'style="image-rendering: pixelated">'
    )


def png(pixels: Array) -> bytes:
    """Return bytes (rows, columns, 1 or 3) as a PNG file.

    >>> png(np.zeros((1, 1, 1), np.uint8))[:8]
    b'\\x89PNG\\r\\n\\x1a\\n'
    """
    height, width, channels = pixels.shape
    kind = 0 if channels == 1 else 2  # grey, or red, green and blue
    lines = b"".join(b"\0" + row.tobytes() for row in pixels)  # 0: the line is not filtered
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
