"""Which backend computes: the table, the choice for a `with` block, and clear refusals."""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import Any

import pytest

import stepconv
from stepconv import ArgumentError, ArgumentTypeError, BackendError, backends, kernels, use_backend
from stepconv.kernels import cpu, find, textbook

AT_HAND = tuple(name for name, what in backends().items() if not what.startswith("not available"))


def in_use() -> str:
    """Return the backend that a call without one would take."""
    found = find("pad")
    return next(name for name in AT_HAND if find("pad", name) is found)


@pytest.mark.parametrize("backend", AT_HAND)
@pytest.mark.parametrize("operation", kernels.OPERATIONS)
def test_the_table_has_no_missing_cell(operation: str, backend: str) -> None:
    kernel = find(operation, backend)
    assert callable(kernel)
    assert kernel.__name__ == operation
    assert kernel is find(operation, backend)


def test_each_name_leads_to_its_module() -> None:
    assert {"textbook", "cpu"} <= set(AT_HAND)
    for operation in kernels.OPERATIONS:
        assert find(operation, "textbook") is getattr(textbook, operation)
        assert find(operation, "cpu") is getattr(cpu, operation)


def test_every_backend_says_what_it_is() -> None:
    answers = backends()
    assert list(answers) == ["textbook", "cpu", "cuda"]
    for name, answer in answers.items():
        assert isinstance(answer, str)
        assert answer
        assert "\n" not in answer
        assert (name in AT_HAND) is not answer.startswith("not available: ")
    assert "Python" in answers["textbook"]
    assert "Numba" in answers["cpu"]


def test_changing_the_answer_changes_no_other_answer() -> None:
    backends()["cpu"] = "not available: spoilt"
    assert backends()["cpu"] != "not available: spoilt"
    assert stepconv.relu([1], backend="cpu").tolist() == [1]


def test_the_default_is_the_fast_one() -> None:
    assert in_use() == "cpu"
    assert find("pad") is find("pad", "cpu") is find("pad", None)


def test_a_block_chooses_and_a_call_overrules_it(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    for name, module in (("textbook", textbook), ("cpu", cpu)):
        plain = module.relu
        monkeypatch.setattr(module, "relu", spy(seen, name, plain))
    kernels._find.cache_clear()
    try:
        stepconv.relu([1])
        with use_backend("textbook"):
            stepconv.relu([1])
            stepconv.relu([1], backend="cpu")
            stepconv.relu([1], backend=None)
        stepconv.relu([1])
    finally:
        kernels._find.cache_clear()
    assert seen == ["cpu", "textbook", "cpu", "textbook", "cpu"]


def spy(seen: list[str], name: str, kernel: Callable[..., Any]) -> Callable[..., None]:
    def watched(*arguments: Any) -> None:
        seen.append(name)
        kernel(*arguments)

    return watched


def test_blocks_nest() -> None:
    with use_backend("textbook"):
        assert in_use() == "textbook"
        with use_backend("cpu"):
            assert in_use() == "cpu"
            with use_backend("textbook"):
                assert in_use() == "textbook"
            assert in_use() == "cpu"
        assert in_use() == "textbook"
    assert in_use() == "cpu"


def test_a_block_ends_when_an_exception_leaves_it() -> None:
    with pytest.raises(ZeroDivisionError), use_backend("textbook"), use_backend("cpu"):
        raise ZeroDivisionError
    assert in_use() == "cpu"
    with use_backend("textbook"):
        with pytest.raises(ArgumentError), use_backend("cpu"):
            stepconv.correlate([1], [1, 2])
        assert in_use() == "textbook"


def test_a_function_may_be_decorated() -> None:
    @use_backend("textbook")
    def work() -> str:
        return in_use()

    assert [work(), work(), in_use()] == ["textbook", "textbook", "cpu"]


def test_another_thread_starts_with_the_default() -> None:
    """And what it chooses stays its own."""
    seen = {}
    chosen, left = threading.Event(), threading.Event()

    def work() -> None:
        seen["start"] = in_use()
        with use_backend("cpu"), use_backend("textbook"):
            chosen.set()
            left.wait(60)
            seen["inside"] = in_use()

    thread = threading.Thread(target=work)
    thread.start()
    assert chosen.wait(60)
    assert in_use() == "cpu"
    with use_backend("cpu"):
        left.set()
        thread.join()
        assert in_use() == "cpu"
    assert seen == {"start": "cpu", "inside": "textbook"}

    with use_backend("textbook"):
        thread = threading.Thread(target=lambda: seen.update(start=in_use()))
        thread.start()
        thread.join()
    assert seen["start"] == "cpu"


def test_tasks_that_take_turns_keep_their_own_choice() -> None:
    async def work(name: str) -> list[str]:
        with use_backend(name):
            seen = [in_use()]
            for _ in range(3):
                await asyncio.sleep(0)
                seen.append(in_use())
        return [*seen, in_use()]

    async def both() -> list[list[str]]:
        return list(await asyncio.gather(work("textbook"), work("cpu"), work("textbook")))

    textbook_seen = [*["textbook"] * 4, "cpu"]
    assert asyncio.run(both()) == [textbook_seen, ["cpu"] * 5, textbook_seen]


def test_a_copied_context_takes_the_choice_along() -> None:
    with use_backend("textbook"):
        context = contextvars.copy_context()
    assert context.run(in_use) == "textbook"
    assert in_use() == "cpu"


@pytest.mark.parametrize("name", ["gpu", "CPU", "", " cpu"])
def test_an_unknown_name_is_refused(name: str) -> None:
    message = f"backend='{name}' is not known: one of 'textbook', 'cpu', 'cuda' fits"
    for choose in (lambda: find("pad", name), use_backend(name).__enter__):
        with pytest.raises(ArgumentError) as caught:
            choose()
        assert str(caught.value) == message


@pytest.mark.parametrize("name", [3, True, b"cpu", ["cpu"], {}, object])
def test_what_is_no_name_is_refused(name: Any) -> None:
    for choose in (lambda: find("pad", name), use_backend(name).__enter__):
        with pytest.raises(ArgumentTypeError) as caught:
            choose()
        assert str(caught.value).startswith(f"backend={name!r} is not a name: one of 'textbook'")


def test_no_backend_is_not_a_choice_for_a_block() -> None:
    with pytest.raises(ArgumentTypeError, match=r"^backend=None is not a name"):
        use_backend(None).__enter__()  # type: ignore[arg-type]


def test_a_block_with_an_unknown_name_changes_nothing() -> None:
    with use_backend("textbook"):
        with pytest.raises(ArgumentError), use_backend("gpu"):
            pytest.fail("the block was entered")
        assert in_use() == "textbook"


def test_an_operation_without_a_kernel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is never handed to another backend silently."""
    monkeypatch.delattr(cpu, "relu")
    kernels._find.cache_clear()
    try:
        with pytest.raises(BackendError, match=r"^backend 'cpu' has no kernel for 'relu'$"):
            stepconv.relu([1], backend="cpu")
        assert stepconv.relu([1], backend="textbook").tolist() == [1]
    finally:
        kernels._find.cache_clear()


@pytest.mark.skipif("cuda" in AT_HAND, reason="there is a GPU here")
def test_cuda_says_why_not_when_it_is_used() -> None:
    why = backends()["cuda"].removeprefix("not available: ")
    with pytest.raises(BackendError) as caught:
        find("pad", "cuda")
    assert str(caught.value) == f"backend 'cuda' is not available: {why}"
    with use_backend("cuda"), pytest.raises(BackendError, match="cuda"):
        stepconv.relu([1])
    assert in_use() == "cpu"
