"""Every number of a network's sheet, against published ones and against the network at work."""

from dataclasses import replace
from math import prod

import numpy as np
import pytest

from stepconv import nn
from stepconv.nn import shapes, twin
from stepconv.nn.zoo import famous

# Parameters as published: torchvision's tables; ZFNet's follow from the sizes in its paper.
PUBLISHED = {
    "alexnet": 61_100_840,
    "zfnet": 62_357_608,
    "vgg16": 138_357_544,
    "googlenet": 6_624_904,
    "resnet50": 25_557_032,
    "resnet152": 60_192_808,
    "densenet121": 7_978_856,
    "efficientnet-lite0": 4_652_008,
}
# Billions of multiply-adds, from the same tables.
OPERATIONS = {
    "alexnet": 0.71,
    "vgg16": 15.47,
    "googlenet": 1.50,
    "resnet50": 4.09,
    "resnet152": 11.51,
    "densenet121": 2.83,
}


def rows_of(model):
    return {row.name: row for row in shapes.rows(model.layers, model.input_shape)}


def test_every_sheet_has_a_published_sum():
    assert set(PUBLISHED) == set(famous.SHEETS)


@pytest.mark.parametrize("name", PUBLISHED)
def test_parameters_are_as_published(name):
    model = famous.build(name)
    rows = rows_of(model).values()
    assert sum(row.parameters for row in rows) == model.parameter_count == PUBLISHED[name]
    assert model.about


@pytest.mark.parametrize("name", OPERATIONS)
def test_multiplications_are_as_published(name):
    rows = rows_of(famous.build(name)).values()
    assert round(sum(row.multiplications for row in rows) / 1e9, 2) == OPERATIONS[name]


@pytest.mark.parametrize(
    ("name", "layer", "size", "sees"),
    [
        # Sizes as in the papers' tables. The fields of AlexNet's and VGG-16's last pools are in
        # Araujo et al., distill.pub 2019; a ResNet that halves in its 3x3 windows has 427 and 1451.
        ("alexnet", "conv1", (64, 55, 55), (11, 11)),
        ("alexnet", "max_pool3", (256, 6, 6), (195, 195)),
        ("zfnet", "conv1", (96, 110, 110), (7, 7)),
        ("zfnet", "conv2", (256, 26, 26), (27, 27)),
        ("zfnet", "max_pool3", (256, 6, 6), (171, 171)),
        ("vgg16", "max_pool5", (512, 7, 7), (212, 212)),
        ("googlenet", "concat1", (256, 28, 28), (43, 43)),
        ("googlenet", "concat9", (1024, 7, 7), (379, 379)),
        ("resnet50", "residual16", (2048, 7, 7), (427, 427)),
        ("resnet152", "residual50", (2048, 7, 7), (1451, 1451)),
        ("densenet121", "concat58", (1024, 7, 7), (2071, 2071)),
        ("densenet121", "dense1", (1000,), (224, 224)),
    ],
)
def test_sizes_and_receptive_fields(name, layer, size, sees):
    row = rows_of(famous.build(name))[layer]
    assert (row.output, row.sees) == (size, sees)


def test_the_lectures_280_and_67_500_000():
    (filters,) = shapes.rows((nn.Conv(10, 3),), (3, 32, 32))
    assert (filters.parameters, filters.parameter_formula) == (280, "280 = (3·3·3 + 1) · 10")
    (dense,) = shapes.rows((nn.Dense(1000, bias=False),), (67_500,))
    assert dense.parameter_formula == "67,500,000 = 67,500 · 1,000"


def test_a_small_network_row_by_row():
    rows = rows_of(nn.build("lenet5"))
    assert rows["conv1"].size_formulas == ("28 = (28 - 5 + 2·2) / 1 + 1",)
    assert rows["conv2"].size_formulas == ("10 = (14 - 5 + 2·0) / 1 + 1",)
    assert rows["flatten1"].size_formulas == ("400 = 16·5·5",)
    assert rows["relu1"].size_formulas == ()
    assert rows["conv2"].parameter_formula == "2,416 = (5·5·6 + 1) · 16"
    assert rows["conv2"].multiplications == 16 * 10 * 10 * 5 * 5 * 6
    assert [row.sees[0] for row in rows.values()][:7] == [5, 5, 6, 14, 14, 16, 16]


def test_rows_and_columns_that_differ_have_a_formula_each():
    (row,) = shapes.rows((nn.Conv(2, (3, 5), stride=(1, 2), bias=False),), (1, 9, 12))
    assert row.size_formulas == (
        "7 = (9 - 3 + 2·0) / 1 + 1",
        "4 = floor((12 - 5 + 2·0) / 2) + 1",
    )
    assert row.parameter_formula == "30 = 3·5·1 · 2"
    assert row.sees == (3, 5)


def test_groups_read_their_share_of_the_channels():
    (row,) = shapes.rows((nn.Conv(8, 3, groups=2),), (6, 9, 9))
    assert row.parameter_formula == "224 = (3·3·3 + 1) · 8"


@pytest.mark.parametrize("name", [*nn.ZOO, *famous.SHEETS])
def test_formulas_say_what_is_counted(name):
    model = nn.build(name) if name in nn.ZOO else famous.build(name)
    for row in rows_of(model).values():
        for formula in row.size_formulas:
            left, _, right = formula.partition(" = ")
            assert int(left.replace(",", "")) in row.output or row.kind == "global-avg-pool"
            assert evaluated(right) == int(left.replace(",", ""))
        if row.parameters:
            left, _, right = row.parameter_formula.partition(" = ")
            assert evaluated(right) == int(left.replace(",", "")) == row.parameters
        else:
            assert row.parameter_formula == ""


def evaluated(formula):
    from math import ceil, floor

    plain_signs = formula.replace("·", "*").replace(",", "")
    assert set(plain_signs) <= set("0123456789+-*/() floorceil")
    return eval(plain_signs, {"floor": floor, "ceil": ceil})


@pytest.mark.parametrize("name", nn.ZOO)
def test_shapes_are_those_of_the_network_at_work(name):
    model = nn.build(name)
    parameters, statistics = nn.initial_parameters(model, 0), nn.initial_statistics(model)
    rows = rows_of(model)
    assert sum(row.parameters for row in rows.values()) == sum(map(np.size, parameters.values()))
    answers = twin.logits(model, parameters, statistics, np.zeros((1, 1, 28, 28), np.float32))
    assert [*rows.values()][-1].output == answers.shape[1:]


@pytest.mark.slow
def test_a_field_is_what_changes_a_cell():
    """Light one pixel after the other: those that a cell answers to fill its receptive field."""
    inner = (nn.Conv(1, 3, padding=1, bias=False), nn.Conv(1, 3, padding=1, bias=False))
    layers = (
        nn.Conv(1, 3, padding=1, bias=False),
        nn.Residual(inner),
        nn.Concat(((nn.MaxPool(2),), (nn.Conv(1, 4, stride=2, padding=1, bias=False),))),
    )
    shape = (1, 20, 20)
    row = shapes.rows(layers, shape)[-1]
    model = nn.Model("lit", shape, (*layers, nn.Flatten()), prod(row.output))
    ones = {name: np.ones(s, np.float32) for name, s in model.parameter_shapes.items()}
    lit = np.eye(400, dtype=np.float32).reshape(400, *shape)
    answers = twin.logits(model, ones, {}, lit).reshape(400, *row.output)
    of_middle = answers[:, :, 5, 5].any(axis=1).reshape(20, 20)
    assert of_middle.any(axis=1).sum() == row.sees[0]
    assert of_middle.any(axis=0).sum() == row.sees[1]


def test_another_picture_changes_sizes_and_no_window():
    model = nn.build("mini-resnet")
    larger = replace(model, input_shape=(1, 64, 64))
    pairs = zip(rows_of(model).values(), rows_of(larger).values(), strict=True)
    for small, large in pairs:
        assert small.parameters == large.parameters
        assert small.output[0] == large.output[0]
