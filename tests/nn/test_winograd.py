"""3x3 layers by Winograd's way: the same numbers but for rounding, wherever the tiles end."""

import numpy as np
import pytest

from stepconv import nn
from stepconv.errors import ArgumentError
from stepconv.nn import BatchNorm, Concat, Conv, Dense, Flatten, ReLU, Residual
from stepconv.nn.cpu.winograd import why_not, why_not_weights
from tests.nn.networks import batch
from tests.nn.test_program import hold_to_twin

_END = (Flatten(), Dense(3))

STACKS = {
    "padded": (
        (2, 11, 14),
        (Conv(32, 3, padding=1), ReLU(), Conv(32, 3, padding=1), ReLU(), *_END),
    ),
    "valid": ((2, 14, 10), (Conv(32, 3), Conv(48, 3), ReLU(), *_END)),
    "wide padding": ((2, 6, 9), (Conv(32, 3), Conv(32, 3, padding=((2, 0), (1, 2))), *_END)),
    "channels that are no whole vector": (
        (1, 12, 12),
        (Conv(27, 3), ReLU(), Conv(35, 3, padding=1, bias=False), BatchNorm(), *_END),
    ),
    "branches": (
        (1, 8, 8),
        (
            *(Conv(32, 1), ReLU()),
            *(Residual((Conv(32, 3, padding=1), ReLU(), Conv(32, 3, padding=1))), ReLU()),
            *(Concat(((Conv(32, 3, padding=1), ReLU()), ())), *_END),
        ),
    ),
}


def model_of(name: str) -> nn.Model:
    shape, layers = STACKS[name]
    return nn.Model(name, shape, layers, 3)


@pytest.mark.parametrize("images", [16, 21])
@pytest.mark.parametrize("name", STACKS)
def test_a_step_is_that_of_the_twin(name: str, images: int) -> None:
    model = model_of(name)
    hold_to_twin(model, nn.initial_parameters(model, 1), images, 32, 2e-3, algorithm="winograd")


@pytest.mark.parametrize("name", STACKS)
def test_these_networks_go_that_way(name: str) -> None:
    ways = nn.Trainer(model_of(name), batch_size=4, algorithm="winograd").describe()
    assert any(way.sums == "winograd" for way in ways)
    whole = name != "channels that are no whole vector"
    assert any(way.weights == "winograd" for way in ways) == whole


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        (Conv(64, 5, padding=2), "no 3x3 window that moves by one cell"),
        (Conv(64, 3, stride=2, padding=1), "no 3x3 window that moves by one cell"),
        (Conv(64, 3, dilation=2), "no 3x3 window that moves by one cell"),
        (Conv(64, 3, groups=2), "2 groups"),
        (Conv(64, 3, padding=3), "padding wider than 2"),
        (Conv(2, 3), "too little work to save any"),
        (Conv(4096, 3), "too much to transform at once"),
    ],
)
def test_other_layers_do_not(layer: Conv, reason: str) -> None:
    plan = layer.plan((32, 14, 14))
    assert why_not(plan) == reason
    assert why_not_weights(plan) == reason


@pytest.mark.parametrize(
    ("channels", "reason"),
    [
        (32, ""),
        (40, "40 channels, no multiple of 16"),
        (144, "too many weights to transform at once"),
    ],
)
def test_weights_of_some_layers_do_not(channels: int, reason: str) -> None:
    plan = Conv(144, 3).plan((channels, 6, 6))
    assert why_not(plan) == ""
    assert why_not_weights(plan) == reason


def test_a_layer_that_does_not_suit_is_named() -> None:
    layers = (Conv(32, 5), Conv(40, 3), ReLU(), Conv(32, 3), *_END)
    model = nn.Model("some", (1, 14, 14), layers, 3)
    assert nn.Trainer(model, batch_size=4, algorithm="winograd").describe() == [
        ("conv1", "direct", "direct", "no 3x3 window that moves by one cell"),
        ("conv2", "winograd", "winograd", ""),
        ("conv3", "winograd", "direct", "40 channels, no multiple of 16"),
        ("dense1", "direct", "direct", "no 3x3 window that moves by one cell"),
    ]
    for way in nn.Trainer(model, batch_size=4).describe():
        assert way[1:] == ("direct", "direct", "")


def test_a_network_with_no_such_layer_is_refused() -> None:
    with pytest.raises(ArgumentError, match="suits no layer of lenet5") as caught:
        nn.Trainer(nn.build("lenet5"), batch_size=4, algorithm="winograd")
    every = "conv1, conv2, dense1, dense2, dense3"
    assert f"{every} (no 3x3 window that moves by one cell)" in str(caught.value)


def test_both_ways_learn_alike() -> None:
    model = nn.build("mini-vgg")
    x, y = batch(model, 20)
    losses = []
    for algorithm in ("direct", "winograd"):
        trainer = nn.Trainer(model, nn.SGD(0.9), batch_size=20, algorithm=algorithm)
        losses.append([trainer.step(x, y, 0.005)[0] for _ in range(8)])
    assert np.allclose(losses[0], losses[1], rtol=0.02)
    assert losses[0] != losses[1]
    assert losses[0][-1] < losses[0][0] / 2


def test_a_way_that_there_is_not() -> None:
    with pytest.raises(ArgumentError, match="algorithm='fft' is not known"):
        nn.Trainer(nn.build("lenet5"), algorithm="fft")
