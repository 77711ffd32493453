"""`stepconv examples`: what the gallery holds, theme by theme, or all its numbers as JSON."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from stepconv.errors import ArgumentError, closest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Columns for a theme's name.
_NAMED = 12
_ALL = "all"
# Names of a theme take so many lines, and of what stands in many scenes the first are named.
_MOST_LINES, _MOST_SCENES = 2, 3


def examples(
    theme: Annotated[
        str | None, typer.Argument(metavar="THEME", help="One theme, entry by entry, or all.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with all numbers.")
    ] = False,
) -> None:
    """List worked examples and chains, named kernels and pictures.

    Without THEME the names, theme by theme; with it where each stands in the lessons, and what it
    is: `images 4` is scene 4 of that lesson.

    Examples:

        stepconv examples
        stepconv examples colour
        stepconv examples all | grep edge
        stepconv examples --json
    """
    import os

    from rich.text import Text

    from stepconv.cli import terminal

    themes = {name: dict(entries) for name, entries in sections()}
    if theme is not None and theme.lower() not in {_ALL, *(name.lower() for name in themes)}:
        hint = closest(theme, themes, f"{', '.join(themes)} or {_ALL} fit")
        raise ArgumentError(f"no theme {theme!r}: {hint}")
    chosen = [name for name in themes if theme in (None, _ALL) or name.lower() == theme.lower()]
    if as_json:
        terminal.print_json(everything(chosen))
        return
    console = terminal.stdout()
    # A pipe has no width: there a line is whole, unless COLUMNS asks for less.
    cut = console.is_terminal or "COLUMNS" in os.environ
    if theme is None:
        lines = _names(themes, console.width if cut else 80)
    else:
        lines = _entries({name: themes[name] for name in chosen})
    for heading, text in lines:
        line = f"{heading}{text}"
        shown = terminal.cut(line, console.width) if cut else line
        bold = len(heading)
        console.print(Text.assemble((shown[:bold], "bold"), shown[bold:]), soft_wrap=True)


def _names(themes: dict[str, dict[str, str]], width: int) -> "Iterator[tuple[str, str]]":
    """Yield the names of every theme, so that all themes fit on a screen."""
    import textwrap

    for theme, entries in themes.items():
        names = textwrap.wrap(
            ", ".join(entries),
            max(width - _NAMED, _NAMED),
            break_on_hyphens=False,
            max_lines=_MOST_LINES,
            placeholder=" …",
        )
        for number, line in enumerate(names):
            yield f"{'' if number else theme:<{_NAMED}}", line
    first = next(iter(themes))
    yield (
        "",
        f"`stepconv examples {first}` says more about a theme, `stepconv play NAME` plays one.",
    )


def _entries(themes: dict[str, dict[str, str]]) -> "Iterator[tuple[str, str]]":
    """Yield in which lesson each entry of some themes stands, and what it is."""
    from stepconv.lessons import shelf

    for theme, entries in themes.items():
        yield theme, ""
        places = {name: _places(shelf.where(name)) for name in entries}
        widest = max(len(name) for name in entries)
        wide = max(len(place) for place in places.values())
        for name, text in entries.items():
            yield "", f"  {name:<{widest}}  {places[name]:<{wide}}  {text}"


def _places(scenes: "Iterable[tuple[str, int]]") -> str:
    """Return the first lesson in which something stands, and its scenes there.

    >>> _places([("images", 3), ("images", 9), ("layers", 2)])
    'images 3 9'
    """
    found = list(scenes)
    numbers = [str(number) for lesson, number in found if lesson == found[0][0]]
    return " ".join([*(lesson for lesson, _ in found[:1]), *numbers[:_MOST_SCENES]])


def everything(themes: list[str]) -> dict[str, Any]:
    """Return the gallery, or some themes of it, as plain data; arrays are left to the writer."""
    from stepconv.lessons import shelf
    from stepconv.trace.gallery import worked
    from stepconv.trace.gallery.chains import worked_chains

    kernels, pictures = worked.named_kernels(), worked.pictures()
    return {
        "examples": [
            {
                **vars(example),
                "inputs": dict(example.inputs),
                "options": dict(example.options),
                "checkpoints": list(map(dict, example.checkpoints)),
                "lessons": shelf.where(example.id),
            }
            for example in worked.worked_examples()
            if example.group in themes
        ],
        "chains": [
            {
                "id": each.id,
                "title": each.title,
                "input": each.input,
                "links": each.sentences,
                "lessons": shelf.where(each.id),
            }
            for each in (worked_chains().values() if "chains" in themes else ())
        ],
        "kernels": {
            name: {**vars(kernel), "lessons": shelf.where(name)}
            for name, kernel in (kernels.items() if "kernels" in themes else ())
        },
        "pictures": pictures if "pictures" in themes else {},
    }


def sections() -> "Iterator[tuple[str, list[tuple[str, str]]]]":
    """Yield themes with entries (name, text): the worked examples group by group, then the rest."""
    from stepconv.cli.reading import typed
    from stepconv.trace.gallery import worked
    from stepconv.trace.gallery.chains import worked_chains

    for group in worked.GROUPS:
        members = [example for example in worked.worked_examples() if example.group == group]
        yield group, [(example.id, example.title) for example in members]
    yield "chains", [(one.id, one.title) for one in worked_chains().values()]
    kernels = worked.named_kernels().values()
    yield "kernels", [(kernel.name, typed.spell(kernel.kernel)) for kernel in kernels]
    yield (
        "pictures",
        [
            (name, f"{picture.shape[-2]} rows, {picture.shape[-1]} columns{_kind(picture)}")
            for name, picture in worked.pictures().items()
        ],
    )


def _kind(picture: Any) -> str:
    colour = ", in colour" if picture.ndim == 3 else ""
    return f"{colour}, {picture.min():g} to {picture.max():g}"
