"""The fast program says what the plain semantics say: every layer, any batch, any option."""

from typing import Any

import numpy as np
import pytest

from stepconv import nn
from stepconv.errors import StepconvError
from stepconv.nn import twin
from stepconv.nn.dropout import step_key
from tests.nn.networks import STACKS, batch, network, remembered, some_of_the_zoo, weights

# In float32, against the plain semantics in float64: shares of the largest gradient.
CLOSE = {"batch norm": 2e-3}


def doubled(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: array.astype(np.float64) for name, array in arrays.items()}


def hold_to_twin(
    model: nn.Model,
    values: dict[str, Any],
    images: int,
    batch_size: int,
    close: float,
    *,
    loss: str = "cross-entropy",
    algorithm: str = "direct",
) -> None:
    """Compare one step and the answers with the plain semantics."""
    stats = remembered(model)
    x, y = batch(model, images)
    trainer = nn.Trainer(
        model,
        nn.SGD(0.0),
        batch_size=batch_size,
        seed=3,
        parameters=values,
        statistics=stats,
        loss=loss,
        algorithm=algorithm,
    )
    comp = trainer.logits(x)
    ref_logits = twin.logits(model, doubled(values), doubled(stats), x.astype(np.float64))
    rounding = 1e-5 if algorithm == "direct" else 5e-5
    assert np.abs(comp - ref_logits).max() <= rounding * max(1, np.abs(ref_logits).max())

    ref = twin.step(
        *(model, doubled(values), doubled(stats), x.astype(np.float64), y),
        loss=loss,
        key=step_key(3, 1),
    )
    found, correct = trainer.step(x, y, 0.5)
    assert found == pytest.approx(ref.loss, rel=1e-4, abs=1e-5)
    assert correct == ref.correct
    gradients, after, seen = trainer.gradients(), trainer.parameters(), trainer.statistics()
    largest = max(np.abs(array).max() for array in ref.gradients.values())
    assert list(gradients) == list(model.parameter_shapes)
    for name, array in gradients.items():
        assert np.abs(array - ref.gradients[name]).max() <= close * largest, name
        moved = values[name] - np.float32(0.5) * array
        assert np.abs(after[name] - moved).max() <= 1e-6 * max(1, np.abs(moved).max()), name
    for name, array in seen.items():
        assert np.allclose(array, ref.statistics[name], rtol=1e-4, atol=1e-5), name


@pytest.mark.parametrize(("images", "batch_size"), [(16, 16), (5, 40), (37, 37)])
@pytest.mark.parametrize("name", STACKS)
def test_a_step_is_that_of_the_twin(name: str, images: int, batch_size: int) -> None:
    model = network(name)
    hold_to_twin(model, weights(model), images, batch_size, CLOSE.get(name, 1e-4))


@pytest.mark.parametrize("name", some_of_the_zoo("mlp", "lenet5"))
def test_the_zoo_is_that_of_the_twin(name: str) -> None:
    model = network(name)
    # A sum that is nearly 0 may fall on the other side of a ReLU.
    hold_to_twin(model, nn.initial_parameters(model, 1), 3, 20, 5e-3)


def test_the_squared_error_is_that_of_the_twin() -> None:
    model = network("conv")
    hold_to_twin(model, weights(model), 21, 30, 1e-4, loss="mean-squared-error")


def test_a_batch_of_another_size_leaves_nothing_behind() -> None:
    model = network("concat grown")
    values, stats = weights(model), remembered(model)
    x, y = batch(model, 50)

    def gradients(*sizes: int) -> Any:
        trainer = nn.Trainer(model, nn.SGD(0.0), batch_size=50, parameters=values, statistics=stats)
        for size in sizes:
            trainer.step(100 * x[:size] if size > 7 else x[:size], y[:size], 0.0)
        return trainer.gradients()

    alone, after = gradients(7), gradients(50, 33, 7)
    # What is remembered shifts the sums of a norm, so a rounding may differ: nothing else does.
    assert all(np.allclose(alone[name], after[name], rtol=1e-3, atol=1e-6) for name in alone)


def test_images_may_be_bytes_and_rows_of_a_set() -> None:
    model = nn.build("lenet5")
    draw = np.random.default_rng(0)
    pictures = draw.integers(0, 256, (50, 28, 28)).astype(np.uint8)
    labels = draw.integers(0, 10, 50).astype(np.uint8)
    rows = draw.permutation(50)[:20]
    as_floats = (pictures[:, None] / 255).astype(np.float32)
    results = []
    for images, wanted, order in (
        (pictures, labels, rows),
        (as_floats, labels, rows),
        (pictures[rows], labels[rows], None),
        (as_floats[rows][:, :, ::-1][:, :, ::-1], labels[rows].astype(float), None),
        (as_floats.astype(">f8"), labels, rows),
        (np.asfortranarray(pictures), labels, list(rows)),
    ):
        trainer = nn.Trainer(model, batch_size=20, seed=1)
        loss, _ = trainer.step(images, wanted, 0.1, order)
        results.append((loss, trainer.parameters()["conv1.weight"]))
        assert trainer.logits(images, order).shape == (20, 10)
    for loss, weight in results[1:]:
        assert loss == pytest.approx(results[0][0], rel=1e-5)
        assert np.allclose(weight, results[0][1], atol=1e-6)


def test_a_predictor_answers_as_the_trainer_does() -> None:
    model = network("batch norm")
    trainer = nn.Trainer(model, batch_size=16, seed=2)
    x, y = batch(model, 16)
    trainer.step(x, y, 0.1)
    predictor = nn.Predictor(model, trainer.parameters(), trainer.statistics(), batch_size=17)
    assert np.allclose(predictor.logits(x), trainer.logits(x), atol=1e-6)
    assert predictor.logits(x[:1]).tobytes() == trainer.logits(x)[:1].tobytes()
    assert predictor.logits(x[:0]).shape == (0, 3)


def test_a_picture_that_is_not_a_number_shows_in_the_loss() -> None:
    trainer = nn.Trainer(network("max pool"), batch_size=4)
    x, y = batch(network("max pool"), 4)
    x[1] = np.nan
    assert np.isnan(trainer.step(x, y, 0.1)[0])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda t, x, y: t.step(x[:3], y, 0.1), "4 labels do not fit 3 images"),
        (lambda t, x, y: t.step(x[:0], y[:0], 0.1), "the batch has 0 images: 1 to batch_size=4"),
        (lambda t, x, y: t.step([*x, *x], [*y, *y], 0.1), "the batch has 8 images"),
        (lambda t, x, y: t.step(x, y + 3, 0.1), "0 to 2 fit"),
        (lambda t, x, y: t.step(x[:, :1], y, 0.1), "images are 1x7x6: the network reads 2x7x6"),
        (lambda t, x, y: t.step(x, y, 0.1, [0, 4]), "rows run from 0 to 4: there are 4 images"),
        (lambda t, x, y: t.logits(x.astype(complex)), "images are complex128"),
        (lambda t, x, y: t.restore({"steps": y}), "the state has no parameter"),
        (lambda t, x, y: nn.Trainer(t.model, loss="hinge"), "loss='hinge' is not known"),
        (lambda t, x, y: nn.Trainer(t.model, batch_size=0), "batch_size=0 is too small"),
        (lambda t, x, y: nn.Predictor(t.model, {}), "parameter conv1.weight is missing"),
        (
            lambda t, x, y: nn.Predictor(t.model, {**t.parameters(), "conv1.bias": y}),
            "parameter conv1.bias is 4: the network needs 5",
        ),
        (
            lambda t, x, y: nn.Predictor(t.model, {**t.parameters(), "conv9.bias": y}),
            "parameter conv9.bias is not known",
        ),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, said: str) -> None:
    model = network("conv")
    trainer = nn.Trainer(model, batch_size=4)
    x, _ = batch(model, 4)
    with pytest.raises(StepconvError) as caught:
        call(trainer, x, np.array([0, 1, 2, 0]))
    assert said in str(caught.value)
