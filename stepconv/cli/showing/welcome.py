"""What `stepconv` alone offers somebody at a terminal: what to try, and the examples by theme."""

from collections.abc import Iterator

_TRY = (
    ("stepconv lesson", "five lectures to walk through"),
    ("stepconv play", "a list to choose from"),
    ("stepconv play vertical-edge-rgb", "a worked example by windows"),
    ("stepconv play eight-22x16 --kernel sobel-x", "a picture under a named kernel"),
    ('stepconv play --input "1 2 3" --kernel "1 -1"', "numbers of your own"),
    ("stepconv demo", "then a network that learns"),
    ("stepconv --help", "all commands"),
)


def lines(width: int) -> Iterator[str]:
    """Yield what is printed, no line wider than asked for."""
    import textwrap

    from stepconv.trace.gallery import worked
    from stepconv.trace.gallery.chains import worked_chains
    from stepconv.trace.gallery.traces import has_windows

    yield "See every multiplication of a convolution. Try:"
    widest = max(len(command) for command, _ in _TRY)
    for command, told in _TRY:
        line = f"  {command:<{widest}}  {told}"
        yield line if len(line) <= width else f"  {command}"
    yield "Worked examples, each for `stepconv play`:"
    examples = [each for each in worked.worked_examples() if has_windows(each)]
    themes = {theme: [e.id for e in examples if e.group == theme] for theme in worked.GROUPS}
    for theme, names in {**themes, "chains": list(worked_chains())}.items():
        if names:
            # A line for each, so that all of it fits on a screen; `stepconv examples` has the rest.
            yield from textwrap.wrap(
                ", ".join(names),
                width,
                initial_indent=f"  {theme:<11}",
                break_on_hyphens=False,
                max_lines=1,
                placeholder=" …",
            )
