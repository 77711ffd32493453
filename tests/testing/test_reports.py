"""A report can be pasted, printed, shown in a notebook and graded, and gives no answers away."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

from stepconv.cli import main
from stepconv.testing import Report, assert_matches, check
from stepconv.testing.grading import grade, grouped, likely
from stepconv.testing.report import page, snippet, words
from stepconv.testing.report.data import as_data
from stepconv.trace.words import number
from tests.testing.planted import BASES, PLANTED

HOMEWORK = Path(__file__).parent / "homework"
# Forms of all kinds, each with a mistake that `snippet` has to show.
BROKEN = [
    ("cs231n.py", "conv_forward_naive", "correlate", "+ b[f]", "- b[f]"),
    ("cs231n.py", "conv_backward_naive", "correlate-backward", "dw[f] +=", "dw[f] ="),
    ("cs231n.py", "max_pool_backward_naive", "max-pool-backward", "j * s + k] +=", "j * s + k] ="),
    ("deeplearning_ai.py", "conv_forward", "correlate", "np.sum(a_slice", "np.mean(a_slice"),
    ("deeplearning_ai.py", "zero_pad", "pad", "(pad, pad), (pad, pad)", "(pad, 0), (pad, 0)"),
    ("holberton.py", "convolve", "correlate", "(part * kernel)", "(part * kernel[::-1])"),
    ("holberton.py", "conv_forward", "correlate", ") + b)", ") - b)"),
    ("others.py", "corr2d_multi_in_out", "correlate", "sum(corr2d", "max(corr2d(X[0], K[0]) * 0"),
    ("others.py", "tensor_conv2d", "correlate", "total += input", "total -= input"),
    ("others.py", "pad2d", "pad", "(top, bottom)", "(bottom, top)"),
    ("others.py", "keras_conv2d", "correlate", ":: strides[1]]", ":: strides[0]]"),
    ("classes.py", "Conv2d", "correlate", "out + self.bias", "out - self.bias"),
    ("classes.py", "Conv1d", "correlate", "+ self.b[:, None]", "- self.b[:, None] - 1"),
    ("classes.py", "Pooling", "max-pool", ".max((4, 5))", ".min((4, 5))"),
]


def broken(tmp_path: Path, source: str, name: str, op: str, old: str, new: str) -> Report:
    text = (HOMEWORK / source).read_text()
    if source == "others.py" and name == "corr2d_multi_in_out":
        new, old = "corr2d(X[0], K[0])", "sum(corr2d(x, k) for x, k in zip(X, K))"
    assert old in text
    file = tmp_path / "mine.py"
    file.write_text(text.replace(old, new))
    return check(f"{file}:{name}", op)


@pytest.mark.parametrize(("source", "name", "op", "old", "new"), BROKEN)
def test_a_snippet_makes_the_call_again(
    source: str,
    name: str,
    op: str,
    old: str,
    new: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = broken(tmp_path, source, name, op, old, new)
    assert not report.right
    assert report.failure is not None
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "mine", raising=False)
    made: dict[str, object] = {}
    exec(snippet.snippet(report), made)
    mine, right = made["mine"], made["right"]
    first = report.failure.bad[0]
    if isinstance(right, tuple):
        assert isinstance(mine, tuple)
        mine, right = mine[first], right[first]
    assert np.shape(mine) != np.shape(right) or not np.allclose(mine, right)
    np.testing.assert_allclose(right, report.failure.expected[first])
    assert capsys.readouterr().out


def test_a_function_can_be_checked_where_it_stands() -> None:
    def conv(x: np.ndarray, w: np.ndarray, stride: int = 1) -> np.ndarray:
        rows = np.lib.stride_tricks.sliding_window_view(x, w.shape)[::stride, ::stride]
        return np.einsum("ijkl,kl->ij", rows, w)

    report = check(conv, "correlate")
    assert report.right
    assert report.tested == ("stride",)
    assert_matches(conv, "correlate")
    wrong = check(lambda x, w: conv(x, w[::-1, ::-1]), "correlate")
    assert wrong.slip == "the kernel was mirrored: this is a convolution"
    assert wrong.case is not None
    with pytest.raises(AssertionError, match="the kernel was mirrored"):
        assert_matches(lambda x, w: conv(x, w[::-1, ::-1]), "correlate")


def test_the_player_opens_at_the_first_wrong_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stepconv.cli.commands import play
    from stepconv.player.app import Player
    from stepconv.player.playback import Playback

    opened: list[Playback] = []
    monkeypatch.setattr(play, "on_a_screen", lambda: True)
    monkeypatch.setattr(Player, "run", lambda player: opened.append(player.playback))
    file = tmp_path / "homework.py"
    planted = next(p for p in PLANTED if p.slip == "last-column")
    file.write_text(planted.sources()[0])
    assert main(["check", f"{file}:conv", "--op", "correlate", "--play", "--seed", "1"]) == 1
    (playback,) = opened
    assert playback.index == min(playback.breakpoints) > 0
    trace = playback.film.trace
    last_column = {
        step.index for step in trace if step.output_index[-1] == trace.output.shape[-1] - 1
    }
    assert playback.breakpoints <= last_column
    assert playback.message == f"yours: 0, right: {number(trace[playback.index].result)}"


def test_a_page_shows_text_as_text(tmp_path: Path) -> None:
    def conv(x: np.ndarray, w: np.ndarray) -> np.ndarray:
        raise ValueError("<script>alert(1)</script> [bold]")

    report = check(conv, "correlate")
    assert "<script>" not in page.page(report)
    assert "&lt;script&gt;" in report._repr_html_()
    assert "\\[bold]" in report.__rich__()


def test_without_answers_no_number_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "homework.py"
    file.write_text(PLANTED[0].sources()[0])
    report = check(f"{file}:conv", "correlate", seed=1)
    told = "\n".join(words.lines(report, answers=False))
    assert "the kernel was mirrored" in told
    assert "it should be" not in told
    assert "np.array" not in told
    assert set(as_data(report, answers=False)["failure"]) == {"about", "said"}
    assert 0 < len(as_data(report)["failure"]["arrays"]) <= 3
    assert json.dumps(as_data(report))


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """Return a folder of five answers: two alike, one right, one that cannot be run."""
    folder = tmp_path / "course"
    folder.mkdir()
    per_tap = next(p for p in PLANTED if p.slip == "bias-per-tap")
    for name, source in zip(("ada", "ben"), per_tap.sources(), strict=True):
        (folder / f"{name}.py").write_text(source)
    (folder / "cleo.py").write_text(BASES["correlate"][0])
    (folder / "dan.py").write_text(PLANTED[0].sources()[1])
    (folder / "eve.py").write_text("def conv(x, w\n")
    return folder


def test_a_class_is_graded_and_the_same_slips_stand_together(course: Path) -> None:
    heard: list[str] = []
    grades = grade(course, "correlate", seed=1, heard=lambda each: heard.append(each.verdict))
    assert [each.verdict for each in grades] == ["wrong", "wrong", "right", "wrong", "cannot run"]
    assert sorted(heard) == sorted(each.verdict for each in grades)
    first, *_ = grouped(grades)
    assert [each.file.stem for each in first[1]] in (["ada", "ben"], ["ada"], ["dan"])
    assert "SyntaxError" in grades[-1].reason


@pytest.mark.slow
def test_the_same_homework_gets_the_same_points(course: Path) -> None:
    (course / "copy.py").write_text((course / "ada.py").read_text())
    points = {
        each.file.stem: each.report.points for each in grade(course, "correlate") if each.report
    }
    assert points["ada"] == points["copy"]


@pytest.mark.slow
def test_the_grades_as_a_table_and_as_csv(course: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["grade", str(course), "--op", "correlate", "--seed", "1"]) == 1
    out = capsys.readouterr().out
    assert "cannot run" in out
    assert "student" in out
    assert main(["grade", str(course), "--op", "correlate", "--csv", "--seed", "1"]) == 1
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["file"] for row in rows] == [
        f"{n}.py" for n in ("ada", "ben", "cleo", "dan", "eve")
    ]
    assert rows[0]["slip"] == rows[1]["slip"] == "bias-per-tap"
    assert rows[2]["points"] == "1.0"
    assert main(["grade", str(course / "nothing"), "--op", "correlate"]) == 2


@pytest.mark.parametrize(
    ("source", "op", "name"),
    [
        ("cs231n.py", "correlate", "conv_forward_naive"),
        ("cs231n.py", "max-pool-backward", "max_pool_backward_naive"),
        ("deeplearning_ai.py", "avg-pool", "pool_forward"),
        ("classes.py", "max-pool", "Pooling"),
    ],
)
def test_the_likely_function_of_a_file(source: str, op: str, name: str) -> None:
    assert likely(HOMEWORK / source, op) == name
