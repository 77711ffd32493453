"""Traces to look at: every worked example, and every operation with the options that are odd."""

from collections.abc import Callable
from functools import cache

import numpy as np

from stepconv import ops
from stepconv.trace import Trace, record, worked_examples
from stepconv.trace.gallery.traces import has_windows, record_example

RNG = np.random.default_rng(7)


def _numbers(*shape: int) -> np.ndarray:
    return RNG.integers(-9, 10, shape)


def _odd() -> dict[str, Callable[[], Trace]]:
    signal, image, batch = _numbers(9), _numbers(6, 7), _numbers(2, 4, 5, 6)
    row, kernel, grouped = _numbers(3), _numbers(3, 2), _numbers(6, 2, 2, 3)
    transposed = _numbers(4, 3, 2, 2)
    floats = RNG.normal(size=(5, 5))
    rough = np.array([[1.5, np.nan, 2], [np.inf, -0.0, -np.inf], [3, 4, 1e9]])
    layer = {"stride": 2, "padding": 1, "groups": 2}
    grad = _numbers(2, 6, 3, 3)
    pooled = {"window": 3, "stride": 2, "padding": 1, "ceil_mode": True}

    def play(function: Callable[..., object], *arguments: object, **options: object) -> Trace:
        return record(function, *arguments, backend="textbook", **options)

    return {
        "signal-same": lambda: play(ops.correlate, signal, row, padding="same"),
        "signal-full": lambda: play(ops.convolve, signal, row, padding="full"),
        "signal-dilated": lambda: play(ops.correlate, signal, row, dilation=3, stride=2),
        "signal-bias": lambda: play(ops.correlate, signal, row, 5),
        "signal-back": lambda: play(ops.correlate_backward, signal, row, _numbers(7), gradient="x"),
        "signal-weights": lambda: play(
            ops.convolve_backward, signal, row, _numbers(7), gradient="w"
        ),
        "signal-pool": lambda: play(ops.max_pool, signal, 2),
        "dilated": lambda: play(ops.correlate, image, kernel, dilation=2, stride=(1, 2)),
        "reflect": lambda: play(ops.correlate, image, kernel, padding=2, mode="reflect"),
        "circular": lambda: play(ops.convolve, image, kernel, padding=1, mode="circular"),
        "layer": lambda: play(ops.correlate, batch, grouped, np.arange(6), **layer),
        "layer-back-x": lambda: play(ops.correlate_backward, batch, grouped, grad, **layer),
        "layer-back-w": lambda: play(
            ops.correlate_backward, batch, grouped, grad, gradient="w", **layer
        ),
        "layer-back-bias": lambda: play(
            ops.correlate_backward, batch, grouped, grad, gradient="bias", **layer
        ),
        "transposed": lambda: play(
            ops.correlate_transpose, batch, transposed, stride=2, output_padding=1
        ),
        "transposed-back-x": lambda: play(
            ops.correlate_transpose_backward,
            *(batch, transposed, _numbers(2, 3, 11, 13)),
            stride=2,
            output_padding=1,
        ),
        "transposed-back-w": lambda: play(
            ops.correlate_transpose_backward,
            *(batch, transposed, _numbers(2, 3, 11, 13)),
            stride=2,
            output_padding=1,
            gradient="w",
        ),
        "max-pool-ceil": lambda: play(ops.max_pool, image, **pooled),
        "avg-pool-ceil": lambda: play(ops.avg_pool, image, **pooled),
        "avg-pool-include": lambda: play(ops.avg_pool, image, count_include_pad=True, **pooled),
        "max-pool-back": lambda: play(ops.max_pool_backward, image, _numbers(4, 4), **pooled),
        "avg-pool-back": lambda: play(ops.avg_pool_backward, image, _numbers(4, 4), **pooled),
        "pad-constant": lambda: play(ops.pad, image, ((1, 2), (0, 3)), value=-7),
        "pad-replicate": lambda: play(ops.pad, image, 2, mode="replicate"),
        "pad-back": lambda: play(ops.pad_backward, _numbers(10, 11), (6, 7), 2, mode="reflect"),
        "relu": lambda: play(ops.relu, rough),
        "relu-back": lambda: play(ops.relu_backward, image, _numbers(6, 7)),
        "leaky": lambda: play(ops.leaky_relu, rough, 0.25),
        "leaky-back": lambda: play(ops.leaky_relu_backward, image, _numbers(6, 7)),
        "tanh": lambda: play(ops.tanh, rough),
        "tanh-back": lambda: play(ops.tanh_backward, floats, floats[::-1]),
        "sigmoid": lambda: play(ops.sigmoid, signal),
        "sigmoid-back": lambda: play(ops.sigmoid_backward, signal, _numbers(9)),
        "softmax-row": lambda: play(ops.softmax, signal / 4),
        "softmax": lambda: play(ops.softmax, batch / 4),
        "softmax-row-back": lambda: play(ops.softmax_backward, image, _numbers(6, 7)),
        "softmax-back": lambda: play(ops.softmax_backward, batch / 4, _numbers(2, 4, 5, 6)),
        "softmax-rough": lambda: play(ops.softmax, rough),
        "add": lambda: play(ops.add, batch, batch[::-1]),
        "subtract-row": lambda: play(ops.subtract, signal / 3, signal[::-1] / 7),
        "concat": lambda: play(ops.concat, batch, batch[:, :1] / 2),
        "flip-filters": lambda: play(ops.flip, grouped),
        "floats": lambda: play(ops.correlate, floats, floats[:2, :2]),
        "single-floats": lambda: play(
            ops.convolve, floats.astype(np.float32), floats[:3, :3].astype(np.float32)
        ),
        "rough": lambda: play(ops.correlate, rough, np.array([[1.0, 0.0], [0.0, -1.0]])),
        "rough-pool": lambda: play(ops.max_pool, rough, 2, stride=1),
        "large-integers": lambda: play(ops.correlate, image * 10**14, kernel),
        "tiny": lambda: play(ops.correlate, floats * 1e-8, floats[:2, :2]),
        "booleans": lambda: play(ops.correlate, image > 0, kernel > 0),
        "wide-kernel": lambda: play(ops.correlate, _numbers(15, 16), _numbers(11, 12)),
        "many-channels": lambda: play(ops.correlate, _numbers(40, 3, 3), _numbers(1, 40, 2, 2)),
        "long": lambda: play(ops.correlate, _numbers(300), row),
        "picture": lambda: play(ops.correlate, _numbers(28, 28), _numbers(3, 3)),
        "no-images": lambda: play(
            *(ops.correlate_backward, np.zeros((0, 2, 4, 4)), _numbers(3, 2, 2, 2)),
            np.zeros((0, 3, 3, 3)),
            gradient="w",
        ),
        "one-cell": lambda: play(ops.correlate, [[5]], [[2]]),
        "empty": lambda: play(ops.relu, np.zeros((0, 3))),
    }


ODD = _odd()
WORKED = {example.id: example for example in worked_examples() if has_windows(example)}
NAMES = (*WORKED, *ODD)
# Those that have a step to look at.
PLAYABLE = tuple(name for name in NAMES if name != "empty")

# One of each kind, for what would take too long with all of them.
SOME = (
    *("two-sequences", "vertical-edge-rgb", "even-kernel-same", "flip", "relu-4x4"),
    *("max-pool-4x4", "max-pool-backward", "signal-weights", "layer", "layer-back-x"),
    *("layer-back-bias", "transposed", "avg-pool-ceil", "avg-pool-back", "pad-back", "rough"),
    *("add", "concat", "tanh", "sigmoid-back", "softmax", "softmax-row-back"),
    *("wide-kernel", "many-channels", "long", "picture", "one-cell", "no-images"),
)


@cache
def sample(name: str) -> Trace:
    """Return the trace of that name."""
    return record_example(WORKED[name], "textbook") if name in WORKED else ODD[name]()


def steps_of(trace: Trace, most: int = 14) -> list[int]:
    """Return the first and the last step and some between."""
    return sorted({*np.linspace(0, len(trace) - 1, min(most, len(trace))).astype(int).tolist()})


__all__ = ["NAMES", "ODD", "PLAYABLE", "SOME", "WORKED", "sample", "steps_of"]
