"""What docs/exploring.md shows is what comes out."""

import doctest
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "exploring.md"


def test_the_page_on_exploring_says_what_is_computed() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert found.attempted > 25
    assert found.failed == 0
