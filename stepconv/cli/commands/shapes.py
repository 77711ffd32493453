"""`stepconv shapes`: what every layer of a network measures, learns and costs, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv.cli import terminal
from stepconv.cli.reading import networks

if TYPE_CHECKING:
    from rich.text import Text

    from stepconv.geometry import Shape
    from stepconv.nn import Layer
    from stepconv.nn.shapes import Row

GAP = "  "


@dataclass(frozen=True)
class Measured:
    """A network, measured: what it is, what goes in, a row for every layer."""

    name: str
    about: str
    input: Shape
    rows: tuple[Row, ...]

    @property
    def parameters(self) -> int:
        """Numbers that the network learns."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiplications(self) -> int:
        """Products of weights and inputs for one image."""
        return sum(row.multiplications for row in self.rows)


def shapes(
    model: Annotated[
        str,
        typer.Argument(
            metavar="MODEL",
            help="A network of the zoo, a famous one, a .toml file, or a layer of the lectures.",
        ),
    ],
    input: Annotated[
        str | None, typer.Option("--input", help="Another picture: channels x rows x columns.")
    ] = None,
    classes: Annotated[
        int | None, typer.Option(help="So many classes, for a network of the zoo.")
    ] = None,
    toml: Annotated[
        bool, typer.Option("--toml", help="Print the network as a .toml file to edit.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show a network layer by layer, each size with its formula.

    "sees" is the receptive field: the rows and columns of the picture, its padding included, that
    one cell of the layer depends on. Multiplications are those of weights and inputs for one image.

    MODEL is a .toml file (docs/training.md) or one of these names:

        mlp lenet5 mini-alexnet mini-zfnet
        mini-vgg mini-googlenet mini-resnet mini-densenet
        alexnet zfnet vgg16 googlenet resnet50 resnet152 densenet121
        parameters-10-filters parameters-dense-150 parameters-dense-32

    Examples:

        stepconv shapes lenet5
        stepconv shapes vgg16 | grep dense
        stepconv shapes mini-vgg --input 1x32x32
        stepconv shapes my-net.toml --json
        stepconv shapes lenet5 --input 3x64x64 --classes 3 --toml > net.toml
    """
    picture = None if input is None else networks.shape(input)
    if toml:
        from stepconv import nn

        print(nn.to_toml(networks.model(model, picture=picture, classes=classes)), end="")
        return
    network = measured(model, picture, classes)
    if as_json:
        terminal.print_json(as_data(network), ensure_ascii=False)
        return
    console = terminal.stdout()
    lines = on_screen(network, console.width) if console.is_terminal else on_a_pipe(network)
    for line in lines:
        console.print(line, markup=False, soft_wrap=True)


def measured(model: str, picture: Shape | None = None, classes: int | None = None) -> Measured:
    """Return the network of that name, or in that file, measured for a picture of that shape.

    One of the zoo is made for the picture first.
    """
    from stepconv import nn
    from stepconv.nn.shapes import rows

    if model in nn.ZOO and (picture is None or len(picture) == 3):
        made = nn.build(model, picture or nn.PICTURE, classes or nn.CLASSES)
        about, usual, layers = made.about, made.input_shape, made.layers
    else:
        about, usual, layers = _described(model)
    return Measured(model, about, picture or usual, rows(layers, picture or usual))


def _described(model: str) -> tuple[str, Shape, tuple[Layer, ...]]:
    """Return what a network is about, the picture it is made for, and its layers."""
    from stepconv.nn.zoo import famous

    lectures = _of_lectures()
    if model in lectures:
        return lectures[model]
    if model in famous.SHEETS:
        made = famous.build(model)
    else:
        made = networks.model(model, others=[*famous.SHEETS, *lectures])
    return made.about, made.input_shape, made.layers


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


def as_data(network: Measured) -> dict[str, Any]:
    """Return a measured network as plain data."""
    return {
        "model": network.name,
        "about": network.about,
        "input": network.input,
        "parameters": network.parameters,
        "multiplications": network.multiplications,
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
        return _short(count) if short else f"{count:,}"

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


def _short(count: int) -> str:
    """Return a large number in three digits or so.

    >>> _short(950), _short(117600), _short(15470264320)
    ('950', '118 k', '15.5 G')
    """
    for unit, letter in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if count >= unit:
            scaled = count / unit
            return f"{scaled:.{0 if scaled >= 100 else 1}f} {letter}"
    return str(count)
