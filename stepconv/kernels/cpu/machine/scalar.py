"""A product and a sum with one rounding, for kernels in plain loops: as in the vector tiles."""

from __future__ import annotations

from typing import Any

from numba import types
from numba.extending import intrinsic

from stepconv.kernels.cpu.machine.vector import features


@intrinsic
def fused(_context: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a · b + c of three numbers of one type, rounded once; exact for integers."""

    def emit(_context: Any, builder: Any, signature: Any, values: Any) -> Any:
        if isinstance(signature.return_type, types.Integer):
            return builder.add(builder.mul(*values[:2]), values[2])
        if not features() & {"fma", "neon"}:
            return builder.fadd(builder.fmul(*values[:2]), values[2])
        return builder.fma(*values)

    return a(a, a, a), emit
