"""`stepconv examples` lists everything in the gallery, for people and for programs."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from stepconv.cli import main
from stepconv.cli.reading import typed
from stepconv.errors import ArgumentError
from stepconv.lessons import shelf
from stepconv.trace.gallery import worked
from stepconv.trace.gallery.chains import worked_chains


def listing(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["examples", *arguments]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return out


THEMES = [*worked.GROUPS, "chains", "kernels", "pictures"]


def everything() -> list[str]:
    names = [example.id for example in worked.worked_examples()]
    return [*names, *worked_chains(), *worked.named_kernels(), *worked.pictures()]


def test_the_themes_fit_on_a_screen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    out = listing(capsys)
    lines = out.splitlines()
    assert len(lines) <= 23
    assert max(map(len, lines)) <= 80
    assert [line.split()[0] for line in lines[:-1] if line[0] != " "] == THEMES
    words = set(out.replace(",", " ").split())
    assert {example.id for example in worked.worked_examples()} <= words


def test_every_name_has_one_line_in_its_theme(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    out = listing(capsys, "all")
    names = [line.split()[0] for line in out.splitlines() if line.startswith("  ")]
    assert names == everything()
    assert [line for line in out.splitlines() if not line.startswith(" ")] == THEMES
    lines = out.splitlines()
    for theme in THEMES:
        alone = [line.split()[0] for line in listing(capsys, theme).splitlines()]
        start = lines.index(theme)
        assert [line.split()[0] for line in lines[start : start + len(alone)]] == alone


def test_an_example_is_listed_with_its_lesson(capsys: pytest.CaptureFixture[str]) -> None:
    lines = {line.split()[0]: line for line in listing(capsys, "COLOUR").splitlines()[1:]}
    for name, line in lines.items():
        lesson, number = shelf.where(name)[0]
        assert f"  {lesson} {number}" in line
        scene = shelf.lesson(lesson).scenes[number - 1]
        assert name in scene.opens or any(name in text for text in scene.texts)


def test_on_a_pipe_no_line_is_cut(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    out = listing(capsys, "all")
    assert "…" not in out
    for example in worked.worked_examples():
        assert example.title in out


@pytest.mark.parametrize("columns", [60, 80])
def test_lines_keep_to_the_width(
    columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = listing(capsys, "all").splitlines()
    assert max(map(len, lines)) == columns
    assert any(line.endswith("…") for line in lines)
    assert max(map(len, listing(capsys).splitlines())) <= columns


@pytest.mark.parametrize("theme", ["color", "", "everything", "images"])
def test_an_unknown_theme_is_one_line(theme: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["examples", theme]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"stepconv: no theme {theme!r}: ")
    assert err.count("\n") == 1


def test_a_kernel_is_listed_as_one_would_type_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert "1/16 1/8 1/16; 1/8 1/4 1/8; 1/16 1/8 1/16" in listing(capsys, "kernels")
    for kernel in worked.named_kernels().values():
        np.testing.assert_array_equal(typed.parse(typed.spell(kernel.kernel)), kernel.kernel)


def test_json_holds_every_number(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(listing(capsys, "--json"))
    assert set(data) == {"examples", "chains", "kernels", "pictures"}
    for entry, example in zip(data["examples"], worked.worked_examples(), strict=True):
        assert set(entry) == {*vars(example), "lessons"}
        assert [tuple(place) for place in entry["lessons"]] == list(shelf.where(example.id))
        for key in ("id", "group", "title", "lecture", "op", "note"):
            assert entry[key] == getattr(example, key)
        assert entry["options"] == dict(example.options)
        assert entry["inputs"] == {name: x.tolist() for name, x in example.inputs.items()}
        assert entry["expected"] == np.asarray(example.expected).tolist()
        assert entry["checkpoints"] == [dict(point) for point in example.checkpoints]
    for name, kernel in worked.named_kernels().items():
        assert data["kernels"][name]["kernel"] == kernel.kernel.tolist()
        assert data["kernels"][name]["lectures"] == list(kernel.lectures)
    for name, rows in worked.pictures().items():
        assert data["pictures"][name] == rows.tolist()


def test_escape_codes_are_for_terminals() -> None:
    def run(**environment: str) -> str:
        return subprocess.run(
            [sys.executable, "-m", "stepconv", "examples"],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, **environment},
        ).stdout

    assert "\x1b" not in run()
    assert "\x1b" in run(FORCE_COLOR="1", TERM="xterm-256color")
    assert "\x1b" not in run(NO_COLOR="1", TERM="dumb")


@pytest.mark.parametrize("arguments", [["examples"], ["examples", "--json"]])
def test_listing_starts_without_numba(arguments: list[str]) -> None:
    script = (
        f"import sys; from stepconv.cli import main; main({arguments!r}); "
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True).returncode == 0


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1 0 -1; 2 0 -2", [[1, 0, -1], [2, 0, -2]]),
        ("1,0,-1;2,0,-2", [[1, 0, -1], [2, 0, -2]]),
        (" 1/9 1/3 ", [1 / 9, 1 / 3]),
        ("-1/2; .5", [[-0.5], [0.5]]),
        ("1e3 2.5", [1000.0, 2.5]),
        ("7", [7]),
        ("9223372036854775807", [2**63 - 1]),
        ("9223372036854775808 1", [2.0**63, 1.0]),
        ("inf -inf", [np.inf, -np.inf]),
    ],
)
def test_numbers_as_one_types_them(text: str, numbers: list[float]) -> None:
    array = typed.parse(text)
    np.testing.assert_array_equal(array, numbers)
    assert array.dtype == np.array(numbers).dtype


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 2; 3", ["row 2 is 1 long", "row 1 is 2"]),
        ("1 2;", ["row 2 is empty"]),
        ("", ["row 1 is empty"]),
        ("1 two", ["row 1, number 2", "'two'"]),
        ("1/0", ["'1/0'", "is not a number"]),
        ("1/2/3", ["'1/2/3'"]),
        ("/2", ["'/2'"]),
    ],
)
def test_what_is_no_matrix_is_pointed_at(text: str, words: list[str]) -> None:
    with pytest.raises(ArgumentError) as caught:
        typed.parse(text)
    for word in words:
        assert word in str(caught.value)
