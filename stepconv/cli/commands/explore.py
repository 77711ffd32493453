"""`stepconv explore`: a network from inside, from the picture to one multiplication and back."""

from typing import Annotated

import typer

from stepconv.cli.commands.play import on_a_screen
from stepconv.cli.reading import networks
from stepconv.errors import ArgumentError, DataError


def explore(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A run folder or its .safetensors file; a network of the zoo, or a .toml file.",
        ),
    ],
    picture: Annotated[
        str | None,
        typer.Option(metavar="N|FILE|NAME", help="A test picture, a file, one of the gallery [0]."),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(help="Whose test pictures: mnist, digits, a folder [what it learnt]."),
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="The right class; of a test picture it is known.")
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="LAYER:c,y,x", help="One cell: the window it comes from, and what it sees."
        ),
    ] = None,
    beside: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="A second network, whose answers stand beside."),
    ] = None,
    data_dir: networks.DataDir = None,
    backend: Annotated[str | None, typer.Option(help="cpu, or cuda: an NVIDIA GPU [cpu].")] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="A sentence for each layer, for screen readers.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON object for each layer, one a line.")
    ] = False,
    escape_leaves: Annotated[bool, typer.Option("--escape-leaves", hidden=True)] = False,
) -> None:
    """Look into MODEL with a picture in it: layers, maps, windows.

    On a terminal this opens the explorer: arrows and enter lead from the network to one
    multiplication, `d` to a sheet to draw on, `g` back from the loss; `?` lists all keys. On a pipe
    it prints.

    --at conv2:3,4,5 is the cell in row 4, column 5 of map 3, --at dense1:7 the number 7 of a row.
    With a name of weights it is where the gradient of one comes from: --at conv2.weight:3,0,1,1.

    Examples:

        stepconv explore runs/lenet5-mnist
        stepconv explore runs/lenet5-mnist --picture 7 --plain
        stepconv explore runs/lenet5-mnist --picture five.png --label 5 --json
        stepconv explore runs/lenet5-mnist --at conv2:3,4,5
        stepconv explore runs/lenet5-mnist --beside runs/mlp-mnist
        stepconv explore lenet5 --data digits --json
    """
    from stepconv.cli.exploring import looked, printed

    if plain and as_json:
        raise ArgumentError("--plain and --json say different things: give one")
    if backend == "portable":
        raise ArgumentError("--backend portable opens no network: cpu and cuda do")
    chosen = networks.backend(backend) if backend else None
    cell = None if at is None else printed.parsed(at)
    shown = cell is None and not plain and not as_json and on_a_screen()
    if beside is not None and not shown:
        raise ArgumentError(f"--beside {beside} is for the screen: else explore it by itself")
    network = looked.network(model)
    try:
        inside = looked.inside(network, picture, data, label, data_dir, chosen)
    except DataError:
        if not shown or picture is not None or data is not None:
            raise
        # What it learnt from is not here: there is a sheet to draw on.
        inside, picture = looked.blank(network, chosen), ""
    if shown:
        from stepconv.cli.exploring import on_screen

        status = on_screen.explore(
            on_screen.Opened(
                model, network, inside, "0" if picture is None else picture, data, data_dir, beside
            ),
            escape_leaves=escape_leaves,
        )
        if status:
            raise typer.Exit(status)
        return
    if cell is not None:
        printed.show_cell(inside, *cell, plain=plain, as_json=as_json)
    else:
        printed.show(inside, plain=plain, as_json=as_json)
