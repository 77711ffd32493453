"""A network of ours from an ONNX file, whoever wrote it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from stepconv.errors import ArgumentError, StepconvError
from stepconv.nn.checkpoint import Network
from stepconv.nn.description import from_dict
from stepconv.nn.layers import Flatten, sizes
from stepconv.nn.model import Model
from stepconv.nn.published import graph as graphs
from stepconv.nn.published.nodes import Stack, convert
from stepconv.nn.published.stacking import stacked


def load(path: Path) -> Network:
    """Return the network in a file; one that we have written ourselves as it was."""
    graph = graphs.read(path)
    try:
        own = _own(graph)
        return own if own is not None else _network(graph)
    except StepconvError as error:
        raise graphs.told_of(path, error) from None


def _own(graph: graphs.Graph) -> Network | None:
    """Return a network by the description that our own files hold."""
    if "model" not in graph.notes:
        return None
    try:
        about = {key: json.loads(value) for key, value in graph.notes.items()}
        model = from_dict(about.pop("model"))
    except (ValueError, RecursionError, StepconvError):
        return None  # somebody else's notes
    named = {**model.parameter_shapes, **model.statistic_shapes}
    for name, shape in named.items():
        if name not in graph.constants or graph.constants[name].shape != shape:
            return None
    arrays = {name: graph.constants[name].astype(np.float32) for name in named}
    return Network(
        model,
        {name: arrays[name] for name in model.parameter_shapes},
        {name: arrays[name] for name in model.statistic_shapes},
        about,
    )


def _network(graph: graphs.Graph) -> Network:
    made = convert(stacked(graph), graph, graph.shape)
    if len(made.shape) > 1:
        made.add(Flatten())
    return assembled(graph.name, graph.shape, made, {})


def assembled(name: str, shape: Any, made: Stack, about: dict[str, Any]) -> Network:
    """Return the network of a stack, its arrays by PyTorch's names."""
    (classes,) = made.shape
    model = Model(name, shape, tuple(made.layers), classes)
    parameters, statistics = {}, {}
    for place, arrays in zip(model.places, made.arrays, strict=True):
        for kind, wanted in place.layer.parameters(place.input).items():
            parameters[f"{place.name}.{kind}"] = _checked(place.name, kind, arrays[kind], wanted)
        for kind, wanted in place.layer.statistics(place.input).items():
            statistics[f"{place.name}.{kind}"] = _checked(place.name, kind, arrays[kind], wanted)
    return Network(model, parameters, statistics, about)


def _checked(name: str, kind: str, array: Any, wanted: Any) -> Any:
    if array.shape != tuple(wanted):
        raise ArgumentError(f"{name}.{kind} is {sizes(array.shape)}, not {sizes(wanted)}")
    return np.ascontiguousarray(array, np.float32)
