"""Where one stands inside a network and what keys do, without a screen."""

import numpy as np
import pytest

from stepconv.explorer.bench.shelf import First
from stepconv.explorer.keys import KEYS, pressed
from stepconv.explorer.standing import (
    BENCH,
    EXCITING,
    FILTER,
    HELP,
    LAYER,
    MAP,
    NETWORK,
    OCCLUSION,
    STEP,
    WINDOW,
)
from stepconv.explorer.visit import Visit
from tests.explorer.samples import some_digits, visit


def at_conv2(level=MAP):
    made = visit()
    made.go_to("conv2")
    for _ in range({LAYER: 1, MAP: 2}[level]):
        made.enter()
    return made


def test_in_and_out():
    made = visit()
    assert made.level == NETWORK
    made.go_to("conv2", 3)
    for level in (LAYER, MAP, WINDOW):
        made.enter()
        assert made.level == level
    for level in (MAP, LAYER, NETWORK, NETWORK):
        made.leave()
        assert made.level == level
    assert (made.column.name, made.plane) == ("conv2", 3)


def test_the_window_is_the_cells_own():
    made = at_conv2()
    made.change_plane(5)
    made.move(-1, 2)
    index = made.index
    made.enter()
    step = made.playback.film.trace[made.playback.index]
    assert float(step.result) == pytest.approx(float(made.layer.output[index]), rel=1e-5)
    assert step.output_index == index


@pytest.mark.parametrize("name", ["dense1", "flatten1", "relu3", "max_pool2"])
def test_every_kind_of_layer_has_windows(name):
    made = visit()
    made.go_to(name)
    made.enter()
    made.enter()
    made.move(1, 1)
    value = float(made.layer.output[made.index])
    made.enter()
    assert made.level == WINDOW
    assert float(made.playback.film.trace[made.playback.index].result) == pytest.approx(value)


@pytest.mark.parametrize(
    "network",
    [
        "mlp",
        pytest.param("mini-resnet", marks=pytest.mark.slow),
        pytest.param("mini-googlenet", marks=pytest.mark.slow),
        pytest.param("mini-densenet", marks=pytest.mark.slow),
    ],
)
def test_every_layer_of_every_network_can_be_gone_into(network):
    made = visit(network)
    for column in made.columns:
        made.go_to(column.name)
        made.level = MAP
        made.enter()
        assert made.level == WINDOW, (column.name, made.message)
        made.leave()
        made.leave()
        made.leave()


class TestBackward:
    def test_it_needs_the_right_class(self):
        made = visit(given=some_digits()[0][0])
        made.toggle_backward()
        assert not made.backward
        assert "which class is right" in made.message
        made.say_label(5)
        made.toggle_backward()
        assert made.backward
        assert made.inside.label == 5

    def test_of_a_picture_of_the_data_set_it_is_known(self):
        made = visit()
        made.toggle_backward()
        assert made.backward
        assert made.label == int(some_digits()[1][0])

    def test_a_class_that_is_not_there_is_refused(self):
        made = visit()
        made.subject = type(made.subject)("few", made.subject.moments, ("0", "1"))
        made.say_label(7)
        assert "2 classes" in made.message

    @pytest.mark.parametrize("name", ["relu1", "max_pool1", "dense1", "relu4"])
    def test_the_window_of_a_gradient_computes_it(self, name):
        made = visit()
        made.toggle_backward()
        made.go_to(name)
        made.level = MAP
        grad = made.layer.grad
        best = np.unravel_index(np.abs(grad).argmax(), grad.shape)
        made.change_plane(int(best[0]) if grad.ndim == 3 else 0)
        if grad.ndim == 3:
            made.choose_cell(int(best[1]), int(best[2]))
        value = float(grad[made.index])
        made.enter()
        assert made.level == WINDOW, made.message
        result = made.playback.film.trace[made.playback.index].result
        assert float(result) == pytest.approx(value, rel=1e-4, abs=1e-9)

    def test_the_last_gradient_comes_from_the_loss(self):
        made = visit()
        made.toggle_backward()
        made.to_end(1)
        made.level = MAP
        made.enter()
        assert made.level == MAP
        assert "loss itself" in made.message

    def test_where_branches_part_gradients_are_added(self):
        made = visit("mini-resnet")
        made.toggle_backward()
        made.go_to("relu1")
        made.level = MAP
        made.enter()
        assert made.level == MAP
        assert "added up" in made.message


class TestFilters:
    def test_one_weight_its_gradient_and_its_step(self):
        made = at_conv2()
        made.filters()
        assert made.level == FILTER
        made.change_channel(2)
        made.move(1, 3)
        index = made.weight_index
        assert index == (0, 2, 1, 3)
        made.enter()
        step = made.playback.film.trace[made.playback.index]
        gradient = made.inside.gradients["conv2.weight"][index]
        assert float(step.result) == pytest.approx(float(gradient), rel=1e-4, abs=1e-9)
        made.leave()
        assert made.level == FILTER

    def test_a_layer_without_weights_says_so(self):
        made = visit()
        made.go_to("relu1")
        made.enter()
        made.filters()
        assert made.level == LAYER
        assert "no weights" in made.message

    @pytest.mark.parametrize("name", ["dense1", "dense3"])
    def test_a_dense_layers_filter_is_that_of_the_chosen_cell(self, name):
        made = visit()
        made.go_to(name)
        made.level = MAP
        made.move(1, 0)
        filter_, cell = made.filter, made.index[0]
        assert filter_ == cell
        made.filters()
        made.move(2, 1)
        made.enter()
        step = made.playback.film.trace[made.playback.index]
        gradient = made.inside.gradients[f"{name}.weight"][made.weight_index]
        assert float(step.result) == pytest.approx(float(gradient), rel=1e-4, abs=1e-9)

    @pytest.mark.slow
    def test_every_weight_of_every_layer_can_be_gone_into(self):
        made = visit("mini-densenet")
        for column in made.columns:
            made.go_to(column.name)
            made.level = LAYER
            made.filters()
            if made.level != FILTER:
                assert not column.parameters
                continue
            made.enter()
            assert made.level == WINDOW, (column.name, made.message)
            made.leave()

    def test_a_step_makes_the_loss_smaller(self):
        made = visit()
        made.change_rate(-2)
        assert made.rate == 0.01
        assert made.after_step().loss < made.inside.loss


class TestBench:
    def test_a_drawing_is_looked_into_at_each_key(self):
        made = visit()
        made.look(BENCH)
        made.clear()
        assert not made.bench.picture.any()
        made.pen()
        before = made.inside
        made.arrow(1, 0)
        assert made.inside is not before
        assert (made.inside.picture == made.bench.picture).all()
        assert made.label is None

    def test_a_drawing_without_ink_is_no_trouble(self):
        made = visit()
        made.clear()
        assert np.isfinite(made.inside.probabilities).all()

    def test_arrows_shift_a_picture_of_the_data_set(self):
        made = visit()
        made.look(BENCH)
        made.arrow(0, 2)
        assert made.bench.change.columns == 2
        made.restore()
        assert (made.inside.picture == some_digits()[0][0]).all()

    def test_one_class_and_wrong_answers(self):
        made = visit()
        made.look(BENCH)
        wanted = int(some_digits()[1][5])
        made.only(wanted)
        assert made.label == wanted
        made.only_wrong()
        assert made.message or made.label != made.inside.prediction

    def test_without_a_data_set_it_says_how_to_get_one(self):
        made = visit(shelf=False)
        for method, arguments in (("take", [1]), ("only", [3]), ("only_wrong", [])):
            getattr(made, method)(*arguments)
            assert "--data" in made.message

    def test_the_second_network_sees_the_same(self):
        made = visit(rival="mlp")
        assert made.beside is None
        made.look(BENCH)
        made.arrow(0, 3)
        assert (made.beside.picture == made.inside.picture).all()
        assert made.beside.model.name == "mlp"

    def test_the_mouse_draws_from_where_its_button_went_down(self):
        made = visit()
        made.look(BENCH)
        made.clear()
        made.stroke(3, 3, begins=True)
        made.stroke(3, 9, begins=False)
        assert (made.bench.pen.sheet[3, 3:10] == 255).all()
        made.stroke(20, 20, begins=True)
        assert not made.bench.pen.sheet[12].any()


class TestTime:
    def test_one_travels_through_the_moments(self):
        made = visit(moments=3)
        last = made.inside["conv1"].output
        made.travel(-1)
        assert made.moment == 1
        assert not np.array_equal(made.inside["conv1"].output, last)
        made.travel(-1)
        made.travel(-1)
        assert made.moment == 0
        assert "nothing before" in made.message
        made.travel(2)
        assert np.array_equal(made.inside["conv1"].output, last)

    def test_where_one_moment_was_kept_it_says_how_to_keep_more(self):
        made = visit()
        made.travel(-1)
        assert "--keep" in made.message

    def test_one_stays_where_one_is(self):
        made = visit(moments=2)
        made.go_to("conv2", 4)
        made.enter()
        made.travel(-1)
        assert (made.level, made.column.name, made.plane) == (LAYER, "conv2", 4)


class TestViews:
    def test_the_same_key_leads_back(self):
        made = visit()
        for view in (OCCLUSION, EXCITING, STEP, BENCH):
            made.look(view)
            assert made.view == view
            made.look(view)
            assert made.view == ""

    def test_help_lies_over_what_is_looked_at(self):
        made = visit()
        made.look(BENCH)
        made.look(HELP)
        made.look(HELP)
        assert made.view == BENCH
        made.look(HELP)
        made.leave()
        assert made.view == BENCH

    def test_a_data_set_that_cannot_be_read_is_a_message(self):
        made = visit()

        def load():
            raise OSError("no such folder")

        made.bench.shelf._load = load
        vars(made.bench.shelf).pop("books", None)
        made.bench.shelf.first = First(0, *(each[0] for each in some_digits()))
        made.press("look", EXCITING)
        assert (made.view, made.message) == ("", "no such folder")

    def test_what_excites_is_searched_once(self):
        made = visit()
        made.go_to("conv2", 2)
        found = made.excited(3)
        assert made.excited(3) is found
        made.take(1)
        assert made.excited(3) is found
        activations = [each.activation for each in found]
        assert activations == sorted(activations, reverse=True)

    def test_occlusion_is_worked_out_once_a_picture(self):
        made = visit()
        falls = made.falls(4, 4)
        assert made.falls(4, 4) is falls
        made.take(1)
        assert made.falls(4, 4) is not falls


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.shown)
def test_every_key_calls_a_method_that_is_there(key):
    for told in key.presses.values():
        if told:
            assert callable(getattr(Visit, told[0]))


@pytest.mark.parametrize("context", [NETWORK, LAYER, MAP, FILTER, BENCH])
def test_no_key_means_two_things(context):
    names = [name for key in KEYS if not key.at or context in key.at for name in key.presses]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("context", [NETWORK, LAYER, MAP, FILTER, BENCH])
def test_any_keys_in_any_order_raise_nothing(context):
    """What a cat on the keyboard does."""
    made = visit(moments=2, rival="mlp")
    names = sorted(
        {name for key in KEYS for name in key.presses if key.presses[name]} - {"i", "m", "o"}
    )
    order = np.random.default_rng(len(context)).choice(names, 150)
    for name in order:
        here = BENCH if made.view == BENCH else made.level
        if here == WINDOW:
            made.leave()
        elif told := pressed(here, name):
            made.press(*told)
