"""What was misleading once: each of it is said as it is."""

from pathlib import Path

import numpy as np
import pytest

import stepconv
from stepconv.cli import main
from stepconv.cli.reading import targets
from stepconv.player.frame.frames import frame
from stepconv.player.playback import Playback
from stepconv.player.text.lines import as_text
from stepconv.player.views import present, screen
from stepconv.trace import pictures

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def show(capsys: Capture, *arguments: str) -> str:
    assert main(["show", *arguments]) == 0
    return capsys.readouterr().out


def refusal(capsys: Capture, *arguments: str) -> str:
    assert main(list(arguments)) == 2
    printed, complaint = capsys.readouterr()
    assert printed == ""
    assert complaint.count("\n") == 1
    return complaint


def large(*words: str) -> str:
    trace = targets.trace_of(targets.parsed(list(words)))
    assert isinstance(trace, stepconv.Trace)
    block = present.view(frame(trace, 0), 300, 80)
    return "\n".join(as_text(line) for line in block.lines)


@pytest.mark.parametrize("change", [["--kernel", "sobel-x"], ["--stride", "2"]])
def test_a_caption_goes_when_the_call_is_another(change: list[str], capsys: Capture) -> None:
    assert "75 + 75 + 75 = 225" in show(capsys, "vertical-edge-rgb")
    text = show(capsys, "vertical-edge-rgb", *change)
    assert "75 + 75 + 75 = 225" not in text
    assert "session 15" not in text
    assert f"vertical-edge-rgb with {' '.join(change)}" in text


def test_large_digits_tell_all_channels_and_the_bias() -> None:
    text = large("--input", "1 2|3 4|5 6", "--kernel", "1 1|1 1|1 1", "--bias", "7")
    assert all(name in text for name in ("red = 3", "green = 7", "blue = 11")) or (
        all(f"= {n}" in text for n in (3, 7, 11))
    )
    assert "7 (bias)" in text
    assert "= 28" in text


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--input", "-3", "--op", "relu"], "max(0, -3) = 0"),
        (["--input", "1 9; 2 4", "--op", "max-pool"], "the largest of 1, 9, 2, 4 is 9"),
        (["max-pool-backward"], "0"),
    ],
)
def test_large_digits_tell_what_happens_without_a_sum(words: list[str], told: str) -> None:
    assert told in large(*words)


def test_a_kernel_too_large_for_large_digits_is_said() -> None:
    player = Playback(stepconv.record(stepconv.correlate, np.ones((16, 16)), np.ones((15, 15))))
    player.look("present")
    text = " ".join(as_text(line) for line in screen.lines(player, 80, 24))
    assert "Too large for large digits on this screen" in text


def test_a_forgotten_kernel_is_asked_for(capsys: Capture) -> None:
    told = refusal(capsys, "show", "eight-22x16")
    assert "what is to be done with eight-22x16? --kernel sobel-x slides" in told


def test_a_picture_with_its_colours_last_is_read_as_colour_and_that_is_said(
    capsys: Capture,
) -> None:
    np.save("hwc.npy", np.arange(192).reshape(8, 8, 3))
    text = " ".join(show(capsys, "hwc.npy", "--kernel", "1 1; 1 1").replace("│", "").split())
    assert "Colour picture 8x8, last axis = channels; --channels first reads it otherwise" in text
    assert "filtered alone; --groups 1 adds them up" in text
    assert "input 8x8 · red" in text
    np.save("hwc.npy", np.full((8, 8, 3), 9.0))
    assert "≈ 9\n" in show(capsys, "hwc.npy", "--kernel", "box-blur-3", "--plain", "--step", "0")


def test_one_counting_everywhere_from_0(capsys: Capture) -> None:
    given = ["--input", "1 2; 3 4", "--kernel", "1||2||3||4", "--stride", "1"]
    text = show(capsys, *given, "--step", "9")
    assert "from 0: step 9 of 16 · filter 2, row 0, column 1" in text
    assert "filter 2 of 4" in text
    assert "step 9 of 16, filter 2, row 0, column 1" in show(capsys, *given, "--plain")


def test_of_pictures_rows_are_told_before_columns(capsys: Capture) -> None:
    assert main(["examples", "pictures"]) == 0
    told = capsys.readouterr().out
    for name, picture in pictures().items():
        (line,) = (each for each in told.splitlines() if f" {name} " in each)
        rows, columns = picture.shape[-2:]
        assert f"{rows} rows, {columns} columns" in line


def test_terms_that_do_not_add_up_are_marked(capsys: Capture) -> None:
    text = show(capsys, "--input", "0.3333333 0.6666667", "--kernel", "0.1 0.7")
    assert "≈" in text
    assert "≈" not in show(capsys, "--input", "1 2", "--kernel", "3 4")


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        (["maxpool"], "--op max-pool"),
        (["conv"], "--op correlate"),
        (["show", "maxpool"], "--op max-pool"),
        (["show", "conv2d"], "--op correlate"),
        (["show", "--input", "1 2", "--op", "maxpool"], "did you mean 'max-pool'?"),
        (["show", "--input", "1 2", "--op", "conv"], "correlate is deep learning's convolution"),
        (["train", "mnist"], "stepconv train lenet5 --data mnist"),
        (["shapes", "resnet18"], "mini-resnet, resnet50, resnet152"),
        (["predict", "digit-5-28x28"], "a MODEL and a FILE are needed"),
        (["show", "linearty"], "did you mean 'linearity'?"),
        (["show", "face"], "did you mean 'face-"),
    ],
)
def test_near_misses_are_caught(typed: list[str], hint: str, capsys: Capture) -> None:
    assert hint in refusal(capsys, *typed)


def test_apply_without_a_file_shows_the_preview(capsys: Capture) -> None:
    assert main(["apply", "eight-22x16", "sobel-x"]) == 0
    assert "eight-22x16 under sobel-x" in capsys.readouterr().out


def test_gradients_are_told_in_words(capsys: Capture) -> None:
    text = show(capsys, "--input", "0 1", "--op", "relu", "--gradient", "x")
    assert "gradient for the input" in text
    assert "a choice: at 0 there is a kink, any subgradient would do" in " ".join(
        show(capsys, "--input", "0 1", "--op", "relu", "--gradient", "x", "--plain").split()
    )
    tied = show(capsys, "--input", "5 5; 1 1", "--op", "max-pool", "--gradient", "x", "--plain")
    assert "a choice: of equal cells the first takes all" in tied
