"""The programs of a network as a browser finds them in its memory: written in a process of its own.

There a vector has 128 bits, as in every browser, whatever this processor's have. Who asks sends an
`Order` to the process and gets a `Layout` back.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any

from stepconv.errors import ArgumentError, StepconvError
from stepconv.geometry import Axis, ReceptiveField, covering, receptive_field
from stepconv.nn import SGD, Concat, Dropout, Model, Residual
from stepconv.nn.optim import Optimizer
from stepconv.nn.steps import records
from stepconv.nn.steps.weights import Arrays

if TYPE_CHECKING:
    from stepconv.nn.cpu.portable import Arena
    from stepconv.nn.cpu.program import Program
    from stepconv.nn.cpu.writer import LaneWeights

# Browsers hold more memory, but not all of them do.
_MOST = 2**31
# Batches may be larger than the recipe's, as long as their memory is not.
_BATCH, _BATCH_BYTES = 256, 2**26


@dataclass(frozen=True, eq=False)
class Order:
    """A network with the weights that it begins with, and how it is to learn."""

    model: Model
    parameters: Arrays
    statistics: Arrays
    scale: float
    shift: float
    optimizer: Optimizer
    batch_size: int
    winograd: bool = False
    frozen: tuple[str, ...] = ()
    relaxed: bool = False  # whether a module that rounds as its browser is fastest is wanted too


@dataclass(frozen=True)
class Layout:
    """The module, what lies in its memory at the beginning, and what lies where."""

    module: bytes
    relaxed: bytes | None
    image: list[tuple[int, bytes]]
    told: dict[str, Any]


def laid_out(order: Order) -> Layout:
    """Return the layout of a network, made in a portable process."""
    from stepconv.kernels.portable.settings import SETTINGS

    command = [sys.executable, "-c", f"from {__name__} import _serve; _serve()"]
    done = subprocess.run(
        command,
        input=pickle.dumps(order),
        stdout=subprocess.PIPE,
        env={**os.environ, **SETTINGS},
        check=True,
    )
    answer = pickle.loads(done.stdout)
    if isinstance(answer, StepconvError):
        raise answer
    assert isinstance(answer, Layout)
    return answer


def write(order: Order) -> Layout:
    """Write the three programs of a page into one memory: to train, to answer, to look inside."""
    from stepconv.kernels import kinds
    from stepconv.kernels.cpu.lanes import rows
    from stepconv.kernels.portable import library
    from stepconv.nn.cpu.portable import Arena
    from stepconv.nn.cpu.program import Program
    from stepconv.nn.cpu.writer import LaneWeights

    arena = Arena()
    weights = LaneWeights(order.model, order.parameters, order.statistics, arena)
    feed: Any = {"scale": order.scale, "shift": order.shift}
    train = Program(
        order.model,
        weights,
        _batch(order),
        **feed,
        optimizer=order.optimizer,
        winograd=order.winograd,
        frozen=order.frozen,
    )
    ask = Program(order.model, weights, rows.LANES, **feed)
    # Back from one picture, with nothing silenced; what it learns is never added to the weights.
    awake = replace(order.model, layers=tuple(map(_awake, order.model.layers)))
    look = Program(awake, weights, rows.LANES, **feed, optimizer=SGD())
    if arena.size > _MOST:
        needed, most = f"{arena.size / 2**30:.1f} GiB", f"{_MOST >> 30}"
        raise ArgumentError(
            f"{order.model.name} needs {needed} in a browser to train in batches of "
            f"{order.batch_size}, and {most} may be taken: a smaller network or batch fits"
        )
    told = {
        "lanes": rows.LANES,
        "classes": order.model.classes,
        "table": arena.table,
        "controls": {
            name: getattr(rows, name)
            for name in (
                *("IMAGES", "CHUNKS", "PIXELS", "PIXEL_BYTES"),
                *("ORDER", "LABELS", "ANSWERS", "STEP_KEY"),
            )
        },
        "numbers": {
            name: getattr(kinds, name)
            for name in ("RATE", "DECAY", "MOMENTUM", "PACE", "SHRINK", "STEP_NUMBERS")
        },
        "programs": {"train": train.places(), "ask": ask.places(), "look": look.places()},
        "arrays": dict(_arrays(weights, arena)),
        "moments": [[arena.place(row), row.size] for row in train.moments],
        "learnt": [arena.place(weights.values), weights.size],
        "remembered": [arena.place(weights.remembered), weights.remembered.size],
        "layers": list(_layers(ask, look, weights, arena)),
    }
    relaxed = library.wasm(relaxed=True) if order.relaxed else None
    return Layout(library.wasm(), relaxed, arena.image(), {**told, "size": arena.size})


def _batch(order: Order) -> int:
    """Return how large a batch may be."""
    image = 8 * sum(prod(place.output) for place in order.model.places)
    return max(order.batch_size, min(_BATCH, _BATCH_BYTES // image))


def _awake(layer: Any) -> Any:
    """Return a layer whose dropouts, inside it too, silence nothing."""
    if isinstance(layer, Dropout):
        return Dropout(0.0)
    inside = [tuple(map(_awake, inner)) for inner in layer.parts().values()]
    if isinstance(layer, Residual):
        return Residual(*inside)
    return Concat(tuple(inside)) if inside else layer


def _arrays(weights: LaneWeights, arena: Arena) -> Iterator[tuple[str, Any]]:
    """Yield where each array of weights and statistics lies, and its shape."""
    for row, offsets, shapes in (
        (weights.values, weights.offsets, weights.shapes),
        (weights.remembered, weights.statistic_offsets, weights.statistic_shapes),
    ):
        for name, shape in shapes.items():
            yield name, {"at": arena.place(row) + 4 * offsets[name], "shape": shape}


def _layers(
    ask: Program, look: Program, weights: LaneWeights, arena: Arena
) -> Iterator[dict[str, Any]]:
    """Yield the picture and each step after it: where its numbers are, and what they were made of.

    `field` says which cells of the picture a cell sees, along both axes; None: all of them.
    """
    x, border = ask.network.x, ask.network.border
    made = {x.whole: 0}
    fields: list[Any] = [tuple(ReceptiveField(start=-before) for before in border)]
    back = {step.place.name: step for step in look.network.steps}
    yield {
        "name": "picture",
        "kind": "picture",
        "shape": x.shape,
        "value": ask.value(x).address,
        "field": _told(fields[0]),
        "border": border,
    }
    for number, step in enumerate(ask.network.steps, 1):
        reads = [made[t.whole] for t in step.reads]
        made[step.y.whole] = number
        plan = _plan(step)
        flat = len(step.y.shape) == 1
        fields.append(None if flat else _field([fields[i] for i in reads], plan))
        name = step.place.name
        layer = {
            "name": name,
            "kind": step.place.layer.kind,
            "shape": step.y.shape,
            "value": ask.value(step.y).address,
            "gradient": look.gradient(back[name].y).address,
            "reads": reads,
            "slope": step.y.slope,
            "field": _told(fields[-1]),
        }
        if plan is not None:
            layer |= {"windows": [_window(axis) for axis in plan], "groups": 1}
        if isinstance(step, records.SumStep):
            layer |= {"groups": step.plan.groups}
        yield layer


def _plan(step: records.Step) -> tuple[Axis, Axis] | None:
    """Return how a step's window slides over what it reads, the border of the picture included."""
    if isinstance(step, records.ConvStep | records.PoolStep):
        rows, columns = step.plan.axes
        return rows, columns
    return None


def _field(seen: list[Any], plan: Any) -> Any:
    """Return what a cell sees, from what each of those sees that it is made of."""
    if None in seen:
        return None
    if plan is None:
        return tuple(covering(every) for every in zip(*seen, strict=True))
    return tuple(receptive_field([axis], one) for axis, one in zip(plan, seen[0], strict=True))


def _told(field: Any) -> Any:
    names = ("size", "jump", "start")
    return field and [{name: getattr(one, name) for name in names} for one in field]


def _window(axis: Axis) -> dict[str, int]:
    return {
        name: getattr(axis, name) for name in ("window", "stride", "dilation", "before", "size")
    }


def _serve() -> None:
    """Answer the order that stands on stdin."""
    try:
        answer: Layout | StepconvError = write(pickle.load(sys.stdin.buffer))
    except StepconvError as error:
        answer = error
    sys.stdout.buffer.write(pickle.dumps(answer))
