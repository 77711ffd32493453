"""`stepconv look`: a data set before a network learns from it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv.cli.reading import networks

if TYPE_CHECKING:
    from stepconv.train.data import DataSet
    from stepconv.train.look import Overview

MOST_LISTED = 5
# Classes and pictures of a sheet on the screen; a file holds more.
ROWS, COLUMNS, FILE_COLUMNS = 6, 5, 10


def look(
    data: Annotated[
        str,
        typer.Argument(
            metavar="DATA",
            help="mnist, fashion-mnist, digits, a folder, an .npz or a .csv of paths and labels.",
        ),
    ],
    data_dir: networks.DataDir = None,
    input: Annotated[
        str | None,
        typer.Option("--input", help="Pictures as a network is to read them, 3x64x64 for one."),
    ] = None,
    augment: Annotated[
        bool,
        typer.Option("--augment", help="Show what --augment makes of a picture of each class."),
    ] = False,
    sheet: Annotated[
        Path | None, typer.Option(help="Write the sheet of pictures as a .png file.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Look at DATA: its classes, counts, sizes, and what is odd.

    Pictures that are there twice are counted, and those that are both learnt from and judged by.

    Examples:

        stepconv look my-photos/
        stepconv look my-photos/ --augment --sheet sheet.png
        stepconv look digits --json
    """
    from stepconv.cli import terminal
    from stepconv.cli.showing import preview, training
    from stepconv.train import data as sets
    from stepconv.train import look as looking
    from stepconv.train.data.sets import check_name

    shape = None if input is None else networks.shape(input)
    check_name(data, shape)
    with training.waiting(terminal.stderr(), as_json) as say:
        say(f"loading {data}")
        found = sets.load(data, data_dir=data_dir, shape=shape)
    seen = looking.overview(found)
    if sheet is not None:
        from PIL import Image

        tiles = looking.sheet(found, FILE_COLUMNS, augment)
        Image.fromarray(tiled(tiles)).save(sheet)
    if as_json:
        told = {"data": data, "classes": found.classes, "shape": found.shape, **vars(seen)}
        terminal.print_json({**told, "notes": found.notes}, ensure_ascii=False)
        return
    console = terminal.stdout()
    for line in lines(found, seen):
        console.print(line, markup=False, soft_wrap=True)
    if console.is_terminal:
        tiles = looking.sheet(found, COLUMNS, augment)
        for name, row in zip(found.classes[:ROWS], tiles[:ROWS], strict=True):
            # Captions have to differ; spaces do.
            preview.show(console, {f"{name}{' ' * i}": tile for i, tile in enumerate(row)})


def lines(data: "DataSet", seen: "Overview") -> list[str]:
    """Return what there is to say, a line each."""
    shape = "x".join(map(str, data.shape))
    kind = "bytes" if data.train.pictures.dtype.itemsize == 1 else "numbers"
    told = [f"{data.name}: {len(data.classes)} classes, pictures of {shape} in {kind}"]
    if seen.sizes:
        told.append("files of {}x{} to {}x{} pixels".format(*seen.sizes[0], *seen.sizes[1]))
    told.append(
        f"from {seen.least:g} to {seen.most:g}, mean {seen.mean:.4g}, spread {seen.spread:.4g}"
    )
    width = max(len("class"), *map(len, data.classes))
    told += ["", " ".join([f"{'class':<{width}}", *(f"{part:>10}" for part in seen.counts)])]
    for number, name in enumerate(data.classes):
        counts = (f"{row[number]:>10,}" for row in seen.counts.values())
        told.append(" ".join([f"{name:<{width}}", *counts]))
    totals = (f"{sum(row):>10,}" for row in seen.counts.values())
    told += [" ".join([f"{'all':<{width}}", *totals]), "", *data.notes]
    both = {"are there twice": seen.twins, "are learnt from and judged by": seen.leaks}
    for what, pairs in both.items():
        if pairs:
            told.append(f"{len(pairs):,} pictures {what}:")
            told += [f"  {one} = {other}" for one, other in pairs[:MOST_LISTED]]
    return told


def tiled(tiles: Any) -> Any:
    """Return a sheet of pictures as one, with a line of gray between them."""
    import numpy as np

    from stepconv.cli.showing import preview

    border = ((0, 0), (1, 1), (1, 1))
    rows = []
    for row in tiles:
        shown = [np.pad(preview.levels(tile), border, constant_values=128) for tile in row]
        rows.append(np.concatenate(shown, axis=2))
    whole = np.concatenate(rows, axis=1)
    return whole[0] if len(whole) == 1 else np.moveaxis(whole, 0, 2)
