"""Patches that hide, patches that excite: each number is computed again the plain way."""

from types import SimpleNamespace

import numpy as np
import pytest

from stepconv import look_inside
from stepconv.inside import Inside
from stepconv.nn.loss import softmax
from tests.inside.looks import looked


@pytest.fixture(scope="module")
def inside() -> Inside:
    return looked("lenet5", label=3)


def again(inside: Inside, picture: object, label: int | None = None) -> Inside:
    network = inside.network
    return look_inside(inside.model, picture, label, parameters=network.parameters)


def test_occlusion_is_the_fall_of_the_probability(inside: Inside) -> None:
    falls = inside.occlude(6, 5)
    assert falls.shape == (5, 5)
    for i, j in [(0, 0), (2, 3), (4, 4)]:
        hidden = inside.input.copy()
        hidden[:, 5 * i : 5 * i + 6, 5 * j : 5 * j + 6] = 0
        expected = inside.probabilities[3] - again(inside, hidden).probabilities[3]
        assert falls[i, j] == pytest.approx(expected, abs=1e-5)
    unsure = again(inside, inside.input)
    told = unsure.prediction
    hidden = inside.input.copy()
    hidden[:, :28, :28] = 0.5
    expected = unsure.probabilities[told] - softmax(again(inside, hidden).logits[None])[0, told]
    assert unsure.occlude(28, value=0.5)[0, 0] == pytest.approx(expected, abs=1e-5)


def test_most_finds_the_pictures_that_excite(inside: Inside) -> None:
    pictures = np.random.default_rng(7).integers(0, 256, (150, 1, 28, 28), np.uint8)
    labels = np.arange(150) % 10
    found = inside.most("conv2", 5, SimpleNamespace(pictures=pictures, labels=labels), n=4)
    maps = np.stack([again(inside, one)["conv2"].output[5] for one in pictures])
    order = np.argsort(-maps.max(axis=(1, 2)))[:4]
    assert [one.number for one in found] == order.tolist()
    for one in found:
        channel, *place = one.index
        assert channel == 5
        assert one.activation == pytest.approx(maps[one.number].max(), rel=1e-5)
        assert maps[one.number][tuple(place)] == maps[one.number].max()
        assert one.label == labels[one.number]
        assert one.bounds == inside.field("conv2", one.index).bounds
        assert one.patch.shape == (1, 14, 14)
        (top, bottom), (left, right) = one.bounds
        whole = np.pad(pictures[one.number], ((0, 0), (2, 2), (2, 2)))
        assert np.array_equal(one.patch, whole[:, top + 2 : bottom + 2, left + 2 : right + 2])


def test_numbers_of_a_row_are_excited_by_whole_pictures(inside: Inside) -> None:
    pictures = np.random.default_rng(8).random((3, 28, 28))
    [best] = inside.most("dense3", 9, pictures, n=1)
    answers = [again(inside, one).logits[9] for one in pictures]
    assert (best.number, best.index, best.label) == (int(np.argmax(answers)), (9,), None)
    assert len(inside.most("dense3", 9, pictures, n=7)) == 3
