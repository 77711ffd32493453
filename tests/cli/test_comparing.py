"""`stepconv shapes` of several networks in one table, and of any as a drawing."""

import json
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest

from stepconv import nn
from stepconv.cli import main
from stepconv.cli.commands import shapes
from stepconv.cli.showing import comparing
from stepconv.nn import checkpoint
from stepconv.nn.zoo.famous import SHEETS

EVERY = ["lenet5", "alexnet", "zfnet", "vgg16", "googlenet", "resnet152", "densenet121"]


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


def test_the_lectures_table(capsys):
    header, *lines = said(capsys, *EVERY).splitlines()
    assert header.split() == [
        *("network", "year", "authors", "parameters", "multiplications"),
        *("depth", "sees", "error", "judged", "on"),
    ]
    assert [line.split()[:2] for line in lines] == [
        *(["lenet5", "1998"], ["alexnet", "2012"], ["zfnet", "2013"], ["vgg16", "2014"]),
        *(["googlenet", "2014"], ["resnet152", "2015"], ["densenet121", "2017"]),
    ]
    assert "138,357,544   15,470,264,320     16   212   7.3 %" in lines[3]


@pytest.mark.parametrize(
    ("name", "depth"),
    [
        *(("lenet5", 5), ("alexnet", 8), ("zfnet", 8), ("vgg16", 16), ("googlenet", 22)),
        *(("resnet50", 50), ("resnet152", 152), ("densenet121", 121), ("mlp", 3)),
    ],
)
def test_depth_is_that_of_the_names(name, depth):
    assert shapes.measured(name).depth == depth


def test_json_has_a_line_for_each(capsys):
    lenet, vgg, mini = map(
        json.loads, said(capsys, "lenet5", "vgg16", "mini-vgg", "--json").splitlines()
    )
    assert (lenet["year"], lenet["published_error"]) == (1998, 0.95)
    assert (vgg["depth"], vgg["receptive_field"], vgg["published_error"]) == (16, [212, 212], 7.3)
    assert (mini["year"], mini["published_error"], mini["judged"]) == (2014, None, "after vgg16")
    alone = json.loads(said(capsys, "vgg16", "--json"))
    assert {**vgg, "layers": 0}.items() >= {**alone, "layers": 0}.items()


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_the_table_keeps_to_the_width(width):
    every = [comparing.compared(shapes.measured(name)) for name in EVERY]
    lines = list(comparing.table(every, width))
    assert max(map(len, lines)) <= width
    assert all(any(line.startswith(name) for line in lines) for name in EVERY)


def a_run(folder, accuracies):
    model = nn.build("lenet5")
    drawn = nn.initial_parameters(model, 0)
    about = {"classes": list("0123456789"), "data": "mnist"}
    network = checkpoint.Network(model, drawn, nn.initial_statistics(model), about)
    folder.mkdir()
    checkpoint.save_network(folder / "model.safetensors", network)
    lines = [
        {"epoch": i, "train_loss": 1, "train_accuracy": 0.5, "test_accuracy": accuracy}
        | {"images_per_second": 1, "seconds": 1}
        for i, accuracy in enumerate(accuracies, 1)
    ]
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(folder)


def test_a_run_stands_beside_its_ancestor_with_its_own_error(capsys, tmp_path):
    run = a_run(tmp_path / "lenet5-mnist", [0.9, 0.985])
    mine, ancestor = map(json.loads, said(capsys, run, "lenet5", "--json").splitlines())
    assert (mine["error"], mine["published_error"]) == (1.5, None)
    assert mine["judged"] == "mnist, measured here"
    assert mine["parameters"] == ancestor["parameters"]
    assert said(capsys, run, "--draw") == said(capsys, "lenet5", "--draw")


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("name", [*nn.ZOO, *SHEETS])
def test_drawings_keep_to_the_width(name, width):
    drawn = shapes.drawn([shapes.measured(name)], width)
    text = ["".join(piece.text for piece in line) for line in drawn]
    assert max(map(len, text)) <= width
    assert not any("…" in line for line in text)


def test_every_layer_with_weights_is_drawn_as_often_as_it_is_there():
    """Boxes and modules, with their counts, hold the convs and dense layers of the network."""
    for name in (*nn.ZOO, *SHEETS):
        network = shapes.measured(name)
        [(_, blocks)] = shapes.blocks_of([network])
        drawn = 0
        for block in blocks:
            told = (
                [block.does]
                if hasattr(block, "does")
                else [label for branch in block.branches for label in branch]
            )
            drawn += block.times * sum(" conv " in one or "dense " in one for one in told)
        assert drawn == sum(row.kind in ("conv", "dense") for row in network.rows), name


def test_modules_are_named_for_what_they_are(capsys):
    assert "inception module" in said(capsys, "mini-googlenet", "--draw")
    assert "dense block ×58" not in said(capsys, "densenet121", "--draw")
    assert "dense block ×24  256x14x14 → 1024x14x14" in said(capsys, "densenet121", "--draw")
    residual = said(capsys, "resnet152", "--draw")
    assert "residual block ×35  1024x14x14 → 1024x14x14" in residual
    assert "identity" in residual


def test_an_svg_is_whole_and_brings_no_font(capsys, tmp_path):
    path = tmp_path / "networks.svg"
    assert said(capsys, "lenet5", "googlenet", "--draw", "-o", str(path)) == ""
    text = path.read_text("utf-8")
    root = ElementTree.fromstring(text)
    assert root.tag.endswith("svg")
    assert "@font-face" not in text
    assert "http" not in text.replace("http://www.w3.org", "")
    words = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"lenet5", "googlenet", "5x5 conv 16", "1x1 conv 64"} <= set(words)
    assert "is there already" in refusal(capsys, "lenet5", "-o", str(path))


def test_classes_and_toml_of_a_famous_network(capsys):
    assert json.loads(said(capsys, "vgg16", "--classes", "7", "--json"))["layers"][-1][
        "output"
    ] == [7]
    made = nn.from_toml(said(capsys, "resnet50", "--classes", "7", "--toml"))
    assert (made.classes, made.input_shape) == (7, (3, 224, 224))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("lenet5", "--classes", "0"), "--classes 0 does not fit"),
        (("vgg16", "--classes", "-3"), "--classes -3 does not fit"),
        (("parameters-10-filters", "--classes", "3"), "is one layer"),
        (("parameters-10-filters", "--toml"), "is one layer"),
        (("lenet5", "--input", "1x99999999x99999999"), "out of range"),
        (("lenet5", "--input", "1x" + "9" * 5000 + "x1"), "out of range"),
        (("lenet5", "vgg16", "--toml"), "--toml writes one network"),
        (("lenet5", "--draw", "--json"), "--draw and --json"),
        (("lenet5", "-o", "lenet5.png"), ".svg fits"),
        (("lenet5", "vgg61"), "did you mean 'vgg16'?"),
        (("nowhere.safetensors",), "nowhere.safetensors"),
    ],
)
def test_refusals(capsys, arguments, reason):
    assert reason in refusal(capsys, *arguments)


def test_a_network_of_ones_own_keeps_its_classes(capsys, tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(nn.to_toml(nn.build("lenet5", classes=3)), encoding="utf-8")
    assert "tells 3 classes" in refusal(capsys, str(path), "--classes", "4")
    assert json.loads(said(capsys, str(path), "--classes", "3", "--json"))["parameters"]


def test_a_users_network_of_many_branches_is_cut_to_the_width():
    wide = nn.Residual(tuple(nn.Conv(4, 3, padding=1) for _ in range(30)))
    network = SimpleNamespace(name="wide", layers=(wide,), input=(4, 8, 8))
    for line in shapes.drawn([network], 60):
        assert sum(len(piece.text) for piece in line) <= 60
