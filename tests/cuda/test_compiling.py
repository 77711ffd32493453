"""Every kernel compiles for a card, and tiles to the code meant, where there is the compiler."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("numba_cuda") is None, reason="the extra 'cuda' is not installed"),
]

# What any card has of these: registers of all threads of a block, and bytes that they share.
REGISTERS, SHARED = 65536, 48 * 1024
# Those of a block, and how many loads of numbers side by side a step through its tile may have.
THREADS = {"apply": 128, "weigh_part": 128, "filter_tile": 256, "multiply_tile": 64}
LOADS = {"apply": 4, "weigh_part": 3, "filter_tile": 2, "multiply_tile": 4}
WIDE = {"float32": "ld.shared.v4.f32", "float64": "ld.shared.v2.f64"}


def compiled(*what: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "tests.cuda.compiling", *what],
        cwd=Path(__file__).parents[2],
        env={k: v for k, v in os.environ.items() if k != "NUMBA_ENABLE_CUDASIM"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_kernel_compiles() -> None:
    assert compiled().endswith("kernels compiled\n")


def test_tiles_load_by_16_bytes_and_fit_into_registers() -> None:
    told = [json.loads(line) for line in compiled("tiles").splitlines()]
    assert {one["kernel"] for one in told} >= THREADS.keys()
    for one in told:
        assert not [load for load in one["loads"] if "local" in load], one
        assert one.get("spilled", 0) == 0, one
        assert one.get("registers", 0) * THREADS.get(one["kernel"], 256) <= REGISTERS, one
        assert one.get("shared", 0) <= SHARED, one
        if one["kernel"] in THREADS and not few_filters_weighed(one):
            wide = one["loads"][WIDE[one["dtype"]]]
            once = LOADS[one["kernel"]] - (one["kernel"] == "apply" and one["filters"] == 6)
            assert wide == once * (2 if one["dtype"] == "float64" else 1), one


def few_filters_weighed(one: dict[str, Any]) -> bool:
    """Tell whether a thread has but two of each: they make 16 bytes of no float32."""
    return one["kernel"] == "weigh_part" and one["filters"] == 6
