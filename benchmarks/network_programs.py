"""The programs that `python -m benchmarks.networks` compares, each in a process of its own.

    python -m benchmarks.network_programs "torch nchw" 2 16 some/folder/vgg19.onnx

A program writes what it answers into NAME.npy beside the graph and says its versions. Then it says,
for each line that it reads, the seconds of some calls.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# Names as people know them, and as the graphs' files have them.
NETS = {
    "alexnet": "bvlc_alexnet",
    "zfnet": "zfnet512",
    "vgg19": "vgg19",
    "resnet50": "resnet50",
    "googlenet": "inception_v1",
    "densenet121": "densenet121",
    "squeezenet": "squeezenet",
}
# A turn lasts so many seconds at least.
TURN = 0.4

Call = Callable[[Any], Any]  # from pictures to answers


def save_graph(net: str, path: Path) -> None:
    """Save a graph with weights of its own, which takes any number of pictures and ends in sums."""
    import onnx
    from onnx import numpy_helper

    folder = Path(onnx.__file__).parent / "backend/test/data/light"
    model = onnx.load(folder / f"light_{NETS[net]}.onnx")
    graph, draw = model.graph, np.random.default_rng(0)
    known = {one.name: numpy_helper.to_array(one) for one in graph.initializer}
    made, shapes, kept = [], set(), []
    for node in graph.node:
        if node.op_type == "ConstantOfShape":
            array = _weights(draw, tuple(int(size) for size in known[node.input[0]].ravel()))
            made.append(numpy_helper.from_array(array, node.output[0]))
        elif node.op_type != "Softmax":
            kept.append(node)
        if node.op_type == "Reshape":
            shapes.add(node.input[1])
    for one in graph.initializer:
        sizes = known[one.name]
        if one.name in shapes and sizes.ravel()[0] == 1:
            made.append(numpy_helper.from_array(np.int64([0, *sizes.ravel()[1:]]), one.name))
        else:
            made.append(one)
    ends = {name for node in kept for name in node.output} - {n for k in kept for n in k.input}
    made = [type(one).FromString(one.SerializeToString()) for one in made]
    for field, new in ((graph.initializer, made), (graph.node, kept)):
        copies = [type(one).FromString(one.SerializeToString()) for one in new]
        del field[:]
        field.extend(copies)
    names = {one.name for one in graph.initializer}
    for given in graph.input:
        if given.name not in names:
            given.type.tensor_type.shape.dim[0].dim_param = "pictures"
    (end,) = [node.output[0] for node in kept if node.output[0] in ends]
    del graph.output[:], graph.value_info[:]
    graph.output.append(onnx.helper.make_tensor_value_info(end, onnx.TensorProto.FLOAT, None))
    path.write_bytes(model.SerializeToString())


def _weights(draw: Any, shape: tuple[int, ...]) -> Any:
    """Return numbers that keep what goes through a layer of about one size."""
    if len(shape) == 1:
        return draw.uniform(0.1, 1.0, shape).astype(np.float32)
    spread = np.float32((2 / np.prod(shape[1:])) ** 0.5)
    return draw.standard_normal(shape, np.float32) * spread


def _network(path: Path) -> Any:
    from stepconv.nn.published import onnx_file

    return onnx_file.load(path)


def _ours(name: str, threads: int, batch: int, path: Path) -> tuple[Call, dict[str, str]]:
    import stepconv
    from stepconv import nn
    from stepconv.kernels.compile import use_threads
    from stepconv.nn import twin

    use_threads(threads)
    network, way = _network(path), name.split()[-1]
    given = network.model, network.parameters, network.statistics
    if way == "operations":
        return lambda x: twin.logits(*given, x), {"stepconv": stepconv.__version__}
    predictor = nn.Predictor(*given, scale=1.0, algorithm=way)
    return predictor.logits, {"stepconv": stepconv.__version__}


def _torch(name: str, threads: int, batch: int, path: Path) -> tuple[Call, dict[str, str]]:
    import torch

    from tests.nn.torch_twin import twin

    network = _network(path)
    module = twin(network.model, network.parameters, network.statistics, torch.float32).eval()
    torch.set_num_threads(threads)
    form = torch.channels_last if name.endswith("channels_last") else torch.contiguous_format
    module = module.to(memory_format=form)

    def call(x: Any) -> Any:
        with torch.inference_mode():
            return module(torch.from_numpy(x).to(memory_format=form)).numpy()

    return call, {"torch": torch.__version__}


def _runtime(name: str, threads: int, batch: int, path: Path) -> tuple[Call, dict[str, str]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0].name
    return lambda x: session.run(None, {given: x})[0], {"onnxruntime": onnxruntime.__version__}


def main(name: str, threads: str, batch: str, graph: str) -> None:
    """Answer pictures, then take turns."""
    path = Path(graph)
    make = {"stepconv": _ours, "torch": _torch, "onnxruntime": _runtime}[name.split()[0]]
    call, versions = make(name, int(threads), int(batch), path)
    x = np.random.default_rng(1).standard_normal((int(batch), 3, 224, 224), np.float32)
    np.save(path.parent / f"{name}.npy", np.asarray(call(x)).reshape(int(batch), -1))
    call(x)
    print(json.dumps(versions), flush=True)
    for _ in sys.stdin:
        seconds, end = [], time.perf_counter() + TURN
        while (began := time.perf_counter()) < end:
            call(x)
            seconds.append(time.perf_counter() - began)
        print(*seconds, sep=", ", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
