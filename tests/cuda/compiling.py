"""A card that only compiles: every launch becomes PTX, so that types are checked without a GPU.

    python -m tests.cuda.compiling        compiles what the operations launch
    python -m tests.cuda.compiling tiles  compiles the tiles, and tells of their machine code

Both need the extra `cuda`.

The memory of this card is the host's, and nothing is ever computed.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import numba
import numpy as np
from numba import cuda
from numba.cuda import dispatcher

import stepconv
from stepconv import kernels

Array = Any

CARD = (9, 0)
found: dict[Any, str] = {}


class HostMemory:
    """What stands in for Numba's arrays of a card."""

    def __init__(self, array: Array) -> None:
        self.array = array

    def __getattr__(self, name: str) -> Any:
        return getattr(self.array, name)

    def __getitem__(self, some: slice) -> HostMemory:
        return HostMemory(self.array[some])

    def reshape(self, shape: tuple[int, ...]) -> HostMemory:
        return HostMemory(self.array.reshape(shape))

    def is_c_contiguous(self) -> bool:
        return bool(self.array.flags.c_contiguous)

    def copy_to_host(self, out: Array | None = None) -> Array:
        return self.array.copy()

    def copy_to_device(self, array: Array) -> None:
        self.array[...] = array


class Compiler:
    """A kernel that is compiled where it should run."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def __getitem__(self, grid: Any) -> Any:
        return self.compile

    def compile(self, *arguments: Any) -> None:
        types = tuple(numba.typeof(bare(argument)) for argument in arguments)
        if (self.function, types) not in found:
            ptx, _ = cuda.compile_ptx(self.function, types, cc=CARD)
            found[self.function, types] = ptx


def bare(argument: Any) -> Any:
    if isinstance(argument, tuple):
        bared = map(bare, argument)
        return argument._make(bared) if hasattr(argument, "_make") else tuple(bared)
    return argument.array if isinstance(argument, HostMemory) else argument


def pretend() -> None:
    """Put this card in the place of a real one; before any kernel is imported."""
    from stepconv.kernels import card

    jit = cuda.jit
    cuda.jit = lambda function=None, **options: (
        jit(function, **options) if options else Compiler(function)
    )
    # Helpers are compiled for the card that is there.
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=CARD)
    cuda.device_array = lambda shape, dtype: HostMemory(np.zeros(shape, dtype))
    cuda.to_device = lambda array: HostMemory(np.array(array))
    card.card = lambda: "a card that only compiles"


def main() -> None:
    """Make every kind of call, for every type of numbers."""
    pretend()
    from tests.twins.test_recorder import RECORDED, recorded
    from tests.twins.test_twins import cast
    from tests.twins.twins import DTYPES, TWINS

    for operation, twin in TWINS.items():
        for dtype in DTYPES:
            for call in twin.telling():
                twin.run(cast(call, dtype), "cuda")
        print(operation, len(found), file=sys.stderr)
    for operation, twin in RECORDED.items():
        for dtype in DTYPES:
            with suppress(IndexError, AssertionError):  # what the host makes of nothing computed
                recorded(cast(twin.telling()[1], dtype), "cuda", operation)
    for dtype in DTYPES:
        x, w = (kernels.on_card(np.full(shape, 2**40, dtype)) for shape in ((4, 5), (2, 2)))
        stepconv.convolve(x, w, backend="cuda")
        stepconv.max_pool_backward(x, w, 2, backend="cuda")
        abs(x)
    for dtype in ("float16", "uint8", "bool"):
        stepconv.relu(kernels.on_card(np.ones(5, dtype)), backend="cuda")
        for operation in ("max_pool", "pad", "relu"):
            TWINS[operation].run(cast(TWINS[operation].telling()[1], dtype), "cuda")
    train()
    for name in sorted({function.__name__ for function, _ in found}):
        print(name)
    print(f"{len(found)} kernels compiled")


def train() -> None:
    """Take a step with networks that have every layer, with every optimiser, and ask them."""
    from stepconv import nn
    from tests.nn.networks import STACKS, batch, network

    optimizers = (nn.SGD(), nn.AdamW())
    for number, name in enumerate((*STACKS, *nn.ZOO)):
        model = network(name)
        trainer = nn.Trainer(model, optimizers[number % 2], batch_size=8, backend="cuda")
        pictures, labels = batch(model, 5)
        trainer.step(pictures, labels, 0.1)
        trainer.step(*trainer.bring(pictures.astype(np.uint8), labels), 0.1)
        trainer.logits(pictures)
        print(name, trainer._program.launches(5), len(found), file=sys.stderr)


def tell_of_tiles() -> None:
    """Write for every kernel that works in tiles what it is made of, one JSON object a line."""
    pretend()
    from stepconv import nn

    for dtype in ("float32", "float64"):
        x, filters = np.ones((1, 64, 8, 8), dtype), (64, 32, 6)
        for count in filters:
            w = np.ones((count, 64, 3, 3), dtype)
            y = stepconv.correlate(x, w, backend="cuda")
            stepconv.correlate_backward(x, w, y, backend="cuda")
            tell(dtype, count)
        stepconv.correlate(x[0, 0], w[0, 0], backend="cuda")
        tell(dtype, 1)
    trainer = nn.Trainer(nn.build("mlp"), batch_size=8, backend="cuda")
    trainer.step(np.zeros((8, 1, 28, 28), np.uint8), np.zeros(8, int), 0.1)
    tell("float32", 0)


def tell(dtype: str, filters: int) -> None:
    """Write down what was compiled since the last time."""
    for (function, types), ptx in found.items():
        if ptx and ".shared" in ptx and "bar.sync" in ptx:
            loads = Counter(re.findall(r"ld\.(?:shared|local)[.\w]*", ptx))
            facts = {"kernel": function.__name__, "dtype": dtype, "filters": filters}
            print(json.dumps({**facts, "loads": loads, **assembled(ptx)}))
        found[function, types] = ""


def assembled(ptx: str) -> dict[str, int]:
    """Return how many registers a thread has, and how many bytes of them do not fit."""
    from cuda.bindings import nvjitlink

    options = [f"-arch=sm_{CARD[0]}{CARD[1]}", "-Xptxas=-v", "-verbose"]
    linker = nvjitlink.create(len(options), options)
    nvjitlink.add_data(linker, nvjitlink.InputType.PTX, ptx.encode(), len(ptx.encode()), "kernel")
    nvjitlink.complete(linker)
    log = bytearray(nvjitlink.get_info_log_size(linker))
    nvjitlink.get_info_log(linker, log)
    nvjitlink.destroy(linker)
    said = log.decode(errors="replace")
    wanted = {
        "registers": r"Used (\d+) registers",
        "spilled": r"(\d+) bytes spill stores",
        "shared": r"(\d+) bytes smem",
    }
    every = {name: re.findall(pattern, said) for name, pattern in wanted.items()}
    return {name: int(values[-1]) for name, values in every.items() if values}


if __name__ == "__main__":
    tell_of_tiles() if "tiles" in sys.argv else main()
