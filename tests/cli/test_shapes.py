"""`stepconv shapes` for people, pipes and programs, and its refusals."""

import json
import re
from pathlib import Path

import pytest

from stepconv import nn
from stepconv.cli import main
from stepconv.cli.commands import shapes
from stepconv.nn.zoo.famous import SHEETS
from stepconv.trace.gallery import worked

GUIDE = Path(__file__).parents[2] / "docs" / "training.md"
LECTURES = {
    example.id: example.expected
    for example in worked.worked_examples()
    if example.op.startswith("parameter_count")
}


def said(capsys, *arguments):
    assert main(["shapes", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


def refusal(capsys, *arguments):
    assert main(["shapes", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize("name", LECTURES)
def test_the_lectures_numbers_come_out(capsys, name):
    assert json.loads(said(capsys, name, "--json"))["parameters"] == LECTURES[name]
    assert f"{LECTURES[name]:,} = " in said(capsys, name)


def test_those_numbers_are_280_and_67_500_000():
    assert {280, 67_500_000} <= set(LECTURES.values())


@pytest.mark.parametrize(
    ("name", "total"), [("lenet5", "61,706"), ("vgg16", "138,357,544"), ("resnet50", "25,557,032")]
)
def test_on_a_pipe_each_layer_is_one_line(capsys, name, total):
    header, *lines, last = said(capsys, name).splitlines()
    assert header.split() == [
        "layer",
        "output",
        "parameters",
        "multiplications",
        "sees",
        "formulas",
    ]
    assert [line.split()[0] for line in lines] == [row.name for row in shapes.measured(name).rows]
    assert last.split()[:2] == ["total", total]


def test_json_has_all_numbers(capsys):
    found = json.loads(said(capsys, "lenet5", "--json"))
    assert (found["model"], found["input"]) == ("lenet5", [1, 28, 28])
    assert (found["parameters"], found["multiplications"]) == (61_706, 416_520)
    assert found["about"]
    assert found["layers"][0] == {
        "name": "conv1",
        "kind": "conv",
        "input": [1, 28, 28],
        "output": [6, 28, 28],
        "size_formulas": ["28 = (28 - 5 + 2·2) / 1 + 1"],
        "parameters": 156,
        "parameter_formula": "156 = (5·5·1 + 1) · 6",
        "multiplications": 117_600,
        "sees": [5, 5],
    }


@pytest.mark.parametrize("width", [60, 80, 200])
@pytest.mark.parametrize("name", [*nn.ZOO, *SHEETS, *LECTURES])
def test_lines_keep_to_the_width(name, width):
    network = shapes.measured(name)
    text = [line.plain for line in shapes.on_screen(network, width)]
    assert max(map(len, text)) <= width
    assert f"{network.parameters:,}" in text[-1]
    # Nothing but the names of layers and the line on top may be cut.
    assert not any("…" in line.lstrip("…") for line in text[2:])
    for row in network.rows:
        for formula in row.size_formulas:
            assert any(formula in line for line in text)


def test_another_picture(capsys):
    found = json.loads(said(capsys, "mini-vgg", "--input", "1x32x32", "--json"))
    assert found["layers"][0]["output"] == [32, 32, 32]


def test_a_toml_file(capsys, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(nn.to_toml(nn.build("mini-densenet")), encoding="utf-8")
    mine = json.loads(said(capsys, str(path), "--json"))
    of_zoo = json.loads(said(capsys, "mini-densenet", "--json"))
    assert mine["layers"] == of_zoo["layers"]


def test_the_guide_shows_what_comes_out():
    text = GUIDE.read_text("utf-8")
    described = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    networks = [one for one in described if "layers" in one]  # the other says how to train one
    assert [nn.from_toml(one).name for one in networks] == ["tiny-vgg", "side-by-side"]
    shown = [line.plain.rstrip() for line in shapes.on_screen(shapes.measured("lenet5"), 80)]
    assert "$ stepconv shapes lenet5\n" + "\n".join(shown) in text
    for name in SHEETS:
        network = shapes.measured(name)
        assert f"| `{name}` | {network.parameters:,} | {network.multiplications:,} |" in text
    for kind in nn.LAYERS:
        assert f"| `{kind}` |" in text


def test_help_names_every_network(capsys):
    words = said(capsys, "--help").split()
    for name in (*nn.ZOO, *SHEETS, *LECTURES):
        assert name in words


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("vgg61",), "did you mean 'vgg16'?"),
        (("???",), "lenet5"),
        (("nothing.toml",), "cannot be read"),
        (("lenet5", "--input", "28 by 28"), "1x28x28 fits"),
        (("lenet5", "--input", "28x28"), "1x28x28 fits"),
        (("lenet5", "--input", "0x28x28"), "out of range"),
        (("lenet5", "--input", "1x2x2"), "layer conv2"),
        (("lenet5", "--input", "784"), "layer conv1"),
    ],
)
def test_refusals(capsys, arguments, reason):
    assert reason in refusal(capsys, *arguments)
