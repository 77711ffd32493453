"""Made digits: many of each, always the same ones, and every class can be told."""

import hashlib

import numpy as np
import pytest

from stepconv.train.data import digits


@pytest.fixture(scope="module")
def some():
    return digits.make(1500)


def test_shapes_types_and_classes(some):
    assert some.pictures.shape == (1500, 1, 28, 28)
    assert (some.pictures.dtype, some.labels.dtype) == (np.uint8, np.int64)
    counts = np.bincount(some.labels, minlength=10)
    assert counts.shape == (10,)
    assert counts.min() > 100


def test_a_seed_gives_the_same_bytes_and_another_one_others():
    first, again, other = digits.make(70), digits.make(70), digits.make(70, seed=1)
    assert first.pictures.tobytes() == again.pictures.tobytes()
    assert first.labels.tobytes() == again.labels.tobytes()
    assert first.pictures.tobytes() != other.pictures.tobytes()


@pytest.mark.parametrize(("first", "count"), [(0, 1), (63, 2), (100, 129), (1499, 1)])
def test_a_picture_does_not_depend_on_how_many_are_made(some, first, count):
    part = digits.make(count, first=first)
    assert np.array_equal(part.pictures, some.pictures[first : first + count])
    assert np.array_equal(part.labels, some.labels[first : first + count])


def test_the_fingerprint_stands_for_these_pictures(some):
    """When this fails the pictures have changed: count up digits.FINGERPRINT, then the hash."""
    digest = hashlib.sha256(some.pictures.tobytes() + some.labels.tobytes()).hexdigest()
    assert (digits.FINGERPRINT, digest[:16]) == ("digits 1", "56b7c20b6ea2445a")


def test_no_two_are_alike(some):
    assert len({picture.tobytes() for picture in some.pictures}) == len(some)


def test_digits_are_drawn_as_in_mnist(some):
    """White ink on black paper; few come near the edge, and the mass lies in the middle."""
    ink = some.pictures[:, 0].astype(float)
    assert ink.max(axis=(1, 2)).min() > 200
    edge = ink.copy()
    edge[:, 2:-2, 2:-2] = 0
    assert edge.any(axis=(1, 2)).mean() < 0.13  # that is MNIST's share
    rows = (ink.sum(axis=2) @ np.arange(28)) / ink.sum(axis=(1, 2))
    columns = (ink.sum(axis=1) @ np.arange(28)) / ink.sum(axis=(1, 2))
    assert np.abs(np.stack([rows, columns]) - 13.5).max() < 2
    assert 0.08 < ink.mean() / 255 < 0.25  # MNIST has 0.13


def test_every_class_can_be_read(some):
    """Whoever takes the nearest mean picture is right far more often than one time in ten."""
    flat = some.pictures.reshape(1500, -1).astype(float)
    means = np.stack([flat[:1000][some.labels[:1000] == digit].mean(axis=0) for digit in range(10)])
    distances = ((flat[1000:, np.newaxis] - means) ** 2).sum(axis=2)
    right = distances.argmin(axis=1) == some.labels[1000:]
    for digit in range(10):
        assert right[some.labels[1000:] == digit].mean() > 0.3, digit
    assert right.mean() > 0.55


def test_none_are_made_where_none_are_asked_for():
    assert digits.make(0).pictures.shape == (0, 1, 28, 28)
