"""The numbers between the steps of a network: values and gradients, and what is a part of what.

A tensor may be a part of another: what a concat puts together is written in place from the start,
and flattening is another view. Where the numbers lie in memory is a backend's affair.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, prod

from stepconv.geometry import Shape


@dataclass(eq=False)
class Tensor:
    """The values of one layer, and their gradient.

    `slope` is that of the activation that was applied to the values on their way here (0 for
    ReLU, 1 for none): the gradient is that of the sums before it. No value is above its `limit`.
    `home` is the tensor that this one is a part of, from cell `first` on.
    """

    shape: Shape
    learns: bool  # something that is learnt lies before it, so that its gradient matters
    slope: float = 1.0
    limit: float = inf
    activates: bool = False  # whoever makes it can apply an activation on the way
    shared: bool = False  # another branch reads it too
    home: Tensor | None = None
    first: int = 0
    gradient_home: Tensor | None = None  # the tensor whose gradient this one's is as well
    in_place: bool = False  # its gradient takes the place of its values
    bordered: bool = False  # the pictures: with the padding of the first layer around them

    @property
    def channels(self) -> int:
        """Channels, or features of a flat row."""
        return self.shape[0]

    @property
    def plane(self) -> tuple[int, int]:
        """Rows and columns; a flat row has one of each."""
        return (self.shape[1], self.shape[2]) if len(self.shape) == 3 else (1, 1)

    @property
    def cells(self) -> int:
        """Numbers of one image."""
        return prod(self.shape)

    @property
    def root(self) -> Tensor:
        """The tensor that this one lies in, at the end of all parts of parts."""
        return self if self.home is None else self.home.root

    @property
    def offset(self) -> int:
        """Cells from the start of the root."""
        return 0 if self.home is None else self.home.offset + self.first

    @property
    def whole(self) -> Tensor:
        """The tensor that this one is another view of, or itself."""
        if self.home is None or self.home.cells != self.cells:
            return self
        return self.home.whole

    def use_up(self) -> None:
        """Note that its one reader goes back through it cell by cell.

        Then the gradient of a cell can be written over its value: nobody needs that any more, for
        who makes sums does not look at them again.
        """
        t = self
        while t.home is not None and t.home.cells == t.cells and not t.shared:
            t = t.home
        t.in_place = t.activates and t.learns and t.home is None and not (t.shared or self.shared)

    def flat(self) -> Tensor:
        """Return the same numbers as one row."""
        return Tensor((self.cells,), self.learns, self.slope, home=self, shared=self.shared)
