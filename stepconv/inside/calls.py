"""A layer as a call of the engine: what it makes of x, the gradients of that, and its record.

Here x is a batch, (n, channels, rows, columns) or (n, features); a record is of one picture of it.
Networks are looked into after their training: dropout hands on what it gets, and a batch-norm goes
by the mean and variance that it remembers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from stepconv import ops
from stepconv.errors import ArgumentError
from stepconv.geometry import Plan
from stepconv.nn import layers
from stepconv.nn.model import Place
from stepconv.nn.own import OwnLayer
from stepconv.ops import sliding
from stepconv.trace import About, Trace, record

Array = NDArray[Any]
Arrays = Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class LayerCall:
    """A layer that hands on what it gets; the parent of all others.

    `arrays` are what it has learnt and remembers, by the names within the layer.
    """

    place: Place
    arrays: Arrays
    backend: str | None = None
    # The arguments whose gradients can be recorded, and the operation that is.
    gradients: ClassVar[tuple[str, ...]] = ()
    function: ClassVar[Callable[..., Any]] = staticmethod(ops.pad)

    @property
    def layer(self) -> Any:
        """The layer's description."""
        return self.place.layer

    def forward(self, x: Array) -> Array:
        """Return what the layer makes of x."""
        return x.reshape(len(x), *self.place.output)

    def for_x(self, x: Array, grad: Array) -> Array:
        """Return the gradient for x, given that for what the layer makes of it."""
        return grad.reshape(x.shape)

    def for_parameters(self, x: Array, grad: Array) -> dict[str, Array]:
        """Return the gradients of what the layer learns."""
        return {}

    def arguments(self, x: Array, gradient: str | None) -> dict[str, Any]:
        """Return how one picture's call is spelled, or that whose gradient is asked for."""
        return {"x": x.reshape(self.place.output), "padding": 0}

    def trace(
        self, x: Array, title: str, gradient: str | None = None, grad: Array | None = None
    ) -> Trace:
        """Record the call on one picture's x, or the gradient for one argument, given the output's.

        A record's cells are those of the layer, in the same order.
        """
        about: dict[str, Any] = {
            "about": About(f"{title} · {self.place.name}"),
            "backend": self.backend,
        }
        if gradient is None:
            return record(self.function, **self.arguments(x, None), **about)
        if gradient not in self.gradients:
            kind, fit = self.layer.kind, " and ".join(map(repr, self.gradients)) or "none"
            raise ArgumentError(
                f"gradient={gradient!r} does not fit: of a {kind} {fit} is recorded"
            )
        assert grad is not None  # goes with a gradient
        arguments = self.arguments(x, gradient)
        arguments.pop("bias", None)  # a gradient does not depend on it
        arguments["grad_out"] = grad.reshape(self.place.output + (1,) * self._thin)
        return record(self._backward, **arguments, gradient=gradient, **about)

    @property
    def _backward(self) -> Callable[..., Any]:
        backward: Callable[..., Any] = getattr(ops, f"{self.function.__name__}_backward")
        return backward

    @property
    def _thin(self) -> int:
        """Axes of one cell that the recorded result has behind those of the layer's."""
        return 0


class ConvCall(LayerCall):
    """Windows of all channels times weights."""

    gradients = ("x", "w", "bias")
    function = staticmethod(ops.correlate)

    @cached_property
    def plan(self) -> Plan:
        """How the window slides."""
        plan = self.place.plan
        assert plan is not None  # a conv has a window
        return plan

    def forward(self, x: Array) -> Array:
        shape = (len(x), *self.place.output)
        bias = self.arrays.get("bias")
        return sliding.slide(x, self.arrays["weight"], bias, shape, self.plan, self.backend)

    def for_x(self, x: Array, grad: Array) -> Array:
        w = self.arrays["weight"]
        return sliding.slide_back(grad, w, None, x.shape, self.plan, self.backend)

    def for_parameters(self, x: Array, grad: Array) -> dict[str, Array]:
        shape = self.arrays["weight"].shape
        found = {"weight": sliding.weigh(x, grad, shape, self.plan, self.backend)}
        if "bias" in self.arrays:
            found["bias"] = sliding.sum_channels(grad, shape[:1], self.backend)
        return found

    def arguments(self, x: Array, gradient: str | None) -> dict[str, Any]:
        given = {"x": x, "w": self.arrays["weight"], "bias": self.arrays.get("bias")}
        return {**given, **self.layer.options}


class DenseCall(LayerCall):
    """Recorded as windows as long as the row, one for each output."""

    gradients = ("x", "w", "bias")
    function = staticmethod(ops.correlate)

    @property
    def _thin(self) -> int:
        return 1

    def forward(self, x: Array) -> Array:
        out: Array = x @ self.arrays["weight"].T
        return out + self.arrays["bias"] if "bias" in self.arrays else out

    def for_x(self, x: Array, grad: Array) -> Array:
        return np.asarray(grad @ self.arrays["weight"])

    def for_parameters(self, x: Array, grad: Array) -> dict[str, Array]:
        found = {"weight": grad.T @ x}
        return found | ({"bias": grad.sum(axis=0)} if "bias" in self.arrays else {})

    def arguments(self, x: Array, gradient: str | None) -> dict[str, Any]:
        return {
            "x": x[None],
            "w": self.arrays["weight"][:, None],
            "bias": self.arrays.get("bias"),
        }


class BatchNormCall(LayerCall):
    """scale · (x - mean) / sqrt(variance + ε) + shift: of each channel one weight and one bias.

    It is recorded as x · (scale / spread) + (shift - mean · scale / spread); the gradients of scale
    and shift as those of scale · n + shift with n = (x - mean) / spread.
    """

    gradients = ("x", "w", "bias")
    function = staticmethod(ops.correlate)

    @property
    def _thin(self) -> int:
        return 0 if len(self.place.input) == 3 else 1

    @cached_property
    def _spread(self) -> Array:
        return np.asarray(np.sqrt(self.arrays["running_var"] + self.layer.epsilon))

    @cached_property
    def _factor(self) -> Array:
        factor = self.arrays["weight"] / self._spread
        return np.asarray(factor.astype(self.arrays["weight"].dtype))

    @cached_property
    def _offset(self) -> Array:
        return np.asarray(self.arrays["bias"] - self.arrays["running_mean"] * self._factor)

    def forward(self, x: Array) -> Array:
        return np.asarray(x * self._wide(self._factor) + self._wide(self._offset))

    def for_x(self, x: Array, grad: Array) -> Array:
        return grad * self._wide(self._factor)

    def for_parameters(self, x: Array, grad: Array) -> dict[str, Array]:
        axes = (0, *range(2, x.ndim))
        return {
            "weight": (grad * self._normal(x)).sum(axis=axes),
            "bias": grad.sum(axis=axes),
        }

    def arguments(self, x: Array, gradient: str | None) -> dict[str, Any]:
        scale, shift = self._factor, self._offset
        if gradient in ("w", "bias"):
            x, scale, shift = self._normal(x[None])[0], self.arrays["weight"], self.arrays["bias"]
        x = x if x.ndim == 3 else x[:, None]
        w = scale.reshape(-1, *(1,) * (x.ndim - 1), 1)
        return {"x": x, "w": w, "bias": shift, "groups": len(scale)}

    def _normal(self, x: Array) -> Array:
        n = (x - self._wide(self.arrays["running_mean"])) / self._wide(self._spread)
        return np.asarray(n.astype(x.dtype))

    def _wide(self, numbers: Array) -> Array:
        """Return a number for each channel so that it meets all cells of it."""
        return numbers.reshape(-1, *(1,) * (len(self.place.input) - 1))


class PoolCall(LayerCall):
    """One number for each window."""

    gradients = ("x",)

    def forward(self, x: Array) -> Array:
        out: Array = self.function(**self._spelled(x), backend=self.backend)
        return out.reshape(len(x), *self.place.output)

    def for_x(self, x: Array, grad: Array) -> Array:
        grad = grad.reshape(grad.shape + (1,) * self._thin)
        return np.asarray(self._backward(grad_out=grad, backend=self.backend, **self._spelled(x)))

    def arguments(self, x: Array, gradient: str | None) -> dict[str, Any]:
        return self._spelled(x)

    def _spelled(self, x: Array) -> dict[str, Any]:
        return {"x": x, "window": self.layer.window, **self.layer.options}


class MaxPoolCall(PoolCall):
    """The largest number of each window."""

    function = staticmethod(ops.max_pool)


class AvgPoolCall(PoolCall):
    """The mean of each window."""

    function = staticmethod(ops.avg_pool)


class GlobalAvgPoolCall(AvgPoolCall):
    """The mean of each channel."""

    @property
    def _thin(self) -> int:
        return 2

    def _spelled(self, x: Array) -> dict[str, Any]:
        return {"x": x, "window": x.shape[-2:]}


class CellCall(LayerCall):
    """A function of each number alone."""

    gradients = ("x",)

    def forward(self, x: Array) -> Array:
        return np.asarray(self.function(**self.arguments(x, None), backend=self.backend))

    def for_x(self, x: Array, grad: Array) -> Array:
        arguments = self.arguments(x, "x")
        return np.asarray(self._backward(grad_out=grad, backend=self.backend, **arguments))

    def arguments(self, x: Array, gradient: str | None) -> dict[str, Any]:
        return {"x": x}


class ReLUCall(CellCall):
    """Keeps what is positive."""

    function = staticmethod(ops.relu)


class LeakyReLUCall(CellCall):
    """Keeps what is positive, and of the rest a share."""

    function = staticmethod(ops.leaky_relu)

    def arguments(self, x: Array, gradient: str | None) -> dict[str, Any]:
        return {"x": x, "slope": self.layer.slope}


class TanhCall(CellCall):
    """Bends numbers into -1 to 1."""

    function = staticmethod(ops.tanh)


class SigmoidCall(CellCall):
    """Bends numbers into 0 to 1."""

    function = staticmethod(ops.sigmoid)


class SoftmaxCall(CellCall):
    """Turns answers into shares of 1; no layer of a model, for its loss does it."""

    function = staticmethod(ops.softmax)


class OwnCall(LayerCall):
    """A layer that somebody wrote in NumPy: the engine computes none of it, and records none."""

    def forward(self, x: Array) -> Array:
        return np.asarray(self.layer.output_of(x, self._learnt))

    def for_x(self, x: Array, grad: Array) -> Array:
        return np.asarray(self._gradients(x, grad)[0])

    def for_parameters(self, x: Array, grad: Array) -> dict[str, Array]:
        return self._gradients(x, grad)[1]

    def arguments(self, x: Array, gradient: str | None) -> dict[str, Any]:
        raise ArgumentError(
            f"layer {self.place.name} is one of your own: NumPy computes it, there is no record"
        )

    @property
    def _learnt(self) -> list[Array]:
        return [self.arrays[name] for name in self.layer.parameters(self.place.input)]

    def _gradients(self, x: Array, grad: Array) -> tuple[Array, dict[str, Array]]:
        found: tuple[Array, dict[str, Array]] = self.layer.gradients(
            self.place.input, x, self._learnt, grad
        )
        return found


CALLS: dict[type[layers.Layer], type[LayerCall]] = {
    layers.Conv: ConvCall,
    layers.Dense: DenseCall,
    layers.MaxPool: MaxPoolCall,
    layers.AvgPool: AvgPoolCall,
    layers.GlobalAvgPool: GlobalAvgPoolCall,
    layers.ReLU: ReLUCall,
    layers.LeakyReLU: LeakyReLUCall,
    layers.Tanh: TanhCall,
    layers.Sigmoid: SigmoidCall,
    layers.Flatten: LayerCall,
    layers.Dropout: LayerCall,
    layers.BatchNorm: BatchNormCall,
}


def call_of(layer: layers.Layer) -> type[LayerCall] | None:
    """Return which call of the engine a layer is; None for a block, which is several."""
    return OwnCall if isinstance(layer, OwnLayer) else CALLS.get(type(layer))


def joined(layer: layers.Layer, parts: list[Array]) -> Array:
    """Return what a block makes of the ends of its stacks."""
    if isinstance(layer, layers.Concat):
        return np.concatenate(parts, axis=1)
    return np.asarray(parts[0] + parts[1])


def parted(layer: layers.Layer, channels: list[int], value: Array, axis: int = 1) -> list[Array]:
    """Return what of a block's output, or of its gradient, belongs to each of its stacks."""
    if isinstance(layer, layers.Concat):
        ends = np.cumsum(channels)[:-1]
        return [np.ascontiguousarray(part) for part in np.split(value, ends, axis)]
    return [value] * len(channels)


def join_trace(layer: layers.Layer, parts: list[Array], about: Any, backend: str | None) -> Trace:
    """Record how a block joins one picture's ends of its stacks.

    Of more than two that are put behind each other, it is the last that is recorded.
    """
    if not isinstance(layer, layers.Concat):
        return record(ops.add, *parts, about=about, backend=backend)
    if len(parts) == 1:
        return record(ops.pad, parts[0], 0, about=about, backend=backend)
    wide = [part if part.ndim == 3 else part[:, None, None] for part in parts]
    return record(ops.concat, np.concatenate(wide[:-1]), wide[-1], about=about, backend=backend)
