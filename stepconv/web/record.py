"""The page of a record: every step of a call, or of several, to play, step and point at.

All numbers are in the file as they are written; the page looks them up and computes none.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from numpy.typing import NDArray

from stepconv.trace import Chain, Step, Trace
from stepconv.trace.chain import Cells
from stepconv.trace.counterpart import counterpart, has_counterpart
from stepconv.trace.gather import SUMMING
from stepconv.trace.ring import outside, rings
from stepconv.trace.sentence import sentence, spelled_products
from stepconv.trace.size import formulas
from stepconv.trace.words import channel_names, equals, equation, number, place
from stepconv.web import html

Array = NDArray[Any]

# Numbers that a page holds, and one inside a document: of a longer record the first steps.
MOST, MOST_IN_A_DOCUMENT = 400_000, 60_000
# With more letters than these a page does not hold the counterpart as well.
_COMPARED = 45_000
# Calls of a chain that its title names.
_NAMED = 4
_MET = {"route": "winner?", "spread": "1 / cells", "slope": "slope", "gate": "open?"}
_STYLES = ("common.css", "record.css")
_SCRIPTS = ("parts.mjs", "controls.mjs", "steps.mjs", "grids.mjs", "panels.mjs", "record.mjs")


def page(record: Trace | Chain, told: dict[str, Any] | None = None) -> str:
    """Return a record as an HTML file of its own; what it is told may be there already."""
    told = told or data(record)
    return html.page(told["title"], "record.html", styles=_STYLES, scripts=_SCRIPTS, told=told)


def framed(record: Trace | Chain) -> str:
    """Return the page in a frame of a document, such as a notebook: it reaches out of it nowhere.

    >>> import stepconv
    >>> framed(stepconv.record(stepconv.relu, [1, -1]))[:33]
    '<iframe sandbox="allow-scripts" w'
    """
    told = data(record, MOST_IN_A_DOCUMENT)
    inside, title = page(record, told), told["title"]
    return (
        '<iframe sandbox="allow-scripts" width="100%" height="560" '
        'style="border: 0; resize: vertical; overflow: auto" '
        f'title="{escape(title)}" srcdoc="{escape(inside)}"></iframe>'
    )


def data(record: Trace | Chain, most: int = MOST) -> dict[str, Any]:
    """Return what the page knows, as plain data: for each link its planes and its steps."""
    links = list(record) if isinstance(record, Chain) else [record]
    share = most // max(len(links), 1)
    told = [_link(trace, share) for trace in links]
    if isinstance(record, Chain):
        for at, link in enumerate(told):
            link |= {"heading": record.heading(at), **_linked(record, at, link["steps"])}
    return {"title": title_of(record), "links": told}


def title_of(record: Trace | Chain) -> str:
    """Return what a record is called: what it shows, and its operations."""
    links = list(record) if isinstance(record, Chain) else [record]
    titles = [trace.call.operation.title for trace in links]
    if len(titles) > _NAMED:
        titles = [f"{len(titles)} calls"]
    about = links[0].about.title if links else ""
    return " · ".join(filter(None, [about, ", ".join(titles)])) or "a chain of no call"


def _link(trace: Trace, most: int) -> dict[str, Any]:
    """Return a call as plain data; of a long one the first steps."""
    operation, gather = trace.call.operation, trace.gather
    shown = _shown(trace, most)
    steps = [trace[i] for i in range(shown)]
    texts = _Texts()
    count, height, width = gather.shape
    # Of each plane of the result its first step says what flows in.
    firsts = [trace.step(i * height * width) for i in range(count)] if len(trace) else []
    whole = gather.source.size <= most // 4
    summing = operation.family in SUMMING
    spelled = bool(steps) and all(_spells(step) for step in steps)
    told: dict[str, Any] = {
        "heading": "",
        "operation": operation.title,
        "source": operation.source
        if trace.call.is_backward or operation.source != "x"
        else "input",
        "kernel": _MET.get(operation.family) or _weights_name(trace),
        "result": operation.result,
        "backward": trace.call.is_backward,
        "formulas": formulas(trace),
        "of": len(trace),
        "steps": shown,
        "shape": gather.shape,
        "axes": 0 if operation.family == "total" else gather.axes,
        "ring": _ring(trace),
        "planes": [_plane(trace, plane) for plane in gather.source] if whole else None,
        "rows": [gather.row(i).positions for i in range(height)],
        "columns": [gather.column(j).positions for j in range(width)],
        "flows": [step.pairs[:, 0].tolist() for step in firsts],
        "channels": [channel_names(step) for step in firsts],
        "places": [_plane_name(step) for step in firsts],
        "spelled": spelled,
        "windows": None if whole else [texts.add(_cells(s.patch_planes)) for s in steps],
        "winners": [_winner(step) for step in steps] if operation.family == "largest" else None,
        **_computed(steps, texts),
        "sums": [texts.add(_sums(step) if summing else "") for step in steps],
        "equations": [texts.add(_equation(step) if summing else "") for step in steps],
        "told": [texts.add(_told(step, spelled)) for step in steps],
    }
    if has_counterpart(trace) and sum(map(len, texts.known)) <= _COMPARED:
        other = counterpart(trace)
        every = [other[i] for i in range(shown)]
        told["flipped"] = {"operation": other.call.operation.title, **_computed(every, texts)}
    # One long text each: every quotation mark would be six letters in a notebook's frame.
    return {**told, "texts": "\n".join(texts.known)}


def _computed(steps: list[Step], texts: _Texts) -> dict[str, Any]:
    """Return what the steps computed and with which weights; all but results as texts' numbers."""
    return {
        "kernels": [texts.add(_cells(step.kernel_planes)) for step in steps],
        "products": [texts.add(_products(step)) for step in steps],
        "results": " ".join(number(step.result) for step in steps),
    }


class _Texts:
    """Texts, each of them once, with their numbers."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def add(self, text: str) -> int:
        """Return the number of a text."""
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def known(self) -> list[str]:
        """The texts in the order of their numbers."""
        return list(self._numbers)


def _shown(trace: Trace, most: int) -> int:
    """Return how many steps a page of so many numbers holds."""
    if len(trace) == 0:
        return 0
    cells = max(trace.step(i).patch_planes.size for i in (0, len(trace) // 2))
    return min(len(trace), max(1, most // (2 * cells + 3)))


def _ring(trace: Trace) -> dict[str, int]:
    """Return how much padding lies above and to the left, and how large the source itself is."""
    (_, top), (_, left) = rings(trace)
    _, height, width = trace.gather.source.shape
    return {"top": top, "left": left, "height": height, "width": width}


def _plane(trace: Trace, plane: Array) -> str:
    """Return a plane of the source with its padding: rows end at ;, where no number is stands ·."""
    (rows, _), (columns, _) = rings(trace)
    filler = outside(trace)
    empty = "·" if filler is None else number(filler)
    return ";".join(
        " ".join(number(plane[i, j]) if i >= 0 and j >= 0 else empty for j in columns) for i in rows
    )


def _cells(planes: Array | None) -> str:
    """Return planes as text: cells part at a blank, rows at ;, planes at |."""
    if planes is None:
        return ""
    return "|".join(";".join(" ".join(map(number, row)) for row in plane) for plane in planes)


def _products(step: Step) -> str:
    family = step.trace.call.operation.family
    return "" if step.kernel_planes is None and family != "share" else _cells(step.product_planes)


def _sums(step: Step) -> str:
    """Return the end of each channel's sum, such as "= 75"."""
    kernel, patch = step.kernel_planes, step.patch_planes
    if step.trace.call.operation.family == "share":
        kernel, patch = None, step.product_planes
    ends = []
    for k, summed in enumerate(step.channel_sums):
        met = [each[k].reshape(-1) for each in (patch, kernel) if each is not None]
        ends.append(f"{equals(zip(*met, strict=True), summed)} {number(summed)}")
    return "|".join(ends)


def _equation(step: Step) -> str:
    """Return how the sums make the result, where they are not the result already."""
    found = equation(step)
    return "" if found == number(step.result) else found


def _spells(step: Step) -> bool:
    """Tell whether the sentence begins with the products, which the page has already."""
    return step.kernel_planes is not None and _body(step).startswith(f"{_spelled(step)} ")


def _told(step: Step, spelled: bool) -> str:
    body = _body(step)
    return body.removeprefix(f"{_spelled(step)} ") if spelled else body


def _body(step: Step) -> str:
    return sentence(step).partition(": ")[2]


def _spelled(step: Step) -> str:
    kernel = step.kernel_planes
    if kernel is None or kernel.size == 0:
        return ""
    name = channel_names(step)[0]
    products = spelled_products(step.patch_planes[0].reshape(-1), kernel[0].reshape(-1))
    return f"{name}: {products}" if name else products


def _weights_name(trace: Trace) -> str:
    weights = trace.call.operation.weights
    return "kernel" if weights in ("w", None) else str(weights)


def _plane_name(step: Step) -> str:
    """Return which plane of the result it is, if there are several."""
    spatial = 0 if step.trace.call.operation.family == "total" else step.trace.gather.axes
    told = place(step).split(", ")
    return ", ".join(told[: len(told) - spatial])


def _winner(step: Step) -> list[int] | None:
    return None if step.winner is None else [0, *step.winner][-2:]


def _linked(chain: Chain, at: int, steps: int) -> dict[str, Any]:
    """Return where the cells of a link come from and go to: a link, and a step of it for each."""
    return {
        "into": _ways(chain.goes_to(at, step) for step in range(steps)),
        "from": _ways(chain.made_from(at, step) for step in range(steps)),
    }


def _ways(found: Iterable[tuple[Cells, ...]]) -> list[list[int] | None]:
    """Return for each step the first link that it leads to, and the middle one of its cells."""
    ways: list[list[int] | None] = []
    for every in found:
        cells = next((each for each in every if each.link is not None), None)
        ways.append(
            None
            if cells is None or cells.link is None
            else [cells.link, int(cells.numbers[len(cells.numbers) // 2])]
        )
    return ways
