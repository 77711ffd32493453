"""How Numba compiles our functions: without what neither kernels nor their helpers need.

Numba makes machine code of every function that it compiles, so that Python can call it. Of a helper
of kernels nobody calls that: the kernel has the helper's code in its own. And before all the code
of a kernel is together and optimised as a whole, Numba optimises each piece by itself, which
changes nothing in the end. Both together are a third of the time until the first result.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite.binding import Linkage

from stepconv.kernels.compile.numba_parts import (
    CPUDispatcher,
    FunctionCompiler,
    JITCodeLibrary,
    compiler,
)


class Lean(CPUDispatcher):
    """A function that Python calls: a kernel, or what starts it."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        options = {"nopython": True, "no_cfunc_wrapper": True, **options}
        super().__init__(function, targetoptions=options)
        self._compiler = _Compiler(
            function, self.targetdescr, options, self.locals, compiler.Compiler
        )
        self._compiler.library = Whole


class Inner(Lean):
    """A helper: part of the kernels that call it, and plain Python for everybody else."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        super().__init__(function, {"no_cpython_wrapper": True, **options})
        self._compiler.library = _Part

    def __call__(self, *args: Any) -> Any:
        return self.py_func(*args)


class _Compiler(FunctionCompiler):
    """Numba's compiler, but for the library that it puts its code into."""

    library: Any

    def _compile_core(self, args: Any, return_type: Any) -> Any:
        flags = compiler.Flags()
        self.targetdescr.options.parse_as_flags(flags, self.targetoptions)
        target = self.targetdescr.target_context
        return compiler.compile_extra(
            self.targetdescr.typing_context,
            target,
            self.py_func,
            args=args,
            return_type=return_type,
            flags=flags,
            locals=self.locals,
            library=self.library(target.codegen(), self.py_func.__qualname__),
            pipeline_class=self.pipeline_class,
        )


class Whole(JITCodeLibrary):
    """Code that is optimised once, when it is complete, and that the cache may keep."""

    def __init__(self, codegen: Any, name: str) -> None:
        super().__init__(codegen, name)
        self.enable_object_caching()

    def _optimize_functions(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout

    def _optimize_final_module(self) -> None:
        """Optimise the code together with the helpers that were linked in.

        These become its own. They have the names that Numba gave them in the process that compiled
        them, which numbers them anew: other helpers in code from the cache may have the same, and
        one of the two would be called by both.
        """
        for function in self._final_module.functions:
            if not function.is_declaration and function.linkage == Linkage.linkonce_odr:
                function.linkage = Linkage.internal
        super()._optimize_final_module()


class _Part(Whole):
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
