"""Tiny kernels for the tests of compile.py and its cache: Numba wants functions of a file."""

from stepconv.kernels.compile import compiled, inner, parallel, share_of


@inner
def weighted(value, place):
    return value * (place + 1) / 3.0


@parallel
def row_sums(worker, share, x, out):
    """Sum the weighted cells of each row."""
    for i in range(*share_of(x.shape[0], share)):
        total = 0.0
        for j in range(x.shape[1]):
            total += weighted(x[i, j], j)
        out[i] = total


def scaled(factor):
    """Return a kernel that has its name in common with others."""

    @parallel
    def scale(worker, share, x, out):
        for i in range(*share_of(x.size, share)):
            out[i] = factor * x[i]

    return scale


@parallel
def fill_shares(worker, share, sizes, factors, out):
    """Write for each share how large it is, times numbers of one tuple and arrays of another."""
    first, last = share_of(out.size, share)
    for i in range(first, last):
        out[i] = (last - first) * sizes[0] * sizes[1] * factors[0][i] * factors[1][i]


@compiled
def total(x):
    """Return the sum of a flat array."""
    result = 0.0
    for i in range(x.size):
        result += x[i]
    return result
