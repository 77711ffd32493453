"""Numbers as panels write them: one width, few decimals, nothing lost unsaid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from stepconv.player.frame.formats import Format, format_of, products_format

floats = arrays(np.float64, st.integers(1, 12), elements=st.floats(allow_nan=True))


@given(floats)
def test_all_numbers_have_one_width_and_zero_no_sign(values: np.ndarray) -> None:
    format = format_of(values)
    texts = [format.right(value) for value in values]
    if format.decimals >= 0:
        assert {len(text) for text in texts} == {format.width}
    assert not any("-" in text and not text.strip("-0. ") for text in texts)


@given(arrays(np.int64, st.integers(1, 12)))
def test_integers_are_never_rounded(values: np.ndarray) -> None:
    format = format_of(values)
    assert not format.rounded
    assert [int(format.text(value)) for value in values] == values.tolist()


@given(arrays(np.float64, st.integers(1, 12), elements=st.floats(-1e5, 1e5)))
def test_what_is_not_rounded_reads_back(values: np.ndarray) -> None:
    format = format_of(values)
    if not format.rounded:
        read = [float(format.text(value)) for value in values]
        np.testing.assert_allclose(read, values, atol=1e-11 * max(np.abs(values).max(), 1))


@given(
    arrays(np.int64, 6, elements=st.integers(-99, 99)),
    arrays(np.int64, 4, elements=st.integers(-99, 99)),
)
def test_every_product_fits_into_its_panel(cells: np.ndarray, weights: np.ndarray) -> None:
    ends = (cells.min(), cells.max()), (weights.min(), weights.max())
    format = products_format(format_of(cells), format_of(weights), *ends)
    for product in np.multiply.outer(cells, weights).reshape(-1):
        assert len(format.right(product)) == format.width
        assert int(format.text(product)) == product


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        ([0.1 + 0.2, 0.5], ["0.3", "0.5"]),
        (np.array([0.1, 0.7], np.float32), ["0.1", "0.7"]),
        ([1 / 3, 2], ["0.333", "2.000"]),
        ([-0.0, 4.0], ["0", "4"]),
        ([-1e-9, 1.0], ["0.000", "1.000"]),
        ([1234567.5, 0], ["1.2e6", "0"]),
        ([np.nan, np.inf, -np.inf, 2.5], ["nan", "inf", "-inf", "2.5"]),
        ([True, False], ["1", "0"]),
        ([2**62], [str(2**62)]),
    ],
)
def test_by_example(values: object, texts: list[str]) -> None:
    format = format_of(values)
    assert [format.text(value) for value in np.asarray(values)] == texts


def test_products_of_rounded_numbers_are_rounded() -> None:
    rounded = format_of([1 / 3])
    assert products_format(rounded, Format(), (0, 1 / 3), (0, 6)).rounded
    assert not products_format(Format(1, 3), Format(2, 4), (0, 9.5), (0, 0.25)).rounded


def test_products_larger_than_64_bits_do_not_run_over() -> None:
    large = np.int64(2**40), np.int64(2**40)
    assert products_format(Format(), Format(), large, large).width == len(str(2**80))
