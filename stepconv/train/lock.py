"""A run folder belongs to one training at a time: a lock that ends with its process.

The system locks the folder itself, so that nothing is left behind and no lock can be stale.
"""

import os
from pathlib import Path

from stepconv.errors import ArgumentError


class Lock:
    """Holds a folder until `release`, or until the process ends, however it does."""

    def __init__(self, folder: Path) -> None:
        self._handle: int | None = None
        if os.name == "nt":  # has no locks on folders
            return
        import fcntl

        handle = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(handle)
            raise ArgumentError(
                f"{folder} is in use by another training: wait for it, or name another with --out"
            ) from None
        except OSError:  # a file system without locks
            os.close(handle)
            return
        self._handle = handle

    def release(self) -> None:
        """Let others have the folder."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None

    __del__ = release


def free_folder(wanted: Path) -> Path:
    """Make a folder of that name, or with the next free number behind it, and return it.

    Making it is what decides, so two trainings that begin at once get two folders.
    """
    number, folder = 1, wanted
    while True:
        try:
            folder.mkdir(parents=True)
            return folder
        except FileExistsError:
            number += 1
            folder = wanted.with_name(f"{wanted.name}-{number}")
