"""What strangers have published, for `fuzz`: ONNX graphs, PyTorch's pickles, weights by name."""

import io
import json
import random
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from stepconv import nn
from stepconv.nn import checkpoint
from stepconv.nn.checkpoint import Network
from stepconv.nn.model import initial_parameters, initial_statistics
from stepconv.nn.published import by_name, onnx_file, pickled
from stepconv.nn.published.fixed import ChannelShuffle, LocalNorm, ReLU6
from tests.faults.changes import changed, damaged
from tests.nn.pickles import Part, Stored, as_stream, as_zip, torch_names

# A network with all kinds of nodes and branches, and one that others have weights for.
_BRANCHES = (
    *(nn.Conv(4, 3, padding="same"), nn.BatchNorm(), nn.ReLU(), LocalNorm(3), ReLU6()),
    *(nn.Residual((nn.Conv(4, 3, padding=1), nn.LeakyReLU()), (nn.Conv(4, 1),)), nn.MaxPool(2)),
    *(nn.Concat(((nn.Conv(2, 1),), (nn.AvgPool(3, stride=1, padding=1),))), ChannelShuffle(2)),
    *(nn.GlobalAvgPool(), nn.Dense(3)),
)
_SMALL = (nn.Conv(2, 3), nn.BatchNorm(), nn.ReLU(), nn.Flatten(), nn.Dense(3))


def _network(layers: Any) -> Network:
    model = nn.Model("stranger", (3, 6, 6), layers, 3)
    return Network(model, initial_parameters(model, 0), initial_statistics(model))


def graphs(_folder: Path) -> list[bytes]:
    """Return a network as an .onnx file: with our notes in it, and as somebody else's."""
    import onnx

    from stepconv.nn import onnx as exporting

    ours = exporting.model_bytes(_network(_BRANCHES))
    theirs = onnx.load_model_from_string(ours)
    del theirs.metadata_props[:]
    return [ours, theirs.SerializeToString()]


def another_graph(chance: random.Random, content: bytes) -> bytes:
    """Return a graph with other nodes, options, sizes or constants, or with other bytes."""
    import onnx
    from google.protobuf import json_format

    told = json_format.MessageToDict(onnx.load_model_from_string(content))
    for _ in range(20 if chance.random() < 0.8 else 0):
        try:
            made = json_format.ParseDict(changed(chance, told), onnx.ModelProto())
            return bytes(made.SerializeToString())
        except (json_format.ParseError, TypeError, ValueError, AttributeError, OverflowError):
            continue  # no protobuf can say that
    return damaged(chance, content)


def read_graph(content: bytes, folder: Path) -> None:
    """Take over a graph as `stepconv import` does."""
    path = folder / "stranger.onnx"
    path.write_bytes(content)
    _kept(onnx_file.load(path), folder)


def _kept(network: Network, folder: Path) -> None:
    checkpoint.save_network(folder / "kept.safetensors", network)
    checkpoint.load_network(folder / "kept.safetensors")


def pickles(folder: Path) -> list[bytes]:
    """Return weights in both of PyTorch's kinds of files."""
    network = _network(_SMALL)
    arrays = {**network.parameters, **network.statistics}
    contents = []
    for write in (as_zip, as_stream):
        with torch_names() as kind:
            told: OrderedDict[str, Any] = OrderedDict()
            storages = {}
            for key, (name, array) in enumerate(arrays.items()):
                steps = tuple(step // 4 for step in array.strides)
                stored = Stored(str(key), array.size, kind)
                told[name] = Part(stored, 0, array.shape, steps, False, OrderedDict())
                storages[str(key)] = array.tobytes()
            path = write(folder / "right.pth", {"state_dict": told, "epoch": 3}, storages)
        contents.append(path.read_bytes())
    return contents


def another_pickle(chance: random.Random, content: bytes) -> bytes:
    """Return weights with another pickle, in a zip that is right, or with other bytes."""
    if not content.startswith(b"PK") or chance.random() < 0.2:
        return damaged(chance, content)
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as right, zipfile.ZipFile(out, "w") as made:
        for name in right.namelist():
            part = right.read(name)
            if name.endswith(".pkl") or chance.random() < 0.05:
                part = damaged(chance, part)
            made.writestr(name, part)
    return out.getvalue()


def read_pickle(content: bytes, folder: Path) -> None:
    """Take over weights as `stepconv import --model` does."""
    path = folder / "stranger.pth"
    path.write_bytes(content)
    _kept(by_name.network(_network(_SMALL).model, pickled.read(path)), folder)


def weights(folder: Path) -> list[bytes]:
    """Return weights in safetensors, without our notes."""
    network = _network(_SMALL)
    header, parts = {}, b""
    for name, array in {**network.parameters, **network.statistics}.items():
        ends = [len(parts), len(parts) + array.nbytes]
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": ends}
        parts += array.tobytes()
    text = json.dumps(header).encode()
    return [len(text).to_bytes(8, "little") + text + parts]


def another_weights(chance: random.Random, content: bytes) -> bytes:
    """Return weights whose header says something else, or with other bytes."""
    if chance.random() < 0.3:
        return damaged(chance, content)
    length = int.from_bytes(content[:8], "little")
    text = json.dumps(changed(chance, json.loads(content[8 : 8 + length]))).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


def read_weights(content: bytes, folder: Path) -> None:
    """Take over weights as `stepconv import --model` does."""
    path = folder / "stranger.safetensors"
    path.write_bytes(content)
    with np.errstate(all="ignore"):  # numbers of any size become those of 32 bits
        _kept(by_name.network(_network(_SMALL).model, checkpoint.load_arrays(path)), folder)


KINDS: dict[str, tuple[Callable[..., Any], Callable[..., bytes], Callable[..., None]]] = {
    "onnx": (graphs, another_graph, read_graph),
    "pth": (pickles, another_pickle, read_pickle),
    "safetensors": (weights, another_weights, read_weights),
}
