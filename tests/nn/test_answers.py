"""Answers for a few pictures at once, a channel in each lane: those of the plain semantics."""

from typing import Any

import numpy as np
import pytest

from stepconv import nn
from stepconv.errors import StepconvError
from stepconv.geometry import Axis, Plan
from stepconv.kernels.compile import use_threads
from stepconv.kernels.compile.threads import most_threads
from stepconv.kernels.cpu.lanes.rows import LANES
from stepconv.nn import AvgPool, Conv, Dense, Flatten, MaxPool, Model, ReLU, twin
from stepconv.nn.cpu.channels import winograd
from stepconv.nn.cpu.channels.memory import lives, places
from stepconv.nn.cpu.channels.program import ChannelProgram
from stepconv.nn.cpu.channels.windows import window_table
from stepconv.nn.published.fixed import ChannelShuffle, LocalNorm, ReLU6
from stepconv.nn.steps.folding import FoldedStep, fold
from stepconv.nn.steps.lowering import lower
from stepconv.nn.steps.records import AddStep, NormStep
from stepconv.nn.steps.weights import Weights
from tests.nn.networks import STACKS, batch, network, remembered, some_of_the_zoo, weights
from tests.nn.test_winograd import STACKS as BY_NAME

_END = (Flatten(), Dense(3))
# Channels and pixels that fill vectors, tiles and tasks, or leave some of them over.
WIDE: dict[str, tuple[tuple[int, int, int], tuple[nn.Layer, ...]]] = {
    f"{channels} to {filters}": (
        (channels, 9, 11),
        (Conv(filters, 3, padding=1), ReLU(), Conv(5, 1), *_END),
    )
    for channels, filters in [(1, 16), (16, 17), (65, 64), (70, 81), (130, 100), (3, 48)]
} | {
    "300 to 20, pointwise": ((300, 5, 5), (ReLU(), Conv(20, 1), *_END)),
    "a window of many taps": ((2, 25, 25), (ReLU(), Conv(4, 19, padding=9), *_END)),
    "groups": (
        (24, 7, 7),
        (ReLU(), Conv(40, 3, padding=1, groups=4), Conv(36, 1, groups=2), *_END),
    ),
    "depthwise": (
        (70, 13, 9),
        (ReLU(), Conv(70, 3, 2, 1, groups=70), ReLU(), Conv(70, 5, groups=70, bias=False), *_END),
    ),
    "wide pools": (
        (37, 15, 13),
        (ReLU(), MaxPool(3, 2, 1), AvgPool(2, ceil_mode=True), Conv(40, 1), MaxPool(2, 1), *_END),
    ),
    "many pixels": ((3, 64, 61), (Conv(20, 5, 2, 2), ReLU(), Conv(6, 3, 2), MaxPool(2), *_END)),
    "colours in a row": ((3, 12, 10), (Conv(9, (3, 5), (1, 2), (1, 2)), ReLU(), *_END)),
    "colours with gaps": ((3, 12, 10), (Conv(9, 3, padding=2, dilation=2), ReLU(), *_END)),
    "colours in groups": ((4, 12, 10), (Conv(6, 3, groups=2), ReLU(), *_END)),
    "fixed": (
        (12, 6, 5),
        (
            *(Conv(12, 3, padding=1), ReLU6(), LocalNorm(5, 0.3), ChannelShuffle(3)),
            *(LocalNorm(4, 0.2, 0.6, 1.5), Conv(20, 1), ReLU6(), ReLU6(), *_END),
        ),
    ),
    "answers that are planes": ((3, 5, 4), (Conv(2, 3), Conv(1, 2), Flatten())),
    "a shuffle of a flat row": ((3, 4, 2), (Flatten(), ReLU(), ChannelShuffle(4), Dense(3))),
}


def model_of(name: str) -> Model:
    if name not in WIDE:
        return network(name)
    shape, layers = WIDE[name]
    return Model(name, shape, layers, nn.layers.through(layers, shape)[0])


def program(model: Model, size: int = 4, scale: float = 1.0, **options: Any) -> ChannelProgram:
    known = Weights(model, weights(model), remembered(model))
    return ChannelProgram(model, known, size, scale=scale, **options)


def answers_of_twin(model: Model, x: Any) -> Any:
    values, stats = (
        {name: array.astype(np.float64) for name, array in arrays.items()}
        for arrays in (weights(model), remembered(model))
    )
    return twin.logits(model, values, stats, x.astype(np.float64))


@pytest.mark.parametrize("name", [*STACKS, *WIDE, *some_of_the_zoo("mlp", "lenet5")])
def test_answers_are_those_of_the_twin(name: str) -> None:
    model = model_of(name)
    x, _ = batch(model, 3)
    ref, made = answers_of_twin(model, x), program(model)
    for count in (1, 3):
        comp = made.answers(x, None, count)
        assert np.abs(comp - ref[:count]).max() <= 1e-5 * max(1, np.abs(ref).max())


@pytest.mark.parametrize("by_name", [False, True])
@pytest.mark.parametrize("name", ["residual", "concat grown", "70 to 81", "depthwise", "fixed"])
def test_bits_do_not_depend_on_company_or_threads(
    name: str, by_name: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(winograd, "is_faster", lambda plan, pictures: True)
    model = model_of(name)
    x, _ = batch(model, 5)
    made = program(model, 5, winograd=by_name)
    together = made.answers(x, None, 5)
    try:
        use_threads(1)
        alone = [made.answers(x[k : k + 1], None, 1)[0] for k in range(5)]
    finally:
        use_threads(most_threads())
    assert np.array_equal(together, alone)
    order = np.array([3, 0, 4])
    assert np.array_equal(made.answers(x, order, 3), together[order])
    assert np.array_equal(made.answers(x, None, 5), together)


@pytest.mark.parametrize(
    ("channels", "layer"),
    [
        (130, Conv(20, 3, padding=1)),
        (300, Conv(17, 1)),
        (20, Conv(3, 7, 2, 3)),
        (48, Conv(48, 5, groups=48)),
        (32, Conv(64, 3, groups=2)),
    ],
)
def test_sums_keep_their_bound(channels: int, layer: Conv) -> None:
    """A sum of n products, a bias counted as one, is off by at most n · u · Σ|a · b|."""
    stacked = (ReLU(), layer, Flatten())
    model = Model(
        "sums", (channels, 9, 8), stacked, nn.layers.through(stacked, (channels, 9, 8))[0]
    )
    x, values = abs(batch(model, 2)[0]), weights(model)
    comp = ChannelProgram(model, Weights(model, values, {}), 2, scale=1.0).answers(x, None, 2)
    wide = {name: array.astype(np.float64) for name, array in values.items()}
    exact = twin.logits(model, wide, {}, x.astype(np.float64))
    sums = twin.logits(model, {name: abs(a) for name, a in wide.items()}, {}, x.astype(np.float64))
    terms = values["conv1.weight"][0].size + 1
    assert np.all(np.abs(comp - exact) <= terms * 2.0**-24 * sums)


@pytest.mark.parametrize("band", [winograd._BAND, 2**16])
@pytest.mark.parametrize("name", BY_NAME)
def test_answers_by_name_are_those_of_the_twin(
    name: str, band: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape, stacked = BY_NAME[name]
    model = Model(name, shape, stacked, 3)
    monkeypatch.setattr(winograd, "is_faster", lambda plan, pictures: True)
    monkeypatch.setattr(winograd, "_BAND", band)
    x, _ = batch(model, 3)
    ref, direct = answers_of_twin(model, x), program(model).answers(x, None, 3)
    made = program(model, winograd=True)
    comp = made.answers(x, None, 3)
    assert np.abs(comp - ref).max() <= 5e-5 * max(1, np.abs(ref).max())
    assert not np.array_equal(comp, direct)
    assert np.array_equal(made.answers(x[2:], None, 1), comp[2:])


def test_what_is_faster_by_name() -> None:
    def plan(channels: int, filters: int, side: int) -> Plan:
        axis = Axis(size=side, window=3, before=1, after=1)
        return Plan((axis, axis), channels, filters)

    assert winograd.is_faster(plan(64, 64, 56), 1)
    # Transforms cost as much as they save; weights are read that are used four times.
    assert not winograd.is_faster(plan(4, 4, 56), 1)
    assert not winograd.is_faster(plan(512, 512, 7), 1)
    assert winograd.is_faster(plan(512, 512, 7), 16)
    for odd in (Conv(4, 3, 2), Conv(4, 5), Conv(4, 3, dilation=2), Conv(4, 3, groups=2)):
        assert not winograd.fits(odd.plan((4, 9, 9)))


def test_a_predictor_goes_the_way_that_is_asked_for() -> None:
    model = Model("wide", (3, 20, 20), (Conv(64, 1), Conv(64, 3, padding=1), *_END), 3)
    x, _ = batch(model, 2)
    found = {
        (way, size): nn.Predictor(model, weights(model), batch_size=size, algorithm=way).logits(x)
        for way in ("direct", "winograd")
        for size in (2, 2 * LANES)
    }
    for size in (2, 2 * LANES):
        direct, by_name = found["direct", size], found["winograd", size]
        assert not np.array_equal(direct, by_name)
        assert np.allclose(direct, by_name, atol=1e-4 * np.abs(direct).max())
    with pytest.raises(StepconvError, match="algorithm='fast' is not known"):
        nn.Predictor(model, weights(model), algorithm="fast")


def test_pictures_may_be_bytes() -> None:
    model = network("conv")
    x = np.random.default_rng(0).integers(0, 256, (3, *model.input_shape)).astype(np.uint8)
    fed = (x * np.float32(0.01) + np.float32(-0.5)).astype(np.float32)
    comp = program(model, scale=0.01, shift=-0.5).answers(x, None, 3)
    assert np.allclose(comp, program(model).answers(fed, None, 3), atol=1e-5)


def test_a_pool_hands_on_what_is_not_a_number() -> None:
    model = Model("pools", (17, 4, 4), (MaxPool(2), Flatten()), 68)
    x = np.arange(2 * 17 * 16, dtype=np.float32).reshape(2, 17, 4, 4) - 300
    x[0, 3, 1, 1], x[1, 16, 3, 2] = np.nan, -np.inf
    ref = twin.logits(model, {}, {}, x)
    assert np.array_equal(program(model, 2).answers(x, None, 2), ref, equal_nan=True)


def test_a_predictor_holds_channels_where_images_would_leave_lanes_empty() -> None:
    model = network("batch norm")
    values, stats = weights(model), remembered(model)
    x, _ = batch(model, 9)
    few, many = (nn.Predictor(model, values, stats, batch_size=size) for size in (2, LANES))
    found = few.logits(x)
    assert isinstance(few._asking, ChannelProgram)
    assert np.allclose(found, many.logits(x), atol=1e-4)
    assert not isinstance(many._asking, ChannelProgram)
    assert np.array_equal(few.logits(x[8:]), found[8:])
    few.load({name: 2 * array for name, array in values.items()})
    assert not np.allclose(few.logits(x), found, atol=1e-2)


def test_what_follows_sums_is_done_with_them() -> None:
    model = network("residual")
    steps = fold(lower(model, training=False).steps)
    folded = [step for step in steps if isinstance(step, FoldedStep)]
    assert sum(step.norm is not None for step in folded) == 2
    assert sum(step.other is not None for step in folded) == 2
    # What is left: after a ReLU nothing can be added on the way, nor a tensor to itself.
    assert sum(isinstance(step, AddStep) for step in steps) == 2
    assert not any(isinstance(step, NormStep) for step in steps)


@pytest.mark.parametrize("name", STACKS)
def test_no_tensor_lies_on_another_of_its_time(name: str) -> None:
    made = lower(network(name), training=False)
    steps = fold(made.steps)
    life = lives(steps, made.x, made.y)
    sizes = {t: t.cells for t in life}
    at, size = places(sizes, life)
    for one in life:
        assert at[one] + sizes[one] <= size
        for other in life:
            together = life[one][0] <= life[other][1] and life[other][0] <= life[one][1]
            if one is not other and together:
                apart = at[one] + sizes[one] <= at[other], at[other] + sizes[other] <= at[one]
                assert any(apart)
    assert size <= sum(sizes.values())


def test_a_table_says_where_a_window_reads() -> None:
    plan = Plan((Axis(size=2, window=2, before=1), Axis(size=3, window=1, stride=2)))
    assert window_table(plan, 8).reshape(2, 2, 2).tolist() == [
        [[-1, 0], [-1, 16]],
        [[0, 24], [16, 40]],
    ]
    assert window_table(plan, 8, 2).reshape(2, 2, 2, 2)[1, 0].tolist() == [[-1, 48], [-1, 64]]
