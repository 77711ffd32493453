"""Every algorithm computes what the textbook does, within its bound, and counts what it did."""

import numpy as np
import pytest

import stepconv
from stepconv.algorithms import WAYS, Machine, every_run, runs
from stepconv.algorithms.fourier import transform
from stepconv.algorithms.ledger import Ledger
from stepconv.algorithms.winograd import transforms
from stepconv.errors import ArgumentError
from stepconv.kernels import winograd as engine

CALLS = {
    "plain": {"padding": 1},
    "reflected": {"padding": 2, "mode": "reflect"},
    "same": {"padding": "same", "mode": "circular"},
    "valid": {},
}


def random_call(dtype: str, **options):
    """Return a layer of three channels whose kernels are columns times rows."""
    rng = np.random.default_rng(7)
    x = (rng.random((2, 3, 11, 9)) * 20 - 10).astype(dtype)
    w = np.einsum("oc,a,b->ocab", rng.integers(1, 9, (2, 3)), [1, 2, 1], [1, 0, -3]).astype(dtype)
    bias = np.array([1, -2], dtype)
    return stepconv.record(stepconv.correlate, x, w, bias, backend="textbook", **options)


def tile_of(trace, run):
    """Return the cells of the recorded output that a run computed."""
    (plane, i, j), (high, wide) = run.task.first, run.task.size
    planes = trace.output.reshape(trace.gather.shape)
    return planes[plane, i : i + high, j : j + wide]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("dtype", ["int64", "float32", "float64"])
def test_all_compute_the_textbooks_cells(dtype, name):
    trace = random_call(dtype, **CALLS[name])
    found = every_run(trace, (3, 4, 2))
    assert len(found) == len(WAYS) + 2
    for run in found:
        ref, comp = tile_of(trace, run), run.result
        assert run.task.first[0] == 3
        assert run.error <= run.bound
        np.testing.assert_allclose(comp, ref, rtol=0, atol=run.bound + 1e-4)


@pytest.mark.parametrize("options", [{"stride": 2}, {"dilation": 2}, {"stride": (3, 1)}])
def test_windows_with_gaps(options):
    trace = random_call("int64", **options)
    found = every_run(trace, (1, 1, 1))
    assert [run.algorithm.title for run in found] == ["direct", "im2col", "separable", "tiles"]
    for run in found:
        np.testing.assert_array_equal(run.result, tile_of(trace, run))


def test_a_convolution_mirrors_its_kernel():
    trace = stepconv.record(stepconv.convolve, np.arange(36).reshape(6, 6), [[1, 2], [3, 5]])
    for run in every_run(trace):
        np.testing.assert_allclose(run.result, tile_of(trace, run), atol=1e-9)


def test_a_signal():
    trace = stepconv.record(stepconv.correlate, [1, 2, 3, 4, 5, 6.5], [1, 0, -1])
    found = {run.algorithm.title: run for run in every_run(trace)}
    assert set(found) == {"direct", "im2col", "fft", "tiles", "tiles of a GPU"}
    np.testing.assert_allclose(found["fft"].result, [[-2, -2, -2, -2.5]])


def test_a_wrong_cell_would_be_seen():
    trace = random_call("float32")
    (run,) = runs(trace, "im2col")
    run.result[1, 1] += 0.01
    assert np.abs(run.result - run.task.exact).max() > run.bound


def test_four_by_four_matrices_are_the_engines():
    t = transforms(4)
    for ours, theirs in (
        (t.input, engine.INPUT),
        (t.kernel, engine.KERNEL),
        (t.output, engine.OUTPUT),
    ):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("n", [1, 2, 8, 32])
def test_the_transform_is_numpys(n):
    values = np.random.default_rng(n).random(n) + 1j
    np.testing.assert_allclose(transform(values, Ledger(Machine())), np.fft.fft(values), atol=1e-12)


def test_products_as_counted_by_hand():
    trace = stepconv.record(stepconv.correlate, np.ones((6, 6)), np.ones((3, 3)))
    counts = {run.algorithm.title: run.counts for run in every_run(trace)}
    # 16 cells of 9 products; (4 rows x 6 columns + 16 cells) x 3; 36 U·V.
    assert counts["direct"].multiplications == counts["im2col"].multiplications == 16 * 9
    assert counts["separable"].multiplications == (24 + 16) * 3
    assert counts["direct"].bytes_read == 16 * 18 * 8
    assert counts["direct"].bytes_written == 16 * 8
    # The matrix is written once and read once.
    assert counts["im2col"].bytes_written == (16 * 9 + 16) * 8
    assert counts["tiles"].bytes_written == 16 * 8


def test_reuse_is_what_hits_follow_from():
    ledger = Ledger(Machine(cache_bytes=128, line_bytes=64))
    cells = ledger.array(np.zeros(32))
    for index in (0, 1, 8, 0, 16, 24, 0):
        cells[index]
    counts = ledger.counts
    # Lines 0 0 1 0 2 3 0: again after 0, 1 and 2 others, of which two lines hold the first two.
    assert (counts.cache_hits, counts.cache_misses, counts.reuse_distance) == (2, 5, 1.0)


def test_wrap_around_is_shown_and_cured():
    trace = random_call("float64", padding=1)
    (run,) = runs(trace, "fft", (0, 3, 3))
    wrapped, exact = run.steps[0].panels
    wrong = {tuple(cell) for cell in np.argwhere(~np.isclose(wrapped.cells, exact.cells)).tolist()}
    assert (
        wrong
        == set(wrapped.special)
        == {(i, j) for i in range(6) for j in range(6) if max(i, j) > 3}
    )
    np.testing.assert_allclose(run.result, exact.cells)


@pytest.mark.parametrize(
    ("way", "x", "w", "told"),
    [
        ("winograd", (6, 6), (5, 5), "kernel 5x5: 3x3 fits; here direct, im2col"),
        ("separable", (6, 6), "eye", "no column times a row"),
        ("separable", (6,), (3,), "one row or column already"),
        ("magic", (6, 6), (3, 3), "'magic' is not known"),
    ],
)
def test_what_does_not_suit_is_refused(way, x, w, told):
    kernel = np.eye(3) if w == "eye" else np.ones(w)
    trace = stepconv.record(stepconv.correlate, np.ones(x), kernel)
    with pytest.raises(ArgumentError, match=told):
        runs(trace, way)


def test_a_pool_is_refused():
    trace = stepconv.record(stepconv.max_pool, np.ones((4, 4)), 2)
    with pytest.raises(ArgumentError, match="max pooling, which slides no kernel"):
        runs(trace, "fft")


def test_a_nan_is_summed_but_not_transformed():
    trace = stepconv.record(stepconv.correlate, np.full((6, 6), np.nan), np.ones((3, 3)))
    for way in ("winograd", "fft"):
        with pytest.raises(ArgumentError, match="finite numbers fit"):
            runs(trace, way)
    assert np.isnan(runs(trace, "tiles")[0].result).all()
