"""The digit bench as plain data: pen, changes, shelf, and all of them together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepconv.explorer.bench.bench import Bench
from stepconv.explorer.bench.changes import Change, changed
from stepconv.explorer.bench.pen import Pen
from stepconv.explorer.bench.shelf import Books, First, Shelf
from stepconv.train.data import centre

RNG = np.random.default_rng(7)


def a_picture(rows=28, columns=28):
    picture = np.zeros((1, rows, columns), np.uint8)
    ink = picture[0, 8:20, 9:15]
    ink[:] = RNG.integers(1, 256, ink.shape)
    return picture


class TestPen:
    def test_draws_only_while_it_is_down(self):
        pen = Pen(28, 28)
        pen.move(0, 5)
        assert not pen.sheet.any()
        pen.toggle()
        pen.move(0, 3)
        assert (pen.sheet[14, 19:23] == 255).all()
        pen.toggle()
        before = pen.sheet.copy()
        pen.move(5, 0)
        assert (pen.sheet == before).all()
        assert (pen.row, pen.column) == (19, 22)

    @given(st.integers(0, 27), st.integers(0, 27), st.integers(0, 27), st.integers(0, 27))
    def test_a_stroke_has_full_ink_at_both_ends_and_no_gap(self, y, x, to_y, to_x):
        pen = Pen(28, 28)
        pen.row, pen.column = y, x
        pen.stroke(to_y, to_x)
        assert pen.sheet[y, x] == pen.sheet[to_y, to_x] == 255
        steps = max(abs(to_y - y), abs(to_x - x)) + 1
        assert (pen.sheet == 255).sum() == steps

    @given(st.integers(-99, 99), st.integers(-99, 99))
    def test_it_stays_on_the_sheet(self, rows, columns):
        pen = Pen(5, 9)
        pen.toggle()
        pen.move(rows, columns)
        assert 0 <= pen.row < 5
        assert 0 <= pen.column < 9

    def test_what_is_rubbed_out_is_paper_again(self):
        pen = Pen(9, 9)
        pen.touch(4, 4)
        pen.erases = True
        pen.touch(4, 4)
        assert pen.sheet[4, 4] == 0


class TestChanges:
    def test_nothing_changes_nothing(self):
        picture = a_picture()
        assert (changed(picture, Change()) == picture).all()

    @given(st.integers(-8, 8), st.integers(-8, 8))
    def test_a_shift_moves_cells(self, rows, columns):
        picture = a_picture()
        moved = changed(picture, Change().moved(rows, columns))
        assert (moved == np.roll(picture, (rows, columns), axis=(1, 2))).all()

    @pytest.mark.parametrize("quarter", [1, 2, 3])
    def test_four_quarters_of_a_turn_are_numpys(self, quarter):
        """Clockwise, as the eye sees it."""
        turned = changed(a := a_picture(), Change().turned(90 * quarter))
        assert (turned == np.rot90(a, -quarter, axes=(1, 2))).all()

    def test_many_small_turns_are_one_large_turn(self):
        change = Change()
        for _ in range(18):
            change = change.turned(5)
        picture = a_picture()
        assert (changed(picture, change) == changed(picture, Change().turned(90))).all()

    def test_what_is_taken_back_leaves_no_trace(self):
        change = Change().moved(3, 0).turned(5).scaled(20).thickened(1)
        back = change.moved(-3, 0).turned(-5).scaled(-20).thickened(-1)
        assert back == Change()
        assert back.words == ""

    def test_larger_is_larger_and_keeps_the_middle(self):
        picture = np.zeros((1, 29, 29), np.uint8)
        picture[0, 12:17, 12:17] = 200
        larger = changed(picture, Change().scaled(100))
        assert larger.sum() == pytest.approx(4 * picture.sum(), rel=0.1)
        assert (larger == larger[:, ::-1, ::-1]).all()

    def test_thicker_and_thinner(self):
        picture = np.zeros((1, 9, 9), np.uint8)
        picture[0, 4, 4] = 255
        cross = changed(picture, Change().thickened(1))
        assert (cross == 255).sum() == 5
        assert (changed(cross, Change().thickened(-1)) == picture).all()

    def test_blots_fall_on_the_same_places_each_time(self):
        picture = a_picture()
        two = changed(picture, Change().blotted().blotted())
        assert (two == changed(picture, Change().blotted().blotted())).all()
        one = changed(picture, Change().blotted())
        assert (two != picture).sum() > (one != picture).sum() > 0

    @given(
        st.integers(-30, 30),
        st.integers(-200, 200),
        st.integers(-100, 300),
        st.integers(-9, 9),
        st.integers(0, 3),
    )
    def test_any_change_gives_a_picture_and_leaves_the_original(
        self, shift, degrees, percent, thicker, blots
    ):
        picture = a_picture(13, 17)
        before = picture.copy()
        change = Change().moved(shift, -shift).turned(degrees).scaled(percent).thickened(thicker)
        for _ in range(blots):
            change = change.blotted()
        made = changed(picture, change)
        assert (made.shape, made.dtype) == (picture.shape, np.uint8)
        assert (picture == before).all()

    def test_in_words(self):
        change = Change().moved(-1, 2).turned(-15).scaled(20).thickened(1).blotted()
        assert change.words == "1 up, 2 right, turned -15°, 120 %, thicker by 1, 1 blot"


def a_shelf(answers=(5, 3, 5, 1, 9, 5)):
    labels = np.array([5, 3, 5, 1, 5, 3])
    pictures = RNG.integers(0, 256, (6, 1, 28, 28)).astype(np.uint8)
    books = Books(pictures, labels)
    return Shelf("test", lambda: books, "0123456789", lambda _: np.array(answers))


class TestShelf:
    def test_twenty_fives(self):
        shelf = a_shelf()
        assert shelf.choose(5)
        seen = [shelf.index]
        for _ in range(3):
            assert shelf.step(1)
            seen.append(shelf.index)
        assert seen == [0, 2, 4, 0]
        assert shelf.words == "test picture 0 · 1 of 3 of class 5"

    def test_the_first_picture_is_there_before_any_is_read(self):
        def load():
            raise AssertionError("nobody asked for more")

        first = First(7, a_picture(), 3)
        shelf = Shelf("far away", load, "0123456789", len, first)
        assert (shelf.label, shelf.words) == (3, "far away picture 7")
        assert shelf.picture is first.picture

    def test_back_is_the_way_back(self):
        shelf = a_shelf()
        shelf.choose(5)
        shelf.step(-1)
        assert shelf.index == 4

    def test_wrong_answers(self):
        shelf = a_shelf()
        assert shelf.toggle_wrong()
        assert shelf.places.tolist() == [4, 5]
        assert shelf.index == 4
        assert "misread" in shelf.words

    def test_where_there_is_none_nothing_changes(self):
        shelf = a_shelf(answers=(5, 3, 5, 1, 5, 3))
        assert not shelf.toggle_wrong()
        assert not shelf.only_wrong
        assert not shelf.choose(7)
        assert shelf.only is None
        assert shelf.index == 0


class TestBench:
    def bench(self, **options):
        options = {"centre": lambda p: centre.centred(p[0].astype(float))[None]} | options
        return Bench((1, 28, 28), **options)

    def test_a_drawing_is_centred_and_the_step_can_be_switched_off(self):
        bench = self.bench()
        bench.pen.row, bench.pen.column = 2, 2
        bench.pen.toggle()
        bench.pen.move(10, 0)
        assert bench.is_centred
        rows = np.flatnonzero(bench.picture[0].any(axis=1))
        assert rows[-1] - rows[0] + 1 == centre.BOX
        bench.centres = False
        assert (bench.picture[0] == bench.pen.sheet).all()

    def test_a_picture_of_the_shelf_is_shown_as_it_is(self):
        bench = self.bench(shelf=a_shelf())
        assert (bench.picture == bench.shelf.picture).all()
        assert bench.label == 5
        assert bench.take(1)
        assert bench.label == 3

    def test_a_shift_is_seen_only_where_nothing_centres(self):
        shelf = a_shelf()
        shelf.books.pictures[0] = centre.centred(a_picture()[0].astype(float))
        bench = self.bench(shelf=shelf)
        bench.alter("moved", 0, 3)
        moved = np.flatnonzero(bench.picture[0].any(axis=0)).mean()
        bench.centres = True
        middle = np.flatnonzero(bench.picture[0].any(axis=0)).mean()
        assert moved - middle == pytest.approx(3, abs=1)

    def test_drawing_goes_on_from_what_is_shown(self):
        bench = self.bench(shelf=a_shelf())
        bench.alter("moved", 1, 0)
        shown = bench.changed
        bench.draw()
        assert (bench.source, bench.change) == ("drawn", Change())
        assert (bench.original == shown).all()
        assert bench.label is None
        bench.clear()
        assert not bench.picture.any()

    def test_where_a_network_learnt_from_numbers_full_ink_is_1(self):
        given = np.linspace(-3, 5, 784, dtype=np.float32).reshape(1, 28, 28)
        bench = self.bench(given=given, of_bytes=False, centre=None)
        assert bench.picture is not given
        bench.draw()
        drawn = bench.picture
        assert (drawn.dtype, drawn.min(), drawn.max()) == (np.float32, 0, 1)
        bench.pen.toggle()
        assert bench.picture[0, 14, 14] == 1

    def test_without_a_shelf_there_is_nothing_to_take(self):
        assert not self.bench().take(1)

    def test_words_tell_what_was_done(self):
        bench = self.bench(given=a_picture(), label=5, name="five.png")
        assert bench.words == "five.png"
        bench.alter("turned", 15)
        assert bench.words == "five.png · turned 15°"
        bench.draw()
        assert bench.words == "drawn by hand · centred"
