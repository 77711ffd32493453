"""Every operation at a size that keeps several threads busy: what the tests of threads compute."""

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np

import stepconv
from tests.ops.calls import CALLS

Work = Callable[[], tuple[np.ndarray[Any, Any], ...]]
DTYPES = ("float32", "float64")


def works() -> list[Work]:
    """Return calls that each compute some results; which ones is always the same."""
    generator = np.random.default_rng(5)
    found: list[Work] = []
    for dtype in DTYPES:
        found += [_small(call, dtype) for call in CALLS]
        found += _large(generator, dtype)
    return found + _tiled(generator)


def digest() -> str:
    """Return a hash of the bits of all results."""
    bits = hashlib.sha256()
    for work in works():
        bits.update(digest_of(work).encode())
    return bits.hexdigest()


def digest_of(work: Work) -> str:
    """Return a hash of the bits of one call's results."""
    return hashlib.sha256(b"".join(result.tobytes() for result in work())).hexdigest()


def _small(call: Any, dtype: str) -> Work:
    arrays = call.arrays(dtype)
    return lambda: call.run(arrays)


def _tiled(generator: np.random.Generator) -> list[Work]:
    """Return calls of so many products that vector tiles compute them."""

    def numbers(*shape: int) -> np.ndarray[Any, Any]:
        return generator.standard_normal(shape).astype(np.float32)

    def layer(x: np.ndarray[Any, Any], w: np.ndarray[Any, Any]) -> list[Work]:
        grad_out = numbers(x.shape[0], w.shape[0], *x.shape[2:])
        return [
            lambda: (stepconv.correlate(x, w, padding="same"),),
            lambda: stepconv.correlate_backward(x, w, grad_out, padding="same"),
        ]

    picture, kernel = numbers(300, 310), numbers(7, 7)
    split = numbers(7, 1) * numbers(1, 7)
    return [
        *layer(numbers(5, 16, 20, 21), numbers(32, 16, 3, 3)),
        *layer(numbers(8, 3, 40, 41), numbers(3, 3, 5, 5)),
        lambda: (stepconv.correlate(picture, kernel, padding="same"),),
        lambda: (stepconv.correlate(picture, split, padding="same"),),
    ]


def _large(generator: np.random.Generator, dtype: str) -> list[Work]:
    def numbers(*shape: int) -> np.ndarray[Any, Any]:
        return generator.standard_normal(shape).astype(dtype)

    x, w, bias = numbers(3, 4, 29, 31), numbers(6, 2, 3, 5), numbers(6)
    upward, grad_out = numbers(6, 2, 4, 3), numbers(3, 6, 15, 31)
    options: dict[str, Any] = {"stride": (2, 1), "padding": "same", "groups": 2}
    wide: dict[str, Any] = {"window": 3, "stride": 2, "padding": 1, "ceil_mode": True}
    pooled = numbers(3, 4, 15, 16)
    return [
        lambda: (stepconv.correlate(x, w, bias, **options),),
        lambda: (stepconv.convolve(x, w, bias, mode="reflect", **options),),
        lambda: stepconv.correlate_backward(x, w, grad_out, **options),
        lambda: stepconv.convolve_backward(x, w, grad_out, mode="circular", **options),
        lambda: (stepconv.correlate_transpose(grad_out, upward, stride=2, groups=2),),
        lambda: (stepconv.max_pool(x, **wide), stepconv.avg_pool(x, **wide)),
        lambda: (stepconv.max_pool_backward(x, pooled, **wide),),
        lambda: (stepconv.avg_pool_backward(x, pooled, **wide),),
        lambda: (stepconv.pad(x, 3, mode="reflect"), stepconv.relu(x), stepconv.flip(w)),
        lambda: (stepconv.pad_backward(x, (3, 4, 23, 25), 3, mode="replicate"),),
        lambda: (stepconv.relu_backward(x, x), stepconv.leaky_relu(x), stepconv.softmax(x)),
        lambda: (stepconv.leaky_relu_backward(x, x), stepconv.softmax_backward(x, x)),
        lambda: (stepconv.tanh(x), stepconv.tanh_backward(x, x)),
        lambda: (stepconv.sigmoid(x), stepconv.sigmoid_backward(x, x)),
    ]
