"""`stepconv page`: a network as one HTML file that trains, draws and explains in any browser."""

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
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write one HTML file that needs no server and no network: it opens from a USB stick.

    Of a run folder, a .safetensors file or a network of the zoo it makes a page that trains with
    the engine's own kernels: loss and accuracy on the way, every layer's maps and gradients, a
    digit to draw, each cell with the products that it sums.

    Examples:

        stepconv page lenet5 --train mnist --limit 6000 -o mnist.html
        stepconv page runs/lenet5-digits -o digits.html
        stepconv page runs/lenet5-mnist --train mnist --limit 6000 -o again.html
    """
    from stepconv import files
    from stepconv.cli import terminal
    from stepconv.cli.showing import output

    output.check(out, (".html", ".htm"), force)
    with terminal.stderr().status("writing the page …"):
        subject = _subject(asked.target, train, data_dir, limit)
        from stepconv.web import network

        content = network.page(subject).encode()
    files.write(out, content)
    print(f"{out}: {subject.network.model.name}, {len(content):,} bytes", file=sys.stderr)


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
