"""However an array lies in memory, and however small it is, the result has the same bits."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike

import stepconv
from stepconv.kernels import cpu
from stepconv.kernels.compile import Kernel
from tests.ops.calls import CALLS, OPERATIONS, Array, Call, array_arguments, numbers, same_bits

DTYPES = (np.float32, np.float64, np.int32)
GAP = 99  # what lies between the cells of a view: to read it would show


class Tagged(np.ndarray[Any, Any]):
    """An array of somebody's own class that will not be computed with."""

    def __array_ufunc__(self, *_inputs: Any, **_options: Any) -> Any:
        raise AssertionError("the engine computes with plain arrays")


def reversed_axes(array: Array) -> Array:
    return np.flip(np.flip(array).copy())


def every_second(array: Array) -> Array:
    wide = np.full([2 * size for size in array.shape], GAP, array.dtype)
    view = wide[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def column_of_a_table(array: Array) -> Array:
    table = np.empty(array.shape, [("flag", np.uint8), ("value", array.dtype)])
    table["flag"] = GAP
    table["value"] = array
    return table["value"]


def unaligned(array: Array) -> Array:
    view: Array = np.ndarray(array.shape, array.dtype, buffer=bytearray(array.nbytes + 1), offset=1)
    view[...] = array
    return view


def other_byte_order(array: Array) -> Array:
    return array.astype(array.dtype.newbyteorder("S"))


def read_only(array: Array) -> Array:
    array.flags.writeable = False
    return array


def broadcast(array: Array) -> Array:
    return np.broadcast_to(array[:1], array.shape)


def last_axis_first(array: Array) -> Array:
    return np.moveaxis(np.ascontiguousarray(np.moveaxis(array, -1, 0)), 0, -1)


def tagged(array: Array) -> Array:
    return array.view(Tagged)


LAYOUTS: dict[str, Callable[[Array], ArrayLike]] = {
    "contiguous": np.ascontiguousarray,
    "fortran": np.asfortranarray,
    "reversed": reversed_axes,
    "every-second": every_second,
    "table-column": column_of_a_table,
    "unaligned": unaligned,
    "other-byte-order": other_byte_order,
    "read-only": read_only,
    "broadcast": broadcast,
    "last-axis-first": last_axis_first,
    "subclass": tagged,
    "list": np.ndarray.tolist,
}


def contiguous(value: ArrayLike) -> Array:
    """Return the same numbers as an array that needs no care."""
    array = np.asarray(value)
    return np.array(array, array.dtype.newbyteorder("="), order="C", subok=False)


def assert_bits_of_a_copy(call: Call, given: dict[str, ArrayLike], backend: str) -> None:
    reference = call.run({name: contiguous(value) for name, value in given.items()}, backend)
    for ours, theirs in zip(call.run(given, backend), reference, strict=True):
        assert same_bits(ours, theirs), (ours, theirs)
        assert type(ours) is np.ndarray


def test_the_table_has_every_operation_and_every_array_argument() -> None:
    assert {call.operation for call in CALLS} == set(OPERATIONS)
    for call in CALLS:
        assert set(call.shapes) == set(array_arguments(call.operation)), str(call)


def test_the_layouts_are_as_awkward_as_they_say() -> None:
    array = numbers(np.random.default_rng(0), (3, 4), np.float64)
    laid = {name: np.asanyarray(layout(array.copy())) for name, layout in LAYOUTS.items()}
    awkward = {name for name, view in laid.items() if not view.flags.c_contiguous}
    assert awkward == {
        *("fortran", "reversed", "every-second", "table-column", "broadcast", "last-axis-first")
    }
    assert not laid["unaligned"].flags.aligned
    assert not laid["table-column"].flags.aligned
    assert not laid["other-byte-order"].dtype.isnative
    assert not laid["read-only"].flags.writeable
    assert min(laid["reversed"].strides) < 0
    assert 0 in laid["broadcast"].strides
    assert type(laid["subclass"]) is Tagged
    for name in set(laid) - {"broadcast"}:
        assert np.array_equal(np.array(laid[name], subok=False), array), name


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_each_argument_in_each_layout(call: Call, layout: str, backend: str) -> None:
    for name in call.shapes:
        given: dict[str, ArrayLike] = {**call.arrays(np.float32)}
        given[name] = LAYOUTS[layout](call.arrays(np.float32)[name])
        assert_bits_of_a_copy(call, given, backend)


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_all_arguments_awkward_at_once(call: Call, backend: str) -> None:
    layouts = list(LAYOUTS.values())
    for shift in range(1, len(layouts)):
        arrays = call.arrays(DTYPES[shift % len(DTYPES)])
        given = {
            name: layouts[(shift + 5 * place) % len(layouts)](array)
            for place, (name, array) in enumerate(arrays.items())
        }
        assert_bits_of_a_copy(call, given, backend)


def compiled_forms() -> int:
    """Return how many times kernels of the cpu backend have been compiled or loaded."""
    found = set()
    for module in iter_modules(cpu.__path__, f"{cpu.__name__}."):
        found |= {v for v in vars(import_module(module.name)).values() if isinstance(v, Kernel)}
    return sum(len(kernel.code.signatures) for kernel in found)


def test_a_layout_costs_a_copy_and_no_compiling() -> None:
    for call in CALLS:
        call.run(call.arrays(np.float32))
    before = compiled_forms()
    assert before >= 10
    for layout in set(LAYOUTS) - {"list"}:  # a list is float64
        for call in CALLS:
            arrays = call.arrays(np.float32)
            call.run({name: LAYOUTS[layout](array) for name, array in arrays.items()})
    assert compiled_forms() == before


@pytest.mark.parametrize("call", CALLS, ids=str)
def test_arrays_mapped_from_a_file(call: Call, backend: str, tmp_path: Path) -> None:
    for order in (False, True):
        given: dict[str, ArrayLike] = {}
        for name, array in call.arrays(np.float32).items():
            np.save(tmp_path / name, np.asfortranarray(array) if order else array)
            given[name] = np.load(tmp_path / f"{name}.npy", mmap_mode="r")
        assert_bits_of_a_copy(call, given, backend)


@pytest.mark.parametrize("call", [c for c in CALLS if len(c.shapes) > 1], ids=str)
def test_one_array_may_be_two_arguments(call: Call, backend: str) -> None:
    """Views of one block of memory, one running forwards and one backwards, do not disturb."""
    block = numbers(np.random.default_rng(1), (1000,), np.float32)
    given: dict[str, ArrayLike] = {}
    for place, (name, shape) in enumerate(call.shapes.items()):
        cells = block if place % 2 else block[::-1]
        start = 400 if place % 2 else 500
        given[name] = cells[start : start + int(np.prod(shape))].reshape(shape)
    assert_bits_of_a_copy(call, given, backend)


# One pixel, worked out by hand: the operation, its arguments, its results.
ONE_PIXEL: list[tuple[str, dict[str, Any], tuple[Any, ...]]] = [
    ("correlate", {"x": [[3]], "w": [[4]], "bias": 5}, ([[17]],)),
    ("convolve", {"x": [[3]], "w": [[4]], "bias": 5}, ([[17]],)),
    ("correlate", {"x": [3], "w": [4], "stride": 7}, ([12],)),
    ("correlate", {"x": [[[3]]], "w": [[[4]], [[5]]]}, ([[[12], [15]]],)),
    (
        "correlate",
        {"x": [[3]], "w": [[1, 2, 3], [4, 5, 6], [7, 8, 9]], "padding": "same"},
        ([[15]],),
    ),
    ("correlate", {"x": [[3]], "w": [[1] * 3] * 3, "padding": 1, "mode": "circular"}, ([[27]],)),
    ("correlate_backward", {"x": [[3]], "w": [[4]], "grad_out": [[5]]}, ([[20]], [[15]], 5)),
    ("convolve_backward", {"x": [3], "w": [4], "grad_out": [5]}, ([20], [15], 5)),
    ("correlate_transpose", {"x": [[3]], "w": [[1, 2]], "bias": 1}, ([[4, 7]],)),
    ("correlate_transpose_backward", {"x": [3], "w": [4], "grad_out": [5]}, ([20], [15], 5)),
    ("pad", {"x": [[3]], "padding": 1}, ([[0, 0, 0], [0, 3, 0], [0, 0, 0]],)),
    ("pad", {"x": [3], "padding": 2, "mode": "circular"}, ([3] * 5,)),
    (
        "pad_backward",
        {"grad_out": [[1, 2]], "shape": (1, 1), "padding": ((0, 0), (1, 0))},
        ([[2]],),
    ),
    ("max_pool", {"x": [[-3]], "window": 1}, ([[-3]],)),
    ("max_pool", {"x": [[-3]], "window": 3, "padding": 1}, ([[-3]],)),
    ("max_pool_backward", {"x": [[-3]], "grad_out": [[2]], "window": 3, "padding": 1}, ([[2]],)),
    ("avg_pool", {"x": [[-3]], "window": 3, "padding": 1}, ([[-3.0]],)),
    ("avg_pool_backward", {"x": [[9]], "grad_out": [[6.0]], "window": 1}, ([[6.0]],)),
    ("relu", {"x": 3}, (3,)),
    ("relu", {"x": [[-3]]}, ([[0]],)),
    ("relu_backward", {"x": [3], "grad_out": [2]}, ([2],)),
    ("leaky_relu", {"x": -3, "slope": 0.5}, (-1.5,)),
    ("leaky_relu_backward", {"x": [-3], "grad_out": [2], "slope": 0.5}, ([1.0],)),
    ("tanh", {"x": 0}, (0.0,)),
    ("tanh_backward", {"x": [0], "grad_out": [2]}, ([2.0],)),
    ("sigmoid", {"x": [[0]]}, ([[0.5]],)),
    ("sigmoid_backward", {"x": [0], "grad_out": [2]}, ([0.5],)),
    ("softmax", {"x": [7]}, ([1.0],)),
    ("softmax", {"x": [[[7, 7]]]}, ([[[1.0, 1.0]]],)),
    ("softmax_backward", {"x": [7], "grad_out": [2]}, ([0.0],)),
    ("add", {"x": 3, "y": -1}, (2,)),
    ("subtract", {"x": [[3]], "y": [[-1]]}, ([[4]],)),
    ("concat", {"x": [[[3]]], "y": [[[4]]]}, ([[[3]], [[4]]],)),
    ("flip", {"w": [[3]]}, ([[3]],)),
]


def test_one_pixel_covers_every_operation() -> None:
    assert {operation for operation, *_ in ONE_PIXEL} == set(OPERATIONS)


@pytest.mark.parametrize(("operation", "arguments", "expected"), ONE_PIXEL)
def test_one_pixel(
    operation: str, arguments: dict[str, Any], expected: tuple[Any, ...], backend: str
) -> None:
    results = Call(operation, "pixel", {}).run(arguments, backend)
    for result, value in zip(results, expected, strict=True):
        assert same_bits(result, np.array(value)), result


# An empty batch: the operation, the shapes given and returned, all other arguments.
EMPTY: list[tuple[str, dict[str, tuple[int, ...]], list[tuple[int, ...]], dict[str, Any]]] = [
    ("max_pool", {"x": (0, 3, 5, 6)}, [(0, 3, 2, 3)], {"window": 2}),
    ("avg_pool", {"x": (0, 5)}, [(0, 2)], {"window": (2,)}),
    ("max_pool", {"x": (2, 0, 5, 5)}, [(2, 0, 2, 2)], {"window": 2}),
    (
        "max_pool_backward",
        {"x": (0, 3, 4, 4), "grad_out": (0, 3, 2, 2)},
        [(0, 3, 4, 4)],
        {"window": 2},
    ),
    ("avg_pool_backward", {"x": (0, 4), "grad_out": (0, 2)}, [(0, 4)], {"window": (2,)}),
    ("pad", {"x": (0, 3, 4)}, [(0, 5, 6)], {"padding": 1}),
    ("pad", {"x": (0, 3, 4)}, [(0, 5, 6)], {"padding": 1, "mode": "reflect"}),
    ("pad_backward", {"grad_out": (0, 5, 6)}, [(0, 3, 4)], {"shape": (0, 3, 4), "padding": 1}),
    ("relu", {"x": (0, 3)}, [(0, 3)], {}),
    ("relu_backward", {"x": (3, 0), "grad_out": (3, 0)}, [(3, 0)], {}),
    ("add", {"x": (0, 3), "y": (0, 3)}, [(0, 3)], {}),
    ("subtract", {"x": (3, 0), "y": (3, 0)}, [(3, 0)], {}),
    ("concat", {"x": (0, 2, 3, 3), "y": (0, 1, 3, 3)}, [(0, 3, 3, 3)], {}),
    ("flip", {"w": (0, 2, 3, 3)}, [(0, 2, 3, 3)], {}),
]
FRACTIONS = ("leaky_relu", "tanh", "sigmoid", "softmax")
for _name in FRACTIONS:
    for _shape in ((0,), (0, 3), (2, 0, 3), (0, 3, 2, 2)):
        EMPTY.append((_name, {"x": _shape}, [_shape], {}))
        EMPTY.append((f"{_name}_backward", {"x": _shape, "grad_out": _shape}, [_shape], {}))
for _name in ("correlate", "convolve"):
    EMPTY += [
        (
            _name,
            {"x": (0, 4, 5, 6), "w": (6, 2, 3, 3), "bias": (6,)},
            [(0, 6, 3, 4)],
            {"groups": 2},
        ),
        (
            _name,
            {"x": (0, 2, 6), "w": (3, 2, 2), "bias": (3,)},
            [(0, 3, 8)],
            {"padding": ((1, 2),), "mode": "replicate"},
        ),
        (
            f"{_name}_backward",
            {"x": (0, 4, 5, 6), "w": (6, 2, 3, 3), "grad_out": (0, 6, 3, 4)},
            [(0, 4, 5, 6), (6, 2, 3, 3), (6,)],
            {"groups": 2},
        ),
        (
            f"{_name}_backward",
            {"x": (0, 2, 6), "w": (3, 2, 2), "grad_out": (0, 3, 7)},
            [(0, 2, 6), (3, 2, 2), (3,)],
            {"padding": 1, "mode": "circular"},
        ),
    ]
EMPTY += [
    (
        "correlate_transpose",
        {"x": (0, 4, 5, 6), "w": (4, 3, 3, 2), "bias": (3,)},
        [(0, 3, 11, 12)],
        {"stride": 2},
    ),
    (
        "correlate_transpose_backward",
        {"x": (0, 4, 5), "w": (4, 3, 2), "grad_out": (0, 6, 6)},
        [(0, 4, 5), (4, 3, 2), (6,)],
        {"groups": 2},
    ),
]


def test_empty_covers_every_operation() -> None:
    assert {operation for operation, *_ in EMPTY} == set(OPERATIONS)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize(("operation", "shapes", "expected", "options"), EMPTY)
def test_an_empty_batch_gives_an_empty_result_and_gradients_of_zero(
    operation: str,
    shapes: dict[str, tuple[int, ...]],
    expected: list[tuple[int, ...]],
    options: dict[str, Any],
    dtype: type[np.generic],
    backend: str,
) -> None:
    call = Call(operation, "empty", shapes, options)
    results = call.run(call.arrays(dtype), backend)
    assert [result.shape for result in results] == expected
    averages = operation.startswith(("avg_pool", *FRACTIONS)) and dtype is np.int64
    for result in results:
        assert result.dtype == (np.float64 if averages else dtype)
        assert not result.any()


def test_padding_may_be_put_round_nothing(backend: str) -> None:
    assert stepconv.pad(np.empty((2, 0)), 1, backend=backend).tolist() == [[0.0, 0.0]] * 4
    assert stepconv.correlate([], [1, 2], padding=2, backend=backend).tolist() == [0.0] * 3
    grad_x, grad_w, grad_bias = stepconv.correlate_backward(
        [], [1, 2], [1, 2, 3], padding=2, backend=backend
    )
    assert (grad_x.shape, grad_w.tolist(), grad_bias.tolist()) == ((0,), [0.0, 0.0], 6.0)


NARROW: list[Call] = [
    Call("correlate", "bias", {"x": (7,), "w": (3,), "bias": (1,)}, {"padding": "same"}),
    Call("convolve", "wide", {"x": (7,), "w": (4,), "bias": (1,)}, {"stride": 2, "dilation": 2}),
    Call(
        "correlate_backward", "full", {"x": (5,), "w": (3,), "grad_out": (7,)}, {"padding": "full"}
    ),
    Call("convolve_backward", "stride", {"x": (7,), "w": (2,), "grad_out": (3,)}, {"stride": 2}),
    Call("correlate_transpose", "bias", {"x": (3,), "w": (2,), "bias": (1,)}, {"stride": 3}),
    Call("correlate_transpose_backward", "plain", {"x": (3,), "w": (2,), "grad_out": (4,)}),
]


@pytest.mark.parametrize("upright", [True, False], ids=["one-column", "one-row"])
@pytest.mark.parametrize("call", NARROW, ids=str)
def test_an_image_one_pixel_wide_is_a_signal(call: Call, upright: bool, backend: str) -> None:
    arrays = call.arrays(np.int64)
    signal = call.run(arrays, backend)
    column = -1 if upright else 0
    wide = {k: v if k == "bias" else np.expand_dims(v, column) for k, v in arrays.items()}
    options = dict(call.options)
    if isinstance(options.get("stride"), int):
        options["stride"] = (options["stride"], 1)[:: 1 if upright else -1]
    image = Call(call.operation, "image", {}, options).run(wide, backend)
    for ours, theirs in zip(image, signal, strict=True):
        assert ours.ravel().tolist() == theirs.ravel().tolist()
        assert ours.ndim == (2 if theirs.ndim else 0)


@pytest.mark.parametrize("upright", [True, False], ids=["one-column", "one-row"])
def test_pools_and_pads_of_an_image_one_pixel_wide(upright: bool, backend: str) -> None:
    line = [4, 1, 3, 9, 2]
    x = np.array([line]).T if upright else np.array([line])
    window = (2, 1) if upright else (1, 2)
    with stepconv.use_backend(backend):
        assert stepconv.max_pool(x, window, stride=1).ravel().tolist() == [4, 3, 9, 9]
        assert stepconv.avg_pool(x, window, stride=1).ravel().tolist() == [2.5, 2.0, 6.0, 5.5]
        padded = stepconv.pad(x, window, mode="circular")
        grad = stepconv.pad_backward(padded, x.shape, window, mode="circular")
        back = stepconv.max_pool_backward(x, x[window[0] - 1 :, window[1] - 1 :], window, stride=1)
    tall = np.pad(x, [(side, side) for side in window], mode="wrap")
    assert padded.tolist() == tall.tolist()
    # Every copy adds to its original, so nothing of the sum is lost.
    assert grad.sum() == tall.sum()
    assert grad.shape == x.shape
    assert back.ravel().tolist() == [1, 0, 3, 11, 0]
