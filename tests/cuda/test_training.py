"""Training on a GPU: the plain semantics' gradients, the CPU's steps, and states that go across.

In the simulator with batches of two or three pictures, on a card with larger ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepconv import nn
from stepconv.errors import ArgumentError
from stepconv.nn import (
    Conv,
    Dense,
    Flatten,
    MaxPool,
    Model,
    ReLU,
    twin,
)
from stepconv.nn.dropout import step_key
from tests.conftest import BACKENDS, NO_CARD, NO_SIMULATOR, SIMULATED
from tests.nn.networks import STACKS, batch, network, remembered, weights
from tests.nn.test_program import doubled

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif("cuda" not in BACKENDS, reason=NO_CARD),
]

IMAGES = 2 if SIMULATED else 70

# Many channels are many tiles, which the simulator has in every network.
SLOW = {"conv of many"} if SIMULATED else set()
# With so few pictures a channel of a flat row is nearly constant, and divided by nearly nothing.
CLOSE = {"batch norm": 2e-2}


def on_card(model: Model, optimizer: Any = None, **options: Any) -> nn.Trainer:
    return nn.Trainer(model, optimizer, **{"batch_size": IMAGES + 1, **options}, backend="cuda")


def close(got: dict[str, Any], wanted: dict[str, Any], share: float) -> None:
    """Compare arrays by name: differences are shares of the largest number of all."""
    assert got.keys() == wanted.keys()
    largest = max(np.abs(array).max() for array in wanted.values())
    for name, array in wanted.items():
        assert np.abs(got[name] - array).max() <= share * largest, name


def bits(trainer: nn.Trainer) -> bytes:
    return b"".join(array.tobytes() for array in trainer.state().values())


@pytest.mark.parametrize("name", [name for name in STACKS if name not in SLOW])
def test_a_step_is_that_of_the_twin(name: str) -> None:
    model = network(name)
    values, stats = weights(model), remembered(model)
    x, y = batch(model, IMAGES)
    trainer = on_card(model, nn.SGD(0.0), seed=3, parameters=values, statistics=stats)
    wide = x.astype(np.float64)
    ref = twin.step(model, doubled(values), doubled(stats), wide, y, key=step_key(3, 1))

    loss, correct = trainer.step(x, y, 0.5)
    assert loss == pytest.approx(ref.loss, rel=1e-3, abs=1e-5)
    assert correct == ref.correct
    gradients, after = trainer.gradients(), trainer.parameters()
    close(gradients, ref.gradients, CLOSE.get(name, 1e-5 if SIMULATED else 1e-4))
    for key, array in after.items():
        np.testing.assert_allclose(array, values[key] - 0.5 * gradients[key], atol=1e-6)
    for key, array in trainer.statistics().items():
        np.testing.assert_allclose(array, ref.statistics[key], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["batch norm", "dropout", "global avg pool", "max pool with gaps"])
def test_answers_are_those_of_the_twin(name: str) -> None:
    model = network(name)
    values, stats = weights(model), remembered(model)
    x, _ = batch(model, 3)
    ref = twin.logits(model, doubled(values), doubled(stats), x.astype(np.float64))
    for at_once in (2, None):  # with a rest, and by the usual number
        predictor = nn.Predictor(model, values, stats, batch_size=at_once, backend="cuda")
        comp = predictor.logits(x)
        assert np.abs(comp - ref).max() <= 1e-5 * max(1, np.abs(ref).max())
    assert predictor.logits(x[:0]).shape == (0, 3)


def test_the_squared_error_is_that_of_the_twin() -> None:
    model = network("tanh")
    values = weights(model)
    x, y = batch(model, IMAGES)
    trainer = on_card(model, nn.SGD(0.0), parameters=values, loss="mean-squared-error")
    ref = twin.step(model, doubled(values), {}, x.astype(np.float64), y, loss="mean-squared-error")
    assert trainer.step(x, y, 0.0)[0] == pytest.approx(ref.loss, rel=1e-5)
    close(trainer.gradients(), ref.gradients, 1e-5)


SMALL = Model(
    "small",
    (1, 6, 5),
    (
        *(Conv(3, 3, padding=1), nn.BatchNorm(), ReLU(), MaxPool(2)),
        *(nn.Dropout(0.3), Flatten(), Dense(3)),
    ),
    3,
)
# Adam goes by signs where gradients are nearly 0; a larger epsilon makes it go by their size.
EPSILON = 1e-3
OPTIMIZERS = [
    nn.SGD(0.0),
    nn.SGD(0.9, weight_decay=0.01),
    nn.SGD(0.9, nesterov=True),
    nn.Adam(epsilon=EPSILON, weight_decay=0.01),
    nn.AdamW(epsilon=EPSILON),
    nn.SGD(0.9, clip=0.05),
    nn.RMSprop(epsilon=EPSILON, clip=0.05),
    nn.Adadelta(epsilon=EPSILON, weight_decay=0.01, l1=0.002),
]


def steps(trainer: nn.Trainer, first: int, last: int) -> list[float]:
    """Take some steps, with batches of two sizes."""
    losses = []
    for step in range(first, last):
        x, y = batch(SMALL, IMAGES + step % 2, seed=step)
        losses.append(trainer.step(x, y, 0.01)[0])
    return losses


@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
def test_steps_are_those_of_the_cpu(optimizer: Any) -> None:
    trainer = on_card(SMALL, optimizer, seed=5)
    other = nn.Trainer(SMALL, optimizer, batch_size=IMAGES + 1, seed=5)
    np.testing.assert_allclose(steps(trainer, 0, 3), steps(other, 0, 3), rtol=2e-3)
    got, wanted = trainer.state(), other.state()
    assert list(got) == list(wanted)
    for name, array in wanted.items():
        np.testing.assert_allclose(got[name], array, rtol=1e-2, atol=2e-4, err_msg=name)


@pytest.mark.parametrize("order", [("cpu", "cuda"), ("cuda", "cpu")])
def test_a_training_goes_on_with_the_other_backend(order: tuple[str, str]) -> None:
    first, second = (
        nn.Trainer(
            SMALL, nn.Adam(epsilon=EPSILON), batch_size=IMAGES + 1, seed=seed, backend=backend
        )
        for seed, backend in zip((5, 6), order, strict=True)
    )
    steps(first, 0, 2)
    second.restore(first.state())
    assert bits(second) == bits(first)  # the state itself is taken over bit for bit
    np.testing.assert_allclose(steps(second, 2, 4), steps(first, 2, 4), rtol=2e-3)
    for name, array in first.state().items():
        np.testing.assert_allclose(second.state()[name], array, rtol=1e-2, atol=2e-4, err_msg=name)


def test_a_training_goes_on_bit_for_bit() -> None:
    straight, broken = on_card(SMALL, seed=5), on_card(SMALL, seed=5)
    steps(straight, 0, 3)
    steps(broken, 0, 2)
    again = on_card(SMALL, seed=7)
    again.restore(broken.state())
    steps(again, 2, 3)
    assert bits(again) == bits(straight)


@pytest.mark.skipif(not SIMULATED, reason=NO_SIMULATOR + "lets a test order threads")
def test_the_order_of_threads_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.cuda.simulator import Block

    forwards, backwards = on_card(SMALL, seed=5), on_card(SMALL, seed=5)
    steps(forwards, 0, 2)
    monkeypatch.setattr(Block, "backwards", True)
    steps(backwards, 0, 2)
    assert bits(forwards) == bits(backwards)


def test_a_set_that_was_brought_is_trained_on_like_one_of_the_host() -> None:
    draw = np.random.default_rng(0)
    pictures = draw.integers(0, 256, (7, 6, 5)).astype(np.uint8)
    labels = draw.integers(0, 3, 7).astype(np.uint8)
    every = []
    for way in ("host", "brought", "batches"):
        trainer = on_card(SMALL, seed=5, scale=0.01)
        given = trainer.bring(pictures, labels) if way == "brought" else (pictures, labels)
        for rows in ([5, 0], [6, 2, 1], [3, 4]):
            if way == "batches":
                found = trainer.step(pictures[rows], labels[rows], 0.1)
            else:
                found = trainer.step(*given, 0.1, rows)
        every.append((found, bits(trainer)))
    assert every[0] == every[1] == every[2]


def test_steps_made_together_are_those_made_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    from stepconv.nn.cuda import program

    monkeypatch.setattr(program, "TOGETHER", 3)  # so that some steps are left over
    draw = np.random.default_rng(0)
    pictures = draw.integers(0, 256, (7, 6, 5)).astype(np.uint8)
    labels = draw.integers(0, 3, 7)
    batches = [(0.1, [5, 0]), (0.2, [6, 2, 1]), (0.1, [3, 4]), (0.05, [1]), (0.1, [0, 6])]
    singly, together = on_card(SMALL, seed=5, scale=0.01), on_card(SMALL, seed=5, scale=0.01)
    wanted = [singly.step(pictures, labels, rate, rows) for rate, rows in batches]
    assert singly.learn(pictures, labels, []) == []
    assert together.together == 3
    assert together.learn(*together.bring(pictures, labels), batches) == wanted
    assert together.steps == 5
    assert bits(together) == bits(singly)


def test_every_layer_is_summed_directly() -> None:
    model = nn.build("mini-vgg")
    for way in nn.Trainer(model, batch_size=4, algorithm="winograd", backend="cuda").describe():
        assert way[1:] == ("direct", "direct", "a GPU has no other way")
    assert {way.why for way in on_card(SMALL).describe()} == {""}


def test_a_rehearsal_changes_nothing() -> None:
    trainer = on_card(SMALL, seed=5)
    before = bits(trainer)
    trainer.rehearse(*batch(SMALL, IMAGES))
    assert bits(trainer) == before


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda t, x, y: t.step(*on_card(SMALL).bring(x, y), 0.1), "that `bring` returned last"),
        (lambda t, x, y: t.bring(x, y[:1]), "1 labels do not fit 2 images"),
        (lambda t, x, y: t.bring(x, y + 3), "0 to 2 fit"),
        (lambda t, x, y: t.bring(x[:, :, 1:], y), "the network reads 1x6x5"),
        (lambda t, x, y: t.step(*t.bring(x, y), 0.1, [0, 2]), "there are 2 images"),
        (lambda t, x, y: t.step(*t.bring(x, y), 0.1, [0] * 99), "the batch has 99 images"),
        (lambda t, x, y: nn.Trainer(t.model, backend="textbook"), "backend='textbook'"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, said: str) -> None:
    x, y = batch(SMALL, 2)
    with pytest.raises(ArgumentError) as caught:
        call(on_card(SMALL), x, y)
    assert said in str(caught.value)


def test_a_picture_that_is_not_a_number_shows_in_the_loss() -> None:
    trainer = on_card(SMALL)
    x, y = batch(SMALL, 2)
    x[1] = np.nan
    assert np.isnan(trainer.step(x, y, 0.1)[0])


# How many kernels a step of 64 pictures takes, as docs/gpu.md says. The simulator's tiles are so
# small that no sum has to be split for want of them.
LAUNCHES = {
    "mlp": 14,
    "lenet5": 23,
    "mini-alexnet": 30,
    "mini-zfnet": 32,
    "mini-vgg": 26,
    "mini-googlenet": 99,
    "mini-resnet": 87,
    "mini-densenet": 92,
}


@pytest.mark.parametrize("name", nn.ZOO)
def test_every_network_of_the_zoo_is_a_few_launches(name: str) -> None:
    trainer = nn.Trainer(nn.build(name), batch_size=64, backend="cuda")
    launches = trainer._program.launches(64)
    assert launches <= LAUNCHES[name] if SIMULATED else launches == LAUNCHES[name]
    counts = {key: str(count) for key, count in LAUNCHES.items()}
    page = Path(__file__).parents[2].joinpath("docs/gpu.md").read_text("utf-8")
    for row in (counts.keys(), counts.values()):
        assert f"| {' | '.join(row)} |" in page


def test_a_run_is_that_of_the_cpu() -> None:
    from stepconv.train import events, loop
    from stepconv.train.data import DataSet, Samples
    from stepconv.train.recipe import Recipe

    draw = np.random.default_rng(0)
    pictures = draw.integers(0, 256, (9, 1, 6, 5)).astype(np.uint8)
    labels = draw.integers(0, 3, 9)
    some, none = Samples(pictures, labels), Samples(pictures[:0], labels[:0])
    data = DataSet("some", "", ("a", "b", "c"), some, none, some)
    for augment in (False, True):
        how = Recipe(epochs=2, batch_size=4, augment=augment)
        found = []
        for backend in ("cpu", "cuda"):
            trainer = nn.Trainer(SMALL, how.make_optimizer(), batch_size=4, backend=backend)
            *_, last = loop.train(trainer, data, how)
            assert isinstance(last, events.Finished)
            assert trainer.steps == 6
            found.append([metrics.train_loss for metrics in last.history])
        np.testing.assert_allclose(found[1], found[0], rtol=1e-2)


def test_a_run_folder_goes_from_one_backend_to_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from stepconv.cli import main
    from stepconv.train import loop

    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    Path("small.toml").write_text(nn.to_toml(SMALL))
    np.savez("some.npz", x=draw.integers(0, 256, (12, 6, 5)).astype(np.uint8), y=[0, 1, 2] * 4)
    run = ["train", "small.toml", "--data", "some.npz", "--epochs", "2", "--out", "run"]
    accuracy = loop.accuracy
    with monkeypatch.context() as broken:
        # Stopped after the first epoch, as by somebody who needs the card.
        def stop_after(trainer: Any, samples: Any) -> float:
            broken.setattr(loop, "isfinite", lambda loss: False)
            return accuracy(trainer, samples)

        broken.setattr(loop, "accuracy", stop_after)
        assert main([*run, "--quiet", "--backend", "cuda"]) == 1
    assert main([*run, "--quiet", "--resume"]) == 0
    capsys.readouterr()
    told = []
    for backend in ("cpu", "cuda"):
        assert main(["evaluate", "run", "--json", "--backend", backend]) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    assert len(Path("run/metrics.jsonl").read_text().splitlines()) == 2


@pytest.mark.skipif(SIMULATED, reason="only a card makes graphs: the simulator has none")
def test_a_graph_computes_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    from stepconv.kernels.cuda.network import sequence

    as_graph, singly = on_card(SMALL, seed=5), on_card(SMALL, seed=5)
    steps(as_graph, 0, 8)
    [[made, *_], *_] = as_graph._program._sequences.values()
    assert made._graph is not None
    monkeypatch.setattr(sequence, "_captured", lambda launches: None)
    steps(singly, 0, 8)
    assert bits(as_graph) == bits(singly)


@pytest.mark.parametrize("optimizer", [nn.SGD(0.9), nn.Adam(), nn.Adadelta()])
def test_frozen_layers_keep_what_they_have(optimizer: Any) -> None:
    model = network("tanh")
    x, y = batch(model, IMAGES)
    free, held = (
        on_card(model, optimizer, seed=3, parameters=weights(model), frozen=frozen)
        for frozen in ((), ("conv1",))
    )
    before = held.parameters()
    for trainer in (free, held):
        trainer.step(x, y, 0.5)
    moved = free.parameters()
    for name, array in held.parameters().items():
        frozen = name.startswith("conv1.")
        assert np.array_equal(array, before[name] if frozen else moved[name])
        assert not np.array_equal(moved[name], before[name])
