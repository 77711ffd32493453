"""Networks on disk: others read them, damage is noticed, the same contents are the same bytes."""

import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepconv import nn
from stepconv.errors import DataError
from stepconv.nn import checkpoint
from tests.kernels.processes import run
from tests.nn.networks import network, remembered, weights

ABOUT = {"classes": ["a", "ä"], "recipe": {"seed": 3, "rate": 0.1}}


def saved(path: Path, name: str = "residual") -> checkpoint.Network:
    model = network(name)
    made = checkpoint.Network(model, weights(model), remembered(model), ABOUT)
    checkpoint.save_network(path, made)
    return made


@pytest.mark.parametrize("name", ["residual", "concat grown", "conv", "dense"])
def test_what_was_written_is_read(name: str, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    before, after = saved(path, name), checkpoint.load_network(path)
    assert after.model == before.model
    assert after.about == ABOUT
    for ours, theirs in (
        (before.parameters, after.parameters),
        (before.statistics, after.statistics),
    ):
        assert ours.keys() == theirs.keys()
        assert all(ours[key].tobytes() == theirs[key].tobytes() for key in ours)


def test_the_library_of_that_name_reads_it(tmp_path: Path) -> None:
    from safetensors import safe_open
    from safetensors.numpy import load_file

    path = tmp_path / "model.safetensors"
    before, arrays = saved(path), load_file(path)
    assert arrays.keys() == {**before.parameters, **before.statistics}.keys()
    for name, array in before.parameters.items():
        assert np.array_equal(arrays[name], array)
    with safe_open(path, "numpy") as file:
        metadata = file.metadata()
    assert nn.from_dict(json.loads(metadata["model"])) == before.model
    assert json.loads(metadata["recipe"]) == ABOUT["recipe"]


def test_awkward_arrays_keep_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    cells = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    arrays: dict[str, Any] = {
        "turned": cells.transpose(2, 0, 1),
        "every other": cells[:, ::-1, ::2],
        "bytes": np.arange(3, dtype=np.uint8),
        "count": np.array(7, np.int64),
        "none": np.zeros((0, 3)),
    }
    checkpoint.save(path, "state", arrays, {})
    found, _ = checkpoint.load(path, "state")
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


def test_weights_are_read_once(tmp_path: Path) -> None:
    """A network of a hundred megabytes takes that much memory, and no second copy on the way."""
    path, cells = tmp_path / "state.safetensors", np.zeros(2**20, np.float32)
    checkpoint.save(path, "state", {"a": cells, "b": cells}, {})
    tracemalloc.start()
    try:
        arrays, _ = checkpoint.load(path, "state")
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert arrays["a"].flags.writeable
    assert most < 1.2 * path.stat().st_size


def test_numbers_of_others_may_lie_anywhere(tmp_path: Path) -> None:
    path, cells = tmp_path / "weights.safetensors", np.arange(5, dtype=np.float32)
    told = {"a": {"dtype": "F32", "shape": [5], "data_offsets": [0, 20]}}
    for spaces in range(4):
        header = json.dumps(told).encode() + b" " * spaces
        path.write_bytes(len(header).to_bytes(8, "little") + header + cells.tobytes())
        found = checkpoint.load_arrays(path)["a"]
        assert found.flags.aligned
        assert np.array_equal(found, cells)


def test_every_flipped_bit_is_found(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    saved(path, "conv depthwise")
    whole = path.read_bytes()
    draw = np.random.default_rng(0)
    header = 8 + int.from_bytes(whole[:8], "little")
    places = [
        *range(64),
        *draw.integers(64, header, 300),
        *draw.integers(header, len(whole), 60),
    ]
    for place in places:
        flipped = bytearray(whole)
        flipped[place] ^= 1 << int(draw.integers(8))
        path.write_bytes(flipped)
        with pytest.raises(DataError, match=r"model\.safetensors"):
            checkpoint.load_network(path)


def test_every_cut_is_found(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    saved(path, "dense")
    whole = path.read_bytes()
    for length in [*range(40), len(whole) // 2, len(whole) - 4, len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"model\.safetensors is damaged"):
            checkpoint.load_network(path)
    path.write_bytes(whole + b"0000")
    with pytest.raises(DataError, match="is damaged"):
        checkpoint.load_network(path)


def test_other_files_are_told_apart(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "model.safetensors"
    save_file({"weight": np.zeros(3)}, path)
    with pytest.raises(DataError, match="was not written by stepconv"):
        checkpoint.load_network(path)
    checkpoint.save(path, "state", {}, {})
    with pytest.raises(DataError, match="holds a state, not a network"):
        checkpoint.load_network(path)
    path.write_bytes(b"PK\x03\x04 something else, long enough to be a header")
    with pytest.raises(DataError, match="is damaged, or no safetensors file"):
        checkpoint.load_network(path)


def test_weights_must_fit_their_network(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = network("dense")
    values = weights(model)
    short = {name: array for name, array in values.items() if name != "dense2.weight"}
    checkpoint.save_network(path, checkpoint.Network(model, short, {}))
    with pytest.raises(DataError, match=r"lacks dense2\.weight"):
        checkpoint.load_network(path)
    wrong = {**values, "dense2.weight": np.zeros((2, 2), np.float32)}
    checkpoint.save_network(path, checkpoint.Network(model, wrong, {}))
    with pytest.raises(DataError, match=r"dense2\.weight is 2x2, not 40x37"):
        checkpoint.load_network(path)


def test_the_same_contents_are_the_same_bytes_in_any_process(tmp_path: Path) -> None:
    script = """
import hashlib
from pathlib import Path
from tests.nn.test_checkpoint import saved
path = Path(os.environ["FOLDER"]) / "model.safetensors"
saved(path)
print(json.dumps(hashlib.sha256(path.read_bytes()).hexdigest()))
"""
    digests = {run(script, FOLDER=str(tmp_path), PYTHONHASHSEED=seed) for seed in ("1", "2")}
    assert len(digests) == 1


@pytest.mark.parametrize("name", ["concat grown", "conv padded", "lenet5", "mini-resnet"])
def test_pytorch_loads_the_file_and_answers_the_same(name: str, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file

    from tests.nn.networks import batch
    from tests.nn.torch_twin import Twin

    path = tmp_path / "model.safetensors"
    before = saved(path, name)
    other = Twin(before.model.layers, before.model.input_shape)
    missing, unexpected = other.load_state_dict(load_file(path), strict=False)
    assert not unexpected
    assert all(name.endswith("num_batches_tracked") for name in missing)
    x, _ = batch(before.model, 9)
    with torch.no_grad():
        expected = other.eval()(torch.tensor(x)).numpy()
    ours = nn.Predictor(before.model, before.parameters, before.statistics, scale=1.0).logits(x)
    assert np.allclose(ours, expected, atol=1e-4)
