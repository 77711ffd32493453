"""The pages about lessons say what is: the scene of every slide, a lesson that can be read."""

import re
import runpy
from pathlib import Path

from stepconv.cli.reading.lessons import tools
from stepconv.lessons.drawings import DRAWINGS
from stepconv.lessons.names import filled, names
from stepconv.lessons.reading import KEYS, parse
from stepconv.operations import OPERATIONS
from tests.lessons.outline import ITEMS

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_of_scenes_is_up_to_date() -> None:
    module = runpy.run_path(str(DOCS / "lecturers_table.py"))
    text = (DOCS / "lecturers.md").read_text("utf-8")
    assert module["page"](text) == text, "python docs/lecturers_table.py is due"


def test_every_item_of_the_lectures_has_a_row() -> None:
    module = runpy.run_path(str(DOCS / "lecturers_table.py"))
    assert [row.split()[0] for row in module["SLIDES"].strip().splitlines()] == ITEMS


def test_the_lesson_in_the_guide_is_one() -> None:
    text = (DOCS / "lessons.md").read_text("utf-8")
    shown = re.findall(r"```markdown\n(.*?)```", text, re.DOTALL)
    assert len(shown) == 1
    scene = filled(parse(shown[0], "guide"), 0, tools())
    assert "75" in scene.paragraphs[0]


def test_the_guide_names_whatever_an_expression_may() -> None:
    text = (DOCS / "lessons.md").read_text("utf-8")
    operations = {*OPERATIONS, *(f"{name}_backward" for name in OPERATIONS)}
    lesson = parse("# A\n\n## B\nopens: play flip\n\nLook.\n", "a")
    for name in set(names(lesson.scenes[0], tools())) - operations - {"trace", "plan"}:
        assert f"`{name}`" in text or f"{name}(" in text, name
    for key in KEYS:
        assert f"`{key}:" in text, key
    for name in DRAWINGS:
        assert f"`{name}`" in text or f"`{name} " in text, name
