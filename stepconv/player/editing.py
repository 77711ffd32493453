"""Change a call while one looks at it: what keys make of a setting, undo and redo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError, StepconvError
from stepconv.geometry import MODES
from stepconv.operations import OPERATIONS
from stepconv.player.setting import (
    EDITED,
    Setting,
    as_typed,
    fitted,
    number,
    numbers,
    setting_of,
)
from stepconv.trace import About, Chain, From, Trace, named_kernels, pictures

Array = NDArray[Any]

_PADDINGS = ("valid", "same", "full")
# Options that are one number for each axis, with the smallest that fits.
_NUMBERS = {"stride": 1, "dilation": 1, "groups": 1, "window": 1, "output_padding": 0}
_FLAGS = ("ceil_mode", "count_include_pad")
_GRIDS = ("kernel", "input")
_DIGITS = frozenset("0123456789-./")


@dataclass(frozen=True)
class Desk:
    """What an editor needs of whoever reads and writes for it.

    `numbers` and `kernel` read what somebody typed, named or has in a file; `command` is the line
    that makes a setting or a chain.
    """

    numbers: Callable[[str], Array]
    kernel: Callable[[str], Array]
    command: Callable[[Setting | Chain], str]


class State(NamedTuple):
    """A setting with what comes of it: its trace, and the chain that it is a link of, if any."""

    setting: Setting
    trace: Trace
    chain: Chain | None


class Editor:
    """The state of the editor, and what keys do to it.

    Of a chain it changes one link, and what is made from it follows. Whatever is refused becomes
    the `message`, and the last valid setting stays.
    """

    def __init__(self, record: Trace | Chain, desk: Desk, link: int = 0) -> None:
        self.desk, self.link = desk, link
        chain = record if isinstance(record, Chain) else None
        trace = record[link] if isinstance(record, Chain) else record
        self.now = State(setting_of(trace), trace, chain)
        self.past: list[State] = []
        self.future: list[State] = []
        every = ("kernel", "input", *self.fields)
        self.focus = next(each for each in every if each in self.fields)
        self.cell = (0, 0)
        self.plane = 0
        self.typed = ""
        # Whether what is being typed has been tried already: it is one change, not several.
        self.tried = False
        self.message = ""
        self.commands: list[str] = []

    @property
    def setting(self) -> Setting:
        """The call as it is now."""
        return self.now.setting

    @property
    def trace(self) -> Trace:
        """What the call as it is now comes to."""
        return self.now.trace

    @property
    def fields(self) -> tuple[str, ...]:
        """What can be changed, in the order in which it is shown.

        What comes from another link is changed there.
        """
        one, chain = OPERATIONS[self.setting.op], self.now.chain
        sources = {} if chain is None else chain.links[self.link].sources
        own = [name for name in one.arrays if sources.get(name, From()) == From()]
        fields = ["operation"]
        fields += ["input", "picture"] if "x" in own else []
        fields += ["kernel", "named"] if "w" in own and "w" not in sources else []
        fields += ["bias"] if "bias" in one.arrays or "w" in one.arrays else []
        options = [name for name in one.options if name in (*_NUMBERS, "padding", "mode", *_FLAGS)]
        return (*fields, *options)

    def planes(self, field: str) -> Array:
        """Return the kernel or the input as (planes, rows, columns)."""
        array = self.setting.arrays["w" if field == "kernel" else "x"]
        axes = 1 if self.trace.gather.axes == 1 else 2
        rows = array.shape[-2] if axes == 2 else 1
        return array.reshape(-1, rows, array.shape[-1])

    def shown(self, field: str) -> str:
        """Return what a field holds, in words."""
        setting = self.setting
        if field == "operation":
            return OPERATIONS[setting.op].title
        if field in _GRIDS:
            return "x".join(map(str, setting.arrays["w" if field == "kernel" else "x"].shape))
        if field == "named":
            return _name_of(self.planes("kernel"), _kernels()) or "none of the named"
        if field == "picture":
            return _name_of(self.planes("input"), pictures()) or "none of the gallery"
        if field == "bias":
            bias = setting.arrays.get("bias")
            return "none" if bias is None else " ".join(f"{b:g}" for b in np.atleast_1d(bias))
        return as_typed(setting.options.get(field, "as it comes"))

    def press(self, key: str, character: str | None = None) -> None:
        """Do what a key asks for."""
        if not self.typed:  # else the message is about what is being typed
            self.message = ""
        if key in ("tab", "shift+tab"):
            self._look_at(1 if key == "tab" else -1)
        elif key in _ARROWS:
            self._arrow(key)
        elif key.removeprefix("shift+") in _ARROWS and self.focus == "input":
            self._shift(*_ARROWS[key.removeprefix("shift+")])
        elif key == "backspace":
            self._type(self.typed[:-1])
        elif key == "enter":
            self._end_typing()
        elif key == "space":
            self._paint()
        elif character in ("u", "U"):
            self.undo() if character == "u" else self.redo()
        elif character in ("[", "]"):
            self._end_typing()
            count = len(self.planes(self.focus)) if self.focus in _GRIDS else 1
            self.plane = (self.plane + (1 if character == "]" else -1)) % count
        elif character == "c":
            self.say_command()
        elif character and character in _DIGITS | {",", ":", " "}:
            if self.focus in (*_GRIDS, "bias", "padding", *_NUMBERS):
                self._type(self.typed + character)
            else:
                self.message = f"{self.focus} is not typed: ← and → go through what there is"

    def change(self, setting: Setting) -> bool:
        """Make another setting the present one, if it can be recorded; else say why not."""
        try:
            with np.errstate(all="ignore"):
                trace = setting.trace(self._about(setting))
                chain = self.now.chain
                chain = None if chain is None else chain.changed(self.link, trace)
            if any(len(each) == 0 for each in ([trace] if chain is None else chain)):
                raise ArgumentError("this leaves no cell of the result to look at")
        except (StepconvError, ValueError, TypeError, OverflowError) as error:
            self.message = str(error)
            return False
        self.past.append(self.now)
        self.future.clear()
        self._show(State(setting, trace, chain))
        return True

    def undo(self) -> None:
        """Take the last change back."""
        self._end_typing()
        self._travel(self.past, self.future, "nothing to undo")

    def redo(self) -> None:
        """Make a change again that was taken back."""
        self._end_typing()
        self._travel(self.future, self.past, "nothing to redo")

    def load_kernel(self, text: str) -> None:
        """Take a named kernel, one in a file, or one typed out."""
        self._load("w", self.desk.kernel, text)

    def load_input(self, text: str) -> None:
        """Take a picture, a file, or numbers typed out."""
        self._load("x", self.desk.numbers, text)

    def say_command(self) -> None:
        """Tell the command line that makes the present state; it is printed at the end as well."""
        try:
            command = self.desk.command(self.now.chain or self.setting)
        except StepconvError as error:
            self.message = str(error)
            return
        self.commands.append(command)
        self.message = f"printed when you leave: {command}"

    def save(self, path: str) -> None:
        """Write the trace of the present state, or the chain, to a file."""
        record, name = self.now.chain or self.trace, path.strip()
        if not name.endswith(".npz"):
            name += ".trace.npz" if self.now.chain is None else ".npz"
        if Path(name).exists():
            self.message = f"{name} is there already: another name fits"
            return
        try:
            record.save(name)
        except (StepconvError, OSError) as error:
            self.message = str(error)
        else:
            self.message = f"saved: {name}"

    def _load(self, name: str, read: Callable[[str], Array], text: str) -> None:
        self.message = ""
        self._end_typing()
        try:
            array = read(text.strip())
        except (StepconvError, OSError) as error:
            self.message = str(error)
            return
        self.change(fitted(self.setting, name, array))

    def _about(self, setting: Setting) -> About:
        """The words of a lecture are about its own numbers; names of channels stay with them."""
        same = setting.arrays["x"].shape == self.setting.arrays["x"].shape
        return About("edited", (), self.trace.about.channels if same else ())

    def _show(self, state: State) -> None:
        self.now, self.message = state, ""
        if self.focus not in self.fields:
            self.focus = "operation"
        if self.focus in _GRIDS:
            planes, rows, columns = self.planes(self.focus).shape
            self.plane = min(self.plane, planes - 1)
            self.cell = min(self.cell[0], rows - 1), min(self.cell[1], columns - 1)

    def _travel(self, back: list[State], on: list[State], otherwise: str) -> None:
        if not back:
            self.message = otherwise
            return
        on.append(self.now)
        self._show(back.pop())

    def _look_at(self, by: int) -> None:
        self._end_typing()
        fields = self.fields
        self.focus = fields[(fields.index(self.focus) + by) % len(fields)]
        self.cell, self.plane = (0, 0), 0

    def _arrow(self, key: str) -> None:
        self._end_typing()
        down, right = _ARROWS[key]
        if self.focus in _GRIDS:
            _, rows, columns = self.planes(self.focus).shape
            row, column = self.cell[0] + down, self.cell[1] + right
            self.cell = min(max(row, 0), rows - 1), min(max(column, 0), columns - 1)
        elif down:
            self._look_at(down)
        else:
            self._turn(right)

    def _turn(self, by: int) -> None:
        """Go to the next value of a field that can be made."""
        name, setting = self.focus, self.setting
        if name == "operation":
            self._first_valid(EDITED, setting.op, by, lambda op: replace(setting, op=op))
        elif name == "named":
            kernels = _kernels()
            own = _name_of(self.planes("kernel"), kernels)
            self._first_valid(
                tuple(kernels), own, by, lambda each: fitted(setting, "w", kernels[each])
            )
        elif name == "picture":
            known = pictures()
            own = _name_of(self.planes("input"), known)
            self._first_valid(tuple(known), own, by, lambda each: fitted(setting, "x", known[each]))
        elif name == "mode":
            mode = setting.options.get("mode", "zeros")
            self._first_valid(MODES, mode, by, lambda each: setting.with_option("mode", each))
        elif name in _FLAGS:
            self.change(setting.with_option(name, not setting.options.get(name, False)))
        elif name == "padding":
            value = setting.options.get("padding", "valid")
            choices = (*_PADDINGS, *range(10))
            self._first_valid(choices, value, by, lambda each: setting.with_option(name, each))
        elif name in _NUMBERS:
            value = np.max(setting.options.get(name, _NUMBERS[name]))
            self.change(setting.with_option(name, int(value) + by))

    def _first_valid(
        self, values: tuple[Any, ...], own: Any, by: int, made: Callable[[Any], Setting]
    ) -> None:
        """Make the next of the values the present one that can be recorded."""
        start = values.index(own) if own in values else -1 if by > 0 else 0
        for step in range(1, len(values)):
            if self.change(made(values[(start + by * step) % len(values)])):
                return

    def _paint(self) -> None:
        """Turn a cell of the input on or off."""
        if self.focus != "input":
            return
        self._end_typing()
        planes = self.planes("input")
        bright = planes.max(initial=0).item() or 1
        self._set_cell(0 if planes[(self.plane, *self.cell)] else bright)

    def _shift(self, down: int, right: int) -> None:
        """Move the input by a cell; zeros come in."""
        self._end_typing()
        planes = self.planes("input")
        _, rows, columns = planes.shape
        # A ring of zeros round the input: the moved one is the same window, shifted against it.
        ringed = np.pad(planes, ((0, 0), (1, 1), (1, 1)))
        moved = ringed[:, 1 - down : 1 - down + rows, 1 - right : 1 - right + columns]
        x = self.setting.arrays["x"]
        self.change(self.setting.with_array("x", moved.reshape(x.shape)))

    def _type(self, text: str) -> None:
        """Take what is typed so far as the value, as soon as it is one."""
        self.typed, self.message = text, ""
        if self.tried:
            self._travel(self.past, [], "")
            self.tried = False
        value = number(text) if self.focus in _GRIDS else None
        if self.focus in _GRIDS:
            self.tried = value is not None and self._set_cell(value)
        elif self.focus == "bias":
            self.tried = self._set_bias(text)
        elif self.focus in (*_NUMBERS, "padding"):
            option = numbers(text)
            self.tried = option is not None and self.change(
                self.setting.with_option(self.focus, option)
            )

    def _end_typing(self) -> None:
        if self.typed and not self.tried and not self.message:
            self.message = f"{self.typed!r} is no value for {self.focus}"
        self.typed, self.tried = "", False

    def _set_cell(self, value: int | float) -> bool:
        name = "w" if self.focus == "kernel" else "x"
        array = self.setting.arrays[name]
        # A picture's bytes would hold no -1.
        whole = np.int64 if isinstance(value, int) else np.float64
        planes = self.planes(self.focus).astype(array.dtype if array.dtype.kind == "f" else whole)
        planes[(self.plane, *self.cell)] = value
        return self.change(self.setting.with_array(name, planes.reshape(array.shape)))

    def _set_bias(self, text: str) -> bool:
        typed = [number(word) for word in text.replace(",", " ").split()]
        if not typed or None in typed:
            return False
        w = self.setting.arrays["w"]
        filters = w.shape[0] if w.ndim > 2 else 1
        every = typed * filters if len(typed) == 1 else typed
        bias = np.array(every if w.ndim > 2 or len(every) > 1 else every[0])
        return self.change(self.setting.with_array("bias", bias))


_ARROWS = {"up": (-1, 0), "down": (1, 0), "left": (0, -1), "right": (0, 1)}


def _kernels() -> dict[str, Array]:
    return {name: each.kernel for name, each in named_kernels().items()}


def _name_of(planes: Array, known: dict[str, Array]) -> str | None:
    """Return the name of what every plane is."""
    for name, one in known.items():
        rows = np.atleast_2d(one)
        if rows.shape == planes.shape[1:] and (planes == rows).all():
            return name
    return None
