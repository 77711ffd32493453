"""The shipped traces are the lectures' numbers, and recording them anew gives the same."""

import numpy as np
import pytest

from stepconv.errors import ArgumentError
from stepconv.trace import GROUPS, WorkedExample, example_trace, record_example, worked_examples
from stepconv.trace.file.check import check_step
from stepconv.trace.gallery.traces import folder, has_windows

WITH_WINDOWS = [example for example in worked_examples() if has_windows(example)]

every_example = pytest.mark.parametrize("example", WITH_WINDOWS, ids=lambda example: example.id)


def test_one_trace_for_each_example_with_windows() -> None:
    shipped = {path.name.removesuffix(".trace.npz") for path in folder().iterdir()}
    assert shipped == {example.id for example in WITH_WINDOWS}
    assert len(shipped) == 31
    assert {example.group for example in worked_examples()} == set(GROUPS)


@every_example
@pytest.mark.parametrize("backend", ["textbook", "cpu"])
def test_recorded_anew_it_is_the_same(example: WorkedExample, backend: str) -> None:
    shipped = example_trace(example.id)
    assert record_example(example, backend) == shipped
    assert shipped.about.title == example.title


@every_example
def test_it_holds_the_lectures_numbers(example: WorkedExample) -> None:
    trace = example_trace(example.id)
    expected = np.asarray(example.expected).reshape(trace.output.shape)
    np.testing.assert_allclose(trace.output, expected, rtol=1e-12, atol=1e-12)
    for step in trace:
        check_step(step)
    for checkpoint in example.checkpoints:
        if "step" in checkpoint:
            step = trace[checkpoint["step"]]
            assert step.result == checkpoint["total"]
            if "channel_sums" in checkpoint:
                np.testing.assert_array_equal(step.channel_sums, checkpoint["channel_sums"])


def test_what_a_slide_gets_wrong_is_told() -> None:
    notes = " ".join(example_trace("avg-pool-4x4").about.notes)
    assert "The slide prints" in notes
    assert "3.5" in notes


def test_a_size_has_no_windows() -> None:
    with pytest.raises(ArgumentError, match="'size-10-3-p0-s1' is a size"):
        example_trace("size-10-3-p0-s1")
