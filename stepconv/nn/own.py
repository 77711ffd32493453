"""Layers of one's own, in NumPy: what one makes of x, and what becomes of a gradient.

A network that has one is trained by nn/plain.py, with the public operations: slower, and open to
everything. Where it is first trained, its gradients are held against differences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError, ArgumentTypeError
from stepconv.geometry import Shape
from stepconv.nn.layers import LAYERS, Layer, Shapes, sizes
from stepconv.nn.loss import MOST_OFF
from stepconv.ops.differences import gradient_errors

Array = NDArray[Any]


@dataclass(frozen=True)
class OwnLayer(Layer):
    """The parent of layers that were registered; `forward` and `backward` are theirs."""

    forward: ClassVar[Callable[..., Any]]
    backward: ClassVar[Callable[..., Any]]
    learns: ClassVar[Callable[[Shape], Mapping[str, Shape]]]

    def parameters(self, shape: Shape) -> Shapes:
        return {name: tuple(one) for name, one in type(self).learns(shape).items()}

    def output(self, shape: Shape) -> Shape:
        learnt = [np.ones(one) for one in self.parameters(shape).values()]
        return self.output_of(np.zeros((1, *shape)), learnt).shape[1:]

    def output_of(self, x: Array, learnt: Sequence[Array]) -> Array:
        """Return what the layer makes of a batch, in the type of x."""
        try:
            out = np.asarray(type(self).forward(x, *learnt))
        except (TypeError, ValueError, IndexError) as error:
            given = " and ".join([sizes(x.shape), *(sizes(one.shape) for one in learnt)])
            raise ArgumentError(f"{self.kind}: forward does not take {given}: {error}") from None
        if out.ndim < 2 or len(out) != len(x):
            gives, given = sizes(out.shape) or "a number", sizes(x.shape)
            raise ArgumentError(
                f"{self.kind}: forward gives {gives} for {given}: one for each of {len(x)} fits"
            )
        return np.ascontiguousarray(out, x.dtype)

    def gradients(
        self, shape: Shape, x: Array, learnt: Sequence[Array], grad: Array
    ) -> tuple[Array, dict[str, Array]]:
        """Return the gradient for x, and those for what the layer learns, by name."""
        found = type(self).backward(x, *learnt, grad)
        for_x, *others = found if isinstance(found, tuple) else (found,)
        names = self.parameters(shape)
        if len(others) != len(names):
            raise ArgumentError(
                f"{self.kind}: backward gives {1 + len(others)} gradients: "
                f"{1 + len(names)} fit, for {', '.join(['x', *names])}"
            )
        given = {"x": x.shape, **names}
        for name, one in zip(given, (for_x, *others), strict=True):
            if np.shape(one) != given[name]:
                raise ArgumentError(
                    f"{self.kind}: backward gives a gradient for {name} of "
                    f"{sizes(np.shape(one)) or 'a number'}: {sizes(given[name])} fits"
                )
        every = [np.ascontiguousarray(one, x.dtype) for one in (for_x, *others)]
        return every[0], dict(zip(names, every[1:], strict=True))

    def check_gradients(self, name: str, shape: Shape) -> None:
        """Refuse a backward that is not the slope of its forward."""
        draw = np.random.default_rng(0)
        learnt = [draw.standard_normal(one) for one in self.parameters(shape).values()]
        x = draw.standard_normal((2, *shape))

        def backward(x: Array, *given: Array) -> tuple[Array, ...]:
            for_x, others = self.gradients(shape, x, given[:-1], given[-1])
            return (for_x, *others.values())

        errors = gradient_errors(lambda x, *given: self.output_of(x, given), backward, x, *learnt)
        for what, off in zip(["x", *self.parameters(shape)], errors, strict=True):
            if not off < MOST_OFF:
                raise ArgumentError(
                    f"layer {name}: backward's gradient for {what} is not the slope of forward, "
                    f"off by {off:.2g} of it"
                )


def register(
    kind: str,
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    parameters: Callable[[Shape], Mapping[str, Shape]] | None = None,
) -> type[OwnLayer]:
    """Return a kind of layer of one's own, which networks and their files know from now on.

    `forward(x, *learnt)` gives y for a batch x, (n, channels, rows, columns) or (n, features), and
    `backward(x, *learnt, grad_y)` the gradient for x and for each of what is learnt. `parameters`
    says for the shape of one input what that is: names, `weight` and `bias` for example, and their
    shapes. Weights of one axis begin at 1, biases at 0, others are drawn by chance.

    >>> Square = register("square", lambda x: x**2, lambda x, grad: 2 * x * grad)
    >>> Square(), Square().output((3, 4, 4))
    (Square(), (3, 4, 4))
    """
    if not isinstance(kind, str) or not kind.replace("-", "").replace("_", "").isalnum():
        raise ArgumentTypeError(f"kind={kind!r} is no name of a layer: one such as 'swish' fits")
    known = LAYERS.get(kind)
    if known is not None and not issubclass(known, OwnLayer):
        raise ArgumentError(f"kind={kind!r} is a layer already: another name fits")
    for name, function in (("forward", forward), ("backward", backward)):
        if not callable(function):
            raise ArgumentTypeError(f"{name}={function!r} is no function")
    name = "".join(part.capitalize() for part in kind.replace("_", "-").split("-"))
    own = {
        "kind": kind,
        "forward": staticmethod(forward),
        "backward": staticmethod(backward),
        "learns": staticmethod(parameters or (lambda shape: {})),
        "__doc__": forward.__doc__,
    }
    made: type[OwnLayer] = dataclass(frozen=True)(type(name, (OwnLayer,), own))
    LAYERS[kind] = made
    return made
