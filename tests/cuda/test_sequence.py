"""Launches as one: started singly at first, then captured, and singly again where that fails."""

from __future__ import annotations

import ctypes
from typing import Any

import pytest

from tests.conftest import BACKENDS, NO_CARD

pytestmark = pytest.mark.skipif("cuda" not in BACKENDS, reason=NO_CARD)

STREAM, GRAPH, EXECUTABLE = 7, 8, 9


class Driver:
    """A driver that notes what it is asked for; some calls fail."""

    def __init__(self, said: list[Any], failing: str) -> None:
        self.said, self.failing = said, failing

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any) -> int:
            self.said.append(name)
            if name == self.failing:
                return 900
            if name == "cuStreamCreate":
                arguments[0]._obj.value = STREAM
            if name in ("cuStreamBeginCapture_v2", "cuStreamDestroy_v2"):
                assert arguments[0].value == STREAM
            if name == "cuStreamEndCapture":
                arguments[1]._obj.value = GRAPH
            if name == "cuGraphInstantiateWithFlags":
                assert arguments[1].value == GRAPH
                arguments[0]._obj.value = EXECUTABLE
            if name == "cuGraphLaunch":
                assert arguments[0].value == EXECUTABLE
            return 0

        return call


class Launch:
    """A launch that notes the stream on which it is started; it may fail while captured."""

    def __init__(self, said: list[Any], fails: bool) -> None:
        self.said, self.fails = said, fails

    def start(self, stream: Any = 0) -> None:
        self.said.append(int(stream))
        if self.fails and stream:
            raise RuntimeError("not while capturing")


def said_by(
    monkeypatch: pytest.MonkeyPatch, failing: str = "", fails: bool = False
) -> list[list[Any]]:
    """Return what driver and launches are told by each of three runs of two launches."""
    from stepconv.kernels.cuda.network import sequence

    said: list[Any] = []
    monkeypatch.setattr(sequence, "SIMULATED", False)
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver(said, failing))
    monkeypatch.setattr(sequence.cuda, "external_stream", lambda handle: handle, raising=False)
    launches = [Launch(said, False), Launch(said, fails)]
    made = sequence.Sequence(launches)  # type: ignore[arg-type]
    runs = []
    for _ in range(3):
        said.clear()
        made.run()
        runs.append([*said])
    return runs


OPEN, CLOSE = "cuStreamCreate", "cuStreamDestroy_v2"
BEGIN, END = "cuStreamBeginCapture_v2", "cuStreamEndCapture"
MAKE, DESTROY = "cuGraphInstantiateWithFlags", "cuGraphDestroy"


def test_the_second_run_becomes_a_graph(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = said_by(monkeypatch)
    assert first == [0, 0]
    assert second == [OPEN, BEGIN, STREAM, STREAM, END, MAKE, DESTROY, CLOSE, "cuGraphLaunch"]
    assert third == ["cuGraphLaunch"]


@pytest.mark.parametrize(
    ("failing", "fails", "second"),
    [
        (OPEN, False, [OPEN]),
        (BEGIN, False, [OPEN, BEGIN, CLOSE]),
        ("", True, [OPEN, BEGIN, STREAM, STREAM, END, MAKE, DESTROY, CLOSE]),
        (END, False, [OPEN, BEGIN, STREAM, STREAM, END, CLOSE]),
        (MAKE, False, [OPEN, BEGIN, STREAM, STREAM, END, MAKE, DESTROY, CLOSE]),
    ],
)
def test_where_there_is_no_graph_each_is_started(
    monkeypatch: pytest.MonkeyPatch, failing: str, fails: bool, second: list[Any]
) -> None:
    assert said_by(monkeypatch, failing, fails) == [[0, 0], [*second, 0, 0], [0, 0]]
