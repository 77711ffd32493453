"""What `explain` says ran is what ran, on every backend, for the reason that the numbers give."""

import threading

import numpy as np
import pytest

import stepconv
from stepconv.kernels.cpu.conv import (
    choose,
    few_filters,
    few_filters_weights,
    filter_weights,
    fourier,
    loops,
    many_filters,
    many_filters_weights,
    winograd,
)
from stepconv.kernels.cpu.pool import choose as pools
from stepconv.kernels.cpu.pool import loops as pool_loops

draw = np.random.default_rng(5)
RANK_ONE = np.outer([1, 2, 3, 4, 3, 2, 1], [1, 1, 2, 2, 2, 1, 1]).astype(np.float32)

# Where each kernel that `explain` can name begins.
ENTRIES = {
    "loops": [(loops, "correlate"), (loops, "correlate_grad_x"), (loops, "correlate_grad_w")],
    "filter": [(choose, "filter_planes")],
    "separable": [(choose, "separable_planes")],
    "fourier": [(fourier, "fft_planes")],
    "proven fourier": [(fourier, "proven_planes")],
    "winograd": [(winograd, "apply_pass")],
    "few_filters": [(few_filters, "apply_pass")],
    "many_filters": [(many_filters, "apply_passes")],
    "filter_weights": [(filter_weights, "weigh")],
    "few_filters_weights": [(few_filters_weights, "weigh")],
    "many_filters_weights": [(many_filters_weights, "weigh")],
}


def numbers(*shape):
    return draw.integers(-3, 4, shape).astype(np.float32)


# Shape of x, weights, options.
CALLS = [
    ((8, 8), numbers(3, 3), {}),
    ((200, 300), numbers(3, 3), {}),
    ((480, 640), RANK_ONE, {}),
    ((480, 640), RANK_ONE, {"algorithm": "direct"}),
    ((300, 400), numbers(5, 5), {"algorithm": "fft"}),
    ((300, 400), numbers(5, 5), {"algorithm": "winograd"}),
    ((1200, 1200), numbers(65, 65), {}),
    ((4, 3, 60, 60), numbers(3, 3, 3, 3), {}),
    ((4, 16, 20, 20), numbers(64, 16, 3, 3), {"padding": 1}),
    ((4, 16, 20, 20), numbers(64, 16, 3, 3), {"algorithm": "winograd"}),
    ((4, 16, 20, 20), numbers(64, 16, 3, 3), {"stride": 2}),
    ((2, 8, 60, 60), numbers(8, 1, 3, 3), {"groups": 8, "padding": "same"}),
    ((2, 8, 60, 60), numbers(8, 1, 3, 3), {"groups": 8, "stride": 2}),
]


@pytest.fixture
def ran(monkeypatch):
    """The names of the kernels that are entered, in order."""
    names = []

    def watched(name, kernel):
        class Watched:
            def __call__(self, *args):
                names.append(name)
                return kernel(*args)

            def __getattr__(self, attribute):
                if attribute == "for_work":
                    return lambda steps: watched(name, kernel.for_work(steps))
                return getattr(kernel, attribute)

        return Watched()

    for name, places in ENTRIES.items():
        for module, function in places:
            monkeypatch.setattr(module, function, watched(name, getattr(module, function)))
    return names


@pytest.mark.parametrize(("x", "w", "options"), CALLS)
def test_the_kernel_that_is_named_is_the_one_that_runs(ran, x, w, options):
    x = numbers(*x)
    with stepconv.explain() as e:
        out = stepconv.correlate(x, w, **options)
        stepconv.correlate_backward(x, w, np.ones_like(out), **options)
    told = [call.algorithm for call in e.calls if call.operation != "channel_sums"]
    assert told == list(dict.fromkeys(ran)) or told == ran


def test_what_a_call_is_told_to_be():
    x, w = numbers(60, 80), numbers(9, 9)
    with stepconv.explain() as e:
        out = stepconv.correlate(x, w)
    (call,) = e.calls
    assert (call.operation, call.backend) == ("correlate", "cpu")
    assert call.products == out.size * 81
    assert call.bytes_moved == x.nbytes + w.nbytes + out.nbytes + 4  # and a bias of 0
    assert 0 < call.seconds <= e.seconds
    assert call.reason.startswith("81 products a cell; separable: it must spare more than")
    assert "correlate on cpu by filter" in str(e)


def test_threads_are_those_that_the_call_ran_on():
    from stepconv.kernels.compile import thread_count

    x = numbers(300, 300)
    with stepconv.explain() as e:
        stepconv.correlate(x, numbers(3, 3))
        stepconv.correlate(x[:5, :5], numbers(3, 3))
    assert [call.threads for call in e.calls] == [thread_count(), 1]


def test_an_algorithm_that_does_not_serve_is_said_not_to():
    with stepconv.explain() as e:
        stepconv.correlate(numbers(300, 300), numbers(5, 5), algorithm="winograd")
    assert e.calls[0].algorithm == "filter"
    assert e.calls[0].reason.startswith("winograd serves layers of 3x3 windows")


@pytest.mark.parametrize(("window", "kernel"), [(2, "vectors"), (4, "loops")])
def test_pools(monkeypatch, window, kernel):
    entered = []
    for name, where in (("vectors", pools), ("loops", pool_loops)):
        function = "forward" if name == "vectors" else "max_pool"
        real = getattr(where, function)

        def watched(*args, real=real, name=name):
            entered.append(name)
            return real(*args)

        monkeypatch.setattr(where, function, watched)
    with stepconv.explain() as e:
        stepconv.max_pool(numbers(16, 16), window)
    assert [call.algorithm for call in e.calls] == entered == [kernel]


def test_the_textbook_explains_itself_and_so_does_a_border():
    with stepconv.explain() as e, stepconv.use_backend("textbook"):
        stepconv.correlate([[1, 2], [3, 4]], [[1, 2]], padding="same", mode="reflect")
    assert [call.operation for call in e.calls] == ["pad", "correlate"]
    assert {call.backend for call in e.calls} == {"textbook"}


def test_outside_the_block_and_in_other_threads_nothing_is_noted():
    with stepconv.explain() as e:
        other = threading.Thread(target=stepconv.relu, args=([1.0],))
        other.start()
        other.join()
    stepconv.relu([1.0])
    assert e.calls == []


def test_results_are_the_same_bits_while_somebody_watches():
    x, w = numbers(2, 3, 30, 30), numbers(4, 3, 3, 3)
    plain = stepconv.correlate(x, w, padding="same")
    with stepconv.explain():
        watched = stepconv.correlate(x, w, padding="same")
    assert plain.tobytes() == watched.tobytes()
