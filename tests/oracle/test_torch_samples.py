"""PyTorch's own sample inputs for its convolutions, pools and pads.

They come with PyTorch (and need its test helper `expecttest`); each one either passes, forward
and backward, or falls under one of the reasons below why stepconv's interface cannot say it.
"""

import warnings
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

torch = pytest.importorskip("torch", reason="the owner of these samples, PyTorch, is not installed")
pytest.importorskip("expecttest", reason="PyTorch's samples need the package expecttest")

from tests.oracle import torch_twin  # noqa: E402

Array = NDArray[Any]

pytestmark = [
    pytest.mark.usefixtures("one_thread"),
    pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel"),
]

DIVISOR = "an average that divides by a number of the caller's"
NEGATIVE = "negative padding, which crops"
THREE_AXES = "padding of three axes"


class Inexpressible(Exception):
    """stepconv's interface has no words for this sample."""


def conv(x: Array, w: Array, bias: Array | None = None, **options: Any) -> torch_twin.Twin:
    axes = w.ndim - 2
    padding = options.pop("padding", 0)
    if not isinstance(padding, str):
        padding = [(cells, cells) for cells in each(padding, axes)]
    options = {**spread(options, axes), "padding": padding}
    return torch_twin.convolution(given(x, w, bias), options)


def conv_transpose(
    x: Array, w: Array, bias: Array | None = None, **options: Any
) -> torch_twin.Twin:
    return torch_twin.transposed(given(x, w, bias), spread(options, w.ndim - 2))


def max_pool(
    axes: int,
    x: Array,
    *,
    kernel_size: Any,
    return_indices: bool = False,
    **options: Any,
) -> torch_twin.Twin:
    """With or without indices: the gradients show whether they are the same."""
    return torch_twin.max_pool(x, each(kernel_size, axes), spread(options, axes))


def avg_pool(
    axes: int,
    x: Array,
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> torch_twin.Twin:
    if divisor_override is not None:
        raise Inexpressible(DIVISOR)
    options = {
        "stride": stride,
        "padding": padding,
        "ceil_mode": ceil_mode,
        "count_include_pad": count_include_pad,
    }
    return torch_twin.avg_pool(x, each(kernel_size, axes), spread(options, axes))


def pad(
    x: Array, sides: tuple[int, ...], mode: str = "constant", value: float | None = None
) -> torch_twin.Twin:
    if min(sides) < 0:
        raise Inexpressible(NEGATIVE)
    if len(sides) > 4:
        raise Inexpressible(THREE_AXES)
    pairs = list(zip(sides[::2], sides[1::2], strict=True))[::-1]
    return torch_twin.pad(x, pairs, "zeros" if mode == "constant" else mode, value or 0.0)


def given(*arrays: Array | None) -> list[Array]:
    return [array for array in arrays if array is not None]


def each(value: Any, axes: int) -> tuple[int, ...]:
    """PyTorch writes one integer, one in a tuple, or one per axis."""
    numbers = tuple(value) if isinstance(value, tuple | list) else (value,)
    return numbers * axes if len(numbers) == 1 else numbers


def spread(options: dict[str, Any], axes: int) -> dict[str, Any]:
    """Spread integers over the axes, but for those that are no sizes."""
    alone = (bool, str, type(None))
    return {
        name: value if name == "groups" or isinstance(value, alone) else each(value, axes)
        for name, value in options.items()
    }


READERS: dict[str, Callable[..., torch_twin.Twin]] = {
    "nn.functional.conv1d": conv,
    "nn.functional.conv2d": conv,
    "nn.functional.conv_transpose1d": conv_transpose,
    "nn.functional.conv_transpose2d": conv_transpose,
    "nn.functional.max_pool1d": partial(max_pool, 1),
    "nn.functional.max_pool2d": partial(max_pool, 2),
    "nn.functional.avg_pool1d": partial(avg_pool, 1),
    "nn.functional.avg_pool2d": partial(avg_pool, 2),
    "nn.functional.pad": pad,
}


@cache
def operators() -> dict[str, list[Any]]:
    """Return PyTorch's descriptions of each operator, one for each mode of a pad."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from torch.testing._internal.common_methods_invocations import op_db
    return {name: [info for info in op_db if info.name == name] for name in READERS}


def plain(value: Any) -> Any:
    return value.detach().numpy() if isinstance(value, torch.Tensor) else value


# What may be left out, and of what; all other samples pass.
LEFT_OUT = {
    "nn.functional.avg_pool2d": {DIVISOR},
    "nn.functional.pad": {NEGATIVE, THREE_AXES},
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", READERS)
def test_samples(name: str, dtype: str) -> None:
    passed = 0
    reasons = Counter[str]()
    rng = np.random.default_rng(1)
    for info in operators()[name]:
        for sample in info.sample_inputs("cpu", getattr(torch, dtype), requires_grad=False):
            arguments = [plain(value) for value in (sample.input, *sample.args)]
            try:
                twin = READERS[name](*arguments, **sample.kwargs)
            except Inexpressible as reason:
                reasons[str(reason)] += 1
                continue
            torch_twin.judge(twin, rng.standard_normal)
            passed += 1
    print(f"{name}, {dtype}: {passed} pass, left out: {dict(reasons)}")
    assert passed > 0
    assert reasons.keys() <= LEFT_OUT.get(name, set())
