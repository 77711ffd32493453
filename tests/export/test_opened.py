"""What is exported opens in other programs, and says there what it says here; where they are."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from stepconv.export import pdf, slides, svg
from stepconv.export.looks import LIGHT
from stepconv.export.reel import Reel, Shot
from stepconv.export.strokes import Label, strokes
from stepconv.player.frame.film import Film
from stepconv.trace import example_trace

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reel() -> Reel:
    film = Film(example_trace("vertical-edge-rgb"))
    return Reel(Shot(film, index) for index in range(6))


def labels(reel: Reel, shot: Shot) -> list[str]:
    drawn = strokes(reel.figure(shot), LIGHT)
    return sorted(stroke.text for stroke in drawn if isinstance(stroke, Label))


def program(*names: str) -> str:
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(f"there is no {names[0]}")
    return found


def pages(file: Path) -> list[str]:
    """Return the words on each page of a PDF file."""
    command = [program("pdftotext"), "-layout", str(file), "-"]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return told.split("\f")[:-1]


def test_a_moving_svg_shows_the_right_step_at_each_moment(reel: Reel, tmp_path: Path) -> None:
    from tests.web.browser import chromium

    file = tmp_path / "film.svg"
    file.write_bytes(svg.picture(map(reel.figure, reel), LIGHT, width=None, fps=2))
    with chromium() as browser:
        tab = browser.new_page()
        tab.goto(file.as_uri())
        for step, shot in enumerate(reel):
            seen = tab.evaluate(
                """(moment) => {
                    const film = document.documentElement;
                    film.pauseAnimations();
                    film.setCurrentTime(moment);
                    const visible = (text) => getComputedStyle(text).visibility === "visible";
                    return [...film.querySelectorAll("text")].filter(visible)
                        .map((text) => text.textContent);
                }""",
                (step + 0.5) / 2,
            )
            assert sorted(seen) == labels(reel, shot)


def test_every_page_of_a_pdf_can_be_read(reel: Reel, tmp_path: Path) -> None:
    file = tmp_path / "film.pdf"
    file.write_bytes(pdf.pages(map(reel.figure, reel), LIGHT))
    told = pages(file)
    assert len(told) == len(reel)
    for shot, page in zip(reel, told, strict=True):
        for label in labels(reel, shot):
            assert re.sub(r"\s+", "", label) in re.sub(r"\s+", "", page)


def test_slides_open_in_libreoffice(reel: Reel, tmp_path: Path) -> None:
    pytest.importorskip("pptx")
    office = program("soffice", "libreoffice")
    file = tmp_path / "film.pptx"
    file.write_bytes(slides.deck(map(reel.figure, reel), "Edges", ("vertical-edge-rgb",)))
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", tmp_path, file]
    subprocess.run(list(map(str, command)), capture_output=True, check=True, timeout=300)
    first, *told = pages(tmp_path / "film.pdf")
    assert "Edges" in first
    assert "vertical-edge-rgb" in first
    assert len(told) == len(reel)
    for shot, page in zip(reel, told, strict=True):
        for label in labels(reel, shot):
            assert re.sub(r"\s+", "", label) in re.sub(r"\s+", "", page)
