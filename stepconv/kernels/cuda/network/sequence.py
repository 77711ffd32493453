"""Launches that are run again and again as one: a CUDA graph, where the driver makes one of them.

A launch costs the host some microseconds, more than a small kernel takes. So the launches of a
training step are written down once, with the memory that they work in:

    with written_down() as launches:
        ...
    step = Sequence(launches)
    step.run()

The first run starts them one by one, which compiles what is not compiled yet. At the second the
driver captures them: it notes them instead of running them, and from then on the host starts all of
them with one call. What a launch is to be told anew each time lies in memory, not in an argument.
"""

from __future__ import annotations

import ctypes
import weakref
from typing import Any

from numba import cuda

from stepconv.kernels.card import LIBRARY
from stepconv.kernels.cuda.machine.launch import SIMULATED, Launch
from stepconv.kernels.cuda.machine.numba_parts import CudaAPIError

# Other work of this thread, such as freeing memory, may go on while launches are captured.
_RELAXED = 2  # CU_STREAM_CAPTURE_MODE_RELAXED

# A stream that the default one does not wait for: other threads may go on with theirs meanwhile.
_NON_BLOCKING = 1  # CU_STREAM_NON_BLOCKING


class Sequence:
    """Launches in one order, and the graph of them once there is one."""

    def __init__(self, launches: list[Launch]) -> None:
        self._launches = launches
        self._graph: _Graph | None = None
        self._runs = 0

    def __len__(self) -> int:
        return len(self._launches)

    def run(self) -> None:
        """Start all of them, without waiting for the last."""
        self._runs += 1
        if self._runs == 2 and not SIMULATED:
            self._graph = _captured(self._launches)
        if self._graph is not None:
            self._graph.start()
            return
        for launch in self._launches:
            launch.start()


class _Graph:
    """A graph that the driver can run."""

    def __init__(self, driver: Any, executable: Any) -> None:
        self._driver, self._executable = driver, executable
        # At the end of the process the driver may be gone before this.
        weakref.finalize(self, driver.cuGraphExecDestroy, executable).atexit = False

    def start(self) -> None:
        code = self._driver.cuGraphLaunch(self._executable, None)  # on the default stream
        if code:
            raise CudaAPIError(code, "cuGraphLaunch failed")


def _captured(launches: list[Launch]) -> _Graph | None:
    """Return the launches as a graph, or None where the driver makes none: then they run singly."""
    driver = ctypes.CDLL(LIBRARY)
    handle = ctypes.c_void_p()  # of a new stream, for the default one cannot be captured
    if driver.cuStreamCreate(ctypes.byref(handle), _NON_BLOCKING):
        return None
    try:
        return _captured_on(handle, launches, driver)
    finally:
        driver.cuStreamDestroy_v2(handle)


def _captured_on(
    handle: ctypes.c_void_p, launches: list[Launch], driver: ctypes.CDLL
) -> _Graph | None:
    if driver.cuStreamBeginCapture_v2(handle, _RELAXED):
        return None
    complete, graph, executable = False, ctypes.c_void_p(), ctypes.c_void_p()
    stream = cuda.external_stream(handle.value)
    try:
        with cuda.defer_cleanup():
            for launch in launches:
                launch.start(stream)
        complete = True
    except Exception:  # nothing has run yet: what is really wrong fails again, started singly
        pass
    finally:
        # Also ends a capture that went wrong; there is no graph then.
        ended = driver.cuStreamEndCapture(handle, ctypes.byref(graph))
    if ended or not graph:
        return None
    failed = driver.cuGraphInstantiateWithFlags(
        ctypes.byref(executable), graph, ctypes.c_ulonglong(0)
    )
    driver.cuGraphDestroy(graph)
    return None if failed or not complete else _Graph(driver, executable)
