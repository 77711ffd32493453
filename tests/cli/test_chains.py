"""Calls after one another on the command line: shown link by link, recorded, replayed, refused."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stepconv
from stepconv.cli import main
from stepconv.trace import load

Capture = pytest.CaptureFixture[str]

TYPED = ("--input", "1 2 5; 3 9 4; 1 1 1", "--kernel", "1 -1")
THEN = ("--then", "relu", "--then", "max-pool 2 --stride 1")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def show(capsys: Capture, *arguments: str) -> list[str]:
    status = main(["show", *arguments])
    printed, complaint = capsys.readouterr()
    assert (status, complaint) == (0, "")
    return printed.splitlines()


def refusal(capsys: Capture, *arguments: str) -> str:
    status = main(["show", *arguments])
    printed, complaint = capsys.readouterr()
    assert (status, printed) == (2, "")
    assert complaint.count("\n") == 1
    return complaint


def test_sentences_link_by_link(capsys: Capture) -> None:
    told = show(capsys, *TYPED, *THEN, "--plain")
    assert told[0] == "link 0 of 3, cross-correlation: from the input, output 3x2"
    assert told[7] == "link 1 of 3, ReLU: from link 0, output 3x2"
    assert told[-1].endswith("the largest of 0, 5, 0, 0 is 5, at row 1, column 1")
    assert len(told) == 1 + 6 + 1 + 6 + 1 + 2
    assert show(capsys, *TYPED, *THEN, "--plain", "--link", "-1") == told[-3:]


def test_panels_link_by_link(capsys: Capture) -> None:
    told = "\n".join(show(capsys, *TYPED, *THEN))
    assert told.count("╭") == 3
    assert told.index("link 0 of 3") < told.index("link 1 of 3") < told.index("link 2 of 3")


def test_data_names_the_link_and_the_cells_before(capsys: Capture) -> None:
    data: list[dict[str, Any]] = [
        json.loads(line) for line in show(capsys, *TYPED, *THEN, "--json")
    ]
    assert [each["link"] for each in data] == [0] * 6 + [1] * 6 + [2] * 2
    assert data[-1]["made_from"] == [{"link": 1, "cells": [[1, 0], [1, 1], [2, 0], [2, 1]]}]
    assert data[0]["made_from"] == [{"link": None, "cells": [[0, 0], [0, 1]]}]
    picked = show(capsys, *TYPED, *THEN, "--json", "--link", "2", "--step", "1")
    assert [json.loads(line) for line in picked] == data[-1:]


def test_a_recorded_chain_is_shown_again_and_goes_on(capsys: Capture) -> None:
    assert main(["record", *TYPED, *THEN, "-o", "a.npz"]) == 0
    printed, said = capsys.readouterr()
    assert printed == ""
    assert "6 steps of cross-correlation, 6 steps of ReLU, 2 steps of max pooling" in said
    assert show(capsys, "a.npz", "--plain") == show(capsys, *TYPED, *THEN, "--plain")
    chain = load("a.npz")
    assert isinstance(chain, stepconv.Chain)
    assert [trace.op for trace in chain] == ["correlate", "relu", "max_pool"]


def test_an_example_begins_a_chain(capsys: Capture) -> None:
    told = show(capsys, "vertical-edge-rgb", "--then", "relu", "--plain")
    assert told[0] == "link 0 of 2, cross-correlation: from the input, output 1x8x8"


@pytest.mark.parametrize(
    ("typed", "op", "output"),
    [
        ("correlate 1 1; 0 1", "correlate", [[1], [-1]]),
        ("correlate --kernel '1 1; 0 1'", "correlate", [[1], [-1]]),
        ("convolve '2 0'", "convolve", [[-6], [10], [0]]),
        ("correlate 1 --bias 1 --stride 2", "correlate", [[0], [1]]),
        ("leaky-relu 0.5", "leaky_relu", [[-0.5, -1.5], [-3, 5], [0, 0]]),
        ("leaky-relu --slope 0.5", "leaky_relu", [[-0.5, -1.5], [-3, 5], [0, 0]]),
        ("max-pool 3,1", "max_pool", [[0, 5]]),
        ("pad 1 --mode replicate", "pad", None),
        ("flip", "flip", [[0, 0], [5, -6], [-3, -1]]),
        ("add link 0", "add", [[-2, -6], [-12, 10], [0, 0]]),
        ("subtract '1 1; 1 1; 1 1'", "subtract", [[-2, -4], [-7, 4], [-1, -1]]),
        ("add --other 'link 0'", "add", [[-2, -6], [-12, 10], [0, 0]]),
        ("tanh", "tanh", None),
        ("softmax", "softmax", None),
    ],
)
def test_what_may_follow(capsys: Capture, typed: str, op: str, output: Any) -> None:
    assert main(["record", *TYPED, "--then", typed, "-o", "a.npz"]) == 0
    chain = load("a.npz")
    assert isinstance(chain, stepconv.Chain)
    assert chain[1].op == op
    if output is not None:
        assert np.array_equal(chain.output, output)


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ("", "an operation such as relu or 'max-pool 2' fits"),
        ("rellu", "did you mean 'relu'?"),
        ("relu 2", "relu takes no '2'"),
        ("relu --strid 3", "No such option: --strid"),
        ("max-pool 9", "link 1, max_pool: window 9x9 does not fit"),
        ("max-pool x", "--window 'x' is not a whole number"),
        ("relu --input 3", "--input has no place here"),
        ("relu --then relu", "--then has no place here"),
        ("add", "add needs a second array: --other"),
        ("add link 1", "y=From(1) is no link before this one"),
        ("add input", "y of shape (3, 3) does not fit"),
        ("relu --gradient x", "--gradient has no place here"),
        ("correlate", "needs a --kernel"),
        ("correlate '1", "an operation such as"),
        ("correlate 1 2 || 3 4", "has no channels"),
        ("relu --stride 2", "--stride has no place here"),
    ],
)
def test_what_cannot_follow(capsys: Capture, typed: str, says: str) -> None:
    told = refusal(capsys, *TYPED, "--then", typed)
    assert told.startswith(f"stepconv: --then {typed!r}: ")
    assert says in told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((*TYPED, "--link", "0"), "there is one call alone"),
        ((*TYPED, *THEN, "--link", "3"), "--link 3 is not in this chain: 0 to 2 fit"),
        ((*TYPED, *THEN, "--svg", "a.svg", "--step", "1"), "of which of 3 links? --link 0"),
        ((*TYPED, *THEN, "--step", "4", "--link", "2"), "--step 4 is not in this trace"),
    ],
)
def test_a_link_that_is_not_there(capsys: Capture, arguments: tuple[str, ...], says: str) -> None:
    assert says in refusal(capsys, *arguments)
