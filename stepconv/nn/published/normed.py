"""A norm of fixed numbers before a network: how the colours of its pictures were fed to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stepconv.errors import ArgumentError
from stepconv.nn.checkpoint import Network
from stepconv.nn.layers import BatchNorm

# What is added to a variance of some levels squared, and lost in it.
_EPSILON = 1e-12


def with_norm(network: Network, means: Sequence[float], spreads: Sequence[float]) -> Network:
    """Return the network that first takes (pixel - mean) / spread of each colour."""
    old = network.model
    channels = old.input_shape[0]
    colours = max(len(means), len(spreads))
    if colours not in (1, channels):
        raise ArgumentError(f"{colours} colours do not fit {channels} channels")
    model = replace(old, layers=(BatchNorm(epsilon=_EPSILON), *old.layers))
    mean, spread = (
        np.broadcast_to(np.asarray(each, np.float32), channels) for each in (means, spreads)
    )
    # Each of the old layers has a new name if the first norm moved those that follow.
    before, after = ([place.name for place in one.places] for one in (old, model))
    renamed = dict(zip(before, after[1:], strict=True))

    def moved(arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        split = (name.rpartition(".") for name in arrays)
        return {
            f"{renamed[place]}.{kind}": array
            for (place, _, kind), array in zip(split, arrays.values(), strict=True)
        }

    first = model.places[0].name
    ones, zeros = np.ones(channels, np.float32), np.zeros(channels, np.float32)
    parameters = {f"{first}.weight": ones, f"{first}.bias": zeros, **moved(network.parameters)}
    statistics = {f"{first}.running_mean": mean.copy(), f"{first}.running_var": spread**2}
    return Network(model, parameters, {**statistics, **moved(network.statistics)}, network.about)
