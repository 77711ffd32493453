"""The page of a record holds the numbers of its steps, and plays them in a browser."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stepconv
from stepconv.cli import main
from stepconv.trace import About, Chain, Trace, example_trace, worked_examples
from stepconv.trace.gallery.traces import has_windows
from stepconv.trace.sentence import sentence, spelled_products
from stepconv.trace.words import number
from stepconv.web import record

SOBEL = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]


def told(page: str) -> dict[str, Any]:
    """Return what the page's script is told."""
    found = re.search(r'<script id="told" type="application/json">(.*?)</script>', page, re.S)
    assert found
    read: dict[str, Any] = json.loads(found[1])
    for link in read["links"]:
        link["texts"] = link["texts"].split("\n")
        for each in filter(None, (link, link.get("flipped"))):
            each["results"] = each["results"].split()
    return read


def planes(text: str) -> list[list[list[str]]]:
    return [[row.split() for row in plane.split(";")] for plane in text.split("|") if plane]


def written(cells: Any) -> list[list[list[str]]]:
    return [[list(map(number, row)) for row in plane] for plane in cells]


def spoken(link: dict[str, Any], step: Any) -> str:
    """Return the sentence of a step as the page puts it together."""
    body = link["texts"][link["told"][step.index]]
    if link["spelled"]:
        patch, kernel = step.patch_planes[0].ravel(), step.kernel_planes[0].ravel()
        name = link["channels"][step.place[0]][0]
        body = f"{name}: " * bool(name) + f"{spelled_products(patch, kernel)} {body}"
    return body


def check(trace: Trace, link: dict[str, Any]) -> None:
    """Hold what a page holds of a call against its trace."""
    assert (link["of"], link["steps"]) == (len(trace), len(trace))
    source = [planes(plane)[0] for plane in link["planes"]] if trace.gather.source.size else []
    for step in trace:
        i, (plane, row, column) = step.index, step.place
        assert link["results"][i] == number(step.result)
        assert spoken(link, step) == sentence(step).partition(": ")[2]
        top, left = link["ring"]["top"], link["ring"]["left"]
        window = [
            [
                [source[p][y + top][x + left] for x in link["columns"][column]]
                for y in link["rows"][row]
            ]
            for p in link["flows"][plane]
        ]
        assert [
            [[cell if cell != "·" else "0" for cell in line] for line in each] for each in window
        ] == written(step.patch_planes)
        kernel = planes(link["texts"][link["kernels"][i]])
        if step.kernel_planes is not None and step.kernel_planes.size:
            assert kernel == written(step.kernel_planes)
            assert planes(link["texts"][link["products"][i]]) == written(step.product_planes)


# Of each kind one; of the others slowly.
QUICK = ("vertical-edge-rgb", "max-pool-4x4", "same-4x4", "moving-average-1d")
EXAMPLES = [
    pytest.param(example.id, marks=() if example.id in QUICK else pytest.mark.slow)
    for example in worked_examples()
    if has_windows(example)
]


@pytest.mark.parametrize("id", EXAMPLES)
def test_a_page_holds_the_numbers_of_its_trace(id: str) -> None:
    trace = example_trace(id)
    (link,) = told(record.page(trace))["links"]
    check(trace, link)


def test_ways_back_pools_and_signals() -> None:
    x, w = np.arange(12.0).reshape(3, 4), [[1, -1]]
    for gradient in ("x", "w"):
        back = stepconv.record(
            stepconv.correlate_backward, x, w, np.ones((3, 3)), gradient=gradient
        )
        (link,) = told(record.page(back))["links"]
        assert link["backward"]
        check(back, link)
    pool = stepconv.record(stepconv.max_pool, x, 2, padding=1, stride=1)
    (link,) = told(record.page(pool))["links"]
    check(pool, link)
    assert link["winners"][-1] == [2, 3]
    check(pool, link)
    line = stepconv.record(stepconv.avg_pool, [3, 1, 4, 1], 2)
    check(line, told(record.page(line))["links"][0])
    softmax = stepconv.record(stepconv.softmax, [3.0, 1.0, 4.0])
    check(softmax, told(record.page(softmax))["links"][0])


def test_a_correlation_holds_its_counterpart() -> None:
    trace = example_trace("vertical-edge-rgb")
    (link,) = told(record.page(trace))["links"]
    assert link["flipped"]["operation"] == "convolution"
    assert link["flipped"]["results"][3] == "-225"
    assert planes(link["texts"][link["flipped"]["kernels"][0]])[0][0] == ["-1", "0", "1"]


def test_cells_of_a_chain_lead_on_and_back() -> None:
    chain = stepconv.record(
        [(stepconv.correlate, {"w": [1, -1]}), (stepconv.max_pool, {"window": 2})], [3, 1, 4, 1, 5]
    )
    first, second = told(record.page(chain))["links"]
    assert first["into"] == [[1, 0], [1, 0], [1, 1], [1, 1]]
    assert second["from"] == [[0, 1], [0, 3]]
    assert first["from"] == [None] * 4
    assert second["heading"].startswith("link 1 of 2, max pooling")
    for trace, link in zip(chain, (first, second), strict=True):
        check(trace, link)


def test_a_page_is_small_loads_nothing_and_computes_nothing() -> None:
    page = record.page(example_trace("vertical-edge-rgb"))
    assert len(page.encode()) < 60_000
    assert not re.search(r"https?:|src=|@import|url\(", page)
    noise = np.random.default_rng(0).standard_normal((28, 28)).astype(np.float32)
    trace = stepconv.record(stepconv.correlate, noise, noise[:3, :3], backend="textbook")
    assert len(record.page(trace).encode()) < 150_000


@pytest.mark.slow
def test_the_page_of_a_picture_and_its_comparison_are_small() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (28, 28))
    page = record.page(stepconv.record(stepconv.correlate, picture, SOBEL, padding="same"))
    assert told(page)["links"][0]["flipped"]
    assert len(page.encode()) < 150_000


def test_a_title_cannot_end_the_script() -> None:
    evil = 'a"</script><script>alert(1)</script><!-- <script>'
    trace = stepconv.record(stepconv.relu, [1, -1], about=About(evil), backend="textbook")
    page = record.page(trace)
    assert told(page)["title"] == f"{evil} · ReLU"
    assert "<script>alert" not in page


def test_a_notebook_shows_the_same_page_in_a_frame() -> None:
    trace = example_trace("max-pool-4x4")
    frame = trace._repr_html_()
    assert frame.startswith('<iframe sandbox="allow-scripts" ')
    found = re.search(r'srcdoc="([^"]*)"', frame)
    assert found
    assert html.unescape(found[1]) == record.page(trace)
    chain = Chain.begun_with(trace).then(stepconv.relu)
    assert chain._repr_html_().count("<iframe") == 1


def test_a_long_trace_is_cut_and_says_so() -> None:
    trace = stepconv.record(stepconv.correlate, list(range(500)), [1, 2, 3], backend="textbook")
    (link,) = told(record.page(trace, record.data(trace, 900)))["links"]
    assert link["steps"] == 100
    assert (link["of"], link["planes"]) == (498, None)
    assert planes(link["texts"][link["windows"][5]]) == [[["5", "6", "7"]]]


def test_what_is_empty_has_a_page() -> None:
    empty = stepconv.record(stepconv.relu, [], backend="textbook")
    assert told(record.page(empty))["links"][0]["steps"] == 0
    assert told(record.page(Chain(np.zeros(3))))["links"] == []


def test_the_command_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "pool.html"
    assert main(["page", "max-pool-4x4", "--then", "relu", "-o", str(out)]) == 0
    assert capsys.readouterr()[1] == f"{out}: 8 steps, {out.stat().st_size:,} bytes\n"
    assert [link["of"] for link in told(out.read_text("utf-8"))["links"]] == [4, 4]
    again = tmp_path / "again.html"
    assert main(["export", "max-pool-4x4", "--then", "relu", "-o", str(again)]) == 0
    assert again.read_bytes() == out.read_bytes()
    capsys.readouterr()
    assert main(["page", "max-pool-4x4", "--limit", "3", "-o", str(tmp_path / "a.html")]) == 2
    assert "--limit 3 is about networks" in capsys.readouterr()[1]
    assert main(["page", "no-such", "-o", str(tmp_path / "a.html")]) == 2
    assert not (tmp_path / "a.html").exists()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from tests.web.browser import chromium

    with chromium() as found:
        yield found


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Open records, each in a page that may ask for nothing, and in which nothing may go wrong."""
    from tests.web.browser import Opened

    shown: list[Any] = []

    def show(this: Trace | Chain) -> Any:
        file = tmp_path / f"{len(shown)}.html"
        file.write_text(record.page(this), "utf-8")
        shown.append(Opened(browser, file))
        return shown[-1].page

    yield show
    for i, each in enumerate(shown):
        assert each.errors == []
        assert each.requests == [(tmp_path / f"{i}.html").as_uri()]
        each.context.close()


@pytest.mark.slow
def test_keys_buttons_slider_and_mouse(opened: Any) -> None:
    trace = example_trace("vertical-edge-rgb")
    tab = opened(trace)
    said = tab.locator("#words")

    def at(step: int) -> None:
        assert said.inner_text() == trace[step].in_words()

    at(0)
    for key, step in (
        *(("ArrowRight", 1), ("ArrowDown", 9), ("ArrowUp", 1), ("ArrowLeft", 0), ("ArrowLeft", 0)),
        *(("End", 63), ("Home", 0)),
    ):
        tab.keyboard.press(key)
        at(step)
    tab.keyboard.press("g")
    tab.keyboard.type("3,4")
    tab.keyboard.press("Enter")
    at(28)
    tab.locator("#back").click()
    at(27)
    tab.locator("#slider").evaluate("s => { s.value = 3; s.dispatchEvent(new Event('input')); }")
    at(3)
    assert tab.locator("#sums").inner_text().splitlines()[-1] == "75 + 75 + 75 = 225"
    assert tab.locator("#panels td.window").count() == 27
    assert tab.locator("#panels td.result").inner_text() == "225"
    cells = tab.locator(".choosable td")
    cells.nth(60).hover()
    assert "step 60 of 64" in tab.locator("#place").inner_text()
    at(3)  # to point at a cell goes nowhere
    cells.nth(60).click()
    at(60)
    tab.mouse.move(5, 5)
    tab.locator(".sources td").nth(11).hover()
    assert tab.locator("td.reads").count() == 4
    tab.mouse.move(5, 5)
    tab.keyboard.press("Home")
    tab.keyboard.press("r")
    assert said.inner_text() == "input, row 0, column 0: read for 1 cell of this plane"
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowRight")
    assert tab.locator("td.reads").count() == 4
    tab.keyboard.press("r")
    at(0)
    tab.keyboard.press("ArrowRight")
    at(1)
    tab.keyboard.press("c")
    assert tab.locator("figcaption").all_inner_texts()[-1] == "convolution: output"
    assert not tab.locator("#keys dl").is_visible()
    tab.keyboard.press("?")
    assert tab.locator("#keys dl").is_visible()
    tab.keyboard.press("Home")
    for _ in range(9):
        tab.keyboard.press("+")
    tab.keyboard.press(" ")
    said.filter(has_text="step 63 of 64").wait_for(timeout=20_000)
    at(63)


@pytest.mark.slow
def test_a_chain_is_followed_in_the_browser(opened: Any) -> None:
    calls = [
        (stepconv.correlate, {"w": SOBEL}),
        (stepconv.relu, {}),
        (stepconv.max_pool, {"window": 2}),
    ]
    picture = np.random.default_rng(2).integers(0, 9, (8, 8))
    chain = stepconv.record(calls, picture)
    tab = opened(chain)
    said = tab.locator("#words")
    for link, trace in enumerate(chain):
        tab.locator("#links button").nth(link).click()
        for step in trace[:6]:
            assert said.inner_text() == step.in_words()
            tab.keyboard.press("ArrowRight")
    tab.keyboard.press("End")
    tab.keyboard.press("[")
    assert said.inner_text().startswith("step ")
    assert tab.locator("#links button[aria-current=true]").inner_text() == "1 ReLU"
    tab.keyboard.press("]")
    assert said.inner_text() == chain[2][-1].in_words()


@pytest.mark.slow
def test_every_kind_of_record_plays(opened: Any) -> None:
    x = np.random.default_rng(3).standard_normal((2, 3, 6, 6)).round(1)
    w = np.random.default_rng(4).standard_normal((4, 3, 3, 3)).round(1)
    records = [
        stepconv.record(stepconv.correlate, x, w, np.arange(4.0), padding=1),
        stepconv.record(stepconv.correlate_backward, x, w, np.ones((2, 4, 4, 4)), gradient="w"),
        stepconv.record(stepconv.correlate_backward, x, w, np.ones((2, 4, 4, 4)), gradient="bias"),
        stepconv.record(stepconv.avg_pool, x, 2),
        stepconv.record(stepconv.max_pool_backward, x[0, 0], np.ones((3, 3)), 2),
        stepconv.record(stepconv.pad, [1, 2, 3], 2, mode="reflect"),
        stepconv.record(stepconv.softmax, x[0, 0, 0]),
        stepconv.record(stepconv.correlate, np.arange(900).reshape(30, 30), SOBEL),
    ]
    for trace in records:
        tab = opened(trace)
        for step in (0, 1, len(trace) - 1):
            tab.locator("#goto").fill(str(step))
            tab.locator("#goto").press("Enter")
            assert tab.locator("#words").inner_text() == trace[step].in_words()


@pytest.mark.slow
def test_the_frame_of_a_notebook_plays(browser: Any) -> None:
    trace = example_trace("max-pool-4x4")
    tab = browser.new_page()
    tab.set_content(f"<!doctype html><body>{trace._repr_html_()}")
    inside = tab.frame_locator("iframe")
    inside.locator("#next").click()
    assert inside.locator("#words").inner_text() == trace[1].in_words()
    tab.close()
