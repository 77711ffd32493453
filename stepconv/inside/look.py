"""look_inside: what may be looked into, and how a picture becomes what the network reads.

A network comes as a run folder, a file of weights, a model with its arrays by name, or anything
that has both, such as a trainer. Bytes are scaled and moved as in the training, numbers are taken
as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stepconv import kernels
from stepconv.errors import ArgumentError, ArgumentTypeError
from stepconv.geometry import integer
from stepconv.inside.graph import graph_of
from stepconv.inside.network import Network, checked
from stepconv.inside.record import Inside, Looked
from stepconv.nn import checkpoint
from stepconv.nn.layers import sizes
from stepconv.nn.model import Model
from stepconv.nn.zoo.small import ZOO, build

Array = NDArray[Any]


def look_inside(
    model_or_run: Any,
    picture: ArrayLike,
    label: int | None = None,
    *,
    parameters: Mapping[str, ArrayLike] | None = None,
    statistics: Mapping[str, ArrayLike] | None = None,
    backend: str | None = None,
) -> Inside:
    """Return a network with a picture in it: every layer's numbers, windows and gradients.

    `model_or_run` is a run folder, a .safetensors file, a trainer, or a model (or its name in the
    zoo) with `parameters`, and `statistics` if it has batch-norms, by PyTorch's names. The picture
    is (channels, rows, columns), or (rows, columns) of one channel. Bytes (uint8) are scaled and
    moved as in the training, other numbers are taken as they are. With the `label`, the number of
    the right class, there is a loss, and gradients.

    >>> import stepconv
    >>> from stepconv import nn
    >>> model = nn.build("lenet5")
    >>> weights = nn.initial_parameters(model, 0)
    >>> inside = stepconv.look_inside(model, np.eye(28), label=1, parameters=weights)
    >>> inside["conv2"].output.shape, inside.field("conv2", (3, 4, 5)).bounds
    ((16, 10, 10), ((6, 20), (8, 22)))
    >>> inside.at("conv2", (3, 4, 5)).patch.shape
    (6, 5, 5)
    >>> w, gradient, after = inside.step(lr=0.1)["conv2.weight"]
    """
    if backend is not None:
        kernels.check_available(kernels.check_backend(backend))
    found = _given(model_or_run, parameters, statistics)
    model, about = found.model, found.about
    graph = graph_of(model)
    every = [np.asarray(array) for array in found.parameters.values()]
    dtype = np.result_type(np.float32, *every)
    network = Network(
        model,
        checked(graph.parameter_shapes, found.parameters, dtype, "parameters"),
        checked(graph.statistic_shapes, found.statistics, dtype, "statistics"),
        scale=about.get("scale", 1 / 255),
        shift=about.get("shift", 0.0),
        of_bytes=about.get("of_bytes", True),
        backend=backend,
    )
    told = [str(name) for name in about.get("classes", ())][: model.classes]
    classes = (*told, *map(str, range(len(told), model.classes)))
    loss = about.get("recipe", {}).get("loss", "cross-entropy")
    return pictured(network, picture, label, Looked(classes, loss))


def pictured(network: Network, picture: ArrayLike, label: int | None, how: Looked) -> Inside:
    """Return a network with a picture in it, and the label if there is one."""
    shape = network.model.input_shape
    given = np.asarray(picture)
    if given.dtype.kind not in "biuf":
        raise ArgumentTypeError(f"picture holds {given.dtype}: numbers or bytes fit")
    if given.size == np.prod(shape) and given.shape in (shape, shape[1:], (1, *shape)):
        given = given.reshape(shape)
    if given.shape != shape:
        got = sizes(given.shape) or "a single number"
        raise ArgumentError(f"picture is {got}: {network.model.name} reads {sizes(shape)}")
    if not np.isfinite(given).all():
        raise ArgumentError("picture holds numbers that are not finite: finite ones fit")
    if label is not None:
        label = integer("label", label, 0, network.model.classes - 1)
    return Inside(network, given, network.numbers(given), label, how)


def _given(
    given: Any,
    parameters: Mapping[str, ArrayLike] | None,
    statistics: Mapping[str, ArrayLike] | None,
) -> checkpoint.Network:
    """Return the model and the arrays that were meant."""
    if isinstance(given, str) and given in ZOO and not Path(given).exists():
        given = build(given)
    if isinstance(given, Model):
        return _with_arrays(given, parameters, statistics)
    if parameters is not None or statistics is not None:
        raise ArgumentError(
            f"parameters and statistics go with a model: {type(given).__name__} has its own"
        )
    if isinstance(given, str | Path):
        return _from_disk(Path(given))
    given = getattr(given, "network", given)  # of a training that was loaded
    if isinstance(given, checkpoint.Network):
        return given
    if hasattr(given, "feed") and hasattr(given, "logits"):  # a Predictor or a Trainer
        about = {**given.feed, "recipe": {"loss": getattr(given, "loss", "cross-entropy")}}
        return checkpoint.Network(given.model, given.parameters(), given.statistics(), about)
    raise ArgumentTypeError(
        f"{type(given).__name__} cannot be looked into: a run folder, a .safetensors file, a "
        "trainer, or a model with parameters=… fits"
    )


def _with_arrays(
    model: Model,
    parameters: Mapping[str, ArrayLike] | None,
    statistics: Mapping[str, ArrayLike] | None,
) -> checkpoint.Network:
    if parameters is None and graph_of(model).parameter_shapes:
        raise ArgumentError(
            f"model {model.name} comes without weights: parameters=trainer.parameters() fits, or "
            "nn.initial_parameters(model, seed=0) for those that it begins with"
        )
    if statistics is None and graph_of(model).statistic_shapes:
        from stepconv.nn.model import initial_statistics

        statistics = initial_statistics(model)
    return checkpoint.Network(
        model,
        {name: np.asarray(array) for name, array in (parameters or {}).items()},
        {name: np.asarray(array) for name, array in (statistics or {}).items()},
    )


def _from_disk(path: Path) -> checkpoint.Network:
    file = path / checkpoint.FILE if path.is_dir() else path
    if not file.exists():
        raise ArgumentError(
            f"{file} is not there: a run folder or a .safetensors file fits, or a model with "
            "parameters=…"
        )
    return checkpoint.load_network(file)
