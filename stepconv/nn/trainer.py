"""Trains a network batch by batch, and asks it: what the rest of stepconv sees of all this.

    trainer = Trainer(build("lenet5"), SGD(0.9), batch_size=64, seed=0)
    loss, correct = trainer.step(images, labels, learning_rate=0.05)
    answers = trainer.logits(images)

Images are arrays (n, channels, height, width) of float32, or of uint8, which are multiplied by
`scale`, to which `shift` is added. With algorithm="winograd" wide 3x3 layers learn in half the time
and round a little more; `describe` says which do. So does a Predictor answer; a trainer's answers
are worked out directly in any case, and on a GPU everything is. With backend="cuda" all of it lives
on a GPU; a state goes from one backend to the other. With backend="portable" a CPU computes the
bits of a page in a browser. A network with a layer or a loss of one's own goes by nn/plain.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stepconv import kernels
from stepconv.errors import ArgumentError, ArgumentTypeError
from stepconv.geometry import integer, word
from stepconv.kernels.cpu.lanes.rows import LANES
from stepconv.nn.cpu.channels.program import ChannelProgram
from stepconv.nn.cpu.program import Program
from stepconv.nn.cpu.writer import LaneWeights
from stepconv.nn.dropout import step_key
from stepconv.nn.layers import sizes
from stepconv.nn.loss import Loss, check_loss
from stepconv.nn.model import ALGORITHMS, Model, initial_parameters, initial_statistics
from stepconv.nn.optim import SGD, Optimizer
from stepconv.nn.own import OwnLayer
from stepconv.nn.plain import PlainProgram
from stepconv.nn.published.fixed import FIXED
from stepconv.nn.steps.ways import Way, summed_directly
from stepconv.nn.steps.weights import Weights

Array = NDArray[Any]
Arrays = Mapping[str, Array]

# "portable" computes on the CPU what a browser does, to the bit: see nn/cpu/portable.py.
BACKENDS = ("cpu", "cuda", "portable")

# A forward pass takes as many images at a time: few enough to stay in a CPU's caches, enough to
# fill a GPU.
_AT_ONCE = {"cpu": 64, "cuda": 250, "portable": 64}
# From so many cells of a picture on, all layers together, lanes of many pictures are more memory
# than a machine likes, and few pictures keep all lanes busy with their channels: more where the
# numbers of the largest layer, in bytes, stay in a cache together.
_LARGE, _FEW, _MORE, _CACHE = 2**21, 4, 16, 2**25


class Predictor:
    """A network with its weights, for answers alone: of `batch_size` images at a time.

    Of a small network each lane of a vector holds an image. Of a large one, or where there are
    fewer images than lanes, it holds a channel. Which it is depends on `batch_size` alone, so that
    the answers to an image are the same bits whatever others come with it.
    """

    def __init__(
        self,
        model: Model,
        parameters: Arrays,
        statistics: Arrays | None = None,
        *,
        batch_size: int | None = None,
        scale: float = 1 / 255,
        shift: float = 0.0,
        algorithm: str = "direct",
        backend: str = "cpu",
    ) -> None:
        self.model = model
        self.algorithm = word("algorithm", algorithm, ALGORITHMS)
        self.backend = word("backend", backend, BACKENDS)
        known = initial_statistics(model) if statistics is None else statistics
        by_channels = type(self) is Predictor and backend == "cpu" and _is_large(model)
        usual = _few(model) if by_channels else _AT_ONCE[backend]
        self._batch_size = integer("batch_size", usual if batch_size is None else batch_size, 1)
        self._scale, self._shift = scale, shift
        weights, self._program_of = _parts(backend, _is_own(model))
        if type(self) is Predictor and backend == "cpu" and not _is_own(model, but=FIXED):
            if by_channels or _is_own(model) or self._batch_size < LANES:
                weights, self._program_of = Weights, ChannelProgram
        self._weights: Weights = weights(model, parameters, known)
        self._asking: Any = None

    def logits(self, images: ArrayLike, rows: ArrayLike | None = None) -> Array:
        """Return the answers, (n, classes); `rows` says which images of the array are asked for."""
        pictures, order, count = _pictures(self.model, images, rows)
        if self._asking is None:
            self._asking = self._program_of(
                self.model,
                self._weights,
                self._batch_size,
                scale=self._scale,
                shift=self._shift,
                winograd=type(self) is Predictor and self.algorithm == "winograd",
            )
        answers = np.empty((count, self.model.classes), np.float32)
        for start in range(0, count, self._batch_size):
            end = min(start + self._batch_size, count)
            some = pictures[start:end] if order is None else pictures
            chosen = None if order is None else order[start:end]
            answers[start:end] = self._asking.answers(some, chosen, end - start)
        return answers

    @property
    def feed(self) -> dict[str, float]:
        """By what bytes are multiplied, and what is added, before the network reads them."""
        return {"scale": self._scale, "shift": self._shift}

    def parameters(self) -> dict[str, Array]:
        """Return copies of what the network has learnt, by PyTorch's names."""
        return self._weights.parameters()

    def statistics(self) -> dict[str, Array]:
        """Return copies of what the network remembers of the images it saw."""
        return self._weights.statistics()

    def load(self, parameters: Arrays, statistics: Arrays | None = None) -> None:
        """Take over arrays by PyTorch's names; what is not among them stays as it is."""
        self._weights.load(
            {**self.parameters(), **parameters}, {**self.statistics(), **(statistics or {})}
        )
        self._asking = None  # it may hold what it has made of the old ones


class Trainer(Predictor):
    """A network in training: parameters, optimiser and the number of steps that it has made."""

    def __init__(
        self,
        model: Model,
        optimizer: Optimizer | None = None,
        *,
        batch_size: int = 64,
        seed: int = 0,
        loss: str | Loss = "cross-entropy",
        parameters: Arrays | None = None,
        statistics: Arrays | None = None,
        initial: str = "he",
        scale: float = 1 / 255,
        shift: float = 0.0,
        algorithm: str = "direct",
        frozen: Sequence[str] = (),
        backend: str = "cpu",
    ) -> None:
        """Begin with parameters drawn by seed, or with those given; `frozen` layers keep theirs.

        `loss` is "cross-entropy", "mean-squared-error", or a function of (answers, labels) that
        gives the mean loss of a batch and its gradient for the answers.
        """
        if not model.parameter_count:
            raise ArgumentError(f"model {model.name!r} has nothing to learn: a conv or dense fits")
        drawn = initial_parameters(model, seed, initial) if parameters is None else parameters
        super().__init__(model, drawn, statistics, scale=scale, shift=shift, backend=backend)
        self.optimizer = SGD() if optimizer is None else optimizer
        self.batch_size = integer("batch_size", batch_size, 1)
        self.seed = seed
        self.algorithm = word("algorithm", algorithm, ALGORITHMS)
        self.steps = 0
        self.loss = check_loss(loss, model.classes)
        self._frozen = _parameters_of(model, frozen)
        self._brought: tuple[Any, Any] = (None, None)
        self._program = self._written()
        ways = self.describe()
        by_name = self.algorithm == "winograd" and backend != "cuda"
        if by_name and all(way.sums == "direct" for way in ways):
            raise ArgumentError(
                f"algorithm='winograd' suits no layer of {model.name}, 'direct' fits: "
                f"{summed_directly(ways)}"
            )

    def _written(self) -> Any:
        """Return the program of a step, for batches of up to `batch_size` images."""
        _, program_of = _parts(self.backend, _is_own(self.model) or callable(self.loss))
        return program_of(
            self.model,
            self._weights,
            self.batch_size,
            scale=self._scale,
            shift=self._shift,
            optimizer=self.optimizer,
            loss=self.loss,
            winograd=self.algorithm == "winograd",
            frozen=self._frozen,
        )

    def take_batches(self, size: int) -> None:
        """Take batches of up to so many images from now on; what was learnt stays as it is."""
        if integer("batch_size", size, 1) > self.batch_size:
            moments = [np.array(moment) for moment in self._program.moments]
            self.batch_size = size
            self._program = self._written()
            self._program.set_moments(moments)

    def describe(self) -> list[Way]:
        """Return for each layer with weights by which algorithm it learns.

        A layer that algorithm="winograd" does not suit is summed directly, and its `why` says so;
        on a GPU that is every layer.
        """
        ways: list[Way] = self._program.ways
        return ways

    def bring(self, images: ArrayLike, labels: ArrayLike) -> tuple[Any, Any]:
        """Return a whole set as `step` finds it fastest: on a GPU if the network is there.

        A GPU keeps the set that was brought last; what is done to the arrays later changes nothing.
        """
        if self.backend != "cuda":
            return images, labels
        pictures, _, count = _pictures(self.model, images, None)
        wanted = _labels(self.model, labels, None, count)
        self._brought = (kernels.on_card(pictures), kernels.on_card(wanted))
        return self._brought

    def step(
        self,
        images: ArrayLike,
        labels: ArrayLike,
        learning_rate: float,
        rows: ArrayLike | None = None,
    ) -> tuple[float, int]:
        """Learn from a batch; return its mean loss and how many images were told right before.

        With `rows`, images and labels are a whole set and the batch is these rows of it: best what
        `bring` returned.
        """
        if kernels.is_on_card(images):
            return self.learn(images, labels, [(learning_rate, rows)])[0]
        pictures, order, count = _pictures(self.model, images, rows)
        wanted = _labels(self.model, labels, rows, len(np.asarray(images)))
        self._check_count(count)
        key = self._begin(learning_rate)
        loss, correct = self._program.step(pictures, wanted, order, count, key)
        return loss / count, correct

    def learn(
        self,
        images: ArrayLike,
        labels: ArrayLike,
        batches: Sequence[tuple[float, ArrayLike | None]],
    ) -> list[tuple[float, int]]:
        """Make a step for each (learning rate, rows); return what `step` returns of each.

        A GPU makes some of them, if the set is what `bring` returned, before the host waits.
        """
        if not kernels.is_on_card(images):
            return [self.step(images, labels, rate, rows) for rate, rows in batches]
        if images is not self._brought[0] or labels is not self._brought[1]:
            raise ArgumentError("images on a GPU have to be those that `bring` returned last")
        pictures, wanted = self._brought
        every = np.arange(len(pictures))
        results = []
        for start in range(0, len(batches), self.together):
            some = batches[start : start + self.together]
            orders = [_order(rows, len(pictures)) for _, rows in some]
            meant = [every if order is None else order for order in orders]
            for order in meant:
                self._check_count(len(order))
            for (rate, _), order in zip(some, meant, strict=True):
                self._program.note(order, self._begin(rate))
            found = self._program.make_steps(pictures, wanted)
            results += [
                (loss / len(o), right) for (loss, right), o in zip(found, meant, strict=True)
            ]
        return results

    @property
    def together(self) -> int:
        """How many steps `learn` makes before it waits for what they found."""
        if self.backend != "cuda":
            return 1
        from stepconv.nn.cuda.program import TOGETHER

        return TOGETHER

    def _check_count(self, count: int) -> None:
        if not 0 < count <= self.batch_size:
            raise ArgumentError(
                f"the batch has {count} images: 1 to batch_size={self.batch_size} fit"
            )

    def _begin(self, rate: float) -> int:
        """Count a step and write down what it goes by; return its key for dropout."""
        self.steps += 1
        for place, number in self.optimizer.numbers(rate, self.steps).items():
            self._program.numbers[place] = number
        if isinstance(self._program, PlainProgram):
            self._program.pace = (rate, self.steps)
        return step_key(self.seed, self.steps) if self._program.draws else 0

    def rehearse(self, images: Any, labels: Any, rows: ArrayLike | None = None) -> None:
        """Make a step that is taken back: a GPU compiles its kernels at their first use."""
        state = self.state()
        self.step(images, labels, 0.0, rows)
        self.restore(state)

    def gradients(self) -> dict[str, Array]:
        """Return the gradients of the last step, by the names of the parameters."""
        found: dict[str, Array] = self._program.gradients()
        return found

    def state(self) -> dict[str, Array]:
        """Return all that the next step depends on, as copies: enough to go on bit for bit."""
        names = self.optimizer.moments
        moments = dict(zip(names, self._program.moments, strict=True))
        return {
            **{f"parameter.{k}": a for k, a in self.parameters().items()},
            **{f"statistic.{k}": a for k, a in self.statistics().items()},
            **{
                f"{moment}.{k}": a
                for moment, row in moments.items()
                for k, a in self._weights.named(row).items()
            },
            "steps": np.array(self.steps, np.int64),
            "seed": np.array(self.seed, np.int64),
        }

    def restore(self, state: Arrays) -> None:
        """Go back to a state, of this run or of another with the same model and optimiser."""
        parts: dict[str, dict[str, Array]] = {}
        for key, array in state.items():
            kind, _, name = key.partition(".")
            parts.setdefault(kind, {})[name] = array
        needed = {"steps", "seed", "parameter", *self.optimizer.moments}
        for kind in sorted(needed - parts.keys()):
            raise ArgumentError(f"the state has no {kind}: it is not that of such a training")
        for kind in sorted(parts.keys() - needed - {"statistic"}):
            raise ArgumentError(f"the state has {kind}: it is that of another optimiser")
        moments = [self._weights.row(parts[name], name) for name in self.optimizer.moments]
        self._weights.load(parts["parameter"], parts.get("statistic", {}))
        self._program.set_moments(moments)
        self.steps, self.seed = _count(state, "steps"), _count(state, "seed")


def _count(state: Arrays, name: str) -> int:
    """Return a whole number of a state, which may be a stranger's."""
    if state[name].shape != () or state[name].dtype.kind != "i" or state[name] < 0:
        raise ArgumentError(f"the state's {name} is no whole number from 0 on")
    return int(state[name])


def check_layers(model: Model, layers: Sequence[str]) -> None:
    """Refuse names of layers that have no weights."""
    _parameters_of(model, layers)


def _parameters_of(model: Model, layers: Sequence[str]) -> set[str]:
    """Return the parameters of the layers of these names, and of those inside them."""
    found = set()
    for layer in layers:
        inside = {name for name in model.parameter_shapes if name.startswith(f"{layer}.")}
        if not inside:
            known = dict.fromkeys(name.rpartition(".")[0] for name in model.parameter_shapes)
            raise ArgumentError(f"frozen layer {layer!r} has no weights: {', '.join(known)} fit")
        found |= inside
    return found


def _is_own(model: Model, but: tuple[type[OwnLayer], ...] = ()) -> bool:
    own = [place.layer for place in model.places if isinstance(place.layer, OwnLayer)]
    return any(not isinstance(layer, but) for layer in own)


def _is_large(model: Model) -> bool:
    return sum(prod(place.output) for place in model.places) > _LARGE


def _few(model: Model) -> int:
    """Return how many pictures a large network answers at once."""
    largest = max(4 * (prod(place.input) + prod(place.output)) for place in model.places)
    return min(max(_FEW, _CACHE // largest), _MORE)


def _parts(backend: str, own: bool) -> tuple[Any, Any]:
    """Return what a network's weights and programs are made of: a GPU has its own, alike.

    What is somebody's `own`, a layer or a loss, no kernel knows.
    """
    if own and backend != "cpu":
        raise ArgumentError(
            f"backend={backend!r} knows no layer and no loss of one's own: 'cpu' fits"
        )
    if own:
        return LaneWeights, PlainProgram
    if backend == "cpu":
        return LaneWeights, Program
    if backend == "portable":
        from stepconv.nn.cpu.portable import PortableWeights

        return PortableWeights, Program
    kernels.check_available(backend)
    from stepconv.nn.cuda.program import CardProgram
    from stepconv.nn.cuda.writer import CardWeights

    return CardWeights, CardProgram


def _labels(model: Model, labels: ArrayLike, rows: ArrayLike | None, images: int) -> Array:
    """Return the labels that are meant, of those that belong to so many images."""
    given = np.asarray(labels)
    if len(given) != images:
        raise ArgumentError(f"{len(given)} labels do not fit {images} images")
    wanted = np.ascontiguousarray(given if rows is None else given[np.asarray(rows)], np.int64)
    if wanted.size and (wanted.min() < 0 or wanted.max() >= model.classes):
        raise ArgumentError(
            f"labels run from {wanted.min()} to {wanted.max()}: 0 to {model.classes - 1} fit"
        )
    return wanted


def _order(rows: ArrayLike | None, count: int) -> Array | None:
    """Return which images are meant, or None for all."""
    order = None if rows is None else np.ascontiguousarray(rows, np.int64)
    if order is not None and order.size and (order.min() < 0 or order.max() >= count):
        raise ArgumentError(
            f"rows run from {order.min()} to {order.max()}: there are {count} images"
        )
    return order


def _pictures(
    model: Model, images: ArrayLike, rows: ArrayLike | None
) -> tuple[Array, Array | None, int]:
    """Return images as a kernel can read them, which of them are meant, and how many.

    Those are contiguous and of float32 or uint8. Of another array only the rows are converted.
    """
    given = np.asarray(images)
    order = _order(rows, len(given))
    if given.dtype.kind not in "biuf":
        raise ArgumentTypeError(f"images are {given.dtype}: float32 or uint8 fits")
    readable = given.dtype in (np.uint8, np.float32) and given.flags.c_contiguous
    if not readable and order is not None:
        given, order = given[order], None
    if given.dtype != np.uint8:
        given = given.astype(np.float32, copy=False)
    shape = model.input_shape
    if given.ndim == 3 and shape[0] == 1:
        given = given[:, None]
    if given.shape[1:] != shape:
        raise ArgumentError(
            f"images are {sizes(given.shape[1:])}: the network reads {sizes(shape)}"
        )
    pictures = np.ascontiguousarray(given)
    return pictures, order, len(pictures) if order is None else len(order)
