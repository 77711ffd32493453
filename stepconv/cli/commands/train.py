"""`stepconv train`: a network learns from pictures while you watch, and lands in a folder."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv.cli.reading import networks
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.nn import Model
    from stepconv.train.runs import Run


def train(
    name: Annotated[
        str,
        typer.Argument(metavar="MODEL", help="A network of the zoo, or a .toml file."),
    ],
    data: Annotated[
        str | None,
        typer.Option(help="mnist, fashion-mnist, digits (made by code), a folder or an .npz file."),
    ] = None,
    data_dir: networks.DataDir = None,
    epochs: Annotated[int | None, typer.Option(help="Times each picture is seen [4].")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pictures of a step [64].")] = None,
    lr: Annotated[
        float | None, typer.Option(help="How large a step is [0.03; 0.001 with adam, adamw].")
    ] = None,
    optimizer: Annotated[str | None, typer.Option(help="sgd, adam or adamw [sgd].")] = None,
    schedule: Annotated[
        str | None,
        typer.Option(help="How lr changes: constant, step, cosine, one-cycle [one-cycle]."),
    ] = None,
    warm_up: Annotated[int | None, typer.Option(help="Steps until lr is in full [0].")] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Pull of weights towards 0 [0.0005].")
    ] = None,
    algorithm: Annotated[
        str | None,
        typer.Option(help="3x3 windows: direct, or winograd, faster and less exact [direct]."),
    ] = None,
    augment: Annotated[
        bool, typer.Option("--augment", help="Shift, turn and scale the pictures on the way.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Draws another beginning and order [0].")] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder [runs/MODEL-DATA].")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
    threads: Annotated[
        int | None, typer.Option(help="Threads; the result is the same with any number.")
    ] = None,
    backend: networks.Backend = None,
    limit: Annotated[int | None, typer.Option(help="Learn from the first N pictures only.")] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Say nothing unless it fails.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object for each epoch.")
    ] = False,
) -> None:
    """Train MODEL and keep it in a folder, ready to go on.

    A network sees a batch of pictures, its loss says how wrong its answers are, and every weight
    takes a small step (lr) that makes the loss smaller. After each epoch the test pictures, from
    which it never learns, show what it is worth. Ctrl-C saves and stops; --resume goes on, and
    ends in the same bytes as if nothing had happened.

    The zoo: mlp, lenet5, mini-alexnet, mini-zfnet, mini-vgg, mini-googlenet, mini-resnet,
    mini-densenet.

    Examples:

        stepconv train lenet5
        stepconv train lenet5 --data mnist --epochs 4
        stepconv train mini-resnet --data fashion-mnist --augment --epochs 20
        stepconv train mini-vgg --data mnist --algorithm winograd
        stepconv train lenet5 --data mnist --resume
        stepconv train my-net.toml --data my-pictures/ --json
    """
    given = {
        "data": data,
        "epochs": epochs,
        "batch_size": batch_size,
        "lr": lr,
        "optimizer": optimizer,
        "schedule": schedule,
        "warm_up": warm_up,
        "weight_decay": weight_decay,
        "algorithm": algorithm,
        "augment": augment or None,
        "seed": seed,
        "limit": limit,
    }
    choices = {key: value for key, value in given.items() if value is not None}
    if quiet and as_json:
        raise ArgumentError("--quiet and --json say two things: give one")

    from stepconv.cli import terminal
    from stepconv.cli.showing import training

    chosen = networks.backend(backend)
    model = networks.model(name)
    folder = out or _folder(f"{model.name}-{Path(data or 'digits').resolve().stem}", resume)
    with training.waiting(terminal.stderr(), quiet or as_json) as say:
        run = _prepare(folder, model, choices, resume, threads, data_dir, chosen, say)
        told = run.events()
        first = next(told)
    again = ["train", name, "--resume", "--out", str(folder)]
    if backend is not None:
        again += ["--backend", backend]
    if data_dir is not None:
        again += ["--data-dir", str(data_dir)]
    _follow(run, first, told, again, quiet, as_json)


def _prepare(
    folder: Path,
    model: "Model",
    choices: dict[str, Any],
    resume: bool,
    threads: int | None,
    data_dir: Path | None,
    backend: str,
    say: Any,
) -> "Run":
    """Return the run, new or taken up again, with its data."""
    from stepconv.train.recipe import Recipe

    how = Recipe(**choices)
    say(f"loading {how.data}")
    from stepconv.train import data
    from stepconv.train.runs import Run, Stored, check_new

    if threads is not None:
        _use_threads(threads)
    if resume:
        stored = Stored.read(folder)
        stored.check(folder, model, choices)
        how = stored.recipe
    else:
        check_new(folder)
    found = data.load(
        how.data,
        data_dir=data_dir,
        shape=model.input_shape,
        limit=how.limit,
        progress=lambda file, done, total: say(_downloading(file, done, total)),
    )
    say("preparing kernels: compiled on first use, a few seconds, then kept")
    if resume:
        return Run.resumed(folder, found, backend)
    return Run.new(folder, model, found, how, backend)


def _follow(
    run: "Run", first: Any, told: Any, again: list[str], quiet: bool, as_json: bool
) -> None:
    """Show the training to its end, and say how it ended, or the command to go on with it."""
    import shlex
    from itertools import chain

    from stepconv.cli import terminal
    from stepconv.cli.showing import report, training
    from stepconv.train import events
    from stepconv.train.judge import judge, names

    console = terminal.stdout()
    told = chain([first], told)
    title = (
        f"{run.model.name} on {run.data.name} · {run.model.parameter_count:,} parameters · "
        f"{len(run.data.train):,} pictures"
    )
    if as_json:
        told = training.as_json(told)
    elif not quiet and console.is_terminal and not console.is_dumb_terminal:
        told = training.live(told, console, title)
    elif not quiet:
        print(title)
        told = training.lines(told)
    *_, last = told
    if isinstance(last, events.Diverged):
        terminal.complain(
            f"the loss is no number any more, in epoch {last.epoch}, step {last.step}: "
            f"{last.advice}"
        )
        raise typer.Exit(terminal.WRONG)
    if isinstance(last, events.Stopped):
        command = f"{terminal.called()} {shlex.join(again)}"
        terminal.complain(f"stopped and saved after step {last.step}; to go on: {command}")
        raise typer.Exit(terminal.INTERRUPTED)
    if not quiet and not as_json:
        verdict = judge(run.trainer, run.data.test)
        print()
        classes = names(run.data.classes, run.model.classes)
        report.show(console, verdict, run.data.test, classes)
        print(f"\ntest accuracy {verdict.accuracy:.2%}; the network is in {run.folder}")


def _folder(name: str, resume: bool) -> Path:
    """Return the newest folder of that name with a number behind it, or the next one."""
    number, folder = 1, Path("runs") / name
    while folder.exists():
        last = folder
        number += 1
        folder = Path("runs") / f"{name}-{number}"
    return last if resume and number > 1 else folder


def _use_threads(count: int) -> None:
    from stepconv.kernels.compile import threading_status, use_threads

    most = threading_status()["max_threads"]
    if not 1 <= count <= most:
        raise ArgumentError(f"--threads {count} does not fit: 1 to {most} do here")
    use_threads(count)


def _downloading(file: str, done: int, total: int) -> str:
    share = f" of {total / 1e6:.1f}" if total else ""
    return f"downloading {file}: {done / 1e6:.1f}{share} MB"
