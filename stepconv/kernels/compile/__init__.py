"""How kernels are compiled, cached and run: the one room that knows Numba's private parts.

    decorators   @parallel, @inner, @compiled, @staged: what a kernel file asks for
    threads      how many threads there are, who may use them, and what a fork leaves of them
    shares       hands the shares of a kernel's work to threads
    lean         compiles without what neither kernels nor their helpers need
    cache        compiled code on disk, so that only the first process waits
    fingerprint  what compiled code was made from, so that stale code is never run
    numba_parts  every name that is private to Numba or llvmlite, and what it is for

A call of a kernel goes through `decorators.Kernel`, which finds or compiles the code for its
arguments' types (`lean`, `cache`, `fingerprint`), and then through `shares.start`.
"""

from stepconv.kernels.compile.cache import cache_status, clear_cache
from stepconv.kernels.compile.decorators import (
    Kernel,
    code_address,
    compiled,
    inner,
    parallel,
    share_of,
    staged,
)
from stepconv.kernels.compile.threads import (
    thread_count,
    thread_id,
    threading_status,
    use_threads,
)

__all__ = [
    "Kernel",
    "cache_status",
    "clear_cache",
    "code_address",
    "compiled",
    "inner",
    "parallel",
    "share_of",
    "staged",
    "thread_count",
    "thread_id",
    "threading_status",
    "use_threads",
]
