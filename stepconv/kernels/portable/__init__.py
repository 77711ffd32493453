"""The kernels on lanes for any machine: as WebAssembly for browsers, and its twin for this one.

settings     what Numba has to be told before it is imported
capture      what Numba makes of a function, as LLVM's text
basics       exp, log and the runner, which browsers lack or have otherwise
library      all of it as one module, compiled for WebAssembly or for this processor
splice       an object file becomes a module, without a linker
"""
