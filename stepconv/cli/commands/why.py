"""`stepconv why`: which algorithm computes a call, for what reason, and where the time goes."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv.cli.reading import targets
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.kernels.explaining import Explained, Explanation

# A function and its arguments.
MadeCall = tuple[Callable[..., Any], dict[str, Any]]
# A call is repeated until so many seconds are over, but at least so often and at most.
_SECONDS, _LEAST, _MOST = 0.3, 3, 50


@targets.with_target
def why(
    *,
    algorithm: Annotated[
        str | None, typer.Option(help="auto, direct, separable, winograd or fft.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="A JSON object for each kernel, one a line.")
    ] = False,
    asked: targets.Asked,
) -> None:
    """Say which algorithm computes a call, why, and how fast.

    The call is made: once for the compiler, then some times more, of which the fastest counts.
    What this machine can do at most is measured beside it: float32 multiply-adds in registers, and
    a copy of 32 MiB.

    Examples:

        stepconv why vertical-edge-rgb
        stepconv why photo.png --kernel gaussian-5
        stepconv why photo.png --kernel gaussian-3 --algorithm separable
        stepconv why --input photo.png --op max-pool --window 2 --json
        stepconv why max-pool-4x4 --gradient x --then relu
    """
    from stepconv.cli import terminal

    with terminal.stderr().status("computing …"):
        first, best = _explained(asked, algorithm)
        rows = [_row(call, early) for call, early in zip(best.calls, first.calls, strict=True)]
    if as_json:
        for row in rows:
            terminal.print_json(row)
        return
    if not rows:
        print("NumPy does this: no kernel of stepconv is needed")
        return
    console = terminal.stdout()
    for row in rows:
        threads = f"{row['threads']:,} thread{'s' * (row['threads'] != 1)}"
        print(f"{row['operation']}: {row['algorithm']} on {row['backend']}, {threads}")
        for label, text in _facts(row):
            print(terminal.hanging(label, text, 8, console.width))
    rest = max(0.0, best.seconds - sum(call.seconds for call in best.calls))
    print(f"checks, plan, copies and new memory take {_duration(rest)} more")


def _explained(asked: targets.Asked, algorithm: str | None) -> "tuple[Explanation, Explanation]":
    """Make the calls that are asked for, and return what ran at first and in the fastest round."""
    from stepconv.cli.reading import chains

    function, given = _call(asked)
    if asked.backend is not None:
        given["backend"] = asked.backend
    calls: list[MadeCall] = [(function, given)]
    for text in asked.then or ():
        with chains.named(text):
            last, arguments = calls[-1]
            x = _first(last(**arguments))
            following, options = chains.next_call(text, x, asked.backend)
            name = next(iter(inspect.signature(following).parameters))
            # A chain lets plain Python do what is small; here the call is one of a user's.
            calls.append((following, {name: x, **options, "backend": asked.backend}))
    return fastest(calls, algorithm or "auto")


def fastest(
    calls: list[MadeCall], algorithm: str, seconds: float = _SECONDS
) -> "tuple[Explanation, Explanation]":
    """Make calls again and again; return what ran at first and in the fastest round."""
    import time

    import stepconv
    from stepconv import use_algorithm

    def make() -> "Explanation":
        with stepconv.explain() as explanation, use_algorithm(algorithm):
            for one, arguments in calls:
                one(**arguments)
        return explanation

    first = make()
    rounds, end = [first], time.perf_counter() + seconds
    while len(rounds) < _LEAST or (len(rounds) < _MOST and time.perf_counter() < end):
        rounds.append(make())
    return first, min(rounds[1:], key=lambda each: each.seconds)


def _call(asked: targets.Asked) -> tuple[Callable[..., Any], dict[str, Any]]:
    """Return the function that is asked for, and its arguments."""
    from stepconv.cli.reading import calls
    from stepconv.trace import Trace, load
    from stepconv.trace.jobs import spelled

    if asked.target is not None and Path(asked.target).suffix == ".npz":
        trace = load(asked.target)
        if not isinstance(trace, Trace):
            raise ArgumentError(f"{asked.target} holds calls after one another: one call fits")
        function, _, options = spelled(trace.call)
        return function, {**trace.arrays, **options}
    if asked.target is None and asked.input is None:
        raise ArgumentError("which call? name a worked example, or give --input and --kernel")
    call, _ = calls.meant(targets.with_input(asked))
    return call.function, dict(call.given)


def _first(result: Any) -> Any:
    """Return the array that goes on: of gradients the one for x."""
    return result[0] if isinstance(result, tuple) else result


def _row(call: "Explained", first: "Explained") -> dict[str, Any]:
    """Return all that is known of a kernel, its shares of what the machine can do with it."""
    from dataclasses import asdict

    row = {**asdict(call), "first_seconds": first.seconds}
    row |= dict.fromkeys(("products_per_second", "share_of_peak", "share_of_copy"))
    if call.backend == "textbook" or call.seconds == 0:
        return row
    row["products_per_second"] = call.products / call.seconds
    if call.backend == "cpu":
        from stepconv.bench import peak

        most, copied = peak.of_cpu(call.threads)
        row["share_of_peak"] = 2 * call.products / call.seconds / most
        row["share_of_copy"] = call.bytes_moved / call.seconds / copied
    return row


def _facts(row: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of a kernel, each with a label."""
    yield "because", row["reason"]
    seconds, first = _duration(row["seconds"]), _duration(row["first_seconds"])
    yield "takes", f"{seconds}, the first time {first}"
    if row["products"]:
        share, rate = row["share_of_peak"], row["products_per_second"]
        of = "" if share is None else f", about {share:.0%} of the machine's peak"
        told = "" if rate is None else f" ({rate / 1e9:.3g} billion a second{of})"
        yield "sums", f"{row['products']:,} products{told}"
    share = row["share_of_copy"]
    of = "" if share is None else f" (about {share:.0%} of the speed of a large copy)"
    yield "moves", f"{row['bytes_moved']:,} bytes at least{of}"


def _duration(seconds: float) -> str:
    from stepconv.player.frame.formats import duration

    return duration(seconds)
