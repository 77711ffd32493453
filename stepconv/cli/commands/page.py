"""`stepconv page`: a network or a record as one HTML file, that trains or plays in any browser."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepconv.cli.reading import networks, targets
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.web.network import Subject


@targets.with_target
def page(
    *,
    out: Annotated[Path, typer.Option("-o", "--out", help="The file to write: NAME.html.")],
    asked: targets.Asked,
    train: Annotated[
        str | None,
        typer.Option(
            metavar="DATA", help="Begin anew on this data: mnist, digits, a folder, an .npz."
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(help="Keep N pictures to learn from, and a fifth as many to judge by."),
    ] = None,
    data_dir: networks.DataDir = None,
    relaxed: Annotated[
        bool,
        typer.Option("--relaxed", help="Faster where a browser rounds once, but in other bits."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
    way: targets.Way = None,
    cell: targets.OutputCell = None,
) -> None:
    """Write one HTML file that needs no server and no network.

    It opens from a USB stick. Of anything that `stepconv show` takes it makes a page that plays:
    every step with its window, its products and sums, keys as in the player, cells to point at;
    with --as the steps of an algorithm, and behind them a table of all that suit the call.

    Of a run folder, a .safetensors file or a network of the zoo it makes a page that trains with
    the engine's own kernels: loss and accuracy on the way, every layer's maps and gradients, a
    digit to draw, each cell with the products that it sums.

    Examples:

        stepconv page vertical-edge-rgb -o edge.html
        stepconv page max-pool-4x4 --then relu -o chain.html
        stepconv page vertical-edge-gray --as winograd -o winograd.html
        stepconv page lenet5 --train mnist --limit 6000 -o mnist.html
        stepconv page runs/lenet5-digits -o digits.html
        stepconv page runs/lenet5-mnist --train mnist --limit 6000 -o again.html
    """
    from stepconv.cli.showing import output

    output.check(out, (".html", ".htm"), force)
    holds = write(asked, out, train, limit, data_dir, relaxed, way, cell)
    from stepconv.cli import terminal

    print(f"{terminal.harmless(out)}: {holds}, {out.stat().st_size:,} bytes", file=sys.stderr)


def write(
    asked: targets.Asked,
    out: Path,
    train: str | None = None,
    limit: int | None = None,
    data_dir: Path | None = None,
    relaxed: bool = False,
    way: str | None = None,
    cell: str | None = None,
) -> str:
    """Write the page of what is asked for, and return what it holds, in words."""
    from stepconv import files
    from stepconv.cli import terminal

    if asked.target is None or not networks.is_network(asked.target):
        given = {"--train": train, "--limit": limit, "--data-dir": data_dir}
        for option, value in given.items():
            if value is not None:
                raise ArgumentError(f"{option} {value} is about networks: a call learns nothing")
        if relaxed:
            raise ArgumentError(
                "--relaxed is about networks: a call is computed before it is shown"
            )
        if cell is not None and way is None:
            raise ArgumentError(f"--cell {cell} needs --as: on the page a cell can be gone to")
        return _record(asked, out) if way is None else _algorithm(asked, out, way, cell)
    given = {"--as": way, "--cell": cell}
    told = [f"{name} {value}" for name, value in given.items() if value is not None]
    if typed := " ".join(filter(None, [asked.typed(*asked.options), *told])):
        raise ArgumentError(f"{typed} is about a call, and {asked.target} is a network")
    with terminal.stderr().status("writing the page …"):
        subject = _subject(asked.target, train, data_dir, limit)
        from stepconv.web import network

        content = network.page(subject, relaxed).encode()
    files.write(out, content)
    return subject.network.model.name


def _record(asked: targets.Asked, out: Path) -> str:
    """Write the page of a trace or a chain; of a long one it holds the first steps."""
    from stepconv import files
    from stepconv.cli import terminal

    found = targets.trace_of(asked)
    from stepconv.web import record

    with terminal.stderr().status("writing the page …"):
        data = record.data(found)
        content = record.page(found, data).encode()
    files.write(out, content)
    shown, of = (sum(link[key] for link in data["links"]) for key in ("steps", "of"))
    return f"{shown:,} steps" if shown == of else f"the first {shown:,} of {of:,} steps"


def _algorithm(asked: targets.Asked, out: Path, way: str, cell: str | None) -> str:
    """Write the page of an algorithm's steps."""
    from stepconv import files
    from stepconv.cli import terminal
    from stepconv.cli.showing import stepped

    made = stepped.made(asked, way, cell)
    pages = made.pages(asked.backend)
    from stepconv.export import stepped_page

    with terminal.stderr().status("writing the page …"):
        content = stepped_page.page(pages, f"{made.title} · {way}").encode()
    files.write(out, content)
    shown = len(stepped_page.kept(pages))
    whole = shown == len(pages)
    return f"{shown:,} steps" if whole else f"{shown:,} of {len(pages):,} steps"


def _subject(
    name: str | None, train: str | None, data_dir: Path | None, limit: int | None
) -> "Subject":
    """Return the network that is meant, with its data."""
    from stepconv import nn
    from stepconv.web.network import Subject, again

    if name is None:
        raise ArgumentError("there is nothing to show: a run folder or a network of the zoo fits")
    path = Path(name)
    if path.is_dir() or path.suffix == ".safetensors":
        found = networks.trained(path)
        if train is None:
            return Subject.trained(found, data_dir, limit)
        return again(found, train, data_dir, limit)
    if name not in nn.ZOO and path.suffix != ".toml":
        raise ArgumentError(
            f"{name!r} is no run folder, no .safetensors file and no network: "
            f"{', '.join(nn.ZOO)} or a .toml file fit"
        )
    if train is None:
        raise ArgumentError(f"{name} has learnt nothing yet: --train mnist would teach it")
    return _anew(name, train, data_dir, limit)


def _anew(name: str, train: str, data_dir: Path | None, limit: int | None) -> "Subject":
    """Return a network of the zoo or a .toml file that begins to learn, as `train` would."""
    from stepconv import nn
    from stepconv.train import data, recipe
    from stepconv.web.network import Subject

    choices = networks.training(name) if name.endswith(".toml") else {}
    choices |= {"data": train} | ({} if limit is None else {"limit": limit})
    how = recipe.from_choices(choices)
    fixed = None if name in nn.ZOO else networks.model(name)
    shape = None if fixed is None else fixed.input_shape
    found = data.load(
        how.data, data_dir=data_dir, shape=shape, limit=how.limit, validation=how.validation
    )
    model = fixed or networks.model(name, picture=found.shape, classes=len(found.classes))
    return Subject.anew(model, how.suited(len(found.train), choices.keys()), data=found)
