"""Compiled kernels are code: a folder that somebody else may have written to is not believed."""

import hashlib
import os
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from stepconv.errors import StepconvWarning
from stepconv.kernels.compile import cache, cache_status, parallel, trust
from tests.faults.rows import mostly_slow
from tests.kernels import small_kernels as small

pytestmark = pytest.mark.skipif(os.name != "posix", reason="only POSIX has these modes")
ROOT = os.name == "posix" and os.getuid() == 0
NOBODY = 65534


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a test a cache of its own, which is there already."""
    place = tmp_path / "cache"
    place.mkdir(mode=0o700)
    monkeypatch.setenv("STEPCONV_CACHE_DIR", str(place))
    return place


def compute() -> object:
    """Let a fresh kernel load or compile, hold its numbers against Python's, and return it."""
    kernel = parallel(small.row_sums.function).code
    x = np.linspace(-1, 1, 30).reshape(5, 6)
    ref, comp = np.zeros(5), np.zeros(5)
    small.row_sums.py_func(x, ref)
    kernel(0, 1, x, comp)
    np.testing.assert_allclose(comp, ref)
    return kernel


def stored(folder: Path) -> Path:
    compute()
    (path,) = folder.rglob("*.kernel")
    return path


class Planted:
    """A pickle that leaves a mark when somebody reads it."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, int]]:
        return os.mkdir, (str(self.mark), 0o700)


def plant(path: Path, mark: Path) -> None:
    """Put code of a stranger's in place of a kernel, with the stamp that it needs."""
    kernel = compute()
    _, key = kernel._cache._entry(kernel.signatures[0], kernel.targetctx.codegen())  # type: ignore[attr-defined]
    payload = pickle.dumps(Planted(mark))
    path.write_bytes(hashlib.sha256(key + payload).digest() + payload)


def test_what_is_planted_would_run(folder: Path, tmp_path: Path) -> None:
    plant(stored(folder), tmp_path / "ran")
    compute()
    assert (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("level", "mode"),
    mostly_slow(
        [
            ("cache", 0o777),
            ("cache", 0o1777),
            ("cache", 0o770),
            ("sources", 0o702),
            ("above", 0o2775),
        ]
    ),
)
def test_a_folder_that_others_may_write_to_is_not_used(
    level: str, mode: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "above" / "cache"
    place.mkdir(mode=0o700, parents=True)
    monkeypatch.setenv("STEPCONV_CACHE_DIR", str(place))
    path = stored(place)
    plant(path, tmp_path / "ran")
    open_level = {"cache": place, "sources": path.parent, "above": place.parent}[level]
    open_level.chmod(mode)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        compute()
        compute()
    assert [one.category for one in said] == [StepconvWarning]
    assert f"{open_level} may be written by others" in str(said[0].message)
    assert not (tmp_path / "ran").exists()
    assert not cache_status()["writable"]
    assert str(open_level) in cache_status()["reason"]


def test_a_folder_where_nobody_takes_what_is_anothers_is_no_trouble(folder: Path) -> None:
    folder.parent.chmod(0o1777)
    path = stored(folder)
    compute()
    assert path.exists()


@pytest.mark.parametrize("mode", mostly_slow([0o620, 0o602]))
def test_a_file_that_others_may_write_is_not_read(folder: Path, tmp_path: Path, mode: int) -> None:
    path = stored(folder)
    plant(path, tmp_path / "ran")
    path.chmod(mode)
    compute()
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(not ROOT, reason="only root can give a folder away")
@pytest.mark.parametrize("level", mostly_slow(["cache", "sources", "link"]))
def test_a_folder_of_another_user_is_not_used(level: str, folder: Path, tmp_path: Path) -> None:
    path = stored(folder)
    plant(path, tmp_path / "ran")
    if level == "link":
        folder.rename(tmp_path / "theirs")
        folder.symlink_to(tmp_path / "theirs")
        os.lchown(folder, NOBODY, NOBODY)
    else:
        os.chown({"cache": folder, "sources": path.parent}[level], NOBODY, NOBODY)
    with pytest.warns(StepconvWarning, match="belongs to another user"):
        compute()
    assert not (tmp_path / "ran").exists()


@pytest.mark.skipif(not ROOT, reason="only root can give a file away")
def test_a_file_of_another_user_is_not_read(folder: Path, tmp_path: Path) -> None:
    path = stored(folder)
    plant(path, tmp_path / "ran")
    os.chown(path, NOBODY, NOBODY)
    compute()
    assert not (tmp_path / "ran").exists()


def test_a_link_to_a_folder_that_others_may_write_to_is_not_used(
    folder: Path, tmp_path: Path
) -> None:
    path = stored(folder)
    plant(path, tmp_path / "ran")
    theirs = tmp_path / "theirs"
    folder.rename(theirs)
    (tmp_path / "way").symlink_to("theirs")
    folder.symlink_to(tmp_path / "way")
    trust.check_folder(folder)
    theirs.chmod(0o777)
    with pytest.warns(StepconvWarning, match="theirs may be written by others"):
        compute()
    assert not (tmp_path / "ran").exists()


def test_links_that_lead_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    with pytest.raises(trust.NotTrusted, match="leads nowhere"):
        trust.check_folder(tmp_path / "one")


def test_a_step_back_is_taken_where_a_link_has_led(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "mine").mkdir()
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "way").symlink_to("open/mine")
    with pytest.raises(trust.NotTrusted, match="open may be written"):
        trust.check_folder(tmp_path / "way" / "..")


@pytest.mark.parametrize("kind", mostly_slow(["pipe", "folder", "device"]))
def test_what_is_no_file_is_passed_by(folder: Path, kind: str) -> None:
    path = stored(folder)
    path.unlink()
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compute()


def test_every_folder_that_is_made_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STEPCONV_CACHE_DIR", str(tmp_path / "a" / "b" / "c"))
    before = os.umask(0o002)
    try:
        compute()
    finally:
        os.umask(before)
    trust.check_folder(cache._folder())
    assert list(tmp_path.rglob("*.kernel"))
