"""Steps of a record: in panels and as data; an example that only counts."""

from typing import TYPE_CHECKING, Any

from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from rich.console import Console

    from stepconv.trace import Step, Trace, WorkedExample


def panels(
    trace: "Trace", steps: "list[Step]", on: "Console | None" = None, *, letters: bool = False
) -> None:
    """Print each step as it stands in the player, in a panel of its own."""
    from rich.panel import Panel

    from stepconv.cli import terminal
    from stepconv.player import render
    from stepconv.player.frame.film import Film
    from stepconv.player.frame.frames import frame

    console = on or terminal.stdout()
    film = Film(trace, letters=letters)
    colour = render.shows_pictures(console)
    for step in steps:
        inside = render.screen(frame(film, step.index), console.width - 4, colour=colour)
        console.print(Panel(inside, expand=False))


def as_data(step: "Step") -> dict[str, Any]:
    """Return a step as plain data; `window` is in cells of the unpadded input.

    An average has the `divisor` of its sum as well.
    """
    divisor = {} if step.divisor is None else {"divisor": step.divisor}
    return {
        "step": step.index,
        "output_index": step.output_index,
        "window": step.window,
        "patch": step.patch.tolist(),
        "kernel": None if step.kernel is None else step.kernel.tolist(),
        "products": step.products.tolist(),
        "channel_sums": step.channel_sums.tolist(),
        "bias": step.bias,
        "result": step.result,
        "worker": step.worker,
        **divisor,
    }


def count(example: "WorkedExample", as_json: bool) -> None:
    """Print an example that is a number, not a row of windows."""
    from stepconv.cli import terminal

    if as_json:
        data = {"id": example.id, "title": example.title, "result": example.run()}
        terminal.print_json({**data, "formula": formula(example)}, ensure_ascii=False)
    else:
        print(f"{example.title}: {formula(example)}")


def formula(example: "WorkedExample") -> str:
    """Return the example's number with its formula filled in.

    >>> from stepconv.trace import worked_example
    >>> formula(worked_example("size-10-3-p1-s1")), formula(worked_example("parameters-10-filters"))
    ('10 = (10 - 3 + 2·1) / 1 + 1', '280 = (3·3·3 + 1) · 10')
    """
    from stepconv.geometry import correlation_plan

    options, result = example.options, example.run()
    match example.op:
        case "output_size":
            sizes, slide = ("size", "window"), ("stride", "padding")
            plan = correlation_plan(
                *((options[name],) for name in sizes), **{name: options[name] for name in slide}
            )
            return plan.axes[0].formula()
        case "parameter_count":
            kernel = options["kernel"]
            weights = f"{kernel}·{kernel}·{options['in_channels']}"
            return f"{result:,} = ({weights} + {int(options['bias'])}) · {options['out_channels']}"
        case "parameter_count_dense":
            inputs = f"({options['inputs']:,} + 1)" if options["bias"] else f"{options['inputs']:,}"
            return f"{result:,} = {inputs} · {options['outputs']:,}"
    raise ArgumentError(f"worked example {example.id!r} counts nothing that is known here")
