"""How Numba is told, before it is imported, to make code that runs on every machine."""

import os

SETTINGS = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "+sse2"}


def choose() -> None:
    """Tell Numba, which hears it if it has not been imported yet."""
    os.environ.update(SETTINGS)
