"""`stepconv train`: a network learns from pictures while you watch, and lands in a folder."""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv.cli.commands.play import on_a_screen
from stepconv.cli.reading import networks
from stepconv.errors import ArgumentError, StepconvError

if TYPE_CHECKING:
    from stepconv.geometry import Shape
    from stepconv.nn import Model
    from stepconv.train.data import DataSet
    from stepconv.train.recipe import Recipe
    from stepconv.train.runs import Run

Say = Callable[[str], None]


def train(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL",
            show_default=False,
            help="A network of the zoo, or a .toml file; --resume with --out needs none.",
        ),
    ] = None,
    data: Annotated[
        str | None,
        typer.Option(
            help="mnist, fashion-mnist, digits (made by code), a folder, an .npz or a .csv."
        ),
    ] = None,
    data_dir: networks.DataDir = None,
    input: Annotated[
        str | None,
        typer.Option("--input", help="Pictures as the network reads them [as the data has them]."),
    ] = None,
    classes: Annotated[
        int | None, typer.Option(help="Classes that a network of the zoo tells [the data's].")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Times each picture is seen, few ones more often [4].")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Steps, instead of epochs.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pictures of a step [64].")] = None,
    lr: Annotated[
        float | None,
        typer.Option(help="How large a step is [0.03, for few pictures 0.01; adam 0.001]."),
    ] = None,
    optimizer: Annotated[
        str | None, typer.Option(help="sgd, adam, adamw, rmsprop, adadelta [sgd].")
    ] = None,
    momentum: Annotated[
        float | None, typer.Option(help="How slowly sgd forgets its direction [0.9].")
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(help="How lr changes: constant, step, cosine, one-cycle [one-cycle]."),
    ] = None,
    warm_up: Annotated[
        int | None, typer.Option(help="Steps until lr is in full [a tenth of them, up to 20].")
    ] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Pull of weights towards 0 [0.0005].")
    ] = None,
    l1: Annotated[float | None, typer.Option(help="The same pull on all weights [0].")] = None,
    clip: Annotated[
        float | None, typer.Option(help="Cut each number of a gradient to this [not at all].")
    ] = None,
    algorithm: Annotated[
        str | None,
        typer.Option(help="3x3 windows: direct, or winograd, faster and less exact [direct]."),
    ] = None,
    augment: Annotated[
        bool, typer.Option("--augment", help="Shift, turn and scale the pictures on the way.")
    ] = False,
    validation: Annotated[
        float | None,
        typer.Option(help="Pictures, or a share like 0.1, to choose the best epoch by [0]."),
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="End after so many epochs without a better one.")
    ] = None,
    evaluate_every: Annotated[
        int | None, typer.Option(help="Judge after each so many epochs [1].")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Draws another beginning and order [0].")] = None,
    start: Annotated[
        Path | None,
        typer.Option("--from", help="Begin with the weights of a run or .safetensors file."),
    ] = None,
    freeze: Annotated[
        str | None, typer.Option(help="Layers that stay as they are, as in conv1,conv2.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The run folder [runs/MODEL-DATA].")] = None,
    keep: Annotated[
        int | None,
        typer.Option(help="Keep so many moments of the training, for `explore` to go through [0]."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where it stopped.")] = False,
    threads: Annotated[
        int | None, typer.Option(help="Threads; the result is the same with any number.")
    ] = None,
    backend: networks.Backend = None,
    limit: Annotated[
        int | None, typer.Option(help="Learn from N pictures only, a share of each class.")
    ] = None,
    watch: Annotated[
        bool,
        typer.Option("--watch", help="Look inside while it learns, and change lr, batch and more."),
    ] = False,
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
    mini-densenet. Each is made for the size, the colours and the classes of the data.

    Examples:

        stepconv train lenet5
        stepconv train lenet5 --data mnist --epochs 4
        stepconv train mini-resnet --data fashion-mnist --augment --epochs 20
        stepconv train mini-vgg --data my-photos/ --validation 0.1
        stepconv train mini-vgg --data mnist --algorithm winograd
        stepconv train lenet5 --data mnist --resume
        stepconv train lenet5 --data mnist --keep 12
        stepconv train lenet5 --data mnist --watch
        stepconv train my-net.toml --data my-pictures/ --json
    """
    given = {
        "data": _whole(data),
        "epochs": epochs,
        "steps": steps,
        "batch_size": batch_size,
        "lr": lr,
        "optimizer": optimizer,
        "momentum": momentum,
        "schedule": schedule,
        "warm_up": warm_up,
        "weight_decay": weight_decay,
        "l1": l1,
        "clip": clip,
        "algorithm": algorithm,
        "augment": augment or None,
        "validation": validation,
        "patience": patience,
        "evaluate_every": evaluate_every,
        "seed": seed,
        "start": str(start.absolute()) if start else None,
        "freeze": freeze,
        "limit": limit,
    }
    choices: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    if name is not None and name.endswith(".toml"):
        choices = networks.training(name) | choices
    if epochs is not None and steps is not None:
        raise ArgumentError(f"--epochs {epochs} and --steps {steps} say two things: give one")
    if quiet and as_json:
        raise ArgumentError("--quiet and --json say two things: give one")
    if watch and (quiet or as_json):
        raise ArgumentError(
            f"--watch and --{'quiet' if quiet else 'json'} say two things: give one"
        )
    if watch and not on_a_screen():
        raise ArgumentError("--watch needs a terminal: without it epochs are printed line by line")
    if name is None and not (resume and out):
        raise ArgumentError("MODEL is missing: one of the zoo, lenet5 for one, or a .toml file")

    from stepconv.cli import terminal
    from stepconv.cli.showing import training
    from stepconv.train import recipe

    if keep is not None:
        recipe.at_least("keep", keep, 0)
    how = recipe.from_choices(choices)
    chosen = networks.backend(backend)
    called = "" if name is None else networks.model(name).name
    if threads is not None:
        _use_threads(threads)
    with training.waiting(terminal.stderr(), quiet or as_json) as say:
        if resume:
            folder = out or _newest(f"{called}-{_stem(how.data)}")
            run = _resumed(folder, name, choices, data_dir, chosen, say)
            run.keep = run.keep if keep is None else keep
        else:
            shape = None if input is None else networks.shape(input)
            wanted = Wanted(name or "", shape, classes, out, keep or 0)
            run = _begun(wanted, how, choices.keys(), data_dir, chosen, say)
        told = run.events()
        first = next(told)
    if not quiet:
        for note in run.data.notes:
            terminal.complain(f"{_stem(run.data.name)}: {note}")
    again = ["train", "--resume", "--out", str(run.folder)]
    if backend is not None:
        again += ["--backend", backend]
    if data_dir is not None:
        again += ["--data-dir", str(data_dir)]
    shown = "json" if as_json else "quiet" if quiet else "watch" if watch else ""
    _follow(run, first, told, again, shown)


@dataclass(frozen=True)
class Wanted:
    """A network that is to be made, for which pictures and classes, and where it is to be kept."""

    name: str
    shape: "Shape | None"
    classes: int | None
    out: Path | None
    keep: int = 0


def _begun(
    wanted: Wanted,
    how: "Recipe",
    chosen: Collection[str],
    data_dir: Path | None,
    backend: str,
    say: Say,
) -> "Run":
    """Return a new run: its data first, then a network that fits, then a folder of its own."""
    from stepconv import nn
    from stepconv.train.lock import free_folder
    from stepconv.train.runs import Run, check_new

    if wanted.out is not None:
        check_new(wanted.out)
    start = None if how.start is None else networks.trained(Path(how.start))
    fixed = None if wanted.name in nn.ZOO else networks.model(wanted.name)
    shape = wanted.shape if fixed is None else fixed.input_shape
    _check_early(wanted, how, fixed, shape)
    found = _loaded(how, shape, data_dir, say)
    model = fixed or networks.model(
        wanted.name, picture=found.shape, classes=wanted.classes or len(found.classes)
    )
    how = how.suited(len(found.train), chosen)
    say("starting: on first use kernels are compiled, a few seconds, then kept")
    folder = wanted.out or free_folder(Path("runs") / f"{model.name}-{_stem(how.data)}")
    try:
        return Run.new(folder, model, found, how, backend, start, wanted.keep)
    except StepconvError:
        if wanted.out is None:
            folder.rmdir()
        raise


def _check_early(
    wanted: Wanted, how: "Recipe", fixed: "Model | None", size: "Shape | None"
) -> None:
    """Refuse what is wrong whatever the data hold, before they are loaded and anything is said."""
    from stepconv.cli.showing import output
    from stepconv.errors import DataError
    from stepconv.train import runs
    from stepconv.train.data import sets

    if wanted.out is not None:
        output.check_folder(wanted.out)
    if wanted.classes is not None and wanted.classes < 1:
        raise ArgumentError(f"--classes {wanted.classes} is too small: 1 or more fits")
    sets.check_name(how.data, size)
    if how.data not in sets.FORMS:
        return
    if how.patience and not how.validation:
        raise ArgumentError(f"--patience {how.patience} needs --validation to choose by")
    known, shape = sets.KNOWN_CLASSES, sets.KNOWN_SHAPE
    model = fixed or networks.model(wanted.name, picture=shape, classes=wanted.classes or known)
    if model.classes < known:
        told = f"{how.data} has {known} classes, the network tells {model.classes} apart"
        raise DataError(told)
    runs.check(model, how)


def _resumed(
    folder: Path,
    name: str | None,
    choices: dict[str, Any],
    data_dir: Path | None,
    backend: str,
    say: Say,
) -> "Run":
    """Return the run in a folder, taken up again."""
    from stepconv import nn
    from stepconv.train.runs import Run, Stored

    stored = Stored.read(folder)
    model = None
    if name is not None:
        same = name in nn.ZOO and name == stored.model.name  # made for its data
        model = stored.model if same else networks.model(name)
    stored.check(folder, model, choices)
    how = replace(stored.recipe, data=choices.get("data", stored.recipe.data))
    found = _loaded(how, stored.model.input_shape, data_dir, say)
    say("starting: on first use kernels are compiled, a few seconds, then kept")
    return Run.resumed(folder, found, backend, choices.get("epochs"))


def _loaded(how: "Recipe", shape: "Shape | None", data_dir: Path | None, say: Say) -> "DataSet":
    from stepconv.train import data

    say(f"loading {how.data}")
    return data.load(
        how.data,
        data_dir=data_dir,
        shape=shape,
        limit=how.limit,
        validation=how.validation,
        progress=lambda what, done, total: say(_progress(what, done, total)),
    )


def _follow(run: "Run", first: Any, told: Any, again: list[str], shown: str) -> None:
    """Show the training to its end, and say how it ended, or the command to go on with it.

    It is `shown` as "json", "quiet"ly, to "watch", or in lines and curves.
    """
    import shlex
    from itertools import chain

    from stepconv.cli import terminal
    from stepconv.cli.showing import report
    from stepconv.nn.steps.ways import summed_directly
    from stepconv.train import events
    from stepconv.train.judge import names

    console = terminal.stdout()
    quiet, as_json = shown == "quiet", shown == "json"
    direct = summed_directly(run.trainer.describe())
    if direct and not quiet:
        terminal.complain(f"--algorithm winograd: summed directly are {direct}")
    shape = "x".join(map(str, run.model.input_shape))
    title = (
        f"{run.model.name} on {_stem(run.data.name)} · {run.model.parameter_count:,} parameters · "
        f"{len(run.data.train):,} pictures of {shape} · {len(run.data.classes)} classes"
    )
    if shown == "watch":
        from stepconv.cli.exploring import watching

        told = [watching.watch(run, first, told, title)]
    else:
        told = _listened(chain([first], told), shown, title)
    warned = []
    for last in told:
        if isinstance(last, events.Warned):
            warned.append(f"epoch {last.epoch}: {last.trouble}; {last.advice}")
            if not quiet and not console.is_terminal:
                terminal.complain(warned[-1])
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
        verdict = run.verdict()
        print()
        classes = names(run.data.classes, run.model.classes)
        report.show(console, verdict, run.data.test, classes)
        if console.is_terminal:
            print(*warned, sep="\n")
        where = terminal.harmless(run.folder)
        print(f"\ntest accuracy {verdict.accuracy:.2%}; the network is in {where}")


def _listened(told: Any, shown: str, title: str) -> Any:
    """Return the events, heard on their way by whoever shows them."""
    from stepconv.cli import terminal
    from stepconv.cli.showing import training

    console = terminal.stdout()
    if shown == "json":
        return training.as_json(told)
    if shown == "quiet":
        return told
    if console.is_terminal and not console.is_dumb_terminal:
        return training.live(told, console, title)
    print(title)
    return training.lines(told)


def _whole(data: str | None) -> str | None:
    """Return a name of data that means the same from any folder."""
    if data is None:
        return None
    from stepconv.train.data.own import paths_of
    from stepconv.train.data.sets import is_own

    paths = paths_of(data) if is_own(data) else []
    return os.pathsep.join(str(path.resolve()) for path in paths) or data


def _stem(data: str) -> str:
    """Return how data is called in the name of a folder."""
    path = Path(data.partition(os.pathsep)[0])
    return path.name if path.is_dir() else path.stem


def _newest(name: str) -> Path:
    """Return the newest folder of that name with a number behind it."""
    number, folder = 1, Path("runs") / name
    while (later := folder.with_name(f"{name}-{number + 1}")).exists():
        number, newest = number + 1, later
    return folder if number == 1 else newest


def _use_threads(count: int) -> None:
    from stepconv.kernels.compile import threading_status, use_threads

    most = threading_status()["max_threads"]
    if not 1 <= count <= most:
        raise ArgumentError(f"--threads {count} does not fit: 1 to {most} do here")
    use_threads(count)


def _progress(what: str, done: int, total: int) -> str:
    if what == "decoding":
        return f"decoding pictures: {done:,} of {total:,}"
    share = f" of {total / 1e6:.1f}" if total else ""
    return f"downloading {what}: {done / 1e6:.1f}{share} MB"
