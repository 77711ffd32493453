"""The gallery: convolutions worked by hand in lectures, with the numbers that must come out.

All of it is read once from `worked-examples.json` beside this file, but for the pictures that
code makes. The arrays are shared and therefore read-only; copy one to change it.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import errors, geometry
from stepconv.errors import ArgumentError
from stepconv.kernels import use_backend
from stepconv.trace.gallery.landscapes import painted
from stepconv.trace.gallery.pictures import drawn
from stepconv.trace.jobs import function_of

Array = NDArray[Any]

# In the order in which a course meets them.
GROUPS = (
    "1-D",
    "edges",
    "patterns",
    "colour",
    "stride",
    "padding",
    "flip",
    "activation",
    "pooling",
    "backward",
    "sizes",
)


@dataclass(frozen=True, eq=False)
class WorkedExample:
    """One example of a lecture.

    `expected` is what its inputs and options give; `printed` is what the slide says where that
    differs, and `note` tells why. `checkpoints` hold numbers on the way, such as the sums of
    each channel at a step.
    """

    id: str
    group: str
    title: str
    lecture: str
    op: str
    inputs: Mapping[str, Array]
    options: Mapping[str, Any]
    expected: Array | int
    printed: Array | str | None = None
    note: str | None = None
    checkpoints: tuple[Mapping[str, Any], ...] = field(default=())

    def run(self, backend: str | None = None) -> Any:
        """Compute the example; one that only counts sizes gives an int.

        >>> worked_example("max-pool-4x4").run("textbook")
        array([[7, 9],
               [8, 5]])
        """
        if self.op in _COUNTS:
            return _COUNTS[self.op](**self.options)
        function, gradient = function_of(self.op)
        with nullcontext() if backend is None else use_backend(backend):
            result = function(**self.inputs, **self.options)
        return result if gradient is None else result[("x", "w", "bias").index(gradient)]


@dataclass(frozen=True, eq=False)
class NamedKernel:
    """A kernel that has a name, and the lectures that show it."""

    name: str
    kernel: Array
    lectures: tuple[str, ...]


def worked_examples() -> tuple[WorkedExample, ...]:
    """Return all worked examples, in the order of `GROUPS`."""
    return tuple(_gallery().examples.values())


def worked_example(id: str) -> WorkedExample:
    """Return the worked example of that id.

    >>> worked_example("avg-pool-4x4").expected
    array([[4.  , 4.5 ],
           [3.5 , 3.25]])
    """
    examples = _gallery().examples
    if id not in examples:
        raise ArgumentError(f"worked example {id!r} is not known: {closest(id, examples)}")
    return examples[id]


def named_kernels() -> dict[str, NamedKernel]:
    """Return the named kernels by name.

    >>> named_kernels()["sobel-x"].kernel
    array([[-1.,  0.,  1.],
           [-2.,  0.,  2.],
           [-1.,  0.,  1.]])
    """
    return dict(_gallery().kernels)


def pictures() -> dict[str, Array]:
    """Return the pictures by name, as (rows, columns); one in colour as (3, rows, columns).

    >>> pictures()["eight-22x16"].shape
    (22, 16)
    """
    return {**_gallery().pictures, **_painted()}


def closest(name: str, known: Iterable[str]) -> str:
    """Return a hint at what was meant by `name`.

    >>> closest("sobel", ["sobel-x", "sobel-y", "identity"])
    "did you mean 'sobel-x' or 'sobel-y'?"
    """
    return errors.closest(name, known, "`stepconv examples` lists what there is", most=3)


@dataclass(frozen=True)
class _Gallery:
    examples: Mapping[str, WorkedExample]
    kernels: Mapping[str, NamedKernel]
    pictures: Mapping[str, Array]


@cache
def _gallery() -> _Gallery:
    text = resources.files("stepconv.trace").joinpath("worked-examples.json").read_text("utf-8")
    data = json.loads(text)
    examples = (_example(entry) for entry in data["examples"])
    return _Gallery(
        {example.id: example for example in examples},
        {
            name: NamedKernel(name, _frozen(entry["kernel"]), tuple(entry["lectures"]))
            for name, entry in data["kernels"].items()
        },
        {
            **{name: _frozen(rows) for name, rows in data["pictures"].items()},
            **{name: _read_only(array) for name, array in drawn().items()},
        },
    )


@cache
def _painted() -> Mapping[str, Array]:
    """Return the pictures that take a moment to paint, once somebody asks for one."""
    return {name: _read_only(array) for name, array in painted().items()}


def _example(entry: dict[str, Any]) -> WorkedExample:
    inputs = {name: _frozen(value) for name, value in entry["inputs"].items()}
    return WorkedExample(
        **{
            **entry,
            "inputs": MappingProxyType(inputs),
            "options": MappingProxyType(entry["options"]),
            "expected": _frozen(entry["expected"]),
            "printed": _frozen(entry.get("printed")),
            "checkpoints": tuple(map(MappingProxyType, entry.get("checkpoints", ()))),
        }
    )


def _frozen(value: Any) -> Any:
    """Return lists as a read-only array, anything else as it is."""
    if not isinstance(value, list):
        return value
    return _read_only(np.array(value))


def _read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array


_COUNTS: dict[str, Callable[..., int]] = {
    "output_size": geometry.output_size,
    "parameter_count": geometry.parameter_count,
    "parameter_count_dense": geometry.dense_parameter_count,
}
