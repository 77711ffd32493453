"""The page of a network in a real browser: it trains, draws, explains, and asks nobody anything."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stepconv.nn import checkpoint
from stepconv.train.data import centre
from stepconv.web import html
from tests.web.browser import Opened, chromium

pytestmark = pytest.mark.slow


def stepconv(*words: str) -> str:
    command = [sys.executable, "-m", "stepconv", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a run, and a page on which its training begins anew."""
    found = tmp_path_factory.mktemp("page")
    run = str(found / "run")
    how = ("--limit", "3000", "--backend", "portable", "--out", run, "--quiet")
    stepconv("train", "lenet5", "--data", "digits", *how)
    stepconv("page", run, "--train", "digits", "-o", str(found / "page.html"))
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture
def opened(browser: Any, folder: Path) -> Iterator[Opened]:
    found = Opened(browser, folder / "page.html", accept_downloads=True)
    found.wait("#status", "Ready.")
    yield found
    assert found.errors == []
    assert [url.partition(":")[0] for url in found.requests] == ["file", "blob"]
    found.context.close()


def test_a_training_ends_in_the_command_lines_own_file(
    opened: Opened, folder: Path, tmp_path: Path
) -> None:
    page = opened.page
    page.click("#start")
    assert opened.text("#start") == "Pause"
    opened.wait("#status", "The recipe's steps are made")
    opened.wait("#judged", "9")
    assert float(opened.text("#judged").rstrip("%")) >= 95
    network = (folder / "run" / "model.safetensors").read_bytes()
    opened.wait("#hash", hashlib.sha256(network).hexdigest())
    with page.expect_download() as saved:
        page.click("#save")
    saved.value.save_as(tmp_path / "model.safetensors")
    assert (tmp_path / "model.safetensors").read_bytes() == network


def test_one_step_changes_the_weights_and_beginning_anew_takes_it_back(opened: Opened) -> None:
    before = opened.text("#hash")
    opened.page.click("#once")
    opened.wait("#status", "One step: loss")
    assert opened.text("#steps") == "1"
    after = opened.text("#hash")
    assert after != before
    opened.page.check("#changes")
    opened.page.click("#anew")
    opened.wait("#status", "Back at the weights")
    assert opened.text("#hash") == before
    opened.page.click("#once")
    opened.wait("#status", "One step: loss")
    assert opened.text("#hash") == after


def test_what_is_chosen_changes_the_next_step(opened: Opened, tmp_path: Path) -> None:
    page, seen = opened.page, set()
    for chosen in ({}, {"rate": "0.1"}, {"batch": "7"}, {"decay": "0.3"}, {"seed": "5"}):
        page.click("#anew")
        opened.wait("#status", "Back at the weights")
        page.uncheck("#follow")
        for id, value in {"rate": "0.01", **chosen}.items():
            page.fill(f"#{id}", value)
            page.press(f"#{id}", "Tab")
        page.click("#once")
        opened.wait("#status", "One step: loss")
        seen.add(opened.text("#hash"))
    assert len(seen) == 5
    page.fill("#seed", "0")
    page.check("#follow")  # what was learnt otherwise stays so
    with page.expect_download() as saved:
        page.click("#save")
    saved.value.save_as(tmp_path / "model.safetensors")
    told = json.loads(
        stepconv("evaluate", str(tmp_path / "model.safetensors"), "--data", "digits", "--json")
    )
    assert 0 <= told["accuracy"] <= 1
    assert "changed" in checkpoint.load_network(tmp_path / "model.safetensors").about


def test_trained_weights_are_loaded_and_tell_digits(opened: Opened, folder: Path) -> None:
    opened.page.set_input_files("#load", folder / "run" / "model.safetensors")
    opened.wait("#file-status", "is loaded")
    assert float(opened.text("#judged").rstrip("%")) >= 95
    assert re.match(r"\d+ of 600 wrong", opened.text("#wrong-count"))
    first = opened.page.locator("#wrong-pictures button").first
    words = first.inner_text()
    first.click()
    opened.wait("#right-answer", f"It is {words.partition(',')[0]}.")
    opened.wait("#spoken", f"The network says {words.rpartition(' ')[2]}")


def test_another_file_is_refused_in_a_line(opened: Opened, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"not at all")
    opened.page.set_input_files("#load", other)
    opened.wait("#file-status", "other.safetensors is no safetensors file")


def drawn_one(opened: Opened) -> None:
    """Draw a slanted 1 with the mouse."""
    page = opened.page
    page.check("#from-pad")
    page.locator("#pad").scroll_into_view_if_needed()
    box = page.locator("#pad").bounding_box()
    page.mouse.move(box["x"] + 130, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 100, box["y"] + 180, steps=12)
    page.mouse.up()


def test_a_drawn_digit_is_told_at_once_and_centred_on_the_way(opened: Opened, folder: Path) -> None:
    page = opened.page
    page.set_input_files("#load", folder / "run" / "model.safetensors")
    opened.wait("#file-status", "is loaded")
    drawn_one(opened)
    opened.wait("#spoken", "The network says 1")
    steps = page.locator("#centre-steps canvas")
    sizes = [steps.nth(i).get_attribute("aria-label").partition(": ")[2] for i in range(3)]
    assert sizes[1].startswith("20 rows")
    assert sizes[2] == "28 rows, 28 columns"
    page.uncheck("#centre")
    page.wait_for_timeout(300)
    assert page.locator("#centre-steps figure").count() == 1


@pytest.mark.parametrize("size", [(84, 84), (20, 33), (7, 3)])
def test_a_drawing_is_centred_as_the_command_line_does(browser: Any, size: tuple[int, int]) -> None:
    ink = np.random.default_rng(size[0]).random(size) ** 4
    ink[:2], ink[:, -1:] = 0, 0
    page = browser.new_page()
    told = {"cells": ink.reshape(-1).tolist(), "rows": size[0], "columns": size[1]}
    script = html.bundle(["centre.mjs"])
    found = page.evaluate(f"ink => {{ {script}; return [...centred(ink).at(-1).cells] }}", told)
    page.close()
    # Sums in another order: a cell may fall on the other side of a half.
    assert np.abs(np.array(found).reshape(28, 28) - centre.of_ink(ink)).max() <= 1
    assert np.mean(np.array(found).reshape(28, 28) == centre.of_ink(ink)) > 0.99


def test_a_digit_is_drawn_with_keys_alone(opened: Opened) -> None:
    page = opened.page
    page.focus("#from-pad")
    page.keyboard.press("Space")
    page.focus("#pad")
    page.keyboard.press("Space")
    opened.wait("#pen", "pen down")
    for _ in range(6):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    opened.wait("#pen", "pen up")
    assert page.locator("#centre-steps figure").count() == 3
    page.keyboard.press("Delete")
    opened.wait("#pen", "the sheet is empty")


def test_a_cell_shows_its_window_products_and_sum(opened: Opened) -> None:
    page = opened.page
    page.focus("#maps button[aria-label='conv2, map 3']")
    page.keyboard.press("Enter")
    page.focus("#big")
    page.keyboard.press("ArrowRight")
    where = opened.wait("#where", "conv2, map 3, row 5, column 6")
    assert "sees rows 8 to 21 and columns 10 to 23 of the picture" in where
    page.select_option("#channel", "2")
    tables = [
        [[float(cell) for cell in row.split("\t")] for row in table.inner_text().splitlines()[1:]]
        for table in page.locator("#tables table").all()
    ]
    patch, kernel, products = (np.array(table) for table in tables)
    assert patch.shape == kernel.shape == (5, 5)
    assert np.allclose(patch * kernel, products, atol=3e-3)
    sentence = opened.text("#sentence")
    *sums, bias = re.findall(r"-?\d+\.\d+", sentence.partition(" = ")[0])
    assert len(sums) == 6
    assert float(sums[2]) == pytest.approx(products.sum(), abs=0.02)
    total = float(re.findall(r"= (-?\d+\.\d+)", sentence)[0])
    assert total == pytest.approx(sum(map(float, sums)) + float(bias), abs=0.01)
    shown = float(re.findall(r"column 6: (-?\d+\.\d+)", where)[0])
    assert shown == pytest.approx(max(total, 0), abs=0.002)


def test_every_layer_has_maps_and_gradients(opened: Opened) -> None:
    page = opened.page
    assert page.locator("#maps h3").count() == 8
    assert page.locator("#maps canvas").count() == 1 + 6 + 6 + 16 + 16 + 3
    shade = "id => document.querySelectorAll('#maps canvas')[1].toDataURL()"
    before = page.evaluate(shade)
    page.check("#gradients")
    assert page.evaluate(shade) != before
    page.select_option("#label", "7")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_sticks_out(browser: Any, folder: Path, width: int, scheme: str) -> None:
    opened = Opened(browser, folder / "page.html", color_scheme=scheme)
    opened.page.set_viewport_size({"width": width, "height": 800})
    opened.wait("#status", "Ready.")
    opened.page.check("#from-pad")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    opened.context.close()


def test_everything_has_a_name_for_a_screen_reader(opened: Opened) -> None:
    nameless = opened.page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, canvas, meter")]
            .filter((e) => !(e.ariaLabel || e.textContent.trim() || e.labels?.length
                             || e.closest("button")?.ariaLabel || e.closest("button")?.textContent))
            .map((e) => e.outerHTML.slice(0, 80))"""
    )
    assert nameless == []
    assert opened.page.locator("[role=status]").count() >= 4
