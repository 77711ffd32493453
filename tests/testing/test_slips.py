"""Each slip that is known is found in two functions that were written differently, and named."""

from pathlib import Path

import pytest

from stepconv.testing import checks
from stepconv.testing.forms.courses import FORMS
from stepconv.testing.slips import conditions, theory
from tests.testing.planted import BASES, PLANTED, Planted

# What the numbers of a call do not show is found out otherwise.
BY_OTHER_MEANS = {"state", "random", "view", "in-place", "grad-w-missing"}
KNOWN = {
    *(each.name for each in theory.SLIPS),
    *(name for name, _, _ in conditions.CONDITIONS),
    *BY_OTHER_MEANS,
}

# The same numbers each time: of numbers drawn anew, a few in many hold no sign of a slip.
SEED = 5


def written(source: str, folder: Path) -> str:
    """Write a function to a file, and return how the checker calls it."""
    file = folder / "homework.py"
    file.write_text(source)
    return f"{file}:{source.partition('def ')[2].partition('(')[0]}"


@pytest.mark.parametrize("op", BASES)
@pytest.mark.parametrize("style", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_the_bases_are_right(op: str, style: int, tmp_path: Path) -> None:
    report = checks.check(written(BASES[op][style], tmp_path), op, seed=SEED)
    assert report.right, report


@pytest.mark.parametrize(
    "planted",
    [
        pytest.param(
            planted,
            id=f"{planted.slip}-{planted.op}",
            marks=pytest.mark.slow if number % 8 else (),
        )
        for number, planted in enumerate(PLANTED)
    ],
)
@pytest.mark.parametrize("style", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_slip_is_found_and_named(planted: Planted, style: int, tmp_path: Path) -> None:
    report = checks.check(written(planted.sources()[style], tmp_path), planted.op, seed=SEED)
    assert not report.right
    assert planted.slip in report.slip_name.split(" and "), report
    assert report.case is not None
    large = ("state", "random", "third-image", "c-order", "overflow")
    if planted.slip not in large and planted.op != "dropout":
        assert next(iter(report.case.call.arrays.values())).size <= 16


def test_no_theory_is_better_than_a_wrong_one(tmp_path: Path) -> None:
    for number, wrong in enumerate(
        ("np.roll(result, 2, 2) + 0.5", "result + np.arange(result.shape[-1])", "result ** 2 + 1")
    ):
        file = tmp_path / f"odd{number}.py"
        file.write_text(BASES["correlate"][1].replace("return result", f"return {wrong}"))
        report = checks.check(f"{file}:conv", "correlate", seed=SEED)
        assert not report.right
        assert report.slip == "", report


def test_the_guide_lists_every_slip_and_form() -> None:
    guide = Path(__file__).parents[2].joinpath("docs/checking.md").read_text("utf-8")
    for name in KNOWN | {form.name for form in FORMS}:
        assert f"| `{name}` |" in guide, name


def test_every_slip_that_is_known_is_planted_in_two_functions() -> None:
    for each in PLANTED:
        assert len(set(each.sources())) == 2
    assert {each.slip for each in PLANTED} == KNOWN
