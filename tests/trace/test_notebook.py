"""The page for notebooks holds the steps' numbers, and nothing that reaches out of its frame."""

import html
import json
import re

import stepconv
from stepconv.trace import About, Trace, example_trace, worked_examples
from stepconv.trace.gallery.traces import has_windows
from stepconv.trace.sentence import sentence


def document(trace: Trace) -> str:
    """Return the page inside the frame."""
    found = re.search(r'srcdoc="([^"]*)"', trace._repr_html_())
    assert found
    return html.unescape(found[1])


def data(trace: Trace) -> dict[str, object]:
    """Return what the page's script holds."""
    line = re.search(r"^const data = (.*);$", document(trace), re.MULTILINE)
    assert line
    found: dict[str, object] = json.loads(line[1])
    return found


def test_every_example_has_a_page() -> None:
    for example in worked_examples():
        if has_windows(example):
            trace = example_trace(example.id)
            steps: list[dict[str, object]] = data(trace)["steps"]  # type: ignore[assignment]
            assert [step["words"] for step in steps] == [sentence(step) for step in trace]


def test_the_frame_is_sandboxed_and_loads_nothing() -> None:
    frame = example_trace("vertical-edge-rgb")._repr_html_()
    assert frame.startswith('<iframe sandbox="allow-scripts" ')
    assert not re.search(r"https?:|src=|@import|url\(", html.unescape(frame))


def test_a_title_cannot_end_the_script() -> None:
    evil = 'a"</script><script>alert(1)</script><!--'
    trace = stepconv.record(stepconv.relu, [1, -1], about=About(evil), backend="textbook")
    assert data(trace)["title"] == f"{evil} · ReLU"
    assert document(trace).count("<script>") == 1


def test_the_padding_is_drawn() -> None:
    x, w = [[1, 2], [3, 4]], [[1, 1], [1, 1]]
    padded = data(stepconv.record(stepconv.correlate, x, w, padding=1, backend="textbook"))
    source: dict[str, object] = padded["source"]  # type: ignore[assignment]
    assert source["planes"] == [
        [["0", "0", "0", "0"], ["0", "1", "2", "0"], ["0", "3", "4", "0"], ["0", "0", "0", "0"]]
    ]
    assert (source["top"], source["left"], source["height"], source["width"]) == (1, 1, 2, 2)
    copied = stepconv.record(stepconv.pad, [1, 2], 1, mode="circular", backend="textbook")
    assert data(copied)["source"]["planes"] == [[["2", "1", "2", "1"]]]  # type: ignore[index]
    pooled = stepconv.record(stepconv.max_pool, [1, 2], 2, padding=1, backend="textbook")
    assert data(pooled)["source"]["planes"] == [[["", "1", "2", ""]]]  # type: ignore[index]


def test_each_table_has_its_own_name() -> None:
    arrays = [[1, 2, 3], [4, 5], [1, 10]]
    names = ("source_name", "weights_name", "result_name")
    for gradient, meant, found in (
        ("x", "input", ["grad_out", "kernel", "grad_x"]),
        ("w", "kernel", ["x", "grad_out", "grad_w"]),
    ):
        back = stepconv.record(stepconv.correlate_backward, *arrays, gradient=gradient)
        assert [data(back)[name] for name in names] == found
        assert data(back)["title"] == f"gradient for the {meant}, cross-correlation"


def test_a_long_trace_is_cut_and_says_so() -> None:
    trace = stepconv.record(stepconv.correlate, list(range(50_000)), [1, 2, 3])
    page = data(trace)
    assert len(page["steps"]) < 10_000  # type: ignore[arg-type]
    assert page["of"] == 49_998
    assert page["source"] is None
    assert len(trace._repr_html_()) < 5_000_000


def test_an_empty_trace_has_a_page() -> None:
    assert data(stepconv.record(stepconv.relu, [], backend="textbook"))["steps"] == []
