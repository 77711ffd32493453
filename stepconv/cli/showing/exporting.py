"""What `stepconv export` writes: steps that are chosen, a whole record, a network."""

import json
from collections.abc import Callable, Iterator, Sequence
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
    from stepconv.export.reel import Reel
    from stepconv.export.stepped import PageReel

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
        typed = f"--as {wanted.way}" if wanted.way else asked.typed(*asked.options)
        if typed:
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

        return (page.write(asked, wanted.out, way=wanted.way, cell=wanted.cell),)
    one = not kind.all_steps and wanted.steps is None and wanted.every is None
    if wanted.way is not None:
        return _algorithm(asked, wanted, wanted.way, one)
    from stepconv.cli.showing import links

    record = targets.trace_of(asked)
    if suffix == ".npz":
        record.save(wanted.out, force=wanted.force)
        return (kind.holds,)
    found = links.shown(record, wanted.link)
    if wanted.step is not None and len(found) > 1:
        raise ArgumentError(f"--step {wanted.step} of which of {len(found)} links? --link 0 fits")
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
        _data(steps, lambda step: step[0].as_data(step[0].trace[step[1]]), wanted.out)
    else:
        _draw_record(steps, asked, wanted)
    return (_counted(len(steps)),)


def _algorithm(asked: "Asked", wanted: Wanted, way: str, one: bool) -> tuple[str, ...]:
    """Write the steps of an algorithm; the last of them is the table of all ways."""
    from stepconv.cli.showing import stepped

    made = stepped.made(asked, way, wanted.cell, wanted.link)
    pages = made.pages(
        asked.backend, wanted.step, wanted.steps, everything=not one, every=wanted.every or 1
    )
    if wanted.suffix == ".json":
        _data(pages, stepped.as_data, wanted.out)
    else:
        from stepconv.export.stepped import PageReel

        _check_count(len(pages), wanted)
        title = made.title
        how = f"--as {way}", "" if wanted.cell is None else f"--cell {wanted.cell}"
        told = " ".join(filter(None, [_source(asked), *how]))
        _draw(PageReel(pages, title), f"{title} · {way}", (told,), wanted)
    return (_counted(len(pages)),)


def _counted(steps: int) -> str:
    return f"{steps} step{'s' * (steps != 1)}"


def _network(name: str, wanted: Wanted) -> tuple[str, ...]:
    if wanted.suffix == ".toml":
        from stepconv.nn.description import to_toml

        model = networks.described(name)
        files.write(wanted.out, to_toml(model).encode())
        return (f"the layers of {model.name}",)
    from stepconv.cli.commands.export_onnx import write

    network, told = write(Path(name), wanted.out)
    return network.model.name, *told


def _data(steps: Sequence[Any], as_data: Callable[[Any], dict[str, Any]], out: Path) -> None:
    """Write the steps as one list of what `show --json` says of each."""
    with files.replacing(out) as file:
        file.write(b"[")
        for number, step in enumerate(_watched(steps, "writing steps")):
            data = json.dumps(as_data(step), default=lambda x: x.tolist())
            file.write(("\n" if number == 0 else ",\n").encode() + data.encode())
        file.write(b"\n]\n")


def _check_count(steps: int, wanted: Wanted) -> None:
    """Refuse to draw nothing, or more than anybody opens."""
    if not steps:
        raise ArgumentError("nothing comes out of this call: there is no step to draw")
    if steps > _MOST:
        raise ArgumentError(
            f"{steps:,} steps are too many for a {wanted.suffix}, {_MOST:,} fit: "
            f"--steps 0:100 or --every {-(-steps // _MOST)}"
        )
    if wanted.fps is not None and steps == 1:
        raise ArgumentError(f"--fps {wanted.fps:g} has no place here: one step stands still")


def _draw_record(steps: "list[tuple[Shown, int]]", asked: "Asked", wanted: Wanted) -> None:
    """Write the windows of a record as pictures of a kind."""
    from stepconv.export.reel import Reel, Shot
    from stepconv.player.frame.film import Film

    _check_count(len(steps), wanted)
    films = {id(shown): Film(shown.trace, letters=wanted.letters) for shown, _ in steps}
    reel = Reel([Shot(films[id(shown)], index, shown.heading) for shown, index in steps])
    first = reel[0].film
    recorder = first.trace.about.recorder
    told = _source(asked), f"recorded by {recorder}" if recorder else "", *first.notes
    _draw(reel, first.title or first.trace.call.operation.title, told, wanted)


def _draw(reel: "Reel | PageReel", title: str, told: tuple[str, ...], wanted: Wanted) -> None:
    """Write a reel as a file of the kind that is wanted."""
    from stepconv.export.looks import DARK, LIGHT

    shots = _watched(reel, f"drawing {len(reel)} steps")
    figures = map(reel.figure, shots)
    theme, fps = DARK if wanted.dark else LIGHT, wanted.fps or _FPS
    size: dict[str, Any] = {"width": wanted.width, "fps": fps}
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

        content = slides.deck(figures, title, told)
    else:
        from stepconv.export import raster

        content = raster.film(figures, wanted.suffix[1:].upper(), theme, **size)
    files.write(wanted.out, content)


def _source(asked: "Asked") -> str:
    """Return what the steps are of, as it was typed."""
    return " ".join(filter(None, [asked.target, asked.typed(*asked.options)]))


def _watched(items: Any, doing: str) -> Iterator[Any]:
    """Yield items, and show a person how many are done."""
    from rich.progress import track

    console = terminal.stderr()
    hidden = not console.is_terminal or len(items) < 2
    return iter(track(items, doing, console=console, transient=True, disable=hidden))
