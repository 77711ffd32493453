"""Moments: copies of the network on its way, so that one can see later how it learnt.

They lie in the run's folder, `moments/step-000125.safetensors`, each a network like the last one.
What is learnt first is learnt fast, so they lie close at the beginning and wide apart at the end.
"""

from collections.abc import Iterator
from pathlib import Path

from stepconv import files
from stepconv.nn import checkpoint
from stepconv.nn.checkpoint import Network

FOLDER = "moments"


def steps(total: int, count: int) -> list[int]:
    """Return after which of `total` steps a copy is kept: at most so many, the first and last too.

    >>> steps(1000, 6), steps(3, 12)
    ([0, 1, 6, 32, 178, 1000], [0, 1, 2, 3])
    """
    if count < 1:
        return []
    if count < 3:
        return [0, total][-count:]
    powers = (total ** (i / (count - 2)) for i in range(count - 1))
    return sorted({0, *(round(power) for power in powers)})


def keep(folder: Path, step: int, network: Network) -> None:
    """Write a copy of the network as it is after a step."""
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    files.tidy(place)
    checkpoint.save_network(place / f"step-{step:06}.safetensors", network)


def kept(folder: Path) -> Iterator[tuple[int, Path]]:
    """Yield the steps after which copies were kept, and their files, from the first on."""
    for path in sorted((folder / FOLDER).glob("step-*.safetensors")):
        number = path.stem.removeprefix("step-")
        if number.isdecimal():
            yield int(number), path
