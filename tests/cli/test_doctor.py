"""What doctor reports is complete and true, for people and as JSON."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

import stepconv
from stepconv.cli import main
from stepconv.cli.commands.doctor import find_data
from stepconv.train.data.known import FILES


@pytest.fixture(autouse=True)
def no_data(monkeypatch, tmp_path):
    """Hide the data sets of whoever runs the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache-home"))
    monkeypatch.delenv("STEPCONV_DATA", raising=False)


def doctor(*arguments, **environment):
    """Run doctor in a process of its own, for what is read from the environment at the start."""
    result = subprocess.run(
        [sys.executable, "-m", "stepconv", "doctor", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
        timeout=120,
    )
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout


def place_data(folder):
    folder.mkdir(parents=True)
    for name in FILES:
        (folder / name).touch()


def test_json_is_one_object_with_every_part(capsys):
    assert main(["doctor", "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    findings = json.loads(out)
    assert findings["stepconv"] == stepconv.__version__
    assert findings["python"] == sys.version.split()[0]
    assert findings["packages"]["numpy"] == np.__version__
    assert None not in findings["packages"].values()
    assert findings["optional"]["pillow"]["extra"] == "images"
    assert findings["processor"]["vector_bits"] in (128, 256, 512)
    assert 1 <= findings["processor"]["usable_cores"] <= findings["processor"]["cores"]
    assert findings["kernels"]["trouble"] is None
    assert findings["kernels"]["threads"]["threads"] >= 1
    assert {"folder", "writable", "files", "bytes"} <= set(findings["kernels"]["cache"])
    assert findings["gpu"]
    assert set(findings["data"]["found"]) == {"mnist", "fashion-mnist"}


def test_text_has_every_part(capsys):
    assert main(["doctor"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    for word in ("numba", "pillow", "vectors", "threads", "cache", "GPU", "fashion-mnist"):
        assert word in out


def test_an_optional_package_that_is_absent_names_its_extra(capsys, monkeypatch):
    monkeypatch.setattr("stepconv.cli.commands.doctor._version", lambda name: None)
    main(["doctor"])
    assert "pip install 'stepconv[images]'" in " ".join(capsys.readouterr().out.split())


def test_a_numba_that_cannot_start_is_reported(capsys, monkeypatch):
    monkeypatch.delattr("stepconv.kernels.compile", raising=False)
    monkeypatch.setitem(sys.modules, "stepconv.kernels.compile", None)
    assert main(["doctor"]) == 0
    assert "cannot be used" in capsys.readouterr().out


def test_text_keeps_to_60_columns():
    for line in doctor(COLUMNS="60").splitlines():
        assert len(line) <= 60 or len(line.split()[-1]) > 42, line  # a path stays in one piece


def test_no_color_and_pipes_are_plain():
    assert "\x1b" not in doctor()
    assert "\x1b" not in doctor(NO_COLOR="1", FORCE_COLOR="1", TERM="dumb")
    assert "\x1b" in doctor(FORCE_COLOR="1", TERM="xterm-256color")


def test_data_sets_are_looked_for_in_order(monkeypatch, tmp_path):
    assert find_data()["found"] == {"mnist": None, "fashion-mnist": None}
    place_data(tmp_path / "named" / "mnist")
    monkeypatch.setenv("STEPCONV_DATA", str(tmp_path / "named"))
    assert find_data()["found"]["mnist"] == str(tmp_path / "named" / "mnist")
    place_data(tmp_path / "given" / "mnist")
    assert find_data(tmp_path / "given")["found"]["mnist"] == str(tmp_path / "given" / "mnist")
    place_data(tmp_path / "cache-home" / "stepconv" / "fashion-mnist")
    assert find_data()["found"]["fashion-mnist"].startswith(str(tmp_path / "cache-home"))


def test_a_data_set_with_a_missing_file_is_missing(tmp_path):
    place_data(tmp_path / "mnist")
    (tmp_path / "mnist" / list(FILES)[2]).unlink()
    assert find_data(tmp_path)["found"]["mnist"] is None


def test_data_dir_option(capsys, tmp_path):
    place_data(tmp_path / "mnist")
    assert main(["doctor", "--json", "--data-dir", str(tmp_path)]) == 0
    found = json.loads(capsys.readouterr().out)["data"]["found"]
    assert found == {"mnist": str(tmp_path / "mnist"), "fashion-mnist": None}


def test_clear_cache(tmp_path):
    cache = {"STEPCONV_CACHE_DIR": str(tmp_path / "kernels")}
    script = "import stepconv; stepconv.correlate([1.0, 2.0], [1.0], backend='cpu')"
    subprocess.run([sys.executable, "-c", script], env={**os.environ, **cache}, check=True)
    filled = json.loads(doctor("--json", **cache))["kernels"]["cache"]
    assert filled["folder"].startswith(str(tmp_path))
    assert filled["files"] > 0
    assert filled["removed"] is None
    cleared = json.loads(doctor("--json", "--clear-cache", **cache))["kernels"]["cache"]
    assert cleared["removed"] == filled["files"]
    assert (cleared["files"], cleared["bytes"]) == (0, 0)


def test_a_damaged_cache_folder_is_reported(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    cache = json.loads(doctor("--json", STEPCONV_CACHE_DIR=str(blocked)))["kernels"]["cache"]
    assert cache["writable"] is False
    assert cache["reason"]
