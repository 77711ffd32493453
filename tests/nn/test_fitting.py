"""Networks of the zoo are made for pictures of any size, for signals, for other classes."""

import numpy as np
import pytest

from stepconv import nn
from stepconv.errors import ArgumentError

PICTURES = [(1, 8, 8), (3, 16, 16), (3, 32, 32), (3, 64, 48), (3, 224, 224)]
SIGNALS = [(1, 1, 187), (12, 1, 900)]


@pytest.mark.parametrize("name", nn.ZOO)
def test_what_is_written_down_stays(name):
    made = nn.build(name)
    assert made == nn.build(name, (1, 28, 28), 10)
    assert made.layers == nn.ZOO[name]()


@pytest.mark.parametrize("shape", [*PICTURES, *SIGNALS], ids=str)
@pytest.mark.parametrize("name", nn.ZOO)
def test_every_network_fits_every_picture(name, shape):
    made = nn.build(name, shape, 3)
    assert made.input_shape == shape
    assert made.classes == 3
    if name != "mlp":
        assert made.multiplications < 100e6
        assert made.parameter_count < 3e6


@pytest.mark.parametrize("name", ["lenet5", "mini-googlenet", "mini-resnet", "mini-densenet"])
def test_a_network_for_signals_learns_from_them(name):
    rng = np.random.default_rng(0)
    labels = np.arange(32) % 2
    signals = rng.normal(size=(32, 2, 1, 60)).astype(np.float32) + 3 * labels[:, None, None, None]
    trainer = nn.Trainer(nn.build(name, (2, 1, 60), 2), batch_size=32)
    losses = [trainer.step(signals, labels, 0.01)[0] for _ in range(15)]
    assert losses[-1] < losses[0] / 2


def test_what_does_not_fit_is_said():
    with pytest.raises(ArgumentError, match="lenet5 cannot be made for pictures of 1x2x2: layer"):
        nn.build("lenet5", (1, 2, 2), 3)
