"""The page of a network: its weights, its pictures, and all that it takes to train it further."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import __version__, nn
from stepconv.errors import ArgumentError
from stepconv.nn import Model, checkpoint
from stepconv.nn.checkpoint import Network
from stepconv.nn.cpu.layout import Order, laid_out
from stepconv.train import data as sets
from stepconv.train import recipe
from stepconv.train.data.samples import DataSet, Samples, check_labels, of_each, renumbered
from stepconv.train.feed import Feed
from stepconv.train.judge import names
from stepconv.train.recipe import Recipe
from stepconv.web import html

# What a browser still opens in a moment, and a stick still holds.
MOST = 24 * 2**20
# Where pictures to learn from are limited, there is one to judge by for so many of them.
_TEST_SHARE = 5

_STYLES = ("common.css", "network.css")
_WORKER = ("engine.mjs", "worker.mjs")
_SCRIPTS = (
    *("parts.mjs", "messages.mjs", "plots.mjs", "maps.mjs", "chosen.mjs", "pad.mjs", "centre.mjs"),
    *("picture.mjs", "explain.mjs", "cell.mjs", "layers.mjs", "kernels.mjs", "wrong.mjs"),
    *("weights.mjs", "saving.mjs", "training.mjs", "network.mjs"),
)


@dataclass(frozen=True, eq=False)
class Subject:
    """What a page is about: a network, the data inside, and how it is to learn."""

    network: Network
    data: DataSet
    recipe: Recipe
    feed: Feed
    fresh: bool = False  # whether it has learnt nothing yet

    @classmethod
    def trained(
        cls, network: Network, data_dir: Path | None = None, limit: int | None = None
    ) -> Subject:
        """Return a network as it is, with the pictures that it learnt from."""
        known = _recipe_of(network)
        how = replace(known, limit=known.limit if limit is None else limit)
        found = _loaded(how, data_dir, network.model)
        found = renumbered(found, network.about.get("classes", ()), network.model.classes)
        return cls(network, found, how, Feed.told(network.about))

    @classmethod
    def anew(
        cls,
        model: Model,
        how: Recipe,
        data_dir: Path | None = None,
        data: DataSet | None = None,
    ) -> Subject:
        """Return a network that has learnt nothing yet, as `stepconv train` would begin."""
        found = data or _loaded(how, data_dir, model)
        check_labels(found, model.classes)
        feed = Feed.of(found)
        about = {
            "classes": list(found.classes),
            **asdict(feed),
            "data": found.name,
            "fingerprint": found.fingerprint,
            "recipe": how.to_dict(),
        }
        parameters = nn.initial_parameters(model, how.seed)
        network = Network(model, parameters, nn.initial_statistics(model), about)
        return cls(network, found, how, feed, fresh=True)


def again(network: Network, data: str, data_dir: Path | None, limit: int | None) -> Subject:
    """Return the network of a run as it was before its training, with its recipe."""
    how = _recipe_of(network)
    if how.start is not None:
        raise ArgumentError(
            f"--train {data} begins with weights drawn by chance, but this run began with those of "
            f"{how.start}: without --train the page has the weights that it came to"
        )
    if limit is None and data == how.data:
        limit = how.limit
    how = replace(how, data=data, limit=limit)
    return Subject.anew(network.model, how, data_dir)


def page(subject: Subject, relaxed: bool = False) -> str:
    """Return the page of a network as HTML; a relaxed one rounds as its browser is fastest."""
    network, how, feed = subject.network, subject.recipe, subject.feed
    train = feed.samples(subject.data.train)
    test = feed.samples(_some(subject.data.test, how.limit))
    _check_size(subject.data.name, train, test)
    optimizer = how.make_optimizer()
    layout = laid_out(
        Order(
            network.model,
            network.parameters,
            network.statistics,
            feed.scale,
            feed.shift,
            optimizer,
            batch_size=how.batch_size,
            winograd=how.algorithm == "winograd",
            frozen=tuple(filter(None, how.freeze.split(","))),
            relaxed=relaxed,
        )
    )
    steps = how.total(-(-len(train) // how.batch_size))
    told = {
        **layout.told,
        **_told(subject),
        "picture": {"shape": network.model.input_shape, "bytes": train.pictures.itemsize},
        "pictures": {"train": len(train), "test": len(test)},
        "recipe": {
            **how.to_dict(),
            "momentum": getattr(optimizer, "momentum", None),
            "steps": steps,
        },
        "segments": [[at, len(content)] for at, content in layout.image],
    }
    parts = {
        "module": layout.module,
        "image": b"".join(content for _, content in layout.image),
        "numbers": _numbers(how, optimizer, steps, layout.told["numbers"]).tobytes(),
        "train": train.pictures.tobytes(),
        "train-labels": train.labels.astype(np.int32).tobytes(),
        "test": test.pictures.tobytes(),
        "test-labels": test.labels.astype(np.int32).tobytes(),
    }
    if layout.relaxed is not None:
        parts["relaxed"] = layout.relaxed
    return html.page(
        f"{network.model.name} on {subject.data.name}",
        "network.html",
        styles=_STYLES,
        scripts=_SCRIPTS,
        worker=_WORKER,
        told=told,
        parts=parts,
    )


def _told(subject: Subject) -> dict[str, Any]:
    """Return what a page says of a network, and what its file does."""
    network, data = subject.network, subject.data
    return {
        "version": __version__,
        "name": network.model.name,
        "about": network.model.about,
        "fresh": subject.fresh,
        "class_names": names(network.about.get("classes", data.classes), network.model.classes),
        "data": data.name,
        "form": subject.feed.form,
        "metadata": checkpoint.metadata_of(network),
    }


def _recipe_of(network: Network) -> Recipe:
    known = network.about.get("recipe")
    return Recipe() if known is None else recipe.from_dict(known)


def _loaded(how: Recipe, data_dir: Path | None, model: Model) -> DataSet:
    return sets.load(
        how.data,
        data_dir=data_dir,
        shape=model.input_shape,
        limit=how.limit,
        validation=how.validation,
    )


def _some(samples: Samples, limit: int | None) -> Samples:
    """Return as many pictures to judge by as suit so many to learn from."""
    if limit is None:
        return samples
    return samples.pick(of_each(samples.labels, max(1, limit // _TEST_SHARE)))


def _check_size(name: str, train: Samples, test: Samples) -> None:
    """Refuse pictures that would make the page too large, going by what some of them take."""
    some = train.pictures[:1000]
    each = len(html.packed(some.tobytes())) / len(some)
    size = each * (len(train) + len(test))
    if size > MOST:
        fits = int(MOST / each / (1 + 1 / _TEST_SHARE) / 1000) * 1000 or 1
        raise ArgumentError(
            f"{name} has {len(train) + len(test):,} pictures, {size / 2**20:,.0f} MiB in a page "
            f"that may have {MOST / 2**20:.0f}: --limit {fits} fits"
        )


def _numbers(
    how: Recipe, optimizer: Any, steps: int, places: dict[str, int]
) -> NDArray[np.float32]:
    """Return what each step's update goes by, as the command line's trainer writes it down."""
    rates = how.rates(steps)
    rows = np.zeros((steps, places["STEP_NUMBERS"]), np.float32)
    for step, row in enumerate(rows):
        for place, number in optimizer.numbers(rates(step), step + 1).items():
            row[place] = number
    return rows
