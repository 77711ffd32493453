"""Small pictures made of characters: two pixels a cell in colour, or five shades without."""

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from rich.console import Console
    from rich.text import Text

    Array = NDArray[Any]

# Lines of text that a preview takes, so that it and the prompt fit on any screen.
LINES = 12
SHADES = " ░▒▓█"
ASCII_SHADES = " .:*#"


def show(console: "Console", pictures: "dict[str, Array]") -> None:
    """Print 8-bit pictures of (rows, columns) or (rows, columns, 3) side by side, captioned."""
    from rich.text import Text

    gap = 2
    width = min(38, (console.width - gap * (len(pictures) - 1)) // len(pictures))
    drawn = {}
    for caption, pixels in pictures.items():
        small = resize(pixels, 2 * LINES, width)
        # Without colour, or with sixteen colours only, shades tell more than half blocks.
        if console.no_color or console.color_system not in ("256", "truecolor"):
            ramp = ASCII_SHADES if console.options.ascii_only else SHADES
            drawn[caption] = [Text(line) for line in shades(small, ramp)]
        else:
            drawn[caption] = half_blocks(small)
    captions = [Text(caption) for caption in drawn]
    for line in [captions, *zip_longest(*drawn.values(), fillvalue=Text())]:
        for cell in line:
            cell.truncate(width, overflow="ellipsis", pad=True)
        console.print(Text(" " * gap).join(line), soft_wrap=True)


def half_blocks(pixels: "Array") -> "list[Text]":
    """Draw two pixels in each character cell: the upper one in front, the lower one behind."""
    from rich.color import Color
    from rich.style import Style
    from rich.text import Text

    lines = []
    for y in range(0, len(pixels), 2):
        line = Text()
        for column in pixels[y : y + 2].swapaxes(0, 1).tolist():
            colors = [Color.from_rgb(*(_rgb(pixel))) for pixel in column]
            line.append("▀", Style.from_color(*colors))
        lines.append(line)
    return lines


def shades(pixels: "Array", ramp: str) -> list[str]:
    """Draw two pixels, one above the other, as one character of `ramp`, from dark to light."""
    import numpy as np

    gray = pixels.mean(axis=2) if pixels.ndim == 3 else pixels
    upper, lower = gray[::2], gray[1::2]
    if len(upper) > len(lower):
        lower = np.concatenate([lower, upper[-1:]])
    steps = ((upper.astype(float) + lower) / 2 * len(ramp) / 256).astype(int)
    return ["".join(ramp[step] for step in row) for row in steps]


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


def _rgb(pixel: Any) -> tuple[int, int, int]:
    return tuple(pixel) if isinstance(pixel, list) else (pixel, pixel, pixel)
