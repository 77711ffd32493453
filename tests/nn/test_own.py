"""Layers and losses of one's own: checked, trained by the formulas, kept in files, looked into."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepconv import look_inside, nn
from stepconv.errors import ArgumentError, StepconvError
from stepconv.nn import checkpoint, onnx
from stepconv.nn.layers import LAYERS
from stepconv.nn.loss import LOSSES, cross_entropy
from tests.nn.networks import batch, network


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    """Forget what a test registers."""
    known = dict(LAYERS)
    yield
    LAYERS.clear()
    LAYERS.update(known)


def bent(x: Any) -> Any:
    """Bend numbers as the engine's tanh does."""
    return np.tanh(x)


def bent_backward(x: Any, grad: Any) -> Any:
    return grad * (1 - np.tanh(x) ** 2)


def weighed(x: Any, w: Any, b: Any) -> Any:
    return x @ w.T + b


def weighed_backward(x: Any, w: Any, b: Any, grad: Any) -> Any:
    return grad @ w, grad.T @ x, grad.sum(axis=0)


def learnt(shape: Any) -> Any:
    return {"weight": (5, *shape), "bias": (5,)}


def both() -> tuple[nn.Model, nn.Model]:
    """Return a network of layers of one's own, and the same of the engine's."""
    own = nn.register("bent", bent, bent_backward)
    dense = nn.register("weighed", weighed, weighed_backward, learnt)
    start, between = (nn.Conv(3, 2), nn.Dropout(0.2)), (nn.BatchNorm(), nn.Flatten())
    mine = nn.Model("mine", (2, 4, 4), (*start, own(), *between, dense(), nn.Dense(3)), 3)
    ours = nn.Model("ours", (2, 4, 4), (*start, nn.Tanh(), *between, nn.Dense(5), nn.Dense(3)), 3)
    return mine, ours


@pytest.mark.parametrize("optimizer", [nn.SGD(0.9, weight_decay=0.01), nn.Adam(), nn.Adadelta()])
def test_a_network_of_ones_own_learns_what_the_engines_does(optimizer: Any) -> None:
    mine, ours = both()
    images, labels = batch(ours, 12)
    program = nn.Trainer(ours, optimizer, batch_size=6)
    start = program.parameters().values()
    own = nn.Trainer(
        mine,
        optimizer,
        batch_size=6,
        parameters=dict(zip(mine.parameter_shapes, start, strict=True)),
    )
    for rows in (np.arange(6), np.arange(4, 12, 2), np.arange(6, 12)):
        found = [t.step(images, labels, 0.05, rows) for t in (own, program)]
        assert found[0] == pytest.approx(found[1], rel=1e-4)
        for one, other in zip(own.gradients().values(), program.gradients().values(), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
    for part in ("parameters", "statistics"):
        pairs = zip(getattr(own, part)().values(), getattr(program, part)().values(), strict=True)
        for one, other in pairs:
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(own.logits(images), program.logits(images), rtol=1e-3, atol=1e-4)


def test_a_loss_of_ones_own_is_learnt_by() -> None:
    model = network("conv padded")
    images, labels = batch(model, 8)
    for name in LOSSES:
        trainers = [nn.Trainer(model, batch_size=8, loss=loss) for loss in (name, LOSSES[name])]
        for _ in range(3):
            found = [trainer.step(images, labels, 0.05) for trainer in trainers]
            assert found[0] == pytest.approx(found[1], rel=1e-4)
    mean = look_inside(trainers[1], images[0], int(labels[0]))
    assert mean.loss == pytest.approx(look_inside(trainers[0], images[0], int(labels[0])).loss)
    assert mean.loss != pytest.approx(cross_entropy(mean.logits[None], labels[:1])[0])


def test_training_goes_on_from_a_state_and_frozen_layers_stay() -> None:
    mine, _ = both()
    images, labels = batch(mine, 8)
    trainers = [nn.Trainer(mine, nn.Adam(), batch_size=8, frozen=["weighed1"]) for _ in range(2)]
    start = trainers[0].parameters()
    trainers[0].step(images, labels, 0.1)
    trainers[1].restore(trainers[0].state())
    assert trainers[0].step(images, labels, 0.1) == trainers[1].step(images, labels, 0.1)
    after = trainers[1].parameters()
    for name, array in trainers[0].parameters().items():
        assert np.array_equal(array, after[name])
        assert np.array_equal(array, start[name]) == name.startswith("weighed1")


def test_a_file_keeps_it_by_its_name(tmp_path: Path) -> None:
    mine, _ = both()
    trainer = nn.Trainer(mine)
    file = tmp_path / "own.safetensors"
    checkpoint.save_network(
        file, checkpoint.Network(mine, trainer.parameters(), trainer.statistics())
    )
    assert checkpoint.load_network(file).model == mine
    assert nn.from_toml(nn.to_toml(mine)) == mine
    images, _ = batch(mine, 3)
    again = nn.Predictor(mine, trainer.parameters(), trainer.statistics())
    np.testing.assert_array_equal(again.logits(images), trainer.logits(images))
    with pytest.raises(ArgumentError, match="bent1 is one of your own, which ONNX"):
        onnx.model_bytes(checkpoint.load_network(file))
    del LAYERS["bent"]
    with pytest.raises(StepconvError, match="bent"):
        checkpoint.load_network(file)


def test_it_is_looked_into() -> None:
    mine, ours = both()
    images, _ = batch(mine, 1)
    arrays = {key: {} for key in ("parameters", "statistics")}
    found = []
    for model in (mine, ours):
        names = (model.parameter_shapes, model.statistic_shapes)
        made = nn.Trainer(ours).parameters(), nn.initial_statistics(ours)
        for key, wanted, given in zip(arrays, names, made, strict=True):
            arrays[key] = dict(zip(wanted, given.values(), strict=True))
        found.append(look_inside(model, images[0], 2, **arrays))
    own, ref = found
    for one, other in zip(own.layers, ref.layers, strict=True):
        np.testing.assert_allclose(own[one].output, ref[other].output, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(own[one].grad, ref[other].grad, rtol=1e-4, atol=1e-6)
        index = tuple(size // 2 for size in own[one].shape)
        fields = own.field(one, index), ref.field(other, index)
        assert np.array_equal(fields[0].cells, fields[1].cells)
        assert fields[0].bounds == fields[1].bounds
    for one, other in zip(own.gradients, ref.gradients, strict=True):
        np.testing.assert_allclose(own.gradients[one], ref.gradients[other], rtol=1e-4, atol=1e-6)
    with pytest.raises(ArgumentError, match="one of your own"):
        own["bent1"].trace()


def test_arrays_go_in_by_name() -> None:
    model = network("batch norm")
    images, _ = batch(model, 2)
    trainer, other = (nn.Trainer(model, seed=seed) for seed in (0, 1))
    trainer.load({"conv1.bias": np.ones(5)}, {"batch_norm1.running_mean": [3, 4]})
    assert (trainer.parameters()["conv1.bias"] == 1).all()
    assert trainer.statistics()["batch_norm1.running_mean"].tolist() == [3, 4]
    other.load(trainer.parameters(), trainer.statistics())
    assert np.array_equal(other.logits(images), trainer.logits(images))
    for arrays, said in (({"conv1.bias": np.ones(4)}, "conv1.bias is 4"), ({"x": [1]}, "x is not")):
        with pytest.raises(ArgumentError, match=said):
            trainer.load(arrays)


def square(*given: Any) -> Any:
    return given[0] ** 2


def model_of(backward: Any, forward: Any = square, parameters: Any = None) -> nn.Model:
    own = nn.register("own", forward, backward, parameters)
    return nn.Model("bad", (1, 3, 3), (nn.Conv(2, 1), own(), nn.Flatten(), nn.Dense(2)), 2)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: nn.register("conv", square, square), "kind='conv' is a layer already"),
        (lambda: nn.register("a b", square, square), "kind='a b' is no name of a layer"),
        (lambda: nn.register("own", 3, square), "forward=3 is no function"),
        (lambda: model_of(square, lambda x: x.sum()), "forward gives a number for 1x2x3x3"),
        (lambda: model_of(square, lambda x: x[0]), "forward gives 2x3x3 for 1x2x3x3: one for each"),
        (lambda: model_of(square, lambda x, w: x), "own: forward does not take 1x2x3x3"),
        (lambda: nn.Trainer(model_of(lambda x, g: g * x)), "gradient for x is not the slope"),
        (lambda: nn.Trainer(model_of(lambda x, g: (g, g))), "gives 2 gradients: 1 fit, for x"),
        (
            lambda: nn.Trainer(model_of(lambda x, g: g[:1])),
            "gradient for x of 1x2x3x3: 2x2x3x3 fits",
        ),
        (
            lambda: nn.Trainer(
                model_of(
                    lambda x, w, g: (2 * x * g, 0 * w + 1), parameters=lambda s: {"weight": (2,)}
                )
            ),
            "gradient for weight is not the slope of forward",
        ),
        (
            lambda: nn.Trainer(model_of(lambda x, g: 2 * x * g), backend="cuda"),
            "backend='cuda' knows no layer and no loss of one's own",
        ),
        (lambda: nn.Trainer(network("conv"), loss=lambda z, t: (z.sum(), z)), "is not the slope"),
        (lambda: nn.Trainer(network("conv"), loss=lambda z: 0), "cannot be used"),
        (lambda: nn.Trainer(network("conv"), loss=lambda z, t: (0.0, z[0])), "gradient of shape"),
        (lambda: nn.Trainer(network("conv"), loss="hinge"), "loss='hinge' is not known"),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, said: str) -> None:
    with pytest.raises(StepconvError) as caught:
        make()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
