"""What the views say is true: sizes, how other libraries pad, readers, workers."""

import numpy as np
import pytest

import stepconv
from stepconv.geometry import Axis, same_pads
from stepconv.player.frame import who_reads, words
from stepconv.player.frame.film import Film
from stepconv.player.text.lines import Block, as_text
from stepconv.player.views import readers, sizes, workers
from stepconv.trace import Trace
from tests.player.samples import PLAYABLE, SOME, sample

scipy_signal = pytest.importorskip("scipy.signal")


def said(block: Block) -> str:
    return "\n".join(as_text(line) for line in block.lines)


@pytest.mark.parametrize("window", range(1, 7))
def test_scipy_pads_as_the_words_say(window: int) -> None:
    x, w = np.arange(1.0, 9), np.arange(1.0, window + 1)
    (scipy,) = (same for same in words.same_paddings(Axis(8, window)) if same.library == "SciPy")
    ours = stepconv.correlate(x, w, padding=((scipy.before, scipy.after),), backend="textbook")
    np.testing.assert_allclose(ours, scipy_signal.correlate(x, w, mode="same"))


@pytest.mark.parametrize("axis", [Axis(8, 3), Axis(8, 4), Axis(9, 3, 2), Axis(7, 2, 3, 2)])
def test_the_others_pad_as_this_engine_does(axis: Axis) -> None:
    torch, tensorflow, _ = words.same_paddings(axis)
    pads = same_pads(axis.size, axis.span, axis.stride)
    assert (tensorflow.before, tensorflow.after) == pads
    if axis.stride == 1:
        assert (torch.before, torch.after) == pads
    else:
        assert "refuses" in torch.words


def test_an_odd_cell_goes_to_other_sides() -> None:
    assert "in front in SciPy" in words.same_sentence(Axis(5, 4))
    assert "agree" in words.same_sentence(Axis(5, 3))


def view_of_sizes(trace: Trace, width: int = 78, height: int = 30) -> str:
    return said(sizes.view(Film(trace), width, height))


def test_why_this_size_fills_the_formula_in() -> None:
    text = view_of_sizes(sample("vertical-edge-stride-2"))
    assert "4 = floor((10 - 3 + 2·0) / 2) + 1" in text
    assert "no window reads row or column 9" in text
    assert "1 cell is left over" in text
    assert "window 3" in text


def test_a_dropped_window_is_shown_as_dropped() -> None:
    trace = stepconv.record(
        *(stepconv.max_pool, np.arange(5), 2),
        stride=3,
        padding=1,
        ceil_mode=True,
        backend="textbook",
    )
    axis = trace.plan.axes[0]
    assert axis.drops_last
    text = view_of_sizes(trace)
    assert "dropped    " in text
    assert "╳" in text
    assert "starts beyond the input" in text


def test_the_ruler_counts_what_the_readers_view_counts() -> None:
    for name in ("vertical-edge-rgb", "dilated", "even-kernel-same", "max-pool-ceil"):
        film = Film(sample(name))
        rows, columns = who_reads.counts(film)
        for axis, counted in zip(film.trace.plan.axes, (rows, columns), strict=True):
            line = as_text(sizes.ruler(axis, 78).lines[-1]).split()[2:]
            inside = line[len(line) - axis.size - _behind(axis) :][: axis.size]
            assert inside == [str(n) if n else "×" for n in counted.tolist()], name


def _behind(axis: Axis) -> int:
    stop = max(axis.size + axis.after, axis.bounds(axis.output - 1)[1])
    return sum(1 for position in range(axis.size, stop) if axis.readers(position))


@pytest.mark.parametrize("name", SOME)
@pytest.mark.parametrize(("width", "height"), [(78, 20), (58, 16), (38, 8), (18, 3)])
def test_every_trace_says_why_its_result_has_this_size(name: str, width: int, height: int) -> None:
    assert sizes.view(Film(sample(name)), width, height).lines


@pytest.mark.parametrize("name", PLAYABLE)
def test_readers_are_those_that_steps_read(name: str) -> None:
    """Counts by asking every step which cells of its source it reads."""
    trace = sample(name)
    film = Film(trace)
    _, height, width = trace.gather.shape
    counted = np.zeros(trace.gather.source.shape[1:], int)
    for index in range(height * width):
        rows, columns = trace.step(index).readings
        cells = {(y, z) for y in rows.cells for z in columns.cells if y >= 0 and z >= 0}
        for cell in cells:
            counted[cell] += 1
    rows_read, columns_read = who_reads.counts(film)
    np.testing.assert_array_equal(rows_read[:, None] * columns_read, counted)
    for cell in np.ndindex(*counted.shape):
        which = who_reads.readers_of(film, cell)
        assert len(which[0]) * len(which[1]) == counted[cell]


def test_corners_are_read_less() -> None:
    text = said(readers.view(Film(sample("vertical-edge-rgb")), (0, 0), 0, 78, 20))
    assert "row 0, column 0: 1 window reads it, of 64." in text
    assert "The corner is read once, the middle up to 9 times." in text


@pytest.mark.parametrize("name", SOME)
def test_readers_of_any_trace_fit(name: str) -> None:
    film = Film(sample(name))
    for width, height in ((78, 20), (58, 16), (38, 8)):
        assert readers.view(film, (0, 0), 0, width, height).width <= width + 1


def trace_by(workers_of_steps: np.ndarray) -> Trace:
    from dataclasses import replace

    return replace(sample("same-4x4"), workers=workers_of_steps)


def test_each_worker_has_a_letter_and_a_share() -> None:
    film = Film(trace_by(np.repeat(np.array([3, 0, 7, 0], np.int32), 4)))
    text = said(workers.view(film, 5, 78, 20))
    rows = [line.split("  ")[0].translate({91: " ", 93: " "}).split() for line in text.splitlines()]
    assert rows[1:5] == [["B"] * 4, ["A"] * 4, ["C"] * 4, ["A"] * 4]
    assert "A  thread 0: 8 steps" in text
    assert "C  thread 7: 4 steps" in text
    assert "A[A]A" in text


def test_on_a_gpu_the_block_has_the_letter() -> None:
    pairs = np.array([(block, thread) for block in range(4) for thread in range(4)], np.int32)
    text = said(workers.view(Film(trace_by(pairs)), 0, 78, 20))
    assert "D  block 3: 4 steps" in text


def test_a_single_worker_did_it_all() -> None:
    film = Film(trace_by(np.zeros(16, np.int32)))
    assert "one worker did it all" in said(workers.view(film, 0, 78, 20))
