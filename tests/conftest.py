"""How hard Hypothesis tries, and the fixtures that every room's tests share."""

import gc
import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from stepconv import kernels

# No test may fail because a machine is slow, or compiles a kernel at its first call.
settings.register_profile(
    "default",
    max_examples=50,
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=1000)
settings.load_profile("default")  # --hypothesis-profile=thorough asks for the other

BACKENDS = [name for name, what in kernels.backends().items() if "not available" not in what]

# In Numba's CUDA simulator it is the GPU's kernels alone that are tested, and slowly.
SIMULATED = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"
if SIMULATED:
    from tests.cuda.simulator import take_turns

    take_turns()
    BACKENDS = ["cuda"]
    settings.register_profile("simulator", settings.get_profile("default"), max_examples=6)
    settings.load_profile("simulator")

# Why tests of the GPU are skipped, and what runs them.
NO_CARD = (
    f"backend 'cuda' is {kernels.backends()['cuda']}; NUMBA_ENABLE_CUDASIM=1 runs these tests in "
    "Numba's simulator"
)
NO_RUNTIME = "onnxruntime, the judge of exported networks, is not installed (it is in 'dev')"
NO_SIMULATOR = "only Numba's simulator (NUMBA_ENABLE_CUDASIM=1) "

FAST = [name for name in BACKENDS if name != "textbook"]


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep the tests themselves, which stay to the end, out of every later search for garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Each backend that this machine has; keep arrays tiny for the textbook's sake."""
    return str(request.param)


def fewer(share: int) -> settings:
    """Return settings for a test whose every example is many calls: a share of the examples."""
    return settings(max_examples=max(1, settings().max_examples // share))
