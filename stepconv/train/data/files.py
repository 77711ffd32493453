"""Pictures that lie in files, by class: in folders, or in a table of paths and labels."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import DataError
from stepconv.files import check_plain
from stepconv.train import chance
from stepconv.train.data import arrays
from stepconv.train.data.pictures import FORMATS

PARTS = {
    "train": ("train", "training"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "testing"),
}
# How the columns of a table may be called.
COLUMNS = {
    "file": ("path", "file", "filename", "file_name", "image", "picture"),
    "label": ("label", "class", "category", "target"),
    "part": ("part", "split", "subset"),
}


@dataclass(frozen=True, eq=False)
class Listed:
    """Files with pictures, and the class of each: samples that are not decoded yet."""

    files: tuple[Path, ...]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def pick(self, indices: "NDArray[np.int64] | slice") -> "Listed":
        """Return some of them."""
        chosen = np.arange(len(self))[indices]
        return Listed(tuple(self.files[i] for i in chosen), self.labels[indices])


@dataclass
class Found:
    """The classes, the files of each part, and what there is to say about them."""

    classes: tuple[str, ...]
    parts: dict[str, Listed]
    notes: list[str] = field(default_factory=list)


def folders(path: Path, least: int = 2) -> Found:
    """Return what lies in class folders, with parts for training, validation and test or not."""
    path, skipped = _unwrapped(path), Counter[str]()
    inside = {folder.name.lower(): folder for folder in _folders(path)}
    parts = {
        part: inside[name] for part, names in PARTS.items() for name in names if name in inside
    }
    if "train" not in parts or (len(parts) == 1 and len(inside) > 1):
        parts = {"train": path}
    classes = tuple(folder.name for folder in _folders(parts["train"]))
    if len(classes) < least:
        held = f"one class folder, {classes[0]}" if classes else "no class folders"
        raise DataError(
            f"{path} holds {held}: {path}/cat/1.png and {path}/dog/1.png would fit, "
            f"an .npz, a .csv of paths and labels, or the four idx files of MNIST"
        )
    found = Found(classes, {})
    for part, folder in parts.items():
        if (others := tuple(each.name for each in _folders(folder))) != classes:
            odd = ", ".join(sorted({*others} ^ {*classes}))
            raise DataError(f"{folder} has other class folders than {parts['train']}: {odd}")
        found.parts[part] = _listed(folder, classes, skipped)
        skipped.update(_suffix(file) for file in folder.iterdir() if _shown(file, file.is_file()))
    if skipped:
        many = ", ".join(f"{count} {suffix}" for suffix, count in skipped.most_common())
        found.notes.append(f"skipped files that are no pictures, or in no class folder: {many}")
    return found


def several(paths: Sequence[Path]) -> Found:
    """Return what lies in several such folders: classes of one name are one class."""
    every = [folders(path, least=1) for path in paths]
    classes = tuple(sorted({name for found in every for name in found.classes}))
    if len(classes) < 2:
        raise DataError(f"{', '.join(map(str, paths))} hold one class, {classes[0]}: two fit")
    together = Found(classes, {}, [note for found in every for note in found.notes])
    for part in PARTS:
        files: list[Path] = []
        labels: list[int] = []
        for found in every:
            if part in found.parts:
                listed = found.parts[part]
                files += listed.files
                labels += [classes.index(found.classes[label]) for label in listed.labels]
        if files:
            together.parts[part] = _mixed(files, np.array(labels))
    return together


def table(path: Path) -> Found:
    """Return what a .csv lists: a path, which begins at the table, a label, and a part if it has.

    Without a line of names, the first column is the path and the second the label.
    """
    check_plain(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(row)]
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is no table: {error}") from None
    header = [cell.strip().lower() for cell in rows[0]] if rows else []
    named = [(key, name) for key, names in COLUMNS.items() for name in names if name in header]
    at = {key: header.index(name) for key, name in named}
    if {"file", "label"} <= at.keys():
        rows = rows[1:]
    else:
        at = {"file": 0, "label": 1}
    if not rows or min(map(len, rows)) <= max(at.values()):
        raise DataError(f"{path} lists no pictures: lines of path,label fit")
    by_part: dict[str, list[list[str]]] = {}
    for row in rows:
        told = row[at["part"]].strip().lower() if "part" in at else "train"
        part = next((part for part, names in PARTS.items() if told in names), None)
        if part is None:
            raise DataError(f"{path}: part {told!r} is not known: train, val or test fit")
        by_part.setdefault(part, []).append(row)
    labels = [np.array([row[at["label"]].strip() for row in some]) for some in by_part.values()]
    names, numbers, _ = arrays.classes(labels, str(path))
    if "train" not in by_part or len(names) < 2:
        raise DataError(f"{path} has the classes {', '.join(names)}: two or more to train on fit")
    parts = {}
    for (part, some), labels_of in zip(by_part.items(), numbers, strict=True):
        files = [path.parent / row[at["file"]].strip() for row in some]
        if missing := [each for each in files if not each.is_file()]:
            raise DataError(f"{path} lists {missing[0]}, which is no file")
        parts[part] = _mixed(files, labels_of)
    return Found(names, parts)


def _unwrapped(path: Path) -> Path:
    """Return the folder itself, or the one inside it if that is all there is, as zips have it."""
    while len(only := _folders(path)) == 1 and _folders(only[0]):
        if any(file.suffix.lower() in FORMATS for file in only[0].iterdir()):
            break
        path = only[0]
    return path


def _folders(path: Path) -> list[Path]:
    return sorted(folder for folder in path.iterdir() if _shown(folder, folder.is_dir()))


def _shown(path: Path, right: bool) -> bool:
    """Say whether it is of the right kind, and none that a system put there for itself."""
    return right and not path.name.startswith(".") and path.name not in ("__MACOSX", "Thumbs.db")


def _suffix(file: Path) -> str:
    return file.suffix.lower() or "without a suffix"


def _listed(folder: Path, classes: tuple[str, ...], skipped: Counter[str]) -> Listed:
    files: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        inside = list(_files(folder / name))
        pictures = [file for file in inside if file.suffix.lower() in FORMATS]
        others = Counter(_suffix(file) for file in inside if file.suffix.lower() not in FORMATS)
        if not pictures:
            held = f" but {', '.join(others)}" if others else ""
            raise DataError(f"{folder / name} holds no pictures{held}: {', '.join(FORMATS)} fit")
        skipped.update(others)
        files += pictures
        labels += [label] * len(pictures)
    return _mixed(files, np.array(labels))


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files in a folder and in those inside it, in their order."""
    for path in sorted(folder.iterdir()):
        if _shown(path, path.is_dir()):
            yield from _files(path)
        elif _shown(path, path.is_file()):
            yield path


def _mixed(files: list[Path], labels: NDArray[np.int64]) -> Listed:
    """Return them mixed, so that the first few are of every class; always in the same way."""
    order = chance.shuffled(len(files), 0, 0)
    return Listed(tuple(files[i] for i in order), np.asarray(labels, np.int64)[order])
