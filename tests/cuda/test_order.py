"""In the simulator: whatever order a block's threads run in, and never without their barriers."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import stepconv
from tests.conftest import NO_SIMULATOR, SIMULATED

pytestmark = pytest.mark.skipif(not SIMULATED, reason=NO_SIMULATOR + "lets a test order threads")


def results() -> list[bytes]:
    """Return the bits of what each kernel that has barriers computes."""
    random = np.random.default_rng(0)
    x, w = random.standard_normal((2, 2, 5, 6)), random.standard_normal((5, 2, 3, 2))
    one, kernel = random.standard_normal((9, 8)), random.standard_normal((5, 4))
    with stepconv.use_backend("cuda"):
        calls: list[Callable[[], Any]] = [
            lambda: stepconv.correlate(x, w),
            lambda: stepconv.correlate_backward(x, w, np.ones((2, 5, 3, 5))),
            lambda: stepconv.correlate(one, kernel, padding="same"),
            lambda: stepconv.correlate_backward(one, kernel, one, padding="same"),
        ]
        return [bits_of(call) for call in calls]


def bits_of(call: Callable[[], Any]) -> bytes:
    try:
        got = call()
    except IndexError:  # what a thread should have waited for was not there
        return b"out of bounds"
    return b"".join(one.tobytes() for one in (got if isinstance(got, tuple) else (got,)))


def test_the_order_of_threads_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.cuda.simulator import Block

    forwards = results()
    assert b"out of bounds" not in forwards
    monkeypatch.setattr(Block, "backwards", True)
    assert results() == forwards


def test_a_missing_barrier_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.cuda.simulator import Thread

    right = results()
    monkeypatch.setattr(Thread, "syncthreads", lambda thread: None)
    same = [one == other for one, other in zip(right, results(), strict=True)]
    assert same == [False] * 4
