"""Networks as ONNX: other engines give the answers that ours gives."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator

from stepconv import nn
from stepconv.nn import checkpoint
from stepconv.nn.layers import LAYERS, MaxPool
from stepconv.nn.onnx import IMAGES, LOGITS, model_bytes
from tests.conftest import NO_RUNTIME
from tests.nn.networks import STACKS, batch, network, remembered, weights

ABOUT = {"classes": ["null", "eins", "zwei"], "scale": 0.0127, "data": "mnist", "recipe": {"lr": 1}}

# Pools whose windows reach over the edges in ways that engines read differently.
AWKWARD: dict[str, nn.Model] = {
    name: nn.Model(name, (2, 9, 8), (nn.Conv(3, 1), pool, nn.Flatten(), nn.Dense(3)), 3)
    for name, pool in {
        "far over the edge": MaxPool(3, stride=2, padding=4, dilation=3, ceil_mode=True),
        "one side alone": MaxPool((2, 3), stride=3, padding=((0, 1), (2, 0))),
        "mean of one side": nn.AvgPool(3, 2, padding=((2, 0), (0, 1)), count_include_pad=True),
        "mean beyond the padding": nn.AvgPool(
            4, 3, padding=1, ceil_mode=True, count_include_pad=True
        ),
        "mean, ceil": nn.AvgPool(4, 3, padding=1, ceil_mode=True),
    }.items()
}


def trained(model: nn.Model) -> checkpoint.Network:
    return checkpoint.Network(model, weights(model), remembered(model), dict(ABOUT))


def ours(network: checkpoint.Network, images: NDArray[Any]) -> NDArray[Any]:
    return nn.Predictor(network.model, network.parameters, network.statistics).logits(images)


def said_by(engine: str, content: bytes, images: NDArray[Any]) -> NDArray[Any]:
    """Return the logits that an engine of others gives."""
    if engine == "onnx":
        return ReferenceEvaluator(onnx.load_from_string(content)).run(None, {IMAGES: images})[0]
    runtime = pytest.importorskip("onnxruntime", reason=NO_RUNTIME)
    session = runtime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, {IMAGES: images})[0]


def model_of(name: str) -> nn.Model:
    return AWKWARD.get(name) or network(name)


@pytest.mark.parametrize("name", [*STACKS, *AWKWARD, *nn.ZOO])
def test_onnxruntime_gives_our_logits(name: str) -> None:
    pytest.importorskip("onnxruntime", reason=NO_RUNTIME)
    made = trained(model_of(name))
    images, _ = batch(made.model, 3)
    wanted = ours(made, images)
    found = said_by("onnxruntime", model_bytes(made), images)
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 2e-5 * np.abs(wanted).max()


@pytest.mark.parametrize(
    "name", ["conv all at once", "residual", "concat", "dropout", *AWKWARD, "lenet5"]
)
def test_the_standard_gives_our_logits(name: str) -> None:
    made = trained(model_of(name))
    images, _ = batch(made.model, 2)
    found, wanted = said_by("onnx", model_bytes(made), images), ours(made, images)
    assert np.abs(found - wanted).max() <= 2e-5 * np.abs(wanted).max()


@pytest.mark.parametrize("name", [*STACKS, *AWKWARD, *nn.ZOO])
def test_the_checker_finds_nothing(name: str) -> None:
    made = trained(model_of(name))
    content = model_bytes(made)
    model = onnx.load_from_string(content)
    onnx.checker.check_model(model, full_check=True)
    assert (model.ir_version, model.opset_import[0].version) == (9, 17)
    learnt = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for key, array in {**made.parameters, **made.statistics}.items():
        assert learnt[key].dtype == np.float32
        assert np.array_equal(learnt[key], array)
    assert "Dropout" not in {node.op_type for node in model.graph.node}


def test_every_layer_is_in_one_of_these() -> None:
    there = {place.layer.kind for name in STACKS for place in network(name).places}
    published = {"local-norm", "relu6", "channel-shuffle"}  # tests/nn/test_published.py has them
    assert there | published == set(LAYERS)


def test_any_number_of_images() -> None:
    made = trained(network("lenet5"))
    model = onnx.load_from_string(model_bytes(made))
    (images,), (logits,) = model.graph.input, model.graph.output
    assert (images.name, logits.name) == (IMAGES, LOGITS)
    sizes = images.type.tensor_type.shape.dim
    assert [size.dim_param or size.dim_value for size in sizes] == ["batch", 1, 28, 28]
    for count in (1, 5):
        pictures, _ = batch(made.model, count)
        assert said_by("onnx", model_bytes(made), pictures).shape == (count, 10)


def test_the_file_says_what_it_is() -> None:
    made = trained(network("concat"))
    model = onnx.load_from_string(model_bytes(made))
    notes = {entry.key: json.loads(entry.value) for entry in model.metadata_props}
    assert nn.from_dict(notes.pop("model")) == made.model
    assert notes == ABOUT
    assert "pixels from 0 to 255 times 0.0127" in model.doc_string
    assert "null, eins, zwei" in model.doc_string


def test_the_same_network_gives_the_same_bytes(tmp_path: Path) -> None:
    made = trained(network("residual"))
    checkpoint.save_network(tmp_path / "model.safetensors", made)
    assert model_bytes(checkpoint.load_network(tmp_path / "model.safetensors")) == model_bytes(made)
