"""On a GPU, too, `explain` names the kernel that served, with its reason and its threads."""

import numpy as np
import pytest

import stepconv
from tests.conftest import NO_SIMULATOR, SIMULATED

pytestmark = pytest.mark.skipif(not SIMULATED, reason=NO_SIMULATOR + "computes as on a card")


def test_kernels_of_a_gpu_are_explained() -> None:
    x, w = np.ones((1, 2, 6, 6), np.float32), np.ones((4, 2, 3, 3), np.float32)
    with stepconv.use_backend("cuda"), stepconv.explain() as e:
        stepconv.correlate_backward(x, w, stepconv.correlate(x, w))
    told = [(call.operation, call.algorithm) for call in e.calls]
    assert told == [
        ("correlate", "many_filters"),
        ("correlate_grad_x", "loops"),
        ("correlate_grad_w", "many_filters_weights"),
        ("channel_sums", "channel_sums"),
    ]
    assert e.calls[0].reason == "4 filters in a group, and from 3 on a tile pays"
    assert e.calls[0].threads >= 4 * 4
    assert e.calls[0].products == 4 * 16 * 18
