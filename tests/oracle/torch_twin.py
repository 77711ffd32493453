"""Every operation twice, by stepconv and by PyTorch, and the judge who compares them.

PyTorch computes in float64. Given the absolute values of the same numbers it returns Σ|a·b| of
every cell, given ones it returns the number of terms n, so each cell of a result and of a
gradient has its own bound n·u·Σ|a·b|; u is half the distance from 1 to the next number.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray

import stepconv

Array = NDArray[Any]
Options = dict[str, Any]

# These tensors are tiny, and a second pool of threads would only stand in the way of ours.
torch.set_num_threads(1)

TORCH_MODES = {"zeros": "constant"}


@dataclass(frozen=True)
class Twin:
    """One call: of stepconv forward and backward, and of PyTorch; `words` describe it.

    `exact` results are copies of inputs and nothing is rounded; `terms` is n where ones
    do not count it, because an average divides.
    """

    words: str
    arrays: list[Array]
    ours: Callable[..., Array]
    ours_backward: Callable[..., tuple[Array, ...]]
    theirs: Callable[..., Any]
    exact: bool = False
    terms: int | None = None


def convolution(arrays: list[Array], options: Options, *, true_convolution: bool = False) -> Twin:
    """Twin of correlate or convolve of a layer, with `options` as stepconv spells them."""
    axes = arrays[1].ndim - 2
    slide = (F.conv1d, F.conv2d)[axes - 1]
    forward, backward = stepconv.correlate, stepconv.correlate_backward
    if true_convolution:
        forward, backward = stepconv.convolve, stepconv.convolve_backward
    native = {name: options[name] for name in ("stride", "dilation", "groups") if name in options}
    padding, mode = options.get("padding", "valid"), options.get("mode", "zeros")

    def theirs(x: Any, w: Any, bias: Any = None) -> Any:
        if true_convolution:
            w = w.flip(tuple(range(2, w.ndim)))
        if isinstance(padding, str):
            return slide(x, w, bias, padding=padding, **native)
        return slide(bordered(x, padding, mode), w, bias, **native)

    return Twin(
        f"{forward.__name__} {shapes(arrays)} {options}",
        arrays,
        lambda *given: forward(*given, **options),
        lambda x, w, *rest: backward(x, w, rest[-1], **options)[: len(arrays)],
        theirs,
    )


def transposed(arrays: list[Array], options: Options) -> Twin:
    axes = arrays[1].ndim - 2
    slide = (F.conv_transpose1d, F.conv_transpose2d)[axes - 1]
    backward = stepconv.correlate_transpose_backward
    return Twin(
        f"correlate_transpose {shapes(arrays)} {options}",
        arrays,
        lambda *given: stepconv.correlate_transpose(*given, **options),
        lambda x, w, *rest: backward(x, w, rest[-1], **options)[: len(arrays)],
        lambda *given: slide(*given, **options),
    )


def max_pool(x: Array, window: tuple[int, ...], options: Options) -> Twin:
    pool = (F.max_pool1d, F.max_pool2d)[len(window) - 1]
    return Twin(
        f"max_pool {shapes([x])} {window} {options}",
        [x],
        lambda x: stepconv.max_pool(x, window, **options),
        lambda x, grad: (stepconv.max_pool_backward(x, grad, window, **options),),
        lambda x: pool(x, window, **options),
        exact=True,
    )


def avg_pool(x: Array, window: tuple[int, ...], options: Options) -> Twin:
    pool = (F.avg_pool1d, F.avg_pool2d)[len(window) - 1]
    return Twin(
        f"avg_pool {shapes([x])} {window} {options}",
        [x],
        lambda x: stepconv.avg_pool(x, window, **options),
        lambda x, grad: (stepconv.avg_pool_backward(x, grad, window, **options),),
        lambda x: pool(x, window, **options),
        terms=int(np.prod(window)) + 1,
    )


def pad(x: Array, sides: list[tuple[int, int]], mode: str, value: float = 0.0) -> Twin:
    return Twin(
        f"pad {shapes([x])} {sides} {mode} {value}",
        [x],
        lambda x: stepconv.pad(x, sides, mode=mode, value=value),
        lambda x, grad: (stepconv.pad_backward(grad, x.shape, sides, mode=mode),),
        lambda x: bordered(x, sides, mode, value),
        exact=True,
    )


def shapes(arrays: list[Array]) -> str:
    return " ".join(str(array.shape) for array in arrays)


def bordered(x: Any, sides: list[tuple[int, int]], mode: str, value: float = 0.0) -> Any:
    """Pad as PyTorch does, which lists the last axis first."""
    flat = [cells for pair in reversed(sides) for cells in pair]
    constant = {"value": value} if mode == "zeros" else {}
    return F.pad(x, flat, mode=TORCH_MODES.get(mode, mode), **constant)


def judge(twin: Twin, grad_of: Callable[[tuple[int, ...]], Array]) -> None:
    """Hold result and gradients to the rounding bound, cell by cell."""
    dtype = np.result_type(*twin.arrays)
    result = twin.ours(*twin.arrays)
    grad = grad_of(result.shape).astype(dtype)
    ours = [result, *twin.ours_backward(*twin.arrays, grad)]

    true = torch_says(twin, twin.arrays, grad)
    # Where results are copies, x decides which cells are copied and must stay as it is.
    absolute, ones = twin.arrays, twin.arrays
    if not twin.exact:
        absolute, ones = [np.abs(a) for a in absolute], [np.ones_like(a) for a in ones]
    sizes = torch_says(twin, absolute, np.abs(grad))
    counts = torch_says(twin, ones, np.ones_like(grad))

    assert len(ours) == len(true)
    unit = (np.finfo(dtype).eps + np.finfo(np.float64).eps) / 2  # PyTorch rounds too
    for index, (mine, exact, size, count) in enumerate(zip(ours, true, sizes, counts, strict=True)):
        what = f"{'gradient ' + str(index) if index else 'result'} of {twin.words}"
        assert mine.dtype == dtype, what
        assert mine.shape == exact.shape, what
        if index == 0 and twin.exact:
            np.testing.assert_array_equal(mine, exact, err_msg=what)
            continue
        bound = (count if twin.terms is None else twin.terms) * unit * size
        error = np.abs(mine.astype(np.float64) - exact)
        assert np.all(error <= bound), f"{what}: off by {np.max(error - bound)} beyond the bound"


def torch_says(twin: Twin, arrays: list[Array], grad: Array) -> list[Array]:
    """Return PyTorch's result and gradients in float64."""
    tensors: list[Any] = [
        torch.tensor(array.astype(np.float64), requires_grad=True) for array in arrays
    ]
    result = twin.theirs(*tensors)
    result.backward(torch.tensor(grad.astype(np.float64)))
    return [result.detach().numpy(), *(tensor.grad.numpy() for tensor in tensors)]
