"""Which parameter of a function is to get what, and how it is spelt."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from stepconv.testing.forms import names
from stepconv.testing.guest.host import GuestError
from stepconv.testing.tasks import TASKS

# Name, kind, whether it has a default, and the default.
Parameter = Sequence[Any]
_PADDING_WORDS = ("valid", "same", "full")
# Our modes, as NumPy's pad calls them.
NUMPY_MODES = {"zeros": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}
_USUAL_KEYS = {"sliding": ("stride", "pad"), "pooling": ("stride", "pool_height", "pool_width")}


@dataclass(frozen=True)
class Slot:
    """A parameter, what it gets, and how: as a "number", a "pair", a "word", a "flag".

    `keys` are those of an option dict, each with what it gets; "loose" leaves the spelling open.
    """

    parameter: str
    role: str
    spelt: str = "loose"
    by_name: bool = False
    default: Any = None
    keys: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Slots:
    """All parameters of a call that are understood, and the names of those that are not."""

    every: tuple[Slot, ...]
    unknown: tuple[str, ...] = ()

    def roles(self) -> set[str]:
        """Return all that is passed, in option dicts as well."""
        inner = {role for slot in self.every for _, role in slot.keys}
        return {slot.role for slot in self.every} | inner

    def get(self, role: str) -> Slot | None:
        """Return the slot that gets this."""
        return next((slot for slot in self.every if slot.role == role), None)


def assigned(
    parameters: Sequence[Parameter],
    op: str,
    operands: Sequence[str],
    scope: Scope,
    target: str,
) -> Slots:
    """Return what each parameter gets, by its name, or else by its place among `operands`."""
    taken: dict[str, str] = {}
    sized = any(names.role(p[0], op) == "kernel_size" for p in parameters)
    kinds = {p[0]: p[1] for p in parameters}
    ordered = [name for name, kind in kinds.items() if not kind.startswith("VAR")]
    for name in ordered:
        # A layer that is told its size is told how many filters, and not given them.
        role = "channels_out" if sized and name == "filters" else names.role(name, op)
        if role and role not in taken.values():
            taken[name] = role
    # What is looked up by keys is a dict of options, whatever its name.
    looked = [name for name in ordered if name in scope.keys and name not in taken]
    if looked and "dict" not in taken.values():
        taken[looked[0]] = "dict"
    defaults = {p[0]: _default(p[3]) for p in parameters if p[2]}
    _by_place(ordered, taken, operands, set(defaults))
    lacking = [name for name in ordered if name not in taken and name not in defaults]
    got = set(taken.values())
    if "VAR_POSITIONAL" in kinds.values():
        for role in operands[len([r for r in operands if r in got]) :]:
            ordered.append(f"*{role}")
            taken[f"*{role}"] = role
    options = ", ".join(TASKS[op].options) or "no options"
    if lacking:
        raise GuestError(
            f"{target} needs {', '.join(lacking)}, which nobody gives it: {options} fit"
        )
    missing = [role for role in operands if role not in taken.values()]
    # Of an average's way back only the sizes matter.
    needed = {"x", "w"} & set(missing) if op != "avg-pool-backward" else set()
    if needed and "cache" not in taken.values():
        raise GuestError(
            f"{target} cannot be called with {', '.join(operands)}: "
            f"its arguments are {', '.join(ordered) or 'none'}"
        )
    every = [
        Slot(
            name,
            taken[name],
            _spelling(defaults.get(name), taken[name]),
            kinds.get(name) == "KEYWORD_ONLY",
            defaults.get(name),
            _keys(name, op, scope) if taken[name] == "dict" else (),
        )
        for name in ordered
        if name in taken
    ]
    named = next((name for name, kind in kinds.items() if kind == "VAR_KEYWORD"), None)
    for key in scope.keys.get(named or "", ()):
        role = names.role(key, op)
        if role and role not in taken.values():
            every.append(Slot(key, role, by_name=True))
    return Slots(tuple(every), tuple(name for name in ordered if name not in taken))


def _by_place(
    ordered: Sequence[str], taken: dict[str, str], operands: Sequence[str], optional: set[str]
) -> None:
    """Give operands that no name tells to what is left, in order."""
    for role in operands:
        if role in taken.values() or (role != "grad_out" and "cache" in taken.values()):
            continue
        if role == "window" and {"window_rows", "dict"} & set(taken.values()):
            continue
        if role == "padding" and {"padding_rows", "before_columns"} & set(taken.values()):
            continue
        free = [name for name in ordered if name not in taken]
        # One letter says little: what has to be given, as b in conv(a, b), is the operand.
        letters = [
            name
            for name in ordered
            if len(name) == 1 and name not in optional and taken.get(name) not in operands
        ]
        if free or letters:
            taken[(free or letters)[0]] = role


def _default(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return None


def _spelling(default: Any, role: str) -> str:
    if isinstance(default, bool):
        return "flag"
    if isinstance(default, str):
        return "word"
    if isinstance(default, tuple | list):
        return "pairs" if default and isinstance(default[0], tuple | list) else "pair"
    if (
        role in ("stride", "padding", "dilation", "groups", "window", "kernel_size")
        and default is not None
    ):
        return "number"
    return "loose"


def _keys(name: str, op: str, scope: Scope) -> tuple[tuple[str, str], ...]:
    """Return the keys of an option dict that the source looks up, and what they get."""
    looked = scope.keys.get(name) or tuple(k for found in scope.keys.values() for k in found)
    looked = tuple(dict.fromkeys(key for key in looked if names.role(key, op)))
    return tuple(
        (key, names.role(key, op)) for key in looked or _USUAL_KEYS.get(names.family(op), ())
    )


@dataclass(frozen=True)
class Scope:
    """What a function's source names, with all that it calls in the same file."""

    keys: Mapping[str, tuple[str, ...]]
    words: frozenset[str]


def scope_of(source: Mapping[str, Any], *functions: str) -> Scope:
    """Return what these functions name, and those that they call."""
    seen: list[str] = []
    waiting = [name for name in functions if name in source]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.append(name)
            waiting += [other for other in source[name]["calls"] if other in source]
    keys: dict[str, tuple[str, ...]] = {}
    for name in seen:
        for variable, key in source[name]["keys"]:
            keys[variable] = (*keys.get(variable, ()), key)
    return Scope(keys, frozenset(word.lower() for name in seen for word in source[name]["words"]))


def word_for(mode: str, slot: Slot) -> str:
    """Return our word for a border as the function's own default spells it."""
    if slot.default in ("constant", "edge", "wrap"):
        return NUMPY_MODES[mode]
    return mode


def is_padding_word(slot: Slot | None) -> bool:
    """Tell whether a parameter wants a padding in words."""
    return slot is not None and str(slot.default).lower() in _PADDING_WORDS
