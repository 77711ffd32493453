"""stepconv computes convolutions that one can see, trust and train with.

The names below load on first use: `import stepconv` alone brings in neither NumPy nor Numba.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from stepconv.errors import (
        ArgumentError,
        ArgumentTypeError,
        BackendError,
        IntegerOverflowWarning,
        IntegerRangeError,
        StepconvError,
        TraceError,
    )
    from stepconv.geometry import output_size
    from stepconv.inside import Inside, look_inside
    from stepconv.kernels import backends, use_algorithm, use_backend
    from stepconv.kernels.explaining import explain
    from stepconv.ops import (
        add,
        avg_pool,
        avg_pool_backward,
        concat,
        convolve,
        convolve_backward,
        correlate,
        correlate_backward,
        correlate_transpose,
        correlate_transpose_backward,
        flip,
        leaky_relu,
        leaky_relu_backward,
        max_pool,
        max_pool_backward,
        pad,
        pad_backward,
        relu,
        relu_backward,
        sigmoid,
        sigmoid_backward,
        softmax,
        softmax_backward,
        subtract,
        tanh,
        tanh_backward,
    )
    from stepconv.trace import About, Chain, From, Step, Trace, load_chain, load_trace, record

__version__ = "0.1.0"

__all__ = [
    "About",
    "ArgumentError",
    "ArgumentTypeError",
    "BackendError",
    "Chain",
    "From",
    "Inside",
    "IntegerOverflowWarning",
    "IntegerRangeError",
    "Step",
    "StepconvError",
    "Trace",
    "TraceError",
    "add",
    "avg_pool",
    "avg_pool_backward",
    "backends",
    "concat",
    "convolve",
    "convolve_backward",
    "correlate",
    "correlate_backward",
    "correlate_transpose",
    "correlate_transpose_backward",
    "explain",
    "flip",
    "leaky_relu",
    "leaky_relu_backward",
    "load_chain",
    "load_trace",
    "look_inside",
    "max_pool",
    "max_pool_backward",
    "output_size",
    "pad",
    "pad_backward",
    "record",
    "relu",
    "relu_backward",
    "sigmoid",
    "sigmoid_backward",
    "softmax",
    "softmax_backward",
    "subtract",
    "tanh",
    "tanh_backward",
    "use_algorithm",
    "use_backend",
]

_TRACE = ("About", "Chain", "From", "Step", "Trace", "load_chain", "load_trace", "record")
_HOMES = {
    **dict.fromkeys((name for name in __all__ if name[0].isupper()), "stepconv.errors"),
    **dict.fromkeys(_TRACE, "stepconv.trace"),
    "Inside": "stepconv.inside",
    "look_inside": "stepconv.inside",
    "output_size": "stepconv.geometry",
    "backends": "stepconv.kernels",
    "explain": "stepconv.kernels.explaining",
    "use_algorithm": "stepconv.kernels",
    "use_backend": "stepconv.kernels",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'stepconv' has no attribute {name!r}")
    value = getattr(import_module(_HOMES.get(name, "stepconv.ops")), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
