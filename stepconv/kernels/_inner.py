"""Functions that only become part of kernels: compiled there, once, and not also by themselves.

Numba makes machine code of every function that it compiles, so that Python can call it. Of a helper
of kernels nobody calls that: the kernel has the helper's code in its own. Leaving it out takes a
fifth off the time until the first step of a training.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numba.core import compiler
from numba.core.codegen import JITCodeLibrary
from numba.core.dispatcher import _FunctionCompiler  # type: ignore[attr-defined]
from numba.core.registry import CPUDispatcher


class Inner(CPUDispatcher):
    """A helper: part of the kernels that call it, and plain Python for everybody else."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        options = {"nopython": True, **options}
        super().__init__(function, targetoptions=options)
        self._compiler = _PartCompiler(
            function, self.targetdescr, options, self.locals, compiler.Compiler
        )

    def __call__(self, *args: Any) -> Any:
        return self.py_func(*args)


class _PartCompiler(_FunctionCompiler):
    """Numba's compiler, but for two functions through which Python would call the code."""

    def _compile_core(self, args: Any, return_type: Any) -> Any:
        flags = compiler.Flags()
        self.targetdescr.options.parse_as_flags(flags, self.targetoptions)
        flags.no_cpython_wrapper = flags.no_cfunc_wrapper = True
        target = self.targetdescr.target_context
        return compiler.compile_extra(
            self.targetdescr.typing_context,
            target,
            self.py_func,
            args=args,
            return_type=return_type,
            flags=flags,
            locals=self.locals,
            library=_Part(target.codegen(), self.py_func.__qualname__),
            pipeline_class=self.pipeline_class,
        )


class _Part(JITCodeLibrary):
    """Code that is optimised, and made machine code, where it is linked in and not before."""

    @property
    def codegen(self) -> Any:
        return self  # whoever asks wants `set_env`

    def set_env(self, name: str, environment: Any) -> None:
        """Do nothing: there is no machine code that would look for the environment."""

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True
