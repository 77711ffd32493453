"""Digits are found on paper: shaded, thin, off the middle, several, or none."""

import numpy as np
import pytest

from stepconv.train.data import digits, written

MADE = digits.make(12).pictures[:, 0].astype(float) / 255


def sheet(numbers, size=(120, 300), shade=0.0, noise=3.0, light=220.0):
    """Draw made digits side by side as dark ink on paper that grows darker to one corner."""
    y, x = np.mgrid[0 : size[0], 0 : size[1]]
    paper = light - shade * (x / size[1] + y / size[0]) / 2
    ink = np.zeros(size)
    for place, number in enumerate(numbers):
        drawn = np.kron(MADE[number], np.ones((3, 3)))
        ink[20:104, 8 + 95 * place : 92 + 95 * place] = drawn
    return paper * (1 - 0.7 * ink) + np.random.default_rng(0).normal(0, noise, size)


def likeness(found, number):
    one, other = (picture / np.linalg.norm(picture) for picture in (found, MADE[number]))
    moves = (-1, 0, 1)
    return max((np.roll(one, (i, j), (0, 1)) * other).sum() for i in moves for j in moves)


@pytest.mark.parametrize("shade", [0.0, 120.0], ids=["even", "shaded"])
@pytest.mark.parametrize("numbers", [(0,), (4, 7), (1, 5, 9)], ids=str)
def test_each_digit_comes_back_from_the_left(numbers, shade):
    found = written.digits(sheet(numbers, shade=shade))
    assert len(found) == len(numbers)
    for picture, number in zip(found, numbers, strict=True):
        assert picture.shape == (28, 28)
        assert likeness(picture, number) > 0.7


def test_bright_ink_on_a_dark_board_is_read_too():
    [found] = written.digits(255 - sheet((3,), shade=60))
    assert likeness(found, 3) > 0.75


@pytest.mark.parametrize("shade", [0.0, 120.0])
def test_an_empty_sheet_holds_none(shade):
    assert written.digits(sheet((), shade=shade)) == []
    assert written.digits(np.full((90, 90), 7.0)) == []


def test_specks_are_no_digits():
    speckled = sheet((2,))
    speckled[5:8, 200:203] = 0
    speckled[60:62, 250:252] = 0
    assert len(written.digits(speckled)) == 1


def test_thin_strokes_are_drawn_over():
    thin = np.full((200, 200), 230.0)
    thin[20:180, 100:102] = 20
    [found] = written.digits(thin + np.random.default_rng(0).normal(0, 2, thin.shape))
    assert found[14].sum() > 1.6 * 255
