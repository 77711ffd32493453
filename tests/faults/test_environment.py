"""What the environment asks for is done, or refused in one line before anything else is said."""

import subprocess
import sys
from math import prod

import numpy as np
import pytest

from stepconv import kernels
from stepconv.cli import main
from stepconv.errors import ArgumentError, BackendError
from stepconv.geometry import Slide
from stepconv.kernels import environment
from stepconv.kernels.compile import threads
from stepconv.kernels.cpu.conv import filter as depthwise
from tests.kernels import small_kernels as small

BAD = ("0", "-1", "x", "1.5", "256", "9" * 5000, "٣" * 9, " 2")


@pytest.mark.parametrize("name", environment.VARIABLES)
@pytest.mark.parametrize("value", BAD)
def test_a_number_of_threads_that_makes_no_sense_is_refused(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ArgumentError, match=f"{name}=.* a whole number from 1 to 255 fits"):
        kernels.check_available("cpu")
    kernels.check_available("textbook")


def test_it_is_refused_before_anything_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("STEPCONV_THREADS", "none")
    assert main(["train", "lenet5", "--data", "digits"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert err.startswith("stepconv: STEPCONV_THREADS='none'")


def test_numba_never_stumbles_over_its_own_setting() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "stepconv", "apply", "eight-22x16", "sobel-x"],
        env={"NUMBA_NUM_THREADS": "0", "PATH": "", "HOME": "/nonexistent"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "stepconv: NUMBA_NUM_THREADS='0' in the environment does not fit: "
        "a whole number from 1 to 255 fits\n"
    )


def test_without_a_compiler_the_textbook_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    with pytest.raises(BackendError, match=r"NUMBA_DISABLE_JIT .* 'textbook' needs none"):
        kernels.check_available("cpu")
    assert kernels.backends()["cpu"].startswith("not available")
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "no")  # which Numba takes for 0
    kernels.check_available("cpu")


def test_a_long_job_is_cut_so_that_ctrl_c_comes_between(monkeypatch: pytest.MonkeyPatch) -> None:
    published = []

    def begin(board: int, threads: int, parts: int, until: int) -> bool:
        published.append(parts)
        return True

    threads.run(begin)
    threads.run(begin, parts=700)
    threads.run(begin, parts=10**9)
    assert published[0] < 700 == published[1] < published[2] < 2**14
    assert small.row_sums.for_work(10).__name__ == "serial"
    assert small.row_sums.for_work(10**6) is small.row_sums
    assert small.row_sums.for_work(10**12).keywords == {"parts": 5000}  # type: ignore[attr-defined]


def test_a_large_image_is_cut_into_short_tasks() -> None:
    grid, kernel = (5940, 5940), (61, 61)
    cut = depthwise.cut_planes(
        np.dtype(np.float32), 1, (6000, 6000), grid, kernel, Slide(1, 1, 1, 1, 0, 0), 61, 2
    )
    tasks = cut.bands.number * len(cut.blocks)
    assert prod(grid) * prod(kernel) / tasks <= 2 * depthwise.A_TASK
