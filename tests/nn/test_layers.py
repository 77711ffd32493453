"""Layers and models say right sizes, counts and names, and refuse what does not fit."""

from collections.abc import Iterator

import pytest

from stepconv import nn
from stepconv.errors import ArgumentError, StepconvError
from stepconv.nn import Concat, Conv, Dense, Flatten, GlobalAvgPool, MaxPool, Model, Residual

PARAMETERS = {
    "mlp": 784 * 256 + 256 + 256 * 128 + 128 + 128 * 10 + 10,
    "lenet5": 61_706,
    "mini-vgg": 467_818,
}


def test_lenet5_layer_by_layer() -> None:
    places = nn.build("lenet5").places
    assert [place.output for place in places] == [
        *((6, 28, 28), (6, 28, 28), (6, 14, 14)),
        *((16, 10, 10), (16, 10, 10), (16, 5, 5)),
        *((400,), (120,), (120,), (84,), (84,), (10,)),
    ]
    counts = {place.name: place.parameter_count for place in places if place.parameters}
    dense = {"dense1": 48_120, "dense2": 10_164, "dense3": 850}
    assert counts == {"conv1": 156, "conv2": 2_416, **dense}
    # 784 cells · 25 · 6, 100 cells · 150 · 16, and the weights of the dense layers.
    assert nn.build("lenet5").multiplications == 117_600 + 240_000 + 48_000 + 10_080 + 840


@pytest.mark.parametrize(("name", "count"), PARAMETERS.items())
def test_parameters_of_the_zoo(name: str, count: int) -> None:
    assert nn.build(name).parameter_count == count


def test_parameters_have_pytorchs_names_and_shapes() -> None:
    shapes = nn.build("mini-resnet").parameter_shapes
    assert shapes["conv1.weight"] == (16, 1, 3, 3)
    assert shapes["residual2.body.conv1.weight"] == (32, 16, 3, 3)
    assert shapes["residual2.shortcut.batch_norm1.weight"] == (32,)
    assert shapes["dense1.weight"] == (10, 64)
    grouped = Model("g", (4, 5, 5), (Conv(6, 3, groups=2), Flatten(), Dense(2)), 2)
    assert grouped.parameter_shapes["conv1.weight"] == (6, 2, 3, 3)


def test_the_lectures_counts() -> None:
    """10 filters of 3x3 on three channels; 32 of 5x5 on 192 channels of 28x28."""
    [conv] = nn.walk([Conv(10, 3)], (3, 9, 9))
    assert conv.parameter_count == 280
    inception = Conv(32, 5, padding=2)
    assert inception.multiplications((192, 28, 28)) == 120_422_400


def full_size(name: str) -> Iterator[nn.Layer]:
    """Yield the layers of a large ancestor, in short."""
    if name == "vgg16":
        for block in ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3):
            yield from (Conv(channels, 3, padding=1) for channels in block)
            yield MaxPool(2)
        yield from (Flatten(), Dense(4096), Dense(4096), Dense(1000))
    else:
        yield from (Conv(64, 7, stride=2, padding=3, bias=False), nn.BatchNorm())
        yield MaxPool(3, stride=2, padding=1)
        for stage, blocks in enumerate((3, 4, 6, 3)):
            for block in range(blocks):
                width, stride = 64 * 2**stage, 2 if stage and not block else 1
                body = []
                for channels, window, step in (
                    (width, 1, 1),
                    (width, 3, stride),
                    (4 * width, 1, 1),
                ):
                    around = window // 2
                    body += [Conv(channels, window, step, around, bias=False), nn.BatchNorm()]
                shortcut = (Conv(4 * width, 1, stride, bias=False), nn.BatchNorm())
                yield Residual(tuple(body), () if block else shortcut)
        yield from (GlobalAvgPool(), Dense(1000))


@pytest.mark.parametrize(("name", "count"), [("vgg16", 138_357_544), ("resnet50", 25_557_032)])
def test_published_totals(name: str, count: int) -> None:
    assert Model(name, (3, 224, 224), tuple(full_size(name)), 1000).parameter_count == count


def test_the_same_seed_draws_the_same_parameters() -> None:
    model = nn.build("mini-resnet")
    first, again = nn.initial_parameters(model, 3), nn.initial_parameters(model, 3)
    other = nn.initial_parameters(model, 4)
    assert all(first[name].tobytes() == again[name].tobytes() for name in first)
    assert (first["conv1.weight"] != other["conv1.weight"]).all()
    assert {name: array.shape for name, array in first.items()} == model.parameter_shapes


@pytest.mark.parametrize(("method", "variance"), [("he", 2 / 784), ("glorot", 2 / (784 + 256))])
def test_weights_spread_as_the_method_says(method: str, variance: float) -> None:
    weights = nn.initial_parameters(nn.build("mlp"), 0, method)["dense1.weight"]
    assert weights.var() == pytest.approx(variance, rel=0.02)
    assert abs(weights.mean()) < 1e-3


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ((Conv(8, 5), Conv(8, 5)), "layer conv2: kernel 5x5 does not fit into the padded input"),
        ((Dense(10),), "layer dense1: the input is 1x6x6, not flat: put a flatten before it"),
        ((Flatten(), Conv(2, 1)), "layer conv1: the input is 36, not an image"),
        ((Flatten(), Dense(3)), "the last layer gives 3, but there are 10 classes"),
        ((Conv(3, 3, groups=2),), "layer conv1: groups=2 does not divide the 1 channels"),
        ((Residual((Conv(3, 3),)),), "layer residual1: the body gives 3x4x4 and the shortcut 1x6"),
        ((Concat(((Conv(3, 3),), ())),), "layer concat1: the branches give 3x4x4, 1x6x6"),
        ((Residual((Conv(8, 5), Conv(8, 5))),), "layer residual1.body.conv2: kernel 5x5"),
        ((MaxPool(2, padding=2),), "layer max_pool1: padding=2 is not smaller than the window"),
    ],
)
def test_a_network_that_does_not_fit_is_refused(layers: tuple[nn.Layer, ...], said: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        Model("x", (1, 6, 6), layers, 10)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Conv(0, 3), "out_channels=0 is too small"),
        (lambda: nn.Dropout(1.0), "rate=1 leaves nothing"),
        (lambda: nn.Dropout(-0.5), "rate=-0.5 is out of range"),
        (lambda: nn.LeakyReLU("x"), "slope='x' is not a number"),
        (lambda: Residual("conv"), "body='conv' is no list of layers"),
        (lambda: Concat(()), "branches=() is no list"),
        (lambda: Model("x", (28, 28), (Flatten(),), 1), "input=(28, 28) is not the shape"),
    ],
)
def test_a_layer_that_makes_no_sense_is_refused(make: object, said: str) -> None:
    with pytest.raises(StepconvError) as caught:
        make()  # type: ignore[operator]
    assert said in str(caught.value)
