"""The GPU's benchmark says in a line that there is no card, and writes its table into the docs."""

import re

import pytest

from benchmarks import gpu, tables
from tests.conftest import BACKENDS, SIMULATED

REPORT = {
    "card": "Some Card, 80 GiB",
    "date": "2026-01-31",
    "torch": "2.13",
    "commit": "abc1234",
    "copy": 3e12,
    "cells": [
        {
            "work": "4096² by 3x3",
            "medians": {"stepconv": 1e-4, "NCHW conv2d": 2e-4, "channels_last conv2d": 3e-4},
            "asked": 1.0,
            "copy_share": 0.5,
        },
        {
            "work": "1x1",
            "medians": {"stepconv": 1e-4, "NCHW conv": 5e-5},
            "asked": 0.6,
            "copy_share": 0.25,
        },
    ],
    "trainings": [
        {
            "work": "lenet5, batches of 64",
            "net": "lenet5",
            "speeds": {
                "stepconv": 4e5,
                "eager NCHW": 1e5,
                "eager channels_last": 1.6e5,
                "graph NCHW": 8e5,
            },
        },
    ],
}


@pytest.mark.skipif("cuda" in BACKENDS and not SIMULATED, reason="there is a card to measure on")
def test_no_card_is_told_of_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"nothing to measure on: backend 'cuda' is .*\n", err)


def test_the_cells_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main(["--list"]) == 0
    listed = capsys.readouterr().out
    for name in (
        "filter-31",
        "lenet1-forward",
        "64-64-dX",
        "max-pool-3-backward",
        "train-mini-vgg-1024",
    ):
        assert name in listed
    assert gpu.main(["--list", "--cell", "train-lenet5-*"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_the_table_of_the_docs() -> None:
    page = gpu.page(tables.PAGE.read_text("utf-8"), REPORT)
    assert "| 4096² by 3x3 | 100 µs | NCHW conv2d | 200 µs | 2.00 | 1 ✓ | 50% |" in page
    assert "| 1x1 | 100 µs | NCHW conv | 50.0 µs | 0.50 | **0.6 ✗** | 25% |" in page
    assert "Some Card, 80 GiB, 2026-01-31, PyTorch 2.13, commit abc1234; a copy: 3000 GB/s" in page
    training = "160,000/s | 2.50 | 2 ✓ | 800,000/s | 0.50 | **1 ✗** |"
    assert f"| lenet5, batches of 64 | 400,000 images/s | {training}" in page
    assert gpu.page(page, REPORT) == page


def test_a_cell_that_fails_stops_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    report: dict[str, dict[str, str]] = {"failed": {}}
    for name in ("one", "two"):
        with gpu.noting(name, report):
            raise RuntimeError("out of memory")
    assert report["failed"] == {"one": "out of memory", "two": "out of memory"}
    assert "two failed: out of memory" in capsys.readouterr().err
