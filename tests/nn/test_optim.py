"""Optimisers follow PyTorch's formulas; schedules are the curves that they are drawn as."""

from typing import Any

import numpy as np
import pytest

from stepconv.errors import StepconvError
from stepconv.nn.optim import SCHEDULES, SGD, Adadelta, Adam, AdamW, RMSprop, Schedule

PAIRS = [
    (SGD(0.0), "SGD", {}),
    (SGD(0.9), "SGD", {"momentum": 0.9}),
    (SGD(0.8, True, 0.01), "SGD", {"momentum": 0.8, "nesterov": True, "weight_decay": 0.01}),
    (Adam(), "Adam", {}),
    (Adam(0.8, 0.99, 1e-6, 0.1), "Adam", {"betas": (0.8, 0.99), "eps": 1e-6, "weight_decay": 0.1}),
    (AdamW(weight_decay=0.1), "AdamW", {"weight_decay": 0.1}),
    (Adadelta(), "Adadelta", {}),
    (Adadelta(0.8, 1e-5, 0.1), "Adadelta", {"rho": 0.8, "eps": 1e-5, "weight_decay": 0.1}),
    (RMSprop(), "RMSprop", {}),
    (RMSprop(beta2=0.9, weight_decay=0.1), "RMSprop", {"alpha": 0.9, "weight_decay": 0.1}),
]


@pytest.mark.parametrize(("optimizer", "name", "options"), PAIRS)
def test_ten_steps_are_pytorchs(optimizer: Any, name: str, options: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    draw = np.random.default_rng(0)
    p = draw.standard_normal(20)
    other = torch.tensor(p.copy(), requires_grad=True)
    judge = getattr(torch.optim, name)([other], lr=0.05, **options)
    moments = [np.zeros(20) for _ in optimizer.moments]
    for step in range(1, 11):
        gradient = draw.standard_normal(20)
        optimizer.update(p, gradient, moments, 0.05, step)
        other.grad = torch.tensor(gradient)
        judge.step()
    assert np.allclose(p, other.detach().numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", [SGD, Adam, RMSprop, Adadelta])
def test_l1_pulls_and_clip_cuts(kind: Any) -> None:
    p = np.array([2.0, -2.0, 0.0, 1.0])
    gradient = np.array([0.0, 0.0, 0.0, 50.0])
    plain, same = p.copy(), p.copy()
    moments = [[np.zeros(4) for _ in kind.moments] for _ in range(2)]
    kind(l1=0.5, clip=3.0).update(plain, gradient, moments[0], 0.1, 1)
    kind().update(same, np.array([0.5, -0.5, 0.0, 3.5]), moments[1], 0.1, 1)
    assert np.array_equal(plain, same)


def test_adadelta_by_hand() -> None:
    p = np.array([1.0])
    Adadelta(0.5, 0.01).update(p, np.array([2.0]), [np.zeros(1), np.zeros(1)], 1.0, 1)
    # square = 2;  way = √0.01 / √2.01 · 2
    assert p == pytest.approx(1 - 0.1 / 2.01**0.5 * 2)


def test_rmsprop_by_hand() -> None:
    p, square = np.array([1.0]), np.zeros(1)
    RMSprop(epsilon=0.0).update(p, np.array([3.0]), [np.zeros(1), square], 0.1, 1)
    # v = 0.01 · 9 = 0.09;  p = 1 - 0.1 · 3 / √0.09 = 1 - 1
    assert square == pytest.approx(0.09)
    assert p == pytest.approx(0.0, abs=1e-12)


def test_schedules_begin_rise_and_end_where_they_should() -> None:
    rates = {name: [Schedule(name, 0.5, 100)(step) for step in range(100)] for name in SCHEDULES}
    assert set(rates["constant"]) == {0.5}
    assert sorted(set(rates["step"])) == pytest.approx([0.005, 0.05, 0.5])
    assert [rates["step"].count(rate) for rate in sorted(set(rates["step"]))] == [33, 33, 34]
    assert rates["cosine"] == sorted(rates["cosine"], reverse=True)
    assert rates["cosine"][50] == pytest.approx(0.25)
    assert rates["one-cycle"][30] == pytest.approx(0.5) == max(rates["one-cycle"])
    assert rates["one-cycle"][:31] == sorted(rates["one-cycle"][:31])
    assert rates["one-cycle"][-1] < 0.001


@pytest.mark.parametrize("name", SCHEDULES)
def test_warm_up_climbs_to_the_schedule(name: str) -> None:
    warm, cold = Schedule(name, 1.0, 50, warm_up=9), Schedule(name, 1.0, 50)
    assert warm(0) == pytest.approx(cold(0) / 10)
    assert [warm(step) for step in range(9, 60)] == [cold(step) for step in range(9, 60)]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: SGD(1.5), "momentum=1.5 is out of range"),
        (lambda: SGD(0.0, nesterov=True), "nesterov=True looks ahead"),
        (lambda: Adam(beta2=1.0), "beta2=1 never learns"),
        (lambda: Adadelta(rho=1.0), "rho=1 never learns"),
        (lambda: SGD(l1=-0.1), "l1=-0.1 is out of range"),
        (lambda: Adam(clip=0.0), "clip=0 leaves nothing"),
        (lambda: Schedule("cosin", 0.1, 5), "schedule='cosin' is not known"),
        (lambda: Schedule("cosine", -0.1, 5), "rate=-0.1 is out of range"),
        (lambda: Schedule("cosine", 0.1, 0), "steps=0 is too small"),
    ],
)
def test_options_that_make_no_sense_are_refused(make: Any, said: str) -> None:
    with pytest.raises(StepconvError) as caught:
        make()
    assert said in str(caught.value)
