"""`stepconv export`: each suffix is written and read back; what means nothing is refused."""

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

import stepconv
from stepconv.cli import main
from stepconv.cli.showing.kinds import KINDS
from stepconv.nn import build, load
from stepconv.trace import example_trace, load_trace

Capture = pytest.CaptureFixture[str]
EDGE = "vertical-edge-rgb"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def export(capsys: Capture, *arguments: str) -> str:
    status = main(["export", *arguments])
    printed, told = capsys.readouterr()
    assert (status, printed) == (0, ""), told
    return told


def refusal(capsys: Capture, *arguments: str) -> str:
    before = set(Path.cwd().iterdir())
    status = main(["export", *arguments])
    printed, complaint = capsys.readouterr()
    assert (status, printed, complaint.count("\n")) == (2, "", 1)
    assert set(Path.cwd().iterdir()) == before
    return complaint


def frames(path: str) -> int:
    with Image.open(path) as film:
        return getattr(film, "n_frames", 1)


def test_one_step_and_several(capsys: Capture) -> None:
    told = export(capsys, EDGE, "--step", "3", "-o", "edge.svg")
    assert told == f"edge.svg: 1 step, {Path('edge.svg').stat().st_size:,} bytes\n"
    root = ElementTree.parse("edge.svg").getroot()
    assert "step 3 of 64" in str(root.findtext("{*}title"))
    assert root.find(".//{*}animate") is None
    export(capsys, EDGE, "--steps", "0:4", "-o", "film.svg", "--fps", "4")
    animate = ElementTree.parse("film.svg").getroot().find(".//{*}animate")
    assert animate is not None
    assert animate.get("dur") == "1s"
    export(capsys, EDGE, "-o", "first.png")
    assert frames("first.png") == 1


def test_every_suffix_is_written(capsys: Capture) -> None:
    pytest.importorskip("pptx")
    for suffix in KINDS:
        if KINDS[suffix].of_records:
            export(capsys, "max-pool-4x4", "-o", f"pool{suffix}")
    assert frames("pool.gif") == 4
    assert load_trace("pool.npz") == example_trace("max-pool-4x4")


def test_steps_as_data(capsys: Capture) -> None:
    export(capsys, EDGE, "--every", "10", "-o", "edge.json")
    steps = json.loads(Path("edge.json").read_text("utf-8"))
    assert [step["step"] for step in steps] == list(range(0, 64, 10))
    assert main(["show", EDGE, "--json", "--step", "10"]) == 0
    assert json.loads(capsys.readouterr()[0]) == steps[1]


def test_links_of_a_chain_follow_each_other(capsys: Capture) -> None:
    chain = ("max-pool-4x4", "--then", "relu")
    assert "8 steps" in export(capsys, *chain, "-o", "chain.gif", "--width", "200")
    assert frames("chain.gif") == 8
    assert "4 steps" in export(capsys, *chain, "--link", "1", "-o", "link.pdf")
    assert "1 step," in export(capsys, *chain, "-o", "first.svg")
    assert "--link 0 fits" in refusal(capsys, *chain, "--step", "3", "-o", "a.svg")


def test_slides_tell_what_they_are_of(capsys: Capture) -> None:
    pptx = pytest.importorskip("pptx")
    export(capsys, "--input", "1 2 3 4", "--kernel", "1 -1", "-o", "a.pptx", "--every", "2")
    first, *slides = pptx.Presentation("a.pptx").slides
    assert len(slides) == 2
    told = " ".join(shape.text_frame.text for shape in first.shapes)
    assert "--input 1 2 3 4 --kernel 1 -1" in told
    assert "NumPy" in told


def test_every_suffix_of_an_algorithm(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pptx")
    monkeypatch.setattr("stepconv.cli.showing.stepped._SECONDS", 0.0)
    edge = ("vertical-edge-gray", "--as", "separable")
    for suffix, kind in KINDS.items():
        if "way" in kind.takes:
            steps = "5 steps" if kind.all_steps else "1 step,"
            assert steps in export(capsys, *edge, "--cell", "2,2", "-o", f"edge{suffix}")
    assert frames("edge.gif") == 5
    *steps, last = json.loads(Path("edge.json").read_text("utf-8"))
    assert [step["step"] for step in steps] == [0, 1, 2, 3]
    assert "separable" in [row["algorithm"] for row in last["table"]]
    export(capsys, *edge, "--step", "-1", "-o", "costs.svg")
    told = ElementTree.parse("costs.svg").getroot()
    assert "side by side" in str(told.findtext("{*}title"))
    export(capsys, *edge, "--steps", "1:3", "--fps", "1", "-o", "two.gif")
    assert frames("two.gif") == 2
    chain = ("vertical-edge-gray", "--then", "relu", "--as", "direct")
    export(capsys, *chain, "--link", "0", "-o", "link.svg")
    assert main(["page", *edge, "-o", "again.html"]) == 0
    assert "5 steps" in capsys.readouterr()[1]


def test_a_network_as_its_description(capsys: Capture) -> None:
    export(capsys, "lenet5", "-o", "mine.toml")
    assert load("mine.toml") == build("lenet5")
    export(capsys, "mine.toml", "-o", "again.toml")
    assert Path("again.toml").read_bytes() == Path("mine.toml").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((EDGE, "-o", "a.txt"), f"a.txt cannot be written: {', '.join(KINDS)} fit"),
        ((EDGE, "-o", "a"), "a cannot be written: .svg"),
        ((EDGE, "-o", "absent/a.svg"), "no folder absent"),
        ((EDGE, "-o", "a.npz", "--step", "3"), "--step 3 has no place here"),
        ((EDGE, "-o", "a.pdf", "--fps", "3"), "--fps 3.0 has no place here"),
        ((EDGE, "-o", "a.pptx", "--width", "300"), "--width 300 has no place here"),
        ((EDGE, "-o", "a.json", "--dark"), "--dark has no place here"),
        ((EDGE, "-o", "a.gif", "--fps", "0"), "--fps 0 is out of range"),
        ((EDGE, "-o", "a.gif", "--fps", "nan"), "--fps nan is out of range"),
        ((EDGE, "-o", "a.gif", "--width", "3"), "--width 3 is out of range: 64 to 8000 pixels fit"),
        ((EDGE, "-o", "a.cast", "--width", "3"), "40 to 400 columns fit"),
        ((EDGE, "-o", "a.gif", "--every", "0"), "--every 0 is out of range"),
        ((EDGE, "-o", "a.gif", "--step", "64"), "--step 64 is not in this trace"),
        ((EDGE, "-o", "a.gif", "--steps", "64:"), "holds none of the steps"),
        ((EDGE, "-o", "a.gif", "--steps", "3"), "is no range"),
        ((EDGE, "-o", "a.gif", "--step", "3", "--steps", "3:"), "give one"),
        ((EDGE, "-o", "a.gif", "--step", "3", "--every", "2"), "give one"),
        ((EDGE, "-o", "a.svg", "--step", "3", "--fps", "2"), "one step stands still"),
        ((EDGE, "-o", "a.gif", "--link", "0"), "--link 0 has no place here"),
        ((EDGE, "-o", "a.onnx"), f"{EDGE} is no network"),
        (("lenet5", "-o", "a.onnx"), "lenet5 has learnt nothing yet"),
        (("lenet5", "-o", "a.html"), "lenet5 has learnt nothing yet"),
        (("lenet5", "-o", "a.gif"), "lenet5 is a network, and a .gif is not"),
        (("lenet5", "--stride", "2", "-o", "a.toml"), "--stride 2 has no place here"),
        (
            (EDGE, "--as", "fft", "-o", "a.npz"),
            ".svg, .png, .gif, .pptx, .pdf, .cast, .json, .html",
        ),
        ((EDGE, "--as", "fft", "-o", "a.onnx"), "--as fft has no place here"),
        ((EDGE, "--as", "magic", "-o", "a.gif"), "direct, im2col"),
        ((EDGE, "--as", "fft", "--letters", "-o", "a.gif"), "--letters has no place"),
        ((EDGE, "--as", "fft", "--step", "99", "-o", "a.gif"), "whose steps are 0 to 12"),
        ((EDGE, "--as", "fft", "--cell", "9,9", "-o", "a.gif"), "0,0,0 to 0,7,7 fits"),
        ((EDGE, "--cell", "1,1", "-o", "a.gif"), "--cell 1,1 needs --as"),
        ((EDGE, "--cell", "1,1", "-o", "a.html"), "--cell 1,1 needs --as"),
        ((EDGE, "--then", "relu", "--as", "fft", "-o", "a.html"), "--link 0 to 1 fits"),
        (("max-pool-4x4", "--as", "fft", "-o", "a.pptx"), "slides no kernel"),
        (("size-10-3-p0-s1", "--as", "fft", "-o", "a.gif"), "is a number"),
        (("lenet5", "--as", "fft", "-o", "a.html"), "--as fft has no place here"),
        (("no-such", "-o", "a.gif"), "'no-such' is no worked example"),
        (("size-10-3-p0-s1", "-o", "a.gif"), "is a size"),
        (("-o", "a.gif"), "nothing to show"),
        ((EDGE,), "--out"),
    ],
)
def test_what_cannot_be_exported(arguments: tuple[str, ...], reason: str, capsys: Capture) -> None:
    assert reason in refusal(capsys, *arguments)


def test_nothing_is_overwritten_unasked(capsys: Capture) -> None:
    Path("a.svg").write_text("mine", "utf-8")
    assert "--force" in refusal(capsys, EDGE, "-o", "a.svg")
    assert Path("a.svg").read_text("utf-8") == "mine"
    export(capsys, EDGE, "-o", "a.svg", "--force")


def test_nothing_can_be_drawn_of_no_step(capsys: Capture) -> None:
    stepconv.record(stepconv.relu, []).save("empty.npz")
    assert "no step to draw" in refusal(capsys, "empty.npz", "-o", "a.gif")
    export(capsys, "empty.npz", "-o", "a.json")
    assert json.loads(Path("a.json").read_text("utf-8")) == []


def test_a_film_can_be_too_long(capsys: Capture) -> None:
    many = " ".join(["1"] * 1001)
    told = refusal(capsys, "--input", many, "--op", "relu", "-o", "a.gif")
    assert "1,001 steps are too many for a .gif" in told
    assert told.endswith("--every 2\n")


def test_a_missing_package_is_named(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stepconv.cli.showing.kinds.find_spec", lambda name: None)
    assert "pip install 'stepconv[slides]'" in refusal(capsys, EDGE, "-o", "a.pptx")
    assert "pip install 'stepconv[images]'" in refusal(capsys, EDGE, "-o", "a.gif")


def test_nothing_is_half_written(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    from stepconv.cli.showing.links import Shown

    def fails(self: Shown, step: object) -> dict[str, object]:
        raise KeyboardInterrupt

    monkeypatch.setattr(Shown, "as_data", fails)
    assert main(["export", EDGE, "-o", "a.json"]) == 130
    assert not list(Path.cwd().iterdir())
