"""All kernels on lanes as one module of LLVM that knows no machine, and what is made of it.

    wasm()       a WebAssembly module for browsers
    addresses()  the same module's code for this processor: the twin, bit for bit

Multiply-add rounds twice here, after the product and after the sum, for WebAssembly has no other
that rounds alike everywhere; with `relaxed` the browser's processor chooses. A vector has 128 bits:
`check` says how a process is told so.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any

import llvmlite.binding as llvm
from numba import types

from stepconv.errors import ArgumentError
from stepconv.kernels.compile.cache import kept
from stepconv.kernels.compile.numba_parts import config
from stepconv.kernels.cpu import lanes
from stepconv.kernels.portable import basics
from stepconv.kernels.portable.capture import Captured, capture
from stepconv.kernels.portable.settings import SETTINGS
from stepconv.kernels.portable.splice import splice

Kernel = Callable[[Any], None]

# What else the module has for whoever runs it.
EXPORTED = ("run", "order_keys", "step_key")

_WASM = "wasm32-unknown-unknown"
_WASM_FEATURES = "+simd128,+bulk-memory,+bulk-memory-opt,+sign-ext,+nontrapping-fptoint"


def check() -> None:
    """Refuse a process in which Numba makes code for the whole of this processor."""
    if SETTINGS["NUMBA_CPU_FEATURES"] != config.CPU_FEATURES:
        wanted = " ".join(f"{name}={value}" for name, value in SETTINGS.items())
        raise ArgumentError(f"backend='portable' needs a process that was begun with {wanted}")


@functools.cache
def kernels() -> list[Kernel]:
    """Return all kernels on lanes, always in the same order."""
    files = [
        import_module(f"{lanes.__name__}.{each.name}") for each in iter_modules(lanes.__path__)
    ]
    every = [each for file in files for each in vars(file).values()]
    found = {each.__name__: each for each in every if hasattr(each, "operands")}
    return [found[name] for name in sorted(found)]


def wasm(relaxed: bool = False) -> bytes:
    """Return the WebAssembly module: each kernel under its name, and what stands in EXPORTED."""
    names = [*EXPORTED, *(kernel.__name__ for kernel in kernels())]
    if relaxed:
        features = f"{_WASM_FEATURES},+relaxed-simd"
        return kept("wasm-relaxed", lambda: splice(_code(_WASM, features, _relaxed), names))
    return kept("wasm", lambda: splice(_code(_WASM, _WASM_FEATURES), names))


@functools.cache
def addresses() -> dict[str, int]:
    """Return where the code of each kernel lies, compiled for this processor."""
    check()
    triple = llvm.get_process_triple()
    stored = kept(f"native-{triple}", lambda: _code(triple, ""))
    machine = _machine(triple, "")
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), machine)
    engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(stored))
    engine.finalize_object()
    _engines.append(engine)  # the code lives as long as this object
    return {kernel.__name__: engine.get_function_address(kernel.__name__) for kernel in kernels()}


_engines: list[Any] = []


def _machine(triple: str, features: str) -> Any:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    target = llvm.Target.from_triple(triple)
    return target.create_target_machine(features=features, opt=3, reloc="pic", jit=not features)


def _rounded_twice(text: str) -> str:
    """Let a · b + c be a product and a sum."""
    return re.sub(
        r"declare (<4 x float>) @llvm\.fma\.v4f32\(.*\n",
        r"define internal \1 @multiply_add(\1 %a, \1 %b, \1 %c) alwaysinline {\n"
        r"  %product = fmul \1 %a, %b\n  %sum = fadd \1 %product, %c\n  ret \1 %sum\n}\n",
        text,
    ).replace("@llvm.fma.v4f32", "@multiply_add")


def _relaxed(text: str) -> str:
    """Let a · b + c be rounded once or twice, whichever the processor does faster."""
    return text.replace("@llvm.fma.v4f32", "@llvm.wasm.relaxed.madd.v4f32")


def _code(triple: str, features: str, multiply_add: Callable[[str], str] = _rounded_twice) -> bytes:
    """Return the object file of all kernels for a machine."""
    check()
    machine = _machine(triple, features)
    heading = f'target datalayout = "{machine.target_data}"\ntarget triple = "{triple}"\n'
    whole = llvm.parse_assembly(heading)
    for text in _texts():
        part = llvm.parse_assembly(heading + multiply_add(text))
        part.verify()
        whole.link_in(part)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(whole, builder)
    return bytes(machine.emit_object(whole))


@functools.cache
def _texts() -> list[str]:
    """Return the text of all that there is, each with its own name for whoever calls it."""
    number, real = types.int64, types.float64
    found = [
        _named("exponential", capture(basics.exponential, real), "double", ["double"]),
        _named("logarithm", capture(basics.logarithm, real), "double", ["double"]),
        _named("run", capture(basics.run, *[number] * 4), "void", ["i64"] * 4),
        _named("order_keys", capture(basics.order_keys, *[number] * 4), "void", ["i64"] * 4),
        _named("step_key", capture(basics.step_key, number, number), "i64", ["i64"] * 2),
    ]
    for kernel in kernels():
        text = capture(kernel, kernel.operands)  # type: ignore[attr-defined]
        found.append(_named(kernel.__name__, text, "void", ["i64", "i64"]))
    return found


def _named(name: str, made: Captured, gives: str, takes: list[str]) -> str:
    """Return the text with a plain function `name`; all else is internal to it."""
    text = re.sub(r"^target .*\n", "", made.text, flags=re.M)
    text = re.sub(r"^define (?:linkonce_odr |internal )?", "define internal ", text, flags=re.M)
    text = re.sub(r"= common ((?:local_)?unnamed_addr )?global", "= internal global", text)
    text = text.replace("@llvm.exp.f64", "@exponential").replace("@llvm.log.f64", "@logarithm")
    text = text.replace("@sqrt(", "@llvm.sqrt.f64(")
    arguments = "".join(f", {kind} %{i}" for i, kind in enumerate(takes))
    back = "ret void"
    if gives != "void":
        back = f"%result = load {gives}, ptr %given\n  ret {gives} %result"
    return f"""{text}
define {gives} @{name}({arguments[2:]}) {{
  %given = alloca {"ptr" if gives == "void" else gives}
  %error = alloca ptr
  %status = call i32 @{made.name}(ptr %given, ptr %error{arguments})
  {back}
}}
"""
