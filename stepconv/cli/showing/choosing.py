"""What there is to choose from when `play` is called alone: examples, chains, files here."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stepconv.player.choices import Choice
    from stepconv.trace import Trace

# What a picture is played with, until somebody types another kernel.
_KERNEL = "--kernel sobel-x --padding same"
_FILES = "files here"
# A folder may hold thousands of files, and files of gigabytes.
_MOST_FILES, _MOST_BYTES = 100, 4_000_000


def everything() -> "list[Choice]":
    """Return the worked examples by theme, the pictures, and the files of this folder."""
    from stepconv.cli.reading import picture_files
    from stepconv.player.choices import Choice
    from stepconv.trace.gallery import worked
    from stepconv.trace.gallery.chains import worked_chains
    from stepconv.trace.gallery.traces import has_windows

    examples = [each for each in worked.worked_examples() if has_windows(each)]
    choices = [Choice(each.group, each.id, each.title, each.id) for each in examples]
    choices += [Choice("chains", each.id, each.title, each.id) for each in worked_chains().values()]
    for name, rows in worked.pictures().items():
        high, wide = rows.shape[-2:]
        told = f"a picture of {high} rows and {wide} columns, under sobel-x"
        choices.append(Choice("pictures", name, told, f"{name} {_KERNEL}"))
    here = sorted(path.name for path in Path().iterdir() if path.is_file())
    for name in here[: 10 * _MOST_FILES]:
        suffix = Path(name).suffix.lower()
        if suffix == ".npz":
            choices.append(Choice(_FILES, name, "a record", shlex.quote(name)))
        elif suffix in picture_files.SUFFIXES:
            told = f"{name} under sobel-x"
            choices.append(Choice(_FILES, name, told, f"{shlex.quote(name)} {_KERNEL}"))
    return choices[: len(examples) + len(worked_chains()) + len(worked.pictures()) + _MOST_FILES]


def preview(choice: "Choice") -> "Trace | NDArray[Any] | None":
    """Return what a choice is about, if it is small enough to be looked at in passing."""
    from stepconv.cli.reading import picture_and_kernel
    from stepconv.trace import Chain, example_trace, load, worked_chain

    if choice.theme == _FILES and Path(choice.name).stat().st_size > _MOST_BYTES:
        return None
    if choice.theme == _FILES and choice.name.endswith(".npz"):
        record = load(choice.name)
        return record[0] if isinstance(record, Chain) else record
    if choice.theme == "chains":
        return worked_chain(choice.name).chain()[0]
    if choice.theme in (_FILES, "pictures"):
        planes: NDArray[Any] = picture_and_kernel.picture(choice.name).planes[0]
        return planes if planes.ndim == 2 else None
    return example_trace(choice.name)
