"""The tiles on narrower vectors than this machine may have: most have AVX2 and no AVX-512."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

AVX2 = "+sse,+sse2,+sse3,+ssse3,+sse4.1,+sse4.2,+popcnt,+avx,+avx2,+fma,+bmi,+bmi2,+lzcnt,+f16c"


def has_avx2() -> bool:
    from llvmlite.binding import get_host_cpu_features

    return bool(get_host_cpu_features().get("avx2"))


@pytest.mark.slow
@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64") or not has_avx2(),
    reason="only x86 processors with AVX2 can be told to be narrower ones",
)
def test_the_kernels_are_right_on_256_bits() -> None:
    """In a process of its own, for the width is decided once."""
    script = "from stepconv.kernels.cpu.machine.vector import lanes, registers; import numpy as np;"
    script += "print(lanes(np.float32), registers())"
    env = {**os.environ, "NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": AVX2}
    width = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True
    )
    assert width.stdout.split() == ["8", "16"]
    here = Path(__file__).parent
    names = ("conv_paths", "filter", "separable", "pool_paths", "machine_code")
    files = [here / f"test_{name}.py" for name in names] + [here.parent / "nn/test_answers.py"]
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-m",
            "slow or not slow",
            "-k",
            "not float64 or machine_code",
            *files,
        ],
        env=env,
        cwd=here.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-4000:]
    assert "passed" in run.stdout
