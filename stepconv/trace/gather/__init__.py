"""Gather: which cells and weights flow into each output cell of a call, forwards or backwards.

The recorder walks it, and a step looks its numbers up in it, so that both mean the same cells.

form            Gather: the cells, the weights, and who meets whom
weighed         correlations and their gradients
pooled          pools and paddings, and their gradients
cells           curves, joins, softmax: what becomes of each cell
"""

from collections.abc import Callable, Mapping
from typing import Any

from numpy.typing import NDArray

from stepconv.trace.call import Call
from stepconv.trace.gather import cells, pooled, weighed
from stepconv.trace.gather.cells import by_the_book
from stepconv.trace.gather.form import Gather, Rule

__all__ = ["SUMMING", "WEIGHTED", "Gather", "Rule", "by_the_book", "gather"]

Array = NDArray[Any]


def gather(call: Call, arrays: Mapping[str, Array]) -> Gather:
    """Return how the call on these arrays gathers.

    `arrays` has x, w, bias and grad_out, as far as the operation knows them, in the caller's shape
    and in the type that is computed in.
    """
    return _FAMILIES[call.operation.family](call, arrays)


_FAMILIES: dict[str, Callable[[Call, Mapping[str, Array]], Gather]] = {
    "slide": weighed.slide,
    "return": weighed.return_,
    "weigh": weighed.weigh,
    "total": weighed.total,
    "largest": pooled.largest,
    "average": pooled.average,
    "route": pooled.route,
    "spread": pooled.spread,
    "border": pooled.border,
    "fold": pooled.fold,
    "gate": cells.cell,
    "mirror": cells.mirror,
    "curve": cells.cell,
    "join": cells.join,
    "append": cells.append,
    "slope": cells.slope,
    "share": cells.share,
    "balance": cells.balance,
}
# Those whose cells meet weights, each at a place of its own.
WEIGHTED = ("slide", "return", "weigh")
# Those that add up: a record keeps the sum of each channel at each step.
SUMMING = (
    *("slide", "return", "weigh", "total", "average", "spread", "fold"),
    *("slope", "share", "balance", "join", "append"),
)
