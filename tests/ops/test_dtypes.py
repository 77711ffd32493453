"""Which dtype goes in, which comes out, and that whole numbers stay exact on the way."""

from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest

import stepconv
from stepconv import ArgumentTypeError, IntegerOverflowWarning, IntegerRangeError
from tests.ops.calls import CALLS, OPERATIONS, Array, Call, same_bits

INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64")
FLOATS = ("float16", "float32", "float64")
ALL = ("bool", *INTEGERS, *FLOATS)
LARGEST = 2**63 - 1


def sums(*dtypes: str) -> np.dtype[Any]:
    """Return what sums of products come in: int64, or what NumPy mixes, float32 at the least."""
    if not set(dtypes) & set(FLOATS):
        return np.dtype(np.int64)
    mixed = np.result_type(*dtypes)
    return np.dtype(np.float32) if mixed == np.float16 else mixed


def averages(*dtypes: str) -> np.dtype[Any]:
    """Return what averages come in: that of sums, with float64 for whole numbers."""
    mixed = sums(*dtypes)
    return np.dtype(np.float64) if mixed == np.int64 else mixed


def kept(dtype: str) -> np.dtype[Any]:
    return np.dtype(dtype)


# How the dtypes of the arguments named make that of each result.
RULES: dict[str, tuple[tuple[str, ...], Callable[..., np.dtype[Any]]]] = {
    "correlate": (("x", "w", "bias"), sums),
    "convolve": (("x", "w", "bias"), sums),
    "correlate_transpose": (("x", "w", "bias"), sums),
    "correlate_backward": (("x", "w", "grad_out"), sums),
    "convolve_backward": (("x", "w", "grad_out"), sums),
    "correlate_transpose_backward": (("x", "w", "grad_out"), sums),
    "pad": (("x",), kept),
    "max_pool": (("x",), kept),
    "relu": (("x",), kept),
    "flip": (("w",), kept),
    **dict.fromkeys(("add", "subtract", "concat"), (("x", "y"), sums)),
    "avg_pool": (("x",), averages),
    "avg_pool_backward": (("grad_out",), averages),
    "max_pool_backward": (("grad_out",), sums),
    "pad_backward": (("grad_out",), sums),
    "relu_backward": (("grad_out",), sums),
    **dict.fromkeys(("leaky_relu", "tanh", "sigmoid", "softmax"), (("x",), averages)),
    **{
        f"{name}_backward": (("x", "grad_out"), averages)
        for name in ("leaky_relu", "tanh", "sigmoid", "softmax")
    },
}
FIRST = {operation: next(c for c in CALLS if c.operation == operation) for operation in OPERATIONS}


def given(call: Call, dtypes: dict[str, str]) -> dict[str, Array]:
    return {name: call.arrays(dtypes.get(name, "float32"))[name] for name in call.shapes}


def assert_rule(operation: str, dtypes: dict[str, str], backend: str) -> None:
    names, rule = RULES[operation]
    call = FIRST[operation]
    expected = rule(*(dtypes[name] for name in names if name in dtypes))
    for result in call.run(given(call, dtypes), backend):
        assert result.dtype == expected, (dtypes, result.dtype)


def test_the_rules_cover_every_operation() -> None:
    assert set(RULES) == set(OPERATIONS)


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_one_dtype_in(operation: str, dtype: str, backend: str) -> None:
    names, _ = RULES[operation]
    assert_rule(operation, dict.fromkeys(names, dtype), backend)


MIXING = [name for name, (arguments, _) in RULES.items() if len(arguments) > 1]


@pytest.mark.parametrize("operation", MIXING)
def test_every_mixture(operation: str) -> None:
    names, _ = RULES[operation]
    for x, w in product(ALL, repeat=2):
        assert_rule(operation, dict(zip(names, (x, w, w), strict=False)), "cpu")
    for last in ALL:
        mixed = ("float32",) * (len(names) - 1), (last,)
        assert_rule(operation, dict(zip(names, sum(mixed, ()), strict=True)), "cpu")


def test_some_mixtures_spelt_out(backend: str) -> None:
    table = [
        *(("float32", "float64", "float64"), ("float16", "float16", "float32")),
        *(("float16", "int8", "float32"), ("float16", "float64", "float64")),
        *(("int32", "float32", "float64"), ("int8", "float32", "float32")),
        *(("bool", "float32", "float32"), ("bool", "bool", "int64")),
        *(("uint64", "int8", "int64"), ("uint8", "uint8", "int64")),
    ]
    for x, w, out in table:
        result = stepconv.correlate(np.ones(3, x), np.ones(2, w), backend=backend)
        assert result.dtype == out
        assert result.tolist() == [2, 2]


@pytest.mark.parametrize("operation", ["max_pool_backward", "avg_pool_backward", "relu_backward"])
def test_an_x_that_only_chooses_cells_does_not_widen_a_gradient(
    operation: str, backend: str
) -> None:
    for x in ("float64", "int64"):
        assert_rule(operation, {"x": x, "grad_out": "float32"}, backend)


@pytest.mark.parametrize("operation", ["correlate", "convolve", "correlate_transpose"])
def test_a_python_number_as_bias_does_not_widen(operation: str, backend: str) -> None:
    function = getattr(stepconv, operation)
    for dtype, bias, expected in [
        *(("float32", 0.5, "float32"), ("float32", 2, "float32"), ("float32", True, "float32")),
        *(("float64", 0.5, "float64"), ("float16", 0.5, "float32"), ("int32", 2, "int64")),
        *(("int32", True, "int64"), ("int32", 0.5, "float64"), ("float32", 0.1, "float32")),
    ]:
        result = function(np.ones(3, dtype), np.ones(1, dtype), bias, backend=backend)
        assert result.dtype == expected
        assert result.tolist() == [(1 + np.dtype(expected).type(bias)).item()] * 3
    for strong in (np.float64(0.5), np.array(0.5), [0.5]):
        wide = function(np.ones(3, np.float32), np.ones(1, np.float32), strong, backend=backend)
        assert wide.dtype == np.float64


def test_float16_is_summed_in_float32(backend: str) -> None:
    """2048 + 1 is no float16, and 300 · 300 is beyond its range."""
    assert stepconv.correlate(
        np.array([2048, 1], np.float16), np.ones(2, np.float16), backend=backend
    ).tolist() == [2049.0]
    square = np.full(1, 300, np.float16)
    assert stepconv.correlate(square, square, backend=backend).tolist() == [90000.0]
    average = stepconv.avg_pool(np.full(4, 60000, np.float16), 4, backend=backend)
    assert average.tolist() == [60000.0]


@pytest.mark.parametrize("dtype", ALL)
def test_what_only_moves_keeps_every_value(dtype: str, backend: str) -> None:
    kind = np.dtype(dtype).kind
    ends: list[float]
    if kind == "b":
        ends = [False, True]
    elif kind == "f":
        ends = [float(np.finfo(dtype).min), -0.0, float(np.finfo(dtype).tiny)]
    else:
        ends = [np.iinfo(dtype).min, np.iinfo(dtype).max - 1, np.iinfo(dtype).max]
    x = np.array(ends, dtype)
    with stepconv.use_backend(backend):
        assert same_bits(stepconv.pad(x, 1, value=ends[-1])[1:-1], x)
        assert stepconv.pad(x, 1, value=ends[-1])[-1] == x[-1]
        assert same_bits(stepconv.max_pool(x, 1), x)
        assert same_bits(stepconv.max_pool(x, x.size), np.array([max(ends)], dtype))
        assert same_bits(stepconv.flip(x), x[::-1].copy())
        assert same_bits(stepconv.relu(x), np.maximum(x, np.dtype(dtype).type(0)) + x.dtype.type(0))


@pytest.mark.parametrize("dtype", ["bool", *INTEGERS])
def test_padding_never_wins_a_pool(dtype: str, backend: str) -> None:
    """Not even against the smallest number of the type."""
    least = False if dtype == "bool" else np.iinfo(dtype).min
    x = np.full((2, 2), least, dtype)
    assert stepconv.max_pool(x, 2, padding=1, backend=backend).tolist() == [[least] * 2] * 2


def big(array: Any) -> Array:
    """Return Python's own integers, which are exact however large."""
    return np.array(array, object)


@pytest.mark.parametrize("dtype", [*INTEGERS])
def test_integers_are_exact(dtype: str, backend: str) -> None:
    """Python's own integers say what the sums of the largest and smallest values are."""
    info = np.iinfo(dtype)
    high, low = min(info.max, 2**61 + 1), max(info.min, -(2**61) - 1)
    x, w, grad_out = np.array([high, low, high - 1], dtype), np.array([1, 1], dtype), [1, -1]
    X, W, G = big(x), big(w), big(grad_out)
    with stepconv.use_backend(backend):
        assert stepconv.correlate(x, w).tolist() == np.correlate(X, W).tolist()
        assert stepconv.convolve(x, w, padding="full").tolist() == np.convolve(X, W).tolist()
        assert stepconv.correlate_transpose(x, w).tolist() == np.convolve(X, W).tolist()
        grad_x, grad_w, grad_bias = stepconv.correlate_backward(x, w, grad_out)
        assert grad_x.tolist() == np.convolve(G, W).tolist()
        assert grad_w.tolist() == np.correlate(X, G).tolist()
        assert grad_bias.tolist() == 0
        back = stepconv.max_pool_backward([5, 5], np.array([high], dtype), (2,))
        assert back.tolist() == [high, 0]
        assert stepconv.pad_backward(np.array([high, low], dtype), (1,), ((1, 0),)).tolist() == [
            low
        ]
        copies = stepconv.pad_backward([high, low], (1,), ((1, 0),), mode="replicate")
        assert copies.tolist() == [high + low]
        assert stepconv.relu_backward([1, 0], np.array([high, low], dtype)).tolist() == [high, 0]


def test_small_integers_do_not_wrap_in_their_own_type(backend: str) -> None:
    x = np.array([-128, -128], np.int8)
    assert stepconv.correlate(x, x, backend=backend).tolist() == [2 * 128 * 128]
    assert stepconv.correlate([True, True], [True, True], backend=backend).tolist() == [2]
    assert stepconv.avg_pool(x, 2, backend=backend).tolist() == [-128.0]


TOO_LARGE = np.array([2**63, 1], np.uint64)
SUMMING = [
    *(Call(name, "x", {"x": (2,)}, {"w": [1]}) for name in ("correlate", "convolve")),
    *(Call(name, "w", {"w": (2,)}, {"x": [1, 1, 1]}) for name in ("correlate", "convolve")),
    Call("correlate_transpose", "x", {"x": (2,)}, {"w": [1]}),
    Call("correlate_transpose", "w", {"w": (2,)}, {"x": [1]}),
    Call("correlate", "bias", {"bias": (2,)}, {"x": [[1]], "w": [[[1]], [[1]]]}),
    Call("correlate_backward", "grad_out", {"grad_out": (2,)}, {"x": [1, 1], "w": [1]}),
    Call("convolve_backward", "x", {"x": (2,)}, {"grad_out": [1, 1], "w": [1]}),
    Call("correlate_transpose_backward", "grad_out", {"grad_out": (2,)}, {"x": [1, 1], "w": [1]}),
    Call("max_pool_backward", "grad_out", {"grad_out": (2,)}, {"x": [1, 1], "window": 1}),
    Call("pad_backward", "grad_out", {"grad_out": (2,)}, {"shape": (2,), "padding": 0}),
    Call("relu_backward", "grad_out", {"grad_out": (2,)}, {"x": [1, 1]}),
]


@pytest.mark.parametrize("call", SUMMING, ids=str)
def test_an_unsigned_beyond_int64_is_refused_where_sums_are_made(call: Call, backend: str) -> None:
    (name,) = call.shapes
    with pytest.raises(IntegerRangeError, match=r"9223372036854775808.*float64"):
        call.run({name: TOO_LARGE}, backend)
    call.run({name: TOO_LARGE // np.uint64(2)}, backend)
    (result, *_) = call.run({name: TOO_LARGE.astype(float)}, backend)
    assert result.dtype == np.float64


def test_an_unsigned_beyond_int64_passes_where_none_is_summed(backend: str) -> None:
    with stepconv.use_backend(backend):
        assert stepconv.pad(TOO_LARGE, 1).tolist() == [0, 2**63, 1, 0]
        assert stepconv.max_pool(TOO_LARGE, 2).tolist() == [2**63]
        assert stepconv.max_pool_backward(TOO_LARGE, [5], 2).tolist() == [5, 0]
        assert stepconv.relu(TOO_LARGE).tolist() == [2**63, 1]
        assert stepconv.relu_backward(TOO_LARGE, [5, 6]).tolist() == [5, 6]
        assert stepconv.avg_pool(TOO_LARGE, 2).tolist() == [2.0**62]
        assert stepconv.avg_pool_backward([1, 1], TOO_LARGE[:1], 2).tolist() == [2.0**62] * 2
        assert stepconv.flip(TOO_LARGE).tolist() == [1, 2**63]


# Two of each would leave int64, one of each does not.
OVERFLOWING: list[tuple[str, dict[str, Any]]] = [
    ("correlate", {"x": [2**62, 2**62], "w": [1, 1]}),
    ("correlate", {"x": [2**32, 2**31], "w": [2**31, 2**31], "bias": -1}),
    ("correlate", {"x": [LARGEST], "w": [1], "bias": 1}),
    ("correlate", {"x": [-(2**62), -(2**62)], "w": [1, 1], "bias": -1}),
    ("correlate", {"x": [-(2**63)], "w": [-1]}),
    ("convolve", {"x": [2**62, 1], "w": [1, 2]}),
    ("correlate_transpose", {"x": [2**62, 2**62], "w": [1, 1]}),
    ("correlate_backward", {"x": [2**62, 2**62], "w": [1], "grad_out": [1, 1]}),
    ("convolve_backward", {"x": [1, 1], "w": [1], "grad_out": [2**62, 2**62]}),
    ("correlate_transpose_backward", {"x": [1], "w": [2**62] * 2, "grad_out": [1, 1]}),
    (
        "pad_backward",
        {"grad_out": [2**62] * 2, "shape": [1], "padding": ((1, 0),), "mode": "replicate"},
    ),
    ("max_pool_backward", {"x": [0, 9, 0], "grad_out": [2**62] * 2, "window": 2, "stride": 1}),
]


@pytest.mark.parametrize(("operation", "arguments"), OVERFLOWING)
def test_a_sum_beyond_int64_is_not_wrapped_silently(
    operation: str, arguments: dict[str, Any], backend: str
) -> None:
    function = getattr(stepconv, operation)
    with pytest.warns(IntegerOverflowWarning, match="float64") as caught:
        function(**arguments, backend=backend)
    for warning in caught:
        assert "\n" not in str(warning.message)
        assert warning.filename == __file__


def test_sums_just_inside_int64_are_computed(backend: str) -> None:
    """Also where a quick look at the largest values cannot tell that nothing overflows."""
    with stepconv.use_backend(backend):
        assert stepconv.correlate([LARGEST], [1]).tolist() == [LARGEST]
        assert stepconv.correlate([2**62, 0, 2**62], [1, 1]).tolist() == [2**62, 2**62]
        assert stepconv.correlate([2**62, 1], [1, 2**61]).tolist() == [2**62 + 2**61]
        assert stepconv.correlate_transpose([2**62, 0, 2**62], [1, 1]).tolist() == [2**62] * 4


STRANGE: dict[str, tuple[Any, str]] = {
    "complex64": (np.complex64(1j), "complex64.*real"),
    "complex128": (1j, "complex128.*real"),
    "longdouble": (np.longdouble(1), str(np.dtype(np.longdouble))),
    "object": (object(), "object"),
    "none": (None, "object"),
    "str": ("text", "<U4"),
    "bytes": (b"text", "S4"),
    "datetime64": (np.datetime64("2024-01-01"), "datetime64"),
    "timedelta64": (np.timedelta64(1, "D"), "timedelta64"),
    "structured": (np.zeros((), [("a", "f4")])[()], "'a'"),
}


@pytest.mark.parametrize("strange", STRANGE)
@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_is_no_real_number_is_refused(operation: str, strange: str, backend: str) -> None:
    value, words = STRANGE[strange]
    if strange == "longdouble" and np.dtype(np.longdouble).itemsize == 8:
        pytest.skip("here long double is float64")
    call = FIRST[operation]
    for name, shape in call.shapes.items():
        arrays = call.arrays("float32")
        array = np.empty(shape, np.asarray(value).dtype)
        array[...] = value
        arrays[name] = array
        with pytest.raises(ArgumentTypeError, match=f"^{name} .*{words}") as caught:
            call.run(arrays, backend)
        assert isinstance(caught.value, TypeError)
        assert "\n" not in str(caught.value)
