"""One spatial axis of one call: where every window starts, what it reads, how many there are."""

from dataclasses import dataclass

from stepconv.errors import ArgumentError


@dataclass(frozen=True, slots=True)
class Axis:
    """The integers of one axis.

    Positions are counted in cells of the input without its padding, so a window that reaches
    into the front padding starts at a negative position.

    >>> axis = Axis(size=5, window=3, stride=2, before=1, after=1)
    >>> [axis.bounds(i) for i in range(axis.output)]
    [(-1, 2), (1, 4), (3, 6)]
    """

    size: int
    window: int
    stride: int = 1
    dilation: int = 1
    before: int = 0
    after: int = 0
    ceil_mode: bool = False

    @property
    def span(self) -> int:
        """Cells from the first to the last one under the window: dilation leaves gaps."""
        return self.dilation * (self.window - 1) + 1

    @property
    def padded(self) -> int:
        """Cells of the input together with its padding."""
        return self.size + self.before + self.after

    @property
    def output(self) -> int:
        """Windows that fit: floor((padded - span) / stride) + 1, or its ceiling."""
        return self._windows - self.drops_last

    @property
    def drops_last(self) -> bool:
        """Whether ceil_mode leaves its last window out, for it would see nothing of the input.

        That is a window which starts beyond the input and its front padding.
        """
        return self.ceil_mode and (self._windows - 1) * self.stride >= self.size + self.before

    @property
    def _windows(self) -> int:
        room = self.padded - self.span
        return (room + (self.stride - 1 if self.ceil_mode else 0)) // self.stride + 1

    def bounds(self, index: int) -> tuple[int, int]:
        """Return [start, stop) of window `index`, in cells of the unpadded input."""
        start = index * self.stride - self.before
        return start, start + self.span

    def padded_bounds(self, index: int) -> tuple[int, int]:
        """Return [start, stop) of window `index`, in cells of the padded input."""
        start = index * self.stride
        return start, start + self.span

    def taps(self, index: int) -> range:
        """Return the positions that window `index` reads: dilation leaves some out."""
        start, stop = self.bounds(index)
        return range(start, stop, self.dilation)

    def readers(self, position: int) -> tuple[tuple[int, int], ...]:
        """Return the windows that read a position, each with the tap by which it does.

        >>> Axis(size=6, window=3, stride=2, before=1, after=1).readers(1)
        ((0, 2), (1, 0))
        """
        found = []
        for tap in reversed(range(self.window)):
            index, rest = divmod(position + self.before - tap * self.dilation, self.stride)
            if rest == 0 and 0 <= index < self.output:
                found.append((index, tap))
        return tuple(found)

    def unread(self) -> tuple[int, ...]:
        """Return the cells of the input that no window reads.

        >>> Axis(size=6, window=2, stride=3).unread()
        (2, 5)
        """
        read = {tap for index in range(self.output) for tap in self.taps(index)}
        return tuple(cell for cell in range(self.size) if cell not in read)

    def counts(self, *, include_pad: bool) -> tuple[int, ...]:
        """Return for each window the cells that an average divides by.

        Real cells alone, or padded ones too; what ceil_mode lets a window see beyond the
        padding never counts.
        """
        low, high = (-self.before, self.size + self.after) if include_pad else (0, self.size)
        every = (self.bounds(index) for index in range(self.output))
        return tuple(min(stop, high) - max(start, low) for start, stop in every)

    def sources(self, mode: str) -> tuple[int, ...]:
        """Return for each padded cell the input cell it copies, -1 where it is a constant.

        By two cells on each side of `1 2 3 4`:
        zeros     `0 0 1 2 3 4 0 0`
        reflect   `3 2 1 2 3 4 3 2`
        replicate `1 1 1 2 3 4 4 4`
        circular  `3 4 1 2 3 4 1 2`
        """
        self.check_mode(mode)
        size, last = self.size, self.size - 1
        positions = range(-self.before, size + self.after)
        if mode == "reflect":
            return tuple(last - abs(last - abs(i)) for i in positions)
        if mode == "replicate":
            return tuple(min(max(i, 0), last) for i in positions)
        if mode == "circular":
            return tuple(i % size for i in positions)
        return tuple(i if 0 <= i < size else -1 for i in positions)

    def check_mode(self, mode: str) -> None:
        """Raise if a mode finds no cells to copy for so much padding."""
        size, last = self.size, self.size - 1
        if mode != "zeros" and size == 0 and self.padded > 0:
            raise ArgumentError(f"mode={mode!r} has no cell to copy from: the input is empty")
        if mode == "reflect" and max(self.before, self.after) > max(last, 0):
            raise ArgumentError(
                f"mode='reflect' cannot pad {size} cells by {max(self.before, self.after)}: "
                f"at most {last} fit, one less than the input has"
            )

    def formula(self) -> str:
        """Return the output size with its formula filled in.

        >>> Axis(size=10, window=3, stride=2, before=1, after=1).formula()
        '5 = floor((10 - 3 + 2·1) / 2) + 1'
        """
        pad = f"2·{self.before}" if self.before == self.after else f"{self.before} + {self.after}"
        quotient = f"({self.size} - {self.span} + {pad}) / {self.stride}"
        if (self.padded - self.span) % self.stride:
            rounding = "ceil" if self.ceil_mode else "floor"
            quotient = f"{rounding}({quotient})"
        dropped = " - 1 window that starts beyond the input" if self.drops_last else ""
        return f"{self.output} = {quotient} + 1{dropped}"

    def formula_in_letters(self) -> str:
        """Return the output size as textbooks write it, and what their letters stand for.

        >>> Axis(size=10, window=3, stride=2, before=1, after=1).formula_in_letters()
        'floor((n - f + 2p) / s) + 1 = 5, n = 10, f = 3, p = 1, s = 2'
        """
        even = self.before == self.after
        quotient = f"(n - f + {'2p' if even else 'p + q'}) / s"
        if (self.padded - self.span) % self.stride:
            quotient = f"{'ceil' if self.ceil_mode else 'floor'}({quotient})"
        pads = f"p = {self.before}" if even else f"p = {self.before}, q = {self.after}"
        dropped = " - 1" if self.drops_last else ""
        letters = f"n = {self.size}, f = {self.span}, {pads}, s = {self.stride}"
        return f"{quotient} + 1{dropped} = {self.output}, {letters}"


def same_pads(size: int, span: int, stride: int) -> tuple[int, int]:
    """Return the pads that give ceil(size / stride) windows; an odd cell goes behind.

    >>> same_pads(5, 4, 1)
    (1, 2)
    """
    windows = -(-size // stride)
    total = max((windows - 1) * stride + span - size, 0)
    return total // 2, total - total // 2
