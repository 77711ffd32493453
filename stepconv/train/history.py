"""What the epochs of a training came to: a list, arrays by name, curves in a notebook."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from html import escape
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from stepconv.train.events import Metrics

# The picture: its size, and what is drawn in which colour.
WIDTH, HEIGHT = 520, 160
COLOURS = {"train_loss": "#1e90ff", "train_accuracy": "#ff8c00", "judged": "#2e8b57"}


class History(Sequence[Metrics]):
    """The metrics of one epoch after the other; a name gives all its values as an array.

    >>> one = Metrics(1, 0.5, 0.8, 0.9, 1000.0, 1.0)
    >>> history = History([one, one])
    >>> len(history), history["test_accuracy"].tolist()
    (2, [0.9, 0.9])
    """

    def __init__(self, metrics: Iterable[Metrics]) -> None:
        self.metrics = tuple(metrics)

    def __len__(self) -> int:
        return len(self.metrics)

    @overload
    def __getitem__(self, index: int) -> Metrics: ...
    @overload
    def __getitem__(self, index: slice) -> "History": ...
    @overload
    def __getitem__(self, index: str) -> NDArray[np.float64]: ...
    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, str):
            values = (getattr(m, index) for m in self.metrics)
            return np.array([np.nan if value is None else value for value in values], float)
        return History(self.metrics[index]) if isinstance(index, slice) else self.metrics[index]

    def __repr__(self) -> str:
        if not self.metrics:
            return "History of no epochs"
        last = self.metrics[-1]
        judged = "" if last.judged is None else f", {last.judged:.2%} right"
        return f"History of {len(self)} epochs: loss {last.train_loss:.4g}{judged}"

    def _repr_html_(self) -> str:
        """Return curves of loss and accuracies as a picture, with a table of the last epochs."""
        loss = self["train_loss"]
        top = float(np.nanmax(loss)) if len(loss) else 1.0
        lines = [
            _line(self[name] / (top if name == "train_loss" else 1), colour)
            for name, colour in COLOURS.items()
        ]
        keys = " · ".join(
            f'<span style="color:{colour}">{escape(name.replace("_", " "))}</span>'
            for name, colour in COLOURS.items()
        )
        names = [field.name for field in fields(Metrics)]
        head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in names)
        rows = "".join(
            f"<tr>{''.join(f'<td>{_shown(getattr(m, name))}</td>' for name in names)}</tr>"
            for m in self.metrics[-5:]
        )
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
            f'aria-label="{escape(repr(self))}">{"".join(lines)}</svg>'
            f"<div>{keys}, loss up to {top:.3g}</div>"
            f"<table><tr>{head}</tr>{rows}</table>"
        )


def _line(shares: NDArray[np.float64], colour: str) -> str:
    """Return a polyline through shares of the height, from left to right."""
    step = WIDTH / max(1, len(shares) - 1)
    points = " ".join(
        f"{i * step:.1f},{HEIGHT * (1 - share):.1f}"
        for i, share in enumerate(shares.tolist())
        if np.isfinite(share)
    )
    return f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>'


def _shown(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
