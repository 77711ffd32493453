"""The famous networks in full size, to be measured, not trained: their sums are the published ones.

For pictures of 3x224x224 and 1,000 classes, as torchvision has them; ZFNet as its paper has it.
"""

from __future__ import annotations

from collections.abc import Callable

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
from stepconv.nn.published.fixed import ReLU6

Stack = tuple[Layer, ...]

PICTURE = (3, 224, 224)
CLASSES = 1000


def build(name: str, picture: Shape = PICTURE, classes: int = CLASSES) -> Model:
    """Return the network of this name, one of SHEETS, for so many classes."""
    sheet = SHEETS[name]
    layers = (*sheet()[:-1], Dense(classes))
    return Model(name, picture, layers, classes, (sheet.__doc__ or "").partition("\n")[0])


def alexnet() -> Stack:
    """AlexNet (2012), in one piece: five layers of windows won ImageNet and began it all."""
    return (
        *(Conv(64, 11, stride=4, padding=2), ReLU(), MaxPool(3, stride=2)),
        *(Conv(192, 5, padding=2), ReLU(), MaxPool(3, stride=2)),
        *(Conv(384, 3, padding=1), ReLU()),
        *(Conv(256, 3, padding=1), ReLU()),
        *(Conv(256, 3, padding=1), ReLU(), MaxPool(3, stride=2)),
        *_three_dense(),
    )


def zfnet() -> Stack:
    """ZFNet (2013): AlexNet with smaller first windows, after a look at what they had learnt."""
    return (
        *(Conv(96, 7, stride=2, padding=1), ReLU(), MaxPool(3, stride=2, ceil_mode=True)),
        *(Conv(256, 5, stride=2), ReLU(), MaxPool(3, stride=2, ceil_mode=True)),
        *(Conv(384, 3, padding=1), ReLU()),
        *(Conv(384, 3, padding=1), ReLU()),
        *(Conv(256, 3, padding=1), ReLU(), MaxPool(3, stride=2)),
        *_three_dense(),
    )


def vgg16() -> Stack:
    """VGG-16 (2014): nothing but 3x3 windows, 13 layers of them."""
    layers: list[Layer] = []
    for times, channels in ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)):
        layers += [Conv(channels, 3, padding=1), ReLU()] * times
        layers += [MaxPool(2)]
    return (*layers, *_three_dense())


def googlenet() -> Stack:
    """GoogLeNet (2014), without side classifiers: windows of several sizes side by side."""
    half = MaxPool(3, stride=2, ceil_mode=True)
    return (
        *(*_normed(64, 7, stride=2, padding=3), half),
        *(*_normed(64, 1), *_normed(192, 3, padding=1), half),
        _inception(64, (96, 128), (16, 32), 32),
        _inception(128, (128, 192), (32, 96), 64),
        half,
        _inception(192, (96, 208), (16, 48), 64),
        _inception(160, (112, 224), (24, 64), 64),
        _inception(128, (128, 256), (24, 64), 64),
        _inception(112, (144, 288), (32, 64), 64),
        _inception(256, (160, 320), (32, 128), 128),
        MaxPool(2, ceil_mode=True),
        _inception(256, (160, 320), (32, 128), 128),
        _inception(384, (192, 384), (48, 128), 128),
        *(GlobalAvgPool(), Dropout(0.2), Dense(CLASSES)),
    )


def resnet50() -> Stack:
    """ResNet-50 (2015): blocks that learn what to add to their input, 50 layers deep."""
    return _resnet(3, 4, 6, 3)


def resnet152() -> Stack:
    """ResNet-152 (2015): the same blocks, 152 layers deep."""
    return _resnet(3, 8, 36, 3)


def densenet121() -> Stack:
    """DenseNet-121 (2017): every layer reads all the maps made before it, in four blocks."""
    growth, channels = 32, 64
    layers: list[Layer] = [*_normed(channels, 7, stride=2, padding=3)]
    layers += [MaxPool(3, stride=2, padding=1)]
    for block, times in enumerate((6, 12, 24, 16)):
        if block:
            channels //= 2
            layers += [BatchNorm(), ReLU(), Conv(channels, 1, bias=False), AvgPool(2)]
        layers += [_grow(growth)] * times
        channels += growth * times
    return (*layers, BatchNorm(), ReLU(), GlobalAvgPool(), Dense(CLASSES))


def _three_dense() -> Stack:
    """Return the end of the early networks, where most of their parameters are."""
    return (
        *(Flatten(), Dropout(), Dense(4096), ReLU()),
        *(Dropout(), Dense(4096), ReLU(), Dense(CLASSES)),
    )


def _normed(channels: int, window: int, stride: int = 1, padding: int = 0) -> Stack:
    return (
        Conv(channels, window, stride=stride, padding=padding, bias=False),
        *(BatchNorm(), ReLU()),
    )


def _inception(one: int, three: tuple[int, int], five: tuple[int, int], pooled: int) -> Layer:
    """Return four branches side by side.

    The third has 5x5 windows in the paper; torchvision's, and so the published sum, has 3x3.
    """
    return Concat(
        (
            _normed(one, 1),
            (*_normed(three[0], 1), *_normed(three[1], 3, padding=1)),
            (*_normed(five[0], 1), *_normed(five[1], 3, padding=1)),
            (MaxPool(3, stride=1, padding=1, ceil_mode=True), *_normed(pooled, 1)),
        )
    )


def _resnet(*blocks: int) -> Stack:
    layers: list[Layer] = [*_normed(64, 7, stride=2, padding=3), MaxPool(3, stride=2, padding=1)]
    for stage, times in enumerate(blocks):
        for block in range(times):
            stride = 2 if stage and not block else 1
            layers += [_bottleneck(64 * 2**stage, stride, follows=not block), ReLU()]
    return (*layers, GlobalAvgPool(), Dense(CLASSES))


def _bottleneck(channels: int, stride: int, follows: bool) -> Layer:
    """Return a block: 1x1 thins, 3x3 looks, 1x1 widens; where sizes change the shortcut follows."""
    wide = 4 * channels
    body = (
        *_normed(channels, 1),
        *_normed(channels, 3, stride=stride, padding=1),
        *(Conv(wide, 1, bias=False), BatchNorm()),
    )
    shortcut = (Conv(wide, 1, stride=stride, bias=False), BatchNorm()) if follows else ()
    return Residual(body, shortcut)


def _grow(growth: int) -> Layer:
    """Return a layer that hands all it was given on, with a few maps of its own on top."""
    thin = (BatchNorm(), ReLU(), Conv(4 * growth, 1, bias=False))
    look = (BatchNorm(), ReLU(), Conv(growth, 3, padding=1, bias=False))
    return Concat(((), (*thin, *look)))


def efficientnet_lite0() -> Stack:
    """EfficientNet-Lite0 (2020): for phones, each layer as wide and deep as pays at its place."""
    stages = (
        *((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80)),
        *((3, 5, 1, 6, 112), (4, 5, 2, 6, 192), (1, 3, 1, 6, 320)),
    )
    blocks: list[Layer] = []
    channels = 32
    for repeats, window, stride, wider, out in stages:
        for number in range(repeats):
            step = stride if number == 0 else 1
            body = _inverted(channels, out, window, step, wider)
            blocks += (Residual(body),) if step == 1 and channels == out else body
            channels = out
    return (
        *(Conv(32, 3, stride=2, padding="same", bias=False), _quick_norm(), ReLU6()),
        *blocks,
        *(Conv(1280, 1, bias=False), _quick_norm(), ReLU6()),
        *(GlobalAvgPool(), Dropout(0.2), Dense(CLASSES)),
    )


def _inverted(channels: int, out: int, window: int, stride: int, wider: int) -> Stack:
    """Return layers that widen, look at each channel alone, and narrow again."""
    wide = channels * wider
    widen = (Conv(wide, 1, bias=False), _quick_norm(), ReLU6()) if wider > 1 else ()
    look = Conv(wide, window, stride=stride, padding="same", groups=wide, bias=False)
    return (*widen, look, _quick_norm(), ReLU6(), Conv(out, 1, bias=False), _quick_norm())


def _quick_norm() -> Layer:
    return BatchNorm(0.01, 1e-3)


SHEETS: dict[str, Callable[[], Stack]] = {
    made.__name__.replace("_", "-"): made
    for made in (
        *(alexnet, zfnet, vgg16, googlenet, resnet50, resnet152, densenet121),
        efficientnet_lite0,
    )
}
