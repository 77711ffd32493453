"""Worked chains: calls after one another that show a law with numbers, to be played by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.errors import ArgumentError
from stepconv.trace.chain import Chain, From, record_chain
from stepconv.trace.gallery.worked import closest
from stepconv.trace.model import About

Array = NDArray[Any]
# A sentence about a link, the operation, its arguments.
Told = tuple[str, Callable[..., Any], dict[str, Any]]

_COLOURS = ("red", "green", "blue")
_VERTICAL = np.array([[1, 0, -1]] * 3)
_A, _B = np.array([[1, -2], [0, 1]]), np.array([[1, -1], [1, 3]])
_BAR = np.array([[0, 0, 9, 9, 9, 0, 0, 0]] * 4)
_DIGITS = np.array(
    [[3, 0, 1, 2, 7], [1, 5, 8, 9, 3], [2, 7, 2, 5, 1], [0, 1, 3, 1, 7], [4, 2, 1, 6, 2]]
)
# Its windows are nearly at right angles to each other, so that a filter is soon learnt.
_SIGNS = np.array(
    [
        *([1, 1, -1, 1, 1, 1, -1, 1], [1, -1, 1, -1, -1, 1, -1, 1]),
        *([-1, -1, -1, -1, -1, 1, 1, 1], [1, 1, 1, -1, -1, 1, -1, -1]),
        *([-1, 1, -1, 1, 1, -1, 1, 1], [-1, -1, -1, -1, -1, 1, 1, 1]),
        *([-1, 1, 1, -1, -1, -1, 1, -1], [-1, 1, -1, -1, 1, -1, 1, -1]),
    ]
)
_LEARNT_STEPS, _RATE = 6, 1 / 64


@dataclass(frozen=True)
class WorkedChain:
    """A chain for a lecture: its name, what it shows, its input and its links."""

    id: str
    title: str
    input: Array
    links: Callable[[], Iterator[Told]]
    channels: tuple[str, ...] = ()

    def chain(self) -> Chain:
        """Record the chain; it is small, so that plain Python is soon through.

        >>> worked_chain("low-and-high-pass").chain().output.any()
        np.False_
        """
        calls = [
            (function, {**given, "about": About(self.title, (sentence,), self._names(number))})
            for number, (sentence, function, given) in enumerate(self.links())
        ]
        return record_chain(calls, self.input, backend="textbook")

    @property
    def sentences(self) -> tuple[str, ...]:
        """What is said of each link."""
        return tuple(sentence for sentence, _, _ in self.links())

    def _names(self, link: int) -> tuple[str, ...]:
        return self.channels if link == 0 else ()


def _edges() -> Iterator[Told]:
    whole = {"window": (2, 6)}
    yield "The bar's left edge answers -27, its right edge 27.", ops.correlate, {"w": _VERTICAL}
    yield "Their average is 0: the two edges cancel.", ops.avg_pool, whole
    yield "A ReLU keeps one of them …", ops.relu, {"x": From(0)}
    yield "… and now the average is not 0: they cancel no more.", ops.avg_pool, whole


def _two_convolutions() -> Iterator[Told]:
    yield "The picture under kernel a …", ops.convolve, {"w": _A}
    yield "… and then under kernel b.", ops.convolve, {"w": _B}
    full = {"x": _A, "w": _B, "padding": "full"}
    yield (
        "a convolved with b, in full: the combined kernel. Who changes a changes it here too.",
        ops.convolve,
        full,
    )
    yield "The picture under the combined kernel.", ops.convolve, {"x": From(), "w": From(2)}
    both = {"x": From(1), "y": From(3)}
    yield "The difference is 0: two convolutions are one.", ops.subtract, both
    yield "A ReLU between the two …", ops.relu, {"x": From(0)}
    yield "… before kernel b.", ops.convolve, {"w": _B}
    differ = {"y": From(3)}
    yield "Now there is a difference: a nonlinearity makes depth.", ops.subtract, differ


def _bands() -> Iterator[Told]:
    blur = {"w": np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16, "padding": "same"}
    yield "Low pass: what a blur keeps.", ops.correlate, blur
    high = {"x": From(), "y": From(0)}
    yield "High pass: what the blur took away, the edges.", ops.subtract, high
    yield "Low pass + high pass …", ops.add, {"x": From(0), "y": From(1)}
    yield "… are the picture: the difference is 0.", ops.subtract, {"y": From()}


def _linearity() -> Iterator[Told]:
    other, k, twice = _DIGITS[::-1], {"w": _A}, {"w": np.array([[2]])}
    yield "The picture x under kernel k.", ops.correlate, k
    yield "Another picture, y, under k.", ops.correlate, {"x": other, **k}
    yield "The sum of both answers.", ops.add, {"x": From(0), "y": From(1)}
    yield "The sum of both pictures.", ops.add, {"x": From(), "y": other}
    yield "The sum under k.", ops.correlate, k
    yield "No difference: the sum's answer is the sum of the answers.", ops.subtract, {"y": From(2)}
    yield "Twice the picture …", ops.correlate, {"x": From(), **twice}
    yield "… under k …", ops.correlate, k
    yield "… and twice the answer to the picture:", ops.correlate, {"x": From(0), **twice}
    yield (
        "no difference: twice the picture, twice the answer.",
        ops.subtract,
        {"x": From(7), "y": From(8)},
    )


def _commutativity() -> Iterator[Told]:
    g = np.array([1, 2, -1])
    f_and_g = {"w": g, "padding": "full"}
    g_and_f = {"x": g, "w": From(), "padding": "full"}
    yield "f under g: convolution mirrors g.", ops.convolve, f_and_g
    yield "g under f: convolution mirrors f.", ops.convolve, g_and_f
    yield "No difference: f * g = g * f.", ops.subtract, {"x": From(0), "y": From(1)}
    yield (
        "f under g, nothing mirrored: cross-correlation.",
        ops.correlate,
        {
            "x": From(),
            **f_and_g,
        },
    )
    yield "g under f: the same numbers in the other order.", ops.correlate, g_and_f
    both = {"x": From(3), "y": From(4)}
    yield "A difference: cross-correlation does not commute.", ops.subtract, both


def _associativity() -> Iterator[Told]:
    g, h, full = np.array([1, 2, -1]), np.array([2, 1]), {"padding": "full"}
    yield "f * g …", ops.convolve, {"w": g, **full}
    yield "… and then * h.", ops.convolve, {"w": h, **full}
    yield "g * h first …", ops.convolve, {"x": g, "w": h, **full}
    yield "… and f under that.", ops.convolve, {"x": From(), "w": From(2), **full}
    both = {"x": From(1), "y": From(3)}
    yield "No difference: (f * g) * h = f * (g * h).", ops.subtract, both


def _learning() -> Iterator[Told]:
    """Step by step: w - rate · gradient of half the squared errors."""
    target = ops.correlate(_SIGNS, _VERTICAL, backend="textbook").astype(np.float64)
    w, learnt = np.zeros((3, 3)), dict[str, Any]()
    for step in range(_LEARNT_STEPS):
        answer, error, gradient, move = (From(5 * step + link) for link in range(4))
        filter = learnt or {"w": w}
        wrong = ops.correlate(_SIGNS, w, backend="textbook") - target
        here, loss = f"Step {step}:", f"{(wrong**2).sum() / 2:.3g}"
        told = "what the filter w1…w9 answers" + ", all of it 0 at first" * (step == 0)
        picture = {"x": From()} if step else {}
        yield f"{here} {told}.", ops.correlate, {**picture, **filter}
        told = f"the error, answer - target. Half the sum of its squares is {loss}."
        yield f"{here} {told}", ops.subtract, {"x": answer, "y": target}
        back = {"x": From(), **filter, "grad_out": error, "gradient": "w"}
        yield f"{here} the gradient of that for w1…w9.", ops.correlate_backward, back
        rate = {"x": gradient, "w": np.array([[_RATE]])}
        yield f"{here} times the learning rate, 1/64.", ops.correlate, rate
        moved = {"x": learnt.get("w", w), "y": move}
        yield f"{here} w - rate·gradient: the new w1…w9.", ops.subtract, moved
        w = w - _RATE * ops.correlate_backward(_SIGNS, w, wrong, backend="textbook")[1]
        learnt = {"w": From(5 * step + 4)}


def _four() -> Iterator[Told]:
    edges = (_VERTICAL, _VERTICAL.T, np.eye(3, dtype=int) - np.eye(3, dtype=int)[::-1])
    w = np.stack([*(np.stack([each] * 3) for each in edges), np.zeros((3, 3, 3), int)])
    w[3, 0] = _VERTICAL
    given = {"w": w, "bias": np.array([0, 0, 1, -5])}
    yield (
        "Each of 4 filters reads all 3 colours and gives one plane: 6x6x3 becomes 4x4x4.",
        ops.correlate,
        given,
    )
    yield "The ReLU after it leaves a volume of 4 planes, one for each filter.", ops.relu, {}


def _keras() -> Iterator[Told]:
    w = np.array([[[[1, -1]] * 4], [[[1, 1], [0, 0], [0, 0], [-1, -1]]]])
    first = {"w": w, "padding": "same"}
    yield (
        "Conv2D(filters=2, kernel_size=(4,2), padding='same'): of 3 rows of padding 1 lies "
        "above and 2 below, the column lies behind; 5x5x1 becomes 5x5x2.",
        ops.correlate,
        first,
    )
    yield "activation='relu'.", ops.relu, {}
    layer = np.stack([np.stack([_VERTICAL, _VERTICAL.T]), np.stack([_VERTICAL.T, _VERTICAL])])
    yield (
        "The next Conv2D(filters=2, kernel_size=3): each filter has a kernel for each of the "
        "2 planes, 5x5x2 becomes 3x3x2.",
        ops.correlate,
        {"w": layer, "bias": np.array([1, -1])},
    )


def _rgb() -> Array:
    """A small picture in colour: a red bar, a green floor, a blue corner."""
    picture = np.zeros((3, 6, 6), int)
    picture[0, :, :3], picture[1, 3:], picture[2, :3, 3:] = 10, 10, 10
    return picture


_SIGNAL = np.array([3, 1, 4, 1, 5])
_CHAINS = (
    WorkedChain("edges-and-relu", "Two edges cancel, and with a ReLU do not", _BAR, _edges),
    WorkedChain(
        "two-convolutions", "Two convolutions without a ReLU are one", _DIGITS, _two_convolutions
    ),
    WorkedChain("low-and-high-pass", "Low pass + high pass = the picture", 16 * _DIGITS, _bands),
    WorkedChain("linearity", "A sum's answer is the sum of the answers", _DIGITS, _linearity),
    WorkedChain("commutativity", "f * g = g * f, for convolution alone", _SIGNAL, _commutativity),
    WorkedChain("associativity", "(f * g) * h = f * (g * h)", _SIGNAL, _associativity),
    WorkedChain("learn-a-filter", "w1 to w9, learnt by gradient descent", _SIGNS, _learning),
    WorkedChain("four-filters-rgb", "Four filters on RGB: a volume", _rgb(), _four, _COLOURS),
    WorkedChain("keras-two-layers", "A layer of Keras and the next one", _DIGITS[None], _keras),
)


def worked_chains() -> dict[str, WorkedChain]:
    """Return the worked chains by name, in the order of a course.

    >>> list(worked_chains())[:3]
    ['edges-and-relu', 'two-convolutions', 'low-and-high-pass']
    """
    return {each.id: each for each in _CHAINS}


def worked_chain(id: str) -> WorkedChain:
    """Return the worked chain of that name."""
    known = worked_chains()
    if id not in known:
        raise ArgumentError(f"worked chain {id!r} is not known: {closest(id, known)}")
    return known[id]
