"""`stepconv shapes`: what every layer of a network measures, learns and costs, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv.cli import terminal
from stepconv.cli.reading import networks
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from rich.text import Text

    from stepconv.geometry import Shape
    from stepconv.nn import Layer, Model
    from stepconv.nn.shapes import Measured, Row

GAP = "  "


def shapes(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL…",
            help="A network of the zoo, a famous one, a .toml file, a run folder, or a layer of "
            "the lectures; of several, a table.",
        ),
    ],
    input: Annotated[
        str | None, typer.Option("--input", help="Another picture: channels x rows x columns.")
    ] = None,
    classes: Annotated[
        int | None, typer.Option(help="So many classes, for a network of the zoo or a famous one.")
    ] = None,
    draw: Annotated[
        bool, typer.Option("--draw", help="Draw it: boxes of maps, modules by their branches.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--output", "-o", help="The drawing as an .svg file.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite what is there.")] = False,
    toml: Annotated[
        bool, typer.Option("--toml", help="Print the network as a .toml file to edit.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object; of several networks one a line.")
    ] = False,
) -> None:
    """Show a network layer by layer, or several in one table.

    "sees" is the receptive field: the rows and columns of the picture, its padding included, that
    one cell of the layer depends on. Multiplications are those of weights and inputs for one image.

    MODEL is a .toml file (docs/training.md), a run folder, or one of these names:

        mlp lenet5 mini-alexnet mini-zfnet
        mini-vgg mini-googlenet mini-resnet mini-densenet
        alexnet zfnet vgg16 googlenet resnet50 resnet152 densenet121
        efficientnet-lite0
        parameters-10-filters parameters-dense-150 parameters-dense-32

    Examples:

        stepconv shapes lenet5
        stepconv shapes vgg16 | grep dense
        stepconv shapes lenet5 alexnet vgg16 googlenet resnet152 densenet121
        stepconv shapes mini-resnet --draw
        stepconv shapes googlenet --draw -o googlenet.svg
        stepconv shapes mini-vgg --input 1x32x32
        stepconv shapes my-net.toml --json
        stepconv shapes lenet5 --input 3x64x64 --classes 3 --toml > net.toml
    """
    picture = None if input is None else networks.shape(input)
    if classes is not None and classes < 1:
        raise ArgumentError(f"--classes {classes} does not fit: 1 or more do")
    chosen = [
        option
        for option, is_on in (
            ("--out" if out and not draw else "--draw", draw or out),
            ("--toml", toml),
            ("--json", as_json),
        )
        if is_on
    ]
    if len(chosen) > 1:
        raise ArgumentError(f"{' and '.join(chosen)} say two things: give one")
    if toml:
        if len(models) > 1:
            raise ArgumentError(f"--toml writes one network, not {len(models)}: give one MODEL")
        from stepconv import nn

        print(nn.to_toml(_model(models[0], picture, classes)), end="")
        return
    if out is not None:
        from stepconv.cli.showing import output

        output.check(out, (".svg",), force)
    measures = [measured(model, picture, classes) for model in models]
    console = terminal.stdout()
    if out is not None:
        from stepconv import files
        from stepconv.explorer.architecture import as_svg

        files.write(out, as_svg.svg(blocks_of(measures)).encode())
    elif draw:
        from stepconv.player import render

        console.print(render.text(drawn(measures, console.width)), soft_wrap=True)
    elif len(measures) > 1:
        from stepconv.cli.showing import comparing

        comparing.show(console, measures, as_json)
    elif as_json:
        terminal.print_json(as_data(measures[0]), ensure_ascii=False)
    else:
        shown = on_screen(measures[0], console.width) if console.is_terminal else None
        for line in shown or on_a_pipe(measures[0]):
            console.print(line, markup=False, soft_wrap=True)


def measured(model: str, picture: Shape | None = None, classes: int | None = None) -> Measured:
    """Return the network of that name, or in that file, measured for a picture of that shape.

    One of the zoo is made for the picture first.
    """
    from stepconv.nn.shapes import measured as measure

    layer = _of_lectures().get(model)
    if layer is not None:
        if classes is not None:
            raise ArgumentError(f"--classes {classes} does not fit: {model} is one layer")
        about, usual, layers = layer
    else:
        # A row of numbers is no picture to make a network for; its first layer may read it all
        # the same.
        made = _model(model, picture if picture and len(picture) == 3 else None, classes)
        about, usual, layers = made.about, made.input_shape, made.layers
    return measure(model, about, layers, picture or usual)


def _model(model: str, picture: Shape | None, classes: int | None) -> Model:
    """Return the network of that name, for such pictures and so many classes."""
    from stepconv.nn.zoo import famous, small

    if model in famous.SHEETS:
        return famous.build(model, picture or famous.PICTURE, classes or famous.CLASSES)
    lectures = _of_lectures()
    if model in lectures:
        raise ArgumentError(f"{model} is one layer, no network: lenet5 fits")
    made = networks.model(model, [*famous.SHEETS, *lectures], picture, classes)
    if model in small.ZOO:
        return made
    if classes is not None and classes != made.classes:
        raise ArgumentError(
            f"--classes {classes} does not fit: {model} tells {made.classes} classes; a network of "
            f"the zoo is made for any number"
        )
    return made if picture is None else replace(made, input_shape=picture)


def blocks_of(measures: list[Measured]) -> list[tuple[str, Any]]:
    from stepconv.explorer.architecture.blocks import blocks

    return [(each.name, blocks(each.layers, each.input)) for each in measures]


def drawn(measures: list[Measured], width: int) -> list[Any]:
    """Return drawings as lines, each under its network's name if there are several."""
    from stepconv.explorer.architecture import on_terminal
    from stepconv.player.text.lines import Piece

    lines: list[Any] = []
    for name, made in blocks_of(measures):
        if len(measures) > 1:
            lines += [*([()] if lines else []), (Piece(name, "title"),)]
        lines += on_terminal.drawing(made, width)
    return lines


def _of_lectures() -> dict[str, tuple[str, Shape, tuple[Layer, ...]]]:
    """Return the worked examples that count the parameters of one layer, as networks of one."""
    from stepconv import nn
    from stepconv.trace.gallery import worked

    found: dict[str, tuple[str, Shape, tuple[Layer, ...]]] = {}
    for example in worked.worked_examples():
        o = example.options
        if example.op == "parameter_count":
            # Windows learn as much on any picture; this is the size that the lecture speaks of.
            conv = nn.Conv(o["out_channels"], o["kernel"], bias=o["bias"])
            found[example.id] = (example.title, (o["in_channels"], 150, 150), (conv,))
        elif example.op == "parameter_count_dense":
            dense = nn.Dense(o["outputs"], bias=o["bias"])
            found[example.id] = (example.title, (o["inputs"],), (dense,))
    return found


def origin(name: str) -> dict[str, Any]:
    """Return when and by whom a network was made, and its published error in per cent."""
    from stepconv.nn.zoo.papers import paper

    known = paper(name)
    if known is None:
        return {"year": None, "authors": None, "published_error": None}
    return {"year": known.year, "authors": known.authors, "published_error": known.error}


def as_data(network: Measured) -> dict[str, Any]:
    """Return a measured network as plain data."""
    return {
        "model": network.name,
        "about": network.about,
        "input": network.input,
        **origin(network.name),
        "parameters": network.parameters,
        "multiplications": network.multiplications,
        "depth": network.depth,
        "receptive_field": network.field,
        "layers": [vars(row) for row in network.rows],
    }


def on_a_pipe(network: Measured) -> Iterator[str]:
    """Yield one line for each layer, its formulas at the end."""
    cells = _table(network)
    widths = _widths(cells)
    formulas = ["formulas", *(GAP.join(_formulas(row)) for row in network.rows), ""]
    for line, formula in zip(cells, formulas, strict=True):
        yield f"{_aligned(line, widths)}{GAP}{formula}".rstrip()


def on_screen(network: Measured, width: int) -> Iterator[Text]:
    """Yield lines of at most `width` cells: a layer, and its formulas on the next line."""
    from rich.text import Text

    yield Text.assemble((network.name, "bold"), f"  input {_size(network.input)}")
    if network.about:
        yield Text(terminal.cut(" ".join(network.about.split()), width), style="dim")
    yield Text()
    cells = _table(network)
    if _total(_widths(cells)) > width:
        cells = _table(network, short=True)
    names, *others = _widths(cells)
    widths = [min(names, width - _total([0, *others])), *others]
    header, *lines, total = (_aligned(line, widths) for line in cells)
    yield Text(header, style="bold")
    for row, line in zip(network.rows, lines, strict=True):
        formulas = _formulas(row)
        yield Text(line, style="" if formulas else "dim")
        for below in _filled(formulas, width - 2):
            yield Text(f"  {below}", style="cyan")
    yield Text("─" * min(width, _total(widths)), style="dim")
    yield Text(total.rstrip(), style="bold")


def _table(network: Measured, short: bool = False) -> list[tuple[str, ...]]:
    """Return headings, a line for each layer, and the sums; `short` where there is little room."""

    def products(count: int) -> str:
        return terminal.short(count) if short else f"{count:,}"

    def field(sizes: Shape) -> str:
        return str(sizes[0]) if short and len(set(sizes)) == 1 else _size(sizes)

    return [
        ("layer", "output", "parameters", "products" if short else "multiplications", "sees"),
        *(
            (
                row.name,
                _size(row.output),
                f"{row.parameters:,}",
                products(row.multiplications),
                field(row.sees),
            )
            for row in network.rows
        ),
        ("total", "", f"{network.parameters:,}", products(network.multiplications), ""),
    ]


def _formulas(row: Row) -> list[str]:
    return [*row.size_formulas, *([row.parameter_formula] if row.parameter_formula else [])]


def _filled(formulas: list[str], width: int) -> list[str]:
    """Return the formulas in one line if they fit, else in a line each."""
    line = "   ".join(formulas)
    if len(line) <= width:
        return [line] if line else []
    return [terminal.cut(formula, width) for formula in formulas]


def _widths(cells: list[tuple[str, ...]]) -> list[int]:
    return [max(map(len, column)) for column in zip(*cells, strict=True)]


def _total(widths: list[int]) -> int:
    return sum(widths) + len(GAP) * (len(widths) - 1)


def _aligned(line: tuple[str, ...], widths: list[int]) -> str:
    """Return a line of the table: the name to the left, what is counted to the right."""
    name, *counted = line
    if len(name) > widths[0]:
        name = f"…{name[1 - widths[0] :]}"  # what is inside tells more than what it is in
    aligned = (f"{cell:>{width}}" for cell, width in zip(counted, widths[1:], strict=True))
    return GAP.join([f"{name:<{widths[0]}}", *aligned])


def _size(sizes: Shape) -> str:
    return "x".join(map(str, sizes))
