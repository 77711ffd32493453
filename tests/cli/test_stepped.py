"""`stepconv show --as`: steps of an algorithm as panels, sentences and JSON, and the table."""

import json

import pytest

from stepconv.cli import main
from stepconv.cli.showing import stepped


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(stepped, "_SECONDS", 0.0)


def show(capsys, *words):
    status = main(["show", *words])
    printed, complaint = capsys.readouterr()
    assert (status, complaint) == (0, "")
    return printed


@pytest.mark.parametrize("way", ["im2col", "winograd", "fft", "separable", "tiles", "direct"])
def test_every_way_as_json(capsys, way):
    lines = show(capsys, "vertical-edge-gray", "--as", way, "--json", "--cell", "2,3").splitlines()
    *steps, last = map(json.loads, lines)
    assert [step["step"] for step in steps] == list(range(len(steps)))
    assert {"title", "words", "formula", "panels", "counters"} <= steps[0].keys()
    (result,) = (panel for panel in steps[-1]["panels"] if panel["name"] == "result")
    assert result["cells"][0].count(75) == 2
    rows = {row["algorithm"]: row for row in last["table"]}
    assert {"direct", "im2col", "separable", "fft", "tiles", "winograd F(4x4,3x3)"} <= rows.keys()
    assert rows["im2col"]["seconds"] > 0
    assert rows["direct"]["multiplications"] == 144


def test_sentences_and_panels(capsys):
    words = show(capsys, "vertical-edge-rgb", "--as", "separable", "--plain")
    assert "the kernel is split, channel 2: 9 weights are 3 times 3" in words
    assert "for each of 16 cells: 27.0 multiplications" in words
    drawn = show(capsys, "vertical-edge-gray", "--as", "winograd", "--step", "0")
    assert "U = G · w · G'" in drawn
    assert "algorithm" not in drawn
    assert max(map(len, show(capsys, "vertical-edge-gray", "--as", "fft").splitlines())) <= 80


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("vertical-edge-gray", "--as", "magic"), "direct, im2col"),
        (("vertical-edge-gray", "--as", "fft", "--cell", "9,9"), "0,0,0 to 0,7,7 fits"),
        (("vertical-edge-gray", "--cell", "1,1"), "needs --as"),
        (("vertical-edge-gray", "--as", "fft", "--letters"), "--letters has no place"),
        (("vertical-edge-gray", "--as", "fft", "--step", "99"), "--step 99"),
        (("vertical-edge-gray", "--as", "fft", "--svg", "x.svg"), "give one"),
        (("max-pool-4x4", "--as", "fft"), "slides no kernel"),
        (("size-10-3-p0-s2", "--as", "fft"), "a number"),
        (("vertical-edge-stride-2", "--as", "winograd"), "stride"),
        (("vertical-edge-gray", "--then", "relu", "--as", "fft"), "--link 0 to 1 fits"),
    ],
)
def test_refusals(capsys, words, told):
    assert main(["show", *words]) == 2
    printed, complaint = capsys.readouterr()
    assert printed == ""
    assert complaint.count("\n") == 1
    assert told in complaint


def test_a_link_of_a_chain(capsys):
    words = show(
        capsys, "vertical-edge-gray", "--then", "relu", "--as", "tiles", "--link", "0", "--plain"
    )
    assert "line 0 of the input" in words
