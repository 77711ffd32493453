"""Which pixels a cell sees, held against a linear network that is shown one pixel at a time."""

from typing import Any

import numpy as np
import pytest

from stepconv import look_inside, nn
from stepconv.geometry import Axis
from stepconv.inside.network import Network
from stepconv.inside.reach import hull, spans_back, start_spans, union
from stepconv.nn import layers
from stepconv.nn.model import stack
from stepconv.nn.shapes import rows
from tests.inside.looks import looked
from tests.nn.networks import STACKS, network, some_of_the_zoo, weights


def linear(stacked: Any, shape: Any) -> tuple[Any, ...]:
    """Return the same stack without anything that bends: max pools weigh their cells instead."""
    found: list[layers.Layer] = []
    for place in stack(stacked, shape):
        layer = place.layer
        match layer:
            case nn.ReLU() | nn.LeakyReLU() | nn.Tanh() | nn.Sigmoid() | nn.BatchNorm():
                layer = nn.Dropout()
            case nn.MaxPool():
                axes = layer.plan(place.input).axes
                found.append(
                    nn.Conv(
                        place.input[0],
                        tuple(axis.window for axis in axes),
                        tuple(axis.stride for axis in axes),
                        tuple((axis.before, _behind(axis)) for axis in axes),
                        tuple(axis.dilation for axis in axes),
                        groups=place.input[0],
                        bias=False,
                    )
                )
                continue
            case nn.Residual(body=body, shortcut=shortcut):
                layer = nn.Residual(linear(body, place.input), linear(shortcut, place.input))
            case nn.Concat(branches=branches):
                layer = nn.Concat(tuple(linear(branch, place.input) for branch in branches))
        found.append(layer)
    return tuple(found)


def _behind(axis: Axis) -> int:
    """Return the padding by which as many windows fit as in ceil_mode."""
    return max(0, (axis.output - 1) * axis.stride + axis.span - axis.size - axis.before)


def answers(model: nn.Model, chosen: Any) -> dict[str, Any]:
    """Return what each layer of the linear network says to each chosen pixel alone."""
    straight = nn.Model(
        "linear", model.input_shape, linear(model.layers, model.input_shape), model.classes
    )
    parameters = weights(straight, np.float64)
    parameters = {key: a * (not key.endswith("bias")) for key, a in parameters.items()}
    made = Network(straight, parameters, {})
    pixels = np.eye(int(np.prod(model.input_shape)))[chosen]
    values = made.forward(pixels.reshape(-1, *model.input_shape))
    names = [place.name for place in model.places]
    return dict(zip(["input", *names], values.values(), strict=True))


@pytest.mark.parametrize("name", [*STACKS, *some_of_the_zoo()])
def test_cells_are_those_that_a_linear_network_answers_to(name: str) -> None:
    inside = looked(name)
    every = np.arange(inside.input.size)
    chosen = np.random.default_rng(1).permutation(every)[:100]
    expected = answers(inside.model, chosen)
    for layer in inside.layers:
        shape = inside[layer].shape
        for index in np.ndindex(shape) if np.prod(shape) < 12 else places(shape):
            field = inside.field(layer, index)
            reached = expected[layer][(slice(None), *index)] != 0
            assert np.array_equal(field.cells.reshape(-1)[chosen], reached), (layer, index)
            inside_bounds(field)
            assert not (field.path["input"] & ~field.cells).any()
            assert not ((field.influence != 0) & ~field.path["input"]).any()


def places(shape: Any) -> list[Any]:
    """Return the corners and some cells between."""
    draw = np.random.default_rng(0)
    corners = [(0,) * len(shape), tuple(size - 1 for size in shape)]
    return corners + [tuple(draw.integers(0, shape)) for _ in range(4)]


def inside_bounds(field: Any) -> None:
    """Check that no pixel outside of the bounds is seen."""
    seen = field.cells.any(axis=0)
    (top, bottom), (left, right) = field.bounds
    down, across = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
    if down.size:
        assert top <= down[0] <= down[-1] < bottom
        assert left <= across[0] <= across[-1] < right


@pytest.mark.slow
@pytest.mark.parametrize("name", some_of_the_zoo("lenet5"))
def test_influence_is_what_a_small_push_does(name: str) -> None:
    inside = looked(name, np.float64)
    model, network_ = inside.model, inside.network
    for layer in inside.layers[1::5]:
        index = tuple(size // 2 for size in inside[layer].shape)
        field = inside.field(layer, index)
        draw = np.random.default_rng(5)
        for pixel in [(0, *draw.integers(4, 24, 2)) for _ in range(4)]:
            found = []
            for way in (1e-6, -1e-6):
                pushed = inside.input.copy()
                pushed[pixel] += way
                look = look_inside(
                    model,
                    pushed,
                    parameters=network_.parameters,
                    statistics=network_.statistics,
                )
                found.append(look[layer].output[index])
            expected = (found[0] - found[1]) / 2e-6
            assert field.influence[pixel] == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_bounds_are_worked_out_by_hand() -> None:
    inside = looked("lenet5")
    # A window of 5 from row 6 - 2 on; two of these rows go into a pool, and 5 pools into conv2.
    assert inside.field("conv1", (0, 6, 0)).bounds == ((4, 9), (-2, 3))
    assert inside.field("max_pool1", (0, 3, 0)).bounds == ((4, 10), (-2, 4))
    assert inside.field("conv2", (3, 4, 5)).bounds == ((6, 20), (8, 22))
    assert inside.field("conv2", (3, 4, 5)).cells.shape == (1, 28, 28)
    assert inside.field("dense1", 0).bounds == ((-2, 30), (-2, 30))
    assert inside.field("dense1", 0).cells.all()
    assert "14" not in inside.field("conv2", (3, 4, 5)).in_words().partition(":")[0]


@pytest.mark.parametrize("name", ["mini-resnet", "mini-googlenet"])
def test_all_channels_together_see_what_shapes_says(name: str) -> None:
    model = network(name)
    graph = Network(model, {}, {}).graph
    for row in rows(model.layers, model.input_shape):
        if len(row.output) == 3:
            one = start_spans(row.output, tuple(size // 2 for size in row.output))
            every = np.repeat(hull(one)[None], len(one), axis=0)
            wide = hull(graph.back(row.name, every, spans_back, union)["input"])
            assert tuple(wide[:, 1] - wide[:, 0]) == row.sees


def test_a_path_ends_at_the_largest_pixel() -> None:
    model = nn.Model("pools", (1, 8, 8), (nn.MaxPool(2), nn.MaxPool(2), nn.Flatten()), 4)
    picture = np.random.default_rng(1).random((8, 8))
    inside = look_inside(model, picture, parameters={})
    field = inside.field("max_pool2", (0, 1, 0))
    assert np.argwhere(field.path["input"][0]).tolist() == [
        list(np.unravel_index(np.where(field.cells[0], picture, -1).argmax(), (8, 8)))
    ]
    assert field.path["max_pool1"].sum() == 1
    assert field.reach["max_pool1"].sum() == 4
    assert np.array_equal(field.influence, field.path["input"])
    assert field.activation == picture[4:, :4].max().astype(np.float32)
