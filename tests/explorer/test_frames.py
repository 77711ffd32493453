"""The explorer's frames: planes, pixels, columns and paths as plain data."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepconv import nn
from stepconv.explorer.frame import pixels
from stepconv.explorer.frame.columns import columns
from stepconv.explorer.frame.planes import index_of, place_of, plane_shape, planes, row_shape
from stepconv.inside import identity
from tests.explorer.samples import some_digits, weights


class TestPlanes:
    @given(st.integers(1, 3000))
    def test_every_cell_of_a_row_has_one_place(self, count):
        rows, wide = row_shape(count)
        places = [place_of((count,), (number,)) for number in range(count)]
        assert len(set(places)) == count
        assert all(plane == 0 and row < rows and column < wide for plane, row, column in places)
        assert [index_of((count,), *place) for place in places] == [(n,) for n in range(count)]

    @given(st.integers(1, 400))
    def test_a_row_is_laid_out_in_its_order_and_gaps_are_0(self, count):
        row = np.arange(1, count + 1)
        laid = planes(row)
        assert laid.shape == plane_shape((count,))
        assert laid.reshape(-1)[:count].tolist() == row.tolist()
        assert not laid.reshape(-1)[count:].any()

    def test_maps_are_planes_already(self):
        maps = np.arange(24).reshape(2, 3, 4)
        assert planes(maps) is maps
        assert index_of((2, 3, 4), *place_of((2, 3, 4), (1, 2, 3))) == (1, 2, 3)


def tones(block):
    """Return the colours of a picture, pixel by pixel."""
    rows = []
    for line in block.lines:
        pairs = [piece.role.partition(" on ") for piece in line]
        rows.append([pair[0] for pair in pairs])
        if pairs[0][2]:
            rows.append([pair[2] for pair in pairs])
    return rows


class TestPixels:
    def test_of_one_sign_it_is_gray_from_black_to_white(self):
        drawn = pixels.drawn(np.array([[0, 1], [2, 4]]), 2, 2, 4, signed=False)
        assert tones(drawn) == [["#000000", pixels.colour(31 + 4)], ["#888888", "#ffffff"]]

    def test_of_both_signs_it_is_blue_and_orange_round_black(self):
        drawn = pixels.drawn(np.array([[-1.0, 0.0, 1.0]]), 1, 3, 1, signed=True)
        assert tones(drawn) == [["#409cff", "#000000", "#ff9620"]]

    @given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 30), st.integers(1, 30))
    def test_a_plane_takes_the_pixels_that_it_is_given(self, rows, columns, down, across):
        plane = np.arange(rows * columns, dtype=float).reshape(rows, columns)
        drawn = pixels.drawn(plane, down, across, plane.max() or 1, signed=False, part="p")
        found = tones(drawn)
        assert (len(found), {len(row) for row in found}) == (down, {across})
        assert drawn.height == (down + 1) // 2
        spots = [piece.spot for line in drawn.lines for piece in line]
        assert all(spot.row < rows and spot.column < columns for spot in spots)

    @given(st.integers(1, 30), st.integers(1, 30))
    def test_fewer_pixels_are_means_of_their_cells(self, rows, columns):
        plane = np.random.default_rng(rows * 31 + columns).random((rows, columns))
        small = pixels.resized(plane, max(rows // 2, 1), max(columns // 2, 1))
        assert plane.min() <= small.min()
        assert small.max() <= plane.max()
        if rows % 2 == 0 and columns % 2 == 0:
            assert small.mean() == pytest.approx(plane.mean())

    def test_what_a_mark_holds_changes_its_colour_and_nothing_else(self):
        plane, mark = np.zeros((4, 4)), np.zeros((4, 4), bool)
        mark[1:3, 2] = True
        plain = np.array(tones(pixels.drawn(plane, 4, 4, 1, signed=False)))
        marked = np.array(tones(pixels.drawn(plane, 4, 4, 1, signed=False, mark=mark)))
        assert ((plain != marked) == mark).all()

    def test_a_mark_of_one_cell_is_seen_where_pixels_are_fewer(self):
        mark = np.zeros((28, 28), bool)
        mark[13, 13] = True
        marked = tones(pixels.drawn(np.zeros((28, 28)), 8, 8, 1, signed=False, mark=mark))
        assert sum(tone != "#000000" for row in marked for tone in row) == 1

    def test_numbers_that_are_none_do_not_spoil_the_others(self):
        plane = np.array([[np.nan, np.inf, -np.inf, 2.0]])
        assert pixels.largest(plane) == 2
        assert tones(pixels.drawn(plane, 1, 4, 2, signed=True))[0][3] == "#ff9620"

    def test_there_are_few_styles(self):
        """A terminal's styles are remembered: a new picture must not need many new ones."""
        noise = np.random.default_rng(0).standard_normal((200, 200))
        drawn = pixels.drawn(noise, 200, 200, pixels.largest(noise), signed=True)
        assert len({tone for row in tones(drawn) for tone in row}) <= 2 * pixels.TONES + 1


@pytest.mark.parametrize("name", nn.ZOO)
def test_columns_are_the_layers_in_their_order(name):
    model = nn.build(name)
    found = columns(model)
    assert [column.name for column in found] == [place.name for place in model.places]
    assert sum(column.parameters for column in found) == model.parameter_count
    blocks = {column.name for column in found if column.joins}
    inner = {column.branch.partition(".")[0] for column in found if column.branch}
    assert inner <= blocks


class TestIdentity:
    def test_without_the_path_the_gradient_dies_and_with_it_does_not(self):
        picture = some_digits()[0][0] / 255
        with_path, without = (identity.measured(20, path, picture, 3, 10) for path in (True, False))
        assert len(with_path.sizes) == len(without.sizes) == 19
        assert with_path.share > 0.1
        assert without.share < 0.01

    @pytest.mark.parametrize("depth", identity.DEPTHS)
    def test_a_stack_is_as_deep_as_it_says(self, depth):
        for path in (True, False):
            model = identity.stack(depth, path, (1, 28, 28), 10)
            main = [p for p in model.places if p.parameter_count and ".shortcut." not in p.name]
            assert len(main) == depth

    @pytest.mark.slow
    def test_cutting_the_paths_keeps_every_weight_of_the_main_way(self):
        from stepconv import look_inside

        model = nn.build("mini-resnet")
        inside = look_inside(model, some_digits()[0][0], label=3, parameters=weights("mini-resnet"))
        cut = identity.without_identity(inside)
        kept = [a for n, a in inside.network.parameters.items() if ".shortcut." not in n]
        for one, other in zip(kept, cut.network.parameters.values(), strict=True):
            assert (one == other).all()
        assert cut["conv1"].output.shape == inside["conv1"].output.shape
        assert (cut["conv1"].output == inside["conv1"].output).all()

    def test_a_network_without_paths_has_none_to_cut(self):
        from stepconv import look_inside

        model = nn.build("lenet5")
        inside = look_inside(model, some_digits()[0][0], label=3, parameters=weights("lenet5"))
        assert identity.without_identity(inside) is None
