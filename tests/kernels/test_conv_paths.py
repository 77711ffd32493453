"""Each kernel that may be chosen, held against the textbook on shapes that only it serves."""

import numpy as np
import pytest

import stepconv
from stepconv.kernels.cpu.conv import (
    choose,
    few_filters,
    few_filters_weights,
    filter_weights,
    loops,
    many_filters,
    many_filters_weights,
    winograd,
)
from stepconv.testing.calls import Call
from tests.twins.twins import TWINS, filled

Sizes = tuple[int, ...]


def call(x: Sizes, w: Sizes, **options: object) -> Call:
    """Return a layer's call on numbers whose sums round."""
    out = stepconv.correlate(np.zeros(x), np.zeros(w), **options, backend="cpu").shape  # type: ignore[arg-type]
    return Call({"x": filled(x, 1), "w": filled(w, 2), "grad_out": filled(out, 3)}, options)


# Widths run through the remainders that a vector leaves, rows and filters through those of a tile.
LAYERS = {
    "a filter more than lanes": ((2, 3, 6, 9), (17, 3, 3, 3), {"padding": 1}),
    "four vectors of filters": ((1, 2, 5, 7), (64, 2, 2, 3), {}),
    "more than four vectors": ((1, 1, 4, 5), (70, 1, 3, 3), {"padding": 2}),
    "strides": ((1, 2, 9, 11), (6, 2, 3, 3), {"stride": (2, 3), "padding": 2}),
    "strides of rows": ((1, 2, 9, 20), (3, 2, 3, 3), {"stride": (2, 1), "padding": 1}),
    "dilation": ((2, 2, 9, 18), (2, 2, 2, 3), {"dilation": (3, 2), "padding": (1, 2)}),
    "groups": ((2, 4, 5, 16), (40, 2, 3, 3), {"groups": 2, "padding": "same"}),
    "a stride longer than the kernel": ((1, 2, 8, 8), (3, 2, 2, 2), {"stride": 3}),
    "padding wider than the image": ((1, 1, 2, 3), (6, 1, 3, 3), {"padding": 4}),
    "padding on two sides": ((1, 2, 4, 33), (10, 2, 2, 2), {"padding": ((2, 0), (0, 3))}),
    "a signal": ((2, 3, 70), (2, 3, 5), {"padding": "full"}),
    "one cell": ((3, 2, 1, 1), (6, 2, 1, 1), {}),
}
KERNELS = ("correlate", "correlate_grad_x", "correlate_grad_w")


@pytest.fixture(autouse=True)
def tiles_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tiles serve however few products there are."""
    monkeypatch.setattr(choose, "_FEW", 0)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note which kernels are chosen."""
    names: list[str] = []

    def watched(module: object, name: str) -> None:
        function = getattr(module, name)

        def watch(*args: object) -> None:
            names.append(f"{module.__name__.rpartition('.')[2]}")  # type: ignore[attr-defined]
            function(*args)

        monkeypatch.setattr(module, name, watch)

    for module in (many_filters, few_filters, winograd):
        watched(module, "apply_passes" if module is many_filters else "apply_pass")
    for module in (many_filters_weights, few_filters_weights, filter_weights):
        watched(module, "weigh")
    watched(loops, "correlate")
    return names


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kernel", ["many_filters", "few_filters"])
@pytest.mark.parametrize(("x", "w", "options"), LAYERS.values(), ids=list(LAYERS))
def test_layers(
    x: Sizes,
    w: Sizes,
    options: dict[str, object],
    kernel: str,
    dtype: str,
    taken: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Lanes without work decide between the two: none, or more than there are.
    monkeypatch.setattr(
        choose, "_waste", lambda *_: {"many_filters": 0.0, "few_filters": np.inf}[kernel]
    )
    made = call(x, w, **options)
    taken.clear()
    judge(made, dtype)
    assert kernel in taken or options.get("stride") in (3, (2, 3))
    assert "loops" not in taken


@pytest.mark.slow
@pytest.mark.parametrize("cells", [1, 5])
@pytest.mark.parametrize("kernel", ["many_filters", "few_filters"])
@pytest.mark.parametrize(("x", "w", "options"), LAYERS.values(), ids=list(LAYERS))
def test_rows_cut_into_pieces(
    x: Sizes,
    w: Sizes,
    options: dict[str, object],
    kernel: str,
    cells: int,
    taken: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        choose, "_waste", lambda *_: {"many_filters": 0.0, "few_filters": np.inf}[kernel]
    )
    for module in {
        "many_filters": (many_filters, many_filters_weights),
        "few_filters": (few_filters, few_filters_weights),
    }[kernel]:
        monkeypatch.setattr(module, "_CELLS", cells)
    made = call(x, w, **options)
    taken.clear()
    judge(made, "float32")
    assert kernel in taken or options.get("stride") in (3, (2, 3))


DEPTHWISE = {
    "same": ((3, 5, 9, 21), (3, 3), {"padding": 1}),
    "wide": ((1, 2, 40, 300), (5, 5), {"padding": 2}),
    "a kernel of several blocks": ((2, 3, 20, 33), (7, 11), {}),
    "strides": ((2, 4, 19, 40), (3, 3), {"stride": (2, 3), "padding": 1}),
    "dilation": ((2, 3, 18, 50), (3, 4), {"dilation": (2, 3), "padding": (2, 1)}),
    "padding on two sides": ((1, 3, 6, 17), (2, 3), {"padding": ((2, 0), (0, 4))}),
    "one row": ((2, 2, 1, 70), (1, 9), {"padding": "full"}),
    "one cell": ((3, 2, 1, 1), (1, 1), {}),
}


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("x", "kernel", "options"), DEPTHWISE.values(), ids=list(DEPTHWISE))
def test_depthwise_layers(
    x: Sizes, kernel: Sizes, options: dict[str, object], dtype: str, taken: list[str]
) -> None:
    made = call(x, (x[1], 1, *kernel), groups=x[1], **options)
    taken.clear()
    judge(made, dtype)
    assert "filter_weights" in taken
    assert "loops" not in taken


def judge(made: Call, dtype: str) -> None:
    for kernel in KERNELS:
        arrays = {name: array.astype(dtype) for name, array in made.arrays.items()}
        if kernel == "correlate":
            del arrays["grad_out"]
        TWINS[kernel].judge(Call(arrays, made.options), "cpu")


@pytest.mark.slow
@pytest.mark.parametrize("size", [(8, 8), (9, 14), (3, 5)])
@pytest.mark.parametrize("groups", [1, 2])
def test_winograd_is_near(size: Sizes, groups: int, taken: list[str]) -> None:
    """F(4x4, 3x3) has no bound of n·u·Σ|a·b|; 64 of them hold at these sizes."""
    made = call((2, 6, *size), (20, 6 // groups, 3, 3), padding=1, groups=groups)
    arrays = {name: array.astype(np.float32) for name, array in made.arrays.items()}
    for which, kernel in ((None, "correlate"), (0, "correlate_grad_x")):
        given = {name: arrays[name] for name in arrays if which is not None or name != "grad_out"}
        function = stepconv.correlate if which is None else stepconv.correlate_backward
        results = [
            Call(given, made.options).run(function, algorithm=name)
            for name in ("winograd", "direct")
        ]
        found, ref = results if which is None else [result[which] for result in results]
        allowed = 64 * TWINS[kernel].bound(Call(given, made.options), 2.0**-24)
        assert (np.abs(found - ref) <= allowed).all()
        assert not np.array_equal(found, ref)
    assert "winograd" in taken


@pytest.mark.slow
def test_winograd_serves_3x3_windows_alone(taken: list[str]) -> None:
    cases: list[tuple[Sizes, dict[str, object]]] = [
        ((16, 2, 2, 2), {}),
        ((16, 2, 3, 3), {"stride": 2}),
        ((16, 2, 3, 3), {"dilation": 2}),
    ]
    for w, options in cases:
        made = call((1, 2, 9, 9), w, **options)
        taken.clear()
        made.without("grad_out").run(stepconv.correlate, algorithm="winograd")
        assert taken == ["many_filters"]


def test_nan_and_inf_stay_where_they_are() -> None:
    """What vectors load beyond the last cell of a row must not reach a sum."""
    for filters in (3, 16):
        made = call((1, 1, 6, 21), (filters, 1, 3, 3), padding=1)
        for value in (np.nan, np.inf):
            x = made.arrays["x"].astype(np.float32)
            x[0, 0, 2, 20] = value
            x[0, 0, 5, 0] = value
            spoiled = made.but(x=x)
            for which, name in enumerate(KERNELS):
                ref, comp = (
                    TWINS[name].run(spoiled.without("grad_out") if which == 0 else spoiled, backend)
                    for backend in ("textbook", "cpu")
                )
                np.testing.assert_array_equal(np.isfinite(comp), np.isfinite(ref))
                np.testing.assert_array_equal(np.isnan(comp), np.isnan(ref))
