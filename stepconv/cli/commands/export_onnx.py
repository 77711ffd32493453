"""A trained network as a file that other engines run: `stepconv export RUN -o FILE.onnx`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stepconv import files
from stepconv.cli.reading import networks
from stepconv.errors import ArgumentError, StepconvError

if TYPE_CHECKING:
    from stepconv.nn.checkpoint import Network

# Pictures on which both engines are asked, and how far apart their answers may be: rounding, of
# numbers that are summed in another order, is a hundred times less.
ASKED = 16
APART = 1e-3


def export_onnx(
    path: networks.Trained,
    out: Annotated[
        Path | None,
        typer.Argument(metavar="FILE.onnx", help="The file to write [beside MODEL]."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Write MODEL as an ONNX file, for other engines.

    Before the file gets its name, onnxruntime runs it on a few pictures of noise: its answers have
    to be those of stepconv.

    The input "images" is batch x channels x rows x columns in float32: pixels from 0 to 255 times
    the "scale" that stands in the file's metadata. The output "logits" has a number for each class.

    Examples:

        pip install 'stepconv[onnx]'
        stepconv export runs/lenet5-mnist -o digits.onnx
    """
    from stepconv.cli.showing import output

    if out is None:
        out = (path / "model" if path.is_dir() else path).with_suffix(".onnx")
    output.check(out, (".onnx",), force)
    network, told = write(path, out)
    from stepconv.cli import terminal

    print(f"{network.model.name} is in {terminal.harmless(out)}, {out.stat().st_size:,} bytes")
    print("\n".join(told))


def write(path: Path, out: Path) -> "tuple[Network, tuple[str, str]]":
    """Write the network that is in a file or a run folder; return it, and what goes in and out."""
    network = networks.trained(path)
    try:
        import onnxruntime  # noqa: F401

        from stepconv.nn import onnx
    except ImportError as error:
        raise ArgumentError(f"{out} needs {error.name}: pip install 'stepconv[onnx]'") from None
    content = onnx.model_bytes(network)
    difference = apart(network, content)
    if not difference <= APART:
        raise StepconvError(
            f"onnxruntime's answers are not those of {path}: they differ by {difference:.1e} of "
            "the largest; nothing was written"
        )
    files.write(out, content)
    shape = " x ".join(map(str, network.model.input_shape))
    return network, (
        f"images: batch x {shape}, {onnx.line(network)}",
        f"logits: batch x {network.model.classes}, the same in onnxruntime to {difference:.0e}",
    )


def apart(network: "Network", content: bytes) -> float:
    """Return the largest difference of both engines' answers, beside the largest answer."""
    import numpy as np
    import onnxruntime

    from stepconv.train import runs

    noise = np.random.default_rng(0).standard_normal((ASKED, *network.model.input_shape))
    images = noise.astype(np.float32)
    ours = runs.predictor(network).logits(images)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (theirs,) = session.run(None, {session.get_inputs()[0].name: images})
    return float(np.abs(ours - theirs).max() / np.abs(ours).max())
