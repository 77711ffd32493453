"""How kernels are compiled, cached and run: the one room that knows Numba's private parts.

    decorators   @parallel, share_of: what a kernel file asks for
    jit          @inner, @compiled, code_address: how one function is compiled
    lean         without what neither kernels nor their helpers need
    cache        compiled code on disk, so that only the first process waits
    trust        whether what lies there may be run: nobody else may have written it
    fingerprint  what compiled code was made from, so that stale code is never run
    threads      the threads that kernels run on, and who may have them
    drawing      what threads do: publish a job, draw its parts, wait; tickets: the board for it
    turns        how they share their cores with other programs
    shares       lays a kernel's arguments down for threads that know nothing of them
    numba_parts  every name that is private to Numba or llvmlite, and what it is for

A call of a kernel goes through `decorators.Kernel`, which finds or compiles the code for its
arguments' types (`jit`, `lean`, `cache`, `trust`, `fingerprint`), then through `threads.run`, which
lends `shares.start` the board that the workers look at.
"""

from stepconv.kernels.compile.cache import cache_status, clear_cache
from stepconv.kernels.compile.decorators import Kernel, parallel, share_of
from stepconv.kernels.compile.jit import code_address, compiled, inner
from stepconv.kernels.compile.threads import counted, thread_count, threading_status, use_threads

__all__ = [
    "Kernel",
    "cache_status",
    "clear_cache",
    "code_address",
    "compiled",
    "counted",
    "inner",
    "parallel",
    "share_of",
    "thread_count",
    "threading_status",
    "use_threads",
]
