"""What a training tells whoever listens: plain records, one for everything that happens."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Metrics:
    """What one epoch came to; accuracies are from 0 to 1.

    `images_per_second` counts training alone: judging, saving and compiling are left out.
    `test_accuracy` is None where the test pictures were not looked at, `validation_accuracy` where
    nothing is held back.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    test_accuracy: float | None
    images_per_second: float
    seconds: float
    validation_accuracy: float | None = None

    @property
    def judged(self) -> float | None:
        """The accuracy on pictures that nothing was learnt from, if any were looked at."""
        return self.test_accuracy if self.validation_accuracy is None else self.validation_accuracy

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain data, without a validation that there was not."""
        told = asdict(self)
        if self.validation_accuracy is None:
            del told["validation_accuracy"]
        return told


@dataclass(frozen=True)
class Started:
    """The first step is about to be made; `step` of `steps` were made before, in another run.

    All in all there are `steps`. Epochs are `judged` by "test" pictures, or by those that were held
    back: "valid".
    """

    epochs: int
    steps_per_epoch: int
    step: int
    history: tuple[Metrics, ...]
    judged: str = "test"
    steps: int = 0


@dataclass(frozen=True)
class Stepped:
    """A batch was learnt from; `step` counts from 1 over all epochs.

    So many of its images were told right before.
    """

    epoch: int
    step: int
    images: int
    correct: int
    loss: float
    rate: float


@dataclass(frozen=True)
class Changed:
    """Somebody changed a choice, which holds from the next step on; so many are made before it."""

    step: int
    name: str
    value: Any


@dataclass(frozen=True)
class EpochEnded:
    """All training pictures were seen once more, and others were looked at to judge."""

    metrics: Metrics


@dataclass(frozen=True)
class Warned:
    """Something is wrong with the training, which goes on: what, and what to try."""

    epoch: int
    trouble: str
    advice: str


@dataclass(frozen=True)
class Saved:
    """The run folder holds all there is up to this step."""

    folder: Path
    step: int


@dataclass(frozen=True)
class Stopped:
    """Somebody asked to stop; the training can go on from here."""

    epoch: int
    step: int


@dataclass(frozen=True)
class Diverged:
    """The loss is no number any more: nothing can be learnt from here on."""

    epoch: int
    step: int
    advice: str


@dataclass(frozen=True)
class Finished:
    """All epochs are done."""

    history: tuple[Metrics, ...]


Event = Started | Stepped | Changed | EpochEnded | Warned | Saved | Stopped | Diverged | Finished
