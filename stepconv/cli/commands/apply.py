"""`stepconv apply`: one kernel over one picture, from file to file."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv import files
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stepconv.cli.reading.picture_files import Picture

    Array = NDArray[Any]

# A kernel may begin with a minus, as in "-1 0 1".
CONTEXT = {"ignore_unknown_options": True}


def apply(
    picture: Annotated[
        str,
        typer.Argument(
            metavar="PICTURE",
            help="A picture of the gallery, or a .png, .jpg, .webp, .npy or .csv file.",
        ),
    ],
    kernel: Annotated[
        str,
        typer.Argument(
            metavar="KERNEL", help='A named kernel, a .npy or .csv file, or "1 0 -1; 2 0 -2; …".'
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("-o", "--out", help=".png, .jpg, .webp, .npy or .csv; without it a preview."),
    ] = None,
    mode: Annotated[
        str, typer.Option(help="What is beyond the edge: zeros, reflect, replicate, circular.")
    ] = "zeros",
    padding: Annotated[
        str, typer.Option(help='same, valid, full, or cells: "1", "1,2", "0:1,2:2".')
    ] = "same",
    stride: Annotated[int, typer.Option(help="Cells from one window to the next.")] = 1,
    true_convolution: Annotated[
        bool, typer.Option("--true-convolution", help="Mirror the kernel first.")
    ] = False,
    backend: Annotated[str | None, typer.Option(help="textbook, cpu or cuda.")] = None,
    normalise: Annotated[
        bool, typer.Option("--normalise", help="Stretch the result from black to white.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite OUT.")] = False,
) -> None:
    """Filter PICTURE with KERNEL and write the result, or show it.

    Each colour is filtered alone, and transparency is kept. Picture files are written with values
    rounded and clipped to 0..255; .npy and .csv hold the exact values.

    Examples:

        stepconv apply eight-22x16 sobel-x
        stepconv apply eight-22x16 sobel-x -o edges.png
        stepconv apply photo.jpg gaussian-5 -o soft.jpg --mode reflect
        stepconv apply photo.png "1 0 -1; 2 0 -2; 1 0 -1" -o edges.npy
        stepconv apply photo.png "-1 0 1; -2 0 2; -1 0 1" -o edges.png
    """
    from stepconv.cli import terminal
    from stepconv.cli.reading import picture_and_kernel, picture_files, typed
    from stepconv.cli.showing import output

    if out is not None:
        output.check(out, picture_files.SUFFIXES, force)
        picture_files.need_pillow(out)
    to_array = out is not None and out.suffix.lower() not in picture_files.FORMATS
    if to_array and normalise:
        raise ArgumentError(f"--normalise is for picture files: {out} holds the exact values")
    before = picture_and_kernel.picture(picture)
    if before.is_signal and not to_array:
        raise ArgumentError(f"a signal is no picture for {out or 'a preview'}: .npy and .csv fit")
    how = {"stride": stride, "padding": typed.padding(padding), "mode": mode, "backend": backend}
    weights = picture_and_kernel.kernel(kernel)
    if weights.ndim > 2:
        raise ArgumentError(f"kernel {kernel} has shape {weights.shape}: one or two axes fit")
    after = filtered(before, weights, true_convolution, how)
    screen, lost = on_screen(after, normalise)
    if out is not None:
        lost += _written(out, after if to_array else screen)
    name = str(out or f"{picture} under {kernel}")
    if lost and not to_array:
        terminal.complain(f"{name}: {'; '.join(lost)}")
    console = terminal.stdout()
    if (console.is_terminal or out is None) and not before.is_signal:
        from stepconv.cli.showing import preview

        preview.show(console, {picture: on_screen(before)[0].planes, name: screen.planes})


def _written(out: Path, content: "Picture") -> list[str]:
    """Write a picture and return what its format lost."""
    from stepconv.cli.reading import picture_files

    lost = []
    if out.suffix.lower() in (".jpg", ".jpeg") and content.alpha is not None:
        content = replace(content, alpha=None)
        lost.append("JPEG has no transparency, .png keeps it")
    files.write(out, picture_files.encode(content, out.suffix.lower()))
    return lost


def filtered(
    picture: "Picture", kernel: "Array", true_convolution: bool, options: dict[str, Any]
) -> "Picture":
    """Return the picture with each channel filtered; its transparency follows the windows.

    A one-dimensional kernel lies along the rows of a picture.
    """
    import numpy as np

    import stepconv

    if kernel.ndim == 1 and not picture.is_signal:
        kernel = kernel[np.newaxis]
    slide = stepconv.convolve if true_convolution else stepconv.correlate
    planes = np.stack([slide(plane, kernel, **options) for plane in picture.planes])
    alpha = picture.alpha
    if alpha is not None:
        alpha = alpha[np.ix_(*_middles(alpha.shape, kernel.shape, options))]
    return replace(picture, planes=planes, alpha=alpha)


def on_screen(picture: "Picture", normalise: bool = False) -> "tuple[Picture, list[str]]":
    """Return the picture in 8 bits, as a screen shows it, and what that lost."""
    import numpy as np

    from stepconv.cli.reading import picture_files

    values = picture.planes.astype(float)
    real = values[np.isfinite(values)]
    with np.errstate(all="ignore"):  # numbers near the end of float64 may overflow: they clip
        if normalise and real.size:
            # Halved, so that the distance between the largest numbers of all is one, too.
            low, high = real.min() / 2, real.max() / 2
            values = (values / 2 - low) / (high - low or 1) * 255
        else:
            values = values * (255 / picture.white)
    lost = []
    levels = np.rint(np.nan_to_num(values, nan=0.0))
    outside = np.count_nonzero((levels < 0) | (levels > 255))
    if outside:
        hint = "" if normalise else " (--normalise stretches)"
        lost.append(f"{outside} of {values.size} values clipped to 0..255{hint}")
    missing = np.count_nonzero(np.isnan(values))
    if missing:
        lost.append(f"{missing} of {values.size} values are NaN, drawn black")
    alpha = picture.alpha
    if alpha is not None:
        alpha = picture_files.in_8_bits(alpha * (255 / picture.white))
    return replace(picture, planes=picture_files.in_8_bits(levels), alpha=alpha, white=255), lost


def _middles(
    shape: tuple[int, ...], window: tuple[int, ...], options: dict[str, Any]
) -> "list[list[int]]":
    """Return for each axis the cells in the middle of the windows, the nearest one at the edge."""
    from stepconv.geometry import correlation_plan

    plan = correlation_plan(shape, window, stride=options["stride"], padding=options["padding"])
    return [
        [min(max(sum(axis.bounds(i)) - 1, 0) // 2, axis.size - 1) for i in range(axis.output)]
        for axis in plan.axes
    ]
