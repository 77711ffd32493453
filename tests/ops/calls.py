"""A table of small calls, each operation in each form it has: what holds for all loops over it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_type_hints

import numpy as np
from numpy.typing import ArrayLike, NDArray

import stepconv

Array = NDArray[Any]
Shape = tuple[int, ...]

OPERATIONS = tuple(
    name
    for name in stepconv.__all__
    if getattr(getattr(stepconv, name), "__module__", "").startswith("stepconv.ops.")
)


@dataclass(frozen=True)
class Call:
    """One call: the operation, the shapes of its array arguments, all other arguments."""

    operation: str
    form: str
    shapes: Mapping[str, Shape]
    options: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.operation}-{self.form}"

    def arrays(self, dtype: Any, seed: int = 0) -> dict[str, Array]:
        """Return arguments of the table's shapes, always the same ones."""
        generator = np.random.default_rng(seed)
        return {name: numbers(generator, shape, dtype) for name, shape in self.shapes.items()}

    def run(self, arrays: Mapping[str, ArrayLike], backend: str = "cpu") -> tuple[Array, ...]:
        """Return the results: three of a correlation's backward, one of all else."""
        with stepconv.use_backend(backend):
            result = getattr(stepconv, self.operation)(**arrays, **self.options)
        return result if isinstance(result, tuple) else (result,)


def numbers(generator: np.random.Generator, shape: Shape, dtype: Any) -> Array:
    """Return small numbers of both signs where the type has them."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return np.asarray(generator.standard_normal(shape), dtype)
    low = 0 if dtype.kind in "bu" else -9
    return np.asarray(generator.integers(low, 2 if dtype.kind == "b" else 10, shape), dtype)


def array_arguments(operation: str) -> tuple[str, ...]:
    """Return the arguments that the signature of an operation declares as arrays."""
    hints = get_type_hints(getattr(stepconv, operation))
    return tuple(name for name, hint in hints.items() if hint in (ArrayLike, ArrayLike | None))


def same_bits(ours: Array, theirs: Array) -> bool:
    """Tell whether two arrays agree in type, byte order, shape and every bit."""
    alike = ours.dtype.str == theirs.dtype.str and ours.shape == theirs.shape
    return alike and ours.tobytes() == theirs.tobytes()


# Each form of a correlation: x, w, bias, result, options.
_SLIDING: dict[str, tuple[Shape, Shape, Shape, Shape, dict[str, Any]]] = {
    "signal": ((7,), (3,), (1,), (4,), {"stride": 2, "padding": "same"}),
    "image": ((4, 5), (2, 3), (1,), (5, 9), {"padding": "full", "dilation": (1, 2)}),
    "layer-1d": (
        (2, 2, 6),
        (4, 1, 3),
        (4,),
        (2, 4, 7),
        {"groups": 2, "padding": [(1, 2)], "mode": "circular"},
    ),
    "layer-2d": (
        (2, 2, 4, 6),
        (2, 2, 3, 2),
        (2,),
        (2, 2, 3, 4),
        {"stride": (1, 2), "padding": ((1, 0), (2, 1)), "mode": "reflect"},
    ),
}
_TRANSPOSED: dict[str, tuple[Shape, Shape, Shape, Shape, dict[str, Any]]] = {
    "signal": ((4,), (3,), (1,), (10,), {"stride": 2, "output_padding": 1}),
    "image": ((3, 2), (2, 2), (1,), (4, 3), {}),
    "layer-1d": ((2, 4), (2, 3, 2), (3,), (3, 5), {}),
    "layer-2d": (
        (2, 2, 3, 3),
        (2, 1, 2, 3),
        (2,),
        (2, 2, 6, 5),
        {"stride": (2, 1), "padding": (0, 1), "dilation": (1, 2), "groups": 2},
    ),
}
# Each form of a pool: x, result, options.
_POOLS: dict[str, tuple[Shape, Shape, dict[str, Any]]] = {
    "signal": ((7,), (4,), {"window": 2, "ceil_mode": True}),
    "images": ((2, 4, 5), (2, 2, 5), {"window": (3, 2), "stride": (2, 1), "padding": "same"}),
}
# Each form of a pad: x, result, options.
_PADS: dict[str, tuple[Shape, Shape, dict[str, Any]]] = {
    "signal": ((5,), (9,), {"padding": 2}),
    "images": ((2, 3, 4), (2, 6, 6), {"padding": ((1, 2), (0, 2)), "mode": "reflect"}),
    "circular": ((3, 2), (5, 5), {"padding": ((0, 2), (1, 2)), "mode": "circular"}),
    "replicate": ((3, 2), (4, 6), {"padding": ((0, 1), (3, 1)), "mode": "replicate"}),
}

# Each form of what a curve or a softmax works on.
_CURVES: dict[str, Shape] = {
    "row": (5,),
    "rows": (2, 3),
    "image": (3, 2, 4),
    "images": (2, 3, 2, 2),
}


def _table() -> list[Call]:
    table = []
    for operation, forms in {
        "correlate": _SLIDING,
        "convolve": _SLIDING,
        "correlate_transpose": _TRANSPOSED,
    }.items():
        for form, (x, w, bias, out, options) in forms.items():
            forward = {"x": x, "w": w, "bias": bias}
            backward = {"x": x, "w": w, "grad_out": out}
            table.append(Call(operation, form, forward, options))
            table.append(Call(f"{operation}_backward", form, backward, options))
    for operation in ("max_pool", "avg_pool"):
        for form, (x, out, options) in _POOLS.items():
            table.append(Call(operation, form, {"x": x}, options))
            table.append(Call(f"{operation}_backward", form, {"x": x, "grad_out": out}, options))
    table.append(Call("max_pool", "dilated", {"x": (5, 6)}, {"window": (2, 3), "dilation": (3, 2)}))
    table.append(
        Call("avg_pool", "edge", {"x": (4, 4)}, {"window": 3, "padding": 1, "ceil_mode": True})
    )
    for form, (x, out, options) in _PADS.items():
        table.append(Call("pad", form, {"x": x}, options))
        table.append(Call("pad_backward", form, {"grad_out": out}, {"shape": x, **options}))
    table.append(Call("relu", "images", {"x": (2, 3, 4)}))
    table.append(Call("relu_backward", "images", {"x": (2, 3, 4), "grad_out": (2, 3, 4)}))
    for operation in ("leaky_relu", "tanh", "sigmoid", "softmax"):
        options = {"slope": 0.25} if operation == "leaky_relu" else {}
        for form, shape in _CURVES.items():
            table.append(Call(operation, form, {"x": shape}, options))
            backward = {"x": shape, "grad_out": shape}
            table.append(Call(f"{operation}_backward", form, backward, options))
    for operation in ("add", "subtract"):
        table += [Call(operation, f, {"x": s, "y": s}) for f, s in _CURVES.items()]
    table.append(Call("concat", "image", {"x": (2, 3, 4), "y": (1, 3, 4)}))
    table.append(Call("concat", "images", {"x": (2, 1, 3, 4), "y": (2, 3, 3, 4)}))
    table.append(Call("flip", "signal", {"w": (4,)}))
    table.append(Call("flip", "filters", {"w": (2, 2, 3, 2)}))
    return table


CALLS = _table()
