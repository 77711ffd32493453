"""The recipe of a training: every choice that its result depends on, and nothing else.

The number of threads is none of them, nor is the folder in which the result lies.
"""

from collections.abc import Collection
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from stepconv.errors import ArgumentError, DataError, StepconvError, closest
from stepconv.nn import ALGORITHMS, OPTIMIZERS, SGD, Schedule
from stepconv.nn.layers import number
from stepconv.nn.optim import Optimizer

# A full rate that suits each optimiser, for batches of 64; larger batches take it as well.
RATES = {"sgd": 0.03, "adam": 0.001, "adamw": 0.001, "rmsprop": 0.001, "adadelta": 1.0}
# Fewer pictures than these are learnt by heart in large steps, or a network falls silent.
FEW = 5000
RATES_OF_FEW = {**RATES, "sgd": 0.01}
# So many steps warm up unless asked for, but no more than a tenth where the rate has an end.
WARM_UP = 20
# Epochs, unless asked for; a small data set is seen more often, until so many steps are made.
EPOCHS, LEAST_STEPS = 4, 200


@dataclass(frozen=True)
class Recipe:
    """How to train.

    `lr` None means the usual rate of the optimiser, `warm_up` None a tenth of the steps up to 20.
    `steps`, if given, ends the training rather than `epochs`. `validation` is how many pictures, or
    what share, are held back; the best epoch on them is kept, and after `patience` epochs without a
    better one the training ends. Layers named in `freeze`, as in "conv1,conv2", stay as they are.
    """

    data: str = "digits"
    epochs: int = EPOCHS
    batch_size: int = 64
    lr: float | None = None
    optimizer: str = "sgd"
    schedule: str = "one-cycle"
    warm_up: int | None = None
    weight_decay: float = 0.0005
    algorithm: str = "direct"
    augment: bool = False
    seed: int = 0
    limit: int | None = None
    steps: int | None = None
    momentum: float | None = None
    validation: float = 0
    patience: int | None = None
    evaluate_every: int = 1
    start: str | None = None
    freeze: str = ""
    l1: float = 0.0
    clip: float | None = None

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            known = ", ".join(OPTIMIZERS)
            raise ArgumentError(f"optimizer={self.optimizer!r} is not known: {known} fit")
        if self.algorithm not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            raise ArgumentError(f"algorithm={self.algorithm!r} is not known: {known} fit")
        for name in ("epochs", "batch_size", "limit", "steps", "patience", "evaluate_every"):
            if getattr(self, name) is not None:
                at_least(name, getattr(self, name), 1)
        at_least("seed", self.seed, 0)
        if self.seed >= 2**63:
            raise ArgumentError(f"seed={self.seed} is too large: below 2**63 fits")
        number("validation", self.validation, 0, 1e9)
        if self.validation > 1 and self.validation % 1:
            fits = "a share below 1 or a whole number of pictures fits"
            raise ArgumentError(f"validation={self.validation} is neither: {fits}")
        if self.lr is None:
            object.__setattr__(self, "lr", RATES[self.optimizer])
        number("lr", self.lr, 0, 1e6)
        self.rates(1)
        self.make_optimizer()

    def make_optimizer(self) -> Optimizer:
        """Return the optimiser of that name."""
        made = OPTIMIZERS[self.optimizer]
        chosen: dict[str, Any] = {"weight_decay": self.weight_decay, "l1": self.l1}
        if self.clip is not None:
            chosen["clip"] = self.clip
        if self.momentum is not None:
            if made is not SGD:
                raise ArgumentError(f"momentum={self.momentum} is of sgd, not of {self.optimizer}")
            chosen["momentum"] = self.momentum
        return made(**chosen)

    def total(self, steps_per_epoch: int) -> int:
        """Return how many steps the training has."""
        return self.steps or self.epochs * steps_per_epoch

    def rates(self, steps: int) -> Schedule:
        """Return the learning rate of every step of a training of so many."""
        assert self.lr is not None
        # A constant rate may go on for longer than was meant, so nothing may depend on the end.
        usual = WARM_UP if self.schedule == "constant" else min(WARM_UP, steps // 10)
        warm_up = usual if self.warm_up is None else self.warm_up
        return Schedule(self.schedule, self.lr, steps, warm_up)

    def to_dict(self) -> dict[str, Any]:
        """Return the choices as plain data."""
        return asdict(self)

    def differences(self, other: "Recipe") -> list[str]:
        """Return what the other chose differently, as `--epochs 4, not 10`."""
        return [
            f"--{'from' if field.name == 'start' else field.name.replace('_', '-')} "
            f"{getattr(self, field.name)}, not {getattr(other, field.name)}"
            for field in fields(self)
            if getattr(self, field.name) != getattr(other, field.name)
        ]

    def suited(self, count: int, chosen: Collection[str]) -> "Recipe":
        """Return what suits so many training pictures, where nothing else was chosen.

        >>> how = Recipe().suited(100, chosen=())
        >>> how.epochs, how.lr
        (100, 0.01)
        """
        epochs, lr = self.epochs, self.lr
        if not {"epochs", "steps"} & {*chosen}:
            epochs = max(EPOCHS, -(-LEAST_STEPS // -(-count // self.batch_size)))
        if "lr" not in chosen and count < FEW:
            lr = RATES_OF_FEW[self.optimizer]
        return replace(self, epochs=epochs, lr=lr)

    def lengthened(self, epochs: int) -> "Recipe":
        """Return the recipe with more epochs, where its rates are those of a longer training."""
        if epochs <= self.epochs or self.steps is not None:
            return self
        if self.schedule != "constant":
            raise ArgumentError(
                f"--epochs {epochs}: the {self.schedule} schedule was made for {self.epochs} "
                f"epochs, and its rates would be others; --schedule constant goes on as long as "
                f"one likes, and --from begins a new training with these weights"
            )
        return replace(self, epochs=epochs)


def from_choices(choices: dict[str, Any]) -> Recipe:
    """Return the recipe with these choices; one that there is not is an error that says so."""
    known = [field.name for field in fields(Recipe)]
    for name, value in choices.items():
        if name not in known:
            hint = closest(name, known, f"{', '.join(known)} fit")
            raise ArgumentError(f"training: {name}={value!r} is not known: {hint}")
    try:
        return Recipe(**choices)
    except TypeError as error:
        raise ArgumentError(f"training: {error}") from None


def from_dict(found: Any) -> Recipe:
    """Return the recipe that a file tells."""
    try:
        return Recipe(**found)
    except (TypeError, StepconvError) as error:
        raise DataError(f"{found!r} is no recipe of a training: {error}") from None


def at_least(name: str, value: int, least: int) -> None:
    """Refuse a number that is too small."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise ArgumentError(f"{name}={value!r} is no whole number: {least} or more fits")
    if value < least:
        raise ArgumentError(f"{name}={value} does not fit: {least} or more does")
