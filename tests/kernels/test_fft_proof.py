"""The proof that a transform keeps the bound of a sum: it is right, and it is needed."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepconv.geometry import Slide
from stepconv.kernels.compile import thread_count, use_threads
from stepconv.kernels.cpu.conv import choose, fourier, fourier_proof
from stepconv.kernels.cpu.conv.fourier_proof import Proof, _rectangles
from tests.kernels.filters import Filtering, assert_within_bound, random_filtering


def proven(call):
    out = call.empty()
    fourier.proven_planes(call.x, call.w, call.bias, out, call.slide)
    return out


def spotted(seed, shape, kernel):
    """Return a call whose picture is a bright spot on a ground of 10^-20, and black elsewhere."""
    call = random_filtering(seed, shape, kernel, before=(kernel[0] - 1, kernel[1] - 1))
    call.x[...] *= 1e-20
    call.bias[...] = 0
    call.x[..., shape[2] // 3 :, :] = 0
    call.x[..., 5, 7] = 1e6
    return call


CALLS = [
    random_filtering(1, (1, 1, 60, 70), (9, 8)),
    random_filtering(2, (2, 2, 50, 40), (17, 20), before=(16, 19), after=(16, 19)),
    random_filtering(3, (1, 1, 1, 900), (1, 60), before=(0, 59)),
    random_filtering(4, (1, 1, 400, 30), (33, 5), before=(3, 0), after=(20, 4)),
    spotted(5, (1, 1, 60, 50), (12, 12)),
    spotted(6, (1, 2, 90, 40), (24, 9)),
]


@pytest.mark.parametrize("call", CALLS)
def test_the_bound_is_kept(call):
    assert_within_bound(proven(call), call)


def test_without_the_proof_it_is_not(monkeypatch):
    monkeypatch.setattr(Proof, "missing", lambda *_: [])
    call = spotted(5, (1, 1, 60, 50), (12, 12))
    with pytest.raises(AssertionError):
        assert_within_bound(proven(call), call)


@pytest.mark.slow
def test_parts_are_left_out_and_summed(monkeypatch):
    """Windows at the corners of a full correlation see hardly anything: those alone are summed."""
    summed = []
    planes = fourier.filter_planes
    monkeypatch.setattr(
        fourier,
        "filter_planes",
        lambda x, w, bias, out, *n: summed.append(out.size) or planes(x, w, bias, out, *n),
    )
    call = random_filtering(7, (1, 1, 120, 130), (20, 20), before=(19, 19), after=(19, 19))
    out = proven(call)
    assert_within_bound(out, call)
    assert 0 < sum(summed) < out.size / 2


@given(
    st.tuples(st.integers(1, 20), st.integers(1, 20)),
    st.tuples(st.integers(0, 60), st.integers(0, 60)),
    st.integers(0, 9),
)
def test_no_window_is_below_what_it_is_said_to_reach(kernel, more, seed):
    shape = (kernel[0] + more[0], kernel[1] + more[1])
    rng = np.random.default_rng(seed)
    w = rng.standard_normal((1, 1, *kernel)).astype(np.float32)
    grid = more[0] // 2 + 1, more[1] // 2 + 1
    piece = rng.standard_normal(shape) * (rng.random(shape) < 0.7)
    proof = Proof(w, np.float32)
    at_least, norm = proof.measure(piece, 0, grid)
    assert norm >= np.linalg.norm(piece) * (1 - 1e-12)
    sizes = Filtering(np.abs(piece)[None, None], np.abs(w).astype(float), np.zeros(1)).exactly()[1]
    tiles = np.repeat(np.repeat(at_least, proof._tile[0], 0), proof._tile[1], 1)
    assert (tiles[: grid[0], : grid[1]] <= sizes[0, 0, : grid[0], : grid[1]] * (1 + 1e-12)).all()


@given(st.integers(1, 6), st.integers(1, 6), st.integers(0, 2**36 - 1))
def test_rectangles_cover_what_is_marked(rows, columns, bits):
    marked = np.array([bits >> k & 1 for k in range(rows * columns)], bool).reshape(rows, columns)
    shape = rows * 3 - 1, columns * 2
    covered = np.zeros(shape, int)
    for part in _rectangles(marked, (3, 2), shape):
        covered[part] += 1
    expected = np.repeat(np.repeat(marked, 3, 0), 2, 1)[: shape[0]]
    np.testing.assert_array_equal(covered, expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_inf_stay_where_they_belong(bad):
    call = random_filtering(8, (1, 1, 40, 50), (9, 9), before=(4, 4), after=(4, 4))
    call.x[0, 0, 20, 7] = bad
    np.testing.assert_allclose(proven(call), call.textbook(), rtol=1e-4, atol=1e-5)


def test_a_kernel_with_holes_is_summed():
    """Where nothing is known of Σ|x·w|, nothing is proven."""
    call = random_filtering(9, (1, 1, 40, 50), (16, 16))
    call.w[..., ::2] = 0
    assert Proof(call.w, np.float32).missing(call.x[0, 0].astype(float), 0, (25, 35)) is None
    assert_within_bound(proven(call), call)


def test_black_pictures_stay_black():
    call = random_filtering(10, (1, 1, 40, 50), (16, 16))
    call.x[...] = 0
    np.testing.assert_array_equal(proven(call), np.broadcast_to(call.bias[0], call.empty().shape))


def test_the_same_bits_on_any_number_of_threads():
    call = random_filtering(12, (2, 2, 600, 330), (20, 20), before=(19, 0))
    before, found = thread_count(), set()
    try:
        for threads in (1, before):
            use_threads(threads)
            found.add(proven(call).tobytes())
    finally:
        use_threads(before)
    assert len(found) == 1


@pytest.mark.slow
def test_auto_takes_it_for_large_kernels_and_keeps_the_bound(monkeypatch):
    taken = []
    planes = fourier.proven_planes
    monkeypatch.setattr(
        fourier, "proven_planes", lambda *a: taken.append(a[1].shape[2:]) or planes(*a)
    )
    for kernel in ((3, 3), (45, 47)):
        call = random_filtering(11, (1, 1, 300, 310), kernel, before=(1, 2), after=(2, 1))
        out = call.empty()
        choose.correlate(call.x, call.w, call.bias, out, call.slide, 1)
        assert_within_bound(out, call)
    assert taken == [(45, 47)]
    assert fourier_proof.Proof(call.w, np.float32).missing(np.ones((100, 100)), 0, (50, 50)) == []


def test_float64_and_steps_are_summed():
    w, out = np.ones((1, 1, 99, 99)), np.ones((1, 1, 2000, 2000), np.float32)
    assert fourier.cost(w, out, Slide(1, 1, 1, 1, 0, 0)) < out[0, 0].size * w[0].size
    assert fourier.cost(w, out.astype(float), Slide(1, 1, 1, 1, 0, 0)) == np.inf
    assert fourier.cost(w, out, Slide(2, 1, 1, 1, 0, 0)) == np.inf
    assert fourier.cost(w, out, Slide(1, 1, 1, 2, 0, 0)) == np.inf
