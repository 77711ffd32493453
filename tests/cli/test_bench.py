"""The benchmark measures what it says: same work for all, wrong results refused, plain answers."""

import io
import json
import os
import re
import sys
from dataclasses import replace
from fnmatch import fnmatch

import numpy as np
import pytest
from rich.console import Console

from benchmarks import memory, tables
from benchmarks.asked import ASKED, Ask, asks_for, judged, verdict
from stepconv.bench import driver, peak
from stepconv.bench.cells import Cell, arrays, catalogue, choose
from stepconv.bench.driver import Effort, MeasureError, Team
from stepconv.bench.peers import OURS, PEERS, Ours
from stepconv.cli import main
from stepconv.cli.commands import bench
from stepconv.errors import ArgumentError
from stepconv.kernels.compile import thread_count, use_threads

CELLS = catalogue()
BY_NAME = {cell.name: cell for cell in CELLS}
MOMENT = Effort(rounds=1, seconds=0.001)


def small(cell):
    """The same work on arrays that compute in no time."""
    if cell.kind == "filter":
        return cell if cell.name == "tiny" else replace(cell, x=(40, 36))
    channels = cell.x[1] if cell.kind == "layer" else 3
    sides = (60,) if len(cell.x) == 3 else (17, 14)
    return replace(cell, x=(2, channels, *sides))


@pytest.fixture
def few_peers(monkeypatch):
    """Only what takes no time to import."""
    monkeypatch.setattr(driver, "installed", lambda package: package in ("stepconv", "numpy"))


# --- Cells -------------------------------------------------------------------------------------


def test_names_are_unique_and_survive_json():
    assert len(BY_NAME) == len(CELLS)
    for cell in CELLS:
        assert Cell.from_json(json.loads(json.dumps(cell.to_json()))) == cell


@pytest.mark.parametrize(
    ("name", "multiplications", "terms", "numbers"),
    [
        ("tiny", 6 * 6 * 9, 9, 64 + 9 + 36),
        ("rank1-5", 2048**2 * 10, 25, 2 * 2048**2 + 25),
        ("lenet2-forward", 64 * 16 * 100 * 150, 150, 64 * (6 * 196 + 16 * 100) + 2400),
        ("lenet2-dX", 64 * 16 * 100 * 150, 400, 64 * (6 * 196 + 16 * 100) + 2400),
        ("lenet2-dW", 64 * 16 * 100 * 150, 6400, 64 * (6 * 196 + 16 * 100) + 2400),
        ("depthwise-forward", 16 * 64 * 56**2 * 9, 9, 2 * 16 * 64 * 56**2 + 64 * 9),
        ("depthwise-dX", 16 * 64 * 56**2 * 9, 9, 2 * 16 * 64 * 56**2 + 64 * 9),
    ],
)
def test_work_of_a_cell(name, multiplications, terms, numbers):
    cell = BY_NAME[name]
    assert (cell.flops, cell.terms) == (2 * multiplications, terms)
    assert (cell.traffic("float32"), cell.traffic("float64")) == (4 * numbers, 8 * numbers)


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        (["filter-3"], ["filter-3"]),
        (["lenet2"], [f"lenet2-{d}" for d in ("forward", "dX", "dW", "backward")]),
        (["pad-re*", "tiny"], ["pad-reflect", "pad-replicate", "tiny"]),
        ([], list(BY_NAME)),
    ],
)
def test_choose(patterns, names):
    assert [cell.name for cell in choose(CELLS, patterns)] == names


def test_choose_nothing():
    with pytest.raises(ArgumentError, match="no cell matches 'nonsense': 'filter-3' or"):
        choose(CELLS, ["tiny", "nonsense"])
    with pytest.raises(ArgumentError, match="did you mean 'filter-5'"):
        choose(CELLS, ["filter-4"])


def test_float64_is_asked_to_be_as_fast_as_the_peers():
    assert [ask.ratio for ask in asks_for(BY_NAME["64-64-dX"], "float32")] == [1.0, 1.4]
    assert [ask.ratio for ask in asks_for(BY_NAME["64-64-dX"], "float64")] == [1.0]
    assert [ask.ratio for ask in asks_for(BY_NAME["tiny"], "float64")] == [0.33, 0.7]


def test_every_pattern_asks_something_of_a_cell():
    for pattern in ASKED:
        before = list(ASKED)[: list(ASKED).index(pattern)]
        left = [n for n in BY_NAME if not any(fnmatch(n, earlier) for earlier in before)]
        assert any(fnmatch(name, pattern) for name in left), pattern


def test_an_algorithm_that_is_asked_for_is_timed():
    for cell in CELLS:
        assert {ask.algorithm for ask in asks_for(cell, "float32")} <= {"auto", *cell.algorithms}


@pytest.mark.parametrize(
    "peer",
    [
        pytest.param(name, marks=[pytest.mark.slow] * name.startswith("torch"))
        for name in PEERS
        if name != OURS
    ],
)
def test_peers_compute_the_same(peer):
    package, make = PEERS[peer]
    pytest.importorskip(package)
    library, ours, compared = make(), Ours(), 0
    for cell in map(small, CELLS):
        given = arrays(cell, "float64")
        theirs = library.variants(cell, given)
        mine = ours.to_numpy(ours.variants(cell, given)["auto"]()) if theirs else None
        for name, call in theirs.items():
            found = library.to_numpy(call())
            assert found.shape == mine.shape, (cell.name, name)
            np.testing.assert_allclose(found, mine, atol=1e-10, err_msg=f"{cell.name} {name}")
            compared += 1
    assert compared


# --- Measuring ---------------------------------------------------------------------------------


def test_measure_one_cell(few_peers):
    cell = small(BY_NAME["pad-reflect"])
    with Team(1) as team:
        row = team.measure(cell, "float32", MOMENT)
        assert set(team.versions) == {"stepconv", "numpy"}
        assert team.left_out["scipy"] == "not installed"
        assert team.threading()["threads"] == 1
    assert [c["name"] for c in row["contenders"]] == ["stepconv auto", "numpy pad"]
    for contender in row["contenders"]:
        low, high = contender["quartiles"]
        assert 0 < low <= contender["median"] <= high
        assert contender["difference"] == 0
    (found,) = judged(row, cell)["verdicts"]
    assert found["best"] == "numpy pad"
    assert found["ratio"] > 0


def test_errors_are_within_the_bound(few_peers):
    with Team(1) as team:
        row = team.measure(BY_NAME["tiny"], "float32", MOMENT, errors=True)
    assert 0 < row["contenders"][0]["error"] <= row["terms"]


def test_a_worker_that_fails_says_why(few_peers):
    with Team(1) as team, pytest.raises(MeasureError, match=r"stepconv: .*attribute 'nonsense'"):
        team._workers[0].ask("nonsense")


def contenders_with(folder, **results):
    """Contenders that left these results in files, ours first."""
    made = []
    for name, result in results.items():
        np.save(folder / f"{name}.npy", result)
        made.append({"peer": name, "variant": "auto", "file": folder / f"{name}.npy"})
    return made


@pytest.mark.parametrize(
    ("theirs", "complaint"),
    [
        ([1.0, 2.0, 3.1], "tiny float32: liar auto differs from stepconv's result by 0.03"),
        ([1.0, 2.0, np.nan], "differs"),
        ([1.0, 2.0], r"has shape \(2,\), stepconv \(3,\)"),
    ],
)
def test_a_wrong_result_is_refused(tmp_path, theirs, complaint):
    made = contenders_with(tmp_path, stepconv=[1.0, 2.0, 3.0], liar=theirs)
    with pytest.raises(MeasureError, match=complaint):
        driver._compare(BY_NAME["tiny"], "float32", made, None)


def test_rounding_is_no_wrong_result(tmp_path):
    made = contenders_with(tmp_path, stepconv=[1.0, 2.0, 3.0], honest=[1.0, 2.0, 3.00001])
    driver._compare(BY_NAME["tiny"], "float32", made, None)
    assert 0 < made[1]["difference"] < 1e-5


def contender(name, median, threads=2):
    return {
        "name": name,
        "median": median,
        "threads": threads,
        "quartiles": [median, median],
        "error": 1.5,
    }


def test_verdict_takes_the_best_of_the_peers_that_are_meant():
    timed = [
        contender("stepconv auto", 2.0),
        contender("torch NCHW conv", 3.0),
        contender("torch channels_last conv", 2.5),
        contender("cv2 filter2D", 0.1),
        contender("stepconv auto", 4.0, threads=1),
    ]
    found = verdict(Ask(("torch",), 1.2), timed)
    assert (found["best"], found["ratio"]) == ("torch channels_last conv", 1.25)
    assert found["met"] is True
    assert verdict(Ask(("torch NCHW",), 2.0), timed)["met"] is False
    assert verdict(Ask(("scipy",), 1.0), timed)["met"] is None
    assert verdict(Ask(("torch",), 1.0, "winograd"), timed)["ratio"] is None


def test_slow_cells_get_fewer_rounds():
    effort = Effort(rounds=15, seconds=0.05, longest=10)
    assert effort.rounds_for([1e-6, 0.01]) == 15
    assert effort.rounds_for([0.5, 0.5]) == 5
    assert effort.rounds_for([60]) == 3


# --- The command -------------------------------------------------------------------------------


def test_list(capsys):
    assert main(["bench", "--list"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert [line.split()[0] for line in out.splitlines()] == list(BY_NAME)
    assert main(["bench", "--list", "--json", "--cell", "tiny"]) == 0
    assert json.loads(capsys.readouterr().out) == {"tiny": "one call, 8x8 by 3x3"}


def test_the_short_form_has_cells_of_the_table():
    assert set(bench.SHORT) <= set(BY_NAME)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--cell", "nonsense"], ["'nonsense'", "filter-3"]),
        (["--threads", "0"], ["threads=0", "1 to"]),
        (["--threads", "100000"], ["threads=100000"]),
        (["--threads", "many"], ["many"]),
    ],
)
def test_a_bad_argument_is_one_line_and_status_2(arguments, words, capsys):
    assert main(["bench", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    for word in words:
        assert word in err


def test_json(few_peers, monkeypatch, capsys):
    monkeypatch.setattr(os, "getloadavg", lambda: (1000.0, 0.0, 0.0), raising=False)
    assert main(["bench", "--cell", "tiny", "--quick", "--threads", "1", "--json"]) == 0
    out, err = capsys.readouterr()
    findings = json.loads(out)
    assert findings["threads"] == 1
    assert [row["cell"] for row in findings["cells"]] == ["tiny"]
    assert set(findings["left_out"]) == {"torch NCHW", "torch channels_last", "cv2", "scipy"}
    assert "busy (load average 1000.0)" in findings["busy"]
    assert err.startswith("stepconv: the machine is busy")


def test_nobody_to_compare_with(few_peers, capsys):
    assert main(["bench", "--cell", "tiny", "--quick", "--threads", "1"]) == 0
    out = capsys.readouterr().out
    assert "left out: cv2: not installed" in out
    assert "one call, 8x8 by 3x3" in out
    assert "Nothing to compare with" in out


def row_of(**times):
    timed = [contender(name, median) for name, median in times.items()]
    return {"work": "N=16 64 channels " * 9, "median": timed[0]["median"], "contenders": timed}


@pytest.mark.parametrize("width", [60, 80])
@pytest.mark.parametrize("colour", [True, False])
def test_bars_fit_the_terminal(width, colour, monkeypatch):
    if not colour:
        monkeypatch.setenv("NO_COLOR", "1")
    console = Console(
        width=width, force_terminal=colour, color_system="256", highlight=False, file=io.StringIO()
    )
    times = {"stepconv auto": 2e-3, "torch channels_last conv": 1e-3, "cv2 filter2D": 1.0}
    bench._draw(console, row_of(**times))
    text = console.file.getvalue()
    assert ("\x1b[34m" in text) == colour
    lines = re.sub(r"\x1b\[[\d;]*m", "", text).splitlines()
    assert max(map(len, lines)) <= width
    assert "stepconv 2.00 ms" in lines[1]
    assert "torch NHWC " in lines[2]
    assert "0.50×" in lines[2]
    assert "500.00×" in lines[3]
    assert lines[3].rstrip().endswith("▶")


def test_bars():
    assert bench.bar(1.0, 32).index("│") == bench.bar(0.1, 32).index("│") == 3
    assert len(bench.bar(8.0, 32)) == 32
    assert bench.bar(0.0, 1).endswith("│")


# --- The page ----------------------------------------------------------------------------------


def report():
    cell = {
        **row_of(**{"stepconv auto": 2e-3, "cv2 filter2D": 5e-3}),
        "cell": "filter-3",
        "work": "2048² by 3x3",
        "dtype": "float32",
        "bound": "memory",
        "terms": 9,
        "gflops": 30.0,
        "gbytes": 20.0,
        "scaling": None,
        "copy_share": 0.5,
        "peak_share": 0.1,
    }
    cell["verdicts"] = [verdict(Ask(("cv2",), 4), cell["contenders"])]
    return {"threads": 2, "cells": [cell], "memory": [], "sizes": [], "borders": []}


def test_tables_are_put_between_their_markers():
    page = (
        "# Speed\n<!-- table: float32 -->\nold\n<!-- end of table -->\nwords\n"
        "<!-- table: memory -->\nold\n<!-- end of table -->\n"
    )
    made = tables.rewrite(page, report())
    assert "old" not in made
    assert "| 2048² by 3x3 | 2.00 ms ±0% | cv2 filter2D | 5.00 ms ±0% | 2.50 | **4 ✗** |" in made
    assert "<!-- table: memory -->\nNot measured yet.\n<!-- end of table -->" in made
    assert "\nwords\n" in made
    assert tables.rewrite(made, report()) == made


def test_a_marker_without_a_table_is_an_error():
    with pytest.raises(KeyError, match="nonsense"):
        tables.rewrite("<!-- table: nonsense -->\n<!-- end of table -->", report())


def test_the_page_has_every_table():
    text = tables.PAGE.read_text()
    assert all(f"<!-- table: {name} -->\n" in text for name in tables.TABLES)
    assert text.count("<!-- table: ") == text.count("<!-- end of table -->") == len(tables.TABLES)


def test_the_machines_own_limits_are_measured():
    before = thread_count()
    try:
        for dtype in ("float32", "float64"):
            assert peak.flops(dtype, threads=1, repeats=1) > 0
        assert all(peak.copy_rate(2**16, 1, fresh, repeats=1) > 0 for fresh in (False, True))
    finally:
        use_threads(before)


@pytest.mark.skipif(sys.platform != "linux", reason="the high-water mark is read from /proc")
def test_memory_of_a_call_is_measured():
    measured = memory.measure(replace(BY_NAME["filter-3"], x=(1024, 1024)))
    assert measured["needed"] == 2 * 4 * 1024**2 + 4 * 9
    assert measured["ratio"] > 0
