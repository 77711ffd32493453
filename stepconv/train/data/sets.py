"""A data set by its name, wherever it comes from: one shape, one kind of error."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError, DataError
from stepconv.geometry import budget
from stepconv.train.data import digits, idx, known, own
from stepconv.train.data.files import Listed
from stepconv.train.data.pictures import Damaged
from stepconv.train.data.samples import DataSet, Samples, Source, check, of_each, split

MADE = "digits"
# What a data set without a test part of its own gives away for one: every sixth, as in MNIST.
TEST_SHARE = 6
KNOWN_SHAPE, KNOWN_CLASSES = (1, 28, 28), 10
# How pictures of the known sets are brought to a network that knows them.
FORMS = {"mnist": "digit", "fashion-mnist": "bright", MADE: "digit"}


class One(NamedTuple):
    """A picture (channels, rows, columns), and the name of its class."""

    picture: NDArray[Any]
    name: str


def load(
    name: str,
    *,
    data_dir: Path | None = None,
    shape: Sequence[int] | None = None,
    limit: int | None = None,
    validation: float = 0,
    progress: known.Progress | None = None,
) -> DataSet:
    """Return the data set of that name, or the one in the file or folder of that name.

    Several folders, with : between them (; on Windows), are one data set.

    Pictures in files are brought to `shape`, or to the one that suits them; arrays must have it.
    `limit` keeps the first training pictures of each class; `validation` holds so many back, or
    such a share of 1, the same ones for every seed.
    """
    if limit is not None and limit < 1:
        raise ArgumentError(f"limit={limit} leaves nothing to learn from: 1 or more fits")
    wanted = None if shape is None else tuple(shape)
    check_name(name, wanted)
    source = _source(name, data_dir, wanted, limit, progress)
    parts, notes = _parted(source, name, limit, validation)
    samples: dict[str, Samples] = {}
    digest, damaged = hashlib.sha256(), list[tuple[str, str]]()
    for key, part in parts.items():
        if isinstance(part, Listed):
            try:
                samples[key], found = _decoded(part, source.shape, progress)
            except Damaged as error:
                damaged += error.told
                continue
        else:
            samples[key] = part
            found = "" if source.fingerprint else hashlib.sha256(part.pictures.data).hexdigest()
        digest.update(f"{key} {found}".encode() + part.labels.tobytes())
    if damaged:
        raise Damaged(damaged)
    _check_shapes(name, samples, wanted)
    train = samples["train"]
    return DataSet(
        name,
        source.fingerprint or digest.hexdigest(),
        source.classes,
        train,
        samples.get("validation", train.pick(slice(0))),
        samples["test"],
        source.form,
        (*source.notes, *notes),
    )


def one(
    name: str,
    number: int,
    *,
    data_dir: Path | None = None,
    shape: Sequence[int] | None = None,
) -> One:
    """Return the test picture of this number of a data set; -1 is the last.

    >>> one("digits", 7).picture.shape
    (1, 28, 28)
    """
    if name == MADE:
        at = _within(name, number, digits.TESTING)
        samples = digits.make(1, first=digits.TRAINING + at)
        return One(samples.pictures[0], digits.CLASSES[samples.labels[0]])
    samples, classes = held_out(name, data_dir=data_dir, shape=shape)
    at = _within(name, number, len(samples))
    return One(samples.pictures[at], classes[samples.labels[at]])


def held_out(
    name: str,
    *,
    data_dir: Path | None = None,
    shape: Sequence[int] | None = None,
    most: int | None = None,
) -> tuple[Samples, tuple[str, ...]]:
    """Return the test pictures of a data set, or the first of them, and the classes.

    Of a set that everybody knows nothing else is read.
    """
    if name == MADE:
        count = digits.TESTING if most is None else min(most, digits.TESTING)
        return digits.make(count, first=digits.TRAINING), digits.CLASSES
    folder = known.find(name, data_dir) if name in known.HASHES else None
    if folder is None:
        data = load(name, data_dir=data_dir, shape=shape)
        return data.test.pick(slice(most)), data.classes
    files = zip(known.FILES, known.HASHES[name], strict=True)
    pictures, labels = (idx.read(folder / file, sha256) for file, sha256 in [*files][2:])
    return _gray(pictures, labels, name).pick(slice(most)), known.CLASSES[name]


def check_name(name: str, wanted: tuple[int, ...] | None = None) -> None:
    """Refuse a name that means no data, and a size that a set which everybody knows has not."""
    if name in FORMS:
        if wanted not in (None, KNOWN_SHAPE):
            raise _other_size(name, KNOWN_SHAPE, wanted)
    elif not own.paths_of(name):
        raise ArgumentError(
            f"data {name!r} is not known: {', '.join(FORMS)}, a folder, an .npz or a .csv fit"
        )


def is_own(name: str) -> bool:
    """Say whether a name means a file or a folder, and no set that everybody knows."""
    return name not in FORMS


def _source(
    name: str,
    data_dir: Path | None,
    shape: tuple[int, ...] | None,
    limit: int | None,
    progress: known.Progress | None,
) -> Source:
    if name in known.HASHES:
        x, y, x_test, y_test = known.load(name, data_dir, progress)
        parts = {"train": _gray(x, y, name), "test": _gray(x_test, y_test, name)}
        return Source(known.CLASSES[name], parts, form=FORMS[name], fingerprint=name)
    if name == MADE:
        made = {
            "train": _made(min(limit or digits.TRAINING, digits.TRAINING), 0),
            "test": _made(digits.TESTING, digits.TRAINING),
        }
        return Source(digits.CLASSES, made, form=FORMS[name], fingerprint=digits.FINGERPRINT)
    return own.load(own.paths_of(name), shape)


@lru_cache(maxsize=4)
def _made(count: int, first: int) -> Samples:
    """Return made digits; a process that trains often makes them once."""
    made = digits.make(count, first=first)
    made.pictures.flags.writeable = made.labels.flags.writeable = False
    return made


def _parted(
    source: Source, name: str, limit: int | None, validation: float
) -> tuple[dict[str, Any], list[str]]:
    """Return the parts that are asked for, and what had to be done for them."""
    parts: dict[str, Any] = dict(source.parts)
    notes = []
    train = parts["train"]
    if "test" not in parts and "validation" in parts and not validation:
        parts["test"] = parts.pop("validation")
        notes.append("there is no test part: the validation part is taken for it")
    if "test" not in parts:
        if len(train) < 2:
            raise DataError(f"{name} holds one picture: some to learn from and some to test fit")
        rest, held = split(train.labels, max(1, len(train) // TEST_SHARE))
        train, parts["test"] = train.pick(rest), train.pick(held)
        notes.append(f"there is no test part: {len(held):,} pictures are put aside for it")
    if limit is not None and limit < len(train):
        train = train.pick(of_each(train.labels, limit))
    if validation:
        count = round(validation * len(train)) if validation < 1 else int(validation)
        if not 0 < count < len(train):
            raise ArgumentError(
                f"validation={validation} does not leave anything of {len(train)} training pictures"
            )
        rest, held = split(train.labels, count)
        train, parts["validation"] = train.pick(rest), train.pick(held)
    parts["train"] = train
    for part, some in parts.items():
        absent = [c for i, c in enumerate(source.classes) if not (some.labels == i).any()]
        if absent and part == "train":
            notes.append(f"no training picture is of class {', '.join(absent[:5])}")
    return parts, notes


def _within(name: str, number: int, count: int) -> int:
    if not -count <= number < count:
        raise ArgumentError(
            f"picture {number} is not in {name}: it has {count:,} test pictures, "
            f"0 to {count - 1} fit"
        )
    return number % count


def _decoded(
    part: Listed, shape: tuple[int, ...] | None, progress: known.Progress | None
) -> tuple[Samples, str]:
    from stepconv.train.data.decoded import decoded

    assert shape is not None
    budget.check(f"size of {len(part.files)} pictures", (len(part.files), *shape), 1)
    say = progress or (lambda what, done, count: None)
    cells, digest = decoded(part.files, shape, lambda done, of: say("decoding", done, of))
    return Samples(cells, part.labels, tuple(map(str, part.files))), digest


def _gray(pictures: Any, labels: Any, name: str) -> Samples:
    """Return gray pictures and their labels, checked against each other."""
    if pictures.ndim != 3 or labels.ndim != 1:
        raise DataError(f"{name}: pictures have {pictures.ndim} axes and labels {labels.ndim}")
    check(pictures, labels, name)
    return Samples(pictures[:, np.newaxis], labels.astype(np.int64))


def _check_shapes(name: str, parts: dict[str, Samples], wanted: tuple[int, ...] | None) -> None:
    """Refuse parts of different sizes, or of another size than the one that is wanted."""
    shapes = {part: samples.pictures.shape[1:] for part, samples in parts.items()}
    for part, found in shapes.items():
        if found != shapes["train"]:
            raise DataError(
                f"{name}: training pictures are {_size(shapes['train'])}, "
                f"{part} ones {_size(found)}"
            )
    if wanted is not None and shapes["train"] != wanted:
        raise _other_size(name, shapes["train"], wanted)


def _other_size(name: str, held: tuple[int, ...], wanted: tuple[int, ...] | None) -> DataError:
    assert wanted is not None
    return DataError(f"{name} holds pictures of {_size(held)}, the network reads {_size(wanted)}")


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape))
