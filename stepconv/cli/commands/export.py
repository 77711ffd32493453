"""`stepconv export`: steps, records and networks as files; the suffix says which kind."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from stepconv.cli.reading import targets


@targets.with_target
def export(
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="The file; its suffix says the kind.")],
    step: Annotated[
        int | None, typer.Option("--step", help="One step, counted from 0; -1 is the last.")
    ] = None,
    steps: Annotated[
        str | None, typer.Option("--steps", metavar="A:B", help="The steps from A up to B.")
    ] = None,
    every: Annotated[
        int | None, typer.Option("--every", metavar="N", help="Every Nth of the steps.")
    ] = None,
    link: Annotated[
        int | None, typer.Option("--link", help="One call of a chain, counted from 0.")
    ] = None,
    width: Annotated[
        int | None, typer.Option("--width", help="Pixels of a picture, columns of a .cast.")
    ] = None,
    fps: Annotated[
        float | None, typer.Option("--fps", help="Steps a second of a film [2].")
    ] = None,
    dark: Annotated[bool, typer.Option("--dark", help="White on black.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    asked: targets.Asked,
    letters: targets.Letters = False,
    way: targets.Way = None,
    cell: targets.OutputCell = None,
) -> None:
    """Write a record, its steps or a network as a file.

    TARGET is what `stepconv show` takes, or for .html, .onnx and .toml a network too: a run folder
    or its .safetensors file. The suffix of the file decides:

        .svg .png    one step (--step 3), or as a film several (--steps 0:8)
        .gif         a film of the steps
        .pptx        a slide for each step, with tables that can be edited
        .pdf         a page for each step
        .cast        a terminal's recording for asciinema, with markers
        .html        a page that plays
        .json .npz   the steps as data; the record
        .onnx .toml  a trained network; a network's description

    With --as the steps are those of an algorithm, the last of them the table of all that suit.

    .png and .gif need the extra stepconv[images], .pptx stepconv[slides], .onnx stepconv[onnx].

    Examples:

        stepconv export vertical-edge-rgb --step 3 -o edge.svg
        stepconv export vertical-edge-rgb --steps 0:16 --fps 4 -o edge.gif
        stepconv export eight-22x16 --kernel sobel-x --every 20 -o slides.pptx
        stepconv export max-pool-4x4 --then relu -o pool.pdf
        stepconv export vertical-edge-gray --as winograd -o winograd.pptx
        stepconv export runs/lenet5-mnist -o digits.onnx
    """
    from stepconv.cli.showing import exporting
    from stepconv.cli.showing.kinds import Wanted

    wanted = Wanted(out, step, steps, every, link, width, fps, letters, dark, way, cell, force)
    holds, *more = exporting.export(asked, wanted)
    told = f"{out}: {holds}, {out.stat().st_size:,} bytes"
    print("\n".join([told, *more]), file=sys.stderr)
