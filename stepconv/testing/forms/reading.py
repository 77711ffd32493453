"""One way to call a function: our calls turned into its own, and its answers back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing import formulas
from stepconv.testing.calls import Call
from stepconv.testing.forms.courses import Form
from stepconv.testing.forms.letters import in_python, spatial, spelt, turned, turned_back
from stepconv.testing.forms.slots import Slot, Slots, is_padding_word, word_for
from stepconv.testing.guest.host import Answer
from stepconv.testing.tasks import TASKS

Array = NDArray[Any]
Recipe = dict[str, Any]

_GRAD_W = (
    *("dW", "dw", "dLdW", "grad_weight", "weight_grad", "grad_w", "weight.grad", "dweight", "dK"),
    *("grad_W", "dweights", "W_grad", "kernel_grad", "grad_kernel", "dfilters", "d_w"),
)
_GRAD_B = (
    *("db", "dLdb", "grad_bias", "bias_grad", "grad_b", "bias.grad", "dbias", "dB", "b_grad"),
    "dbiases",
)
# Spellings of a padding that say what is put before and what behind.
_EACH_SIDE = ("sides", "pairs")


@dataclass(frozen=True)
class Reading:
    """How a function is called: its layout, what each of its parameters gets, and how it is done.

    `slots` are of the function or of a layer's forward, `init` of the layer's class, `backward` of
    its way back, `forward` of the function that makes the cache for this one.
    """

    op: str
    form: Form
    rank: int
    slots: Slots
    bias: str
    loose: str = "loose"
    what: str = "target"
    init: Slots | None = None
    backward: Slots | None = None
    forward: tuple[str, Slots] | None = None
    words: frozenset[str] = field(default_factory=frozenset)
    attributes: frozenset[str] = field(default_factory=frozenset)

    # What may be asked.

    @property
    def options(self) -> frozenset[str]:
        """The options that are passed, by our names."""
        roles = self.slots.roles()
        for more in (self.init, self.forward[1] if self.forward else None):
            roles |= more.roles() if more else set()
        for axis in ("rows", "columns"):
            roles |= {n for n in ("stride", "padding") if f"{n}_{axis}" in roles}
        if self.init and "w" not in roles and "b" in {a[:1] for a in self.attributes}:
            roles.add("bias")
        if is_padding_word(self._slot("mode")):
            roles = (roles - {"mode"}) | {"padding"}
        return frozenset(roles & set(TASKS[self.op].options)) - set(self.form.fixed)

    @property
    def unknown(self) -> tuple[str, ...]:
        """The parameters that are not understood, and so not tested."""
        every = (self.init, self.slots, self.backward)
        return tuple(name for slots in every if slots for name in slots.unknown)

    def can(self, options: Mapping[str, Any], window: tuple[int, ...]) -> bool:
        """Tell whether it may be asked with these options, and a window of this size."""
        fixed = self.form.fixed
        same = "same" in (options.get("padding"), fixed.get("padding"))
        if (self.form.odd or same) and any(size % 2 == 0 for size in window):
            return False
        if same and options.get("stride", 1) != 1:
            return False
        if (self.form.square or self.takes_ints) and len(set(window)) > 1:
            return False
        return all(self._may(name, value) for name, value in options.items())

    @property
    def takes_ints(self) -> bool:
        """Whether a window is one int, so that it is square."""
        return "number" in (self._spelt("window"), self._spelt("kernel_size"))

    def needs_stride(self, options: Mapping[str, Any], window: tuple[int, ...]) -> bool:
        """Tell whether a stride that is one int has to be named: the window's sides are two."""
        return (
            "stride" in self.options
            and "stride" not in options
            and len(set(window)) > 1
            and self._spelt("stride") != "pair"
        )

    def _may(self, name: str, value: Any) -> bool:
        if name in self.form.fixed:
            return bool(value == self.form.fixed[name])
        if name not in self.options and name not in TASKS[self.op].positional:
            return False
        slot = self._slot(name) or self._slot("dict")
        if name == "padding" and isinstance(value, str):
            return self._padding_word() and (value in self.words or value == self._default())
        if name == "padding" and self._padding_word():
            return self.form.numbers
        if name == "mode":
            return self._knows_mode(value, slot)
        if isinstance(value, tuple) and isinstance(value[0], tuple):
            return self._slot("before_columns") is not None or self._spelt(name) in _EACH_SIDE
        if isinstance(value, tuple):
            return (
                self._spelt(name) in ("pair", *_EACH_SIDE) or self._slot(f"{name}_rows") is not None
            ) and (all(isinstance(each, int) for each in value))
        return True

    def _knows_mode(self, value: str, slot: Slot | None) -> bool:
        word = word_for(value, slot) if slot else value
        borders = self.words & {"reflect", "replicate", "edge", "circular", "wrap"}
        return word in self.words or not borders

    def _padding_word(self) -> bool:
        return is_padding_word(self._slot("padding")) or is_padding_word(self._slot("mode"))

    def _default(self) -> Any:
        found = [s.default for s in (self._slot("padding"), self._slot("mode")) if s]
        return next((default.lower() for default in found if isinstance(default, str)), None)

    def _slot(self, role: str) -> Slot | None:
        every = [s for s in (self.init, self.slots, self.forward and self.forward[1]) if s]
        return next((slot for s in every if (slot := s.get(role))), None)

    def _spelt(self, role: str) -> str:
        slot = self._slot(role)
        if slot is None:
            return self.loose if role == "window" and self._slot("dict") else "loose"
        return self.loose if slot.spelt in ("loose", "flag") else slot.spelt

    # Our call as its own.

    def fixed_in(self, call: Call) -> Call:
        """Return the call with the options that the function always has."""
        fixed = dict(self.form.fixed)
        if fixed.get("padding") == "behind":
            sides = call.arrays["w"].shape[-len(spatial(self.form.w)) :]
            fixed["padding"] = tuple((0, side - 1) for side in sides)
        return call.with_options(**fixed)

    def arrays(self, call: Call) -> dict[str, Array]:
        """Return the arrays of a call in the function's layout."""
        laid = {}
        for name, array in call.arrays.items():
            given: Array = array
            ours = self._ours(name)
            if self._in_ones(name):
                given, ours = np.eye(call.arrays["x"].shape[1])[array], "NK"
            elif name == "x" and self.form.probabilities:
                given = formulas.probabilities(array)
            laid[name] = turned(given, ours, self._theirs(name))
        offset = "beta" if "beta" in TASKS[self.op].axes else "bias"
        if offset not in laid and (offset in self.options or self._slot(offset)):
            # What adds nothing, for a function that cannot do without.
            zeros = np.zeros(self._filters(call) if self._ours(offset) else (), np.int64)
            laid[offset] = turned(zeros, self._ours(offset), self._theirs(offset))
        return laid

    def _in_ones(self, name: str) -> bool:
        """Tell whether labels come as rows of zeros with a one."""
        return name == "labels" and "K" in self._theirs(name)

    def _filters(self, call: Call) -> int:
        if TASKS[self.op].axes:
            return int(next(call.arrays[n] for n in ("w", "gamma") if n in call.arrays).shape[-1])
        w = call.arrays["w"]
        if self.op == "transpose":
            return int(w.shape[1]) * int(call.options.get("groups", 1)) if w.ndim > 2 else 1
        return int(w.shape[0]) if w.ndim > 2 else 1

    def _ours(self, name: str) -> str:
        if axes := TASKS[self.op].axes:
            return axes[name]
        plane = "L" if self.rank % 2 else "HW"
        if self.rank < 3:
            return "" if name in ("bias", "grad_bias") else plane
        planes = "IO" if self.op == "transpose" else "OI"
        known = {"w": planes, "grad_w": planes, "bias": "O", "grad_bias": "O"}
        return (
            known[name] + (plane if name.endswith("w") else "") if name in known else "NC" + plane
        )

    def _theirs(self, name: str) -> str:
        if axes := TASKS[self.op].axes:
            return self.form.axes.get(name, axes[name])
        if name in ("w", "grad_w"):
            theirs = self.form.w
            if self.op == "transpose":
                theirs = (
                    theirs.translate(str.maketrans("OI", "IO")) if theirs[:1] == "O" else theirs
                )
            return theirs
        known = {"x": self.form.x, "grad_x": self.form.x, "bias": self.bias}
        return known.get(name, self.form.out)

    def recipe(
        self, call: Call, shapes: tuple[tuple[int, ...], ...], layout: str | None
    ) -> tuple[Recipe, list[Array], list[str]]:
        """Return what the guest is to do, the arrays for it, and what they are to us."""
        from stepconv.testing.forms.calling import Work

        work = Work(self, call, shapes[0], layout)
        several = len(TASKS[self.op].results)
        steps: list[Recipe] = []
        if self.init is not None:
            steps += work.layer(self.init)
        if self.forward is not None:
            what, slots = self.forward
            usual = [work.value(slot) for slot in slots.every]
            made = {"tuple": usual} if len(usual) > 1 else usual[0]
            steps.append(work.call(what, slots) | {"do": "cache", "as": "cache", "usual": made})
        steps.append(work.call(self.what, self.slots) | {"as": "out"})
        recipe: Recipe = {"result": "out", "several": several > 1, "most": several}
        if self.backward is not None:
            steps.append(work.call("layer.backward", self.backward) | {"as": "back"})
            recipe["result"] = "back"
            if several > 1:
                recipe["attributes"] = [list(_GRAD_W), list(_GRAD_B)]
        recipe["out"] = work.out
        return recipe | {"steps": steps}, work.arrays, work.places

    # Its answer as our own.

    def answers(self, answer: Answer, shapes: tuple[tuple[int, ...], ...]) -> tuple[Array, ...]:
        """Return the results in our layout; those of too few or many axes stay as they are."""
        back = []
        for name, got, shape in zip(TASKS[self.op].results, answer.results, shapes, strict=False):
            if TASKS[self.op].axes:
                got = turned_back(got, self._theirs(name), self._ours(name))
            elif (name == "grad_bias" and got.size == np.prod(shape)) or (
                self.slots.get("out_shape") and got.size == np.prod(shape)
            ):
                got = got.reshape(shape)
            elif name != "grad_bias":
                got = turned_back(got, self._theirs(name), self._ours(name))
            back.append(got)
        return tuple(back)

    def in_python(self, name: str) -> str:
        """Return the Python that turns an array of ours into the function's own layout."""
        if name == "out":
            return name
        if self._in_ones(name):
            return in_python("np.eye(x.shape[1])[labels]", "NK", self._theirs(name))
        shares = name == "x" and self.form.probabilities
        source = "stepconv.testing.formulas.probabilities(x)" if shares else name
        laid = in_python(source, self._ours(name), self._theirs(name))
        return f"{laid}.ravel()" if self.slots.get("out_shape") else laid

    def back_in_python(self, name: str) -> str:
        """Return the Python that turns a result into our layout."""
        first = TASKS[self.op].results[0]
        return in_python(name, self._theirs(first), self._ours(first))

    def out_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of a result in the function's own layout."""
        return turned(np.empty(shape, bool), self._ours("result"), self.form.out).shape

    def says(self, several: bool) -> str:
        """Return the reading in words: what each parameter was taken for."""
        told = []
        for slot in (*(self.init.every if self.init else ()), *self.slots.every):
            operand = slot.role in (*TASKS[self.op].axes, "x", "w", "bias", "grad_out")
            if operand and slot.spelt != "flag":
                shares = slot.role == "x" and self.form.probabilities
                kind = " as probabilities" * shares + " as ones" * self._in_ones(slot.role)
                told.append(f"{slot.parameter} {spelt(self._theirs(slot.role))}{kind}")
            elif slot.role == "dict":
                keys = ", ".join(repr(key) for key, _ in slot.keys)
                told.append(f"{slot.parameter} = {{{keys}}}")
            else:
                told.append(slot.parameter)
        back = " -> (out, cache)" if several and len(TASKS[self.op].results) == 1 else ""
        always = ", ".join(f"{name} {value!r}" for name, value in self.form.fixed.items())
        return ", ".join(told) + back + (f", always {always}" if always else "")
