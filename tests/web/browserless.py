"""A network in WebAssembly and its twin of the same code for this processor, as a process.

    python -m tests.web.browserless FILE NAME…

writes the module and prints a line of JSON for each network and optimiser: whether weights,
statistics and answers have the same bits after steps on ragged batches. Without a name it writes
the relaxed module too. Numba has to be told first what a portable vector is.
"""

from stepconv.kernels.portable import settings

settings.choose()

import ctypes  # noqa: E402
import functools  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, NamedTuple  # noqa: E402

import numpy as np  # noqa: E402
import wasmtime  # noqa: E402

from stepconv import nn  # noqa: E402
from stepconv.kernels.cpu.lanes import rows  # noqa: E402
from stepconv.kernels.portable import library  # noqa: E402
from stepconv.nn.cpu.portable import Arena  # noqa: E402
from stepconv.nn.cpu.program import Program  # noqa: E402
from stepconv.nn.cpu.writer import LaneWeights  # noqa: E402
from stepconv.nn.dropout import step_key  # noqa: E402
from stepconv.train import chance  # noqa: E402
from tests.nn.networks import batch, network, remembered, weights  # noqa: E402

OPTIMIZERS = (nn.SGD(0.9, weight_decay=1e-3), nn.Adam())
# A batch may be of any size; the last has as many images as a vector of 128 bits, twice.
COUNTS = (37, 5, 8)
RATE, SEED, MOST = 0.01, 3, max(COUNTS)


class Compiled(NamedTuple):
    """The module, and the engine that it was compiled by."""

    engine: wasmtime.Engine
    module: wasmtime.Module


@functools.cache
def compiled() -> Compiled:
    engine = wasmtime.Engine()
    return Compiled(engine, wasmtime.Module(engine, library.wasm()))


class Machine:
    """A WebAssembly module with an arena for its memory: what engine.mjs is, in Python."""

    def __init__(self, arena: Arena, room: int) -> None:
        self.store = wasmtime.Store(compiled().engine)
        pages = -(-(arena.size + room) // 65536)
        self.memory = wasmtime.Memory(self.store, wasmtime.MemoryType(wasmtime.Limits(pages, None)))
        limits = wasmtime.Limits(len(arena.table) + 1, None)
        table = wasmtime.Table(
            self.store, wasmtime.TableType(wasmtime.ValType.funcref(), limits), None
        )
        made = wasmtime.Instance(self.store, compiled().module, [self.memory, table])
        self.exports = made.exports(self.store)
        for number, name in enumerate(arena.table, 1):
            table.set(self.store, number, self.exports[name])
        size = self.memory.data_len(self.store)
        pointer = ctypes.cast(self.memory.data_ptr(self.store), ctypes.POINTER(ctypes.c_uint8))
        self.bytes = np.ctypeslib.as_array(pointer, (size,))
        for at, content in arena.image():
            self.put(at, np.frombuffer(content, np.uint8))

    def put(self, at: int, array: Any) -> None:
        self.bytes[at : at + array.nbytes] = np.ascontiguousarray(array).view(np.uint8).reshape(-1)

    def get(self, at: int, like: Any) -> Any:
        return self.bytes[at : at + like.nbytes].view(like.dtype).reshape(like.shape).copy()

    def run(self, places: dict[str, Any], controls: dict[int, int]) -> None:
        count = controls[rows.IMAGES]
        chunks = -(-count // rows.LANES)
        for table, length in places["image_tables"]:
            for row in range(length):
                self.put(table + 32 * row + 8, np.array([chunks * rows.LANES]))
        for stage in range(*places["by_chunks"]):
            self.put(places["stages"] + 24 * stage + 16, np.array([chunks]))
        for name, value in {**controls, rows.CHUNKS: chunks}.items():
            self.put(places["control"] + 8 * name, np.array([value]))
        program = (places[name] for name in ("rows", "width", "stages", "stage_count"))
        self.exports["run"](self.store, *program)


def same(name: str, optimizer: Any) -> dict[str, Any]:
    """Train a network here and there; say what has the same bits."""
    model = network(name)
    values, seen = weights(model), remembered(model)
    x, y = batch(model, MOST)
    twin = nn.Trainer(
        *(model, optimizer),
        batch_size=MOST,
        seed=SEED,
        parameters=values,
        statistics=seen,
        backend="portable",
    )
    for count in COUNTS:
        loss, _ = twin.step(x[:count], y[:count], RATE)

    arena = Arena()
    learnt = LaneWeights(model, values, seen, arena)
    trains = Program(model, learnt, MOST, scale=1 / 255, optimizer=optimizer)
    asks = Program(model, learnt, MOST, scale=1 / 255)
    places, asking = trains.places(), asks.places()
    first = arena.size
    machine = Machine(arena, x.nbytes + y.nbytes)
    machine.exports["order_keys"](machine.store, first, MOST, SEED, 2)
    order = np.argsort(machine.get(first, np.zeros(MOST, np.uint64)))
    assert order.tolist() == chance.shuffled(MOST, SEED, 2).tolist()
    machine.put(first, y)
    machine.put(first + y.nbytes, x)
    control = {rows.LABELS: first, rows.PIXELS: first + y.nbytes, rows.PIXEL_BYTES: 4}
    for step, count in enumerate(COUNTS, 1):
        for place, number in optimizer.numbers(RATE, step).items():
            machine.put(places["numbers"] + 4 * place, np.float32(number))
        key = machine.exports["step_key"](machine.store, SEED, step)
        assert key == step_key(SEED, step)
        machine.run(places, {**control, rows.IMAGES: count, rows.STEP_KEY: key})
    machine.run(asking, {**control, rows.IMAGES: 7, rows.ANSWERS: asking["answers"]})
    found = machine.get(arena.place(learnt.values), learnt.values)
    known = machine.get(arena.place(learnt.remembered), learnt.remembered)
    answers = machine.get(asking["answers"], np.zeros((7, model.classes), np.float32))
    return {
        "network": name,
        "optimizer": optimizer.kind,
        "loss": loss,
        "weights": twin._weights.values.tobytes() == found.tobytes(),
        "statistics": twin._weights.remembered.tobytes() == known.tobytes(),
        "answers": twin.logits(x[:7]).tobytes() == answers.tobytes(),
        "moved": float(np.abs(found - learnt.values).max()),
    }


if __name__ == "__main__":
    file, *names = sys.argv[1:]
    Path(file).write_bytes(library.wasm())
    if not names:
        Path(file).with_suffix(".relaxed").write_bytes(library.wasm(relaxed=True))
    for name in names:
        for optimizer in OPTIMIZERS:
            print(json.dumps(same(name, optimizer)))
