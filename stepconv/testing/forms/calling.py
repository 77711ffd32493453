"""The values of one call: what each parameter gets, and the arrays that they refer to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.calls import Call
from stepconv.testing.forms.letters import spatial
from stepconv.testing.forms.slots import Slot, Slots, is_padding_word, word_for
from stepconv.testing.tasks import TASKS

if TYPE_CHECKING:
    from stepconv.testing.forms.reading import Reading

Array = NDArray[Any]
Recipe = dict[str, Any]

_WEIGHTS = ("weight", "weights", "W", "w", "kernel", "kernels", "filters", "K", "filter")
_BIASES = ("bias", "biases", "b", "B")
# What a default says for sure of how sizes are spelt.
_SPELT = ("pair", "number", "pairs")
# What a pool's kind is called.
_WORDS_OF_KIND = {"max-pool": ("max",), "avg-pool": ("avg", "average", "mean")}


class Work:
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
            operand = slot.role in (*self.laid, "x", "w", "grad_out", "cache", "dict", "out")
            if slot.by_name or keywords or not (operand or slot.default is None):
                keywords[slot.parameter] = self.value(slot)
            else:
                positional.append(self.value(slot))
        return {
            "do": "call",
            "what": what,
            "positional": positional,
            "keywords": keywords,
            "out": self.out,
        }

    @property
    def out(self) -> int | None:
        """Which array is the result where a function returns none: what it is told to fill."""
        filled = "w" if TASKS[self.reading.op].in_place else "out"
        return self.places.index(filled) if filled in self.places else None

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
        if role in (*self.laid, "x", "w", "bias", "grad_out"):
            return self.array(role)
        if TASKS[self.reading.op].axes and role != "cache":
            return {"value": self._setting(role, slot)}
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
            planes = w.shape[:2] if w.ndim > 2 else (1, 1)
            return {"value": planes[1] * groups if role == "channels_in" else planes[0]}
        return self._number(role, slot)

    def _setting(self, role: str, slot: Slot) -> Any:
        """Return a number that an optimiser, or another part of a training, goes by."""
        options, usual = self.given.options, TASKS[self.reading.op].defaults
        match role:
            case "keep":
                return 1 - options["rate"]
            case "rate" if slot.parameter == "dropout_param":
                return 1 - options["rate"]  # CS231n's p is what is kept
            case "train":
                return True
            case "mode":
                return "train"
            case "t" if slot.role == "dict":
                return options["t"] - 1  # steps that were made: it counts this one itself
        return options.get(role, usual.get(role))

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
        spelling = slot.spelt if slot.spelt in _SPELT else self.reading.loose
        if spelling == "pair" and not isinstance(value, tuple):
            value = (value,) * self._axes()
        if spelling == "sides":  # as PyTorch's pad has them: the last axis first
            sides = [side for pair in reversed(self._pairs(value)) for side in pair]
            return {"tuple": [{"value": side} for side in sides]}
        if spelling == "pairs":
            pairs = [[{"value": side} for side in pair] for pair in self._pairs(value)]
            return {"tuple": [{"tuple": pair} for pair in pairs]}
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

    def _pairs(self, padding: Any) -> list[tuple[int, int]]:
        """Return what is put before and behind each axis."""
        axes = padding if isinstance(padding, tuple) else (padding,) * self._axes()
        return [axis if isinstance(axis, tuple) else (axis, axis) for axis in axes]

    def _both(self, name: str) -> tuple[Any, ...]:
        value = self._given(name)
        return value if isinstance(value, tuple) else (value,) * max(2, self._axes())

    def _axes(self) -> int:
        return len(spatial(self.reading.form.x))

    def _padding(self, slot: Slot) -> Recipe:
        padding = self.given.options.get("padding", 0)
        if isinstance(padding, str) or not padding:
            word = padding or "valid"
            return {"value": word.upper() if str(slot.default).isupper() else word}
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
