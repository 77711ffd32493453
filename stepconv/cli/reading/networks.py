"""Networks that are named on the command line: of the zoo, described in a file, or trained."""

from collections.abc import Iterable
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv.cli import terminal
from stepconv.errors import ArgumentError, closest
from stepconv.files import check_plain

if TYPE_CHECKING:
    from stepconv.geometry import Shape
    from stepconv.nn import Model
    from stepconv.nn.checkpoint import Network


# A picture of more numbers is a slip of the hand.
LARGEST_PICTURE = 10**9

Trained = Annotated[
    Path, typer.Argument(metavar="MODEL", help="A .safetensors file, or its run folder.")
]
Backend = Annotated[
    str | None,
    typer.Option(help="cpu, cuda: an NVIDIA GPU, or portable: a browser's bits, on the CPU [cpu]."),
]
DataDir = Annotated[
    Path | None, typer.Option(help="The folder in which data sets are looked for first.")
]


def model(
    name: str,
    others: Iterable[str] = (),
    picture: "Shape | None" = None,
    classes: int | None = None,
) -> "Model":
    """Return the network of the zoo, the one that a .toml file describes, or that of a run folder.

    `others` are names that the caller knows beside these: one of them may have been meant. One of
    the zoo is made for such a `picture` and so many `classes`.
    """
    from stepconv import nn

    if name in nn.ZOO:
        return nn.build(name, picture or nn.PICTURE, classes or nn.CLASSES)
    if name.endswith(".toml"):
        return nn.load(name)
    if Path(name).is_dir() or name.endswith(".safetensors"):
        return trained(Path(name)).model
    raise ArgumentError(f"no model {name!r}: {_meant(name, [*nn.ZOO, *others])}")


def is_network(name: str) -> bool:
    """Tell whether a name is that of a network: of a run, of a file, or of the zoo."""
    from stepconv import nn

    path = Path(name)
    return path.is_dir() or path.suffix in (".safetensors", ".toml") or name in nn.ZOO


def described(name: str) -> "Model":
    """Return the network of that name, whatever is there of it."""
    return trained(Path(name)).model if name.endswith(".safetensors") else model(name)


def _meant(name: str, known: list[str]) -> str:
    """Return a hint at which network was meant: one spelt alike, or the others of its family."""
    from stepconv.train.data import sets

    if name in sets.FORMS:
        return f"it is data to train on, as in `stepconv train lenet5 --data {name}`"
    family = name.lower().rstrip("0123456789-")
    relatives = [each for each in known if each.rstrip("0123456789").split("-")[-1] == family]
    if name.lower() != family and len(family) > 3 and len(relatives) > 1:
        return f"there are {', '.join(relatives)}"
    return closest(name, known, f"{', '.join(known)}, a .toml file or a run folder fit")


def training(path: str) -> dict[str, Any]:
    """Return the choices in the table `training` of a .toml file; data lies beside it."""
    import tomllib

    check_plain(Path(path))
    try:
        found = tomllib.loads(Path(path).read_text("utf-8")).get("training", {})
    except (OSError, ValueError, RecursionError):
        return {}  # whoever reads the network says what is wrong
    if not isinstance(found, dict):
        raise ArgumentError(f"{path}: training={found!r} is no table: [training] and lines fit")
    for key in ("data", "start"):
        beside = Path(path).parent / str(found.get(key))
        if key in found and beside.exists():
            found[key] = str(beside.resolve())
    return found


def shape(text: str) -> "Shape":
    """Return the shape that a text says.

    >>> shape("1x28x28"), shape("67500")
    ((1, 28, 28), (67500,))
    """
    sizes = text.lower().replace("×", "x").split("x")
    if len(sizes) not in (1, 3) or not all(size.strip().isdecimal() for size in sizes):
        raise ArgumentError(f"--input {text!r} is no shape of a picture: 1x28x28 fits")
    # More digits than these would not be read as a number at all.
    found = tuple(int(size) if len(size.strip()) < 20 else LARGEST_PICTURE for size in sizes)
    if min(found) < 1 or prod(found) >= LARGEST_PICTURE:
        raise ArgumentError(
            f"--input {terminal.cut(repr(text), 40)} is out of range: sizes from 1 on fit, "
            f"{LARGEST_PICTURE - 1:,} numbers in all"
        )
    return found


def backend(name: str | None) -> str:
    """Return what networks compute on, if it is here; the CPU if nothing was asked for."""
    from stepconv.kernels import check_available
    from stepconv.kernels.portable import settings

    chosen = name or "cpu"
    if chosen == "portable":
        if not settings.choose():
            wanted = " ".join(f"{name}={value}" for name, value in settings.SETTINGS.items())
            raise ArgumentError(f"--backend portable needs a process that is begun with {wanted}")
        return chosen
    if chosen not in ("cpu", "cuda"):
        raise ArgumentError(f"--backend {chosen} runs no networks: cpu, cuda and portable do")
    check_available(chosen)
    return chosen


def trained(path: Path) -> "Network":
    """Return the network in a file, or in the run folder of that name; `@lenet5` is a lesson's."""
    from stepconv.nn import checkpoint

    path = of_a_lesson(path)
    if path.is_dir():
        path = path / checkpoint.FILE
    return checkpoint.load_network(path)


def of_a_lesson(path: Path) -> Path:
    """Return the run folder that `@lenet5` stands for in a lesson; any other path as it is."""
    from stepconv.cli.lesson.opening import network_folder

    if not str(path).startswith("@"):
        return path
    folder = network_folder(str(path))
    if not (folder / "model.safetensors").is_file():
        raise ArgumentError(f"{path} is not trained yet: the scenes of `stepconv lesson` train it")
    return folder
