"""What stepconv takes from inside Numba and llvmlite, beyond what their manuals promise.

Another release may move or change any of these; a test imports each, and pyproject.toml names the
releases that were tried. What is used of numba-cuda stands in cuda/machine/numba_parts.py.
"""

from llvmlite.binding.ffi import lib as llvm_library  # its lock, held while this process forks
from numba._dispatcher import compute_fingerprint  # the types of a call's arguments, fast
from numba.core import (
    cgutils,  # arguments laid down in memory, and loops, as LLVM
    compiler,  # compiles one function with flags and a library of our own
    config,  # settings that Numba makes at run time
)
from numba.core.codegen import JITCodeLibrary  # where the code of a function is put together
from numba.core.compiler import CompileResult  # what is stored on disk
from numba.core.compiler_lock import global_compiler_lock  # held while code is loaded, and by forks
from numba.core.dispatcher import (  # type: ignore[attr-defined]
    _FunctionCompiler as FunctionCompiler,  # compiles a dispatcher's function
)
from numba.core.registry import CPUDispatcher  # the compiled function that Python calls
from numba.core.runtime import rtsys  # Numba's memory, without which no stored code runs
from numba.core.serialize import dumps  # a compile result as bytes
from numba.core.typing.templates import AttributeTemplate  # operands by name

__all__ = [
    "AttributeTemplate",
    "CPUDispatcher",
    "CompileResult",
    "FunctionCompiler",
    "JITCodeLibrary",
    "cgutils",
    "compiler",
    "compute_fingerprint",
    "config",
    "dumps",
    "global_compiler_lock",
    "llvm_library",
    "rtsys",
]
