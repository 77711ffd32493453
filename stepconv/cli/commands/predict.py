"""`stepconv predict`: what a trained network takes a picture for, and what it saw of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv.cli.reading import networks
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stepconv.cli.reading.picture_files import Picture

BAR = 24
MOST_BARS = 10


def predict(
    path: networks.Trained,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help=".png, .jpg, .npy or .csv pictures.")
    ],
    as_is: Annotated[
        bool, typer.Option("--as-is", help="Stretch only: do not centre, do not invert.")
    ] = False,
    backend: networks.Backend = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print a JSON object for each file.")
    ] = False,
) -> None:
    """Ask MODEL what is in each FILE.

    A network that learnt digits knows them bright on black, in the middle. A picture is brought
    into that form first: inverted if the paper is light, cut out, scaled and centred.

    Examples:

        stepconv predict runs/lenet5-mnist five.png
        stepconv predict model.safetensors scans/*.png --json
    """
    from stepconv.cli import terminal
    from stepconv.cli.reading import picture_files
    from stepconv.cli.showing import preview

    chosen = networks.backend(backend)
    pictures = {file: picture_files.read(file) for file in files}
    network = networks.trained(path)
    import numpy as np

    from stepconv.train import runs
    from stepconv.train.judge import names, probabilities

    classes = names(network.about.get("classes", ()), network.model.classes)
    seen = [
        as_seen(picture, network.model.input_shape, classes, as_is, str(file))
        for file, picture in pictures.items()
    ]
    shares = probabilities(runs.predictor(network, chosen).logits(np.stack(seen)))
    console = terminal.stdout()
    for file, saw, row in zip(pictures, seen, shares, strict=True):
        told = int(row.argmax())
        if as_json:
            found = {"file": str(file), "class": classes[told], "probability": row[told]}
            shares_of = dict(zip(classes, row.tolist(), strict=True))
            terminal.print_json({**found, "probabilities": shares_of}, ensure_ascii=False)
            continue
        print(f"{file}: {classes[told]} ({row[told]:.1%})")
        if console.is_terminal:
            whole = picture_files.in_8_bits(pictures[file].planes * (255 / pictures[file].white))
            preview.show(console, {"the file": whole, "what the network saw": saw})
        for line in bars(classes, row):
            print(line)


def as_seen(
    picture: "Picture", shape: tuple[int, ...], classes: "list[str]", as_is: bool, name: str
) -> "NDArray[Any]":
    """Return the picture as the network is shown it, (channels, rows, columns) of bytes."""
    import numpy as np

    from stepconv.cli.reading import picture_files
    from stepconv.train.data import centre

    if picture.is_signal:
        raise ArgumentError(f"{name} is a signal, not a picture")
    planes = picture.planes.astype(float) * (255 / picture.white)
    if not np.isfinite(planes).all():
        raise ArgumentError(f"{name} holds numbers that are not finite")
    if picture.alpha is not None:
        cover = picture.alpha / 255
        planes = planes * cover + 255 * (1 - cover)  # what is clear shows white paper
    channels, rows, columns = shape
    gray = (
        planes.mean(axis=0) if len(planes) == 1 else np.tensordot([0.299, 0.587, 0.114], planes, 1)
    )
    digits = list(classes) == [str(i) for i in range(10)]
    if not as_is and digits and shape == (1, centre.SIDE, centre.SIDE):
        return centre.centred(gray)[np.newaxis]
    if channels == 1:
        planes = gray[np.newaxis]
    elif len(planes) == 1:
        planes = np.repeat(planes, channels, axis=0)
    if len(planes) != channels:
        raise ArgumentError(f"{name} has {len(planes)} colours, the network reads {channels}")
    small = [centre.resized(plane, rows, columns) for plane in planes]
    return picture_files.in_8_bits(np.array(small))


def bars(classes: "list[str]", shares: Any) -> list[str]:
    """Return a bar for each class; of very many, those that it finds likeliest."""
    many = range(len(classes))
    chosen = sorted(sorted(many, key=lambda i: -shares[i])[:MOST_BARS])
    width = max(len(classes[i]) for i in chosen)
    return [
        f"  {classes[i]:>{width}} {'█' * round(BAR * shares[i]):<{BAR}} {shares[i]:>6.1%}"
        for i in chosen
    ]
