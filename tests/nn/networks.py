"""Small networks that between them use every layer with odd options, and batches for them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv import nn
from stepconv.nn import (
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    LeakyReLU,
    MaxPool,
    Model,
    ReLU,
    Residual,
    Sigmoid,
    Tanh,
)

Array = NDArray[Any]

_END = (Flatten(), Dense(3))

# name: (shape of an image, layers)
STACKS: dict[str, tuple[tuple[int, int, int], tuple[nn.Layer, ...]]] = {
    "conv": ((2, 7, 6), (Conv(5, 3), *_END)),
    "conv padded": (
        (2, 7, 6),
        (Conv(4, (3, 5), padding=(2, 1)), Conv(3, 3, padding="same"), *_END),
    ),
    "conv strided": (
        (3, 9, 8),
        (
            Conv(7, 3, stride=2, padding=1),
            Conv(4, 2, stride=(1, 3), padding=((0, 1), (2, 0))),
            *_END,
        ),
    ),
    "conv dilated": ((1, 9, 9), (Conv(4, 3, dilation=2), Conv(3, 2, dilation=3, padding=1), *_END)),
    "conv all at once": (
        (4, 11, 9),
        (Conv(6, 3, groups=2), Conv(9, 3, 2, 3, 2, groups=3, bias=False), ReLU(), *_END),
    ),
    "conv depthwise": ((3, 6, 6), (Conv(3, 3, padding=1, groups=3), Conv(18, 1), *_END)),
    "conv wider than the image": ((2, 2, 3), (Conv(8, 5, padding=3), Conv(2, 3, padding=2), *_END)),
    "conv that skips cells": ((2, 8, 8), (Conv(3, 1), Conv(4, 1, stride=3), *_END)),
    "conv of many": ((11, 5, 5), (Conv(19, 3, padding=1), ReLU(), Conv(21, 3, padding=1), *_END)),
    "dense": ((1, 2, 3), (Flatten(), Dense(37), ReLU(), Dense(40, bias=False), Dense(3))),
    "max pool": ((2, 7, 9), (Conv(3, 1), MaxPool(2), Conv(2, 1), MaxPool((2, 1)), *_END)),
    "max pool overlapping": (
        (2, 9, 8),
        (Conv(3, 1), ReLU(), MaxPool(3, stride=2, padding=1), MaxPool(2, 1, dilation=2), *_END),
    ),
    "max pool with gaps": ((2, 8, 8), (Conv(3, 1), MaxPool(2, stride=3, ceil_mode=True), *_END)),
    "avg pool": (
        (2, 8, 9),
        (
            *(Conv(3, 1), ReLU(), AvgPool(2), Conv(3, 1)),
            *(AvgPool(3, 2, padding=1), AvgPool(2, ceil_mode=True, stride=2), *_END),
        ),
    ),
    "avg pool counting the padding": (
        (2, 7, 7),
        (Conv(3, 1), AvgPool(3, 2, padding=1, ceil_mode=True, count_include_pad=True), *_END),
    ),
    "global avg pool": ((2, 5, 4), (Conv(6, 3), ReLU(), GlobalAvgPool(), Dense(3))),
    "relu first": ((2, 4, 4), (ReLU(), Conv(3, 2), ReLU(), ReLU(), *_END)),
    "leaky relu": ((2, 4, 4), (Conv(3, 2), LeakyReLU(0.2), MaxPool(2), LeakyReLU(0.5), *_END)),
    "tanh": ((2, 4, 4), (Conv(3, 2), Tanh(), Flatten(), Dense(5), Tanh(), Dense(3))),
    "sigmoid": (
        (2, 4, 4),
        (Conv(3, 2), ReLU(), Sigmoid(), Flatten(), Dense(5), Sigmoid(), Dense(3)),
    ),
    "dropout": (
        (2, 4, 4),
        (
            Conv(3, 2),
            ReLU(),
            Dropout(0.3),
            Flatten(),
            Dropout(0.5),
            Dense(20),
            Dropout(0.1),
            Dense(3),
        ),
    ),
    "batch norm": (
        (2, 5, 5),
        (
            BatchNorm(),
            Conv(5, 3),
            BatchNorm(0.3, 1e-3),
            ReLU(),
            *(Flatten(), BatchNorm(), Dense(3)),
        ),
    ),
    "residual": (
        (2, 6, 6),
        (
            *(Conv(4, 3, padding=1), BatchNorm(), ReLU()),
            *(Residual((Conv(4, 3, padding=1), BatchNorm(), ReLU(), Conv(4, 1))), ReLU()),
            *(Residual((ReLU(), Conv(4, 1), ReLU()), ()), Tanh()),
            *(Residual((Conv(5, 3, 2, 1),), (Conv(5, 1, 2),)), ReLU(), Residual((), ()), *_END),
        ),
    ),
    "concat": (
        (2, 6, 6),
        (
            *(Conv(4, 3, padding=1), ReLU()),
            Concat(((Conv(2, 1), ReLU()), (), (Conv(3, 3, padding=1),), (MaxPool(3, 1, 1),))),
            *(ReLU(), Concat(((Conv(2, 1), ReLU()), (Conv(3, 1), ReLU()))), *_END),
        ),
    ),
    "concat grown": (
        (2, 5, 5),
        (
            Conv(3, 1),
            *(Concat(((), (BatchNorm(), ReLU(), Conv(2, 3, padding=1)))),) * 3,
            *(BatchNorm(), ReLU(), GlobalAvgPool(), Dense(3)),
        ),
    ),
    "branches in branches": (
        (2, 4, 4),
        (
            Conv(2, 1),
            Residual((Concat(((), (Conv(2, 1), ReLU()))), Conv(2, 1), Residual((ReLU(),), ())), ()),
            Concat(((Concat(((), ())),), (ReLU(), Conv(1, 1)), ())),
            Concat(((Flatten(),), (GlobalAvgPool(),), (Flatten(), Dense(4), ReLU()))),
            *(Concat(((Dense(2),), (), ())), ReLU(), Dense(3)),
        ),
    ),
}


def network(name: str) -> Model:
    """Return a network of STACKS or of the zoo."""
    if name in nn.ZOO:
        return nn.build(name)
    shape, layers = STACKS[name]
    return Model(name, shape, layers, 3)


def weights(model: Model, dtype: Any = np.float32, seed: int = 1) -> dict[str, Array]:
    """Return parameters of which none is 0, so that each of them matters."""
    draw = np.random.default_rng(seed)
    made = nn.initial_parameters(model, seed)
    return {
        name: (array + 0.1 * draw.standard_normal(array.shape)).astype(dtype)
        for name, array in made.items()
    }


def remembered(model: Model, dtype: Any = np.float32) -> dict[str, Array]:
    """Return statistics as if the network had seen some images."""
    draw = np.random.default_rng(2)
    return {
        name: (0.5 + draw.random(shape)).astype(dtype)
        for name, shape in model.statistic_shapes.items()
    }


def batch(model: Model, images: int, dtype: Any = np.float32, seed: int = 3) -> tuple[Array, Array]:
    """Return images of noise and labels for them."""
    draw = np.random.default_rng(seed)
    pictures = draw.standard_normal((images, *model.input_shape)).astype(dtype)
    return pictures, draw.integers(0, model.classes, images)
