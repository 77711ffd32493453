"""Trained networks on the command line: judged, asked about pictures, looked into."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from stepconv import nn
from stepconv.cli import main
from stepconv.cli.commands import predict
from stepconv.nn import checkpoint
from stepconv.train import judge, runs
from stepconv.train.data import digits
from tests.conftest import NO_RUNTIME
from tests.train.sets import a_run, made

MODEL = "model.safetensors"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small network that knows most made digits."""
    folder = tmp_path_factory.mktemp("run")
    run = a_run(folder, made(3000, 100), epochs=8, batch_size=32)
    for _ in run.events():
        pass
    return folder


def output_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert main(list(map(str, arguments))) == 0
    return capsys.readouterr().out


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert main(list(map(str, arguments))) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def picture(folder: Path, number: int, paper: int = 240) -> Path:
    """Write a made digit as dark ink, off the middle of a larger light sheet."""
    sheet = np.full((130, 100), paper, np.uint8)
    ink = np.kron(digits.make(1, first=number).pictures[0, 0], np.ones((2, 2), np.uint8))
    sheet[5:61, 40:96] -= (ink * (paper / 255)).astype(np.uint8)
    path = folder / f"{number}.npy"
    np.save(path, sheet)
    return path


def test_evaluate_counts(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digits, "TESTING", 200)
    found = json.loads(output_of(capsys, "evaluate", folder / MODEL, "--json"))
    test = digits.make(200, first=digits.TRAINING)
    network = checkpoint.load_network(folder / MODEL)
    verdict = judge.judge(runs.predictor(network), test)
    assert found["accuracy"] == verdict.accuracy > 0.7
    assert found["pictures"] == 200
    assert np.trace(found["confusion"]) == (verdict.told == test.labels).sum()
    assert np.sum(found["confusion"], axis=1).tolist() == np.bincount(test.labels).tolist()
    out = output_of(capsys, "evaluate", folder)
    assert f"small tells {verdict.accuracy:.2%} of 200 right" in out


def test_predict_centres_and_inverts(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = range(5000, 5020)
    files = [picture(tmp_path, number) for number in numbers]
    lines = output_of(capsys, "predict", folder, *files, "--json").splitlines()
    told = [json.loads(line) for line in lines]
    assert [one["file"] for one in told] == list(map(str, files))
    wanted = digits.make(20, first=5000).labels
    right = sum(one["class"] == str(label) for one, label in zip(told, wanted, strict=True))
    assert right >= 14
    for one in told:
        assert sum(one["probabilities"].values()) == pytest.approx(1)
        assert one["probability"] == max(one["probabilities"].values())
        assert one["probabilities"][one["class"]] == one["probability"]


def test_predict_draws_a_bar_for_each_class(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = output_of(capsys, "predict", folder, picture(tmp_path, 1)).splitlines()
    assert len(out) == 11
    assert [line.split()[0] for line in out[1:]] == list("0123456789")
    assert predict.bars(["a", "b"], [0.25, 0.75]) == [
        "  a " + "█" * 6 + " " * 18 + "  25.0%",
        "  b " + "█" * 18 + " " * 6 + "  75.0%",
    ]


def test_what_a_network_is_unsure_of_is_no_digit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = replace(made(1500, 100), validation=digits.make(300, first=4000))
    run = a_run(tmp_path, data, epochs=3, batch_size=32)
    for _ in run.events():
        pass
    network = checkpoint.load_network(tmp_path / MODEL)
    held = run.feed.samples(run.data.validation)
    sure = judge.judge(runs.predictor(network), held).sure
    least = network.about["sure_from"]
    assert 0.005 <= (sure < least).mean() <= 0.011
    ragged = np.random.default_rng(0).integers(0, 255, (28, 28)).astype(np.uint8)
    np.save(tmp_path / "noise.npy", ragged)
    told = json.loads(output_of(capsys, "predict", tmp_path, tmp_path / "noise.npy", "--json"))
    assert told["recognised"] == (told["probability"] >= least)
    network.about["sure_from"] = 1.0  # so that nothing is sure enough
    checkpoint.save_network(tmp_path / MODEL, network)
    out = output_of(capsys, "predict", tmp_path, tmp_path / "noise.npy")
    assert out.startswith(f"{tmp_path / 'noise.npy'}: no digit here\n")


def test_predict_as_is_leaves_the_picture(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    seen = digits.make(1, first=77).pictures
    np.save(tmp_path / "seven.npy", seen[0, 0])
    out = output_of(capsys, "predict", folder, tmp_path / "seven.npy", "--as-is", "--json")
    answers = runs.predictor(checkpoint.load_network(folder / MODEL)).logits(seen)
    shares = json.loads(out)["probabilities"].values()
    assert list(shares) == pytest.approx(judge.probabilities(answers)[0].tolist())


def test_filters_are_the_weights(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    network = checkpoint.load_network(folder / MODEL)
    found = json.loads(output_of(capsys, "filters", folder, "--json"))
    assert found["layer"] == "conv1"
    assert np.allclose(found["kernels"], network.parameters["conv1.weight"])
    out = output_of(capsys, "filters", folder)
    assert out.startswith("small, conv1: 4 kernels of 5x5, 1 deep\n")
    assert max(map(len, out.splitlines())) <= 80


def test_filters_of_a_dense_layer_are_pictures(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = nn.build("mlp")
    network = checkpoint.Network(model, nn.initial_parameters(model, 0), {})
    checkpoint.save_network(tmp_path / MODEL, network)
    out = output_of(capsys, "filters", tmp_path, "--count", "3")
    assert out.startswith("mlp, dense1: 256 kernels of 28x28, 1 deep\n")


def test_a_kernels_zero_is_gray() -> None:
    from stepconv.cli.commands.filters import pictures

    [(caption, shown)] = pictures(np.array([[[[-2.0, 0.0, 1.0, 2.0]]]]))
    assert caption == "0"
    assert shown.tolist() == [[[0, 128, 191, 255]]]


def test_bad_files_are_one_line(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes((folder / MODEL).read_bytes()[:-9])
    sheet = picture(tmp_path, 1)
    for command in ("evaluate", "filters"):
        assert "broken.safetensors is damaged" in refusal(capsys, command, broken)
        assert "No such file" in refusal(capsys, command, tmp_path / "none.safetensors")
    assert "broken.safetensors is damaged" in refusal(capsys, "predict", broken, sheet)
    assert "none.png" in refusal(capsys, "predict", folder, tmp_path / "none.png")
    assert "layer 'conv9' has no kernels to show: conv1 fit" in refusal(
        capsys, "filters", folder, "--layer", "conv9"
    )
    assert "holds a state, not a network" in refusal(
        capsys, "evaluate", folder / "state.safetensors"
    )


def test_export_onnx_writes_what_it_has_proved(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime = pytest.importorskip("onnxruntime", reason=NO_RUNTIME)
    out = tmp_path / "small.onnx"
    told = output_of(capsys, "export-onnx", folder, out)
    network = checkpoint.load_network(folder / MODEL)
    assert told.startswith(f"small is in {out}, {out.stat().st_size:,} bytes\n")
    scale, shift = network.about["scale"], network.about["shift"]
    assert f"0 to 255 times {scale:.9g} plus {shift:.9g}\n" in told
    seen = digits.make(5).pictures
    images = seen * np.float32(scale) + np.float32(shift)
    (answers,) = runtime.InferenceSession(out).run(None, {"images": images})
    assert np.allclose(answers, runs.predictor(network).logits(seen), atol=1e-4)
    assert "--force" in refusal(capsys, "export-onnx", folder, out)
    output_of(capsys, "export-onnx", folder / MODEL, out, "--force")


def test_export_onnx_beside_the_network(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime", reason=NO_RUNTIME)
    (tmp_path / "five.safetensors").write_bytes((folder / MODEL).read_bytes())
    output_of(capsys, "export-onnx", tmp_path / "five.safetensors")
    assert (tmp_path / "five.onnx").exists()


def test_export_onnx_refuses_in_a_sentence(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "small.onnx"
    assert "no folder" in refusal(capsys, "export-onnx", folder, tmp_path / "absent" / "a.onnx")
    assert ".onnx fit" in refusal(capsys, "export-onnx", folder, tmp_path / "small.txt")
    assert "No such file" in refusal(capsys, "export-onnx", tmp_path / "absent", out)
    (tmp_path / MODEL).write_bytes((folder / MODEL).read_bytes()[:-1])
    assert "damaged" in refusal(capsys, "export-onnx", tmp_path / MODEL, out)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert "pip install 'stepconv[onnx]'" in refusal(capsys, "export-onnx", folder, out)
    assert not out.exists()


def test_export_onnx_writes_nothing_that_answers_otherwise(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("onnxruntime", reason=NO_RUNTIME)
    from stepconv.nn import onnx

    network = checkpoint.load_network(folder / MODEL)
    network.parameters["conv1.bias"] += 1
    wrong = onnx.model_bytes(network)
    monkeypatch.setattr(onnx, "model_bytes", lambda network: wrong)
    assert "differ" in refusal(capsys, "export-onnx", folder, tmp_path / "small.onnx")
    assert not (tmp_path / "small.onnx").exists()


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["train", "mnist"], "`stepconv train lenet5 --data mnist`"),
        (["shapes", "resnet18"], "there are mini-resnet, resnet50, resnet152"),
        (["predict", "digit-5-28x28"], "`stepconv predict runs/lenet5-mnist digit-5-28x28`"),
    ],
)
def test_a_near_miss_gets_a_hint_that_makes_sense(
    arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert hint in capsys.readouterr().err


def test_a_run_folder_is_a_model_and_the_gallery_has_pictures(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["shapes", str(folder)]) == 0
    assert "parameters" in capsys.readouterr().out
    assert main(["predict", str(folder), "digit-5-28x28", "--json"]) == 0
    assert "digit-5-28x28" in capsys.readouterr().out
