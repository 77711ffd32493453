"""The pages of an algorithm, drawn and in a browser: numbers, room, the table of all ways."""

import io
import json
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stepconv
from stepconv.algorithms import every_run, runs, table
from stepconv.export import cast, figure, pdf, slides, stepped_page, svg
from stepconv.export.looks import LIGHT, look
from stepconv.export.stepped import PageReel
from stepconv.export.strokes import Box, Label, strokes
from stepconv.player.stepped.pages import Page, pages
from stepconv.trace import example_trace

WAYS = ["direct", "im2col", "separable", "winograd", "fft", "tiles"]


def made(way: str, example: str = "vertical-edge-rgb") -> list[Page]:
    trace = example_trace(example)
    steps = [(run.algorithm.title, step) for run in runs(trace, way) for step in run.steps]
    return pages(steps, table(every_run(trace)))


def tables(drawn: figure.Figure) -> list[figure.Table]:
    return [part for part in drawn.parts if isinstance(part, figure.Table)]


def texts(made: figure.Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in made.rows]


@pytest.mark.parametrize("way", WAYS)
def test_every_page_has_its_numbers_and_room(way: str) -> None:
    reel = PageReel(made(way), "An edge")
    for shot in reel:
        drawn = reel.figure(shot)
        assert (drawn.width, drawn.height) == reel.size
        assert drawn.spoken == shot.page.spoken
        for part in tables(drawn):
            assert part.x + part.size[0] <= drawn.width
            assert part.y + part.size[1] <= drawn.height
        step = shot.page.step
        if step is not None:
            for each, part in zip(step.panels, tables(drawn), strict=True):
                read = np.array(texts(part), float)
                assert np.allclose(read, each.cells, atol=6e-4, rtol=6e-3)


def test_the_last_page_is_the_table() -> None:
    every = made("winograd")
    reel = PageReel(every, "An edge")
    (costs,) = tables(reel.figure(reel[-1]))
    head, first, *_ = texts(costs)
    assert head[:3] == ["algorithm", "·", "+"]
    row = every[-1].rows[0]
    assert first[:3] == ["direct", f"{row.a_cell(row.counts.multiplications):.1f}", "27.0"]
    assert costs.widths[0] == max(costs.widths)
    assert [cell.is_name for cell in costs.rows[1]] == [True] + [False] * (len(head) - 1)
    names = [s for s in strokes(reel.figure(reel[-1]), LIGHT) if isinstance(s, Label) and s.ends]
    assert "direct" not in [label.text for label in names]


def test_cells_that_went_round_are_struck_through() -> None:
    reel = PageReel(made("fft"), "An edge")
    drawn = strokes(reel.figure(reel[0]), LIGHT)
    ink = look("unread", LIGHT).ink
    lines = [s for s in drawn if isinstance(s, Box) and s.height == 1 and s.fill == ink]
    assert len(lines) == 20


def test_what_is_too_large_for_numbers_is_a_picture() -> None:
    x = np.random.default_rng(1).integers(0, 9, (60, 60))
    trace = stepconv.record(stepconv.correlate, x, np.ones((31, 31)), backend="cpu")
    steps = [(run.algorithm.title, step) for run in runs(trace, "fft") for step in run.steps]
    every = pages(steps, [])
    reel = PageReel(every, "Large")
    drawn = reel.figure(reel[1])
    assert all(isinstance(part, figure.Words | figure.Picture) for part in drawn.parts)
    page = stepped_page.page(every, "Large")
    assert "data:image/png;base64," in page
    assert len(page) < 1_000_000


def test_a_page_of_many_numbers_is_cut_before_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    every = made("winograd")
    assert stepped_page.kept(every) == every
    monkeypatch.setattr(stepped_page, "MOST", 200)
    read = told(stepped_page.page(every, "An edge"))
    assert read["of"] == len(every)
    numbers = [page["number"] for page in read["pages"]]
    assert numbers == [*range(len(numbers) - 1), len(every) - 1]
    assert len(numbers) == 5


def test_slides_hold_the_table_as_a_table() -> None:
    pptx = pytest.importorskip("pptx")
    reel = PageReel(made("fft"), "An edge")
    content = slides.deck([reel.figure(reel[0]), reel.figure(reel[-1])], "Edges", ())
    _, first, last = pptx.Presentation(io.BytesIO(content)).slides
    (shape,) = (shape for shape in last.shapes if shape.has_table)
    read = [[cell.text for cell in row.cells] for row in shape.table.rows]
    assert read == texts(tables(reel.figure(reel[-1]))[0])
    assert shape.table.columns[0].width > shape.table.columns[1].width
    wrong = next(shape for shape in first.shapes if shape.has_table)
    assert wrong._element.xml.count('strike="sngStrike"') == 20


def test_signs_of_formulas_are_in_a_pdf() -> None:
    reel = PageReel(made("fft"), "An edge")
    content = pdf.pages(map(reel.figure, reel), LIGHT)
    streams = [zlib.decompress(s) for s in re.findall(rb"stream\n(.*?)\nendstream", content, re.S)]
    assert len(streams) == len(reel)
    assert b"(p) Tj" in streams[1]  # π, in the font of symbols
    assert any(rb"F^-1[P]" in stream for stream in streams)
    assert not any(b"(?)" in stream for stream in streams)


def test_films_and_recordings() -> None:
    reel = PageReel(made("tiles"), "An edge")
    film = svg.picture(map(reel.figure, reel), LIGHT, width=None, fps=1)
    assert film.count(b"<animate") > 1
    head, *events = cast.recording(reel, "Edges", width=None, fps=1).splitlines()
    markers = [text for _, kind, text in map(json.loads, events) if kind == "m"]
    assert markers[0] == "tiles · step 0 of 29 · line 0 of the input, channel 0"
    assert markers[-1] == "all that suit · step 28 of 29 · side by side"
    assert json.loads(head)["height"] == 24


def told(page: str) -> dict[str, Any]:
    """Return what the page's script is told."""
    found = re.search(r'<script id="told" type="application/json">(.*?)</script>', page, re.S)
    assert found
    read: dict[str, Any] = json.loads(found[1])
    return read


@pytest.mark.parametrize("way", WAYS)
def test_a_page_holds_what_the_screen_shows(way: str) -> None:
    every = made(way)
    read = told(stepped_page.page(every, "An <edge>"))
    assert read["title"] == "An <edge>"
    for page, shown in zip(every, read["pages"], strict=True):
        if page.step is None:
            continue
        assert shown["words"] == [page.step.words, page.step.formula]
        for each, array in zip(page.step.panels, shown["panels"], strict=True):
            cells = np.array([row.split(" ") for row in array["cells"].split(";")], float)
            assert np.allclose(cells, each.cells, atol=6e-4, rtol=6e-3)
            marked = {i for role in ("window", "result") for i in array["roles"].get(role, [])}
            rows, columns = each.marked
            wide = each.cells.shape[1]
            meant = {i * wide + j for i in rows for j in columns if (i, j) not in each.special}
            assert marked == meant
    (costs,) = read["pages"][-1]["table"]
    assert [row[0] for row in costs[1:]] == [row.algorithm for row in every[-1].rows]


@pytest.fixture
def tab(tmp_path: Path) -> Iterator[Any]:
    """Open Winograd's page, which may ask for nothing, and in which nothing may go wrong."""
    from tests.web.browser import Opened, chromium

    file = tmp_path / "winograd.html"
    file.write_text(stepped_page.page(made("winograd", "vertical-edge-gray"), "Edge"), "utf-8")
    with chromium() as browser:
        opened = Opened(browser, file)
        yield opened.page
        assert opened.errors == []
        assert opened.requests == [file.as_uri()]


@pytest.mark.slow
def test_the_page_is_played_by_keys(tab: Any) -> None:
    every = made("winograd", "vertical-edge-gray")
    place = tab.locator("#place")

    def at(number: int) -> None:
        page = every[number]
        assert place.inner_text() == (
            f"step {number} of {len(every)} · {page.algorithm} · {page.title}"
        )
        if page.step is not None:
            assert page.step.words in tab.locator("#words").inner_text()
            assert tab.locator("#panels table").count() == len(page.step.panels)

    at(0)
    last = len(every) - 1
    second = next(i for i, page in enumerate(every) if page.algorithm != every[0].algorithm)
    for key, number in (
        *(("ArrowRight", 1), ("ArrowLeft", 0), ("ArrowLeft", 0), ("]", second), ("]", last)),
        *(("]", last), ("[", second), ("[", 0), ("End", last), ("Home", 0)),
    ):
        tab.keyboard.press(key)
        at(number)
    tab.keyboard.press("g")
    tab.keyboard.type("3")
    tab.keyboard.press("Enter")
    at(3)
    tab.locator("#links button").nth(1).press("Enter")
    at(second)
    tab.keyboard.press("End")
    assert tab.locator("#costs tr").count() == 1 + len(every[-1].rows)
    assert tab.locator("#costs th").first.inner_text() == "algorithm"
    for _ in range(9):
        tab.keyboard.press("+")
    tab.keyboard.press("Home")
    tab.locator("#play").press(" ")
    place.filter(has_text=f"step {last} of").wait_for(timeout=20_000)
