"""A network and a picture to look into it with, as they are named on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepconv.cli import terminal
from stepconv.cli.reading import networks, seen
from stepconv.errors import ArgumentError, closest

if TYPE_CHECKING:
    from stepconv.inside import Inside
    from stepconv.nn.checkpoint import Network


def network(name: str) -> Network:
    """Return a trained network, or one of the zoo or a .toml file with weights drawn by chance.

    That nothing is learnt in these is said on stderr.
    """
    path = networks.of_a_lesson(Path(name))
    if path.is_dir() or path.suffix == ".safetensors":
        return networks.trained(path)
    from stepconv import nn
    from stepconv.nn.checkpoint import Network

    made = networks.model(name)
    terminal.complain(f"{made.name} has learnt nothing: its weights are drawn by chance (seed 0)")
    drawn = nn.initial_parameters(made, 0), nn.initial_statistics(made)
    return Network(made, *drawn)


def inside(
    looked: Network,
    picture: str | None = None,
    data: str | None = None,
    label: str | None = None,
    data_dir: Path | None = None,
    backend: str | None = None,
) -> Inside:
    """Return a network with the picture of that number, file or name in it.

    Numbers are those of test pictures of `data`, without one of what the network learnt from; their
    label is known.
    """
    from stepconv.inside import look_inside

    named = [str(name) for name in looked.about.get("classes", ())]
    told = None if label is None else class_number(label, named, looked.model.classes)
    text = "0" if picture is None else picture
    if text.removeprefix("-").isdecimal():
        found, name = _of_data(looked, int(text), data, data_dir)
        if told is None and (name in named or not named):
            told = class_number(name, named, looked.model.classes)
        return look_inside(looked, found, told, backend=backend)
    if data is not None:
        raise ArgumentError(f"--data {data} goes with a number: --picture {text} is a file")
    return look_inside(looked, _of_file(looked, text), told, backend=backend)


def shown(looked: Network, picture: Any, label: int | None) -> Inside:
    """Return another network with the same picture in it."""
    from stepconv.inside import look_inside

    shape = looked.model.input_shape
    if picture.shape != shape:
        got, reads = ("x".join(map(str, one)) for one in (picture.shape, shape))
        raise ArgumentError(f"--beside {looked.model.name} reads {reads}, the picture is {got}")
    return look_inside(
        looked, picture, label if label is None or label < looked.model.classes else None
    )


def blank(looked: Network, backend: str | None = None) -> Inside:
    """Return a network with an empty sheet in it."""
    import numpy as np

    from stepconv.inside import look_inside
    from stepconv.train.feed import Feed

    kind = np.uint8 if Feed.told(looked.about).of_bytes else np.float32
    return look_inside(looked, np.zeros(looked.model.input_shape, kind), backend=backend)


def class_number(text: str, classes: list[str], outputs: int) -> int:
    """Return the number of the class of that name, or of that number.

    >>> class_number("dog", ["cat", "dog"], 2), class_number("7", [], 10)
    (1, 7)
    """
    if text in classes:
        return classes.index(text)
    if text.isdecimal() and int(text) < outputs:
        return int(text)
    fits = closest(text, classes, f"{', '.join(classes[:10]) or f'0 to {outputs - 1}'} fit")
    raise ArgumentError(f"--label {text!r} is no class of the network: {fits}")


def _of_data(looked: Network, number: int, data: str | None, data_dir: Path | None) -> Any:
    from stepconv.train.data import sets

    name = data or str(looked.about.get("recipe", {}).get("data", sets.MADE))
    shape = looked.model.input_shape
    found = sets.one(name, number, data_dir=data_dir, shape=shape)
    if found.picture.shape != shape:
        got, reads = ("x".join(map(str, one)) for one in (found.picture.shape, shape))
        raise ArgumentError(f"--data {name} holds pictures of {got}, the network reads {reads}")
    return found


def _of_file(looked: Network, text: str) -> Any:
    """Return the picture of a file or of the gallery as a network sees it; of several the first."""
    from stepconv.train.feed import Feed

    path = Path(text)
    given = seen.read(path)
    found = seen.as_seen(given, looked.model.input_shape, Feed.told(looked.about), False, text)
    if not found:
        raise ArgumentError(f"--picture {text} shows nothing: a sheet with a digit on it fits")
    if len(found) > 1:
        terminal.complain(f"{text} shows {len(found)} digits: the first is looked at")
    return found[0]
