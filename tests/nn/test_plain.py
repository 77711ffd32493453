"""The plain semantics: each gradient against differences, each network against PyTorch."""

from typing import Any

import numpy as np
import pytest

from stepconv import nn
from stepconv.nn import twin
from tests.nn.networks import STACKS, batch, network, remembered, some_of_the_zoo, weights


def differences(
    model: nn.Model, values: dict[str, Any], stats: Any, images: Any, labels: Any, loss: str
) -> None:
    """Compare some gradients of every parameter with what a small push does to the loss."""
    found = twin.step(model, values, stats, images, labels, loss=loss, key=5)
    draw = np.random.default_rng(0)
    push = 1e-6
    assert set(found.gradients) == set(values)
    for name, array in values.items():
        for place in draw.choice(array.size, min(3, array.size), replace=False):
            losses = []
            for way in (push, -push):
                pushed = array.copy()
                pushed.flat[place] += way
                pushed_all = {**values, name: pushed}
                made = twin.step(model, pushed_all, stats, images, labels, loss=loss, key=5)
                losses.append(made.loss)
            expected = (losses[0] - losses[1]) / (2 * push)
            assert found.gradients[name].flat[place] == pytest.approx(expected, rel=1e-4, abs=1e-7)


@pytest.mark.parametrize("name", [*STACKS, *some_of_the_zoo("lenet5")])
def test_gradients_are_what_differences_say(name: str) -> None:
    model = network(name)
    images, labels = batch(model, 2, np.float64)
    stats = remembered(model, np.float64)
    differences(model, weights(model, np.float64), stats, images, labels, "cross-entropy")


def test_gradients_of_the_squared_error() -> None:
    model = network("conv")
    images, labels = batch(model, 3, np.float64)
    differences(model, weights(model, np.float64), {}, images, labels, "mean-squared-error")


@pytest.mark.parametrize("name", [*STACKS, *some_of_the_zoo("mlp", "lenet5")])
def test_pytorch_says_the_same(name: str) -> None:
    torch = pytest.importorskip("torch")
    from tests.nn import torch_twin

    model = network(name)
    images, labels = batch(model, 3, np.float64)
    values, stats = weights(model, np.float64), remembered(model, np.float64)
    other = torch_twin.twin(model, values, stats, torch.float64)
    x, y = torch.tensor(images), torch.tensor(labels)

    other.eval()
    expected = other(x).detach().numpy()
    assert np.allclose(twin.logits(model, values, stats, images), expected, atol=1e-10)

    other.train()
    if "dropout" in {place.layer.kind for place in model.places}:
        return  # it draws other cells than PyTorch
    found = twin.step(model, values, stats, images, labels)
    loss = torch.nn.functional.cross_entropy(other(x), y)
    loss.backward()
    assert found.loss == pytest.approx(loss.item(), rel=1e-9)
    for key, parameter in other.named_parameters():
        assert np.allclose(found.gradients[key], parameter.grad.numpy(), atol=1e-9), key
    after = other.state_dict()
    for key, array in found.statistics.items():
        assert np.allclose(array, after[key].numpy(), atol=1e-10), key


def test_the_squared_error_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    logits, labels = np.random.default_rng(0).standard_normal((5, 4)), np.array([0, 3, 1, 1, 2])
    tensor = torch.tensor(logits, requires_grad=True)
    target = torch.nn.functional.one_hot(torch.tensor(labels), 4).double()
    expected = torch.nn.functional.mse_loss(tensor, target)
    expected.backward()
    loss, gradient = nn.loss.mean_squared_error(logits, labels)
    assert loss == pytest.approx(expected.item())
    assert np.allclose(gradient, tensor.grad.numpy())


def test_dropout_silences_its_share_and_scales_the_rest() -> None:
    model = network("dropout")
    images, _ = batch(model, 4)
    values = weights(model)
    quiet = twin.logits(model, values, {}, images)
    loud = twin.step(model, values, {}, images, np.zeros(4, int), key=1).logits
    other = twin.step(model, values, {}, images, np.zeros(4, int), key=2).logits
    assert not np.allclose(quiet, loud)
    assert not np.allclose(other, loud)


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_a_share_of_cells_is_kept(rate: float) -> None:
    keep = nn.dropout.kept(nn.dropout.step_key(3, 7), 2, 100, 1000, rate)
    assert keep.mean() == pytest.approx(1 - rate, abs=0.01)
    # Each image and each cell gets its share as well, and neighbours know nothing of each other.
    assert np.abs(keep.mean(axis=0) - (1 - rate)).max() < 0.22
    assert np.abs(keep.mean(axis=1) - (1 - rate)).max() < 0.08
    if rate > 0:
        both = np.corrcoef(keep[:, 1:].ravel(), keep[:, :-1].ravel())[0, 1]
        assert abs(both) < 0.02


def test_keys_differ_from_seed_to_seed_and_step_to_step() -> None:
    keys = {nn.dropout.step_key(seed, step) for seed in range(40) for step in range(40)}
    assert len(keys) == 1600
    assert nn.dropout.mixed(12345) == int(nn.dropout._mixed_all(np.array([12345], np.uint64))[0])
