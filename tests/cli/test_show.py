"""`stepconv show` and `stepconv record` say the engine's numbers, of examples and of anything."""

import json
import re
from html import unescape
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import stepconv
from stepconv.cli import main
from stepconv.trace import load_trace, named_kernels, pictures, worked_examples
from stepconv.trace.gallery.traces import has_windows

Capture = pytest.CaptureFixture[str]

KEYS = [
    *("step", "output_index", "window", "patch", "kernel", "products"),
    *("channel_sums", "bias", "result", "worker"),
]
WITH_WINDOWS = [example.id for example in worked_examples() if has_windows(example)]
SIZES = [example for example in worked_examples() if not has_windows(example)]


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def show(capsys: Capture, *arguments: str) -> list[str]:
    """Return the lines that the command prints."""
    status = main(["show", *arguments])
    printed, complaint = capsys.readouterr()
    assert (status, complaint) == (0, "")
    return printed.splitlines()


def steps(capsys: Capture, *arguments: str) -> list[dict[str, Any]]:
    """Return the steps that the command prints as JSON."""
    return [json.loads(line) for line in show(capsys, *arguments, "--json")]


def output(capsys: Capture, *arguments: str) -> Any:
    """Return the output that the steps fill."""
    told = steps(capsys, *arguments)
    shape = np.array([step["output_index"] for step in told]).max(axis=0) + 1
    return np.array([step["result"] for step in told]).reshape(shape)


def refusal(capsys: Capture, *arguments: str, command: str = "show") -> str:
    status = main([command, *arguments])
    printed, complaint = capsys.readouterr()
    assert (status, printed) == (2, "")
    assert complaint.startswith("stepconv: ")
    assert complaint.count("\n") == 1
    return complaint


def test_the_lectures_step_in_words(capsys: Capture) -> None:
    (line,) = show(capsys, "vertical-edge-rgb", "--step", "3", "--plain")
    assert line.startswith("step 3 of 64, row 0, column 3: red: 25x1 + 25x0 + 0x(-1) + ")
    assert line.endswith(" = 75, green: 75, blue: 75, total: 225")


def test_the_lectures_step_as_data(capsys: Capture) -> None:
    (step,) = steps(capsys, "vertical-edge-rgb", "--step", "3")
    assert list(step) == KEYS
    assert step["step"] == 3
    assert step["output_index"] == [0, 0, 3]
    assert step["window"] == [[0, 3], [3, 6]]
    assert step["patch"] == [[[25, 25, 0]] * 3] * 3
    assert step["products"] == [[[25, 0, 0]] * 3] * 3
    assert step["channel_sums"] == [75, 75, 75]
    assert step["result"] == 225


@pytest.mark.parametrize("id", WITH_WINDOWS)
def test_every_example_is_told_step_by_step(id: str, capsys: Capture) -> None:
    told = steps(capsys, id)
    assert [step["step"] for step in told] == list(range(len(told)))
    assert all(list(step) in (KEYS, [*KEYS, "divisor"]) for step in told)
    assert len(show(capsys, id, "--plain")) == len(told)
    assert show(capsys, id)


@pytest.mark.parametrize("example", SIZES, ids=lambda example: example.id)
def test_sizes_are_answered_with_the_formula(example: Any, capsys: Capture) -> None:
    (line,) = show(capsys, example.id)
    assert f": {example.expected:,} = " in line
    (data,) = (json.loads(line) for line in show(capsys, example.id, "--json"))
    assert data["result"] == example.expected


def test_windows_may_start_in_the_padding(capsys: Capture) -> None:
    first, *_ = steps(capsys, "same-4x4")
    assert first["window"] == [[-1, 2], [-1, 2]]
    assert first["patch"][0] == [0, 0, 0]


def test_ranges_of_steps(capsys: Capture) -> None:
    def numbers(*arguments: str) -> list[int]:
        return [step["step"] for step in steps(capsys, "valid-4x4", *arguments)]

    assert numbers("--steps", "1:3") == [1, 2]
    assert numbers("--steps", "2:") == [2, 3]
    assert numbers("--steps", ":1") == [0]
    assert numbers("--step", "-1") == [3]


def test_anything_typed_in(capsys: Capture) -> None:
    x = np.arange(1, 10).reshape(3, 3)
    asked = ("--input", "1 2 3; 4 5 6; 7 8 9", "--kernel", "sobel-x", "--padding", "same")
    kernel = named_kernels()["sobel-x"].kernel
    np.testing.assert_array_equal(
        output(capsys, *asked), stepconv.correlate(x, kernel, padding="same", backend="textbook")
    )
    np.testing.assert_array_equal(
        output(capsys, *asked, "--op", "convolve", "--mode", "reflect", "--stride", "2,1"),
        stepconv.convolve(
            x, kernel, padding="same", mode="reflect", stride=(2, 1), backend="textbook"
        ),
    )


@pytest.mark.parametrize(
    ("op", "function", "options"),
    [
        ("max-pool", stepconv.max_pool, {"window": 3, "stride": 2}),
        ("avg-pool", stepconv.avg_pool, {"window": (3, 2), "padding": 1}),
        ("avg-pool", stepconv.avg_pool, {"padding": 1, "window": 3, "count_include_pad": True}),
        ("max-pool", stepconv.max_pool, {"window": 3, "stride": 2, "ceil_mode": True}),
        ("pad", stepconv.pad, {"padding": ((0, 1), (2, 2)), "mode": "circular"}),
        ("relu", stepconv.relu, {}),
    ],
)
def test_every_operation_on_a_picture(
    op: str, function: Any, options: dict[str, Any], capsys: Capture
) -> None:
    def spelt(value: Any) -> str:
        if isinstance(value, tuple) and isinstance(value[0], tuple):
            return ",".join(":".join(map(str, side)) for side in value)
        return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)

    words = [
        word
        for name, value in options.items()
        for word in ([f"--{name.replace('_', '-')}"] + ([] if value is True else [spelt(value)]))
    ]
    shown = output(capsys, "--input", "letter-a-15x14", "--op", op, *words)
    expected = function(pictures()["letter-a-15x14"], **options, backend="textbook")
    np.testing.assert_allclose(shown, expected)


def test_transposed(capsys: Capture) -> None:
    asked = ("--input", "1 2", "--kernel", "1 1 1", "--op", "transpose", "--stride", "2")
    assert output(capsys, *asked).tolist() == [1, 1, 3, 2, 2]
    assert output(capsys, *asked, "--output-padding", "1").tolist() == [1, 1, 3, 2, 2, 0]


def test_the_way_back(capsys: Capture) -> None:
    asked = ("--input", "1 2 3", "--kernel", "4 5", "--grad-out", "1 10")
    assert output(capsys, *asked, "--gradient", "x").tolist() == [4, 45, 50]
    assert output(capsys, *asked, "--gradient", "w").tolist() == [21, 32]
    assert steps(capsys, *asked, "--gradient", "bias")[0]["result"] == 11
    ones = output(capsys, "--input", "1 5; 3 4", "--op", "max-pool", "--gradient", "x")
    assert ones.tolist() == [[0, 1], [0, 0]]


def test_an_example_with_another_option(capsys: Capture) -> None:
    inputs = {example.id: example for example in worked_examples()}["vertical-edge-gray"].inputs
    np.testing.assert_array_equal(
        output(capsys, "vertical-edge-gray", "--stride", "3", "--op", "convolve"),
        stepconv.convolve(**inputs, stride=3, backend="textbook"),
    )


def test_a_plain_kernel_filters_each_colour_alone(capsys: Capture) -> None:
    x = np.arange(48).reshape(3, 4, 4)
    np.save("x.npy", x)
    asked = ("x.npy", "--kernel", "1 0; 0 -1")
    each = [stepconv.correlate(plane, [[1, 0], [0, -1]], backend="textbook") for plane in x]
    np.testing.assert_array_equal(output(capsys, *asked), each)
    assert "each of 3 channels, filtered alone; --groups 1 adds" in said(capsys, *asked)
    np.testing.assert_array_equal(output(capsys, *asked, "--groups", "1")[0], sum(each))
    assert "each of 3 channels, summed" in said(capsys, *asked, "--groups", "1")
    own = ("x.npy", "--kernel", "1 0; 0 -1 | 1 0; 0 -1 | 1 0; 0 -1")
    np.testing.assert_array_equal(output(capsys, *own)[0], sum(each))
    green = output(capsys, *asked, "--channel", "green")
    np.testing.assert_array_equal(green, each[1])


def test_the_last_axis_of_an_array_may_be_the_colours(capsys: Capture) -> None:
    x = np.arange(120).reshape(5, 8, 3)
    np.save("x.npy", x)
    asked = ("--input", "x.npy", "--op", "relu")
    np.testing.assert_array_equal(output(capsys, *asked), np.moveaxis(x, 2, 0))
    told = said(capsys, *asked)
    assert "Colour picture 5x8, last axis = channels; --channels first reads it" in told
    np.testing.assert_array_equal(output(capsys, *asked, "--channels", "first"), x)
    np.save("first.npy", np.moveaxis(x, 2, 0))
    assert "first axis = channels" in said(capsys, "first.npy", "--op", "relu")


def test_words_of_an_example_belong_to_its_own_call(capsys: Capture) -> None:
    own = "75 + 75 + 75 = 225"
    assert own in said(capsys, "vertical-edge-rgb")
    assert own in said(capsys, "vertical-edge-rgb", "--backend", "textbook")
    for changed in (("--kernel", "sobel-x"), ("--stride", "2"), ("--op", "convolve")):
        told = said(capsys, "vertical-edge-rgb", *changed)
        assert own not in told
        assert "session 15" not in told
        assert f"vertical-edge-rgb with {' '.join(changed)}" in told


def said(capsys: Capture, *arguments: str) -> str:
    """Return what the panels say, as one line."""
    lines = (line.strip("│ ") for line in show(capsys, *arguments))
    return " ".join(" ".join(lines).split())


def test_kernels_of_several_filters_are_typed(capsys: Capture) -> None:
    x = np.arange(32).reshape(2, 4, 4)
    np.save("x.npy", x)
    w = np.array([[[[1, 2], [3, 4]], [[5, 6], [7, 8]]], [[[0, 1], [1, 0]], [[2, 2], [2, 2]]]])
    typed = "1 2; 3 4 | 5 6; 7 8 || 0 1; 1 0 | 2 2; 2 2"
    np.testing.assert_array_equal(
        output(capsys, "x.npy", "--kernel", typed, "--bias", "10 -1/2"),
        stepconv.correlate(x, w, [10, -0.5], backend="textbook"),
    )
    assert output(capsys, "--input", "1 2 3", "--kernel", "1 1", "--bias", "5").tolist() == [8, 10]
    one = output(capsys, "--input", "1 2; 3 4", "--kernel", "1 1 || 1 -1").tolist()
    assert one == [[[3], [7]], [[-1], [-1]]]
    signal = output(capsys, "--input", "1 2 3", "--kernel", "1 1 || 1 -1").tolist()
    assert signal == [[3, 5], [-1, -1]]
    assert "filter 1 has 1 channels, filter 0 has 2" in refusal(
        capsys, "x.npy", "--kernel", "1 | 2 || 3"
    )


def test_a_picture_may_be_the_target(capsys: Capture) -> None:
    target = output(capsys, "eight-22x16", "--kernel", "sobel-x")
    option = output(capsys, "--input", "eight-22x16", "--kernel", "sobel-x")
    np.testing.assert_array_equal(target, option)


def test_layers_with_weights_of_their_own(capsys: Capture) -> None:
    x, w = np.arange(100).reshape(1, 4, 5, 5), np.arange(36).reshape(2, 2, 3, 3)
    np.save("x.npy", x)
    np.save("w.npy", w)
    shown = output(
        capsys, "--input", "x.npy", "--kernel", "w.npy", "--groups", "2", "--padding", "1"
    )
    np.testing.assert_array_equal(
        shown, stepconv.correlate(x, w, groups=2, padding=1, backend="textbook")
    )


def test_a_record_is_replayed(capsys: Capture) -> None:
    assert main(["record", "--input", "1 2 3", "--kernel", "1 1", "-o", "a.trace.npz"]) == 0
    printed, said = capsys.readouterr()
    assert printed == ""
    assert said.startswith("a.trace.npz: 2 steps of cross-correlation")
    assert [step["result"] for step in steps(capsys, "a.trace.npz")] == [3, 5]
    assert load_trace("a.trace.npz").about.title == "numbers typed in"


def test_a_record_is_not_overwritten_unasked(capsys: Capture) -> None:
    Path("a.npz").write_text("precious")
    assert "--force" in refusal(capsys, "relu-4x4", "-o", "a.npz", command="record")
    assert Path("a.npz").read_text() == "precious"
    assert main(["record", "relu-4x4", "-o", "a.npz", "--force"]) == 0
    assert len(load_trace("a.npz")) == 16


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ([], "nothing to show"),
        (["vertical-edge"], "did you mean"),
        (["none.trace.npz"], "No such file"),
        (["valid-4x4", "--input", "1 2"], "two things"),
        (["valid-4x4", "--step", "4"], "0 to 3"),
        (["valid-4x4", "--steps", "4"], "no range"),
        (["valid-4x4", "--steps", "a:b"], "no range"),
        (["valid-4x4", "--step", "1", "--steps", "1:2"], "two things"),
        (["valid-4x4", "--plain", "--json"], "give one"),
        (["valid-4x4", "--stride", "x"], "--stride 'x'"),
        (["valid-4x4", "--stride", "0"], "stride"),
        (["valid-4x4", "--op", "fft"], "--op 'fft'"),
        (["valid-4x4", "--op", "maxpool"], "did you mean 'max-pool'"),
        (["valid-4x4", "--op", "conv"], "correlate is deep learning's convolution"),
        (["--input", "eight-22x16"], "what is to be done with eight-22x16? --kernel sobel-x"),
        (["eight-22x16", "--channels", "middle", "--op", "relu"], "first or last fits"),
        (["valid-4x4", "--window", "2"], "--window"),
        (["max-pool-4x4", "--kernel", "sobel-x"], "--kernel has no place"),
        (["max-pool-4x4", "--groups", "2"], "groups"),
        (["size-10-3-p0-s1", "--stride", "2"], "is a size"),
        (["valid-4x4", "--channel", "red"], "--channel"),
        (["--input", "1 2; 3", "--op", "relu"], "row 2"),
        (["--input", "no-such-picture", "--op", "relu"], "not known"),
        (["--input", "1 2 3", "--op", "correlate"], "--kernel"),
        (["--input", "1 2 3", "--kernel", "sobel-x"], "does not fit"),
        (["--input", "1 2 3", "--kernel", "1 1", "--gradient", "y"], "gradient"),
        (["--input", "1 2 3", "--kernel", "1 1", "--padding", "1:x"], "--padding 'x'"),
        (["--input", "1 2 3", "--kernel", "1 1", "--padding", "1:2:3"], "front:behind"),
        (["--input", "1 2 3", "--kernel", "1 1", "--channel", "red"], "one channel"),
        (["--input", "1 2", "--op", "flip", "--gradient", "x"], "no way back"),
        (["--input", "1 2 3", "--kernel", "1 1", "--backend", "gpu"], "backend"),
    ],
)
def test_what_cannot_be_shown(arguments: list[str], reason: str, capsys: Capture) -> None:
    assert reason in refusal(capsys, *arguments)


def test_a_step_as_a_picture_for_a_slide(capsys: Capture) -> None:
    asked = ("show", "vertical-edge-rgb", "--svg", "edge.svg")
    assert main([*asked, "--step", "3"]) == 0
    assert capsys.readouterr() == ("", "")
    picture = Path("edge.svg").read_text("utf-8")
    shown = unescape(picture).replace("\N{NO-BREAK SPACE}", " ")
    assert "75 + 75 + 75 = " in shown
    assert not re.search(r"@font-face|url\(http|<image", picture)
    ElementTree.fromstring(picture)
    assert "--force" in refusal(capsys, *asked[1:])
    assert main([*asked, "--force"]) == 0
    assert ".svg fits" in refusal(capsys, "same-4x4", "--svg", "b.png")
    assert "give one" in refusal(capsys, "same-4x4", "--svg", "b.svg", "--json")


def test_a_damaged_record(capsys: Capture) -> None:
    Path("a.trace.npz").write_bytes(b"PK\x03\x04 and so on")
    assert "a.trace.npz is not a trace" in refusal(capsys, "a.trace.npz")
    assert "recorded already" in refusal(capsys, "a.trace.npz", "--stride", "2")


def test_a_file_of_another_kind_is_not_taken_for_a_record(capsys: Capture) -> None:
    Path("photo.tiff").write_bytes(b"RIFF and so on")
    for options in ((), ("--kernel", "sobel-x")):
        assert "photo.tiff cannot be read: .png, .jpg" in refusal(capsys, "photo.tiff", *options)


def test_a_range_without_steps_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for steps in ("70:99", "5:2"):
        assert main(["show", "vertical-edge-rgb", "--steps", steps, "--plain"]) == 2
        assert f"--steps {steps} holds none of the steps 0 to 63" in capsys.readouterr().err


def test_an_average_tells_what_its_sum_is_divided_by(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["show", "--input", "1 2; 3 4", "--op", "avg-pool", "--padding", "1", "--json"]
    assert main(asked) == 0
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["divisor"] for each in steps] == [1] * 4
    assert all(sum(each["channel_sums"]) / each["divisor"] == each["result"] for each in steps)
    assert main(["show", "same-4x4", "--json", "--step", "0"]) == 0
    assert "divisor" not in json.loads(capsys.readouterr().out)
