"""The page for lecturers names the scene of every slide, as it is now."""

import runpy
from pathlib import Path

from tests.lessons.outline import ITEMS

DOCS = Path(__file__).parents[2] / "docs"


def test_the_table_of_scenes_is_up_to_date() -> None:
    module = runpy.run_path(str(DOCS / "lecturers_table.py"))
    text = (DOCS / "lecturers.md").read_text("utf-8")
    assert module["page"](text) == text, "python docs/lecturers_table.py is due"


def test_every_item_of_the_lectures_has_a_row() -> None:
    module = runpy.run_path(str(DOCS / "lecturers_table.py"))
    assert [row.split()[0] for row in module["SLIDES"].strip().splitlines()] == ITEMS
