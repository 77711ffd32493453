"""A chain's file comes back as it was written; one that lies is refused, and the link is named."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stepconv
from stepconv import Chain, From
from stepconv.errors import ArgumentError, TraceError
from stepconv.trace import load
from tests.trace.test_store import npy, rewrite, with_array, with_header

PICTURE = np.arange(36.0).reshape(6, 6) - 17


def made() -> Chain:
    return stepconv.record(
        [
            (stepconv.correlate, {"w": np.array([[1, -2], [3, 1]]), "bias": 2}),
            (stepconv.relu, {}),
            (stepconv.max_pool, {"window": 2, "padding": 1}),
            (stepconv.pad, {"x": From(), "padding": 1, "value": np.inf}),
            (stepconv.relu_backward, {"x": From(0), "grad_out": From(1)}),
        ],
        PICTURE,
        backend="textbook",
        about=stepconv.About("a title"),
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made().save(tmp_path / "a.npz")
    return tmp_path / "a.npz"


def refusal(path: Path) -> str:
    with pytest.raises(TraceError) as caught:
        stepconv.load_chain(path)
    assert str(caught.value).startswith(f"{path} is not a chain to rely on: ")
    return str(caught.value)


def test_it_comes_back(path: Path) -> None:
    back = stepconv.load_chain(path)
    assert back == made()
    assert [trace.about for trace in back] == [trace.about for trace in made()]
    assert [link.sources for link in back.links] == [link.sources for link in made().links]
    assert not back.input.flags.writeable


def test_the_same_chain_gives_the_same_bytes(path: Path) -> None:
    made().save(path.with_name("b.npz"))
    assert path.read_bytes() == path.with_name("b.npz").read_bytes()


def test_either_kind_is_known_by_itself(path: Path) -> None:
    assert isinstance(load(path), Chain)
    made()[0].save(path.with_name("one.npz"))
    assert load(path.with_name("one.npz")) == made()[0]
    with pytest.raises(TraceError, match="is not a trace"):
        stepconv.load_trace(path)
    with pytest.raises(TraceError, match="is not a chain"):
        stepconv.load_chain(path.with_name("one.npz"))


def test_a_file_that_is_there_stays(path: Path) -> None:
    with pytest.raises(ArgumentError, match="is there already"):
        made().save(path)
    made().save(path, force=True)


def test_what_is_linked_is_kept_once(path: Path) -> None:
    with np.load(path) as file:
        names = set(file.files)
    assert {"input", "0.w", "0.bias", "0.output", "1.output"} <= names
    assert not any(name.endswith((".x", ".grad_out")) for name in names)


def test_any_byte_that_changes_is_noticed(path: Path) -> None:
    whole = path.read_bytes()
    for place in range(0, len(whole), 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x15]) + whole[place + 1 :])
        with contextlib.suppress(TraceError):
            assert stepconv.load_chain(path) == made()


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        ("1.output", "link 1: "),
        ("2.output", "link 2: "),
        ("2.winners", "link 2: "),
        ("0.sums", "link 0: "),
        ("0.output", "link 0: "),
        ("0.w", "link 0: "),
    ],
)
def test_numbers_that_do_not_follow(path: Path, member: str, reason: str) -> None:
    with_array(path, member, lambda array: array + 1)
    assert reason in refusal(path)


def test_another_input_is_another_chain(path: Path) -> None:
    with_array(path, "input", lambda array: array * 2)
    assert "link 0: " in refusal(path)


@pytest.mark.parametrize(
    ("link", "key", "value", "reason"),
    [
        (1, "sources", {"x": 1}, "link 1: x comes from 1, which is no link before it"),
        (1, "sources", {"x": -1}, "link 1: x comes from -1"),
        (1, "sources", {"x": True}, "link 1: x comes from True"),
        (1, "sources", {"x": "0"}, "link 1: x comes from '0'"),
        (1, "sources", {}, ""),
        (1, "sources", None, "link 1: its header does not say"),
        (0, "sources", {"x": None, "w": None}, "link 0: 'w' is kept in the file"),
        (0, "sources", {"colour": None}, "link 0: 'colour' is kept in the file, or is no"),
        (1, "function", "eval", "link 1: its header names no call"),
        (2, "sources", {"x": 0}, "link 2: "),
        (2, "options", {"window": 3}, "link 2: "),
        (0, "about", None, "link 0: its header has no 'about'"),
    ],
)
def test_a_link_that_lies(path: Path, link: int, key: str, value: Any, reason: str) -> None:
    with_header(path, lambda header: header["links"][link].update({key: value}))
    assert reason in refusal(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"links": []}, "its header tells of no link"),
        ({"links": {}}, "its header tells of no link"),
        ({"links": [3, 4]}, "of a link that is not there"),
        ({"links": [3, 4, 5, 6, 7]}, "link 0: its header does not say"),
        ({"version": 2}, "version 2"),
        ({"format": "stepconv-trace"}, "does not say that it is a chain"),
    ],
)
def test_a_header_that_lies(path: Path, change: dict[str, Any], reason: str) -> None:
    with_header(path, lambda header: header.update(change))
    assert reason in refusal(path)


@pytest.mark.parametrize("name", ["x", "0.colour", "00.w", "9.w", "input.npy", "../input"])
def test_a_member_that_no_chain_has(path: Path, name: str) -> None:
    rewrite(path, lambda members: members.update({f"{name}.npy": npy(np.ones(1))}))
    refusal(path)
