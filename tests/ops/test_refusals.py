"""Every impossible call is refused in one line that names the argument, its value and what fits."""

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import stepconv
from stepconv import ArgumentError, ArgumentTypeError, BackendError, StepconvError
from tests.ops.calls import OPERATIONS, Array


def ones(*shape: int) -> Array:
    return np.ones(shape)


# For each operation a call that works; each refusal changes one or two of its arguments.
IMAGE, FILTERS = ones(1, 2, 7, 7), ones(4, 2, 3, 3)
SIGNAL, PICTURE = ones(7), ones(7, 7)
_LAYER = {"x": IMAGE, "w": FILTERS}
_TRANSPOSED = {"x": IMAGE, "w": ones(2, 2, 3, 3)}
_POOL = {"x": PICTURE, "window": 2}
WORKING: dict[str, dict[str, Any]] = {
    "correlate": _LAYER,
    "convolve": _LAYER,
    "correlate_backward": {**_LAYER, "grad_out": ones(1, 4, 5, 5)},
    "convolve_backward": {**_LAYER, "grad_out": ones(1, 4, 5, 5)},
    "correlate_transpose": _TRANSPOSED,
    "correlate_transpose_backward": {**_TRANSPOSED, "grad_out": ones(1, 2, 9, 9)},
    "max_pool": _POOL,
    "avg_pool": _POOL,
    "max_pool_backward": {**_POOL, "grad_out": ones(3, 3)},
    "avg_pool_backward": {**_POOL, "grad_out": ones(3, 3)},
    "pad": {"x": PICTURE, "padding": 1},
    "pad_backward": {"grad_out": ones(9, 9), "shape": (7, 7), "padding": 1},
    "add": {"x": PICTURE, "y": PICTURE},
    "subtract": {"x": PICTURE, "y": PICTURE},
    "concat": {"x": ones(2, 3, 3), "y": ones(1, 3, 3)},
    "flip": {"w": ones(3, 3)},
}
ACTIVATIONS = ("relu", "leaky_relu", "tanh", "sigmoid", "softmax")
for _name in ACTIVATIONS:
    WORKING[_name] = {"x": PICTURE}
    WORKING[f"{_name}_backward"] = {"x": PICTURE, "grad_out": PICTURE}
SLIDING = ("correlate", "convolve", "correlate_backward", "convolve_backward")
TRANSPOSED = ("correlate_transpose", "correlate_transpose_backward")
POOLS = ("max_pool", "avg_pool", "max_pool_backward", "avg_pool_backward")
PADS = ("pad", "pad_backward")
BACKWARD = tuple(name for name in OPERATIONS if name.endswith("_backward"))

VALUE, TYPE = ArgumentError, ArgumentTypeError
Refusal = tuple[tuple[str, ...], dict[str, Any], type[StepconvError], tuple[str, ...]]


def takers(*parameters: str) -> tuple[str, ...]:
    """Return the operations that take all these arguments."""
    return tuple(
        name
        for name in OPERATIONS
        if set(parameters) <= set(inspect.signature(getattr(stepconv, name)).parameters)
    )


REFUSALS: list[Refusal] = [
    # A kernel or window larger than what it slides over.
    (SLIDING, {"x": PICTURE, "w": ones(9, 9)}, VALUE, ("kernel 9x9", "padded input 7x7")),
    (SLIDING, {"w": ones(4, 2, 8, 1)}, VALUE, ("kernel 8x1", "padded input 7x7")),
    (SLIDING, {"x": SIGNAL, "w": ones(8)}, VALUE, ("kernel 8 ", "padded input 7")),
    (SLIDING, {"x": [], "w": [1]}, VALUE, ("kernel 1 ", "padded input 0")),
    (SLIDING, {"dilation": (1, 4)}, VALUE, ("kernel 3x3 (dilation 1x4: 3x9)", "7x7")),
    (SLIDING, {"w": ones(4, 2, 10, 10), "padding": 1}, VALUE, ("10x10", "padded input 9x9")),
    (POOLS, {"window": 8}, VALUE, ("window 8x8", "padded input 7x7")),
    (
        ("max_pool", "max_pool_backward"),
        {"window": 3, "dilation": 5},
        VALUE,
        ("3x3", "11x11", "7x7"),
    ),
    # An empty kernel, an empty picture, a rank that does not fit.
    (SLIDING + TRANSPOSED, {"x": PICTURE, "w": ones(0, 3)}, VALUE, ("w ", "(0, 3)", "empty")),
    (SLIDING + TRANSPOSED, {"x": SIGNAL, "w": []}, VALUE, ("w ", "(0,)", "empty")),
    (SLIDING + TRANSPOSED, {"w": ones(0, 2, 3, 3)}, VALUE, ("w ", "(0, 2, 3, 3)", "empty")),
    (SLIDING + TRANSPOSED, {"x": SIGNAL, "w": ones(3, 3)}, VALUE, ("x ", "(7,)", "2-D kernel")),
    (SLIDING + TRANSPOSED, {"x": PICTURE, "w": ones(3)}, VALUE, ("x ", "(7, 7)", "1-D kernel")),
    (SLIDING + TRANSPOSED, {"w": ones(3, 3)}, VALUE, ("x ", "(1, 2, 7, 7)", "2-D kernel")),
    (SLIDING + TRANSPOSED, {"x": PICTURE}, VALUE, ("x ", "(7, 7)", "4-D", "height, width")),
    (SLIDING + TRANSPOSED, {"x": SIGNAL, "w": ones(1, 1, 3)}, VALUE, ("x ", "(7,)", "3-D")),
    (SLIDING + TRANSPOSED, {"x": ones(1, 1, 1, 1, 1)}, VALUE, ("x ", "(1, 1, 1, 1, 1)", "4-D")),
    (SLIDING + TRANSPOSED, {"w": ones(1, 1, 1, 1, 1)}, VALUE, ("w ", "5 axes", "1 to 4")),
    (SLIDING + TRANSPOSED, {"x": 3.0, "w": [1]}, VALUE, ("x ", "()", "1-D kernel")),
    (SLIDING + TRANSPOSED, {"x": [1], "w": 3.0}, VALUE, ("w ", "()", "1 to 4")),
    (TRANSPOSED, {"x": [], "w": [1]}, VALUE, ("0",)),
    (POOLS, {"x": 3.0}, VALUE, ("window=2", "x ", "()")),
    (POOLS, {"x": SIGNAL, "window": (2, 2)}, VALUE, ("window=(2, 2)", "2 axes", "(7,)")),
    (POOLS, {"x": ones(3, 0)}, VALUE, ("x ", "(3, 0)", "no cell")),
    (POOLS, {"x": []}, VALUE, ("x ", "(0,)", "no cell")),
    (("pad",), {"x": 3.0}, VALUE, ("padding=1", "x ", "()")),
    (("pad",), {"x": SIGNAL, "padding": ((1, 1), (1, 1))}, VALUE, ("((1, 1), (1, 1))", "axis")),
    # Channels, groups, bias.
    (SLIDING, {"w": ones(4, 3, 3, 3)}, VALUE, ("x has 2 channels", "(4, 3, 3, 3)", "3")),
    (SLIDING, {"groups": 2}, VALUE, ("x has 2 channels", "2 groups", "4 fit")),
    (SLIDING, {"w": ones(3, 1, 3, 3), "groups": 2}, VALUE, ("groups=2", "2 channels", "3 filters")),
    (SLIDING, {"w": ones(3, 1, 3, 3), "groups": 3}, VALUE, ("groups=3", "2 channels", "3 filters")),
    (TRANSPOSED, {"w": ones(3, 2, 3, 3)}, VALUE, ("x has 2 channels", "(3, 2, 3, 3)", "3")),
    (TRANSPOSED, {"groups": 3}, VALUE, ("groups=3", "2 channels")),
    (takers("groups"), {"x": PICTURE, "w": ones(3, 3), "groups": 2}, VALUE, ("groups=2", "plain")),
    (takers("groups"), {"groups": 0}, VALUE, ("groups=0", "1 or more")),
    (takers("groups"), {"groups": -2}, VALUE, ("groups=-2", "1 or more")),
    (takers("groups"), {"groups": 1.0}, TYPE, ("groups=1.0", "integer")),
    (takers("groups"), {"groups": True}, TYPE, ("groups=True", "bool", "int")),
    (takers("groups"), {"groups": "1"}, TYPE, ("groups='1'", "integer")),
    (takers("groups"), {"groups": None}, TYPE, ("groups=None", "integer")),
    (takers("groups"), {"groups": (1, 1)}, TYPE, ("groups=(1, 1)", "integer")),
    (("correlate", "convolve"), {"bias": ones(3)}, VALUE, ("bias ", "(3,)", "(4,) fits")),
    (("correlate", "convolve"), {"bias": 1.0}, VALUE, ("bias ", "()", "(4,) fits")),
    (("correlate", "convolve"), {"bias": ones(4, 1)}, VALUE, ("bias ", "(4, 1)", "(4,) fits")),
    (("correlate_transpose",), {"bias": ones(3)}, VALUE, ("bias ", "(3,)", "(2,) fits")),
    (takers("bias"), {"bias": []}, VALUE, ("bias ", "(0,)")),
    (
        takers("bias"),
        {"x": PICTURE, "w": ones(3, 3), "bias": ones(2)},
        VALUE,
        ("bias ", "(2,)", "a number fits"),
    ),
    (
        ("correlate_transpose",),
        {"w": ones(2, 3, 3, 3), "groups": 2, "bias": ones(3)},
        VALUE,
        ("bias ", "(3,)", "(6,) fits"),
    ),
    # Numbers that count cells.
    *(
        refusal
        for name in ("stride", "dilation")
        for refusal in (
            (takers(name), {name: 0}, VALUE, (f"{name}=0", "1 or more")),
            (takers(name), {name: -1}, VALUE, (f"{name}=-1", "1 or more")),
            (takers(name), {name: np.int64(0)}, VALUE, (f"{name}=0", "1 or more")),
            (takers(name), {name: (1, 0)}, VALUE, (f"{name}=", "0", "1 or more")),
            (takers(name), {name: 1.0}, TYPE, (f"{name}=1.0", "integer")),
            (takers(name), {name: np.array([1.0, 2.0])}, TYPE, (f"{name}=", "1.0", "integer")),
            (takers(name), {name: True}, TYPE, (f"{name}=True", "bool", "int")),
            (takers(name), {name: (1, True)}, TYPE, (f"{name}=", "True", "bool", "int")),
            (takers(name), {name: "2"}, TYPE, (f"{name}='2'", "integer")),
            (takers(name), {name: {1, 2}}, TYPE, (f"{name}={{1, 2}}", "integer")),
            (takers(name), {name: ()}, VALUE, (f"{name}=()", "0 numbers", "2")),
            (takers(name), {name: (1, 2, 3)}, VALUE, (f"{name}=(1, 2, 3)", "3 numbers", "2 axes")),
            (takers(name), {name: [[1, 1]]}, VALUE, (f"{name}=[[1, 1]]", "2")),
        )
    ),
    (SLIDING + TRANSPOSED, {"stride": None}, TYPE, ("stride=None", "integer")),
    (takers("dilation"), {"dilation": None}, TYPE, ("dilation=None", "integer")),
    (POOLS, {"window": 0}, VALUE, ("window=0", "1 or more")),
    (POOLS, {"window": -1}, VALUE, ("window=-1", "1 or more")),
    (POOLS, {"window": (2, 0)}, VALUE, ("window=", "0", "1 or more")),
    (POOLS, {"window": 2.0}, TYPE, ("window=2.0", "integer")),
    (POOLS, {"window": True}, TYPE, ("window=True", "bool", "int")),
    (POOLS, {"window": "2"}, TYPE, ("window='2'", "integer")),
    (POOLS, {"window": None}, TYPE, ("window=None", "integer")),
    (POOLS, {"window": ()}, VALUE, ("window=()", "0 axes", "1 or 2")),
    (POOLS, {"window": (1, 1, 1)}, VALUE, ("window=(1, 1, 1)", "3 axes", "1 or 2")),
    (TRANSPOSED, {"output_padding": -1}, VALUE, ("output_padding=-1", "0 or more")),
    (TRANSPOSED, {"output_padding": 1.0}, TYPE, ("output_padding=1.0", "integer")),
    (TRANSPOSED, {"output_padding": True}, TYPE, ("output_padding=True", "bool")),
    (TRANSPOSED, {"output_padding": "1"}, TYPE, ("output_padding='1'", "integer")),
    (TRANSPOSED, {"output_padding": (0, 0, 0)}, VALUE, ("output_padding=(0, 0, 0)", "2 axes")),
    (TRANSPOSED, {"output_padding": 1}, VALUE, ("output_padding=1", "stride=1", "dilation=1")),
    (TRANSPOSED, {"output_padding": 3, "stride": 3}, VALUE, ("output_padding=3", "stride=3")),
    (
        TRANSPOSED,
        {"output_padding": (0, 2), "dilation": (3, 2)},
        VALUE,
        ("output_padding=2", "dilation=2"),
    ),
    # Padding, in all its spellings.
    (takers("padding"), {"padding": 1.5}, TYPE, ("padding=1.5", "integer")),
    (takers("padding"), {"padding": True}, TYPE, ("padding=True", "bool", "int")),
    (takers("padding"), {"padding": None}, TYPE, ("padding=None", "integer")),
    (takers("padding"), {"padding": -1}, VALUE, ("padding=-1", "0 or more")),
    (takers("padding"), {"padding": (1, -1)}, VALUE, ("padding=", "-1", "0 or more")),
    (takers("padding"), {"padding": (1, 1.5)}, TYPE, ("padding=", "1.5", "integer")),
    (takers("padding"), {"padding": "smae"}, VALUE, ("padding='smae'", "fit")),
    (takers("padding"), {"padding": (1, 1, 1)}, VALUE, ("padding=(1, 1, 1)", "3", "2")),
    (takers("padding"), {"padding": ()}, VALUE, ("padding=()", "0")),
    (SLIDING + POOLS, {"padding": "smae"}, VALUE, ("'valid'", "'same'", "'full'")),
    (SLIDING + POOLS, {"padding": "SAME"}, VALUE, ("'SAME'", "'valid'", "'same'", "'full'")),
    (SLIDING + POOLS, {"padding": b"same"}, TYPE, ("padding=b'same'",)),
    (SLIDING + POOLS, {"padding": ("same", "valid")}, TYPE, ("padding=", "'same'")),
    (
        SLIDING + POOLS + PADS,
        {"padding": ((1, 1), (1, -1))},
        VALUE,
        ("((1, 1), (1, -1))", "negative"),
    ),
    (
        SLIDING + POOLS + PADS,
        {"padding": ((1, 1, 1), 1)},
        VALUE,
        ("((1, 1, 1), 1)", "(before, after)"),
    ),
    (SLIDING + POOLS + PADS, {"padding": ((1, True), 1)}, TYPE, ("padding=", "True", "bool")),
    (TRANSPOSED, {"padding": "same"}, VALUE, ("padding='same'", "one int per axis")),
    (TRANSPOSED, {"padding": ((1, 1), (1, 1))}, TYPE, ("padding=", "(1, 1)", "integer")),
    (TRANSPOSED, {"padding": 5}, VALUE, ("padding=5", "(7 - 1)·1 - 2·5 + 3 + 0 = -1")),
    (PADS, {"padding": "same"}, VALUE, ("padding='same'", "(before, after)")),
    (POOLS, {"padding": 2}, VALUE, ("padding", "2", "smaller", "window")),
    (POOLS, {"padding": ((0, 0), (0, 2))}, VALUE, ("padding", "2", "smaller", "window")),
    (POOLS, {"window": (3, 2), "padding": (2, 2)}, VALUE, ("padding", "2", "smaller", "window")),
    # What fills the padding.
    (
        takers("mode"),
        {"mode": "mirror"},
        VALUE,
        ("mode='mirror'", "'zeros', 'reflect', 'replicate'"),
    ),
    (takers("mode"), {"mode": "Zeros"}, VALUE, ("mode='Zeros'", "'zeros'", "'circular'")),
    (takers("mode"), {"mode": None}, TYPE, ("mode=None", "'zeros'", "'circular'")),
    (takers("mode"), {"mode": ["zeros"]}, TYPE, ("mode=['zeros']", "'circular'")),
    (
        ("correlate", "convolve", "pad"),
        {"padding": 7, "mode": "reflect"},
        VALUE,
        ("'reflect'", "7", "6"),
    ),
    (
        ("correlate_backward", "convolve_backward"),
        {"padding": 7, "mode": "reflect", "grad_out": ones(1, 4, 19, 19)},
        VALUE,
        ("mode='reflect'", "7 cells by 7", "6"),
    ),
    (
        ("pad_backward",),
        {"padding": 3, "mode": "reflect", "shape": (3, 3)},
        VALUE,
        ("mode='reflect'", "3 cells by 3", "2"),
    ),
    *(
        (("pad",), {"x": [], "padding": 1, "mode": mode}, VALUE, (f"mode='{mode}'", "empty"))
        for mode in ("reflect", "replicate", "circular")
    ),
    *(
        (("pad",), {"mode": mode, "value": 1}, VALUE, ("value=1", f"mode='{mode}'", "'zeros'"))
        for mode in ("reflect", "replicate", "circular")
    ),
    (("pad",), {"value": [1, 2]}, VALUE, ("value=[1, 2]", "single number")),
    (("pad",), {"value": "a"}, TYPE, ("value",)),
    (("pad",), {"value": None}, TYPE, ("value",)),
    (("pad",), {"value": 1j}, TYPE, ("value", "complex128")),
    (("pad",), {"x": [1, 2], "value": 0.5}, VALUE, ("value=0.5", "int64")),
    (("pad",), {"x": [1, 2], "value": np.nan}, VALUE, ("value=nan", "int64")),
    (("pad",), {"x": [1, 2], "value": np.inf}, VALUE, ("value=inf", "int64")),
    (("pad",), {"x": [1, 2], "value": 2**63}, VALUE, ("value=9223372036854775808", "int64")),
    (("pad",), {"x": np.zeros(2, np.uint8), "value": -1}, VALUE, ("value=-1", "uint8")),
    (("pad",), {"x": np.zeros(2, np.int8), "value": 128}, VALUE, ("value=128", "int8")),
    (("pad",), {"x": np.zeros(2, bool), "value": 2}, VALUE, ("value=2", "bool")),
    # Activations.
    *(
        (takers("slope"), {"slope": value}, error, (f"slope={value!r}", words))
        for value, error, words in (
            *(("a", TYPE, "numbers"), (None, TYPE, "numbers")),
            *(((0.1, 0.2), VALUE, "single number"), (np.nan, VALUE, "not finite")),
            (-np.inf, VALUE, "not finite"),
        )
    ),
    (takers("slope"), {"slope": 1j}, TYPE, ("slope is complex128",)),
    (("softmax", "softmax_backward"), {"x": 3.0}, VALUE, ("x has 0 axes", "rows")),
    (
        ("softmax", "softmax_backward"),
        {"x": ones(1, 2, 3, 4, 5)},
        VALUE,
        ("5 axes", "(N, C, H, W)"),
    ),
    # Switches.
    *(
        (takers(name), {name: value}, TYPE, (f"{name}={value!r}", "True or False"))
        for name in ("ceil_mode", "count_include_pad")
        for value in ("yes", 2, None, 0.5, (True, False))
    ),
    # A gradient that belongs to another call.
    (BACKWARD, {"grad_out": ones(2, 2)}, VALUE, ("grad_out", "(2, 2)")),
    (BACKWARD, {"grad_out": 1.0}, VALUE, ("grad_out", "()")),
    (SLIDING[2:], {"grad_out": ones(1, 5, 5)}, VALUE, ("grad_out", "(1, 5, 5)", "(1, 4, 5, 5)")),
    (SLIDING[2:], {"grad_out": ones(1, 4, 5, 5), "stride": 2}, VALUE, ("(1, 4, 3, 3)",)),
    (POOLS[2:], {"ceil_mode": True}, VALUE, ("grad_out", "(3, 3)", "(4, 4)")),
    (("pad_backward",), {"shape": (5, 5)}, VALUE, ("(9, 9)", "(7, 7)")),
    (("pad_backward",), {"shape": 7}, TYPE, ("shape=7",)),
    (("pad_backward",), {"shape": None}, TYPE, ("shape=None",)),
    (("pad_backward",), {"shape": "77"}, TYPE, ("shape='77'",)),
    (("pad_backward",), {"shape": (7.0, 7.0)}, TYPE, ("shape=", "7.0", "integer")),
    (("pad_backward",), {"shape": (-7, 7)}, VALUE, ("shape=", "-7")),
    (("pad_backward",), {"shape": ()}, VALUE, ("padding=1", "()")),
    # Arrays that are none.
    *(
        (takers(name), {name: [[1, 2], [3]]}, VALUE, (f"{name} has rows of different lengths",))
        for name in ("x", "w", "bias", "grad_out")
    ),
    # Backends.
    (("add", "subtract"), {"y": ones(7, 1)}, VALUE, ("y ", "(7, 1)", "(7, 7)", "the same fits")),
    (("concat",), {"y": ones(1, 3, 4)}, VALUE, ("(1, 3, 4)", "(2, 3, 3)", "but for the channels")),
    (("concat",), {"x": PICTURE, "y": PICTURE}, VALUE, ("x ", "2 axes", "(C, H, W)")),
    (("add", "subtract", "concat"), {"y": "three"}, TYPE, ("y", "numbers")),
    (takers("backend"), {"backend": "gpu"}, VALUE, ("backend='gpu'", "'textbook', 'cpu', 'cuda'")),
    (takers("backend"), {"backend": "CPU"}, VALUE, ("backend='CPU'", "'textbook', 'cpu', 'cuda'")),
    (takers("backend"), {"backend": ""}, VALUE, ("backend=''", "'textbook', 'cpu', 'cuda'")),
    (takers("backend"), {"backend": 3}, TYPE, ("backend=3", "'textbook', 'cpu', 'cuda'")),
    (takers("algorithm"), {"algorithm": "fast"}, VALUE, ("algorithm='fast'", "'auto', 'direct'")),
    (takers("algorithm"), {"algorithm": 3}, TYPE, ("algorithm=3", "'winograd', 'fft'")),
    (takers("backend"), {"backend": ["cpu"]}, TYPE, ("backend=['cpu']", "'textbook', 'cpu'")),
]
CASES = [
    pytest.param(name, change, error, words, id=f"{name}-{place}-{'-'.join(change)}")
    for place, (operations, change, error, words) in enumerate(REFUSALS)
    for name in operations
]


def refused(operation: str, change: dict[str, Any], error: type[StepconvError]) -> str:
    """Make the call, which has to be refused, and return the message."""
    with pytest.raises(error) as caught:
        getattr(stepconv, operation)(**{**WORKING[operation], **change})
    assert type(caught.value) is error
    message = str(caught.value)
    assert "\n" not in message
    assert caught.value.__cause__ is None
    return message


def test_the_calls_that_the_refusals_spoil_work() -> None:
    assert set(WORKING) == set(OPERATIONS)
    for operation, arguments in WORKING.items():
        getattr(stepconv, operation)(**arguments)


def test_every_argument_of_every_operation_is_refused_somehow() -> None:
    spoilt = {(name, key) for names, change, *_ in REFUSALS for name in names for key in change}
    spoilt |= {("flip", "w")}  # any shape will do for them
    spoilt |= {(f"{name}{way}", "x") for name in ACTIVATIONS for way in ("", "_backward")}
    for operation in OPERATIONS:
        for parameter in inspect.signature(getattr(stepconv, operation)).parameters:
            assert (operation, parameter) in spoilt


@pytest.mark.parametrize(("operation", "change", "error", "words"), CASES)
def test_refusal(
    operation: str, change: dict[str, Any], error: type[StepconvError], words: tuple[str, ...]
) -> None:
    message = refused(operation, change, error)
    for word in words:
        assert word in message, message


@pytest.mark.parametrize(("operation", "change", "error", "words"), CASES)
def test_recording_refuses_what_the_call_refuses(
    operation: str, change: dict[str, Any], error: type[StepconvError], words: tuple[str, ...]
) -> None:
    given = {**WORKING[operation], **change}
    with pytest.raises(error) as caught:
        stepconv.record(getattr(stepconv, operation), **given)
    assert str(caught.value) == refused(operation, change, error)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stepconv.record(stepconv.correlate, [1, 2]), "correlate: missing a required arg"),
        (lambda: stepconv.record(stepconv.flip, [1], axis=0), "flip: got an unexpected keyword"),
        (lambda: stepconv.record(stepconv.flip, [1], gradient="x"), "gradient='x' does not fit"),
        (lambda: stepconv.record(len, [1]), "len cannot be recorded: add, avg_pool, "),
        (lambda: stepconv.record([1], [1]), r"\[1\] cannot be recorded: a list of \(function"),
        (
            lambda: stepconv.record(stepconv.correlate, [1, 2], [1], algorithm="fft"),
            "algorithm='fft' cannot be recorded: .* 'auto' or 'direct' fits",
        ),
        (
            lambda: stepconv.record(
                stepconv.max_pool_backward, *([1, 2], [1], 2), stride=2, gradient="w"
            ),
            "gradient='w' is not known: one of 'x' fits",
        ),
    ],
)
def test_what_cannot_be_recorded(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(StepconvError, match=message):
        call()


def test_the_kinds_of_errors() -> None:
    assert issubclass(ArgumentError, ValueError)
    assert issubclass(ArgumentTypeError, TypeError)
    assert issubclass(BackendError, RuntimeError)
    for error in (ArgumentError, ArgumentTypeError, BackendError):
        assert issubclass(error, StepconvError)


@pytest.mark.parametrize("operation", SLIDING)
def test_a_kernel_too_large_in_so_many_words(operation: str) -> None:
    message = refused(operation, {"w": ones(4, 2, 5, 5), "dilation": 2}, ArgumentError)
    assert message == "kernel 5x5 (dilation 2: 9x9) does not fit into the padded input 7x7"


@pytest.mark.parametrize("operation", takers("backend"))
def test_cuda_says_in_one_sentence_why_not(operation: str) -> None:
    answer = stepconv.backends()["cuda"]
    if not answer.startswith("not available"):
        pytest.skip("there is a GPU here")
    message = refused(operation, {"backend": "cuda"}, BackendError)
    assert "cuda" in message
    assert answer.removeprefix("not available: ") in message
    assert len(message) < 200


# Calls whose result is empty never reach a kernel.
EMPTY: list[tuple[str, dict[str, Any]]] = [
    ("correlate", {"x": ones(0, 2, 7, 7)}),
    ("convolve", {"x": ones(0, 2, 7, 7)}),
    ("correlate_transpose", {"x": ones(0, 2, 7, 7)}),
    ("correlate_backward", {"x": ones(0, 2, 7, 7), "grad_out": ones(0, 4, 5, 5)}),
    ("convolve_backward", {"x": ones(0, 2, 7, 7), "grad_out": ones(0, 4, 5, 5)}),
    ("correlate_transpose_backward", {"x": ones(0, 2, 7, 7), "grad_out": ones(0, 2, 9, 9)}),
    ("max_pool", {"x": ones(0, 7, 7)}),
    ("avg_pool", {"x": ones(0, 7, 7)}),
    ("max_pool_backward", {"x": ones(0, 7, 7), "grad_out": ones(0, 3, 3)}),
    ("avg_pool_backward", {"x": ones(0, 7, 7), "grad_out": ones(0, 3, 3)}),
    ("pad", {"x": ones(0, 7, 7)}),
    ("pad_backward", {"shape": (0, 7, 7), "grad_out": ones(0, 9, 9)}),
    *((name, {"x": []}) for name in ACTIVATIONS),
    *((f"{name}_backward", {"x": [], "grad_out": []}) for name in ACTIVATIONS),
]


@pytest.mark.parametrize(("operation", "empty"), EMPTY)
def test_a_misspelt_backend_is_noticed_without_any_work_too(
    operation: str, empty: dict[str, Any]
) -> None:
    message = refused(operation, {**empty, "backend": "gpu"}, ArgumentError)
    assert "backend='gpu'" in message


def test_the_empty_calls_cover_every_operation_with_a_backend() -> None:
    assert {operation for operation, _ in EMPTY} == set(takers("backend"))


# output_size counts windows along one axis and has no arrays.
@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"size": -1}, VALUE, ("size=-1", "0 or more")),
        ({"size": 5.0}, TYPE, ("size=5.0", "integer")),
        ({"size": True}, TYPE, ("size=True", "bool")),
        ({"size": 0}, VALUE, ("window 3 ", "padded input 0")),
        ({"window": 0}, VALUE, ("window=0", "1 or more")),
        ({"window": (3,)}, TYPE, ("window=(3,)", "integer")),
        ({"window": 4}, VALUE, ("window 4 ", "padded input 3")),
        ({"window": 3, "dilation": 2}, VALUE, ("window 3 (dilation 2: 5)", "padded input 3")),
        ({"stride": 0}, VALUE, ("stride=0", "1 or more")),
        ({"stride": 1.5}, TYPE, ("stride=1.5", "integer")),
        ({"dilation": 0}, VALUE, ("dilation=0", "1 or more")),
        ({"padding": -1}, VALUE, ("padding=-1", "0 or more")),
        ({"padding": "smae"}, VALUE, ("padding='smae'", "'valid', 'same', 'full'")),
        ({"padding": (1, 2, 3)}, VALUE, ("padding=(1, 2, 3)", "1 axis")),
        ({"ceil_mode": "yes"}, TYPE, ("ceil_mode='yes'", "True or False")),
    ],
)
def test_sizes_that_make_no_sense(
    arguments: dict[str, Any], error: type[StepconvError], words: tuple[str, ...]
) -> None:
    with pytest.raises(error) as caught:
        stepconv.output_size(**{"size": 3, "window": 3, **arguments})
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)
