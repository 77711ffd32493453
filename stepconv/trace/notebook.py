"""A trace as a page for notebooks: a slider over the steps, in a sandboxed frame, without a server.

The page holds the numbers that it shows; it loads nothing and sends nothing.
"""

from __future__ import annotations

import html
import json
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.trace.chain import Chain
from stepconv.trace.model import Step, Trace
from stepconv.trace.ring import outside, rings
from stepconv.trace.sentence import sentence
from stepconv.trace.words import channel_names, equation, number

Array = NDArray[Any]

# A notebook is a document, which a page of millions of numbers would weigh down.
_MOST_NUMBERS = 60_000


def page(trace: Trace) -> str:
    """Return an iframe with the page in it; of a long trace it shows the first steps, and says so.

    >>> import stepconv
    >>> page(stepconv.record(stepconv.relu, [1, -1]))[:33]
    '<iframe sandbox="allow-scripts" w'
    """
    shown = _shown(trace)
    operation = trace.call.operation
    title = " · ".join(filter(None, (trace.about.title, operation.title)))
    data = {
        "title": title,
        "source_name": operation.source,
        "weights_name": "kernel" if operation.weights in ("w", None) else operation.weights,
        "result_name": operation.result,
        "of": len(trace),
        "steps": [_step(trace.step(i)) for i in range(shown)],
        "source": _source(trace) if _fits(trace) else None,
        "shape": trace.gather.shape if _fits(trace) else None,
    }
    # A "</script>" in a title would end the script.
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    template = resources.files("stepconv.trace").joinpath("notebook.html").read_text("utf-8")
    document = html.escape(template.replace("DATA", text, 1))
    return (
        '<iframe sandbox="allow-scripts" width="100%" height="460" '
        'style="border: 0; resize: vertical" '
        f'title="{html.escape(title)}" srcdoc="{document}"></iframe>'
    )


def pages(chain: Chain) -> str:
    """Return the pages of a chain's links, one below the other, each under a sentence about it."""
    told = (f"<p>{html.escape(chain.heading(i))}</p>{page(chain[i])}" for i in range(len(chain)))
    return "".join(told)


def _fits(trace: Trace) -> bool:
    """Tell whether the page can show the whole source and the output filling up."""
    return trace.gather.source.size + len(trace) <= _MOST_NUMBERS // 10


def _shown(trace: Trace) -> int:
    if len(trace) == 0:
        return 0
    cells = max(trace.step(i).patch_planes.size for i in (0, len(trace) // 2))
    return min(len(trace), max(1, _MOST_NUMBERS // (3 * cells + 3)))


def _source(trace: Trace) -> dict[str, Any]:
    """Return the planes of the source with their padding, and how much of it lies in front."""
    (rows, top), (columns, left) = rings(trace)
    filler = outside(trace)
    planes = [
        [
            [
                number(plane[i, j])
                if i >= 0 and j >= 0
                else ""
                if filler is None
                else number(filler)
                for j in columns
            ]
            for i in rows
        ]
        for plane in trace.gather.source
    ]
    height, width = trace.gather.source.shape[1:]
    return {"planes": planes, "top": top, "left": left, "height": height, "width": width}


def _step(step: Step) -> dict[str, Any]:
    rows, columns = step.readings
    kernel = step.kernel_planes
    return {
        "words": sentence(step),
        "equation": equation(step),
        "place": step.place,
        "planes": step.pairs[:, 0].tolist(),
        "channels": channel_names(step),
        "rows": rows.positions,
        "columns": columns.positions,
        "patch": _grids(step.patch_planes),
        "kernel": None if kernel is None else _grids(kernel),
        "products": _grids(step.product_planes),
        "result": number(step.result),
    }


def _grids(planes: Array) -> list[list[list[str]]]:
    return [[[number(cell) for cell in row] for row in plane] for plane in np.asarray(planes)]
