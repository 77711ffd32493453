"""What the page of a network is told, and what it says to what does not fit into one."""

import functools
import itertools
import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from stepconv import nn
from stepconv.cli import main
from stepconv.errors import ArgumentError
from stepconv.nn import checkpoint, shapes
from stepconv.nn.cpu.layout import Layout, Order, _awake, laid_out
from stepconv.nn.cpu.portable import Arena
from stepconv.web import network as pages
from tests.nn.networks import network, remembered, weights


@functools.cache
def layout(name: str) -> Layout:
    model = network(name)
    order = Order(model, weights(model), remembered(model), 1 / 255, 0.0, nn.SGD(), batch_size=8)
    return laid_out(order)


def hold(name: str) -> None:
    """Hold what is told of a network against what is known of it."""
    made, model = layout(name), network(name)
    places = sorted((at, at + len(content)) for at, content in made.image)
    assert places[0][0] >= 1024
    assert all(stop <= start for (_, stop), (start, _) in itertools.pairwise(places))
    assert places[-1][1] <= made.told["size"]
    arrays = {**model.parameter_shapes, **model.statistic_shapes}
    assert {key: tuple(each["shape"]) for key, each in made.told["arrays"].items()} == arrays

    picture, *layers = made.told["layers"]
    assert picture["kind"] == "picture"
    rows = {row.name: row for row in shapes.rows(model.layers, model.input_shape)}
    for layer in layers:
        row = rows[layer["name"]]
        assert (layer["kind"], tuple(layer["shape"])) == (row.kind, row.output)
        if layer["field"] is not None:
            assert tuple(axis["size"] for axis in layer["field"]) == row.sees, layer
        assert all(0 <= read < len(layers) for read in layer["reads"])


@pytest.mark.slow
def test_what_is_told_of_a_network() -> None:
    hold("dropout")


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["conv padded", "residual", "concat", "branches in branches", "batch norm", "lenet5"]
)
def test_what_is_told_of_other_networks(name: str) -> None:
    hold(name)


@pytest.mark.slow
def test_a_layout_is_the_same_every_time() -> None:
    again = layout.__wrapped__("dropout")
    assert again.image == layout("dropout").image
    assert again.module == layout("dropout").module
    assert json.dumps(again.told) == json.dumps(layout("dropout").told)


def test_nothing_is_silenced_when_one_looks() -> None:
    deep = nn.Residual((nn.Dropout(0.5), nn.ReLU()), (nn.Concat(((nn.Dropout(0.1),), ())),))
    assert _awake(deep) == nn.Residual(
        (nn.Dropout(0.0), nn.ReLU()), (nn.Concat(((nn.Dropout(0.0),), ())),)
    )


def test_a_kernel_that_the_module_lacks_is_named() -> None:
    def wavelet() -> None: ...

    arena: Any = SimpleNamespace(table=["sgd", "adam"])
    with pytest.raises(ArgumentError, match=r"lacks the kernel wavelet.*it has sgd, adam"):
        Arena.code(arena, wavelet)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run folder, as a training of two steps leaves it."""
    folder = tmp_path_factory.mktemp("run")
    how = pages.Recipe(data="digits", limit=60, steps=2)
    subject = pages.Subject.anew(nn.build("mlp"), how)
    checkpoint.save_network(folder / "model.safetensors", subject.network)
    return folder


def told_by(page: Path) -> dict[str, Any]:
    [found] = re.findall(
        r'<script id="told" type="application/json">(.*?)</script>', page.read_text()
    )
    told: dict[str, Any] = json.loads(found)
    return told


@pytest.mark.slow
def test_the_page_of_a_run_holds_its_weights_and_data(
    run: Path, tmp_path: Path, capsys: Any
) -> None:
    out = tmp_path / "page.html"
    assert main(["page", str(run), "-o", str(out)]) == 0
    assert re.match(r".*page.html: mlp, [\d,]+ bytes\n$", capsys.readouterr().err)
    told = told_by(out)
    assert told["pictures"] == {"train": 60, "test": 12}
    assert not told["fresh"]
    stored = checkpoint.load_network(run / "model.safetensors")
    assert told["metadata"] == checkpoint.metadata_of(stored)
    assert told["recipe"]["steps"] == 2
    assert "src=" not in out.read_text().partition("<body")[0].partition("<script")[0]


@pytest.mark.slow
def test_a_page_begins_anew_with_other_weights(run: Path, tmp_path: Path) -> None:
    first, again = tmp_path / "first.html", tmp_path / "again.html"
    network = checkpoint.load_network(run / "model.safetensors")
    moved = {name: array + 1 for name, array in network.parameters.items()}
    checkpoint.save_network(tmp_path / "moved.safetensors", replace(network, parameters=moved))
    run = tmp_path / "moved.safetensors"
    assert main(["page", str(run), "-o", str(first)]) == 0
    assert main(["page", str(run), "--train", "digits", "--limit", "50", "-o", str(again)]) == 0
    assert told_by(again)["pictures"] == {"train": 50, "test": 10}
    assert told_by(again)["fresh"]
    few = tmp_path / "few.html"
    assert main(["page", str(run), "--limit", "30", "-o", str(few)]) == 0
    assert told_by(few)["pictures"] == {"train": 30, "test": 6}
    for train in ([], ["--train", "digits"]):
        none = tmp_path / "none.html"
        assert main(["page", str(run), *train, "--limit", "0", "-o", str(none)]) == 2
        assert not none.exists()
    image = r'id="part-image".*?</script>'
    assert re.findall(image, first.read_text()) != re.findall(image, again.read_text())


@pytest.mark.slow
def test_a_network_of_the_zoo_learns_on_a_page(tmp_path: Path) -> None:
    out = tmp_path / "page.html"
    assert main(["page", "mlp", "--train", "digits", "--limit", "100", "-o", str(out)]) == 0
    told = told_by(out)
    assert told["pictures"] == {"train": 100, "test": 20}
    assert told["recipe"]["steps"] == 200


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nobody", "-o", "x.html"], "'nobody' is no"),
        (["lenet5", "--train", "digits", "--limit", "x", "-o", "x.html"], "--limit"),
        (["lenet5", "--kernel", "sobel-x", "-o", "x.html"], "--kernel sobel-x is about a call"),
        (["max-pool-4x4", "--relaxed", "-o", "x.html"], "--relaxed is about networks"),
        (["lenet5", "-o", "x.html"], "lenet5 has learnt nothing yet: --train mnist would teach it"),
        (["lenet5", "--train", "digits", "-o", "x.txt"], "x.txt cannot be written: .html"),
        (["lenet5", "--train", "nowhere", "-o", "x.html"], "nowhere"),
        (["lenet5", "--train", "digits", "--limit", "0", "-o", "x.html"], "limit=0"),
        (["lenet5", "--train", "digits", "-o", "nowhere/x.html"], "there is no folder nowhere"),
    ],
)
def test_what_does_not_fit_is_refused_in_a_line(
    words: list[str], said: str, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["page", *words]) == 2
    told = capsys.readouterr()
    assert said in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_too_many_pictures_are_refused_with_a_limit_that_fits(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.setattr(pages, "MOST", 2**20)
    out = tmp_path / "page.html"
    assert main(["page", "mlp", "--train", "digits", "-o", str(out)]) == 2
    told = capsys.readouterr().err
    assert re.search(r"digits has [\d,]+ pictures, \d+ MiB in a page that may have 1:", told)
    assert not out.exists()
    [limit] = re.findall(r"--limit (\d+) fits", told)
    assert main(["page", "mlp", "--train", "digits", "--limit", limit, "-o", str(out)]) == 0


def test_a_run_of_another_version_is_refused(
    run: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    stored = checkpoint.load_network(run / "model.safetensors")
    monkeypatch.setattr(checkpoint, "FORMAT", "stepconv 9")
    checkpoint.save_network(tmp_path / "model.safetensors", stored)
    monkeypatch.undo()
    assert main(["page", str(tmp_path), "-o", str(tmp_path / "x.html")]) == 2
    assert "was not written by stepconv, or by a later version" in capsys.readouterr().err
    assert not (tmp_path / "x.html").exists()


def test_steps_go_by_the_recipes_numbers() -> None:
    how = pages.Recipe(optimizer="adam", epochs=1, schedule="cosine")
    optimizer, rates = how.make_optimizer(), how.rates(5)
    places = {"STEP_NUMBERS": 10}
    found = pages._numbers(how, optimizer, 5, places)
    for step in range(5):
        for place, number in optimizer.numbers(rates(step), step + 1).items():
            assert found[step, place] == np.float32(number)


@pytest.mark.slow
def test_a_network_that_no_browser_holds_is_refused(
    tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    described = nn.to_toml(nn.build("mini-vgg")) + "\n[training]\nbatch_size = 20000\n"
    Path("large.toml").write_text(described)
    words = ["--train", "digits", "--limit", "20", "-o", "x.html"]
    assert main(["page", "large.toml", *words]) == 2
    assert re.search(r"needs [\d.]+ GiB in a browser .* batches of 20000", capsys.readouterr().err)
    assert not Path("x.html").exists()


def test_a_process_that_cannot_be_portable_any_more_is_told_so(tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "run"
    words = ["--data", "digits", "--limit", "50", "--steps", "2", "--out", str(out)]
    assert main(["train", "mlp", "--backend", "portable", *words]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "needs a process that is begun with NUMBA_CPU_NAME=generic" in told
    assert not out.exists()
