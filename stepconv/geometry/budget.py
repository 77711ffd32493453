"""How much one call may take: told from its plan, before anything is allocated or looped.

Numbers may come from a stranger's file, or from a finger that slipped: few bytes can ask for more
memory than there is, and for loops without an end.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.geometry.plan import Plan

# What is recorded is looked at cell by cell: so many along an axis, in all, and under the windows
# of an axis together.
MOST_ALONG, MOST_RECORDED, MOST_TAPS = 2**22, 2**26, 2**26
# Nobody's memory is asked about less, in bytes.
_LITTLE = 2**28


def check_plan(plan: Plan) -> Plan:
    """Return a plan whose padded planes and results fit into memory, a byte for each cell."""
    for what, sides in (("padded input", plan.padded), ("result", plan.output)):
        if prod(sides) > _LITTLE:
            check(what, sides, 1, plan)
    return plan


def check(what: str, sides: Iterable[int], itemsize: int, plan: Plan | None = None) -> None:
    """Raise an ArgumentError if an array would take more memory than this machine has."""
    sides = tuple(sides)
    needed = prod(sides) * itemsize
    if needed <= _LITTLE:
        return
    most = memory()
    if needed > most:
        because = "" if plan is None else asked(plan)
        raise ArgumentError(
            f"{because}the {what} of {'x'.join(map(str, sides))} cells takes {spelt(needed)}: "
            f"{spelt(most)} of memory are here"
        )


def check_record(plan: Plan, shape: Iterable[int]) -> None:
    """Raise an ArgumentError if a call has too many cells to be recorded one by one."""
    for axis in plan.axes:
        for what, cells in (
            ("cells along an axis", max(axis.size, axis.padded, axis.output, axis.span)),
            ("cells under the windows of an axis", axis.output * axis.window),
        ):
            most = MOST_ALONG if "along" in what else MOST_TAPS
            if cells > most:
                raise ArgumentError(f"{asked(plan)}{cells} {what}: a record has at most {most}")
    # Empty arrays may have planes without end.
    cells = max(prod(side or 1 for side in sides) for sides in (tuple(shape), plan.padded))
    if cells > MOST_RECORDED:
        raise ArgumentError(f"{asked(plan)}{cells} cells: a record has at most {MOST_RECORDED}")


def asked(plan: Plan) -> str:
    """Return the option of a call that is larger than the input is, for a message."""
    found = {
        name: max(getattr(axis, name) for axis in plan.axes)
        for name in ("before", "after", "stride", "dilation", "window")
    }
    name = max(found, key=lambda each: found[each])
    if found[name] <= 100:
        return ""
    return f"{'padding' if name in ('before', 'after') else name}={found[name]}: "


def spelt(size: int) -> str:
    """Return so many bytes as one says them.

    >>> spelt(5 * 2**30), spelt(2**70)
    ('5 GiB', '1024 EiB')
    """
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    power = min(max(size.bit_length() - 1, 0) // 10, len(units) - 1)
    shown = size / 1024**power if size < 2**1000 else float("inf")
    return f"{shown:.3g} {units[power]}" if shown < 1000 else f"{shown:.0f} {units[power]}"


def memory() -> int:
    """Return how many bytes this process may ever have: the machine's, or what a limit says."""
    found = [2**62]
    with suppress(OSError, ValueError, AttributeError):
        found.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    with suppress(OSError, ValueError):  # a container's limit
        found.append(int(Path("/sys/fs/cgroup/memory.max").read_text()))
    with suppress(ImportError, OSError, ValueError):
        import resource

        for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA):
            found += [most for most in resource.getrlimit(limit)[:1] if most > 0]
    return min(found)
