"""Networks: layers as descriptions, the zoo, and the program that trains them fast.

    layers, model   what a network is made of, and a whole one; description: as a TOML file
    zoo             networks by name; shapes: what each layer measures
    twin            what a network computes, by the public operations
    loss, optim, dropout  how wrong it is, how it learns, what it silences
    steps           a network as a graph of steps; cpu, cuda: its two writers
    own             layers of one's own, in NumPy; plain: the program that knows them
    trainer         runs the programs; checkpoint, onnx: networks as files

`Trainer` and `Predictor` load on first use, and Numba with them; descriptions need neither.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from stepconv.nn import dropout, loss, optim, twin
from stepconv.nn.description import from_dict, from_toml, load, to_dict, to_toml
from stepconv.nn.layers import (
    LAYERS,
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Layer,
    LeakyReLU,
    MaxPool,
    ReLU,
    Residual,
    Sigmoid,
    Tanh,
)
from stepconv.nn.model import (
    ALGORITHMS,
    Model,
    Place,
    initial_parameters,
    initial_statistics,
    walk,
)
from stepconv.nn.optim import OPTIMIZERS, SGD, Adadelta, Adam, AdamW, RMSprop, Schedule
from stepconv.nn.own import OwnLayer, register
from stepconv.nn.zoo.small import CLASSES, PICTURE, ZOO, build

if TYPE_CHECKING:
    from stepconv.nn.trainer import Predictor, Trainer

__all__ = ["AvgPool", "BatchNorm", "Concat", "Conv", "Dense", "Dropout", "Flatten", "GlobalAvgPool"]
__all__ += ["LAYERS", "Layer", "LeakyReLU", "MaxPool", "ReLU", "Residual", "Sigmoid", "Tanh"]
__all__ += ["OwnLayer", "register"]
__all__ += ["Model", "Place", "initial_parameters", "initial_statistics", "walk"]
__all__ += ["CLASSES", "PICTURE", "ZOO", "build"]
__all__ += ["from_dict", "from_toml", "load", "to_dict", "to_toml"]
__all__ += ["ALGORITHMS", "OPTIMIZERS", "SGD", "Adadelta", "Adam", "AdamW", "RMSprop", "Schedule"]
__all__ += ["Predictor", "Trainer"]
__all__ += ["dropout", "loss", "optim", "twin"]


def __getattr__(name: str) -> Any:
    if name not in ("Predictor", "Trainer"):
        raise AttributeError(f"module 'stepconv.nn' has no attribute {name!r}")
    value = getattr(import_module("stepconv.nn.trainer"), name)
    globals()[name] = value
    return value
