"""Arrays in .npy and .csv files: read with suspicion, written so that no digit is lost."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepconv.cli.reading import typed
from stepconv.errors import ArgumentError
from stepconv.files import check_plain, npy

if TYPE_CHECKING:
    from numpy.typing import NDArray

SUFFIXES = (".npy", ".csv")


def read(path: Path) -> "NDArray[Any]":
    """Return the numbers of a .npy or .csv file; a .csv of one row or column is a signal."""
    check_plain(path)
    array = _read_npy(path) if path.suffix.lower() == ".npy" else _read_csv(path)
    if array.size == 0:
        raise ArgumentError(f"{path} holds no numbers: its shape is {array.shape}")
    return array


def encode(array: "NDArray[Any]", suffix: str) -> bytes:
    """Return the bytes of a file with that suffix which holds exactly these numbers."""
    import numpy as np

    if suffix == ".npy":
        file = io.BytesIO()
        np.save(file, array, allow_pickle=False)
        return file.getvalue()
    rows = array[:, np.newaxis] if array.ndim == 1 else array
    # repr is the shortest text that reads back as the same number.
    return "".join(",".join(map(repr, row)) + "\n" for row in rows.tolist()).encode()


def _read_npy(path: Path) -> "NDArray[Any]":
    import numpy as np

    with path.open("rb") as file:
        if not file.read(1):
            raise ArgumentError(f"{path} is empty: 0 bytes")
        file.seek(0)
        try:
            npy.header(file)
        except ArgumentError as error:
            raise ArgumentError(f"{path} is not a readable .npy file: {error}") from None
    try:
        # Mapped, so that a header which promises more than the file holds costs no memory;
        # it also refuses Python objects, which a file could use to run code.
        array = np.lib.format.open_memmap(path, mode="r")
    except OSError:
        raise
    except Exception as error:  # whatever a damaged header makes NumPy stumble over
        raise ArgumentError(f"{path} is not a readable .npy file of numbers: {error}") from None
    if array.dtype.kind not in "biuf":
        raise ArgumentError(f"{path} holds {array.dtype}: real numbers fit")
    return np.array(array)


def _read_csv(path: Path) -> "NDArray[Any]":
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise ArgumentError(f"{path} is not a text file") from None
    lines = text.splitlines()
    while lines and not lines[-1].strip():
        lines.pop()
    if not lines:
        raise ArgumentError(f"{path} is empty: there is no number in it")
    array = typed.table([_cells(line) for line in lines], str(path))
    return array.reshape(-1) if 1 in array.shape else array


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split(",")] if "," in line else line.split()
