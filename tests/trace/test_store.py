"""A trace file comes back as it was written; anything else is one TraceError and harms nothing."""

import io
import json
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import stepconv
from stepconv.errors import ArgumentError, TraceError
from stepconv.trace import About, Trace, load_trace
from tests.twins.test_recorder import RECORDED, recorded

Array = Any


@pytest.fixture
def trace() -> Trace:
    x, w = np.arange(50.0).reshape(2, 5, 5), np.ones((1, 2, 3, 3))
    about = About("a title", ("a note",), ("left", "right"))
    return stepconv.record(stepconv.correlate, x, w, [5.0], backend="textbook", about=about)


@pytest.fixture
def path(tmp_path: Path, trace: Trace) -> Path:
    trace.save(tmp_path / "a.trace.npz")
    return tmp_path / "a.trace.npz"


def refusal(path: Path) -> str:
    """Load the file, which must be refused in one error that names it; return the reason."""
    with pytest.raises(TraceError) as caught:
        load_trace(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def rewrite(path: Path, change: Callable[[dict[str, bytes]], None]) -> None:
    """Change the members of a file and write it again with right checksums."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    change(members)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def with_header(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the header of a file."""

    def edit(members: dict[str, bytes]) -> None:
        header = json.loads(np.load(io.BytesIO(members["header.npy"])).tobytes())
        change(header)
        members["header.npy"] = npy(np.frombuffer(json.dumps(header).encode(), np.uint8))

    rewrite(path, edit)


def with_array(path: Path, name: str, change: Callable[[Array], Array]) -> None:
    """Change an array of a file and all that the header says about it, as a forger would."""
    from stepconv.trace.file.archive import digest

    made: dict[str, Array] = {}

    def edit(members: dict[str, bytes]) -> None:
        made[name] = np.ascontiguousarray(change(np.load(io.BytesIO(members[f"{name}.npy"]))))
        members[f"{name}.npy"] = npy(made[name])

    def tell(header: dict[str, Any]) -> None:
        array = made[name]
        header["members"][name] = {
            "dtype": array.dtype.str,
            "shape": list(array.shape),
            "sha256": digest(array),
        }

    rewrite(path, edit)
    with_header(path, tell)


def npy(array: Array, **options: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def test_it_comes_back(path: Path, trace: Trace) -> None:
    back = load_trace(path)
    assert back == trace
    assert back.about == trace.about
    assert back[4].in_words() == trace[4].in_words()
    np.testing.assert_array_equal(back.workers, trace.workers)


@pytest.mark.parametrize("operation", RECORDED)
def test_every_operation_comes_back(operation: str, tmp_path: Path) -> None:
    for number, call in enumerate(RECORDED[operation].telling()):
        for dtype in ("float32", "int64"):
            arrays = {name: array.astype(dtype) for name, array in call.arrays.items()}
            options = {**call.options, **({"value": 3} if call.options.get("value") else {})}
            trace = recorded(type(call)(arrays, options), "textbook", operation)
            trace.save(tmp_path / f"{number}.{dtype}")
            assert load_trace(tmp_path / f"{number}.{dtype}") == trace


def test_nan_and_infinity_come_back(tmp_path: Path) -> None:
    x = [[1.0, np.nan, -0.0], [np.inf, 2.0, -np.inf]]
    for function, options in (
        (stepconv.correlate, {"w": [[1.0, 0.0]], "bias": -0.0}),
        (stepconv.max_pool, {"window": 2, "stride": 1}),
        (stepconv.pad, {"padding": 1, "value": np.nan}),
    ):
        trace = stepconv.record(function, x, **options, backend="textbook")
        trace.save(tmp_path / "odd", force=True)
        back = load_trace(tmp_path / "odd")
        assert back == trace
        assert back.output.tobytes() == trace.output.tobytes()
        assert [step.in_words() for step in back] == [step.in_words() for step in trace]


def test_numpy_alone_reads_it(path: Path, trace: Trace) -> None:
    with np.load(path, allow_pickle=False) as file:
        header = json.loads(file["header"].tobytes())
        np.testing.assert_array_equal(file["output"], trace.output)
        assert set(file) == {"header", *header["members"]}
    assert header["function"] == "correlate"


def test_the_same_trace_gives_the_same_bytes(path: Path, trace: Trace) -> None:
    before = path.read_bytes()
    trace.save(path, force=True)
    assert path.read_bytes() == before


def test_an_existing_file_stays(path: Path, trace: Trace) -> None:
    path.write_text("precious")
    with pytest.raises(ArgumentError, match="is there already"):
        trace.save(path)
    assert path.read_text() == "precious"


def test_a_full_disk_leaves_the_old_file(
    path: Path, trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        trace.save(path, force=True)
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def test_a_missing_file_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_trace(tmp_path / "none.trace.npz")


def test_cut_at_every_byte(path: Path) -> None:
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        refusal(path)


def test_any_bit_flipped(path: Path, trace: Trace) -> None:
    """It is refused, or the bit was one that means nothing, such as that of a date."""
    whole = path.read_bytes()
    harmless = 0
    for place in range(len(whole)):
        bit = 1 << place % 8
        path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
        try:
            back = load_trace(path)
        except TraceError:
            continue
        assert back == trace
        harmless += 1
    assert harmless < len(whole) / 5


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "any").write_bytes(content)
    refusal(tmp_path / "any")


def test_an_extra_member(path: Path) -> None:
    rewrite(path, lambda members: members.update({"evil.py": b"import os"}))
    assert "'evil.py'" in refusal(path)


def test_an_extra_array(path: Path) -> None:
    rewrite(path, lambda members: members.update({"grad_out.npy": npy(np.ones(3))}))
    assert "grad_out" in refusal(path)


def test_a_missing_member(path: Path) -> None:
    rewrite(path, lambda members: members.pop("sums.npy") and None)
    assert "sums" in refusal(path)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_twice(path: Path) -> None:
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("x.npy", npy(np.ones((2, 5, 5))))
    assert "twice" in refusal(path)


def test_a_member_that_is_no_array(path: Path) -> None:
    rewrite(path, lambda members: members.update({"x.npy": b"not an array" * 40}))
    refusal(path)


class Bomb:
    """What a pickle could do."""

    def __reduce__(self) -> Any:
        return (os.mkdir, ("executed",))


@pytest.mark.parametrize("name", ["x", "header", "output"])
def test_a_pickle_is_never_opened(
    path: Path, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    bomb = npy(np.array([Bomb()], dtype=object), allow_pickle=True)
    rewrite(path, lambda members: members.update({f"{name}.npy": bomb}))
    refusal(path)
    assert not Path("executed").exists()


def peak(load: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        load()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_zip_bomb_takes_no_memory(path: Path) -> None:
    zeros = npy(np.zeros(2**28, np.uint8))
    rewrite(path, lambda members: members.update({"x.npy": zeros}))
    assert path.stat().st_size < 2**20
    assert peak(lambda: refusal(path)) < 2**22


def test_a_declared_giant_takes_no_memory(path: Path) -> None:
    shape = (2**16, 2**16, 1)
    head = npy(np.ones((1, 1, 1))).replace(b"(1, 1, 1)", str(shape).encode(), 1)

    def giant(header: dict[str, Any]) -> None:
        header["members"]["x"]["shape"] = shape

    rewrite(path, lambda members: members.update({"x.npy": head}))
    with_header(path, giant)
    assert peak(lambda: refusal(path)) < 2**22


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("format", "numpy", "does not say that it is a trace"),
        ("version", 2, "version 2"),
        ("version", None, "version None"),
        ("function", "eval", "names no call"),
        ("function", "__import__", "names no call"),
        ("function", ["correlate"], ""),
        ("function", "convolve", "step 0 says"),
        ("options", {"stride": 2}, "output"),
        ("options", {"colour": 2}, "colour"),
        ("options", {"stride": 0}, "stride"),
        ("options", {"stride": 10**400}, "stride"),
        ("options", [], "names no call"),
        ("gradient", "w", "gradient"),
        ("members", {}, "disagree"),
        ("about", {"title": 3}, "not in words"),
        ("about", None, "about"),
    ],
)
def test_a_header_that_lies(path: Path, key: str, value: Any, reason: str) -> None:
    if value == "convolve":
        with_array(path, "w", lambda w: w + np.arange(9.0).reshape(3, 3))
    with_header(path, lambda header: header.update({key: value}))
    assert reason in refusal(path)


@pytest.mark.parametrize("text", ["", "[]", "nan", "[" * 10_000, "{}", '{"format": ' + "9" * 5000])
def test_a_header_that_is_none(path: Path, text: str) -> None:
    header = npy(np.frombuffer(text.encode(), np.uint8))
    rewrite(path, lambda members: members.update({"header.npy": header}))
    refusal(path)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("x", lambda x: x + 1),
        ("w", lambda w: w * 2),
        ("bias", lambda b: b + 1),
        ("output", lambda out: out + 1),
        ("sums", lambda sums: sums + np.array([1, -1])),
        ("sums", lambda sums: sums[:, :1]),
        ("sums", lambda sums: sums.astype("float32")),
        ("output", lambda out: out[..., :2]),
        ("output", lambda out: out.astype("float32")),
        ("workers", lambda workers: workers[1:]),
        ("workers", lambda workers: workers.astype(float)),
        ("x", lambda x: x.astype("float32")),
        ("x", lambda x: x.astype("complex128")),
        ("x", lambda x: np.asfortranarray(x)[..., ::-1]),
    ],
)
def test_numbers_that_contradict_each_other(
    path: Path, name: str, change: Callable[[Array], Array]
) -> None:
    with_array(path, name, change)
    refusal(path)


@pytest.mark.parametrize("winner", [-2, -1, 3, 99])
def test_a_winner_that_did_not_win(tmp_path: Path, winner: int) -> None:
    path = tmp_path / "pool"
    trace = stepconv.record(stepconv.max_pool, [[1, 2], [3, 9]], 1, backend="textbook")
    trace.save(path)

    def cheat(winners: Array) -> Array:
        winners[0, 1] = winner
        return winners

    with_array(path, "winners", cheat)
    assert "winner" in refusal(path) or "gives" in refusal(path)


def test_a_step_beyond_the_sample_is_checked_when_it_is_shown(tmp_path: Path) -> None:
    x = np.arange(1000.0)
    trace = stepconv.record(stepconv.correlate, x, [1.0, 1.0], backend="textbook")
    trace.save(tmp_path / "long")

    def cheat(array: Array) -> Array:
        array.reshape(-1)[503] += 1
        return array

    with_array(tmp_path / "long", "output", cheat)
    with_array(tmp_path / "long", "sums", cheat)
    back = load_trace(tmp_path / "long")
    with pytest.raises(TraceError, match=r"long: step 503 says"):
        back[503]
    assert back[500].result == trace[500].result


@pytest.mark.slow
def test_a_large_trace_is_stored_unpacked(tmp_path: Path) -> None:
    x = np.zeros(2**22)
    trace = stepconv.record(stepconv.relu, x)
    trace.save(tmp_path / "large")
    assert (tmp_path / "large").stat().st_size > 2 * x.nbytes
    assert load_trace(tmp_path / "large") == trace
