"""Whether a folder may be believed: what lies there is run as code, so it must be our own.

It is what ssh asks of the folder of its keys. Whoever may write to a folder, or to one above it,
may put another in its place; so each level belongs to this user or to root, and nobody else may
write there. A folder as /tmp, where all may write but nobody may take what is another's, is no
trouble further up.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

_OTHERS = stat.S_IWGRP | stat.S_IWOTH
_MOST_LINKS = 40


class NotTrusted(OSError):
    """A folder or file that somebody else may have written."""


def check_folder(folder: Path) -> None:
    """Raise a NotTrusted that names the first level at which somebody else could write.

    The folder and the one that it lies in must be closed to others, whatever they may take there.
    Levels that are not there yet are no trouble: who makes them decides.
    """
    if not hasattr(os, "getuid"):  # Windows: a user's folders are the user's own
        return
    parts, links = list((Path.cwd() / folder).parts), 0
    level = Path(parts.pop(0))
    _check(level, os.lstat(level), closed=False)
    while parts:
        name = parts.pop(0)
        if name == "..":
            level = level.parent
            continue
        try:
            found = os.lstat(level / name)
        except FileNotFoundError:
            return
        if stat.S_ISLNK(found.st_mode):
            _check_owner(level / name, found)
            links += 1
            if links > _MOST_LINKS:
                raise NotTrusted(f"{folder} is a link that leads nowhere")
            target = Path(os.readlink(level / name)).parts
            if target and target[0] == level.anchor:
                level = Path(level.anchor)
                target = target[1:]
            parts[:0] = target
            continue
        level /= name
        _check(level, found, closed=len(parts) < 2)


def check_file(handle: int, path: Path) -> None:
    """Raise a NotTrusted unless an open file is a plain one that nobody else may write."""
    found = os.fstat(handle)
    if not stat.S_ISREG(found.st_mode):
        raise NotTrusted(f"{path} is no plain file")
    if hasattr(os, "getuid"):
        _check(path, found, closed=True)


def _check(path: Path, found: os.stat_result, *, closed: bool) -> None:
    _check_owner(path, found)
    shared = found.st_mode & stat.S_ISVTX and not closed
    if found.st_mode & _OTHERS and not shared:
        mode = stat.S_IMODE(found.st_mode)
        raise NotTrusted(f"{path} may be written by others (mode {mode:03o}): chmod go-w fits")


def _check_owner(path: Path, found: os.stat_result) -> None:
    if found.st_uid not in (0, os.getuid()):
        raise NotTrusted(f"{path} belongs to another user (number {found.st_uid})")
