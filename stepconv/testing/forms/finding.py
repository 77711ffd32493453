"""All readings that a function may have, the likely ones first, and which of them it has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from stepconv.errors import ArgumentError
from stepconv.testing.forms import names
from stepconv.testing.forms.courses import FORMS, LAYOUTS, Form
from stepconv.testing.forms.exercises import exercise_forms
from stepconv.testing.forms.reading import Reading
from stepconv.testing.forms.slots import Slots, assigned, scope_of
from stepconv.testing.guest.host import GuestError
from stepconv.testing.tasks import TASKS

# What people have in a cache, where the file has no forward that makes one.
_CACHED = {"sliding": ("x", "w", "bias", "dict"), "pooling": ("x", "dict"), "cells": ("x",)}
_CACHED |= {"dense": ("x", "w", "bias"), "batch-norm": ("x", "gamma", "beta")}
_SHAPES_OF_BIAS = {"NCHW": ("O", "O1", "1O11"), "NHWC": ("O", "111O")}


def readings(
    told: Mapping[str, Any], op: str, target: str, rank: int | None = None, form: str | None = None
) -> list[Reading]:
    """Return how a function that was described may want to be called, the likely first.

    `rank` is that of the kernel, `form` the name of the only form to think of.
    """
    name = target.rpartition(":")[2].rpartition(".")[2]
    whole = _calls(told, op, name, target)
    every = (*whole.slots.every, *(whole.init.every if whole.init else ()))
    parameters = {slot.parameter for slot in every}
    found = [each for each in FORMS if each.fits(op, name, parameters)]
    if form is not None:
        found = [each for each in FORMS if each.name == form]
        if not found:
            raise ArgumentError(f"form {form!r} is not known: `--list-forms` shows those that are")
    if TASKS[op].axes:
        return [replace(whole, form=each) for each in exercise_forms(op, parameters)]
    # Where two courses share a name, the one that asks for more of the arguments.
    found.sort(key=lambda each: -len(each.needs.split()))
    if not found:
        found = _plain(op, whole)
    likely = [
        replace(whole, form=_free(each, whole), rank=rank_of(each), bias=bias, loose=loose)
        for each in found
        for loose in ("loose", "pair", "number", *(["sides", "pairs"] if op == "pad" else []))
        for bias in _biases(each, whole)
        if rank in (None, rank_of(each)) or form is not None
    ]
    if not likely:
        raise ArgumentError(f"rank={rank} does not fit {found[0].course}: {rank_of(found[0])} does")
    return likely


def rank_of(form: Form) -> int:
    """Return the rank of our kernel for a layout: 1 a signal, 2 an image, 3 and 4 layers."""
    plain = form.x in ("L", "HW") and form.w in ("L", "HW")
    return (1 if "L" in form.x else 2) + (0 if plain else 2)


def _biases(form: Form, whole: Reading) -> Sequence[str]:
    if "bias" not in whole.options:
        return ("O",)
    if form.course:
        return (form.bias, "O") if form.bias != "O" else ("O",)
    if rank_of(form) < 3:
        return ("", "1")
    return _SHAPES_OF_BIAS.get(form.x, ("O", "O1"))


def _free(form: Form, whole: Reading) -> Form:
    """Return the form without what the function leaves to its arguments."""
    slots = {
        name: whole.slots.get(name) or (whole.init and whole.init.get(name)) for name in form.fixed
    }
    given = {name for name, slot in slots.items() if slot and slot.parameter not in form.needs}
    return replace(form, fixed={n: v for n, v in form.fixed.items() if n not in given})


def _plain(op: str, whole: Reading) -> list[Form]:
    """Return the layouts of no course in particular."""
    family = names.family(op)
    if family == "sliding":
        layouts = list(LAYOUTS)
        if whole.init is not None:
            layouts.sort(key=lambda each: "O" not in each[1])
        return [Form("plain", "", op, "", "", x, w, out) for x, w, out in layouts]
    alone: tuple[str, ...]
    alone = ("L", "HW") if family == "flip" else ("HW", "NCHW", "NHWC", "CHW", "HWC", "NHW", "L")
    if family == "pooling" and whole.init is not None:
        alone = ("NCHW", "NHWC", "NCL", "HW")
    # What knows neither rows nor channels has one layout of each rank.
    alone = ("HW", "NCHW", "L") if family == "cells" else alone
    return [
        Form("plain", "", op, "", "", x, x if family == "flip" or len(x) < 3 else "OIHW", x)
        for x in alone
    ]


def _calls(told: Mapping[str, Any], op: str, name: str, target: str) -> Reading:
    """Return what is called and with what, in no layout yet."""
    task, back = TASKS[op], op.endswith("-backward")
    forward = op.removesuffix("-backward")
    bare = Form("", "", "", "")
    owner = target.rpartition(":")[2].partition(".")[0]
    scope = scope_of(
        told["source"], name, *([] if "." not in target.rpartition(":")[2] else [owner])
    )
    words, attributes = scope.words, frozenset(told["attributes"])

    def slots(parameters: Sequence[Any], of: str, operands: Sequence[str], *more: str) -> Slots:
        known = scope_of(told["source"], *more, name) if more else scope
        return assigned(parameters, of, operands, known, target)

    if told["kind"] != "class":
        found = slots(told["parameters"], op, task.positional)
        reading = Reading(op, bare, 4, found, "O", words=words)
        return replace(reading, forward=_forward(told, op, name, slots) if back else None)
    methods = told["methods"]
    asked = told["asked"] if told["asked"] not in ("__init__", "") else ""
    if not asked:
        usual = ("backward",) if back else ("forward", "__call__")
        asked = next((each for each in usual if each in methods), "")
    if not asked:
        raise GuestError(f"{target} has no {'backward' if back else 'forward'} method")
    if asked in told["static"]:
        found = slots(methods[asked], op, task.positional)
        reading = Reading(op, bare, 4, found, "O", what=f"target.{asked}", words=words)
        if not back:
            return reading
        made = {"others": {"forward": [p[0] for p in methods.get("forward", ())]}}
        what, inner = _forward({**told, **made}, op, "backward", slots) or ("", Slots(()))
        return replace(reading, forward=(f"target.{what}", inner))
    start = methods.get("__init__", [])
    init = slots(start, forward, ())
    operands = [n for n in TASKS[forward].positional if n in ("x", "w") and not init.get(n)]
    operands = [
        n for n in operands if n == "x" or not init.roles() & {"channels_in", "kernel_size"}
    ]
    ahead = next((n for n in ("forward", "__call__") if n in methods), asked) if back else asked
    found = slots(methods[ahead], forward, operands)
    reading = Reading(op, bare, 4, found, "O", what=f"layer.{ahead}", init=init, words=words)
    reading = replace(reading, attributes=attributes)
    if not back:
        return reading
    return replace(reading, backward=slots(methods[asked], op, ("grad_out",)))


def _forward(
    told: Mapping[str, Any], op: str, name: str, slots: Callable[..., Slots]
) -> tuple[str, Slots] | None:
    """Return the function that makes the cache for a way back, and what it gets."""
    others, forward = told.get("others", {}), op.removesuffix("-backward")
    if not any(names.role(p[0], op) == "cache" for p in told["parameters"]) and not any(
        names.role(p[0], op) == "cache" for p in told.get("methods", {}).get("backward", ())
    ):
        return None
    for other in (name.replace("backward", "forward"), name.replace("back", "forward")):
        if other in others and other != name:
            parameters = [[each, "POSITIONAL_OR_KEYWORD", False, ""] for each in others[other]]
            return other, slots(parameters, forward, TASKS[forward].positional, other)
    family = names.family(op)
    usual = {"x": "x", "w": "w", "bias": "b", "dict": "conv_param"}
    parameters = [
        [usual.get(role, role), "POSITIONAL_OR_KEYWORD", False, ""]
        for role in _CACHED.get(family, ("x",))
    ]
    return "", slots(parameters, forward, TASKS[forward].positional)


def choose(every: Sequence[Reading], score: Callable[[Reading], tuple[float, bool]]) -> Reading:
    """Return the first reading whose answers have the right shape, or else the nearest one.

    `score` asks the function; it tells how near its answers are, and whether to stop asking.
    """
    best, most = every[0], -1.0
    for reading in every:
        points, over = score(reading)
        if points > most:
            best, most = reading, points
        if over or points >= SHAPE:
            break
    return best


# Points of an answer, by how near it is: right, the right shape, as many axes, any.
SHAPE, NEAR, AXES, SOME = 100, 50, 10, 1


def listed() -> Iterator[str]:
    """Yield all forms of courses in lines."""
    for form in FORMS:
        needs = f"({', '.join(form.needs.split())})" if form.needs else ""
        layout = f"x {form.x}" + (f", w {form.w}" if "pool" not in form.ops else "")
        yield f"{form.name:<31} {form.course:<24} {layout}  {form.functions}{needs}"
