"""How the numbers of a picture become what a network reads: scale · pixel + shift."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stepconv.errors import ArgumentError
from stepconv.train.data.samples import DataSet, Samples
from stepconv.train.data.sets import FORMS


@dataclass(frozen=True)
class Feed:
    """What a training did with its pictures, and what has to be done with any others.

    Bytes are given to a network as they are: it multiplies and adds itself. `form` says what comes
    before: "digit" (cut out and centred, bright on black), "bright" (on black), or "as-is". Where
    a network learnt from numbers (`of_bytes` is False), they are taken as they are.
    """

    scale: float = 1 / 255
    shift: float = 0.0
    form: str = "as-is"
    of_bytes: bool = True

    @classmethod
    def of(cls, data: DataSet) -> "Feed":
        """Return the line that brings the training pixels to mean 0 and standard deviation 1."""
        mean, spread = data.scale
        of_bytes = data.train.pictures.dtype == np.uint8
        unit = 255 if of_bytes else 1
        return cls(1 / (unit * spread), -mean / spread, data.form, of_bytes)

    @classmethod
    def told(cls, about: Mapping[str, Any]) -> "Feed":
        """Return what a file says of its network; older ones only scaled, and told no form."""
        form = about.get("form", FORMS.get(str(about.get("data")), "as-is"))
        known = {key: about[key] for key in ("scale", "shift", "of_bytes") if key in about}
        return cls(**known, form=form)

    def numbers(self, pictures: NDArray[Any]) -> NDArray[Any]:
        """Return pictures as a network takes them: bytes as they are, numbers scaled and moved."""
        if (pictures.dtype == np.uint8) != self.of_bytes:
            learnt, given = ("bytes", "numbers") if self.of_bytes else ("numbers", "bytes")
            raise ArgumentError(f"the network learnt from {learnt}, {given} do not fit")
        if self.of_bytes:
            return pictures
        scaled: NDArray[Any] = pictures * np.float32(self.scale)
        scaled += np.float32(self.shift)
        return scaled

    def samples(self, samples: Samples) -> Samples:
        """Return samples as a network takes them."""
        return replace(samples, pictures=self.numbers(samples.pictures))

    def data(self, data: DataSet) -> DataSet:
        """Return all parts as a network takes them."""
        return replace(
            data,
            train=self.samples(data.train),
            validation=self.samples(data.validation),
            test=self.samples(data.test),
        )
