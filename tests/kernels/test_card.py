"""What is said of a machine's card, with a driver that answers as drivers do."""

import ctypes
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import stepconv
from stepconv import BackendError
from stepconv.kernels import card


class Driver:
    """A driver of one card; `fails` are calls that give an error."""

    def __init__(self, **fails: int) -> None:
        self.fails = fails

    def __getattr__(self, name: str) -> Callable[..., int]:
        def answer(*arguments: Any) -> int:
            given = {
                "cuDriverGetVersion": (0, 13020),
                "cuDeviceTotalMem_v2": (0, 80 * 2**30),
                "cuGetErrorName": (1, b"CUDA_ERROR_NO_DEVICE"),
            }
            if name == "cuDeviceGetName":
                arguments[0].value = b"NVIDIA Something"
            elif name in given:
                place, value = given[name]
                arguments[place]._obj.value = value
            return self.fails.get(name, 0)

        return answer


@pytest.fixture(autouse=True)
def no_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NUMBA_ENABLE_CUDASIM", raising=False)
    monkeypatch.setattr(card, "card", card.card.__wrapped__)


def with_driver(monkeypatch: pytest.MonkeyPatch, usable: bool = True, **fails: int) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda name: Driver(**fails))
    cuda = SimpleNamespace(is_available=lambda: usable)
    monkeypatch.setitem(sys.modules, "numba", SimpleNamespace(cuda=cuda))


def test_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    with pytest.raises(BackendError, match=r"^no NVIDIA driver is installed \(.* is not found\)$"):
        card.card()
    answer = stepconv.backends()["cuda"]
    assert answer.startswith("not available: no NVIDIA driver")


@pytest.mark.parametrize("call", ["cuInit", "cuDeviceGet", "cuDriverGetVersion"])
def test_a_driver_without_a_card(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    with_driver(monkeypatch, **{call: 100})
    with pytest.raises(BackendError, match=r"^the NVIDIA driver .*\(CUDA_ERROR_NO_DEVICE\)$"):
        card.card()


def test_a_card_that_nothing_compiles_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with_driver(monkeypatch, usable=False)
    with pytest.raises(BackendError) as caught:
        card.card()
    assert str(caught.value) == (
        "NVIDIA Something, 80 GiB, driver for CUDA 13.2, but Numba finds no CUDA compiler: "
        "pip install 'stepconv[cuda]' brings what is missing"
    )


def test_a_card_and_its_driver_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with_driver(monkeypatch)
    answer = stepconv.backends()["cuda"]
    assert answer.startswith("NVIDIA Something, 80 GiB, driver for CUDA 13.2, ")


def test_the_simulator_is_called_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_ENABLE_CUDASIM", "1")
    assert "simulator" in card.card()
