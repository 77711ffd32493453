"""Networks for small pictures, trained in minutes, each named for what it teaches.

They are written down for digits of 28x28; `fitting` makes them fit others.

They follow the line of descent of the lectures: from the fully connected rival over LeNet-5 to
AlexNet, ZFNet, VGG, GoogLeNet, ResNet and DenseNet in miniature.
"""

from __future__ import annotations

from collections.abc import Callable

from stepconv.errors import ArgumentError
from stepconv.geometry import Shape
from stepconv.nn.layers import (
    AvgPool,
    BatchNorm,
    Concat,
    Conv,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool,
    Layer,
    MaxPool,
    ReLU,
    Residual,
)
from stepconv.nn.model import Model
from stepconv.nn.zoo.fitting import fitted

Stack = tuple[Layer, ...]

PICTURE = (1, 28, 28)
CLASSES = 10


def build(name: str, picture: Shape = PICTURE, classes: int = CLASSES) -> Model:
    """Return the network of this name, for pictures of such a size and so many classes."""
    if name not in ZOO:
        raise ArgumentError(f"model={name!r} is not known: one of {', '.join(ZOO)} fits")
    try:
        return Model(name, picture, fitted(ZOO[name](), picture, classes), classes, about(name))
    except ArgumentError as error:
        shown = "x".join(map(str, picture))
        raise ArgumentError(f"{name} cannot be made for pictures of {shown}: {error}") from None


def about(name: str) -> str:
    """Return the line that says what a network teaches."""
    return (ZOO[name].__doc__ or "").partition("\n")[0]


def mlp() -> Stack:
    """The rival without windows: every pixel has a weight of its own for every cell."""
    return (Flatten(), Dense(256), ReLU(), Dense(128), ReLU(), Dense(CLASSES))


def lenet5() -> Stack:
    """The ancestor (1998): two layers of shared windows find strokes, dense ones read them."""
    return (
        *(Conv(6, 5, padding=2), ReLU(), MaxPool(2)),
        *(Conv(16, 5), ReLU(), MaxPool(2)),
        *(Flatten(), Dense(120), ReLU(), Dense(84), ReLU(), Dense(CLASSES)),
    )


def mini_alexnet() -> Stack:
    """After AlexNet (2012): large first windows with a stride, groups, dropout against rote."""
    return (
        *(Conv(32, 5, stride=2, padding=2), ReLU()),
        *(Conv(64, 5, padding=2, groups=2), ReLU(), MaxPool(3, stride=2)),
        *(Conv(96, 3, padding=1), ReLU()),
        *(Conv(64, 3, padding=1, groups=2), ReLU(), MaxPool(3, stride=2)),
        *(Flatten(), Dropout(0.5), Dense(128), ReLU(), Dropout(0.5), Dense(CLASSES)),
    )


def mini_zfnet() -> Stack:
    """After ZFNet (2013): a look into AlexNet asked for small first windows on every pixel."""
    return (
        *(Conv(24, 3, padding=1), ReLU(), MaxPool(3, stride=2)),
        *(Conv(48, 5, padding=2), ReLU(), MaxPool(3, stride=2)),
        *(Conv(64, 3, padding=1), ReLU()),
        *(Conv(64, 3, padding=1), ReLU(), MaxPool(3, stride=2)),
        *(Flatten(), Dropout(0.5), Dense(128), ReLU(), Dropout(0.5), Dense(CLASSES)),
    )


def mini_vgg() -> Stack:
    """After VGG (2014): nothing but 3x3 windows; two in a row see 5x5 with fewer weights."""
    return (
        *(Conv(32, 3, padding=1), ReLU(), Conv(32, 3, padding=1), ReLU(), MaxPool(2)),
        *(Conv(64, 3, padding=1), ReLU(), Conv(64, 3, padding=1), ReLU(), MaxPool(2)),
        *(Flatten(), Dense(128), ReLU(), Dense(CLASSES)),
    )


def mini_googlenet() -> Stack:
    """After GoogLeNet (2014): windows of several sizes side by side; 1x1 windows keep it cheap."""
    return (
        *(Conv(16, 3, padding=1), ReLU(), MaxPool(2)),
        _inception(8, (8, 16), (4, 8), 8),
        _inception(16, (16, 32), (8, 16), 16),
        MaxPool(2),
        _inception(24, (24, 48), (12, 24), 24),
        *(GlobalAvgPool(), Dense(CLASSES)),
    )


def mini_resnet() -> Stack:
    """After ResNet (2015): each block learns what to add to its input, so depth does no harm."""
    return (
        *(Conv(16, 3, padding=1, bias=False), BatchNorm(), ReLU()),
        *(*_residual(16), *_residual(32, halves=True), *_residual(64, halves=True)),
        *(GlobalAvgPool(), Dense(CLASSES)),
    )


def mini_densenet() -> Stack:
    """After DenseNet (2017): every layer reads all the maps that were made before it."""
    growth, first = 12, 16
    grown = first + 3 * growth
    return (
        *(Conv(first, 3, padding=1, bias=False), MaxPool(2)),
        *(_grow(growth), _grow(growth), _grow(growth)),
        *(BatchNorm(), ReLU(), Conv(grown // 2, 1, bias=False), AvgPool(2)),
        *(_grow(growth), _grow(growth), _grow(growth)),
        *(BatchNorm(), ReLU(), GlobalAvgPool(), Dense(CLASSES)),
    )


def _inception(one: int, three: tuple[int, int], five: tuple[int, int], pooled: int) -> Layer:
    """Return windows of 1x1, 3x3 and 5x5 and a pool, each after or before a 1x1 that thins."""
    return Concat(
        (
            (Conv(one, 1), ReLU()),
            (Conv(three[0], 1), ReLU(), Conv(three[1], 3, padding=1), ReLU()),
            (Conv(five[0], 1), ReLU(), Conv(five[1], 5, padding=2), ReLU()),
            (MaxPool(3, stride=1, padding=1), Conv(pooled, 1), ReLU()),
        )
    )


def _residual(channels: int, halves: bool = False) -> Stack:
    """Return a block; where it halves the picture, its shortcut has to follow."""
    stride = 2 if halves else 1
    body = (
        *(Conv(channels, 3, stride=stride, padding=1, bias=False), BatchNorm(), ReLU()),
        *(Conv(channels, 3, padding=1, bias=False), BatchNorm()),
    )
    shortcut = (Conv(channels, 1, stride=stride, bias=False), BatchNorm()) if halves else ()
    return (Residual(body, shortcut), ReLU())


def _grow(growth: int) -> Layer:
    """Return a layer that hands all it was given on, with a few maps of its own on top."""
    return Concat(((), (BatchNorm(), ReLU(), Conv(growth, 3, padding=1, bias=False))))


ZOO: dict[str, Callable[[], Stack]] = {
    "mlp": mlp,
    "lenet5": lenet5,
    "mini-alexnet": mini_alexnet,
    "mini-zfnet": mini_zfnet,
    "mini-vgg": mini_vgg,
    "mini-googlenet": mini_googlenet,
    "mini-resnet": mini_resnet,
    "mini-densenet": mini_densenet,
}
