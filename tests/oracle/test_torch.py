"""Random calls beside PyTorch, forward and backward, with every option that both know.

PyTorch is no part of the dev extra; where it is not installed these tests are left out.
`pytest -m slow tests/oracle` makes it ten thousand calls.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

import stepconv

torch = pytest.importorskip("torch", reason="the judge of these tests, PyTorch, is not installed")

from tests.oracle import torch_twin  # noqa: E402

Array = NDArray[Any]
Pairs = list[tuple[int, int]]

MODES = ("zeros", "reflect", "replicate", "circular")

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel"),
]


def numbers(rng: Generator, dtype: str, shape: tuple[int, ...]) -> Array:
    """Return numbers of one scale, of many, or small whole ones with ties."""
    kind = rng.integers(3)
    if kind == 0:
        return rng.integers(-3, 4, shape).astype(dtype)
    scale = 10.0 ** rng.uniform(-4, 4, shape if kind == 1 else ())
    return (scale * rng.standard_normal(shape)).astype(dtype)


def some(rng: Generator, axes: int, low: int, high: int) -> tuple[int, ...]:
    """Return one integer from low to high for each axis."""
    return tuple(rng.integers(low, high + 1, axes).tolist())


def leading(rng: Generator, channels: int) -> tuple[int, ...]:
    """Return (N, C), or (C,) of a single picture; a batch may be empty."""
    return (channels,) if rng.integers(4) == 0 else (int(rng.choice([0, 1, 1, 2, 3])), channels)


def spans(window: tuple[int, ...], dilation: tuple[int, ...]) -> list[int]:
    return [gap * (size - 1) + 1 for size, gap in zip(window, dilation, strict=True)]


def borders(rng: Generator, sizes: tuple[int, ...], mode: str) -> Pairs:
    """Return (before, after) per axis, as wide as the mode allows."""
    widest = {"reflect": -1, "circular": 0}
    limits = [min(3, size + widest.get(mode, 3)) for size in sizes]
    return [(int(a), int(b)) for a, b in (rng.integers(0, limit + 1, 2) for limit in limits)]


def random_convolution(rng: Generator, axes: int, dtype: str) -> torch_twin.Twin:
    groups, reads, makes = some(rng, 3, 1, 3)
    window, stride, dilation = (some(rng, axes, 1, high) for high in (4, 3, 3))
    mode = str(rng.choice(MODES))
    sizes = some(rng, axes, 1, 8)
    padding: Any = borders(rng, sizes, mode)
    if rng.integers(4) == 0:
        padding, mode = str(rng.choice(["same", "valid"])), "zeros"
    if padding == "same":  # PyTorch knows it without a stride alone
        stride = (1,) * axes
    elif padding == "valid":
        sizes = tuple(n + span for n, span in zip(sizes, spans(window, dilation), strict=True))
    else:
        every = zip(sizes, padding, spans(window, dilation), strict=True)
        sizes = tuple(max(n, span - before - after) for n, (before, after), span in every)
    options = {
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        "groups": groups,
        "mode": mode,
    }
    x = numbers(rng, dtype, (*leading(rng, groups * reads), *sizes))
    w = numbers(rng, dtype, (groups * makes, reads, *window))
    arrays = [x, w, numbers(rng, dtype, (groups * makes,))][: int(rng.integers(2, 4))]
    return torch_twin.convolution(arrays, options, true_convolution=bool(rng.integers(2)))


def random_transposed(rng: Generator, axes: int, dtype: str) -> torch_twin.Twin:
    groups, reads, makes = some(rng, 3, 1, 3)
    window, stride, dilation = (some(rng, axes, 1, high) for high in (4, 3, 3))
    sizes = some(rng, axes, 1, 5)
    extra = tuple(int(rng.integers(max(s, d))) for s, d in zip(stride, dilation, strict=True))
    every = zip(sizes, stride, spans(window, dilation), extra, strict=True)
    whole = [(n - 1) * step + span + more for n, step, span, more in every]
    padding = tuple(int(rng.integers(0, min(4, (n + 1) // 2))) for n in whole)
    options = {
        "stride": stride,
        "padding": padding,
        "output_padding": extra,
        "dilation": dilation,
        "groups": groups,
    }
    x = numbers(rng, dtype, (*leading(rng, groups * reads), *sizes))
    w = numbers(rng, dtype, (groups * reads, makes, *window))
    arrays = [x, w, numbers(rng, dtype, (groups * makes,))][: int(rng.integers(2, 4))]
    return torch_twin.transposed(arrays, options)


def random_pool(
    rng: Generator, axes: int, dtype: str, dilation: tuple[int, ...]
) -> tuple[Array, tuple[int, ...], dict[str, Any]]:
    """Return x, the window and the options of both pools; PyTorch pads half a window at most."""
    window = some(rng, axes, 1, 4)
    stride = None if rng.integers(3) == 0 else some(rng, axes, 1, 4)
    padding = tuple(int(rng.integers(0, size // 2 + 1)) for size in window)
    ceil_mode = bool(rng.integers(2))
    steps = window if stride is None else stride
    every = zip(spans(window, dilation), padding, steps, strict=True)
    # Rounding up, a window may be larger than what is there.
    smallest = [span - 2 * pad - (step - 1) * ceil_mode for span, pad, step in every]
    sizes = tuple(max(1, least) + int(rng.integers(0, 7)) for least in smallest)
    x = numbers(rng, dtype, (*leading(rng, int(rng.integers(1, 4))), *sizes))
    return x, window, {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}


def random_max_pool(rng: Generator, axes: int, dtype: str) -> torch_twin.Twin:
    dilation = some(rng, axes, 1, 3)
    x, window, options = random_pool(rng, axes, dtype, dilation)
    if sees_padding_alone(x.shape[-axes:], window, {**options, "dilation": dilation}):
        options["padding"] = 0
        x = numbers(rng, dtype, (*leading(rng, 2), *spans(window, dilation)))
    if rng.integers(4) == 0:
        x[rng.random(x.shape) < 0.3] = rng.choice([-np.inf, np.inf])
    return torch_twin.max_pool(x, window, {**options, "dilation": dilation})


def sees_padding_alone(sizes: tuple[int, ...], window: tuple[int, ...], options: Any) -> bool:
    """Tell whether all cells of some dilated window are in the padding.

    Both say -inf then, but PyTorch hands the gradient to a cell that the window does not hold.
    """
    ones = torch.ones((1, *sizes))
    largest = torch_twin.max_pool(ones.numpy(), window, options).theirs(ones)
    return bool(torch.isinf(largest).any())


def random_avg_pool(rng: Generator, axes: int, dtype: str) -> torch_twin.Twin:
    x, window, options = random_pool(rng, axes, dtype, (1,) * axes)
    include = bool(rng.integers(2))
    return torch_twin.avg_pool(x, window, {**options, "count_include_pad": include})


def random_pad(rng: Generator, axes: int, dtype: str) -> torch_twin.Twin:
    mode = str(rng.choice(MODES))
    sizes = some(rng, axes, 1, 6)
    x = numbers(rng, dtype, (*leading(rng, 2), *sizes))
    value = float(rng.integers(-9, 10)) if mode == "zeros" else 0.0
    return torch_twin.pad(x, borders(rng, sizes, mode), mode, value)


KINDS: dict[str, Callable[..., torch_twin.Twin]] = {
    "conv": random_convolution,
    "conv_transpose": random_transposed,
    "max_pool": random_max_pool,
    "avg_pool": random_avg_pool,
    "pad": random_pad,
}


@pytest.mark.parametrize("calls", [15, pytest.param(500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("axes", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_random_calls(kind: str, axes: int, dtype: str, calls: int) -> None:
    """300 calls by default, 10,000 in all when slow; every twentieth on the textbook."""
    for seed in range(calls):
        rng = np.random.default_rng([seed, axes, *map(ord, kind + dtype)])
        twin = KINDS[kind](rng, axes, dtype)
        with stepconv.use_backend("textbook" if seed % 20 == 7 else "cpu"):
            torch_twin.judge(twin, partial(numbers, rng, dtype))


@pytest.mark.parametrize("backend", ["textbook", "cpu"])
@pytest.mark.parametrize("axes", [1, 2])
def test_max_pool_passes_nan_on(axes: int, backend: str) -> None:
    rng = np.random.default_rng(axes)
    for _ in range(20):
        x, window, options = random_pool(rng, axes, "float32", (1,) * axes)
        x[rng.random(x.shape) < 0.2] = np.nan
        pool = (torch.nn.functional.max_pool1d, torch.nn.functional.max_pool2d)[axes - 1]
        expected = pool(torch.tensor(x), window, **options).numpy()
        result = stepconv.max_pool(x, window, backend=backend, **options)
        np.testing.assert_array_equal(result, expected)
