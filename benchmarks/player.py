"""How soon the player is there, and how soon it answers: in a real terminal, as a person meets it.

    python -m benchmarks.player [--runs N] [--keys N] [--json FILE]

START is the time from the command to the first whole frame, KEY that from a pressed key until the
last byte of the new frame has arrived; both through a pseudo-terminal of 80x24 cells. CPU is what
the processor spent until the first frame: on a busy machine it says more than the clock.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks import machine

# The promise: seconds to the first frame on a warm cache, seconds to the answer to a key.
START, KEY = 1.0, 0.050
# A frame is there when the terminal has been quiet for so long.
_QUIET = 0.03
_PATIENCE = 60


@contextmanager
def player(*arguments: str, width: int = 80, height: int = 24) -> Iterator[tuple[int, int]]:
    """Run `stepconv play` on a terminal of its own; give its process and our end of it."""
    child, end = pty.fork()
    if child == 0:
        # A warm cache is one that Python's bytecode is in.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
        os.execv(sys.executable, [sys.executable, "-m", "stepconv", "play", *arguments])
    fcntl.ioctl(end, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    try:
        yield child, end
    finally:
        os.kill(child, signal.SIGTERM)
        # Read on, or the child waits for ever to write its good-bye.
        _read_until(end, None)
        os.close(end)
        os.waitpid(child, 0)


def start(*arguments: str) -> tuple[float, float | None]:
    """Return the seconds until the first frame is whole, and those of the processor."""
    began = time.perf_counter()
    with player(*arguments) as (child, end):
        arrived = _read_until(end, b"step 0 of")
        cpu = _cpu(child)
    return arrived - began, cpu


def keys(count: int, *arguments: str) -> list[float]:
    """Return the seconds that each of so many steps to the right took to be shown."""
    with player(*arguments) as (_, end):
        _read_until(end, b"step 0 of")
        _read_until(end, None, 1.0)
        taken = []
        for step in range(2, count + 2):
            began = time.perf_counter()
            os.write(end, b"\x1b[C")
            taken.append(_read_until(end, b"step %d of" % step) - began)
    return taken


def _read_until(end: int, text: bytes | None, quiet: float = _QUIET) -> float:
    """Read until a text has come and the terminal is quiet; return when the last byte came."""
    seen, last = b"", time.perf_counter()
    deadline = last + _PATIENCE
    while time.perf_counter() < deadline:
        found = text is None or text in seen
        ready, _, _ = select.select([end], [], [], quiet if found else 1.0)
        if not ready:
            if found:
                return last
            continue
        try:
            read = os.read(end, 1 << 16)
        except OSError:  # the other side is gone
            return last
        if not read:
            return last
        seen, last = seen + read, time.perf_counter()
    raise TimeoutError(f"{text!r} did not come in {_PATIENCE} s")


def _cpu(process: int) -> float | None:
    """Return the processor's seconds that a process has used, where the system tells."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(runs: int, presses: int) -> dict[str, Any]:
    """Return both times, for a worked example and for a trace of a 28x28 picture."""
    from stepconv import correlate
    from stepconv.trace import named_kernels, pictures, record

    digit = next(picture for picture in pictures().values() if picture.shape == (28, 28))
    trace = record(correlate, digit, named_kernels()["sobel-x"].kernel, backend="textbook")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "digit.trace.npz"))
        trace.save(path)
        for name, target in (("10x10 in three colours", "vertical-edge-rgb"), ("28x28", path)):
            start(target)  # the first run after a change compiles Python's bytecode
            starts = [start(target) for _ in range(runs)]
            taken = keys(min(presses, 60), target)
            cpu = [seconds for _, seconds in starts if seconds is not None]
            rows.append(
                {
                    "trace": name,
                    "start": _summary([seconds for seconds, _ in starts]),
                    "cpu": _summary(cpu) if cpu else None,
                    "key": _summary(taken),
                }
            )
    return {"machine": machine.facts(), "rows": rows, "promised": {"start": START, "key": KEY}}


def _summary(seconds: list[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "median": statistics.median(ordered),
        "worst": ordered[-1],
        "p95": ordered[int(0.95 * (len(ordered) - 1))],
        "count": len(ordered),
    }


def main() -> None:
    """Measure, print a table, and write the numbers if asked to."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--keys", type=int, default=60)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    report = measure(arguments.runs, arguments.keys)
    print(f"{'trace':<24}{'start':>9}{'worst':>9}{'cpu':>9}{'key':>9}{'95%':>9}{'worst':>9}")
    for row in report["rows"]:
        start_, key = row["start"], row["key"]
        seconds = f"{start_['median']:>7.2f} s{start_['worst']:>7.2f} s"
        seconds += f"{row['cpu']['median']:>7.2f} s" if row["cpu"] else f"{'?':>9}"
        milliseconds = (f"{1e3 * key[name]:>6.1f} ms" for name in ("median", "p95", "worst"))
        print(f"{row['trace']:<24}{seconds}{''.join(milliseconds)}")
    print(f"promised: start {START:g} s, key {1e3 * KEY:g} ms")
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
