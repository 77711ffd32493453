"""A training: it learns, follows PyTorch's optimisers, resumes bit for bit, on any threads."""

import hashlib
from typing import Any

import numpy as np
import pytest

from stepconv import nn
from stepconv.errors import ArgumentError
from tests.kernels.processes import run
from tests.nn.networks import batch, network, remembered, weights
from tests.nn.test_optim import PAIRS


def shapes(count: int, seed: int = 0) -> tuple[Any, Any]:
    """Return pictures of a bright square on noise; where it lies is the label."""
    draw = np.random.default_rng(seed)
    pictures = draw.integers(0, 100, (count, 28, 28)).astype(np.uint8)
    labels = draw.integers(0, 10, count)
    for picture, label in zip(pictures, labels, strict=True):
        y, x = 4 + 12 * (label // 5), 2 + 5 * (label % 5)
        y, x = y + draw.integers(-2, 3), x + draw.integers(-1, 2)
        picture[y : y + 5, x : x + 4] = 255
    return pictures, labels


@pytest.mark.parametrize(
    ("name", "steps"),
    [
        ("lenet5", 200),
        ("mlp", 200),
        *(
            pytest.param(name, 200, marks=pytest.mark.slow)
            for name in nn.ZOO
            if name not in ("lenet5", "mlp")
        ),
    ],
)
def test_many_steps_make_the_loss_small(name: str, steps: int) -> None:
    pictures, labels = shapes(640)
    trainer = nn.Trainer(nn.build(name), nn.SGD(0.9), batch_size=48, seed=0)
    draw = np.random.default_rng(1)
    # Networks that end in a mean over the picture find out more slowly where something lies.
    rate = 0.05 if name in ("mini-googlenet", "mini-resnet", "mini-densenet") else 0.01
    losses = []
    for _ in range(steps):
        rows = draw.choice(640, 48, replace=False)
        losses.append(trainer.step(pictures, labels, rate, rows)[0])
    assert np.mean(losses[:3]) > 1.5
    assert np.mean(losses[-20:]) < 0.15
    others, wanted = shapes(100, seed=9)
    assert (trainer.logits(others).argmax(axis=1) == wanted).mean() > 0.95


@pytest.mark.parametrize(("optimizer", "name", "options"), PAIRS)
def test_ten_steps_are_pytorchs(optimizer: Any, name: str, options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    from tests.nn.torch_twin import twin

    model = network("conv padded")
    values = weights(model)
    trainer = nn.Trainer(model, optimizer, batch_size=20, parameters=values)
    other = twin(model, values, {}, torch.float32)
    judge = getattr(torch.optim, name)(other.parameters(), lr=0.01, **options)
    for step in range(10):
        x, y = batch(model, 20, seed=step)
        loss, _ = trainer.step(x, y, 0.01)
        judge.zero_grad()
        expected = torch.nn.functional.cross_entropy(other(torch.tensor(x)), torch.tensor(y))
        expected.backward()
        judge.step()
        assert loss == pytest.approx(expected.item(), rel=1e-3)
    after = trainer.parameters()
    for key, parameter in other.named_parameters():
        assert np.allclose(after[key], parameter.detach().numpy(), atol=2e-4), key


@pytest.mark.parametrize("optimizer", [nn.SGD(0.9, nesterov=True), nn.AdamW()])
@pytest.mark.parametrize("name", ["dropout", "concat grown"])
def test_a_training_goes_on_bit_for_bit(optimizer: Any, name: str) -> None:
    model = network(name)

    def steps(trainer: nn.Trainer, first: int, last: int) -> None:
        for step in range(first, last):
            trainer.step(*batch(model, 7 + step, seed=step), 0.05)

    straight = nn.Trainer(model, optimizer, batch_size=20, seed=4)
    steps(straight, 0, 9)
    broken = nn.Trainer(model, optimizer, batch_size=20, seed=4)
    steps(broken, 0, 5)
    state = broken.state()
    steps(broken, 5, 6)  # what comes after belongs to the state no more
    again = nn.Trainer(model, optimizer, batch_size=20, seed=1)
    again.restore(state)
    steps(again, 5, 9)
    first, second = straight.state(), again.state()
    assert first.keys() == second.keys()
    assert all(first[key].tobytes() == second[key].tobytes() for key in first)


def test_a_state_of_another_training_is_refused() -> None:
    model = network("conv")
    sgd, adam = nn.Trainer(model, nn.SGD()), nn.Trainer(model, nn.Adam())
    with pytest.raises(ArgumentError, match="the state has no mean"):
        adam.restore(sgd.state())
    with pytest.raises(ArgumentError, match="the state has no velocity"):
        sgd.restore(adam.state())
    other = nn.Trainer(network("conv strided"), nn.SGD())
    before = sgd.state()
    with pytest.raises(ArgumentError, match=r"velocity conv1\.weight is 7x3x3x3"):
        sgd.restore(other.state())
    after = sgd.state()
    assert all(before[key].tobytes() == after[key].tobytes() for key in before)


def digest(threads: int) -> str:
    """Return a hash of what some steps on so many threads make of several networks."""
    from stepconv.kernels.compile import use_threads

    use_threads(threads)
    bits = hashlib.sha256()
    for name in ("lenet5", "mini-resnet", "mini-googlenet", "mini-alexnet", "residual"):
        model = network(name)
        trainer = nn.Trainer(
            model,
            nn.AdamW() if name == "residual" else nn.SGD(),
            batch_size=70,
            statistics=remembered(model),
        )
        for step in range(12 if name in ("lenet5", "residual") else 3):
            trainer.step(*batch(model, 70 - 9 * (step % 2), seed=step), 0.01)
        x, _ = batch(model, 33)
        every = [*trainer.state().values(), trainer.logits(x)]
        bits.update(b"".join(array.tobytes() for array in every))
    return bits.hexdigest()


@pytest.mark.slow
def test_the_number_of_threads_changes_no_bit() -> None:
    script = """
from tests.nn.test_training import digest
print(json.dumps([digest(threads) for threads in (1, 2, 4, 2)]))
"""
    found = run(script, NUMBA_NUM_THREADS="4")
    assert len(set(found)) == 1
    assert len(found) == 4


def test_frozen_layers_keep_what_they_have() -> None:
    model = nn.build("lenet5")
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (40, 1, 28, 28), np.uint8)
    labels = draw.integers(0, 10, 40)
    frozen = ("conv1", "dense2")
    trainer = nn.Trainer(model, batch_size=40, frozen=frozen)
    before = trainer.parameters()
    for _ in range(3):
        trainer.step(images, labels, 0.05)
    for name, array in trainer.parameters().items():
        assert np.array_equal(array, before[name]) == name.startswith(frozen)


def test_what_moves_beside_frozen_layers_moves_as_it_would() -> None:
    model = nn.build("lenet5")
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (40, 1, 28, 28), np.uint8)
    labels = draw.integers(0, 10, 40)
    free, held = nn.Trainer(model), nn.Trainer(model, frozen=("conv2", "dense1"))
    for trainer in (free, held):
        trainer.step(images, labels, 0.05)
    for name, array in held.parameters().items():
        if not name.startswith(("conv2", "dense1")):
            assert np.array_equal(array, free.parameters()[name])


def test_only_layers_with_weights_are_frozen() -> None:
    with pytest.raises(ArgumentError, match="frozen layer 'relu1' has no weights: conv1, conv2"):
        nn.Trainer(nn.build("lenet5"), frozen=("relu1",))


@pytest.mark.parametrize(
    "optimizer",
    [
        nn.SGD(0.9, weight_decay=0.01, l1=0.002, clip=0.01),
        nn.Adam(l1=0.002, clip=0.01),
        nn.AdamW(clip=0.02),
        nn.RMSprop(weight_decay=0.01),
        nn.Adadelta(),
        nn.Adadelta(0.8, 1e-5, weight_decay=0.01, l1=0.002, clip=0.01),
    ],
    ids=lambda optimizer: optimizer.kind,
)
def test_updates_follow_the_formula(optimizer: Any) -> None:
    draw = np.random.default_rng(0)
    images = draw.integers(0, 256, (30, 1, 28, 28), np.uint8)
    labels = draw.integers(0, 10, 30)
    trainer = nn.Trainer(nn.build("lenet5"), optimizer, batch_size=30)
    moments = {
        name: [np.zeros_like(array) for _ in optimizer.moments]
        for name, array in trainer.parameters().items()
    }
    for step in range(1, 5):
        wanted = trainer.parameters()
        trainer.step(images, labels, 0.02)
        for name, gradient in trainer.gradients().items():
            optimizer.update(wanted[name], gradient, moments[name], 0.02, step)
            assert np.allclose(trainer.parameters()[name], wanted[name], rtol=1e-4, atol=1e-6)
