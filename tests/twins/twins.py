"""For each kernel the public call that reaches it, and calls that tell a wrong kernel from a right.

A sum of floats is judged by the bound n·u·Σ|a·b| on either side. The textbook itself finds the
bound: the same call on absolute values gives Σ|a·b|, on ones it gives n.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

import stepconv
from stepconv.testing import strategies as some
from stepconv.testing.calls import Array, Call

Calls = st.SearchStrategy[Call]


@dataclass(frozen=True)
class Twin:
    """How one kernel is reached, by what calls, and which arrays are factors of its sums.

    Without factors there is no sum, and no rounding either: every bit has to agree. But functions
    such as e^x come from libraries, of which each rounds in its own way: where those are called,
    results may be so many `ulps` apart, of the largest gradient if it is one.
    """

    run: Callable[[Call, str], Array]
    calls: Callable[..., Calls]
    telling: Callable[[], tuple[Call, ...]]
    factors: tuple[str, ...] = ()
    terms: Callable[[Call], int | Array] | None = field(default=None)
    ulps: int = 0

    def bound(self, call: Call, rounding: float) -> Array:
        """Return for each cell how far two backends may be apart: each may err by n·u·Σ|a·b|."""
        wide = {name: call.arrays[name].astype(np.float64) for name in self.factors}
        size = self.run(call.but(**{name: np.abs(wide[name]) for name in wide}), "textbook")
        if self.terms:
            terms: Any = self.terms(call)
        else:
            ones = call.but(**{name: np.ones_like(wide[name]) for name in wide})
            terms = self.run(ones, "textbook")
        allowed: Array = 2 * np.asarray(terms) * rounding * np.asarray(size)
        return allowed

    def judge(self, call: Call, backend: str) -> None:
        """Hold a backend against the textbook: the type, the shape and every cell."""
        ref = np.asarray(self.run(call, "textbook"))
        comp = np.asarray(self.run(call, backend))
        assert (comp.dtype, comp.shape) == (ref.dtype, ref.shape)
        if not (self.factors or self.ulps) or ref.dtype.kind != "f":
            np.testing.assert_array_equal(comp, ref)
            return
        info = np.finfo(ref.dtype)
        if self.ulps:
            gradient = np.abs(call.arrays.get("grad_out", np.zeros(1))).max(initial=0)
            size = np.abs(ref).astype(np.float64) + float(gradient)
            allowed = self.ulps * (float(info.eps) * size + float(info.smallest_subnormal))
        else:
            allowed = self.bound(call, float(info.eps) / 2)
        off = np.abs(comp.astype(np.float64) - ref)
        assert (off <= allowed).all(), (
            f"off by up to {off.max()}, allowed is {allowed[off > allowed].min()}:\n{comp}\n{ref}"
        )


def public(name: str, which: int | None = None) -> Callable[[Call, str], Array]:
    """Return what makes a call of the public function, and takes one of its results."""

    def run(call: Call, backend: str) -> Array:
        result: Any = call.run(getattr(stepconv, name), backend=backend)
        chosen: Array = result if which is None else result[which]
        return chosen

    return run


def pad_backward(call: Call, backend: str) -> Array:
    """Fold a border back; of x only the shape is asked for."""
    shape = call.arrays["x"].shape
    result: Array = call.without("x", "value").run(
        stepconv.pad_backward, shape=shape, backend=backend
    )
    return result


def back(calls: Callable[..., Calls], forward: str) -> Callable[..., Calls]:
    """Return calls of a backward function, given those of the forward one."""
    function = getattr(stepconv, forward)
    return lambda dtype, **kind: some.backwards(calls(dtype=dtype, **kind), function, **kind)


def filled(shape: tuple[int, ...], seed: int) -> Array:
    """Return floats whose sums round; a cell or two come twice, which makes ties."""
    random = np.random.default_rng([seed, *shape])
    cells = random.uniform(-9, 9, shape)
    if cells.size:
        cells.flat[cells.size // 2] = cells.flat[0]
    return cells


def with_grad(calls: tuple[Call, ...], forward: str) -> Callable[[], tuple[Call, ...]]:
    """Return the calls of the backward function that belong to these, made when asked for."""

    def telling() -> tuple[Call, ...]:
        outs = [call.run(getattr(stepconv, forward)) for call in calls]
        return tuple(
            call.but(grad_out=filled(out.shape, 3)) for call, out in zip(calls, outs, strict=True)
        )

    return telling


def _slide(x: tuple[int, ...], w: tuple[int, ...], **options: Any) -> Call:
    return Call({"x": filled(x, 1), "w": filled(w, 2)}, options)


def _on(x: tuple[int, ...], **options: Any) -> Call:
    return Call({"x": filled(x, 1)}, options)


# One thing after the other that a fast kernel gets wrong first.
SLIDES = (
    _slide((9,), (4,)),
    _slide((1,), (1,)),
    _slide((4, 5), (4, 5)),
    _slide((7, 9), (3, 2), stride=(2, 3), padding=((0, 2), (1, 0)), dilation=(2, 3)),
    _slide((5, 6), (3, 3), padding="same", mode="reflect"),
    _slide((5, 6), (4, 2), padding="full", mode="circular"),
    _slide((3, 3), (2, 2), padding=3, stride=2, mode="replicate"),
    _slide((2, 3, 11), (4, 3, 3), padding="same", stride=2),
    _slide((2, 4, 6, 7), (6, 2, 3, 3), groups=2, padding=1),
    _slide((1, 4, 5, 5), (8, 1, 3, 3), groups=4, padding="same", stride=2),
    _slide((3, 5, 5), (2, 3, 5, 1), padding=(2, 0)),
    _slide((2, 2, 3, 37), (3, 2, 2, 5), dilation=(1, 2), stride=(1, 3)),  # wider than a vector
    _slide((1, 1, 8, 8), (1, 1, 2, 2), stride=5),  # cells that no window reads
    _slide((0, 2, 4, 4), (3, 2, 3, 3)),
)
POOLS = (
    _on((8,), window=2),
    _on((6, 7), window=3, stride=2),
    _on((6, 7), window=(3, 2), stride=1, padding=1),
    _on((2, 5, 5), window=3, stride=2, padding=(1, 0), ceil_mode=True),
    _on((2, 2, 7, 4), window=(2, 3), stride=(3, 1), padding=((0, 1), (2, 1)), ceil_mode=True),
    _on((2, 35), window=(5,), stride=3, padding="same"),
    _on((4, 4), window=4, padding="full", stride=1),
    _on((0, 4, 4), window=2),
)
DILATED = (
    _on((7, 8), window=(2, 3), dilation=(3, 2), stride=1, padding=1),
    _on((9,), window=3, dilation=2, stride=2, padding=3, ceil_mode=True),
)
AVERAGES = tuple(
    call.with_options(count_include_pad=include) for call in POOLS for include in (False, True)
)
PADS = (
    *(
        _on(shape, padding=padding, mode=mode)
        for mode in ("zeros", "reflect", "replicate", "circular")
        for shape, padding in (((5,), (4, 2)), ((4, 5), 3), ((2, 3, 4), ((0, 2), (3, 1))))
    ),
    _on((2, 2), padding=1, value=7.5),
    _on((0, 3, 3), padding=1),
)
BARE = (_on((7,)), _on((3, 4)), _on((0, 2)))
ROWS = (*BARE, _on((3, 4, 2)), _on((2, 5, 3, 4)), _on((0, 3, 2, 2)), _on((300,)))

DTYPES = ("float64", "float32", "int64")


def bare(*, dtype: Any = "float64", **kind: Any) -> Calls:
    """Return calls of what has no options."""
    one = dtype if isinstance(dtype, st.SearchStrategy) else st.just(dtype)
    return one.flatmap(lambda name: some.images(name, **kind)).map(lambda x: Call({"x": x}, {}))


def _gradients(which: int, *factors: str) -> Twin:
    return Twin(
        public("correlate_backward", which),
        back(some.correlations, "correlate"),
        with_grad(SLIDES, "correlate"),
        factors,
    )


def _curves(name: str, ulps: int) -> dict[str, Twin]:
    """Return the twins of an activation and its gradient."""
    calls, telling = bare, ROWS
    if name == "leaky_relu":
        telling = tuple(call.with_options(slope=0.25) for call in ROWS)
    back_to = f"{name}_backward"
    return {
        name: Twin(public(name), calls, lambda: telling, ulps=ulps),
        back_to: Twin(public(back_to), back(calls, name), with_grad(telling, name), ulps=ulps),
    }


def _pool_area(call: Call) -> int:
    """Return more terms than any sum of an average pool has, a division included."""
    return int(np.prod(np.broadcast_to(call.options["window"], 2))) + 1


TWINS: dict[str, Twin] = {
    "correlate": Twin(public("correlate"), some.correlations, lambda: SLIDES, ("x", "w")),
    "correlate_grad_x": _gradients(0, "w", "grad_out"),
    "correlate_grad_w": _gradients(1, "x", "grad_out"),
    "channel_sums": _gradients(2, "grad_out"),
    "pad": Twin(public("pad"), some.pads, lambda: PADS),
    "pad_backward": Twin(
        pad_backward,
        back(some.pads, "pad"),
        with_grad(PADS, "pad"),
        ("grad_out",),
    ),
    "max_pool": Twin(public("max_pool"), some.max_pools, lambda: POOLS + DILATED),
    "max_pool_backward": Twin(
        public("max_pool_backward"),
        back(some.max_pools, "max_pool"),
        with_grad(POOLS + DILATED, "max_pool"),
        ("grad_out",),
    ),
    "avg_pool": Twin(public("avg_pool"), some.avg_pools, lambda: AVERAGES, ("x",), _pool_area),
    "avg_pool_backward": Twin(
        public("avg_pool_backward"),
        back(some.avg_pools, "avg_pool"),
        with_grad(AVERAGES, "avg_pool"),
        ("grad_out",),
        _pool_area,
    ),
    "relu": Twin(public("relu"), bare, lambda: BARE),
    "relu_backward": Twin(
        public("relu_backward"),
        back(bare, "relu"),
        with_grad(BARE, "relu"),
    ),
    **_curves("leaky_relu", 0),
    **_curves("tanh", 4),
    **_curves("sigmoid", 4),
    **_curves("softmax", 4),
}
