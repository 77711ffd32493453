"""One legal call as data: the same arguments for whatever function is to be judged."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Call:
    """The arguments of one legal call: arrays and options, each by its name.

    >>> import numpy as np
    >>> from stepconv import correlate
    >>> call = Call({"x": np.array([1, 2, 3]), "w": np.array([1, 1])}, {"padding": "full"})
    >>> call.run(correlate)
    array([1, 3, 5, 3])
    >>> call.but(w=np.array([2])).run(correlate, bias=1)
    array([3, 5, 7])
    """

    arrays: dict[str, Array]
    options: dict[str, Any]

    def run(self, function: Callable[..., Any], **more: Any) -> Any:
        """Return what `function` makes of these arguments and `more`."""
        return function(**self.arrays, **self.options, **more)

    def but(self, **arrays: Array) -> "Call":
        """Return the same call with other arrays."""
        return replace(self, arrays={**self.arrays, **arrays})

    def without(self, *names: str) -> "Call":
        """Return the same call with some of its arrays and options left out."""
        return Call(
            {name: array for name, array in self.arrays.items() if name not in names},
            {name: value for name, value in self.options.items() if name not in names},
        )

    def with_options(self, **options: Any) -> "Call":
        """Return the same call with other options."""
        return replace(self, options={**self.options, **options})
