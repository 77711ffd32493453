"""The same numbers laid out in memory as nobody expects them: what a kernel must not trip over."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[Any]


def layouts(array: ArrayLike) -> dict[str, Array]:
    """Return the same numbers laid out in memory in every awkward way there is, by name.

    "broadcast" is there only if the array repeats itself along an axis.

    >>> for name, array in layouts([[1, 2], [1, 2]]).items():
    ...     print(f"{name:13}", array.strides, array.flags.aligned, array.flags.writeable)
    contiguous    (16, 8) True True
    Fortran       (8, 16) True True
    mirrored      (-16, -8) True True
    every second  (64, 16) True True
    unaligned     (16, 8) False True
    big-endian    (16, 8) True True
    read-only     (16, 8) True False
    broadcast     (0, 8) True False
    """
    plain = np.array(array, order="C")
    every = {
        "contiguous": plain,
        "Fortran": plain.copy(order="F"),
        "mirrored": np.flip(np.flip(plain).copy()),
        "every second": _every_second(plain),
        "unaligned": _unaligned(plain),
        "big-endian": plain.astype(plain.dtype.newbyteorder(">")),
        "read-only": plain.copy(),
    }
    every["read-only"].flags.writeable = False
    for axis in range(plain.ndim):
        repeated = np.broadcast_to(plain.take([0], axis), plain.shape) if plain.size else plain
        if plain.shape[axis] > 1 and repeated.tobytes() == plain.tobytes():
            return {**every, "broadcast": repeated}
    return every


def _every_second(plain: Array) -> Array:
    """Return a slice between whose cells lie other numbers, which show where strides are lost."""
    wide = np.full([2 * side for side in plain.shape], 77, plain.dtype)
    view = wide[(slice(None, None, 2),) * plain.ndim]
    view[...] = plain
    return view


def _unaligned(plain: Array) -> Array:
    """Return an array that starts one byte beyond where its type wants to."""
    raw = np.zeros(plain.nbytes + 1, np.uint8)
    view: Array = np.ndarray(plain.shape, plain.dtype, raw.data, offset=1)
    view[...] = plain
    return view
