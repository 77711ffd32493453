"""The gallery holds what the lectures say, and the engine gives every number of it."""

import subprocess
import sys

import numpy as np
import pytest

from stepconv import ops
from stepconv.errors import ArgumentError
from stepconv.trace.gallery import worked
from stepconv.trace.gallery.worked import WorkedExample

EXAMPLES = worked.worked_examples()


def agrees(example: WorkedExample, result: object) -> bool:
    """Whether a result has the shape and, but for rounding, the numbers that are expected."""
    given, expected = np.asarray(result), np.asarray(example.expected)
    return given.shape == expected.shape and np.allclose(given, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_the_engine_gives_what_is_expected(example: WorkedExample) -> None:
    assert agrees(example, example.run("textbook"))


def test_without_a_backend_the_one_in_use_computes() -> None:
    example = worked.worked_example("moving-average-1d")
    assert agrees(example, example.run())
    with pytest.raises(ArgumentError, match="backend='abacus'"):
        example.run("abacus")


def test_the_numbers_tell_a_mirrored_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ops, "correlate", ops.convolve)
    wrong = [e.id for e in EXAMPLES if e.op == "correlate" and not agrees(e, e.run("textbook"))]
    assert {"impulse-correlate", "valid-4x4", "vertical-edge-gray"} <= set(wrong)


@pytest.mark.parametrize(
    "example", [e for e in EXAMPLES if e.printed is not None], ids=lambda e: e.id
)
def test_a_slide_that_is_quoted_differs_and_a_note_says_why(example: WorkedExample) -> None:
    assert not np.array_equal(np.asarray(example.printed), example.expected)
    assert example.note


def test_checkpoints_are_numbers_on_the_way() -> None:
    seen = 0
    for example in EXAMPLES:
        for checkpoint in example.checkpoints:
            seen += 1
            x, options = example.inputs["x"], dict(example.options)
            if "forward" in checkpoint:
                if example.op == "max_pool_backward":
                    forward = ops.max_pool(x, **options, backend="textbook")
                else:
                    forward = ops.correlate(x, example.inputs["w"], **options, backend="textbook")
                np.testing.assert_array_equal(forward, checkpoint["forward"])
                continue
            result = np.ravel(example.run("textbook"))
            assert result[checkpoint["step"]] == checkpoint["total"], example.id
            if "channel_sums" in checkpoint:
                (w,) = example.inputs["w"]
                sums = [
                    np.ravel(ops.correlate(plane, kernel, **options, backend="textbook"))
                    for plane, kernel in zip(x, w, strict=True)
                ]
                assert [s[checkpoint["step"]] for s in sums] == checkpoint["channel_sums"]
    assert seen == 7


def test_there_are_38_examples_21_kernels_and_the_pictures() -> None:
    assert len({example.id for example in EXAMPLES}) == len(EXAMPLES) == 38
    assert len(worked.named_kernels()) == 21
    assert {name: rows.shape for name, rows in worked.pictures().items()} == {
        "letter-a-15x14": (14, 15),
        "eight-22x16": (22, 16),
        "checkerboard-8x8": (8, 8),
        "gradient-8x16": (8, 16),
        "corner-twice-12x20": (12, 20),
        "digit-5-28x28": (28, 28),
        "boat-48x64": (3, 48, 64),
        "house-32x32": (32, 32),
        "face-64x64": (64, 64),
        "hills-256x256": (256, 256),
    }
    for picture in worked.pictures().values():
        assert 0 <= picture.min() < picture.max() <= 255


def test_examples_come_group_by_group() -> None:
    groups = [example.group for example in EXAMPLES]
    assert tuple(dict.fromkeys(groups)) == worked.GROUPS
    assert groups == sorted(groups, key=worked.GROUPS.index)


def test_integers_stay_integers() -> None:
    assert worked.worked_example("vertical-edge-rgb").inputs["x"].dtype == np.int64
    assert worked.worked_example("moving-average-1d").inputs["w"].dtype == np.float64


def test_nothing_shared_can_be_changed() -> None:
    example = worked.worked_example("avg-pool-4x4")
    for array in (
        example.inputs["x"],
        example.expected,
        example.printed,
        worked.named_kernels()["sobel-x"].kernel,
        worked.pictures()["eight-22x16"],
    ):
        assert isinstance(array, np.ndarray)
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 7
    with pytest.raises(TypeError):
        example.options["window"] = 3  # type: ignore[index]
    with pytest.raises(AttributeError):
        example.title = "another"  # type: ignore[misc]
    worked.named_kernels().clear()
    worked.pictures().clear()
    assert worked.named_kernels()
    assert worked.pictures()


def test_a_named_kernel_knows_its_lectures() -> None:
    kernel = worked.named_kernels()["sobel-x"]
    assert kernel.name == "sobel-x"
    np.testing.assert_array_equal(kernel.kernel, [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    assert "CIS 678 Machine Learning: CNNs" in kernel.lectures


def test_the_averages_sum_to_one() -> None:
    for name, kernel in worked.named_kernels().items():
        if "blur" in name or "gaussian" in name or "average" in name or name == "unsharp-5":
            assert kernel.kernel.sum() == pytest.approx(1), name


@pytest.mark.parametrize(
    ("id", "words"),
    [
        ("vertical-edge", ["'vertical-edge'", "did you mean", "'vertical-edge-gray'"]),
        ("quaternion", ["'quaternion'", "stepconv examples"]),
    ],
)
def test_an_unknown_id_names_what_is_close(id: str, words: list[str]) -> None:
    with pytest.raises(ArgumentError) as caught:
        worked.worked_example(id)
    for word in words:
        assert word in str(caught.value)


def test_looking_and_textbook_need_no_numba() -> None:
    script = (
        "import sys; from stepconv.trace import worked_example; "
        "worked_example('valid-4x4').run('textbook'); "
        "sys.exit('numba' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script]).returncode == 0
