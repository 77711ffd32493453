"""The recipe of a training: every choice that its result depends on, and nothing else.

The number of threads is none of them, nor is the folder in which the result lies.
"""

from dataclasses import asdict, dataclass, fields
from typing import Any

from stepconv.errors import ArgumentError, DataError, StepconvError
from stepconv.nn import ALGORITHMS, OPTIMIZERS, Schedule
from stepconv.nn.layers import number
from stepconv.nn.optim import Optimizer

# A full rate that suits each optimiser, for batches of 64; larger batches take it as well.
RATES = {"sgd": 0.03, "adam": 0.001, "adamw": 0.001}


@dataclass(frozen=True)
class Recipe:
    """How to train: `lr` None means the usual rate of the optimiser."""

    data: str = "digits"
    epochs: int = 4
    batch_size: int = 64
    lr: float | None = None
    optimizer: str = "sgd"
    schedule: str = "one-cycle"
    warm_up: int = 0
    weight_decay: float = 0.0005
    algorithm: str = "direct"
    augment: bool = False
    seed: int = 0
    limit: int | None = None

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            known = ", ".join(OPTIMIZERS)
            raise ArgumentError(f"optimizer={self.optimizer!r} is not known: {known} fit")
        if self.algorithm not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            raise ArgumentError(f"algorithm={self.algorithm!r} is not known: {known} fit")
        for name in ("epochs", "batch_size"):
            at_least(name, getattr(self, name), 1)
        at_least("seed", self.seed, 0)
        if self.limit is not None:
            at_least("limit", self.limit, 1)
        if self.lr is None:
            object.__setattr__(self, "lr", RATES[self.optimizer])
        number("lr", self.lr, 0, 1e6)
        self.rates(1)
        self.make_optimizer()

    def make_optimizer(self) -> Optimizer:
        """Return the optimiser of that name."""
        return OPTIMIZERS[self.optimizer](weight_decay=self.weight_decay)

    def rates(self, steps: int) -> Schedule:
        """Return the learning rate of every step of a training of so many."""
        assert self.lr is not None
        return Schedule(self.schedule, self.lr, steps, self.warm_up)

    def to_dict(self) -> dict[str, Any]:
        """Return the choices as plain data."""
        return asdict(self)

    def differences(self, other: "Recipe") -> list[str]:
        """Return what the other chose differently, as `--epochs 4, not 10`."""
        return [
            f"--{field.name.replace('_', '-')} {getattr(self, field.name)}, "
            f"not {getattr(other, field.name)}"
            for field in fields(self)
            if getattr(self, field.name) != getattr(other, field.name)
        ]


def from_dict(found: Any) -> Recipe:
    """Return the recipe that a file tells."""
    try:
        return Recipe(**found)
    except (TypeError, StepconvError) as error:
        raise DataError(f"{found!r} is no recipe of a training: {error}") from None


def at_least(name: str, value: int, least: int) -> None:
    """Refuse a number that is too small."""
    if value < least:
        raise ArgumentError(f"{name}={value} does not fit: {least} or more does")
