"""What is drawn of a step says what the step does, in every kind of picture."""

import io
import json
import re
import zlib
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

import stepconv
from stepconv.export import cast, figure, pdf, raster, slides, svg
from stepconv.export.looks import DARK, LIGHT
from stepconv.export.reel import Reel, Shot
from stepconv.export.strokes import Label, Pixels, strokes
from stepconv.player.frame.film import Film
from stepconv.trace import Trace, example_trace

SVG = "{http://www.w3.org/2000/svg}"


def reel_of(trace: Trace) -> Reel:
    film = Film(trace)
    return Reel([Shot(film, index) for index in range(len(trace))])


@pytest.fixture(scope="module")
def edge() -> Reel:
    return reel_of(example_trace("vertical-edge-rgb"))


def tables(drawn: figure.Figure) -> list[figure.Table]:
    return [part for part in drawn.parts if isinstance(part, figure.Table)]


def texts(table: figure.Table) -> list[list[str]]:
    return [[cell.text for cell in row] for row in table.rows]


def test_tables_hold_the_numbers_of_the_step(edge: Reel) -> None:
    drawn = edge.figure(edge[3])
    step = edge[3].film.trace[3]
    source, kernel, products, result = tables(drawn)
    assert texts(source) == [list(map(str, row)) for row in step.trace.arrays["x"][0].tolist()]
    assert texts(kernel) == [list(map(str, row)) for row in step.kernel[0].tolist()]
    assert texts(products) == [list(map(str, row)) for row in step.products[0].tolist()]
    assert texts(result)[0] == ["0", "0", "0", "225", "", "", "", ""]
    marked = [(i, j) for i, row in enumerate(source.rows) for j, c in enumerate(row) if c.role]
    assert marked == [(i, j) for i in range(3) for j in range(3, 6)]
    assert drawn.spoken == step.in_words()


def test_every_step_has_room_and_one_size() -> None:
    for id in ("same-4x4", "max-pool-4x4", "moving-average-1d"):
        trace = example_trace(id)
        reel = reel_of(trace)
        for drawn in map(reel.figure, reel):
            assert (drawn.width, drawn.height) == reel.size
            for table in tables(drawn):
                assert table.x + table.size[0] <= drawn.width
                assert table.y + table.size[1] <= drawn.height


def test_the_kernel_of_a_signal_stands_under_its_cells() -> None:
    reel = reel_of(stepconv.record(stepconv.correlate, [1, 2, 3, 4, 5], [1, -1]))
    source, kernel, *_ = tables(reel.figure(reel[2]))
    assert kernel.x == source.x + 2 * source.cell[0]


def test_what_is_too_large_for_numbers_is_a_picture() -> None:
    photo = np.arange(40 * 60).reshape(40, 60) % 251
    reel = reel_of(stepconv.record(stepconv.correlate, photo, [[1, -1]], backend="textbook"))
    drawn = reel.figure(reel[1000])
    pictures = [part for part in drawn.parts if isinstance(part, figure.Picture)]
    assert [part.shape for part in pictures] == [(40, 60), (40, 59)]
    window, *_ = tables(drawn)  # its numbers are seen all the same
    assert texts(window) == [[str(photo[16, 56]), str(photo[16, 57])]]
    pixels = np.frombuffer(pictures[1].pixels, np.uint8).reshape(-1, 3)
    assert len(set(map(tuple, pixels[1001:].tolist()))) == 1  # not computed yet


def test_svg_has_attributes_alone(edge: Reel) -> None:
    content = svg.picture([edge.figure(edge[3])], LIGHT, width=None, fps=1)
    root = ElementTree.fromstring(content)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) != "style"
        assert not {"style", "class"} & element.attrib.keys()
    assert not re.search(rb"url\(|@font-face|http(?!://www.w3.org/)", content)
    shown = ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]
    assert "75 + 75 + 75 = 225" in shown
    assert root.findtext(f"{SVG}desc") == edge[3].spoken
    assert not list(root.iter(f"{SVG}animate"))


def test_a_moving_svg_shows_in_each_step_what_its_picture_shows(edge: Reel) -> None:
    shots = list(edge)[:9]
    root = ElementTree.fromstring(svg.picture(map(edge.figure, shots), LIGHT, width=640, fps=4))
    assert root.get("width") == "640"
    count, seen = len(shots), [[] for _ in shots]
    for parent in root:
        animate = parent.find(f"{SVG}animate")
        shown = [True] * count
        if animate is not None:
            assert animate.get("dur") == "2.25s"
            times = [round(float(t) * count) for t in str(animate.get("keyTimes")).split(";")]
            values = str(animate.get("values")).split(";")
            for start, value in zip(times, values, strict=True):
                shown[start:] = [value == "visible"] * (count - start)
            assert (parent.get("visibility") == "hidden") != shown[0]
        written = list(parent.iter(f"{SVG}text"))
        for step in range(count):
            seen[step] += ["".join(e.itertext()) for e in written] * shown[step]
    for step, shot in enumerate(shots):
        labels = [s for s in strokes(edge.figure(shot), LIGHT) if isinstance(s, Label)]
        assert sorted(seen[step]) == sorted(label.text for label in labels)


def test_a_picture_in_svg_is_a_png_of_its_pixels() -> None:
    reel = reel_of(stepconv.record(stepconv.relu, np.arange(50 * 50).reshape(50, 50) % 7))
    (pixels, _) = (s for s in strokes(reel.figure(reel[0]), LIGHT) if isinstance(s, Pixels))
    image = Image.open(io.BytesIO(svg.png(pixels.shape, pixels.content)))
    assert image.tobytes() == pixels.content
    assert b"data:image/png;base64," in svg.picture(
        [reel.figure(reel[0])], LIGHT, width=None, fps=1
    )


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_a_film_has_a_frame_for_each_step(edge: Reel, theme: object) -> None:
    for kind in ("GIF", "PNG"):
        content = raster.film(
            map(edge.figure, list(edge)[:5]),
            kind,
            theme,  # type: ignore[arg-type]
            width=300,
            fps=5,
        )
        film = Image.open(io.BytesIO(content))
        assert (film.format, film.width) == (kind, 300)
        assert getattr(film, "n_frames", 1) == 5
        seen = set()
        for index in range(5):
            film.seek(index)
            assert film.info["duration"] == 200
            seen.add(film.convert("RGB").tobytes())
        assert len(seen) == 5
        paper = film.convert("RGB").getpixel((2, 2))
        meant = bytes.fromhex(theme.paper[1:])  # type: ignore[attr-defined]
        assert np.abs(np.subtract(paper, tuple(meant))).max() <= 1  # a GIF has few colours


def test_one_step_stands_still(edge: Reel) -> None:
    content = raster.film([edge.figure(edge[3])], "PNG", LIGHT, width=None, fps=5)
    picture = Image.open(io.BytesIO(content))
    assert getattr(picture, "n_frames", 1) == 1
    assert picture.size == tuple(map(round, edge.size))
    # The window and the cell that it makes, in the player's colours.
    colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20)}
    assert {(0x0B, 0x5F, 0xD8), (0xFF, 0x9A, 0x1F)} <= colours


def test_pillows_own_font_spells_what_it_lacks(edge: Reel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raster, "_FONTS", ())
    raster._font.cache_clear()
    font, spells = raster._font(16, False)
    assert spells
    for sign in set(raster.SPELLED.values()) | set("0123456789.-+=·()/…abcxyz"):
        for each in sign:
            assert bytes(font.getmask(each)) != bytes(font.getmask("\uffff"))
    assert raster.film([edge.figure(edge[3])], "PNG", LIGHT, width=300, fps=1)
    raster._font.cache_clear()


def test_pdf_has_a_page_for_each_step(edge: Reel) -> None:
    content = pdf.pages(map(edge.figure, list(edge)[:4]), LIGHT)
    assert content.startswith(b"%PDF-1.4")
    assert content.endswith(b"%%EOF\n")
    assert b"/Count 4" in content
    assert content.count(b"/Type /Page ") == 4
    # Every object is where the table says.
    start = int(content.rsplit(b"startxref\n", 1)[1].split()[0])
    places = re.findall(rb"(\d{10}) 00000 n", content[start:])
    for number, place in enumerate(places, 1):
        assert content[int(place) :].startswith(b"%d 0 obj" % number)
    streams = [zlib.decompress(s) for s in re.findall(rb"stream\n(.*?)\nendstream", content, re.S)]
    assert rb"(75 + 75 + 75 = ) Tj" in streams[3]
    assert b"(225) Tj" in streams[3]


def test_pdf_writes_signs_beyond_latin_in_another_font() -> None:
    reel = reel_of(stepconv.record(stepconv.correlate, [1, 2], [1 / 3, 1 / 7]))
    content = pdf.pages(map(reel.figure, reel), LIGHT)
    (stream,) = (
        zlib.decompress(s) for s in re.findall(rb"stream\n(.*?)\nendstream", content, re.S)
    )
    assert b"/F4 16 Tf (\xbb) Tj" in stream  # ≈


def test_a_recording_has_a_marker_at_each_step(edge: Reel) -> None:
    head, *events = map(
        json.loads, cast.recording(list(edge)[:4], "Edges", width=None, fps=2).splitlines()
    )
    assert (head["version"], head["width"], head["height"]) == (2, 80, 24)
    markers = [(at, text) for at, kind, text in events if kind == "m"]
    assert markers[3] == (1.5, "step 3 of 64, row 0, column 3")
    screens = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", e[2]) for e in events if e[1] == "o"]
    assert "75 + 75 + 75 = 225" in screens[3]
    assert all(screen.count("\n") == 23 for screen in screens[:4])
    assert [at for at, *_ in events] == sorted(at for at, *_ in events)


def test_slides_are_tables_that_can_be_read_back(edge: Reel) -> None:
    pptx = pytest.importorskip("pptx")
    content = slides.deck(map(edge.figure, list(edge)[2:4]), "Edges", ("vertical-edge-rgb",))
    first, _, third = pptx.Presentation(io.BytesIO(content)).slides
    told = " ".join(shape.text_frame.text for shape in first.shapes)
    assert "Edges" in told
    assert "vertical-edge-rgb" in told
    assert "stepconv" in told
    assert "step 3 of 64" in third.shapes.title.text_frame.text
    read = [
        [[cell.text for cell in row.cells] for row in shape.table.rows]
        for shape in third.shapes
        if shape.has_table
    ]
    assert read == [texts(table) for table in tables(edge.figure(edge[3]))]
    assert third.notes_slide.notes_text_frame.text == edge[3].spoken
    blue = "0B5FD8"
    filled = [
        str(cell.fill.fore_color.rgb) == blue
        for shape in third.shapes
        if shape.has_table
        for row in list(shape.table.rows)[:3]
        for cell in row.cells
    ]
    assert sum(filled) == 9


def test_a_backward_step_flows_back() -> None:
    reel = reel_of(
        stepconv.record(stepconv.correlate_backward, [1, 2, 3], [4, 5], [1, 10], gradient="x")
    )
    drawn = reel.figure(reel[1])
    pptx = pytest.importorskip("pptx")
    assert pptx.Presentation(io.BytesIO(slides.deck([drawn], "Back", ()))).slides
    flat = reel_of(example_trace("max-pool-4x4"))
    arrows = [p for p in flat.figure(flat[0]).parts if isinstance(p, figure.Arrow)]
    assert len(arrows) == 2
    assert not any(arrow.back for arrow in arrows)
