"""`stepconv examples`: what the gallery holds, one line each, or all its numbers as JSON."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator


def examples(
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object with all numbers.")
    ] = False,
) -> None:
    """List worked examples and chains, named kernels and pictures.

    Examples:

        stepconv examples
        stepconv examples | grep edge
        stepconv examples --json
    """
    import os

    from stepconv.cli import terminal

    if as_json:
        terminal.print_json(everything())
        return
    console = terminal.stdout()
    # A pipe has no width: there a line is whole, unless COLUMNS asks for less.
    cut = console.is_terminal or "COLUMNS" in os.environ
    for heading, lines in sections():
        console.print(f"[bold]{heading}[/bold]", soft_wrap=True)
        widest = max(len(label) for label, _ in lines)
        for label, text in lines:
            line = f"  {label:<{widest}}  {text}"
            console.print(
                terminal.cut(line, console.width) if cut else line, markup=False, soft_wrap=True
            )


def everything() -> dict[str, Any]:
    """Return the gallery as plain data; arrays are left to the writer."""
    from stepconv.trace.gallery import worked
    from stepconv.trace.gallery.chains import worked_chains

    return {
        "examples": [
            {**vars(example), "inputs": dict(example.inputs), "options": dict(example.options)}
            | {"checkpoints": list(map(dict, example.checkpoints))}
            for example in worked.worked_examples()
        ],
        "chains": [
            {"id": each.id, "title": each.title, "input": each.input, "links": each.sentences}
            for each in worked_chains().values()
        ],
        "kernels": {name: vars(kernel) for name, kernel in worked.named_kernels().items()},
        "pictures": worked.pictures(),
    }


def sections() -> "Iterator[tuple[str, list[tuple[str, str]]]]":
    """Yield headings with lines of (name, text), the worked examples group by group."""
    from stepconv.cli.reading import typed
    from stepconv.trace.gallery import worked
    from stepconv.trace.gallery.chains import worked_chains

    for group in worked.GROUPS:
        members = [example for example in worked.worked_examples() if example.group == group]
        yield f"worked examples: {group}", [(example.id, example.title) for example in members]
    yield "worked chains", [(one.id, one.title) for one in worked_chains().values()]
    kernels = worked.named_kernels().values()
    yield "kernels", [(kernel.name, typed.spell(kernel.kernel)) for kernel in kernels]
    yield (
        "pictures",
        [
            (name, f"{len(rows)} rows, {len(rows[0])} columns, {rows.min():g} to {rows.max():g}")
            for name, rows in worked.pictures().items()
        ],
    )
