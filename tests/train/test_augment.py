"""Changed pictures: the same for a place, moved as said, and never by more than asked for."""

import numpy as np
import pytest

from stepconv.errors import ArgumentError
from stepconv.train import augment
from stepconv.train.augment import Amounts
from stepconv.train.data import digits

STILL = Amounts(shift=0, turn=0, scale=0)


@pytest.fixture(scope="module")
def some():
    return digits.make(150).pictures


def numbers(pictures, first=0):
    return first + np.arange(len(pictures))


def test_a_place_always_gives_the_same_picture(some):
    every = numbers(some)
    amounts = Amounts(noise=0.1)
    whole = augment.apply(some, every, 1, 2, amounts)
    chosen = np.array([149, 3, 64, 3])
    assert np.array_equal(augment.apply(some[chosen], chosen, 1, 2, amounts), whole[chosen])


@pytest.mark.parametrize("place", [(0, 2), (1, 3)])
def test_another_seed_or_epoch_gives_others(some, place):
    first = augment.apply(some, numbers(some), 1, 2, Amounts())
    other = augment.apply(some, numbers(some), *place, Amounts())
    assert np.all((first != other).any(axis=(1, 2, 3)))


def test_the_input_stays_as_it_is(some):
    before = some.copy()
    changed = augment.apply(some, numbers(some), 0, 0, Amounts(noise=0.5))
    assert np.array_equal(some, before)
    assert (changed.dtype, changed.shape) == (np.uint8, some.shape)
    assert not np.shares_memory(changed, some)


def test_amounts_of_nothing_change_nothing(some):
    assert np.array_equal(augment.apply(some, numbers(some), 5, 5, STILL), some)


def test_it_is_what_the_formula_says_cell_by_cell():
    """A twin in plain Python, of other numbers of rows and columns and with three channels."""
    rng = np.random.default_rng(0)
    some = rng.integers(0, 256, (3, 3, 9, 6), np.uint8)
    amounts = Amounts(shift=3, turn=90, scale=0.5)
    changed = augment.apply(some, numbers(some, 7), 1, 2, amounts)
    luck = augment.chance.uniform(1 + augment.APART, 2, numbers(some, 7), 4)
    for i, picture in enumerate(some):
        turn, size, down, right = 2 * luck[i] - 1
        angle, times = np.deg2rad(90 * turn), 1.5**size
        for y in range(9):
            for x in range(6):
                v, u = y - 4 - 3 * down, x - 2.5 - 3 * right
                row = (v * np.cos(angle) + u * np.sin(angle)) / times + 4
                column = (u * np.cos(angle) - v * np.sin(angle)) / times + 2.5
                exact = between(picture, row, column)
                assert np.abs(changed[i, :, y, x] - exact).max() <= 0.51


def between(picture, row, column):
    top, left = int(np.floor(row)), int(np.floor(column))
    total = np.zeros(len(picture))
    for y in (top, top + 1):
        for x in (left, left + 1):
            if 0 <= y < picture.shape[1] and 0 <= x < picture.shape[2]:
                total += picture[:, y, x] * (1 - abs(row - y)) * (1 - abs(column - x))
    return total


def test_a_shift_moves_a_point_and_keeps_its_light():
    points = np.zeros((500, 1, 21, 21), np.uint8)
    points[:, :, 10, 10] = 200
    moved = augment.apply(points, numbers(points), 0, 0, Amounts(shift=3, turn=0, scale=0))
    light = moved[:, 0].astype(float)
    assert np.abs(light.sum(axis=(1, 2)) - 200).max() <= 2
    rows = light.sum(axis=2) @ np.arange(21) / light.sum(axis=(1, 2)) - 10
    columns = light.sum(axis=1) @ np.arange(21) / light.sum(axis=(1, 2)) - 10
    for way in (rows, columns):
        assert np.abs(way).max() <= 3.03
        assert way.min() < -2.8
        assert way.max() > 2.8
        assert abs(way.mean()) < 0.4
    assert abs(np.corrcoef(rows, columns)[0, 1]) < 0.2


def test_turn_and_scale_keep_the_middle_cell():
    points = np.zeros((50, 1, 9, 9), np.uint8)
    points[:, :, 4, 4] = 200
    changed = augment.apply(points, numbers(points), 0, 0, Amounts(shift=0, turn=180, scale=0))
    assert np.all(changed[:, 0, 4, 4] == 200)


def test_a_disc_grows_and_shrinks():
    y, x = np.mgrid[:41, :41] - 20
    disc = np.where(np.hypot(y, x) < 10, 255, 0).astype(np.uint8)
    discs = np.broadcast_to(disc, (200, 1, 41, 41))
    changed = augment.apply(discs, numbers(discs), 0, 0, Amounts(shift=0, turn=0, scale=0.2))
    radii = np.sqrt(changed.sum(axis=(1, 2, 3)) / float(disc.sum()))
    assert 1.15 < radii.max() < 1.25
    assert 1 / 1.25 < radii.min() < 1 / 1.15


def test_noise_stays_within_its_amount_and_is_of_every_cell():
    gray = np.full((40, 1, 28, 28), 128, np.uint8)
    noisy = augment.apply(gray, numbers(gray), 0, 0, Amounts(0, 0, 0, noise=0.1)).astype(int) - 128
    assert noisy.min() >= -26
    assert noisy.max() <= 26
    assert abs(noisy.mean()) < 0.3
    assert abs(noisy.std() - 25.5 / np.sqrt(3)) < 0.3
    assert np.all(noisy.reshape(40, -1).std(axis=0) > 5)


def test_noise_does_not_wrap():
    extremes = np.zeros((4, 1, 8, 8), np.uint8)
    extremes[2:] = 255
    noisy = augment.apply(extremes, numbers(extremes), 0, 0, Amounts(0, 0, 0, noise=0.2))
    assert noisy[:2].max() <= 51
    assert noisy[2:].min() >= 204


def test_changes_owe_nothing_to_how_digits_are_drawn(some):
    """Else a digit drawn with a slant would be turned in the same way every first epoch."""
    drawn = augment.chance.uniform(0, 0, numbers(some), 20)
    changed = augment.chance.uniform(0 + augment.APART, 0, numbers(some), 20)
    assert not np.isin(changed, drawn).any()


def test_no_pictures_stay_no_pictures():
    none = np.empty((0, 1, 28, 28), np.uint8)
    assert augment.apply(none, numbers(none), 0, 0, Amounts()).shape == none.shape


@pytest.mark.parametrize("wrong", [{"shift": -1}, {"turn": 181}, {"scale": 1}, {"noise": 1.5}])
def test_amounts_out_of_range_are_refused(wrong):
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        Amounts(**wrong)
    with pytest.raises(ArgumentError):
        Amounts(**{next(iter(wrong)): float("nan")})


PHOTO = np.arange(5 * 3 * 12 * 12, dtype=np.uint16).reshape(5, 3, 12, 12).astype(np.uint8)
NO_MOVES = {"shift": 0, "turn": 0, "scale": 0}


def test_a_flip_is_a_flip_every_second_time():
    many = np.repeat(PHOTO[:1], 400, axis=0)
    changed = augment.apply(many, numbers(many), 0, 0, Amounts(**NO_MOVES, flip=0.5))
    flipped = (changed == many[..., ::-1]).all(axis=(1, 2, 3))
    kept = (changed == many).all(axis=(1, 2, 3))
    assert (flipped | kept).all()
    assert 150 < flipped.sum() < 250
    assert np.array_equal(
        augment.apply(PHOTO, numbers(PHOTO), 0, 0, Amounts(**NO_MOVES, flip=1)), PHOTO[..., ::-1]
    )


def test_a_crop_shows_a_part_from_anywhere():
    ramp = np.broadcast_to(np.linspace(0, 255, 64).astype(np.uint8), (300, 1, 64, 64))
    changed = augment.apply(ramp, numbers(ramp), 0, 0, Amounts(**NO_MOVES, crop=0.5)).astype(float)
    parts = (changed[:, 0, 32, -1] - changed[:, 0, 32, 0]) / 255
    assert 0.45 < parts.min() < 0.55
    assert parts.max() > 0.95
    assert changed[:, 0, 32, 0].max() > 60  # parts of the right
    assert changed[:, 0, 32, -1].min() < 190  # and of the left


def test_colours_stay_near_and_others_stay_away():
    gray = np.full((300, 3, 4, 4), 100, np.uint8)
    changed = augment.apply(gray, numbers(gray), 0, 0, Amounts(**NO_MOVES, colour=0.2)).astype(
        float
    )
    assert 100 * 0.8 * 0.9 - 1 <= changed.min() < 80
    assert 120 < changed.max() <= 100 * 1.2 * 1.1 + 1
    assert np.ptp(changed.mean(axis=(2, 3)), axis=1).max() > 5  # a tint
    assert np.ptp(changed, axis=(2, 3)).max() == 0


def test_edges_are_repeated():
    white = np.full((50, 3, 9, 9), 255, np.uint8)
    moves = {"shift": 4, "turn": 45, "scale": 0.5}
    assert (augment.apply(white, numbers(white), 0, 0, Amounts(**moves)) == 0).any()
    kept = augment.apply(white, numbers(white), 0, 0, Amounts(**moves, repeat_edge=True))
    assert (kept == 255).all()


def test_numbers_stay_numbers_and_signals_in_their_row():
    signals = np.random.default_rng(0).normal(size=(20, 2, 1, 90)).astype(np.float32)
    amounts = augment.usual("as-is", (2, 1, 90))
    changed = augment.apply(signals, numbers(signals), 0, 0, amounts)
    assert changed.dtype == np.float32
    assert changed.min() < -1
    assert 0.8 < changed.std() / signals.std() < 1.1
    still = augment.apply(signals, numbers(signals), 0, 0, Amounts(**NO_MOVES))
    assert np.array_equal(still, signals)


def test_what_is_usual_follows_the_pictures():
    assert augment.usual("digit", (1, 28, 28)) == Amounts()
    assert augment.usual("as-is", (1, 28, 28)).flip == 0
    assert augment.usual("as-is", (3, 64, 64)).flip == 0.5
