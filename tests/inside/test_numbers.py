"""What is seen inside a network is what the trainer computes, and PyTorch: forward and back."""

from typing import Any

import numpy as np
import pytest

from stepconv import look_inside, nn
from stepconv.inside.record import SOFTMAX
from stepconv.nn import twin
from tests.inside.looks import looked
from tests.nn.networks import STACKS, some_of_the_zoo

ZOO = some_of_the_zoo("mlp", "lenet5")
# Their gradients in a training are those of a batch: what is silenced, and the batch's mean.
OF_A_BATCH = (nn.Dropout, nn.BatchNorm)


def close(found: Any, expected: Any, dtype: Any) -> None:
    """Compare to within rounding, by the largest number of the array."""
    expected = np.asarray(expected)
    share = 2e-5 if dtype == np.float32 else 1e-10
    np.testing.assert_allclose(found, expected, rtol=0, atol=share * (1 + np.abs(expected).max()))


@pytest.mark.parametrize("name", [*STACKS, *ZOO])
def test_the_answers_are_those_of_the_trainers_program(name: str) -> None:
    inside = looked(name)
    network = inside.network
    program = nn.Predictor(inside.model, network.parameters, network.statistics)
    close(inside.logits, program.logits(inside.input[None])[0], np.float32)
    assert inside.layers == [place.name for place in inside.model.places]


@pytest.mark.parametrize("name", [*STACKS, *ZOO])
def test_gradients_are_the_twins(name: str) -> None:
    inside = looked(name, np.float64)
    if any(isinstance(place.layer, OF_A_BATCH) for place in inside.model.places):
        pytest.skip("in a training these layers compute something else")
    network, labels = inside.network, np.array([1])
    ref = twin.step(inside.model, network.parameters, {}, inside.input[None], labels)
    assert inside.loss == pytest.approx(ref.loss)
    close(inside.grads["input"], ref.for_images, np.float64)
    assert list(inside.gradients) == list(inside.model.parameter_shapes)
    for key, gradient in ref.gradients.items():
        close(inside.gradients[key], gradient, np.float64)


@pytest.mark.parametrize("name", ["conv all at once", "residual", "concat"])
def test_a_training_step_learns_what_was_seen(name: str) -> None:
    inside = looked(name)
    if any(isinstance(place.layer, OF_A_BATCH) for place in inside.model.places):
        pytest.skip("in a training these layers compute something else")
    trainer = nn.Trainer(inside.model, nn.SGD(0.0), parameters=inside.network.parameters)
    loss, _ = trainer.step(inside.input[None], [1], 0.1)
    assert inside.loss == pytest.approx(loss, rel=1e-4)
    update, after = inside.step(lr=0.1), trainer.parameters()
    for key in update:
        close(update[key].gradient, trainer.gradients()[key], np.float32)
        close(update[key].after, after[key], np.float32)
    assert update.inside.loss < inside.loss
    close(update.inside.logits, look_inside(trainer, inside.input).logits, np.float32)


@pytest.mark.parametrize("name", [*STACKS, *ZOO])
def test_every_layer_is_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    from tests.nn.torch_twin import twin as torch_twin

    dtype = np.float32 if name in nn.ZOO else np.float64
    inside = looked(name, dtype)
    network = inside.network
    kind = getattr(torch, np.dtype(dtype).name)
    module = torch_twin(inside.model, network.parameters, network.statistics, kind).eval()
    seen: dict[str, Any] = {}

    def keep(layer: str) -> Any:
        def hook(_: Any, __: Any, out: Any) -> Any:
            out = out.clone()  # of a layer that hands on what it gets the reader's gradient too
            out.retain_grad()
            seen[layer] = out
            return out

        return hook

    for layer, one in module.named_modules():
        if layer in inside.layers:
            one.register_forward_hook(keep(layer))
    x = torch.tensor(inside.input[None], requires_grad=True)
    loss = torch.nn.functional.cross_entropy(module(x), torch.tensor([1]))
    loss.backward()
    assert inside.loss == pytest.approx(loss.item(), rel=1e-5)
    assert set(seen) == set(inside.layers)
    for layer, out in seen.items():
        close(inside[layer].output, out.detach()[0], dtype)
        close(inside[layer].grad, out.grad[0], dtype)
    close(inside.grads["input"], x.grad, dtype)
    for key, parameter in module.named_parameters():
        close(inside.gradients[key], parameter.grad, dtype)


@pytest.mark.parametrize("name", [*STACKS, pytest.param("mini-resnet", marks=pytest.mark.slow)])
def test_a_record_of_each_layer_says_the_same(name: str) -> None:
    inside = looked(name, np.float64)
    for layer in [*inside.layers, SOFTMAX]:
        look = inside[layer]
        trace = look.trace()
        close(trace.output.reshape(look.shape), look.output, np.float64)
        last = tuple(size - 1 for size in look.shape)
        assert inside.at(layer, last).result == trace.output.reshape(-1)[-1]
        if trace.call.operation.name == "correlate":
            assert look.trace("x").output.size == look.input.size
            close(look.trace("x").output.reshape(look.input.shape), back(inside, layer), np.float64)
    for key, gradient in inside.gradients.items():
        step = inside.gradients.at(key, (0,) * gradient.ndim)
        close(step.trace.output.reshape(gradient.shape), gradient, np.float64)
        assert step.index == 0
        layer, _, part = key.rpartition(".")
        assert inside[layer].gradients[part] is gradient
        assert inside[layer].gradients.at(part, (0,) * gradient.ndim) == step
        assert inside[layer].parameters[part].shape == gradient.shape


def back(inside: Any, layer: str) -> Any:
    """Return what goes back through one layer alone."""
    network, look = inside.network, inside[layer]
    return network.calls[layer].for_x(look.input[None], look.grad[None])[0]


def test_the_way_back_through_pools_and_cells_is_recorded() -> None:
    for name in ("max pool overlapping", "avg pool", "global avg pool", "tanh", "leaky relu"):
        inside = looked(name, np.float64)
        for layer in inside.layers:
            if inside[layer].kind not in ("conv", "dense", "flatten"):
                found = inside[layer].trace("x").output
                close(found.reshape(inside[layer].input.shape), back(inside, layer), np.float64)


def test_probabilities_are_exponentials_over_their_sum() -> None:
    inside = looked("lenet5")
    powers = np.exp(inside.logits - inside.logits.max())
    close(inside.probabilities, powers / powers.sum(), np.float32)
    assert inside.probabilities[inside.prediction] == inside.probabilities.max()
    step = inside.at(SOFTMAX, 4)
    close(step.products.reshape(-1), powers, np.float32)
    assert inside.loss == pytest.approx(-np.log(inside.probabilities[1]), rel=1e-5)


def test_one_weights_step_is_told() -> None:
    inside = looked("conv", np.float64)
    update = inside.step(0.5)
    w, gradient, after = update.at("conv1.weight", (2, 1, 0, 1))
    assert after == w - 0.5 * gradient
    assert (w, gradient) == (
        inside.network.parameters["conv1.weight"][2, 1, 0, 1],
        inside.gradients["conv1.weight"][2, 1, 0, 1],
    )
    words = update.in_words("conv1.weight", (2, 1, 0, 1))
    assert words.startswith("conv1.weight: w - lr · g = ")
    assert words.endswith(f"= {after:.6g}")
    assert "loss" in repr(update)
