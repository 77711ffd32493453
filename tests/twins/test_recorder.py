"""The textbook's window functions give the same bits compiled as plain: a recorder may use them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import njit
from numba.extending import register_jitable

from stepconv.kernels import textbook
from stepconv.testing import strategies as some
from stepconv.testing.calls import Array

NUMBERS = some.dtypes("float64", "float32", "int64")
offsets = st.integers(-3, 5)
steps = st.integers(1, 3)


@pytest.fixture(scope="module")
def compiled() -> Callable[[str], Callable[..., Any]]:
    """Compile a function of the textbook; those it calls are told to Numba, not rewritten."""
    for helper in (textbook.value_at, textbook.beats):
        assert register_jitable(helper) is helper
    forms = {
        name: njit(getattr(textbook, name))
        for name in ("value_at", "window_sum", "beats", "window_winner")
    }
    return forms.__getitem__


def same(comp: Any, ref: Any) -> bool:
    """Compare type and bits of numbers: a NaN is itself."""
    return np.asarray(comp, np.asarray(ref).dtype).tobytes() == np.asarray(ref).tobytes()


def planes(**kind: Any) -> st.SearchStrategy[Array]:
    """Return small images of each type that a recorder meets."""
    return NUMBERS.flatmap(lambda dtype: some.images(dtype, most=4, **kind))


@given(plane=planes(), i=offsets, j=offsets)
def test_value_at(
    compiled: Callable[[str], Callable[..., Any]], plane: Array, i: int, j: int
) -> None:
    assert same(compiled("value_at")(plane, i, j), textbook.value_at(plane, i, j))


@given(st.data())
def test_window_sum(compiled: Callable[[str], Callable[..., Any]], data: st.DataObject) -> None:
    plane = data.draw(planes())
    kernel = data.draw(some.images(plane.dtype, most=3))
    where = data.draw(st.tuples(offsets, offsets, steps, steps))
    ref = textbook.window_sum(plane, kernel, *where)
    assert same(compiled("window_sum")(plane, kernel, *where), ref)


@given(plane=planes(nan=True, infinity=True))
def test_beats(compiled: Callable[[str], Callable[..., Any]], plane: Array) -> None:
    for cell in plane.flat:
        for best in plane.flat:
            assert compiled("beats")(cell, best) == textbook.beats(cell, best)


@given(
    plane=planes(nan=True, infinity=True),
    corner=st.tuples(offsets, offsets),
    sizes=st.tuples(steps, steps, steps, steps),
)
def test_window_winner(
    compiled: Callable[[str], Callable[..., Any]],
    plane: Array,
    corner: tuple[int, int],
    sizes: tuple[int, int, int, int],
) -> None:
    ref = textbook.window_winner(plane, *corner, *sizes)
    assert compiled("window_winner")(plane, *corner, *sizes) == ref
