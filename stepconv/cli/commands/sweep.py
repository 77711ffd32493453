"""`stepconv sweep`: many trainings from one file; what is finished is skipped, the rest goes on."""

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated

import typer

from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stepconv.sweep.experiment import Training
    from stepconv.sweep.trial import Outcome


def sweep(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.toml", help="What to try, or pictures, an example.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="The folder of all run folders.")],
    on: Annotated[
        str, typer.Option("--on", help="local, dask, or a scheduler's tcp://HOST:PORT.")
    ] = "local",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes on this machine [one for each core].")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Look for data sets here first.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list the trainings, and what is done.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object for each training.")
    ] = False,
) -> None:
    """Make all trainings that FILE.toml asks for, each in its folder.

    FILE.toml says what is the same for all and what varies: any option of `stepconv train`, any
    field of a network. Trainings that are finished are skipped, half ones go on bit for bit; so
    after Ctrl-C, or a crash, the same command goes on. `stepconv compare` shows the results.

    Example of a file:

        model = "lenet5"
        [train]
        data = "digits"
        epochs = 2
        [vary]
        limit = [100, 400, 1600]
        augment = [false, true]
        seed = [0, 1, 2]

    Examples:

        stepconv sweep pictures -o results/
        stepconv sweep experiment.toml -o results/
        stepconv sweep experiment.toml -o results/ --on dask
        stepconv sweep experiment.toml -o results/ --on tcp://scheduler:8786
        stepconv sweep experiment.toml -o results/ --dry-run
    """
    from stepconv.cli import terminal
    from stepconv.sweep import experiment, trial

    if on not in ("local", "dask") and "://" not in on:
        raise ArgumentError(f"--on {on!r} is not known: local, dask and tcp://HOST:PORT fit")
    trainings = experiment.read(experiment.found(file))
    if out.exists() and not out.is_dir():
        raise ArgumentError(f"{out} is a file: -o names a folder")
    ended = {each.name: trial.done(out / each.name) for each in trainings}
    todo = [each for each in trainings if ended[each.name] is None]
    before = [outcome for outcome in ended.values() if outcome is not None]
    if dry_run:
        for each in trainings:
            outcome = ended[each.name]
            print(f"{each.name}: {_told(outcome) if outcome else 'to do'}")
        return
    out.mkdir(parents=True, exist_ok=True)
    outcomes = _outcomes(todo, out.resolve(), on, workers, data_dir)
    failed = 0
    try:
        for outcome in _followed(outcomes, before, len(trainings), as_json):
            failed += outcome.status != "finished"
            if as_json:
                terminal.print_json(vars(outcome))
    except KeyboardInterrupt:
        again = f"{terminal.called()} sweep {file} -o {out}"
        terminal.complain(f"stopped; what is done is kept, to go on: {again}")
        raise typer.Exit(terminal.INTERRUPTED) from None
    if not as_json:
        done, where = len(trainings) - failed, terminal.harmless(out)
        print(f"{done} of {len(trainings)} are done: stepconv compare {where}")
    if failed:
        raise typer.Exit(terminal.WRONG)


def _outcomes(
    todo: "list[Training]", out: Path, on: str, workers: int | None, data_dir: Path | None
) -> "Iterator[Outcome]":
    """Return what becomes of the trainings, as they end."""
    from stepconv.sweep.trial import Place

    place = Place(out, 1, data_dir.resolve() if data_dir else None)
    if on == "local":
        from stepconv.sweep import local

        return local.run(todo, place, workers)
    from stepconv.sweep import cluster

    return cluster.run(todo, place, workers, on)


def _followed(
    outcomes: "Iterable[Outcome]", before: "Sequence[Outcome]", total: int, quiet: bool
) -> "Iterator[Outcome]":
    """Yield the outcomes and show them; those from `before` are done already."""
    from stepconv.cli import terminal

    begun, done = perf_counter(), len(before)
    right = [each.test_accuracy for each in before if each.test_accuracy is not None]
    best = max(right, default=0.0)
    console = terminal.stderr()
    if before and not quiet:
        terminal.complain(f"{done} of {total} were done before")
    with console.status("starting …") as status:
        for made, outcome in enumerate(outcomes, 1):
            best = max(best, outcome.test_accuracy or 0.0)
            left = (perf_counter() - begun) / made * (total - done - made)
            status.update(f"{done + made} of {total}, best {best:.2%}, about {_clock(left)} left")
            if not quiet:
                print(f"{outcome.name}: {_told(outcome)}", flush=True)
            yield outcome


def _told(outcome: "Outcome") -> str:
    """Return how a training ended, in words."""
    if outcome.test_accuracy is not None:
        return f"{outcome.test_accuracy:.2%} in {outcome.seconds:.1f} s"
    return outcome.told or outcome.status


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
