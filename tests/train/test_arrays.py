"""Arrays of any numbers become pictures, and labels of any kind classes, with nothing lost."""

import numpy as np
import pytest

from stepconv.errors import ArgumentError, DataError
from stepconv.train import data
from stepconv.train.data import arrays
from stepconv.train.feed import Feed

RANDOM = np.random.default_rng(3)


def saved(tmp_path, x, y, **more):
    path = tmp_path / "a.npz"
    np.savez(path, x=x, y=y, **more)
    return str(path)


@pytest.mark.parametrize(
    ("shape", "given", "found"),
    [
        ((9, 187), None, (9, 1, 1, 187)),
        ((9, 12, 50), None, (9, 1, 12, 50)),
        ((9, 12, 50), (12, 1, 50), (9, 12, 1, 50)),
        ((9, 3, 8, 7), None, (9, 3, 8, 7)),
        ((9, 8, 7, 3), None, (9, 3, 8, 7)),
        ((9, 5, 8, 7), None, (9, 5, 8, 7)),
        ((9, 8, 7, 5), None, (9, 5, 8, 7)),
    ],
)
def test_axes_find_their_places(shape, given, found):
    assert arrays.planes(RANDOM.normal(size=shape), "x", given).shape == found


@pytest.mark.parametrize(
    "numbers",
    [
        RANDOM.normal(size=(6, 1, 20)),
        RANDOM.random((6, 1, 20)),
        RANDOM.integers(0, 65536, (6, 1, 20)).astype(np.uint16),
        RANDOM.integers(-99, 99, (6, 1, 20)),
    ],
    ids=["normal", "0 to 1", "16 bits", "negative"],
)
def test_numbers_that_are_no_bytes_stay_numbers(numbers):
    found = arrays.planes(numbers, "x")
    assert found.dtype == np.float32
    assert np.array_equal(found[:, 0], numbers.astype(np.float32))


@pytest.mark.parametrize("divisor", [1, 255], ids=["0 to 255", "0 to 1"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_that_are_bytes_at_heart_become_bytes(divisor, dtype):
    levels = RANDOM.integers(0, 256, (6, 4, 4))
    found = arrays.planes((levels / divisor).astype(dtype), "x")
    assert found.dtype == np.uint8
    assert np.array_equal(found[:, 0], levels)


def test_labels_from_1_are_said(tmp_path):
    found = data.load(saved(tmp_path, RANDOM.random((12, 5, 5)), np.arange(12) % 3 + 1))
    assert found.classes == ("1", "2", "3")
    assert set(found.train.labels) == {0, 1, 2}
    assert "labels run from 1 to 3" in found.notes


def test_a_stray_label_is_said(tmp_path):
    labels = np.arange(30) % 3
    labels[7] = 99
    found = data.load(saved(tmp_path, RANDOM.random((30, 5, 5)), labels))
    assert found.classes == ("0", "1", "2", "99")
    assert any("99 (1): is one a slip?" in note for note in found.notes)


def test_labels_may_be_names(tmp_path):
    names = np.array(["owl", "cat", "dog", "cat"] * 6)
    found = data.load(saved(tmp_path, np.arange(24)[:, None, None] * np.ones((24, 5, 5)), names))
    assert found.classes == ("cat", "dog", "owl")
    for part in (found.train, found.test):
        for picture, label in zip(part.pictures, part.labels, strict=True):
            assert found.classes[label] == names[picture[0, 0, 0]]


def test_names_may_lie_beside(tmp_path):
    path = saved(tmp_path, RANDOM.random((12, 5, 5)), np.arange(12) % 2, classes=["yes", "no"])
    assert data.load(path).classes == ("yes", "no")
    path = saved(tmp_path, RANDOM.random((12, 5, 5)), np.arange(12) % 3, classes=["yes", "no"])
    with pytest.raises(DataError, match="label 2, but 2 names"):
        data.load(path)


def test_labels_that_cannot_be():
    with pytest.raises(DataError, match="1,001 classes"):
        arrays.classes([np.array([f"{i}" for i in range(1001)])], "x")
    with pytest.raises(DataError, match="one integer for each picture"):
        arrays.classes([np.array([0.5, 1.0])], "x")


def test_a_network_is_shown_labels_as_it_knows_them(tmp_path):
    names = np.array(["owl", "cat"] * 6)
    found = data.load(saved(tmp_path, RANDOM.random((12, 5, 5)), names))
    told = data.renumbered(found, ("ant", "owl", "cat"), 3)
    for labels, known in ((found.test.labels, found.classes), (told.test.labels, told.classes)):
        assert {known[label] for label in labels} <= {"owl", "cat"}
    assert [told.classes[i] for i in told.test.labels] == [
        found.classes[i] for i in found.test.labels
    ]
    with pytest.raises(DataError, match="class 'cat', which the network does not know: ant, owl"):
        data.renumbered(found, ("ant", "owl"), 2)


def test_parts_are_numbers_if_one_of_them_is(tmp_path):
    """A test part that happens to be whole is not brought to bytes while the other is not."""
    x = RANDOM.random((12, 5, 5))
    y = np.arange(12) % 2
    path = tmp_path / "a.npz"
    np.savez(path, x_train=x, y_train=y, x_test=np.rint(x), y_test=y)
    found = data.load(str(path))
    assert found.train.pictures.dtype == found.test.pictures.dtype == np.float32
    assert np.array_equal(found.test.pictures[:, 0], np.rint(x))


def test_bytes_are_not_fed_where_numbers_were_learnt(tmp_path):
    found = data.load(saved(tmp_path, RANDOM.normal(size=(12, 5, 5)), np.arange(12) % 2))
    feed = Feed.of(found)
    fed = feed.data(found).train.pictures
    assert abs(fed.mean()) < 0.01
    assert abs(fed.std() - 1) < 0.01
    with pytest.raises(ArgumentError, match="learnt from numbers, bytes do not fit"):
        feed.numbers(np.zeros((1, 1, 5, 5), np.uint8))
    with pytest.raises(ArgumentError, match="learnt from bytes, numbers do not fit"):
        Feed().numbers(np.zeros((1, 1, 5, 5), np.float32))


def test_a_file_of_another_kind_is_no_data(tmp_path):
    path = tmp_path / "five.png"
    path.write_bytes(b"a picture")
    with pytest.raises(DataError, match=r"five.png is no data set: a folder of pictures, an .npz"):
        data.load(str(path))
