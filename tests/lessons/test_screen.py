"""The lessons with keys, in Textual's pilot: what a person does and then sees."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from threading import Event

import pytest
from textual.pilot import Pilot

from stepconv.cli.lesson import opening, screen
from stepconv.cli.lesson.screen import Lessons
from stepconv.cli.reading.lessons import tools
from stepconv.lessons import shelf
from stepconv.lessons.progress import Progress
from stepconv.lessons.reader import SCENE, Reader, judged
from stepconv.lessons.reading import parse
from stepconv.lessons.scene import Answer, Question
from stepconv.player.editing import Desk
from stepconv.player.stage import Stage
from stepconv.player.text.lines import Spot, as_text, columns
from tests.player.test_terminal import Terminal, terminal, tmux

__all__ = ["terminal"]  # a fixture

TEXT = """# Edges

About edges.

## A window
opens: play vertical-edge-gray
step: 4

The sum is {75 = step.result}.

ask: And the next?
right: {at(0, 5).result} -> nothing but dark.
wrong: -> look again.

## A corner
opens: play vertical-edge-gray
view: readers
cursor: 0,0

Who reads it?

choose: How many windows read the corner?
wrong: nine -> in the middle they do.
right: one -> no other reaches it.

## A film
draws: integral

Finer and finer.

## A table
opens: shapes parameters-10-filters

Ten filters.

## Two calls
opens: play vertical-edge-gray --then relu
link: 1
step: 3

A chain.
"""
DESK = Desk(lambda t: t, lambda t: t, lambda *a: "")  # type: ignore
Act = Callable[[Lessons, Pilot[int]], Awaitable[None]]


@pytest.fixture(autouse=True)
def no_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Frames of a film change when a test says so."""
    monkeypatch.setattr(screen, "_FRAME", 3600.0)


def with_lessons(act: Act, tmp_path: Path, size: tuple[int, int] = (80, 24), **how: bool) -> None:
    lessons = [parse(TEXT, "edges"), parse("# More\n\n## One\n\nA scene.\n", "more")]

    async def run() -> None:
        reader = Reader(lessons, tools(), Progress.load(tmp_path / "lessons.json"))
        app = Lessons(reader, DESK, patience=60, **how)
        async with app.run_test(size=size) as pilot:
            await pilot.pause()
            await act(app, pilot)

    asyncio.run(run())


def seen(app: Lessons) -> str:
    return "\n".join(as_text(line) for line in app.stage.drawn)


def letter(app: Lessons, answer: str) -> str:
    """Return the key of an answer that is offered."""
    return "abc"[[each.text for each in app.reader.offered].index(answer)]


def test_from_the_menu_through_every_scene(tmp_path: Path) -> None:
    async def act(app: Lessons, pilot: Pilot[int]) -> None:
        assert "1  Edges" in seen(app)
        assert "new" in seen(app)
        await pilot.press("enter")
        assert "The sum is 75." in seen(app)
        assert "step 4 of 64" in seen(app)
        await pilot.press("right")
        assert "Who reads it?" in seen(app)
        await pilot.press("right")
        assert "h = 1/2" in seen(app)
        await pilot.press("down", "down")
        assert "h = 1/8" in seen(app)
        app._next_frame()
        assert "h = 1/16" in seen(app)
        await pilot.press("space")
        assert "280" in seen(app)
        await pilot.press("right")
        assert "link 1 of 2" in seen(app)
        await pilot.press("right")
        assert "ends here" in seen(app)
        await pilot.press("left", "escape")
        assert "4 ✓ A table" in seen(app)
        await pilot.press("up", "up", "enter")
        assert "Who reads it?" in seen(app)
        await pilot.press("escape", "escape")
        assert "all seen" in seen(app)
        await pilot.press("2")
        assert "A scene." in seen(app)

    with_lessons(act, tmp_path)


def test_inside_a_scene_the_players_keys_work_and_escape_leads_back(tmp_path: Path) -> None:
    async def act(app: Lessons, pilot: Pilot[int]) -> None:
        await pilot.press("enter", "enter")
        assert "The sum is" not in seen(app)
        await pilot.press("right", "w")
        assert "why this size?" in seen(app)
        await pilot.press("escape")
        assert "step 5 of 64" in seen(app)
        await pilot.press("g", "9", "escape", "escape")
        assert "The sum is 75." in seen(app)
        assert "step 5 of 64" in seen(app)
        await pilot.press("right", "enter")
        assert "who reads this?" in seen(app)
        await pilot.press("escape")
        assert "Who reads it?" in seen(app)
        await pilot.press("enter", "q")
        assert app.is_running
        assert "Who reads it?" in seen(app)

    with_lessons(act, tmp_path)


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        (["9", "enter"], "Look again."),
        (["7", "backspace", "0", "enter"], "Nothing but dark."),
    ],
)
def test_a_guess_is_typed_and_answered_with_the_reason(
    keys: list[str], told: str, tmp_path: Path
) -> None:
    async def act(app: Lessons, pilot: Pilot[int]) -> None:
        await pilot.press("enter", *keys)
        assert told in seen(app)
        await pilot.press("enter")
        assert app.inside

    with_lessons(act, tmp_path)


@pytest.mark.parametrize(
    ("right", "guesses", "others"),
    [
        ("0", ["0", "0.0", " 0 ", "-0", "0."], ["", "o", "75", "none", "1/0", ".", "-", "9" * 999]),
        ("4.5", ["4.5", "9/2", "4.50"], ["45", "4", "4,5"]),
        ("9,216", ["9216", "9,216"], ["9.216", "92,16"]),
        ("75 75 0", ["75 75 0", "75, 75, 0", "75; 75 0"], ["75 0 75", "75 75"]),
        ("8x8", ["8x8", "8 x 8", "8×8", "8 8"], ["64", "8"]),
        ("-67", ["-67", "\N{MINUS SIGN}67"], ["67"]),
        ("the bias", ["the bias", "The Bias", "THE BIAS."], ["bias"]),
    ],
)
def test_a_number_may_be_spelt_in_any_way(
    right: str, guesses: list[str], others: list[str]
) -> None:
    wanted, other = Answer(right, "so it is", True), Answer(None, "it is not", False)
    question = Question("what?", (wanted, other), is_chosen=False)
    assert [judged(question, guess) for guess in guesses] == [wanted] * len(guesses)
    assert [judged(question, guess) for guess in others] == [other] * len(others)


def test_a_guess_is_chosen_and_another_after_it(tmp_path: Path) -> None:
    async def act(app: Lessons, pilot: Pilot[int]) -> None:
        await pilot.press("enter", "right")
        await pilot.press(letter(app, "nine"))
        assert "In the middle they do." in seen(app)
        await pilot.press(letter(app, "one"))
        assert "No other reaches it." in seen(app)
        assert "In the middle" not in seen(app)

    with_lessons(act, tmp_path)


def test_on_a_projector_one_idea_a_screen(tmp_path: Path) -> None:
    async def act(app: Lessons, pilot: Pilot[int]) -> None:
        await pilot.press("enter")
        assert "The sum is 75." in seen(app)
        assert "And the next?" not in seen(app)
        await pilot.press("right")
        assert "█" in seen(app)
        assert "The sum is 75." not in seen(app)
        await pilot.press("right")
        assert "And the next?" in seen(app)
        await pilot.press("left", "right", "right")
        assert "Who reads it?" in seen(app)

    with_lessons(act, tmp_path, large=True)


SIZES = [(60, 20), (120, 40), (24, 8)]
SLOW = [pytest.param(size, marks=pytest.mark.slow) for size in ((80, 24), (200, 60), (30, 6))]


@pytest.mark.parametrize("size", [*SIZES, *SLOW])
def test_every_page_fits_any_screen(size: tuple[int, int], tmp_path: Path) -> None:
    async def act(app: Lessons, pilot: Pilot[int]) -> None:
        for key in ("enter", "a", "right", "b", "right", "right", "right", "escape", "escape"):
            await pilot.press(key)
            assert len(app.stage.drawn) == size[1]
            assert all(columns(as_text(line)) <= size[0] for line in app.stage.drawn)

    with_lessons(act, tmp_path, size)


def test_what_was_seen_is_remembered(tmp_path: Path) -> None:
    lesson = parse(TEXT, "edges")
    progress = Progress.load(tmp_path / "state" / "lessons.json")
    reader = Reader([lesson], tools(), progress)
    reader.open(0)
    reader.move(2)
    progress.save()
    again = Progress.load(tmp_path / "state" / "lessons.json")
    assert (again.count(lesson), again.place(lesson)) == (2, 2)
    later = Reader([lesson], tools(), again)
    later.choose()
    assert (later.page, later.number) == (SCENE, 2)
    again.forget()
    again.save()
    assert Progress.load(tmp_path / "state" / "lessons.json").count(lesson) == 0


@pytest.mark.parametrize("content", ["", "{", "[]", '{"seen": 3}', '{"seen": {}, "at": []}'])
def test_a_damaged_file_is_no_progress(content: str, tmp_path: Path) -> None:
    path = tmp_path / "lessons.json"
    path.write_text(content)
    assert Progress.load(path) == Progress(path)


def test_inside_a_scene_the_call_can_be_changed(tmp_path: Path) -> None:
    async def act(app: Lessons, pilot: Pilot[int]) -> None:
        await pilot.press("enter", "enter", "e", "7", "enter")
        assert app.playback.film.trace.arrays["w"][0, 0] == 7
        await pilot.press("escape", "escape")
        assert "The sum is 75." in seen(app)

    with_lessons(act, tmp_path)


def test_pages_keys_and_answers_can_be_clicked(tmp_path: Path) -> None:
    async def act(app: Lessons, pilot: Pilot[int]) -> None:
        async def click(*spot: object) -> None:
            app.stage.post_message(Stage.Clicked(Spot(*spot)))  # type: ignore[arg-type]
            await pilot.pause()

        await click("list", 0)
        assert "The sum is 75." in seen(app)
        await click("key:→")
        await click("answer", "abc".index(letter(app, "one")))
        assert "No other reaches it." in seen(app)
        await click("key:enter")
        assert app.inside
        await pilot.press("escape")
        await click("key:esc")
        await click("list", 3)
        assert "Ten filters." in seen(app)

    with_lessons(act, tmp_path)


def test_the_right_answer_stands_anywhere() -> None:
    """Over all lessons no place among the answers is the right one's."""
    reader = Reader(shelf.lessons(), tools(), Progress(Path("nowhere")))
    places = set()
    for chosen, lesson in enumerate(shelf.lessons()):
        for number, scene in enumerate(lesson.scenes):
            if scene.question is not None and scene.question.is_chosen:
                reader.open(chosen, number)
                places.add([answer.is_right for answer in reader.offered].index(True))
    assert places >= {0, 1, 2}


def test_what_takes_a_while_does_not_hold_the_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = Event()
    opened = opening.opened

    def slow(*arguments: object) -> opening.Opened:
        assert goes_on.wait(60)
        return opened(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(opening, "opened", slow)

    async def run() -> None:
        reader = Reader([parse(TEXT, "edges")], tools(), Progress(tmp_path / "lessons.json"))
        app = Lessons(reader, DESK, patience=0)
        async with app.run_test(size=(80, 24)) as pilot:
            await pilot.press("enter")
            assert "computing" in seen(app)
            await pilot.press("7", "enter", "right")
            assert "computing" in seen(app)
            assert (reader.number, reader.guess, app.inside) == (1, "", False)
            goes_on.set()
            while "computing" in seen(app):
                await pilot.pause(0.05)
            assert "Who reads it?" in seen(app)

    asyncio.run(run())


@tmux
@pytest.mark.slow
@pytest.mark.parametrize("terminal", [(80, 24), (60, 20), (120, 40)], indirect=True)
def test_in_a_real_terminal(terminal: Terminal, tmp_path: Path) -> None:
    state = f"XDG_STATE_HOME={tmp_path}"
    terminal.run(f"{state} {sys.executable} -m stepconv lesson; echo status=$?")
    terminal.wait("1  What a convolution is")
    terminal.keys("2")
    terminal.wait("1 of")
    terminal.keys("Right", "Right", "Right")
    terminal.wait("guess:")
    terminal.keys("0", "Enter")
    terminal.wait("The window holds")
    terminal.keys("Enter")
    terminal.wait("space play")
    terminal.keys("Right", "Escape")
    terminal.wait("go inside")
    terminal.keys("Escape", "Escape")
    terminal.wait("4 of")
    terminal.keys("q")
    terminal.wait("status=0")
    assert terminal.is_restored()
    assert '"images"' in (tmp_path / "stepconv" / "lessons.json").read_text()


def test_a_slip_of_the_finger_gives_no_answer_away(tmp_path: Path) -> None:
    reader = Reader([parse(TEXT, "edges")], tools(), Progress(tmp_path / "lessons.json"))
    reader.open(0, 0)
    reader.type("x")
    reader.answer()
    assert reader.told is None
    assert reader.message == "x is no number: one such as 3, 1/2 or 8x8 fits"
    reader.type("75")
    assert reader.message == ""
