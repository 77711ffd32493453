"""Small pictures made of characters: two pixels a cell in colour, or five shades without."""

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.console import Console

    Array = NDArray[Any]

# Lines of text that a preview takes, so that it and the prompt fit on any screen.
LINES = 12


def show(console: "Console", pictures: "dict[str, Array]") -> None:
    """Print pictures, each of (rows, columns) or of several such planes, side by side."""
    import numpy as np
    from rich.text import Text

    from stepconv.player import render
    from stepconv.player.text.picture import half_blocks

    gap = 2
    width = min(38, (console.width - gap * (len(pictures) - 1)) // len(pictures))
    colour = render.shows_pictures(console)
    shades = render.ASCII_SHADES if console.options.ascii_only else render.SHADES
    drawn = []
    for pixels in pictures.values():
        small = resize(np.moveaxis(levels(pixels), 0, 2), 2 * LINES, width)
        lines = half_blocks(np.broadcast_to(small, (*small.shape[:2], 3)).tolist())
        drawn.append([render.text([line], colour=colour, shades=shades) for line in lines])
    captions = [Text(caption) for caption in pictures]
    for row in [captions, *zip_longest(*drawn, fillvalue=Text())]:
        for cell in row:
            cell.truncate(width, overflow="ellipsis", pad=True)
        console.print(Text(" " * gap).join(row), soft_wrap=True)


def levels(picture: "Array") -> "Array":
    """Return what a screen shows of any numbers: one or three planes of bytes.

    Bytes are shown as they are, other numbers from the least to the most; of channels that are no
    colours the first.
    """
    import numpy as np

    planes = picture if picture.ndim == 3 else np.atleast_2d(picture)[np.newaxis]
    if planes.dtype != np.uint8:
        low, high = float(planes.min()), float(planes.max())
        planes = np.rint((planes - low) * (255 / ((high - low) or 1))).astype(np.uint8)
    return planes if len(planes) == 3 else planes[:1]


def resize(pixels: "Array", rows: int, columns: int) -> "Array":
    """Return the picture as large as fits: each pixel repeated, or patches averaged.

    >>> import numpy as np
    >>> resize(np.array([[0, 255]], np.uint8), 2, 4)
    array([[  0,   0, 255, 255],
           [  0,   0, 255, 255]], dtype=uint8)
    """
    import numpy as np

    high, wide = pixels.shape[:2]
    times = min(rows // high, columns // wide)
    if times >= 1:
        return pixels.repeat(times, axis=0).repeat(times, axis=1)
    scale = min(rows / high, columns / wide)
    for axis, size in enumerate((high, wide)):
        cells = max(1, int(size * scale))
        starts = np.arange(cells) * size // cells
        counts = np.diff([*starts, size]).reshape(-1, *(1,) * (pixels.ndim - 1 - axis))
        pixels = np.add.reduceat(pixels, starts, axis, dtype=float) / counts
    return np.rint(pixels).astype(np.uint8)
