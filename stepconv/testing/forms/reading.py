"""One way to call a function: our calls turned into its own, and its answers back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.calls import Call
from stepconv.testing.forms.courses import Form
from stepconv.testing.forms.letters import in_python, spatial, spelt, turned, turned_back
from stepconv.testing.forms.slots import Slot, Slots, is_padding_word, word_for
from stepconv.testing.guest.host import Answer
from stepconv.testing.tasks import TASKS

Array = NDArray[Any]
Recipe = dict[str, Any]

_WEIGHTS = ("weight", "weights", "W", "w", "kernel", "kernels", "filters", "K", "filter")
_BIASES = ("bias", "biases", "b", "B")
_GRAD_W = (
    *("dW", "dw", "dLdW", "grad_weight", "weight_grad", "grad_w", "weight.grad", "dweight", "dK"),
    *("grad_W", "dweights", "W_grad", "kernel_grad", "grad_kernel", "dfilters", "d_w"),
)
_GRAD_B = (
    *("db", "dLdb", "grad_bias", "bias_grad", "grad_b", "bias.grad", "dbias", "dB", "b_grad"),
    "dbiases",
)
# By what a function reads and writes, in our own order.
_WORDS_OF_KIND = {"max-pool": ("max",), "avg-pool": ("avg", "average", "mean")}


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
        if (self.form.square or self._spelt("window") == "number") and len(set(window)) > 1:
            return False
        return all(self._may(name, value) for name, value in options.items())

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
        if isinstance(value, tuple):
            return (self._spelt(name) == "pair" or self._slot(f"{name}_rows") is not None) and (
                all(isinstance(each, int) for each in value)
            )
        return True

    def _knows_mode(self, value: str, slot: Slot | None) -> bool:
        word = word_for(value, slot) if slot else value
        borders = self.words & {"reflect", "replicate", "edge", "circular", "wrap"}
        return word in self.words or not borders

    def _padding_word(self) -> bool:
        return is_padding_word(self._slot("padding")) or is_padding_word(self._slot("mode"))

    def _default(self) -> Any:
        found = [s.default for s in (self._slot("padding"), self._slot("mode")) if s]
        return next((default for default in found if isinstance(default, str)), None)

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
            laid[name] = turned(array, self._ours(name), self._theirs(name))
        if "bias" not in laid and ("bias" in self.options or self._slot("bias")):
            filters = self._filters(call)
            ours = np.zeros(filters if "O" in self._ours("bias") else (), np.int64)
            laid["bias"] = turned(ours, self._ours("bias"), self._theirs("bias"))
        return laid

    def _filters(self, call: Call) -> int:
        w = call.arrays["w"]
        if self.op == "transpose":
            return int(w.shape[1]) * int(call.options.get("groups", 1)) if w.ndim > 2 else 1
        return int(w.shape[0]) if w.ndim > 2 else 1

    def _ours(self, name: str) -> str:
        plane = "L" if self.rank % 2 else "HW"
        if self.rank < 3:
            return "" if name in ("bias", "grad_bias") else plane
        planes = "IO" if self.op == "transpose" else "OI"
        known = {"w": planes, "grad_w": planes, "bias": "O", "grad_bias": "O"}
        return (
            known[name] + (plane if name.endswith("w") else "") if name in known else "NC" + plane
        )

    def _theirs(self, name: str) -> str:
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
        work = _Work(self, call, shapes[0], layout)
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
        recipe["out"] = work.places.index("out") if "out" in work.places else None
        return recipe | {"steps": steps}, work.arrays, work.places

    # Its answer as our own.

    def answers(self, answer: Answer, shapes: tuple[tuple[int, ...], ...]) -> tuple[Array, ...]:
        """Return the results in our layout; those of too few or many axes stay as they are."""
        back = []
        for name, got, shape in zip(TASKS[self.op].results, answer.results, shapes, strict=False):
            if (name == "grad_bias" and got.size == np.prod(shape)) or (
                self.slots.get("out_shape") and got.size == np.prod(shape)
            ):
                got = got.reshape(shape)
            elif name != "grad_bias":
                got = turned_back(got, self._theirs(name), self._ours(name))
            back.append(got)
        return tuple(back)

    def in_python(self, name: str) -> str:
        """Return the Python that turns an array of ours into the function's own layout."""
        return in_python(name, self._ours(name), self._theirs(name)) if name != "out" else name

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
            if slot.role in ("x", "w", "bias", "grad_out") and slot.spelt != "flag":
                told.append(f"{slot.parameter} {spelt(self._theirs(slot.role))}")
            elif slot.role == "dict":
                keys = ", ".join(repr(key) for key, _ in slot.keys)
                told.append(f"{slot.parameter} = {{{keys}}}")
            else:
                told.append(slot.parameter)
        back = " -> (out, cache)" if several and len(TASKS[self.op].results) == 1 else ""
        always = ", ".join(f"{name} {value!r}" for name, value in self.form.fixed.items())
        return ", ".join(told) + back + (f", always {always}" if always else "")


class _Work:
    """The values of one call, and the arrays that they refer to."""

    def __init__(
        self, reading: Reading, call: Call, shape: tuple[int, ...], layout: str | None
    ) -> None:
        self.reading, self.given, self.layout = reading, call, layout
        self.laid = reading.arrays(call)
        self.shape = shape
        self.arrays: list[Array] = []
        self.places: list[str] = []

    def layer(self, init: Slots) -> list[Recipe]:
        """Return the steps that make a layer and give it our weights."""
        steps = [self.call("target", init) | {"as": "layer"}]
        if "w" in self.laid and not (init.get("w") or self.reading.slots.get("w")):
            build = self.call(self.reading.what, self.reading.slots)
            weight = {"do": "set", "on": "layer", "names": list(_WEIGHTS), "as": "weight"}
            steps.append(weight | {"value": self.array("w"), "build": build})
            if "bias" in self.laid:
                bias = {"do": "set", "on": "layer", "names": list(_BIASES), "as": "bias"}
                steps.append(bias | {"value": self.array("bias"), "optional": True})
        return steps

    def call(self, what: str, slots: Slots) -> Recipe:
        """Return a call with every parameter that is understood."""
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for slot in slots.every:
            # An operand comes by its place, which no decorator can hide; an option by its name.
            operand = slot.role in ("x", "w", "grad_out", "cache", "dict", "out")
            if slot.by_name or keywords or not (operand or slot.default is None):
                keywords[slot.parameter] = self.value(slot)
            else:
                positional.append(self.value(slot))
        out = self.places.index("out") if "out" in self.places else None
        return {
            "do": "call",
            "what": what,
            "positional": positional,
            "keywords": keywords,
            "out": out,
        }

    def array(self, role: str) -> Recipe:
        """Return a reference to an array of the call."""
        if role not in self.places:
            array = self.laid[role]
            if self.reading.slots.get("out_shape"):
                array = array.ravel()
            self.places.append(role)
            self.arrays.append(np.asarray(array))
        told: Recipe = {"array": self.places.index(role)}
        return told | ({"layout": self.layout} if self.layout and role in ("x", "grad_out") else {})

    def value(self, slot: Slot) -> Recipe:
        """Return what a parameter gets."""
        if slot.role == "dict":
            return {"dict": {key: self.of(role, slot) for key, role in slot.keys}}
        return self.of(slot.role, slot)

    def of(self, role: str, slot: Slot) -> Recipe:
        """Return what a parameter, or a key of an option dict, gets."""
        options = self.given.options
        if role == "bias" and slot.spelt == "flag":
            return {"value": True}
        if role in ("x", "w", "bias", "grad_out"):
            return self.array(role)
        if role == "out":
            self.laid["out"] = np.zeros(self.reading.out_shape(self.shape))
            return self.array("out")
        if role == "cache":
            return {"known": "cache"}
        if role == "identity":
            return {"identity": True}
        if role.endswith(("_shape", "_strides", "_size")) and role != "kernel_size":
            return self._storage(role)
        if role == "kind":
            return {"value": self._kind(slot)}
        if role == "mode" and not is_padding_word(slot):
            return {"value": word_for(options.get("mode", "zeros"), slot)}
        if role in ("padding", "mode") and (is_padding_word(slot) or slot.spelt == "word"):
            return self._padding(slot)
        plain = {"value": 0.0, "ceil_mode": False, "count_include_pad": False, "groups": 1}
        plain |= {"reverse": False, "ddepth": -1, "slope": 0.01}
        if role in plain:
            return {"value": options.get(role, plain[role])}
        if role in ("channels_in", "channels_out"):
            w, groups = self.given.arrays["w"], options.get("groups", 1)
            return {"value": int(w.shape[1]) * groups if role == "channels_in" else len(w)}
        return self._number(role, slot)

    def _number(self, role: str, slot: Slot) -> Recipe:
        """Return sizes: an int, a pair, or one of a pair's two."""
        side, _, axis = role.rpartition("_")
        if axis in ("rows", "columns"):
            before = side in ("before", "after")
            name = "padding" if before else side
            both = self._both(name)[("rows", "columns").index(axis) - 2 :]
            found = both[0]
            if isinstance(found, tuple):
                return {"value": found[side == "after"]}
            return {"value": found}
        value = self._given(role)
        spelling = slot.spelt if slot.spelt in ("pair", "number") else self.reading.loose
        if spelling == "pair" and not isinstance(value, tuple):
            value = (value,) * self._axes()
        if isinstance(value, tuple):
            if spelling != "pair" and len(set(value)) == 1:
                return {"value": value[0]}
            return {"tuple": [{"value": each} for each in value]}
        return {"value": value}

    def _given(self, role: str) -> Any:
        options = self.given.options
        if role in ("window", "kernel_size") and "window" not in options:
            return self.given.arrays["w"].shape[-self._axes() :]
        usual = {"stride": options.get("window", 1), "padding": 0, "output_padding": 0}
        return options.get(role, usual.get(role, 1))

    def _both(self, name: str) -> tuple[Any, ...]:
        value = self._given(name)
        return value if isinstance(value, tuple) else (value,) * max(2, self._axes())

    def _axes(self) -> int:
        return len(spatial(self.reading.form.x))

    def _padding(self, slot: Slot) -> Recipe:
        padding = self.given.options.get("padding", 0)
        if isinstance(padding, str):
            return {"value": padding}
        if not padding:
            return {"value": "valid"}
        sides = padding if isinstance(padding, tuple) else (padding,) * self._axes()
        return {"tuple": [{"value": side} for side in sides]}

    def _kind(self, slot: Slot) -> str:
        wanted = _WORDS_OF_KIND[self.reading.op.removesuffix("-backward")]
        if slot.default in wanted:
            return str(slot.default)
        return next((word for word in wanted if word in self.reading.words), wanted[0])

    def _storage(self, role: str) -> Recipe:
        name, _, what = role.rpartition("_")
        shape = self.reading.out_shape(self.shape) if name == "out" else self.laid[name].shape
        if what == "size":
            return {"value": int(np.prod(shape))}
        if what == "strides":
            shape = tuple(int(np.prod(shape[axis + 1 :])) for axis in range(len(shape)))
        return {"tuple": [{"value": int(side)} for side in shape]}
