"""Networks looked into, for the tests: small ones with every layer, and those of the zoo."""

from typing import Any

import numpy as np

from stepconv import look_inside
from stepconv.inside import Inside
from tests.nn.networks import network, remembered, weights


def looked(name: str, dtype: Any = np.float32, label: int | None = 1) -> Inside:
    """Return a network of STACKS or of the zoo with a picture of noise in it."""
    model = network(name)
    picture = np.random.default_rng(4).standard_normal(model.input_shape).astype(dtype)
    arrays = weights(model, dtype), remembered(model, dtype)
    return look_inside(model, picture, label, parameters=arrays[0], statistics=arrays[1])
