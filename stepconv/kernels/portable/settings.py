"""How Numba is told, before it is imported, to make code that runs on every machine."""

import os
import sys

SETTINGS = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "+sse2"}


def choose() -> bool:
    """Tell Numba, if it can still hear it; return whether it was told."""
    if "numba" not in sys.modules:
        os.environ.update(SETTINGS)
    return all(os.environ.get(name) == value for name, value in SETTINGS.items())
