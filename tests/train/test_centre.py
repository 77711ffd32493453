"""Pictures of digits come to the network as it knows them, however they were drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepconv.train.data import centre, digits


def mass(picture: np.ndarray) -> tuple[float, float]:
    rows, columns = np.indices(picture.shape)
    return (rows * picture).sum() / picture.sum(), (columns * picture).sum() / picture.sum()


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("inverted", [False, True])
def test_a_digit_on_a_sheet_comes_back(number: int, inverted: bool) -> None:
    digit = digits.make(1, first=number).pictures[0, 0].astype(float)
    sheet = np.zeros((90, 120))
    sheet[3:59, 60:116] = np.kron(digit, np.ones((2, 2)))
    found = centre.centred(255 - sheet if inverted else sheet)
    assert found.shape == (28, 28)
    assert found.max() == 255
    # Ours is at most a cell off, and a little larger or smaller.
    one, other = (picture / np.linalg.norm(picture) for picture in (found, digit))
    near = max((np.roll(one, (i, j), (0, 1)) * other).sum() for i in (-1, 0, 1) for j in (-1, 0, 1))
    assert near > 0.8


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_any_ink_fills_the_box_and_lies_in_the_middle(high: int, wide: int, seed: int) -> None:
    sheet = np.full((high + 40, wide + 40), 255.0)
    sheet[7 : 7 + high, 30 : 30 + wide] = np.random.default_rng(seed).integers(0, 100, (high, wide))
    found = centre.centred(sheet)
    rows, columns = np.flatnonzero(found.any(axis=1)), np.flatnonzero(found.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == centre.BOX
    assert np.allclose(mass(found), 13.5, atol=0.51)


def test_an_empty_sheet_is_black() -> None:
    for value in (0.0, 255.0):
        assert not centre.centred(np.full((40, 30), value)).any()


def test_resizing_takes_means_of_areas() -> None:
    picture = np.array([[0.0, 4.0, 8.0], [0.0, 4.0, 8.0]])
    assert np.allclose(centre.resized(picture, 1, 3), [[0, 4, 8]])
    assert np.allclose(centre.resized(picture, 1, 1), [[4]])
    assert np.allclose(centre.resized(picture, 2, 2), [[4 / 3, 20 / 3]] * 2)
    assert np.allclose(centre.resized(picture, 4, 6), np.kron(picture, np.ones((2, 2))))
