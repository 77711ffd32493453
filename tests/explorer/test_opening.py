"""The explorer as the command opens it: a run, its data set, a second network, a real terminal."""

import shutil
import sys

import numpy as np
import pytest

from stepconv import nn
from stepconv.cli import main
from stepconv.cli.exploring import looked, on_screen
from stepconv.errors import ArgumentError
from stepconv.explorer.standing import BENCH
from stepconv.explorer.views import screen
from stepconv.nn import checkpoint
from stepconv.train.data import digits
from tests.player.test_terminal import Terminal

DIGITS = {"classes": list("0123456789"), "form": "digit", "recipe": {"data": "digits"}}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a folder of runs whose weights are drawn by chance."""
    folder = tmp_path_factory.mktemp("runs")
    for name in ("lenet5", "mlp"):
        model = nn.build(name)
        network = checkpoint.Network(
            model, nn.initial_parameters(model, 1), nn.initial_statistics(model), DIGITS
        )
        (folder / name).mkdir()
        checkpoint.save_network(folder / name / "model.safetensors", network)
    return folder


@pytest.fixture(autouse=True)
def few_digits(monkeypatch):
    """Let the data set be small: reading it is not what is tested."""
    monkeypatch.setattr(digits, "TESTING", 40)


def opened(run, picture="0", **options):
    network = looked.network(str(run))
    inside = looked.inside(network, picture, options.get("data"))
    return on_screen.visit(on_screen.Opened(str(run), network, inside, picture, **options))


def test_a_test_picture_is_there_before_the_data_set_is_read(runs):
    visit = opened(runs / "lenet5", "7")
    assert "books" not in vars(visit.bench.shelf)
    assert (visit.subject.name, visit.bench.shelf.index) == ("lenet5", 7)
    assert visit.label is not None
    visit.take(1)
    assert visit.bench.shelf.index == 8
    visit.take(-1)
    assert (visit.inside.picture == visit.bench.shelf.books.pictures[7]).all()
    assert visit.label == visit.bench.shelf.books.labels[7]


def test_where_its_pictures_are_not_there_one_draws(runs):
    network = looked.network(str(runs / "lenet5"))
    network.about["recipe"] = {"data": str(runs / "nowhere")}
    visit = on_screen.visit(
        on_screen.Opened(str(runs / "lenet5"), network, looked.blank(network), "")
    )
    assert "a sheet to draw on" in visit.message
    visit.press("look", BENCH)
    visit.press("pen")
    visit.press("arrow", 3, 0)
    assert visit.inside.picture.any()
    visit.press("take", 1)
    assert "nowhere" in visit.message
    assert visit.bench.source == "drawn"
    assert screen.lines(visit, 80, 24)


def test_the_last_picture_counts_from_behind(runs):
    visit = opened(runs / "lenet5", "-1")
    assert visit.bench.shelf.index == len(visit.bench.shelf) - 1


def test_a_picture_of_the_gallery_is_no_picture_of_the_data_set(runs):
    visit = opened(runs / "lenet5", "eight-22x16")
    assert (visit.bench.source, visit.label) == ("given", None)
    assert "eight-22x16" in visit.bench.words


def test_drawings_are_centred_for_a_network_of_digits_alone(runs):
    assert opened(runs / "lenet5").bench.centre is not None
    network = looked.network(str(runs / "lenet5"))
    network.about["form"] = "as-is"
    inside = looked.inside(network)
    made = on_screen.visit(on_screen.Opened("x", network, inside, "0"))
    assert made.bench.centre is None
    made.press("toggle_centre")
    assert "as they are" in made.message


def test_wrong_answers_are_the_networks(runs):
    visit = opened(runs / "lenet5")
    shelf = visit.bench.shelf
    look = visit.subject.moments[-1].look
    told = [look(each, None).prediction for each in shelf.books.pictures]
    assert shelf.answers.tolist() == told


def test_two_networks_stand_beside_each_other(runs):
    visit = opened(runs / "lenet5", beside=str(runs / "mlp"))
    visit.look(BENCH)
    assert visit.beside.model.name == "mlp"
    assert (visit.beside.picture == visit.inside.picture).all()


def test_a_second_network_for_other_pictures_is_refused(runs, tmp_path):
    model = nn.build("lenet5", (1, 32, 32))
    network = checkpoint.Network(
        model, nn.initial_parameters(model, 1), nn.initial_statistics(model), DIGITS
    )
    checkpoint.save_network(tmp_path / "model.safetensors", network)
    with pytest.raises(ArgumentError, match="--beside lenet5 reads 1x32x32"):
        opened(runs / "lenet5", beside=str(tmp_path))


def test_on_a_pipe_there_is_nothing_beside(runs, capsys):
    assert main(["explore", str(runs / "lenet5"), "--beside", str(runs / "mlp")]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "is for the screen" in err


def test_data_that_is_not_there_is_a_message(runs):
    visit = opened(runs / "lenet5", "eight-22x16", data=None)
    visit.bench.shelf._load = lambda: looked.inside(looked.network(str(runs / "nowhere")))
    visit.press("take", 1)
    visit.press("take", 1)
    assert visit.message
    assert np.isfinite(visit.inside.logits).all()


def test_one_goes_through_the_moments_of_a_run(runs):
    from stepconv.train.keeping import moments

    run = runs / "lenet5"
    model = nn.build("lenet5")
    for step in (0, 7):
        drawn = nn.initial_parameters(model, 100 + step)
        moments.keep(run, step, checkpoint.Network(model, drawn, {}, DIGITS))
    try:
        visit = opened(run)
        assert [m.name for m in visit.subject.moments] == [
            "step 0 of 7",
            "step 7 of 7",
            "at the end",
        ]
        visit.press("travel", -1)
        assert (
            visit.inside.network.parameters["conv1.weight"]
            == nn.initial_parameters(model, 107)["conv1.weight"]
        ).all()
        visit.press("take", 1)
        assert visit.moment == 1
    finally:
        for _, path in moments.kept(run):
            path.unlink()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")
@pytest.mark.parametrize(("width", "height", "before"), [(80, 24, ""), (60, 20, "NO_COLOR=1 ")])
def test_in_a_real_terminal(runs, width, height, before):
    terminal = Terminal(width, height)
    try:
        terminal.run(f"{before}{sys.executable} -m stepconv explore {runs / 'lenet5'}")
        terminal.wait("it is")
        terminal.keys("Right", "Right", "Right", "Enter", "Enter", "Enter")
        terminal.wait("› window")
        terminal.keys("Escape")
        terminal.wait("It sees rows")
        terminal.keys("d", "x", "Space", "Down", "Down", "Down")
        terminal.wait("pen down at row 17")
        terminal.keys("q")
        terminal.wait_until(lambda seen: "pen down" not in seen, "the screen as it was")
    finally:
        terminal.call("kill-server")
