"""The explorer's screens as lines: every level and view in every size, and what they say."""

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import pytest

from stepconv import look_inside
from stepconv.explorer import keys
from stepconv.explorer.frame import pixels
from stepconv.explorer.standing import (
    BENCH,
    EXCITING,
    FILTER,
    HELP,
    IDENTITY,
    LAYER,
    MAP,
    NETWORK,
    OCCLUSION,
    STEP,
)
from stepconv.explorer.subject import Moment
from stepconv.explorer.views import a_map, answers, network, screen
from stepconv.player.text.lines import as_text, line_width
from tests.explorer.samples import text, visit

SIZES = [(60, 20), (80, 24), (120, 40)]


def held(made, width, height):
    """Return a screen, having checked that it keeps to its size."""
    lines = screen.lines(made, width, height)
    assert len(lines) == height
    assert max(map(line_width, lines)) <= width
    return lines


@pytest.mark.parametrize(("width", "height"), [*SIZES, (20, 6), (200, 60)])
@pytest.mark.parametrize("name", ["lenet5", pytest.param("mini-resnet", marks=pytest.mark.slow)])
def test_every_level_and_view_keeps_to_the_screen(name, width, height):
    made = visit(name, moments=2, rival="mlp")
    made.go_to("conv1", 1)
    for level in (NETWORK, LAYER, MAP, FILTER):
        made.level = level
        for backward in (False, True):
            made.backward = backward
            held(made, width, height)
    made.backward, made.level = False, MAP
    for view in (BENCH, STEP, HELP, OCCLUSION, EXCITING):
        made.look(view)
        held(made, width, height)
        made.look(view)
    made.look(BENCH)
    made.clear()
    held(made, width, height)
    made.look(BENCH)
    made.influence, made.as_numbers = True, False
    held(made, width, height)
    made.enter()
    held(made, width, height)


def test_on_the_way_back_a_filter_shows_the_gradient_of_its_bias():
    made = visit("lenet5")
    made.go_to("conv1", 1)
    made.level = LAYER
    arrays = {False: made.inside.network.parameters, True: made.inside.gradients}
    for backward, found in arrays.items():
        made.backward = backward
        told = text(screen.lines(made, 120, 40))
        assert f"bias {np.asarray(found['conv1.bias'])[1]:.4g}" in told
    assert "gradient, filter 1" in told


@pytest.mark.slow
@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("name", ["mini-googlenet", "mini-densenet", "mlp"])
def test_every_network_keeps_to_the_screen(name, width, height):
    made = visit(name)
    while True:
        held(made, width, height)
        for level in (LAYER, MAP):
            made.level = level
            held(made, width, height)
        made.level = NETWORK
        before = made.column
        made.change_layer(3)
        if made.column is before:
            break


class TestWhereOneIs:
    def test_one_glance_says_it(self):
        made = visit()
        made.go_to("conv2", 3)
        made.enter()
        made.enter()
        made.choose_cell(4, 5)
        head = as_text(screen.head(made, 80))
        assert head.startswith(" lenet5 › conv2 › map 3 › cell 4,5 ")
        assert re.search(r"\d \d+% [✓✗]", head)
        [here] = [piece.text for piece in screen.strip(made, 80) if piece.role == "window"]
        assert here == "conv2"

    def test_every_layer_is_in_the_line_or_counted(self):
        made = visit("mini-densenet")
        for _ in made.columns:
            line = as_text(screen.strip(made, 80))
            before = re.match(r" ‹(\d+) ", line)
            after = re.search(r" (\d+)›$", line)
            shown = len(re.findall(r"[─·⊕]?[a-z_]+\d+", line))
            hidden = sum(int(found[1]) for found in (before, after) if found)
            assert shown + hidden == len(made.columns)
            made.change_layer(1)

    def test_the_chosen_layer_is_always_among_the_columns(self):
        made = visit("mini-resnet")
        for column in made.columns:
            made._layer = made.columns.index(column)
            lines = screen.lines(made, 80, 24)
            assert any(p.role == "window" for line in lines[2:] for p in line)

    def test_branches_and_where_they_meet_are_drawn(self):
        made = visit("mini-resnet")
        made.go_to("residual2")
        shown = text(screen.lines(made, 120, 40))
        assert "╭residual2" in shown
        assert "⊕ add" in shown
        made = visit("mini-googlenet")
        made.go_to("concat1")
        assert "⊞ concat" in text(screen.lines(made, 120, 40))

    def test_a_plain_network_has_no_line_for_branches(self):
        assert not network.has_branches(visit().columns)


class TestMap:
    def at_conv2(self):
        made = visit()
        made.go_to("conv2", 3)
        made.enter()
        made.enter()
        made.choose_cell(4, 5)
        return made

    def test_the_number_on_the_screen_is_the_networks(self):
        made = self.at_conv2()
        grid = a_map.map_grid(made)
        value = grid.sheet.format.text(made.layer.output[3, 4, 5])
        assert f"[{value.rjust(grid.sheet.format.width)}]" in text(screen.lines(made, 80, 24))

    def test_what_it_sees_is_told_and_drawn_in_the_picture(self):
        made = self.at_conv2()
        said = " ".join(a_map.sentences(made))
        assert "rows 6 to 19 and columns 8 to 21 of the picture: 14x14" in said
        pixel = {
            piece.spot[1:]: piece.role
            for line in screen.lines(made, 120, 40)
            for piece in line
            if piece.spot is not None and piece.spot.part == "pixel"
        }
        # Both halves of a character: rows 6 and 7 are in the field, rows 4 and 5 are not.
        blue = pixels.colour(1000 + 2 * pixels.TONES + 1)
        assert blue in pixel[6, 8]
        assert blue not in pixel[4, 8]
        assert blue not in pixel[6, 7]

    def test_so_is_what_of_the_layers_between_reaches_it(self):
        made = self.at_conv2()
        shown = text(screen.lines(made, 80, 24))
        assert re.search(r"conv1 +relu1 +max_pool1", shown)
        assert re.search(r"10x10 +10x10 +5x5", shown)

    def test_influence_is_of_both_signs(self):
        made = self.at_conv2()
        made.toggle_influence()
        shown = text(screen.lines(made, 80, 24))
        assert "influence of each pixel" in shown
        assert "d cell / d pixel" in shown

    @pytest.mark.parametrize("name", ["conv1", "max_pool1", "dense1", "dense3"])
    def test_a_field_is_told_for_each_kind(self, name):
        made = visit()
        made.go_to(name)
        made.level = MAP
        assert "It sees rows" in " ".join(a_map.sentences(made))


def test_numbers_that_are_none_are_shown_as_such():
    """A network whose training blew up can be looked into like any other."""
    made = visit()
    model, broken = made.inside.model, dict(made.inside.network.parameters)
    broken["conv2.weight"] = np.full_like(broken["conv2.weight"], np.nan)
    look = look_inside(model, made.bench.picture, parameters=broken).with_picture
    made.subject = replace(made.subject, moments=[Moment("now", look)])
    made.look_again()
    for level in (NETWORK, LAYER, MAP, FILTER):
        made.go_to("conv2")
        made.level = level
        held(made, 80, 24)
    assert "nan" in text(screen.lines(made, 80, 24))
    made.level = NETWORK
    made.toggle_backward()
    held(made, 80, 24)


def test_backward_has_a_bar_for_each_layer_and_its_true_size():
    made = visit()
    made.toggle_backward()
    made.go_to("conv2")
    grad = made.layer.grad
    size = made.gradient_sizes["conv2"]
    assert size == pytest.approx(float(np.sqrt((grad**2).mean())), rel=1e-5)
    digits = f"{size:.0e}".replace("e-0", "e-")
    shown = text(screen.lines(made, 80, 24))
    assert digits in shown
    assert "gradients ◀" in shown


def test_a_bar_of_a_gradient_tells_powers_of_ten():
    full, long, short = (network.size_bar(size, 1e-4, 14) for size in (1e-4, 1e-5, 1e-8))
    counts = [as_text(bar).count("█") for bar in (full, long, short)]
    assert counts == sorted(counts, reverse=True)
    assert as_text(network.size_bar(0.0, 1.0, 14)).count("█") == 0


class TestAnswers:
    def test_every_class_has_its_share(self):
        made = visit()
        block = answers.bars(made.inside, 20, 12, made.label)
        lines = [as_text(line) for line in block.lines]
        assert [line[0] for line in lines] == list("0123456789")
        shares = [int(re.search(r"(\d+)%", line)[1]) for line in lines]
        assert shares == [round(100 * float(p)) for p in made.inside.probabilities]

    def test_where_there_is_little_room_the_likeliest_stay(self):
        made = visit()
        lines = [as_text(line) for line in answers.bars(made.inside, 16, 3).lines]
        best = np.argsort(-made.inside.probabilities)[:3]
        assert sorted(int(line[0]) for line in lines) == sorted(best.tolist())


def test_a_filter_says_what_a_step_makes_of_a_weight():
    made = visit()
    made.go_to("conv2")
    made.level = FILTER
    shown = text(screen.lines(made, 120, 40))
    w, g, after = (array[0, 0, 0, 0] for array in made.inside.step(0.1)["conv2.weight"])
    told = f"{w:.5g} − 0.1 · {f'({g:.5g})' if g < 0 else f'{g:.5g}'} = {after:.5g}"
    assert told in " ".join(shown.split())
    assert "gradient g" in shown


def test_a_step_is_told_before_and_after():
    made = visit()
    made.change_rate(-2)
    made.look(STEP)
    shown = " ".join(text(screen.lines(made, 80, 24)).split())
    assert f"from {made.inside.loss:.4g} to {made.after_step().loss:.4g}" in shown


@pytest.mark.slow
def test_identity_paths_side_by_side():
    made = visit("mini-resnet")
    made.look(IDENTITY)
    shown = text(screen.lines(made, 120, 40))
    for depth in (8, 20, 56):
        assert f"depth {depth}, with:" in shown
    assert "mini-resnet, with:" in shown


def test_the_bench_shows_the_centred_picture_only_where_it_is():
    made = visit()
    made.look(BENCH)
    assert "centred" not in text(screen.lines(made, 80, 24))
    made.clear()
    assert "centred" in text(screen.lines(made, 80, 24))
    made.toggle_centre()
    assert "centred" not in text(screen.lines(made, 80, 24))


def test_two_networks_answer_side_by_side():
    made = visit(rival="mlp")
    made.look(BENCH)
    assert re.search(r"lenet5 +mlp", text(screen.lines(made, 80, 24)))


@pytest.mark.parametrize("context", [NETWORK, LAYER, MAP, FILTER, BENCH])
def test_the_help_names_every_key_that_holds(context):
    page = text(keys.page(context, 78).lines)
    for key in keys.at(context):
        assert key.does in page
    assert keys.page(context, 78).height <= 21


def test_the_last_line_ends_with_the_key_to_all_others():
    for width in (60, 80, 120):
        for context in (NETWORK, MAP, BENCH):
            line = keys.foot(context, "", width)
            assert line_width(line) <= width
            assert as_text(line).endswith("? keys")


def test_the_readme_s_picture_is_the_explorer_of_today():
    picture = (Path(__file__).parents[2] / "docs" / "explorer.svg").read_text("utf-8")
    assert "@font-face" not in picture
    assert len(picture) < 90_000
    shown = unescape(picture).replace("\N{NO-BREAK SPACE}", " ")
    made = visit()
    made.go_to("conv2", 5)
    made.level = MAP
    for key in keys.at(MAP):
        assert not key.name or key.name in shown or key.name in ("step", "identity", "time", "hide")
    for words in ("conv2", "map 5", "what it sees of the picture", "14x14", "max_pool1"):
        assert words in shown
