"""`stepconv predict`: what a trained network takes a picture for, and what it saw of it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from stepconv.cli.reading import networks
from stepconv.cli.reading.seen import as_seen, read
from stepconv.errors import ArgumentError

BAR = 24
MOST_BARS = 10
MOST_DRAWN = 4


def predict(
    path: networks.Trained,
    files: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="FILE…", help="Picture files, .npy and .csv, or pictures of the gallery."
        ),
    ] = None,
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Stretch only: do not centre, do not invert.")
    ] = False,
    backend: networks.Backend = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object for each file.")
    ] = False,
) -> None:
    """Ask MODEL what is in each FILE.

    A picture is treated as those were that the network learnt from: the run says how. One that
    learnt MNIST or made digits knows them bright on black, in the middle, so a picture is brought
    into that form first: inverted if the paper is light, cut out, scaled and centred. A sheet may
    be shaded, and hold several digits or none. A network that was trained with --validation also
    says where it is less sure than of nearly all pictures held back: what that is it does not know.

    Examples:

        stepconv predict runs/lenet5-mnist five.png
        stepconv predict model.safetensors scans/*.png --json
    """
    from stepconv.cli import terminal
    from stepconv.cli.showing import preview

    chosen = networks.backend(backend)
    if not files:
        trained = path.is_dir() or path.suffix == ".safetensors"
        both = f"{path} five.png" if trained else f"runs/lenet5-mnist {path}"
        raise ArgumentError(
            f"a MODEL and a FILE are needed, {path} is one alone: "
            f"`stepconv predict {both}` has both"
        )
    given = {file: read(file) for file in files}
    network = networks.trained(path)
    import numpy as np

    from stepconv.train import runs
    from stepconv.train.feed import Feed
    from stepconv.train.judge import names, probabilities

    classes = names(network.about.get("classes", ()), network.model.classes)
    feed, shape = Feed.told(network.about), network.model.input_shape
    # What a training with --validation has learnt: how sure it is of nearly all that it knows.
    sure_from = float(network.about.get("sure_from", 0.0))
    nothing = "no digit here" if feed.form == "digit" else "nothing that it knows"
    predictor, console = runs.predictor(network, chosen), terminal.stdout()
    del network  # its weights would be held twice: the predictor has its own
    for file, array in given.items():
        seen = as_seen(array, shape, feed, as_is, str(file))
        shares = np.empty((0, len(classes)))
        if seen:
            shares = probabilities(predictor.logits(feed.numbers(np.stack(seen))))
        known = shares.max(axis=1, initial=0) >= sure_from
        told = [classes[row.argmax()] for row in shares[known]]
        if as_json:
            found = [answer(classes, row, sure_from) for row in shares]
            whole = found[0] if len(found) == 1 else {"class": "".join(told), "digits": found}
            terminal.print_json({"file": str(file), **whole}, ensure_ascii=False)
            continue
        sure = ", ".join(f"{row.max():.1%}" for row in shares[known])
        name = terminal.harmless(file)
        print(f"{name}: {' '.join(told)} ({sure})" if told else f"{name}: {nothing}")
        if console.is_terminal:
            saw = {f"what the network saw{' ' * i}": one for i, one in enumerate(seen[:MOST_DRAWN])}
            preview.show(console, {"the file": array, **saw})
        for number, row in enumerate(shares, 1):
            if len(shares) > 1:
                print(f"  digit {number}")
            for line in bars(classes, row):
                print(line)


def answer(classes: list[str], row: Any, sure_from: float) -> dict[str, Any]:
    """Return what the network says of one picture as plain data, and whether it is sure enough."""
    shares = dict(zip(classes, row.tolist(), strict=True))
    return {
        "class": classes[row.argmax()],
        "probability": float(row.max()),
        "probabilities": shares,
        "recognised": bool(row.max() >= sure_from),
    }


def bars(classes: list[str], shares: Any) -> list[str]:
    """Return a bar for each class; of very many, the likeliest, and the first of them first."""
    chosen = list(range(len(classes)))
    if len(chosen) > MOST_BARS:
        chosen = sorted(chosen, key=lambda i: -shares[i])[:MOST_BARS]
    width = max(len(classes[i]) for i in chosen)
    return [
        f"  {classes[i]:>{width}} {'█' * round(BAR * shares[i]):<{BAR}} {shares[i]:>6.1%}"
        for i in chosen
    ]
