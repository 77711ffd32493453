"""Large results get memory that nobody looks at any more, and never any that somebody does."""

import gc
import threading
from collections.abc import Iterator

import numpy as np
import pytest

import stepconv
from stepconv.ops import reuse

SHAPE = (8, 64, 64)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let results of 4 KiB be large, and begin with no memory that waits."""
    monkeypatch.setattr(reuse, "LARGE", 2**12)
    monkeypatch.delenv("STEPCONV_REUSE", raising=False)
    reuse._waiting.clear()
    yield
    reuse._waiting.clear()


def place(array: np.ndarray) -> int:
    return array.__array_interface__["data"][0]


def made(shape: tuple[int, ...] = SHAPE, dtype: type = np.float32) -> np.ndarray:
    return reuse.empty(shape, dtype, np.empty(0))


def test_memory_that_nobody_looks_at_is_used_again() -> None:
    first = made()
    where = place(first)
    del first
    again = made()
    assert place(again) == where
    assert not reuse._waiting


LOOKS = {
    "view": lambda array: array[1:, ::2],
    "flat": lambda array: array.ravel()[5:],
    "memoryview": lambda array: memoryview(array)[1:],
    "other type": lambda array: np.asarray(array.reshape(-1)).view(np.int32),
}


@pytest.mark.parametrize("look", LOOKS)
def test_memory_that_somebody_looks_at_is_left_alone(look: str) -> None:
    first = made()
    first[:] = 7
    seen = LOOKS[look](first)
    before = np.array(seen)
    del first
    made()[:] = 1
    assert (np.asarray(seen) == before).all()
    reuse._waiting.clear()
    del seen
    assert len(reuse._waiting) == 1


def test_memory_in_a_circle_comes_back_when_it_is_collected() -> None:
    circle: list[object] = [made()]
    circle.append(circle)
    del circle
    gc.collect()
    assert len(reuse._waiting) == 1


def test_a_block_serves_what_fits_into_it_and_fills_half_of_it() -> None:
    for shape, served in ((SHAPE, True), ((5, 64, 64), True), ((3, 64, 64), False)):
        reuse._waiting.clear()
        first = made()
        del first
        array = made(shape)
        assert (not reuse._waiting) == served
        assert array.shape == shape
        assert array.flags.carray
        del array


def test_no_more_waits_than_is_allowed_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reuse, "_MOST", 3 * 2**17)
    arrays = [made() for _ in range(5)]
    assert len({place(array) for array in arrays}) == 5
    arrays.clear()
    assert len(reuse._waiting) == 3
    monkeypatch.setattr(reuse, "_PATIENCE", -1.0)
    array = made()
    assert not reuse._waiting
    del array


def test_small_results_subclasses_and_who_says_so_have_memory_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert made((2, 2)).flags.owndata
    monkeypatch.setenv("STEPCONV_REUSE", "0")
    assert made().flags.owndata


def test_a_result_has_the_same_bits_in_memory_that_was_used() -> None:
    draw = np.random.default_rng(0)
    x, w = draw.standard_normal((2, 8, 40, 40)), draw.standard_normal((16, 8, 3, 3))
    calls = [
        lambda: stepconv.correlate(x, w, padding=1),
        lambda: stepconv.correlate_backward(x, w, np.ones((2, 16, 38, 38)))[0],
        lambda: stepconv.max_pool_backward(x, np.ones((2, 8, 20, 20)), 2),
        lambda: stepconv.avg_pool_backward(x, np.ones((2, 8, 20, 20)), 2),
        lambda: stepconv.pad(x, 3, mode="reflect"),
        lambda: stepconv.relu(x),
    ]
    for call in calls:
        first = call()
        bits = first.tobytes()
        first[...] = np.nan
        del first
        assert reuse._waiting
        assert call().tobytes() == bits


def test_threads_never_get_the_same_memory() -> None:
    wrong = []

    def work(number: int) -> None:
        for _ in range(200):
            array = made()
            array[...] = number
            if (array != number).any():
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
