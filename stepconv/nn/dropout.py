"""Which cells a dropout silences: a pure function of seed, step, layer, image and cell.

No generator has to be carried along: any thread can ask for any cell, and a training that is
resumed at step 1000 silences the very cells that it would have silenced without the break.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_WORD = 2**32


def mixed(word: int) -> int:
    """Return 32 bits that depend on all 32 bits of `word`, each on each (lowbias32)."""
    word &= _WORD - 1
    word = (word ^ word >> 16) * 0x7FEB352D % _WORD
    word = (word ^ word >> 15) * 0x846CA68B % _WORD
    return word ^ word >> 16


def step_key(seed: int, step: int) -> int:
    """Return the 32 bits that make the silenced cells of a step differ from those of another."""
    key = 0
    for word in (seed, seed >> 32, step, step >> 32):
        key = mixed(key ^ mixed(word)) + 1
    return key % _WORD


def threshold(rate: float) -> int:
    """Return the number below which a cell's 32 bits silence it."""
    return min(round(rate * _WORD), _WORD - 1)


def kept(key: int, layer: int, images: int, cells: int, rate: float) -> NDArray[Any]:
    """Return which cells (images, cells) of a layer are kept in a step."""
    cell = np.arange(images * cells, dtype=np.uint64) % _WORD
    bits = _mixed_all(_mixed_all(cell) ^ np.uint64(mixed(key ^ mixed(layer))))
    keep: NDArray[Any] = bits >= threshold(rate)
    return keep.reshape(images, cells)


def _mixed_all(words: NDArray[Any]) -> NDArray[Any]:
    """Do the same as `mixed` for an array of words."""
    words = (words ^ words >> np.uint64(16)) * np.uint64(0x7FEB352D) % np.uint64(_WORD)
    words = (words ^ words >> np.uint64(15)) * np.uint64(0x846CA68B) % np.uint64(_WORD)
    last: NDArray[Any] = words ^ words >> np.uint64(16)
    return last
