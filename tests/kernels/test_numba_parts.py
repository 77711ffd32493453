"""Numba's private parts are where this release has them, and they are named in one file."""

from typing import Any

import numba
import numpy as np
import pytest

from stepconv.kernels.compile import numba_parts


@pytest.mark.parametrize("name", numba_parts.__all__)
def test_a_part_is_there(name: str) -> None:
    assert getattr(numba_parts, name) is not None


# What our classes put something else in place of, or call, beside what is imported.
@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (numba_parts.FunctionCompiler, "_compile_core"),
        (
            numba_parts.JITCodeLibrary,
            "_optimize_functions _optimize_final_module _finalize_final_module "
            "_finalize_dynamic_globals _ensure_finalized enable_object_caching codegen",
        ),
        (numba_parts.CompileResult, "_rebuild _reduce"),
        (numba_parts.CPUDispatcher, "add_overload compile"),
        (numba_parts.llvm_library, "_lock"),
        (numba_parts.config, "DISABLE_JIT NUMBA_NUM_THREADS CPU_FEATURES OPT"),
    ],
)
def test_it_has_what_is_used_of_it(owner: Any, names: str) -> None:
    missing = [name for name in names.split() if not hasattr(owner, name)]
    assert not missing


def test_a_compiled_function_has_what_is_asked_of_it() -> None:
    @numba.njit
    def double(x):  # type: ignore[no-untyped-def]
        return 2 * x

    assert double(np.int64(2)) == 4
    [compiled] = double.overloads.values()
    assert compiled.library.get_pointer_to_function(compiled.fndesc.llvm_func_name)
    assert compiled.fndesc.llvm_cfunc_wrapper_name
    assert hasattr(compiled.library, "has_dynamic_globals")
    assert compiled.library.codegen.magic_tuple()
