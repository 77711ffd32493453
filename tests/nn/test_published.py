"""Published networks: graphs become layers with the same answers, hostile files are one line."""

from __future__ import annotations

import os
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepconv import nn
from stepconv.errors import ArgumentError, DataError, StepconvError
from stepconv.nn.checkpoint import Network
from stepconv.nn.cpu.channels.program import ChannelProgram
from stepconv.nn.model import initial_parameters, initial_statistics
from stepconv.nn.plain import PlainProgram
from stepconv.nn.published import by_name, pickled
from stepconv.nn.published.fixed import ChannelShuffle, LocalNorm, ReLU6
from stepconv.nn.published.normed import with_norm
from stepconv.nn.steps.weights import Weights
from stepconv.nn.zoo import famous
from tests.nn.pickles import Part, Stored, as_stream, as_zip, torch_names

onnx = pytest.importorskip("onnx")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from stepconv.nn import onnx as exporting  # noqa: E402
from stepconv.nn.published import graph as graphs  # noqa: E402
from stepconv.nn.published import onnx_file  # noqa: E402

LIGHT = Path(onnx.__file__).parent / "backend/test/data/light"


def draw(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def saved(folder: Path, nodes: Any, constants: dict[str, Any], shape: Any, **more: Any) -> Path:
    """Write a graph that reads `x` and makes `y`."""
    made = helper.make_graph(
        nodes,
        "made",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, *shape])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], **more)
    path = folder / "made.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def answers(network: Network, x: Any, program: Any = PlainProgram) -> Any:
    weights = Weights(network.model, network.parameters, network.statistics)
    return program(network.model, weights, len(x), scale=1.0).answers(x, None, len(x))


def judged(path: Path, x: Any) -> Any:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    return session.run(None, {given.name: x})[0]


def refused(path: Path) -> str:
    with pytest.raises(StepconvError) as caught:
        onnx_file.load(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def node(kind: str, inputs: str, output: str, **options: Any) -> Any:
    return helper.make_node(kind, inputs.split(), [output], output, **options)


@pytest.mark.parametrize(
    "layer",
    [LocalNorm(), LocalNorm(3, 0.2, 0.6, 1.5), LocalNorm(4, 0.5), ReLU6(), ChannelShuffle(2)],
)
def test_gradients_of_fixed_layers_are_slopes(layer: Any) -> None:
    layer.check_gradients("layer", (6, 2, 3))


def test_channels_are_dealt_out() -> None:
    x = np.arange(6.0).reshape(1, 6, 1, 1)
    assert ChannelShuffle(2).output_of(x, ()).ravel().tolist() == [0, 3, 1, 4, 2, 5]


def test_fixed_layers_are_those_of_onnx(tmp_path: Path) -> None:
    nodes = [
        node("LRN", "x", "a", size=5, alpha=0.3, beta=0.7, bias=1.2),
        node("Clip", "a zero six", "b"),
        node("Flatten", "b", "y"),
    ]
    ends = {"zero": np.float32(0), "six": np.float32(6)}
    path = saved(tmp_path, nodes, {k: np.asarray(v) for k, v in ends.items()}, (5, 4, 3))
    network, x = onnx_file.load(path), 5 * draw(1, 5, 4, 3)
    kinds = [place.layer.kind for place in network.model.places]
    assert kinds == ["local-norm", "relu6", "flatten"]
    np.testing.assert_allclose(answers(network, x), judged(path, x), rtol=1e-5)


def test_branches_part_and_meet(tmp_path: Path) -> None:
    w = {
        name: draw(4, channels, 1, 1, seed=k)
        for k, (name, channels) in enumerate(
            [("w1", 3), ("w2", 4), ("w3", 4), ("w4", 4), ("w5", 8)]
        )
    }
    nodes = [
        node("Conv", "x w1", "a"),
        node("Relu", "a", "b"),
        node("Conv", "b w2", "c"),
        node("Add", "c b", "d"),  # what it is given, and a conv of it
        node("Conv", "d w3", "e"),
        node("Conv", "d w4", "f"),
        node("Concat", "e f", "g", axis=1),
        node("Conv", "g w5", "h"),
        node("Sum", "h d e", "i"),  # three ways, one of which goes into another as well
        node("GlobalAveragePool", "i", "j"),
        node("Flatten", "j", "y"),
    ]
    path = saved(tmp_path, nodes, w, (3, 5, 5))
    network, x = onnx_file.load(path), draw(1, 3, 5, 5)
    kinds = [place.layer.kind for place in network.model.places]
    assert kinds.count("residual") == 3
    assert kinds.count("concat") == 1
    np.testing.assert_allclose(answers(network, x), judged(path, x), rtol=1e-5, atol=1e-6)


def test_constants_are_worked_out_and_taken_into_layers(tmp_path: Path) -> None:
    nodes = [
        node("ConstantOfShape", "size", "filled", value=numpy_helper.from_array(np.float32([0.5]))),
        node("Unsqueeze", "filled axes", "wide"),
        node("Conv", "x w", "a", pads=[0, 1, 2, 1], strides=[2, 1]),
        node("BatchNormalization", "a one shift mean var", "b", epsilon=0.01),
        node("Mul", "b wide", "c"),
        node("Add", "c wide", "d"),
        node("AveragePool", "d", "e", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1),
        node("Shape", "e", "f"),
        node("Gather", "f zero", "g"),
        node("Unsqueeze", "g zero1", "h"),
        node("Concat", "h minus", "k", axis=0),
        node("Reshape", "e k", "l"),
        node("MatMul", "l m", "n"),
        node("Add", "n bias", "o"),
        node("Softmax", "o", "y"),
    ]
    constants = {
        "size": np.int64([4]),
        "axes": np.int64([1, 2]),
        "zero": np.int64(0),
        "zero1": np.int64([0]),
        "minus": np.int64([-1]),
        "w": draw(4, 2, 3, 3),
        **{name: abs(draw(4, seed=k)) for k, name in enumerate(("one", "shift", "mean", "var"))},
        "m": draw(24, 5),
        "bias": draw(5),
    }
    path = saved(tmp_path, nodes, constants, (2, 6, 6))
    network, x = onnx_file.load(path), draw(1, 2, 6, 6)
    found = np.exp(answers(network, x).astype(float))
    np.testing.assert_allclose(found / found.sum(), judged(path, x), rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lenet5", "mini-resnet", "mini-googlenet", "mini-densenet"])
def test_what_we_exported_comes_back_with_the_same_bits(name: str, tmp_path: Path) -> None:
    model = nn.build(name)
    statistics = {n: abs(draw(*a.shape)) for n, a in initial_statistics(model).items()}
    about = {"scale": 0.02, "shift": -1.0, "classes": list("abcdefghij"), "form": "as-is"}
    network = Network(model, initial_parameters(model, 1), statistics, about)
    path = tmp_path / "own.onnx"
    path.write_bytes(exporting.model_bytes(network))
    again = onnx_file.load(path)
    assert again.model == model
    assert again.about == about
    for mine, other in ((network.parameters, again.parameters), (statistics, again.statistics)):
        assert mine.keys() == other.keys()
        assert all(np.array_equal(array, other[key]) for key, array in mine.items())
    # And without our notes, as somebody else's.
    bare = onnx.load(path)
    del bare.metadata_props[:]
    path.write_bytes(bare.SerializeToString())
    stranger, x = onnx_file.load(path), draw(2, *model.input_shape)
    np.testing.assert_allclose(answers(stranger, x), answers(network, x), rtol=1e-4, atol=1e-5)


def test_layers_of_published_networks_go_out_and_come_back(tmp_path: Path) -> None:
    stacked = (
        *(nn.Conv(6, 3), LocalNorm(3, 0.2, 0.6, 1.5), ReLU6(), ChannelShuffle(2)),
        *(nn.Flatten(), nn.Dense(4)),
    )
    model = nn.Model("published", (2, 6, 6), stacked, 4)
    network, x = Network(model, initial_parameters(model, 1), {}), 3 * draw(1, 2, 6, 6)
    path = tmp_path / "out.onnx"
    path.write_bytes(exporting.model_bytes(network))
    np.testing.assert_allclose(answers(network, x), judged(path, x), rtol=1e-4, atol=1e-6)
    bare = onnx.load(path)
    del bare.metadata_props[:]
    path.write_bytes(bare.SerializeToString())
    again = onnx_file.load(path)
    kinds = [place.layer.kind for place in again.model.places]
    assert kinds == [place.layer.kind for place in model.places]
    assert np.array_equal(answers(again, x), answers(network, x))


def recorded(path: Path) -> Any:
    tensor = onnx.TensorProto()
    tensor.ParseFromString(path.with_name(f"{path.stem}_output_0.pb").read_bytes())
    return numpy_helper.to_array(tensor)


def dummy() -> Any:
    """The picture for which the wheel has recorded outputs."""
    count = 3 * 224 * 224
    return (np.arange(count).reshape(1, 3, 224, 224) / count).astype(np.float32)


@pytest.mark.slow
@pytest.mark.parametrize("path", sorted(LIGHT.glob("*.onnx")), ids=lambda path: path.stem)
def test_the_graphs_that_the_wheel_has(path: Path) -> None:
    network, wanted = onnx_file.load(path), recorded(path)
    for program in (PlainProgram, ChannelProgram):
        found = answers(network, dummy(), program).astype(float)
        if "densenet" not in path.stem:  # which alone ends in answers
            found = np.exp(found - found.max())
            found /= found.sum()
        np.testing.assert_allclose(found.ravel(), wanted.ravel(), rtol=1e-4, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["squeezenet", "shufflenet", "resnet50", "inception_v2"])
def test_graphs_with_weights_that_differ(name: str, tmp_path: Path) -> None:
    """Weights that are all alike would hide a channel in the wrong place."""
    model = onnx.load(LIGHT / f"light_{name}.onnx")
    sizes = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
    kept = []
    for k, one in enumerate(model.graph.node):
        if one.op_type != "ConstantOfShape":
            kept.append(one)
            continue
        shape = tuple(int(size) for size in sizes[one.input[0]].ravel())
        spread = (2 / max(1, int(np.prod(shape[1:])))) ** 0.5
        array = (
            abs(draw(*shape, seed=k)) + 0.5 if len(shape) == 1 else spread * draw(*shape, seed=k)
        )
        model.graph.initializer.append(numpy_helper.from_array(array.astype("f4"), one.output[0]))
    del model.graph.node[:]
    model.graph.node.extend(kept)
    path = tmp_path / "random.onnx"
    path.write_bytes(model.SerializeToString())
    x = draw(1, 3, 224, 224)
    network, wanted = onnx_file.load(path), judged(path, x).reshape(1, -1)
    for program in (PlainProgram, ChannelProgram):
        found = answers(network, x, program).astype(float)
        found = np.exp(found - found.max())
        np.testing.assert_allclose(found / found.sum(), wanted, atol=2e-3)


CONV = [node("Conv", "x w", "a"), node("Flatten", "a", "y")]


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ([node("Einsum", "x", "y", equation="ij->ji")], "node y (Einsum) is no layer of ours"),
        ([node("Conv", "z w", "y")], "reads z, which no node before it makes"),
        ([node("Relu", "a", "y"), node("Relu", "y", "a")], "which no node before it makes"),
        ([node("Relu", "x", "a")], "nothing makes its output y"),
        ([node("Relu", "x", "y"), node("Relu", "x", "y")], "which is there already"),
        ([node("Conv", "x w", "y", auto_pad="SAME_LOWER")], "SAME_UPPER fits"),
        ([node("Conv", "x w", "y", group=3)], "node y (Conv) does not fit: groups=3"),
        ([node("Conv", "x x", "y")], "joins branches"),
        ([node("Clip", "x low high", "y")], "clips to -1 and 1"),
        ([node("Softmax", "x", "a"), node("Relu", "a", "y")], "at its end one fits"),
        ([node("Mul", "x low", "y")], "no conv, dense or norm is before it"),
        ([node("Concat", "x x", "y", axis=2)], "another axis"),
        ([node("Reshape", "x size", "y")], "one flat row fits"),
        ([node("ConstantOfShape", "huge", "a"), *CONV], "too large"),
        ([node("Gemm", "x w", "y", alpha=2.0)], "alpha 1"),
        ([node("LRN", "x", "y", size=10**6)], "size=1000000 is too large"),
    ],
)
def test_what_a_layer_cannot_say_is_named(tmp_path: Path, nodes: Any, told: str) -> None:
    constants = {
        "w": draw(4, 2, 3, 3),
        "low": np.asarray(np.float32(-1)),
        "high": np.asarray(np.float32(1)),
        "size": np.int64([1, 4, 2, -1]),
        "huge": np.int64([10**6, 10**6]),
    }
    assert told in refused(saved(tmp_path, nodes, constants, (2, 5, 5)))


def test_hostile_files_are_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = saved(tmp_path, CONV, {"w": draw(4, 2, 3, 3)}, (2, 5, 5))
    good = onnx.load(path)

    def written(change: Any) -> str:
        model = onnx.ModelProto()
        model.CopyFrom(good)
        change(model.graph)
        path.write_bytes(model.SerializeToString())
        return refused(path)

    def outside(graph: Any) -> None:
        graph.initializer[0].data_location = TensorProto.EXTERNAL
        graph.initializer[0].external_data.add(key="location", value="/etc/passwd")

    assert "lies in another file" in written(outside)
    assert "does not hold" in written(lambda graph: graph.initializer[0].dims.append(7))
    assert "below 0" in written(lambda graph: graph.initializer[0].dims.append(-7))
    assert "2 inputs" in written(lambda graph: graph.input.append(graph.output[0]))

    def options(graph: Any) -> None:
        del graph.node[0].attribute[:]
        graph.node[0].attribute.add(name="strides", type=1, f=2.0)

    def kinds(graph: Any) -> None:
        graph.node[0].attribute.add(name="group", type=0)

    def inputs(graph: Any) -> None:
        graph.node[0].op_type = "Clip"
        del graph.node[0].input[:]

    for change in (options, kinds, inputs):
        assert written(change)
    path.write_bytes(b"\xff" * 100)
    assert "damaged" in refused(path)
    path.write_bytes(good.SerializeToString()[:-9])
    assert refused(path)
    monkeypatch.setattr(graphs, "MOST_BYTES", 10)
    assert "10 at most fit" in refused(path)


@pytest.fixture
def torch_alike() -> Any:
    """The names that PyTorch's pickles call."""
    with torch_names() as storage:
        yield storage


@pytest.mark.parametrize("write", [as_zip, as_stream])
def test_tensors_of_a_pickle(tmp_path: Path, torch_alike: Any, write: Any) -> None:
    numbers = np.arange(12, dtype=np.float32)
    whole = Part(Stored("0", 12, torch_alike), 0, (3, 4), (4, 1), False, OrderedDict())
    turned = Part(Stored("0", 12, torch_alike), 1, (2, 2), (1, 4), False, OrderedDict())
    path = write(
        tmp_path / "w.pth", OrderedDict(a=whole, b=turned, epoch=3), {"0": numbers.tobytes()}
    )
    found = pickled.read(path)
    assert found.keys() == {"a", "b"}
    assert np.array_equal(found["a"], numbers.reshape(3, 4))
    assert found["b"].tolist() == [[1, 5], [2, 6]]


class Evil:
    """What a pickle of a stranger may hold."""

    def __reduce__(self) -> Any:
        return os.system, ("touch /tmp/stepconv-was-here",)


@pytest.mark.parametrize("write", [as_zip, as_stream])
def test_a_pickle_that_would_run_something(tmp_path: Path, torch_alike: Any, write: Any) -> None:
    def said(told: Any, **storages: bytes) -> str:
        with pytest.raises(DataError) as caught:
            pickled.read(write(tmp_path / "w.pth", told, {k[1:]: v for k, v in storages.items()}))
        assert "\n" not in str(caught.value)
        return str(caught.value)

    assert "asks for posix.system: tensors alone fit" in said({"a": Evil()})
    assert not Path("/tmp/stepconv-was-here").exists()
    beyond = Part(Stored("0", 12, torch_alike), 0, (9, 4), (4, 1), False, OrderedDict())
    assert "beyond its storage" in said({"a": beyond}, _0=bytes(48))
    backwards = Part(Stored("0", 12, torch_alike), 0, (3,), (-1,), False, OrderedDict())
    assert "the steps (-1,)" in said({"a": backwards}, _0=bytes(48))
    huge = Part(Stored("0", 12, torch_alike), 0, (2**40, 2**40), (0, 0), False, OrderedDict())
    assert "the sizes" in said({"a": huge}, _0=bytes(48))
    assert "no weights by name" in said([1, 2])


def test_cut_pickles_are_one_line(tmp_path: Path, torch_alike: Any) -> None:
    whole = Part(Stored("0", 12, torch_alike), 0, (3, 4), (4, 1), False, OrderedDict())
    path = as_stream(tmp_path / "w.pth", {"a": whole}, {"0": bytes(48)})
    content = path.read_bytes()
    for end in range(0, len(content), 3):
        path.write_bytes(content[:end])
        with pytest.raises(DataError):
            pickled.read(path)


def test_weights_by_name_and_in_order() -> None:
    model = nn.build("mini-resnet")
    parameters = initial_parameters(model, 3)
    statistics = {name: abs(draw(*a.shape)) for name, a in initial_statistics(model).items()}
    both = {**parameters, **statistics}
    found = by_name.network(model, both)
    assert all(np.array_equal(found.parameters[name], a) for name, a in parameters.items())
    # As PyTorch has them: by other names, statistics beside weights, and a count.
    others: dict[str, Any] = {}
    for number, place in enumerate(model.places):
        kinds = (*place.layer.parameters(place.input), *place.layer.statistics(place.input))
        others |= {f"m.{number}.{kind}": both[f"{place.name}.{kind}"] for kind in kinds}
        if place.layer.kind == "batch-norm":
            others[f"m.{number}.num_batches_tracked"] = np.int64(3)
    again = by_name.network(model, others)
    assert all(np.array_equal(again.statistics[name], a) for name, a in statistics.items())
    with pytest.raises(ArgumentError, match=r"wants \d+"):
        by_name.network(nn.build("lenet5"), others)
    first = next(iter(others))
    with pytest.raises(ArgumentError, match=f"{first} is 3"):
        by_name.network(model, {**others, first: np.zeros(3, "f4")})


@pytest.mark.slow
def test_colours_are_fed_as_they_were() -> None:
    model = famous.build("alexnet", (3, 64, 64), 5)
    network = Network(model, initial_parameters(model, 1), {}, {"scale": 1.0})
    x = np.random.default_rng(0).uniform(0, 255, (1, 3, 64, 64)).astype(np.float32)
    mean, std = np.float32([124, 116, 104]), np.float32([58, 57, 56])
    fed = (x - mean.reshape(1, 3, 1, 1)) / std.reshape(1, 3, 1, 1)
    found = answers(with_norm(network, mean.tolist(), std.tolist()), x)
    np.testing.assert_allclose(found, answers(network, fed), rtol=1e-4, atol=1e-5)


def test_large_networks_answer_few_pictures_at_once() -> None:
    model = famous.build("efficientnet-lite0", (3, 224, 224), 10)
    statistics = {name: abs(draw(*a.shape)) + 0.5 for name, a in initial_statistics(model).items()}
    predictor = nn.Predictor(model, initial_parameters(model, 1), statistics, scale=1.0)
    assert isinstance(predictor._batch_size, int)
    assert predictor._batch_size == 4
    small = nn.build("lenet5")
    assert nn.Predictor(small, initial_parameters(small, 0))._batch_size == 64
