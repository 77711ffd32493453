"""Python that makes a failing call again: the arrays, both calls, and the difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.evidence import Evidence
from stepconv.testing.forms.reading import Reading
from stepconv.testing.report.verdict import Report
from stepconv.testing.tasks import TASKS

Array = NDArray[Any]


def snippet(report: Report) -> str:
    """Return lines that make the arrays, call stepconv and show what the function gave."""
    failure = report.failure
    if failure is None:
        return ""
    task, call = TASKS[report.op], failure.case.call
    made = [f"{name} = {_array(array)}" for name, array in failure.given.items()]
    given = [f"{name}={name}" for name in failure.given]
    given += [f"{name}={value!r}" for name, value in call.options.items()]
    place, _, function = report.target.rpartition(":")
    source = Path(place).stem if place.endswith((".py", ".ipynb")) else place
    return "\n".join(
        (
            "import numpy as np",
            "import stepconv.testing.formulas" if task.axes else "import stepconv",
            *([f"from {source} import {', '.join(_imported(report, function))}"] if source else []),
            "",
            *made,
            f"right = {task.spelt}({', '.join(given)})",
            *_own(report.reading, failure, function),
            "print(mine)",
            "print(right)",
            *(["print(mine - right)"] if _comparable(failure) else []),
        )
    )


def _imported(report: Report, function: str) -> Iterator[str]:
    yield function.partition(".")[0]
    if report.reading.forward is not None:
        other = report.reading.forward[0].partition(".")[0]
        if other not in ("", "target"):
            yield other


def _comparable(failure: Evidence) -> bool:
    if TASKS[failure.op].summary is not None:
        return False  # chance has chosen otherwise
    return failure.bad == (0,) and [a.shape for a in failure.got] == [failure.expected[0].shape]


def _own(reading: Reading, failure: Evidence, function: str) -> Iterator[str]:
    """Yield the function's own call, or calls, in its own layout."""
    shapes = tuple(each.shape for each in failure.expected)
    recipe, _, places = reading.recipe(failure.case.call, shapes, None)
    laid = {name: reading.in_python(name) for name in places}
    if "bias" in places and "bias" not in failure.given:
        yield f"bias = np.zeros({reading.arrays(failure.case.call)['bias'].size})"
    flat = reading.slots.get("out_shape") is not None
    shape = reading.out_shape(shapes[0]) if "out" in places else ()
    if "out" in places:
        yield f"out = np.zeros({int(np.prod(shape)) if flat else shape})"
    for step in recipe["steps"]:
        match step:
            case {"do": "set", "names": names, "value": value}:
                known = next((n for n in names if n in reading.attributes), names[0])
                yield f"layer.{known} = {_text(value, places, laid)}"
            case {"do": "cache", "what": "", "usual": value}:
                yield f"cache = {_text(value, places, laid)}"
            case {"what": what, "as": name}:
                told = [_text(each, places, laid) for each in step["positional"]]
                keywords = step["keywords"].items()
                told += [f"{key}={_text(each, places, laid)}" for key, each in keywords]
                owner = (
                    function.partition(".")[0] if recipe["steps"][0]["as"] == "layer" else function
                )
                called = what.replace("target", owner)
                kept = "mine" if name == recipe["result"] else name
                kept = "_, cache" if step["do"] == "cache" else kept
                yield f"{kept} = {called}({', '.join(told)})"
    if "out" in places:
        yield f"mine = out.reshape({shape})" if flat else "mine = out if mine is None else mine"
    if failure.answer.several and len(shapes) == 1:
        yield "mine = mine[0]"
    back = reading.back_in_python("mine")
    if back != "mine" and len(shapes) == 1:
        yield f"mine = {back}"


def _text(value: dict[str, Any], places: list[str], laid: dict[str, str]) -> str:
    match value:
        case {"array": number}:
            return laid[places[number]]
        case {"value": plain}:
            return repr(plain)
        case {"tuple": [one]}:
            return f"({_text(one, places, laid)},)"
        case {"tuple": several}:
            return f"({', '.join(_text(one, places, laid) for one in several)})"
        case {"dict": several}:
            told = (f"{key!r}: {_text(one, places, laid)}" for key, one in several.items())
            return f"{{{', '.join(told)}}}"
        case {"known": name}:
            return str(name)
    return "lambda z: z"


def _array(array: Array) -> str:
    dtype = "" if array.dtype in (np.int64, np.float64) else f", np.{array.dtype.name}"
    if array.size > 200:
        return f"np.ones({array.shape}{dtype})  # the numbers are many: --json has them"
    told = repr(array.tolist()).replace("nan", "np.nan").replace("inf", "np.inf")
    return f"np.array({told}{dtype})"
