"""Runs a script in a Python process of its own, for tests about the state of a process."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
OPENING = """
import json, os, signal, sys, threading
import numpy as np
from stepconv.kernels import compile as room
from tests.kernels import small_kernels as small

def answer(dtype=float):
    x = np.linspace(-1, 1, 200).reshape(20, 10).astype(dtype)
    out = np.zeros(20, dtype)
    return x, out

def check(run, dtype=float):
    x, out = answer(dtype)
    run(x, out)
    expected = np.zeros(20, dtype)
    small.row_sums.py_func(x, expected)
    assert np.allclose(out, expected), (out, expected)
    return out.tobytes().hex()

def in_child(work):
    pid = os.fork()
    if pid == 0:
        signal.alarm(120)  # a deadlock ends as a signal
        status = 1
        try:
            work()
            status = 0
        finally:
            sys.stderr.flush()
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""


def start(script: str, **environment: str) -> subprocess.Popen[str]:
    """Start `script` behind OPENING, with these environment variables on top of ours."""
    return subprocess.Popen(
        [sys.executable, "-c", OPENING + script],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> Any:
    """Wait for a process, which has to succeed, and return the JSON it printed last."""
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, f"exit status {process.returncode}\n{stdout}\n{stderr}"
    return json.loads(stdout.splitlines()[-1])


def run(script: str, **environment: str) -> Any:
    """Run `script` to its end and return the JSON it printed last."""
    return finish(start(script, **environment))
