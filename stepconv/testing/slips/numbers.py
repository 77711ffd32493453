"""What types do to numbers: overflow, lost digits, signs; and a right result used wrongly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.testing.evidence import Evidence
from stepconv.testing.slips.sliding import Sliding, slides
from stepconv.testing.slips.theory import slip
from stepconv.testing.tasks import TASKS

Array = NDArray[Any]
_ANY = ".*"


def _each_result(name: str, says: str, change: Callable[[Evidence, Array], Array | None]) -> None:
    for number in range(3):

        def make(one: Evidence, number: int = number) -> Array | None:
            return change(one, np.asarray(one.expected[number], float))

        slip(
            name,
            says if number == 0 else f"{TASKS['correlate-backward'].results[number]}: {says}",
            _ANY,
            number,
        )(make)


def _x_type(one: Evidence) -> np.dtype[Any]:
    return next(iter(one.case.call.arrays.values())).dtype


def _in_type_of_x(one: Evidence, wide: Array) -> Array | None:
    """Keep the result in an array of x's own type, as zeros_like(x) makes it."""
    dtype = _x_type(one)
    if dtype.kind == "f":
        return None
    return _wrapped(np.trunc(wide), dtype)


def _wrapped(wide: Array, dtype: Any) -> Array:
    bits = 8 * np.dtype(dtype).itemsize
    whole = np.vectorize(lambda cell: int(cell) % 2**bits, otypes=[object])(wide)
    return whole.astype(np.uint64).astype(dtype).astype(float)


def _overflowing(one: Evidence, wide: Array) -> Array | None:
    """Keep the digits, but let small integers wrap round."""
    dtype = _x_type(one)
    return _wrapped(wide, dtype) if dtype.kind in "iu" and dtype.itemsize < 8 else None


_each_result(
    "overflow", "numbers wrapped round: a type as small as the input's holds no more", _overflowing
)
_each_result(
    *("overflow", "numbers wrapped round at 256: bytes hold no more"),
    lambda one, wide: _wrapped(wide, np.uint8) if _x_type(one) == np.uint8 else None,
)
_each_result(
    "overflow",
    "numbers wrapped round at 256: bytes hold no more",
    lambda one, wide: _wrapped(np.trunc(wide), np.uint8),
)
_each_result(
    "overflow",
    "numbers wrapped round: 16 bits hold no more",
    lambda one, wide: _wrapped(np.trunc(wide), np.int16),
)
_each_result(
    "overflow",
    "numbers wrapped round: 32 bits hold no more",
    lambda one, wide: _wrapped(np.trunc(wide), np.int32),
)
_LOST = "digits behind the point were lost: an array of integers holds none"
_KEPT = "the result is kept in the input's own type: digits are lost, and small types wrap round"
_each_result("digits-lost", _KEPT, _in_type_of_x)
_each_result("digits-lost", _LOST, lambda one, wide: np.trunc(wide))
_each_result(
    "digits-lost", "numbers were rounded down: integer division", lambda one, wide: np.floor(wide)
)
_each_result("rounded", "numbers were rounded", lambda one, wide: np.rint(wide))
_each_result("negative-to-0", "negative numbers became 0", lambda one, wide: np.maximum(wide, 0))
_each_result("clipped", "numbers were cut at 0 and 255", lambda one, wide: np.clip(wide, 0, 255))
_each_result(
    "clipped",
    "numbers of bytes were cut at 0 and 255",
    lambda one, wide: np.clip(wide, 0, 255) if _x_type(one) == np.uint8 else None,
)
_each_result("signs-lost", "the signs were lost", lambda one, wide: np.abs(wide))
_each_result("sign", "the sign is the other one", lambda one, wide: -wide)
_each_result("nothing", "nothing was computed: all are 0", lambda one, wide: np.zeros_like(wide))


# After `nothing`: where no bias is asked for, the product is 0, too.
@slides("bias-product", "the result was multiplied by the bias")
def times_bias(s: Sliding) -> Array:
    return s.plain * s.bias[:, None, None]


_each_result("halved", "all numbers are half as large", lambda one, wide: wide / 2)
_each_result("doubled", "all numbers are twice as large", lambda one, wide: wide * 2)
_each_result(
    "half-precision",
    "sums in float16 keep three digits",
    lambda one, wide: wide.astype(np.float16).astype(float),
)
_each_result(
    "mirrored-result",
    "the result is mirrored on both axes",
    lambda one, wide: np.flip(wide, (-2, -1)) if wide.ndim > 1 else np.flip(wide),
)
_each_result(
    "normalised",
    "the result was brought to the range 0 to 1",
    lambda one, wide: (wide - wide.min()) / (wide.max() - wide.min()),
)
_each_result(
    "transposed-result",
    "rows and columns of the result were exchanged",
    lambda one, wide: wide.swapaxes(-1, -2) if wide.ndim > 1 else None,
)


def _rolled(axis: int) -> Callable[[Evidence, Array], Array | None]:
    def rolled(one: Evidence, wide: Array) -> Array | None:
        """Write each number one cell further on."""
        if wide.ndim < -axis:
            return None
        made = np.roll(wide, 1, axis)
        made[(..., 0, slice(None)) if axis == -2 else (..., 0)] = 0
        return made

    return rolled


_each_result("one-too-low", "everything lies one row too low", _rolled(-2))
_each_result("one-too-far", "everything lies one column too far to the right", _rolled(-1))


@slip(
    "swapped-gradients", "grad_x and grad_w were exchanged", ".*lve-backward|correlate-backward", 0
)
def grad_w_for_grad_x(one: Evidence) -> Array:
    return one.expected[1]


@slip(
    "swapped-gradients", "grad_w: grad_x came in its place", ".*lve-backward|correlate-backward", 1
)
def grad_x_for_grad_w(one: Evidence) -> Array:
    return one.expected[0]
