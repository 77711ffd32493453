"""What it takes to hold a convolution to account: calls that find weak spots, and a checker.

For whoever tests a convolution of their own: `calls` (one call as data), `layouts` (memory as
nobody expects it), `strategies` (for Hypothesis) and `gradients` (a gradient that was written by
hand, held against differences). The checker, in reading order:
- `tasks`: the operations that somebody may write, and who knows their answers;
- `formulas`: those that networks are trained with, as a slide writes them;
- `forms/`: how a function wants to be called;
- `sketches`, `cases`, `exercises`: the calls that it is asked;
- `guest/`: the process that it runs in;
- `evidence`, `closeness`: what came of a call, and how near it is;
- `slips/`: what a wrong result looks like;
- `shrinking`: the smallest call that goes wrong;
- `checks`: all of it in order, and the two functions that are offered here;
- `report/`: the verdict in words, as data, as Python and as a page;
- `grading`: the files of a whole class.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepconv.testing.checks import assert_matches, check
    from stepconv.testing.grading import grade
    from stepconv.testing.report.verdict import Report

__all__ = ["Report", "assert_matches", "check", "grade"]

_HOMES = {"Report": "report.verdict", "grade": "grading"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'stepconv.testing' has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES.get(name, 'checks')}"), name)
