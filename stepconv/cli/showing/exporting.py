"""What `stepconv export` writes: steps that are chosen, a whole record, a network."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stepconv import files
from stepconv.cli import terminal
from stepconv.cli.reading import networks, targets
from stepconv.cli.reading.steps import chosen
from stepconv.cli.showing.kinds import KINDS, Wanted
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.cli.reading.targets import Asked
    from stepconv.cli.showing.links import Shown

# Of more steps than these nothing opens a film, or a file of slides.
_MOST = 1000
_FPS = 2.0


def export(asked: "Asked", wanted: Wanted) -> tuple[str, ...]:
    """Write what is asked for, as the file's suffix says; return what it holds, line by line."""
    kind, suffix = wanted.kind(), wanted.suffix
    if asked.target is not None and networks.is_network(asked.target):
        if not kind.of_networks:
            fits = ", ".join(end for end, each in KINDS.items() if each.of_networks)
            raise ArgumentError(f"{asked.target} is a network, and a {suffix} is not: {fits} fit")
        if asked.options:
            typed = asked.typed(*asked.options)
            raise ArgumentError(f"{typed} has no place here: {asked.target} is a network")
        if suffix != ".toml" and not Path(asked.target).exists():
            raise ArgumentError(
                f"{asked.target} has learnt nothing yet: a run folder or its .safetensors fits"
            )
        if suffix != ".html":
            return _network(asked.target, wanted)
    if not kind.of_records:
        raise ArgumentError(
            f"{asked.target or asked.input} is no network, and a {suffix} is {kind.holds}: a run "
            "folder or a .safetensors file fits"
        )
    if suffix == ".html":
        from stepconv.cli.commands import page

        return (page.write(asked, wanted.out),)
    from stepconv.cli.showing import links

    record = targets.trace_of(asked)
    if suffix == ".npz":
        record.save(wanted.out, force=wanted.force)
        return (kind.holds,)
    found = links.shown(record, wanted.link)
    if wanted.step is not None and len(found) > 1:
        raise ArgumentError(f"--step {wanted.step} of which of {len(found)} links? --link 0 fits")
    one = not kind.all_steps and wanted.steps is None and wanted.every is None
    steps = [
        (shown, number)
        for shown in (found[:1] if one else found)
        for number in chosen(
            shown.trace,
            wanted.step,
            wanted.steps,
            everything=not one,
            every=wanted.every or 1,
        )
    ]
    if suffix == ".json":
        _data(steps, wanted.out)
    else:
        _drawn(steps, asked, wanted)
    return (f"{len(steps)} step{'s' * (len(steps) != 1)}",)


def _network(name: str, wanted: Wanted) -> tuple[str, ...]:
    if wanted.suffix == ".toml":
        from stepconv.nn.description import to_toml

        model = networks.described(name)
        files.write(wanted.out, to_toml(model).encode())
        return (f"the layers of {model.name}",)
    from stepconv.cli.commands.export_onnx import write

    network, told = write(Path(name), wanted.out)
    return network.model.name, *told


def _data(steps: "list[tuple[Shown, int]]", out: Path) -> None:
    """Write the steps as one list of what `show --json` says of each."""
    with files.replacing(out) as file:
        file.write(b"[")
        for number, (shown, index) in enumerate(_counted(steps, "writing steps")):
            data = json.dumps(shown.as_data(shown.trace[index]), default=lambda x: x.tolist())
            file.write(("\n" if number == 0 else ",\n").encode() + data.encode())
        file.write(b"\n]\n")


def _drawn(steps: "list[tuple[Shown, int]]", asked: "Asked", wanted: Wanted) -> None:
    """Write the steps as pictures of a kind."""
    from stepconv.export.looks import DARK, LIGHT
    from stepconv.export.reel import Reel, Shot
    from stepconv.player.frame.film import Film

    if not steps:
        raise ArgumentError("nothing comes out of this call: there is no step to draw")
    if len(steps) > _MOST:
        raise ArgumentError(
            f"{len(steps):,} steps are too many for a {wanted.suffix}, {_MOST:,} fit: "
            f"--steps 0:100 or --every {-(-len(steps) // _MOST)}"
        )
    if wanted.fps is not None and len(steps) == 1:
        raise ArgumentError(f"--fps {wanted.fps:g} has no place here: one step stands still")
    films = {id(shown): Film(shown.trace, letters=wanted.letters) for shown, _ in steps}
    reel = Reel([Shot(films[id(shown)], index, shown.heading) for shown, index in steps])
    shots = _counted(reel, f"drawing {len(reel)} steps")
    figures = map(reel.figure, shots)
    theme, fps = DARK if wanted.dark else LIGHT, wanted.fps or _FPS
    size: dict[str, Any] = {"width": wanted.width, "fps": fps}
    first = reel[0].film
    title = first.title or first.trace.call.operation.title
    # Late, for each needs a package of its own.
    if wanted.suffix == ".svg":
        from stepconv.export import svg

        content = svg.picture(figures, theme, **size)
    elif wanted.suffix == ".pdf":
        from stepconv.export import pdf

        content = pdf.pages(figures, theme)
    elif wanted.suffix == ".cast":
        from stepconv.export import cast

        content = cast.recording(shots, title, **size)
    elif wanted.suffix == ".pptx":
        from stepconv.export import slides

        recorder = first.trace.about.recorder
        told = _source(asked), f"recorded by {recorder}" if recorder else "", *first.notes
        content = slides.deck(figures, title, told)
    else:
        from stepconv.export import raster

        content = raster.film(figures, wanted.suffix[1:].upper(), theme, **size)
    files.write(wanted.out, content)


def _source(asked: "Asked") -> str:
    """Return what the steps are of, as it was typed."""
    return " ".join(filter(None, [asked.target, asked.typed(*asked.options)]))


def _counted(items: Any, doing: str) -> Iterator[Any]:
    """Yield items, and show a person how many are done."""
    from rich.progress import track

    console = terminal.stderr()
    hidden = not console.is_terminal or len(items) < 2
    return iter(track(items, doing, console=console, transient=True, disable=hidden))
