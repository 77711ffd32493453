"""The explorer opened: the network, its data set to browse, and how its digits are centred."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stepconv.cli.exploring import looked
from stepconv.explorer.bench.bench import Bench
from stepconv.explorer.bench.shelf import Books, First, Shelf
from stepconv.explorer.subject import Look, Moment, Subject
from stepconv.explorer.visit import Visit
from stepconv.inside import Inside
from stepconv.nn.checkpoint import Network
from stepconv.train.data import centre, sets
from stepconv.train.feed import Feed
from stepconv.train.keeping import moments

if TYPE_CHECKING:
    Array = NDArray[Any]


@dataclass(frozen=True, eq=False)
class Opened:
    """What was asked for: a network with a picture in it, and where both are from.

    The name of the picture is empty where there is none but an empty sheet.
    """

    model: str
    network: Network
    inside: Inside
    picture: str
    data: str | None = None
    data_dir: Path | None = None
    beside: str | None = None


def explore(opened: Opened, *, escape_leaves: bool = False) -> int:
    """Explore a network on this terminal; return the exit status."""
    from stepconv.explorer import app

    return app.explore(visit(opened), escape_leaves=escape_leaves)


def visit(opened: Opened) -> Visit:
    """Return the beginning of a visit."""
    inside = opened.inside
    of_data = opened.picture.removeprefix("-").isdecimal()
    shape = inside.model.input_shape
    bench = Bench(
        (shape[0], shape[1], shape[2]),
        shelf=_shelf(opened, of_data),
        given=None if of_data or not opened.picture else inside.picture,
        label=inside.label,
        name=opened.picture,
        centre=_centre(opened.network, shape),
        of_bytes=Feed.told(opened.network.about).of_bytes,
    )
    if not opened.picture:
        bench.clear()
    made = Visit(subject(opened.model, inside), bench, _beside(opened))
    if not opened.picture:
        made.message = "the pictures that it learnt from are not here: d is a sheet to draw on"
    elif not opened.network.about:
        made.message = "it has learnt nothing: its weights are drawn by chance"
    return made


def subject(model: str, inside: Inside) -> Subject:
    """Return a network to explore, at the moments of its training that were kept."""
    folder = Path(model)
    if not folder.is_dir():
        return Subject(inside.model.name, [Moment("now", inside.with_picture)], inside.classes)
    every = list(moments.kept(folder))
    of = f" of {every[-1][0]:,}" if every else ""
    end = (folder / "model.safetensors").read_bytes()
    # The last moment that was kept is the end itself, where no better one was chosen.
    before = [(step, path) for step, path in every if path.read_bytes() != end]
    found = [Moment(f"step {step:,}{of}", _once_read(path)) for step, path in before]
    name = folder.resolve().name
    return Subject(name, [*found, Moment("at the end", inside.with_picture)], inside.classes)


def _once_read(path: Path) -> Look:
    """Return how one looks into the network of a file, which is read when somebody does."""
    read: list[Inside] = []

    def look(picture: Array, label: int | None) -> Inside:
        from stepconv.inside import look_inside

        if not read:
            read.append(look_inside(path, picture, label))
        return read[0].with_picture(picture, label)

    return look


def _beside(opened: Opened) -> Subject | None:
    if opened.beside is None:
        return None
    other = looked.network(opened.beside)
    return subject(opened.beside, looked.shown(other, opened.inside.picture, opened.inside.label))


def _shelf(opened: Opened, of_data: bool) -> Shelf:
    """Return the test pictures of what was asked for, or of what the network learnt from."""
    about, inside = opened.network.about, opened.inside
    name = opened.data or str(about.get("recipe", {}).get("data", sets.MADE))

    def load() -> Books:
        shape = inside.model.input_shape
        samples, classes = sets.held_out(name, data_dir=opened.data_dir, shape=shape)
        named = [str(each) for each in about.get("classes", ())]
        numbers = [looked.class_number(each, named, inside.model.classes) for each in classes]
        return Books(samples.pictures, np.array(numbers)[samples.labels])

    def answers(pictures: Array) -> Array:
        from stepconv.train import runs

        feed = Feed.told(about)
        logits = runs.predictor(opened.network).logits(feed.numbers(pictures))
        return np.asarray(logits.argmax(axis=1))

    first = None
    if of_data and inside.label is not None and int(opened.picture) >= 0:
        first = First(int(opened.picture), inside.picture, inside.label)
    shelf = Shelf(Path(name).name, load, inside.classes, answers, first)
    if of_data and int(opened.picture) < 0:
        shelf.index = len(shelf) + int(opened.picture)
    return shelf


def _centre(network: Network, shape: tuple[int, ...]) -> Callable[[Array], Array] | None:
    """Return how a drawing is brought into the form of the digits that the network learnt."""
    feed = Feed.told(network.about)
    if feed.form != "digit" or not feed.of_bytes or shape != (1, centre.SIDE, centre.SIDE):
        return None
    return lambda picture: centre.centred(picture.max(axis=0).astype(float))[np.newaxis]
