"""What Numba makes of a kernel before any machine is thought of: LLVM's text, helpers and all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from stepconv.kernels.compile.jit import OPTIONS
from stepconv.kernels.compile.lean import Lean, Whole


class Captured(NamedTuple):
    """A function as text, and the name that Numba gave it there."""

    name: str
    text: str


class _Text(Whole):
    """Code that stays text: nobody runs it, so nothing is optimised."""

    text = ""

    def _optimize_final_module(self) -> None:
        self.text = str(self._final_module)


def capture(function: Callable[..., Any], *kinds: Any) -> Captured:
    """Return the text of a function for arguments of these types."""
    code = Lean(function, {**OPTIONS, "no_cpython_wrapper": True})
    code._compiler.library = _Text
    code.compile(kinds)
    [compiled] = code.overloads.values()
    return Captured(compiled.fndesc.llvm_func_name, compiled.library.text)
