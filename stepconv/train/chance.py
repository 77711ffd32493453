"""Random numbers that depend on nothing but a place: seed, epoch, picture.

Picture 7 of epoch 3 is shifted by the same cells whichever pictures came before it, on any machine:
so a run can go on anywhere, and batches can be of any size.
"""

import numpy as np
from numpy.typing import NDArray

# The odd number nearest to 2^64 divided by the golden ratio: its multiples spread evenly.
GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def uniform(seed: int, epoch: int, pictures: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Return `count` numbers in [0, 1) for each picture: a row of (pictures, count).

    >>> import numpy as np
    >>> both = uniform(1, 0, np.array([5, 9]), 3)
    >>> bool(np.all(uniform(1, 0, np.array([9]), 3) == both[1:]))
    True
    """
    row = _mix(_key(seed, epoch) + pictures.astype(np.uint64) * GOLDEN)
    words = _mix(row[:, np.newaxis] + np.arange(1, count + 1, dtype=np.uint64) * GOLDEN)
    return np.ldexp((words >> np.uint64(11)).astype(np.float64), -53)


def shuffled(count: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """Return 0 … count - 1 in the order of that epoch."""
    return np.argsort(_mix(np.arange(count, dtype=np.uint64) * GOLDEN + _key(seed, epoch)))


def _key(seed: int, epoch: int) -> NDArray[np.uint64]:
    return _mix(_mix(np.array([seed], np.uint64)) + np.uint64(epoch))


def _mix(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Stir the bits of each word: the finaliser of SplitMix64 (Steele, Lea, Flood 2014)."""
    words = words + GOLDEN
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))
