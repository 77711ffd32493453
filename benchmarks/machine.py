"""The facts about a machine that a time means nothing without."""

from __future__ import annotations

import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

from stepconv.cli.commands.doctor import examine

ROOT = Path(__file__).parents[1]


def facts() -> dict[str, Any]:
    """Return processor, caches, memory, versions, the load and the commit that is measured."""
    found = examine()
    return {
        **{name: found[name] for name in ("processor", "system", "python", "packages")},
        "caches": _caches(),
        "memory": _memory(),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "governor": _read("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "commit": _git("rev-parse", "--short", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--", "stepconv")),
        "date": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
    }


def slug(name: str) -> str:
    """Return a processor's name as a part of a file name.

    >>> slug("Intel(R) Xeon(R) Processor @ 2.60GHz")
    'intel-xeon-processor-2-60ghz'
    """
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"\((r|tm)\)", "", name.lower())).strip("-")


def _caches() -> dict[str, str]:
    caches = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = (_read(folder / name) for name in ("level", "type", "size"))
        if level and size:
            caches[f"L{level} {(kind or '').lower()}".strip()] = size
    return caches


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError):
        return None


def _read(path: str | Path) -> str | None:
    try:
        return Path(path).read_text().strip()
    except OSError:
        return None


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
