"""Inside: a network with one picture in it, every number of it open to look at.

Nothing is computed before it is asked for: the layers' outputs are one pass forward, the gradients
one pass back, and a layer's windows are recorded when its trace is looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.geometry import Plan, integer, is_sequence
from stepconv.inside.calls import LayerCall, SoftmaxCall, join_trace
from stepconv.inside.field import Field
from stepconv.inside.graph import Node
from stepconv.inside.network import Network
from stepconv.nn.layers import Layer, sizes
from stepconv.nn.loss import Loss, function_of
from stepconv.nn.model import Place
from stepconv.trace import About, Chain, Step, Trace

if TYPE_CHECKING:
    from stepconv.inside.chained import Chained
    from stepconv.inside.learning import Gradients, Update
    from stepconv.inside.patches import Excited

Array = NDArray[Any]

# What turns answers into probabilities: looked into like a layer, though no model names it.
SOFTMAX = "softmax"


@dataclass(frozen=True, eq=False)
class Looked:
    """How a network was asked: what it calls its classes, and by which loss it learnt."""

    classes: tuple[str, ...]
    loss: str | Loss = "cross-entropy"


class Inside:
    """A network looked into with one picture: `look_inside` makes it.

    >>> import numpy as np
    >>> from stepconv import look_inside, nn
    >>> model = nn.build("mlp")
    >>> picture = np.ones((28, 28), np.float32)
    >>> inside = look_inside(model, picture, parameters=nn.initial_parameters(model, 0))
    >>> inside.layers[:3], inside["dense1"].output.shape
    (['flatten1', 'dense1', 'relu1'], (256,))
    """

    def __init__(
        self, network: Network, picture: Array, numbers: Array, label: int | None, how: Looked
    ) -> None:
        self.network, self.model = network, network.model
        self.picture, self.input = picture, numbers
        self.label, self.how = label, how
        self._looks: dict[str, LayerInside] = {}

    @property
    def layers(self) -> list[str]:
        """The names of all layers in the order of the forward pass; inner ones come first."""
        return list(self.network.graph.nodes)

    @property
    def classes(self) -> tuple[str, ...]:
        """What the outputs of the network mean."""
        return self.how.classes

    @cached_property
    def values(self) -> Mapping[str, Array]:
        """The output of every layer by name, for a batch of one; "input" is the picture."""
        return self.network.forward(self.input[None])

    def __getitem__(self, name: str) -> LayerInside:
        """Return a layer, or with "softmax" what turns answers into probabilities."""
        if name not in self._looks:
            self.network.graph.check(name, others=[SOFTMAX])
            self._looks[name] = LayerInside(self, name)
        return self._looks[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.network.graph.nodes)

    def __len__(self) -> int:
        return len(self.network.graph.nodes)

    def at(self, name: str, index: Any) -> Step:
        """Return the step that computed a cell: of a layer's output, or of a weight's gradient.

        `inside.at("conv2", (3, 4, 5))` is the window under channel 3, row 4, column 5;
        `inside.at("conv2.weight", (3, 0, 1, 1))` is where that weight's gradient comes from.
        """
        if name in self.network.graph.parameter_shapes:
            return self.gradients.at(name, index)
        look = self[name]
        return step_at(look.trace(), look.shape, index, name)

    def field(self, name: str, index: Any) -> Field:
        """Return the pixels that can reach a cell of a layer's output, and what each counts for."""
        look = self[self.network.graph.check(name)]
        return Field(self.network, self.values, name, cell_of(look.shape, index, name))

    @property
    def logits(self) -> Array:
        """The answers: a number for each class."""
        return self[self.network.graph.last].output

    @property
    def probabilities(self) -> Array:
        """The answers as shares of 1; `inside["softmax"].trace()` has the exponentials."""
        return self[SOFTMAX].output

    @property
    def prediction(self) -> int:
        """The class of the largest answer."""
        return int(self.logits.argmax())

    @property
    def loss(self) -> float:
        """How wrong the answers are, given the label."""
        return self._judged[0]

    @cached_property
    def _judged(self) -> tuple[float, Array]:
        """The loss, and its gradient for the answers."""
        if self.label is None:
            raise ArgumentError(
                "label=None: a loss and its gradients need the right class, such as label=5"
            )
        loss, grad = function_of(self.how.loss)(self.logits[None], np.array([self.label]))
        return loss, grad.astype(self.network.dtype)

    @cached_property
    def grads(self) -> Mapping[str, Array]:
        """The gradients of the loss for all outputs, as `values` has them."""
        return self.network.backward(self.values, self.network.graph.last, self._judged[1])

    @cached_property
    def gradients(self) -> Gradients:
        """The gradients of the loss for all weights, by PyTorch's names."""
        from stepconv.inside.learning import Gradients

        return Gradients(self, {name: name for name in self.network.graph.parameter_shapes})

    def step(self, lr: float = 0.1) -> Update:
        """Return what one step of gradient descent makes of every weight: w - lr · g."""
        from stepconv.inside.learning import Update

        return Update(self, lr)

    @property
    def chain(self) -> Chain:
        """All layers recorded as one chain, the probabilities last; `links` says which is which."""
        return self._chained.chain

    @property
    def links(self) -> Mapping[str, int | None]:
        """The number of each layer's link in `chain`; None is the picture."""
        return self._chained.links

    @cached_property
    def _chained(self) -> Chained:
        from stepconv.inside.chained import chained

        return chained(self)

    def occlude(self, size: int = 4, stride: int = 1, value: float = 0.0) -> Array:
        """Return how far the class's probability falls for every place of a square patch.

        The class is the label, or what was told without one. The patch covers `size` by `size`
        pixels with `value`, a number as the network reads it: 0 is the mean pixel that it learnt.
        """
        from stepconv.inside.patches import occlude

        return occlude(self, size, stride, value)

    def most(self, name: str, channel: int, data: Any, n: int = 9) -> list[Excited]:
        """Return the n pictures, each with its place, that excite a channel of a layer most.

        `data` are pictures, or a data set, whose test pictures are taken.
        """
        from stepconv.inside.patches import most

        return most(self, name, channel, data, n)

    def with_picture(self, picture: Any, label: int | None = None) -> Inside:
        """Return the same network looked into with another picture."""
        from stepconv.inside.look import pictured

        return pictured(self.network, picture, label, self.how)

    def __repr__(self) -> str:
        from stepconv.inside.shown import line

        return f"<Inside of {line(self)}>"

    def __rich_console__(self, console: Any, options: Any) -> Any:
        from stepconv.inside.shown import table

        yield from (line.replace("[", "\\[") for line in table(self))  # no line is markup

    def _repr_html_(self) -> str:
        from stepconv.inside.shown import page

        return page(self)


@dataclass(frozen=True, eq=False, repr=False)
class LayerInside:
    """One layer with the picture in it: what came in, what went out, and its call recorded."""

    inside: Inside
    name: str

    @property
    def node(self) -> Node:
        """The layer in the network's graph."""
        return self.inside.network.graph.nodes[self.name]

    @cached_property
    def place(self) -> Place:
        """The layer's description, with the shapes that come in and go out."""
        if self.name == SOFTMAX:
            shape = (self.inside.model.classes,)
            return Place(SOFTMAX, Layer(), shape, shape)
        return self.node.place

    @property
    def kind(self) -> str:
        """What kind of layer it is, such as `conv`."""
        return SOFTMAX if self.name == SOFTMAX else self.place.layer.kind

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the output."""
        return self.place.output

    @property
    def plan(self) -> Plan | None:
        """How the layer's window slides over its input; None if it has none."""
        return self.place.plan

    @property
    def input(self) -> Array:
        """What came in."""
        return _kept(self.inside.values[self._source])

    @cached_property
    def output(self) -> Array:
        """What went out."""
        if self.name == SOFTMAX:
            return _kept(self._call.forward(self.inside.logits[None]))
        return _kept(self.inside.values[self.name])

    @property
    def grad(self) -> Array:
        """The gradient of the loss for the output."""
        self.inside.network.graph.check(self.name)
        return _kept(self.inside.grads[self.name])

    @property
    def parameters(self) -> dict[str, Array]:
        """What the layer has learnt: `weight` and `bias`, as far as it has them."""
        return {name: self.inside.network.parameters[full] for name, full in self._names.items()}

    @cached_property
    def gradients(self) -> Gradients:
        """The gradients of the loss for these; `at` gives each cell of them as a step."""
        from stepconv.inside.learning import Gradients

        return Gradients(self.inside, self._names)

    @cached_property
    def found(self) -> dict[str, Array]:
        """The gradients as arrays, for `Gradients`."""
        return self._call.for_parameters(self.input[None], self.grad[None])

    def trace(self, gradient: str | None = None) -> Trace:
        """Record the layer's call; with `gradient` "x", "w" or "bias" that on the way back.

        A record's cells are those of the output, or of the gradient, in the same order; those of a
        flat row may be a column there.
        """
        if gradient not in self._traces:
            self._traces[gradient] = self._recorded(gradient)
        return self._traces[gradient]

    def at(self, index: Any) -> Step:
        """Return the step that computed a cell of the output."""
        return self.inside.at(self.name, index)

    @cached_property
    def _traces(self) -> dict[str | None, Trace]:
        return {}

    def _recorded(self, gradient: str | None) -> Trace:
        title, network = self.inside.model.name, self.inside.network
        if self.place.layer.parts():
            if gradient is not None:
                raise ArgumentError(f"gradient={gradient!r}: a {self.kind} hands gradients on")
            ends = [self.inside.values[source][0] for source in self.node.reads]
            about = About(f"{title} · {self.name}")
            return join_trace(self.place.layer, ends, about, network.backend)
        grad = None if gradient is None else self.grad
        return self._call.trace(self.input, title, gradient, grad)

    def _repr_html_(self) -> str:
        from stepconv.inside.shown import maps

        return maps(self)

    @property
    def _call(self) -> LayerCall:
        network = self.inside.network
        if self.name == SOFTMAX:
            return SoftmaxCall(self.place, {}, network.backend)
        return network.calls[self.name]

    @property
    def _names(self) -> dict[str, str]:
        """The full name of each thing that the layer learns."""
        return {full.removeprefix(f"{self.name}."): full for full in self.place.parameters}

    @property
    def _source(self) -> str:
        """The name of what comes in."""
        return self.inside.network.graph.last if self.name == SOFTMAX else self.node.into

    def __repr__(self) -> str:
        sizes_ = f"{sizes(self.place.input)} to {sizes(self.shape)}"
        return f"<{self.name} of {self.inside.model.name}: {self.kind}, {sizes_}>"


def _kept(batch: Array) -> Array:
    """Return what a batch of one holds; the record keeps its numbers, so nobody may change them."""
    one: Array = batch[0]
    one.flags.writeable = False
    return one


def step_at(trace: Trace, shape: tuple[int, ...], index: Any, name: str) -> Step:
    """Return the step of a record for a cell of the array of this shape that it computed."""
    return trace[int(np.ravel_multi_index(cell_of(shape, index, name), shape))]


def cell_of(shape: tuple[int, ...], index: Any, name: str) -> tuple[int, ...]:
    """Return an index of one cell, or say which would fit; a flat row takes a number alone."""
    given = tuple(index) if is_sequence(index) else (index,)
    if len(given) != len(shape):
        fits = f"{len(shape)} numbers, such as {(0,) * len(shape)}, fit"
        raise ArgumentError(f"index={index!r} does not fit {name}, which is {sizes(shape)}: {fits}")
    cell = tuple(integer("index", i, 0) for i in given)
    if any(i >= size for i, size in zip(cell, shape, strict=True)):
        last = ",".join(str(size - 1) for size in shape)
        raise ArgumentError(
            f"index={index!r} is outside of {name}, which is {sizes(shape)}: up to {last} fits"
        )
    return cell
