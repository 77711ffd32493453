"""Few bytes that ask for much: each call has one budget, told from its plan before it begins."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import stepconv
from stepconv import nn
from stepconv.cli import main
from stepconv.errors import ArgumentError
from stepconv.geometry import Axis, budget, padding_plan
from stepconv.ops import padding as padding_ops

BILLION = 10**9
X, W = np.ones((22, 16)), np.ones((3, 3))
GIANTS: dict[str, Callable[[], Any]] = {
    "padding": lambda: stepconv.correlate(X, W, padding=BILLION),
    "padding and stride": lambda: stepconv.correlate(X, W, padding=BILLION, stride=BILLION),
    "padding and dilation": lambda: stepconv.correlate(X, W, padding=BILLION, dilation=BILLION),
    "pad": lambda: stepconv.pad(X, BILLION),
    "pad, reflected": lambda: stepconv.pad(X, BILLION, mode="circular"),
    "pad behind": lambda: stepconv.pad(X, ((0, BILLION), (0, BILLION))),
    "window": lambda: stepconv.max_pool(X, BILLION, padding=BILLION // 2),
    "averages": lambda: stepconv.avg_pool(X, BILLION, padding=BILLION // 2),
    "transposed": lambda: stepconv.correlate_transpose(X, W, stride=BILLION),
    "transposed dilation": lambda: stepconv.correlate_transpose(X, W, dilation=BILLION),
    "a signal": lambda: stepconv.record(stepconv.pad, [1.0, 2.0], 2**27),
    "its stride": lambda: stepconv.record(
        stepconv.correlate, [1.0, 2.0], [1.0], padding=2**27, stride=2**27
    ),
    "its window": lambda: stepconv.record(
        stepconv.max_pool, [1.0, 2.0], 2**27, padding=2**26, stride=1
    ),
    "rows of no cells": lambda: stepconv.record(stepconv.relu, np.zeros((2**60, 0), np.int8)),
    "planes of no cells": lambda: stepconv.record(stepconv.relu, np.zeros((2**60, 0, 3), np.int8)),
    "a gradient": lambda: stepconv.record(
        stepconv.pad_backward, np.zeros((2**25, 0)), (2**25, 0), 0
    ),
}


@pytest.mark.parametrize("name", GIANTS)
def test_a_giant_is_refused_at_once_and_its_size_is_told(name: str) -> None:
    begun = time.process_time()
    with pytest.raises(ArgumentError, match=r"memory|a record has at most|too large"):
        GIANTS[name]()
    assert time.process_time() - begun < 5


def test_the_option_that_asks_for_it_is_named() -> None:
    with pytest.raises(ArgumentError, match=r"^padding=99999999: the padded input of 200000020x"):
        stepconv.correlate(X, W, padding=99999999)
    with pytest.raises(ArgumentError, match=r"^stride=99999999: "):
        stepconv.correlate_transpose(X, W, stride=99999999)


def test_what_is_more_than_is_free_is_told_before_it_is_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    x = np.broadcast_to(np.float64(1), (2**10, 2**21))
    monkeypatch.setattr(budget, "memory", lambda: 2**33)
    with pytest.raises(ArgumentError, match="of 1024x2097152 cells takes 16 GiB: 8 GiB of memory"):
        stepconv.pad(x, 0)


def test_memory_that_is_not_given_is_an_error_that_names_the_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from stepconv.ops import arrays

    for kind in (MemoryError, ValueError):

        def refuse(*_: Any, kind: type[Exception] = kind, **__: Any) -> Any:
            raise kind("array is too big")

        with monkeypatch.context() as patch:
            patch.setattr(arrays.np, "empty", refuse)
            with pytest.raises(ArgumentError, match=r"shape \(24, 18\): it takes 3.38 KiB"):
                stepconv.pad(X, 1)


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
def test_many_padded_cells_are_found_as_few_are(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    axis = Axis(size=9, window=1, before=8, after=5)
    few = padding_ops._sources_along(axis, mode)
    monkeypatch.setattr(padding_ops, "_FEW", 0)
    many = padding_ops._sources_along(axis, mode)
    np.testing.assert_array_equal(few, many)
    assert few.dtype == many.dtype
    with pytest.raises(ArgumentError, match="at most 8 fit"):
        padding_ops._sources_along(Axis(size=9, window=1, before=9, after=0), "reflect")


def test_what_is_not_large_is_in_no_budget() -> None:
    assert budget.asked(padding_plan((4, 4), 2)) == ""
    assert budget.memory() > 2**20
    assert stepconv.pad(np.zeros((2**60, 0), np.int8), 0).shape == (2**60, 0)


@pytest.mark.parametrize(
    "typed",
    [
        "show --input eight-22x16 --kernel sobel-x --padding 99999999 --step 0",
        "show --input eight-22x16 --op pad --padding 500000000 --plain",
        "show --input eight-22x16 --kernel sobel-x --op transpose --stride 99999999 --step 0",
        "apply eight-22x16 sobel-x -o out.npy --padding 99999999",
        "look digits --input 3x9999x9999",
        "look digits --input 1x99999999999x28",
    ],
)
def test_on_the_command_line_it_is_one_line(
    typed: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(typed.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.startswith("stepconv: ") for line in err.splitlines()].count(True) == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("batch", [1, 64])
def test_a_network_that_asks_for_more_than_there_is_is_refused(
    batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures one by one go by another program than many."""
    monkeypatch.setattr(budget, "memory", lambda: 2**28 + 1)
    layers = (nn.Conv(8, 1, padding=3000), nn.GlobalAvgPool(), nn.Flatten(), nn.Dense(2))
    model = nn.Model("wide", (1, 8, 8), layers, 2)
    asked = nn.Predictor(model, nn.initial_parameters(model, 0), batch_size=batch)
    with pytest.raises(ArgumentError, match=r"GiB: 256 MiB of memory are here"):
        asked.logits(np.zeros((1, 1, 8, 8), np.float32))
