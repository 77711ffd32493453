"""`stepconv explore` without its screen: layers and cells as JSON and as sentences."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepconv import look_inside
from stepconv.cli import main
from stepconv.train.data import digits
from tests.train.sets import a_run, finish


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    finish(a_run(folder, epochs=2))
    return folder


def output_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert main(["explore", *map(str, arguments)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def as_json(capsys: pytest.CaptureFixture[str], *arguments: object) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output_of(capsys, *arguments, "--json").splitlines()]


def refusal(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    capsys.readouterr()
    assert main(["explore", *map(str, arguments)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_a_line_for_each_layer_and_one_for_the_answer(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = digits.make(1, first=digits.TRAINING + 7)
    inside = look_inside(folder, sample.pictures[0], int(sample.labels[0]))
    *layers, last = as_json(capsys, folder, "--picture", 7)
    assert [line["layer"] for line in layers] == inside.layers
    for line in layers:
        out = inside[line["layer"]].output
        assert line["kind"] == inside[line["layer"]].kind
        assert line["output_shape"] == list(out.shape)
        assert line["minimum"] == pytest.approx(out.min(), rel=1e-5)
        assert line["maximum"] == pytest.approx(out.max(), rel=1e-5)
        assert line["mean"] == pytest.approx(out.mean(), rel=1e-4)
        assert line["share_of_zeros"] == pytest.approx((out == 0).mean())
    assert [layers[0]["field"], layers[2]["field"]] == [[5, 5], [7, 7]]
    assert last["prediction"] == inside.prediction
    assert last["label"] == sample.labels[0]
    assert last["loss"] == pytest.approx(inside.loss, rel=1e-4)
    np.testing.assert_allclose(last["probabilities"], inside.probabilities, atol=1e-6)


def test_a_cell_is_a_step_with_its_field(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside = look_inside(folder, digits.make(1, first=digits.TRAINING).pictures[0], 1)
    [step] = as_json(capsys, folder, "--at", "conv1:3,4,5")
    expected = inside.at("conv1", (3, 4, 5))
    assert step["layer"] == "conv1"
    assert step["output_index"] == [3, 4, 5]
    assert step["result"] == pytest.approx(float(expected.result), rel=1e-5)
    assert step["window"] == [[8, 13], [10, 15]] == step["field"]
    assert step["field_pixels"] == 25
    [step] = as_json(capsys, folder, "--at", "dense1:7")
    assert step["output_index"] == [7]
    assert step["field_pixels"] == int(inside.field("dense1", 7).cells.sum())
    [step] = as_json(capsys, folder, "--at", "conv1.weight:3,0,1,1", "--label", 1)
    gradient = inside.gradients["conv1.weight"][3, 0, 1, 1]
    assert step["result"] == pytest.approx(float(gradient), rel=1e-3, abs=1e-7)
    assert "field" not in step
    words = output_of(capsys, folder, "--at", "conv1:3,4,5", "--plain").splitlines()
    assert words[0].startswith("conv1: step ")
    assert words[1].endswith("sees rows 8 to 12 and columns 10 to 14: 25 of 784 pixels")
    assert "kernel 5x5" in output_of(capsys, folder, "--at", "conv1:3,4,5")


def test_sentences_and_a_table(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    *layers, last = output_of(capsys, folder, "--plain").splitlines()[1:]
    assert layers[0].startswith("conv1, conv: output 4x12x12, a cell sees 5x5 pixels, numbers from")
    assert last.startswith("It is told ")
    lines = output_of(capsys, folder).splitlines()
    assert lines[1].split() == ["layer", "output", "sees", "minimum", "maximum", "mean", "zeros"]
    assert len(lines) == 2 + len(layers) + 10


def test_a_file_is_treated_as_the_pictures_were(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    digit = digits.make(1, first=digits.TRAINING + 3).pictures[0, 0]
    paper = np.pad(digit, 30)
    np.save(tmp_path / "five.npy", 255 - paper)
    last = as_json(capsys, folder, "--picture", tmp_path / "five.npy", "--label", "5")[-1]
    told = as_json(capsys, folder, "--picture", 3)[-1]
    assert last["label"] == 5
    assert "label" not in as_json(capsys, folder, "--picture", tmp_path / "five.npy")[-1]
    np.testing.assert_allclose(last["probabilities"], told["probabilities"], atol=0.2)


def test_a_network_of_the_zoo_says_that_it_has_learnt_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["explore", "mlp", "--json"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out.splitlines()[-1])["classes"] == list("0123456789")
    assert err.startswith("stepconv: mlp has learnt nothing")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--at", "conv9:1,2,3"], "--at conv9:1,2,3: layer 'conv9' is not in small"),
        (["--at", "conv1:9,1,1"], "outside of conv1, which is 4x12x12: up to 3,11,11 fits"),
        (["--at", "conv1:1,1"], "does not fit conv1"),
        (["--at", "conv1"], "--at 'conv1' is no cell of a layer: conv2:3,4,5"),
        (["--picture", "4000"], "picture 4000 is not in digits: it has 4,000 test pictures"),
        (["--picture", "no.png"], "no.png"),
        (["--picture", "no.png", "--data", "digits"], "--data digits goes with a number"),
        (["--label", "10"], "--label '10' is no class"),
        (["--data", "nothing"], "data 'nothing' is not known"),
        (["--plain", "--json"], "give one"),
        (["--backend", "textbook"], "--backend textbook runs no networks"),
        (["--backend", "portable"], "--backend portable opens no network"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert said in refusal(capsys, folder, *arguments)


def test_a_name_that_is_no_network_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no model 'lenet6'" in refusal(capsys, "lenet6")
    assert str(tmp_path) in refusal(capsys, tmp_path)
