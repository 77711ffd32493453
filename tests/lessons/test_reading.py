"""A lesson's text becomes scenes, and what does not fit is refused with its line."""

import re

import pytest

from stepconv.errors import ArgumentError
from stepconv.lessons.reading import parse
from stepconv.lessons.scene import Answer, Place

TEXT = """# Edges

About edges.

## First
opens: stepconv play vertical-edge-gray --stride 2
step: 3
view: readers
cursor: 0,4
items: 1-18, 2-07
holds: 1 == 1

Look at
the window.

Note: it moves.

choose: Where next?
right: left -> it came from there,
  and goes back.
wrong: right -> no.

## Second
draws: integral

Nothing is asked.
"""


def test_what_a_scene_says() -> None:
    lesson = parse(TEXT, "edges")
    first, second = lesson.scenes
    assert (lesson.name, lesson.title, lesson.about) == ("edges", "Edges", ("About edges.",))
    assert first.opens == "play vertical-edge-gray --stride 2"
    assert first.place == Place(step=3, view="readers", cursor=(0, 4))
    assert first.items == ("1-18", "2-07")
    assert first.holds == ("1 == 1",)
    assert first.paragraphs == ("Look at the window.", "Note: it moves.")
    assert first.question is not None
    assert first.question.is_chosen
    assert first.question.answers == (
        Answer("left", "it came from there, and goes back.", True),
        Answer("right", "no.", False),
    )
    assert (second.draws, second.opens, second.question) == ("integral", "", None)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("# Edges\n", "", "has no title"),
        ("About", "# About", "line 3: a second title"),
        ("step: 3", "step: three", "line 5: step='three' does not fit: 3 does"),
        ("cursor: 0,4", "cursor: top", "cursor='top' does not fit: 3,4 does"),
        ("view:", "veiw:", "'veiw' is not known: did you mean 'view'?"),
        ("view: readers", "step: 4", "line 8: a second 'step'"),
        ("1-18", "1.18", "'1.18' is no item"),
        ("right: left -> it came from there,\n  and goes back.", "right: left", "has its reason"),
        ("right: left", "wrong: left", "no right answer"),
        ("choose: Where next?", "", "an answer without a question"),
        ("holds: 1", "let: 1", "names nothing"),
        ("opens: stepconv play", "opens: doctor", "is not for lessons: play, show"),
        ("opens: stepconv play", "opens: exlpore", "did you mean 'explore'?"),
        ("--stride 2", "-o x.npz", "would write: without -o it fits"),
        ("--stride 2", "'--force'", "would write: without --force"),
        ("--stride 2", "'", "is no command line: No closing quotation"),
        ("--stride 2", "--force", "would write: without --force"),
        ("--stride 2", "--out=x", "would write: without --out=x"),
        ("choose:", "ask:", "other answers are typed too"),
        ("the window.", "on " * 60, "the scene has 65 words: 60 fit"),
        ("## First", "", "line 6: 'opens' is of no scene"),
    ],
)
def test_what_does_not_fit_names_its_line(old: str, new: str, words: str) -> None:
    assert old in TEXT
    with pytest.raises(ArgumentError, match=re.escape(words)):
        parse(TEXT.replace(old, new), "edges")


def test_a_file_without_scenes_is_no_lesson() -> None:
    with pytest.raises(ArgumentError, match="has no scene"):
        parse("# Title\n\nWords.\n", "empty")
