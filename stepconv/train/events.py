"""What a training tells whoever listens: plain records, one for everything that happens."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Metrics:
    """What one epoch came to; accuracies are from 0 to 1.

    `images_per_second` counts training alone: judging, saving and compiling are left out.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    test_accuracy: float
    images_per_second: float
    seconds: float


@dataclass(frozen=True)
class Started:
    """The first step is about to be made; `step` of `steps` were made before, in another run."""

    epochs: int
    steps_per_epoch: int
    step: int
    history: tuple[Metrics, ...]


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
class EpochEnded:
    """All training pictures were seen once more, and the test pictures were looked at."""

    metrics: Metrics


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


Event = Started | Stepped | EpochEnded | Saved | Stopped | Diverged | Finished
