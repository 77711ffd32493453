"""Worked examples that count: an output size or the parameters of a layer, with the formula."""

from typing import TYPE_CHECKING

from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.trace import WorkedExample


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
            plan = correlation_plan(
                (options["size"],),
                (options["window"],),
                stride=options["stride"],
                padding=options["padding"],
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
