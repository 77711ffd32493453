"""What an expression of a lesson may speak of: the record that its scene opens, and the engine."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from stepconv import geometry
from stepconv.errors import ArgumentError
from stepconv.lessons import facts
from stepconv.lessons.experiments import changes, depth, learnt, swept
from stepconv.lessons.expressions import value
from stepconv.lessons.scene import Lesson, Scene
from stepconv.operations import OPERATIONS
from stepconv.trace import Chain, Trace, named_kernels, pictures, worked_example
from stepconv.trace.jobs import function_of

Record = Trace | Chain
# So many cells are computed by plain loops while one turns a page.
_SMALL = 1200


class Tools(NamedTuple):
    """What a lesson asks of the command line: it alone knows how a call is typed.

    `record` returns what a TARGET with its options is, `network` a network layer by layer as
    `stepconv shapes` measures it, `costs` what the algorithms of `TARGET --as ALGORITHM` count.
    """

    record: Callable[[str], Record]
    network: Callable[[str], Any]
    costs: Callable[[str], Any]


def names(scene: Scene, tools: Tools) -> Mapping[str, Any]:
    """Return what the expressions of a scene may name."""
    known = {**_engine(), **tools._asdict()}
    if is_played(scene):
        known |= _of_record(tools.record(target(scene)), scene)
    for name, expression in scene.lets:
        known[name] = value(expression, known)
    return known


def is_played(scene: Scene) -> bool:
    """Tell whether a scene opens a record in the player."""
    return scene.opens.split(" ")[0] == "play" and not is_stepped(scene)


def is_stepped(scene: Scene) -> bool:
    """Tell whether a scene opens the steps of an algorithm."""
    return scene.opens.startswith("play ") and " --as " in scene.opens


def target(scene: Scene) -> str:
    """Return what a scene plays: TARGET and its options."""
    return scene.opens.partition(" ")[2]


def filled(lesson: Lesson, number: int, tools: Tools) -> Scene:
    """Return a scene of a lesson with every number in its texts; one that is wrong is refused."""
    from stepconv.lessons.filling import fill_scene

    scene = lesson.scenes[number]
    try:
        return fill_scene(scene, names(scene, tools))
    except ArgumentError as error:
        raise ArgumentError(f"{lesson.name}, line {scene.line}, {scene.title!r}: {error}") from None


def _of_record(record: Record, scene: Scene) -> dict[str, Any]:
    """Return the names for what a scene plays; of a chain for the link where it stands."""
    links = list(record) if isinstance(record, Chain) else [record]
    trace = links[scene.place.link or 0]
    return {
        "links": links,
        "trace": trace,
        "x": trace.arrays.get("x"),
        "w": trace.arrays.get("w"),
        "output": trace.output,
        "steps": len(trace),
        "step": trace[scene.place.step or 0] if len(trace) else None,
        "at": trace.at,
        "plan": trace.plan,
    }


@cache
def _engine() -> dict[str, Any]:
    """Return the names that every scene has."""
    return {
        # sizes and parameters
        "size": geometry.output_size,
        "parameters": geometry.parameter_count,
        "dense": geometry.dense_parameter_count,
        # the gallery
        "example": worked_example,
        "kernel": lambda name: _found(name, named_kernels(), "kernel").kernel,
        "picture": lambda name: _found(name, pictures(), "picture"),
        "fact": facts.fact,
        # a 5 and what becomes of it, what is learnt, a gradient through many layers
        "five": changes.five,
        "differing": changes.differing,
        "distance": changes.distance,
        "learnt": learnt.learnt,
        "loss": learnt.loss,
        "swept": swept.swept,
        "arrives": depth.arrives,
        "layers": lambda net, kind: sum(row.kind == kind for row in net.rows),
        # the operations, and their way back
        **{name: _quick(function_of(name)[0]) for name in OPERATIONS},
        **{
            f"{name}_backward": _quick(
                function_of(operation.name_of(next(iter(operation.gradients))))[0]
            )
            for name, operation in OPERATIONS.items()
            if operation.gradients
        },
        # arithmetic on arrays
        "array": np.asarray,
        "outer": np.outer,
        "same": lambda a, b: bool(np.allclose(a, b)),
        "count": lambda cells: int(np.count_nonzero(cells)),
        "sum": lambda cells: _plain(np.sum(cells)),
        "mean": lambda cells: _plain(np.mean(cells)),
        "max": lambda *cells: _plain(np.max(cells)),
        "min": lambda *cells: _plain(np.min(cells)),
        "abs": np.abs,
        "exp": np.exp,
        "log": np.log,
        "round": lambda number, digits=0: _plain(np.round(number, digits)),
        "floor": lambda number: int(np.floor(number)),
        "len": len,
        "shape": lambda cells: tuple(np.shape(cells)),
    }


def _quick(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return an operation that takes small arrays to plain loops: those compile nothing first."""
    if "backend" not in inspect.signature(function).parameters:
        return function

    def computed(*arrays: Any, **options: Any) -> Any:
        is_small = sum(map(np.size, arrays)) <= _SMALL
        return function(*arrays, **options, backend="textbook" if is_small else None)

    return computed


def _found(name: str, known: Mapping[str, Any], kind: str) -> Any:
    from stepconv.errors import closest

    if name not in known:
        raise ArgumentError(f"{kind} {name!r} is not known: {closest(name, known, '')}")
    return known[name]


def _plain(number: Any) -> Any:
    return number.item() if isinstance(number, np.generic) else number
