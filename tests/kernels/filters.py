"""Calls for the tests of filters, and judges of their results: the textbook, and longer numbers."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from stepconv.geometry import Slide
from stepconv.kernels import textbook

Array = Any


@dataclass
class Filtering:
    """The arguments of filter_planes; `after` is the padding behind the last row and column."""

    x: Array
    w: Array
    bias: Array
    stride: tuple[int, int] = (1, 1)
    dilation: tuple[int, int] = (1, 1)
    before: tuple[int, int] = (0, 0)
    after: tuple[int, int] = (0, 0)

    @property
    def slide(self) -> Slide:
        return Slide(*self.stride, *self.dilation, *self.before)

    def empty(self) -> Array:
        """Return memory for the result, full of a number that is never right."""
        sizes = [
            (size + a + b - (k - 1) * d - 1) // s + 1
            for size, a, b, k, d, s in zip(
                self.x.shape[2:],
                self.before,
                self.after,
                self.w.shape[2:],
                self.dilation,
                self.stride,
                strict=True,
            )
        ]
        return np.full((*self.x.shape[:2], *sizes), 1e30, self.x.dtype)

    def textbook(self) -> Array:
        """Return what the textbook's loops make of it."""
        out = self.empty()
        textbook.correlate(self.x, self.w, self.bias, out, self.slide, len(self.w))
        return out

    def exactly(self) -> tuple[Array, Array]:
        """Return Σ x·w + bias and Σ |x·w| + |bias|, in longer numbers than the result's."""
        x, w, bias = (np.asarray(a, np.longdouble) for a in (self.x, self.w, self.bias))
        pads = [(0, 0), (0, 0), *zip(self.before, self.after, strict=True)]
        padded = np.pad(x, pads)
        shape = self.empty().shape
        total = np.zeros(shape, np.longdouble) + bias[:, None, None]
        size = np.abs(total)
        for a, b in np.ndindex(w.shape[2:]):
            rows, columns = (
                slice(k * d, k * d + (n - 1) * s + 1, s)
                for k, d, s, n in zip((a, b), self.dilation, self.stride, shape[2:], strict=True)
            )
            products = padded[:, :, rows, columns] * w[:, :, a, b, None]
            total += products
            size += np.abs(products)
        return total, size


def random_filtering(
    seed: int,
    x_shape: tuple[int, int, int, int],
    kernel: tuple[int, int],
    dtype: Any = np.float32,
    **options: Any,
) -> Filtering:
    """Return a call with numbers of both signs."""
    rng = np.random.default_rng(seed)
    x, w, bias = (
        rng.standard_normal(shape).astype(dtype)
        for shape in (x_shape, (x_shape[1], 1, *kernel), x_shape[1])
    )
    return Filtering(x, w, bias, **options)


def assert_within_bound(out: Array, call: Filtering) -> None:
    """Hold a result to n·u·Σ|x·w|, the bias being one of the n terms."""
    total, size = call.exactly()
    terms = call.w[0].size + 1
    unit = np.finfo(out.dtype).eps / 2
    assert (np.abs(out - total) <= terms * unit * size).all()
