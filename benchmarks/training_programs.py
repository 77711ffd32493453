"""The programs that `python -m benchmarks.train` compares, each in a process of its own.

    python -m benchmarks.training_programs steps "torch nchw" 2 '{"net": "lenet5", …}'

A program that takes turns says "ready" and then, for each line that it reads, how many images a
second it made. The others print one line of JSON, or one for each epoch.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# A turn lasts so many seconds at least.
TURN = 0.4
PICTURES = 6000
RATE = 0.01

Turn = Callable[[int], object]  # does batch number i


def steps(name: str, threads: str, cell: str) -> None:
    """Take turns: learn from one batch after the other, or answer it."""
    options = json.loads(cell)
    batch = options["batch"]
    turn = (_ours if name == "stepconv" else _torch)(name, int(threads), **options)
    for i in range(5):
        turn(i)
    print("ready", flush=True)
    for _ in sys.stdin:
        done, began = 0, time.perf_counter()
        while time.perf_counter() < began + TURN:
            turn(done)
            done += 1
        print(done * batch / (time.perf_counter() - began), flush=True)


def _ours(name: str, threads: int, task: str, net: str, batch: int, algorithm: str) -> Turn:
    from stepconv import nn
    from stepconv.kernels.compile import use_threads

    use_threads(threads)
    model, (x, y) = nn.build(net), _noise()
    if task == "evaluation":
        parameters, statistics = nn.initial_parameters(model, 0), nn.initial_statistics(model)
        predictor = nn.Predictor(model, parameters, statistics, batch_size=min(batch, 64))
        parts = _parts(batch)
        return lambda i: predictor.logits(x[parts[i % len(parts)]])
    trainer = nn.Trainer(model, nn.SGD(0.9), batch_size=batch, algorithm=algorithm)
    rows = _rows(batch)
    return lambda i: trainer.step(x, y, RATE, rows[i % len(rows)])


def _torch(name: str, threads: int, task: str, net: str, batch: int, algorithm: str) -> Turn:
    import torch

    module, images, labels = _torch_twin(net, name, threads)
    if task == "evaluation":
        module.eval()
        parts = _parts(batch)

        def answer(i: int) -> None:
            with torch.inference_mode():
                module(images[parts[i % len(parts)]])

        return answer
    rows = [torch.from_numpy(chosen) for chosen in _rows(batch)]
    optimizer = torch.optim.SGD(module.parameters(), lr=RATE, momentum=0.9)

    def step(i: int) -> None:
        chosen = rows[i % len(rows)]
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(images[chosen]), labels[chosen]).backward()
        optimizer.step()

    return step


def _torch_twin(net: str, name: str, threads: int) -> tuple[Any, Any, Any]:
    """Return PyTorch's network, and pictures that lie as it wants them."""
    import torch

    from stepconv import nn
    from tests.nn.torch_twin import Twin

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model, (x, y) = nn.build(net), _noise()
    module, images = Twin(model.layers, model.input_shape), torch.tensor(x / np.float32(255))
    if name.endswith("channels_last"):
        module = module.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    return module, images, torch.tensor(y)


def _noise() -> tuple[Any, Any]:
    """Return pictures that no program can learn or skip."""
    draw = np.random.default_rng(1)
    return draw.integers(0, 256, (PICTURES, 1, 28, 28), np.uint8), draw.integers(0, 10, PICTURES)


def _rows(batch: int) -> list[Any]:
    """Return the rows of some batches, as a training shuffles them."""
    draw = np.random.default_rng(0)
    return [draw.choice(PICTURES, batch, replace=False) for _ in range(50)]


def _parts(batch: int) -> list[slice]:
    """Return the rows of some batches, as they lie."""
    return [slice(start, start + batch) for start in range(0, PICTURES - batch, batch)][:50]


def layer(name: str, threads: str) -> None:
    """Take turns: call a 3x3 layer from 32 to 64 channels; say the seconds of each call."""
    draw = np.random.default_rng(0)
    x, w = draw.random((16, 32, 28, 28), np.float32), draw.random((64, 32, 3, 3), np.float32)
    call = (_our_layer if name == "stepconv" else _torch_layer)(x, w, int(threads))
    for _ in range(5):
        call()
    print("ready", flush=True)
    for _ in sys.stdin:
        seconds, end = [], time.perf_counter() + TURN
        while (began := time.perf_counter()) < end:
            call()
            seconds.append(time.perf_counter() - began)
        print(*seconds, sep=", ", flush=True)


def _our_layer(x: Any, w: Any, threads: int) -> Callable[[], object]:
    import stepconv
    from stepconv.kernels.compile import use_threads

    use_threads(threads)
    return lambda: stepconv.correlate(x, w, padding=1)


def _torch_layer(x: Any, w: Any, threads: int) -> Callable[[], object]:
    import torch

    torch.set_num_threads(threads)
    given = torch.from_numpy(x), torch.from_numpy(w)

    def call() -> None:
        with torch.inference_mode():
            torch.nn.functional.conv2d(*given, padding=1)

    return call


def first_step(threads: str) -> None:
    """Do what `stepconv train lenet5 --data mnist` does until its first step, and stop there."""
    import stepconv.cli.commands.train  # noqa: F401  what the command imports counts
    from stepconv import nn
    from stepconv.kernels.compile import use_threads
    from stepconv.train import data, events
    from stepconv.train.recipe import Recipe
    from stepconv.train.runs import Run

    use_threads(int(threads))
    model, how = nn.build("lenet5"), Recipe(data="mnist")
    with tempfile.TemporaryDirectory() as folder:
        run = Run.new(Path(folder, "run"), model, data.load("mnist"), how)
        any(isinstance(event, events.Stepped) for event in run.events())
    print(json.dumps({"cpu": time.process_time()}), flush=True)


def memory(threads: str, net: str) -> None:
    """Train for some hundred steps; print the bytes beyond those of Numba and the data."""
    import numba

    from stepconv import nn
    from stepconv.kernels.compile import use_threads
    from stepconv.train import data, loop, runs
    from stepconv.train.recipe import Recipe

    numba.njit(lambda a: a + 1)(1.0)  # now Numba and LLVM are there in full
    use_threads(int(threads))
    found, how = data.load("mnist", limit=20_000), Recipe(data="mnist", epochs=1)
    Path("/proc/self/clear_refs").write_text("5")  # the worst moment is looked for from here on
    before = _status("VmRSS")
    trainer = nn.Trainer(nn.build(net), how.make_optimizer(), scale=runs.scale(found))
    for _ in loop.train(trainer, found, how):
        pass
    print(json.dumps({"net": net, "bytes": _status("VmHWM") - before}), flush=True)


def to_the_end(threads: str, seed: str) -> None:
    """Train PyTorch's lenet5 on MNIST by our recipe; print the accuracy after each epoch."""
    import gzip

    import torch

    from stepconv import nn
    from stepconv.train.recipe import Recipe
    from tests.nn.torch_twin import Twin

    torch.set_num_threads(int(threads))
    torch.manual_seed(int(seed))
    folder = Path(os.environ["STEPCONV_DATA"], "mnist")

    def read(name: str, skip: int) -> Any:
        return np.frombuffer(gzip.decompress((folder / name).read_bytes()), np.uint8, offset=skip)

    sets = []
    for part in ("train", "t10k"):
        x = read(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 1, 28, 28)
        y = read(f"{part}-labels-idx1-ubyte.gz", 8).astype(np.int64)
        sets.append((torch.tensor(x / np.float32(78.6)), torch.tensor(y)))
    (images, labels), (test_images, test_labels) = sets
    how, model = Recipe(), nn.build("lenet5")
    module = Twin(model.layers, model.input_shape)
    for parameter in module.parameters():
        if parameter.ndim > 1:
            torch.nn.init.kaiming_normal_(parameter)
    optimizer = torch.optim.SGD(
        module.parameters(), lr=1.0, momentum=0.9, weight_decay=how.weight_decay
    )
    step, size = 0, how.batch_size
    rates = how.rates(-(-len(images) // size) * how.epochs)
    for _ in range(how.epochs):
        for rows in torch.randperm(len(images)).split(size):
            for group in optimizer.param_groups:
                group["lr"] = rates(step)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(module(images[rows]), labels[rows]).backward()
            optimizer.step()
            step += 1
        with torch.no_grad():
            told = torch.cat([module(some).argmax(1) for some in test_images.split(256)])
        right = (told == test_labels).float().mean().item()
        print(json.dumps({"test_accuracy": right}), flush=True)


def _status(name: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {name}")


PROGRAMS = {
    "steps": steps,
    "layer": layer,
    "first-step": first_step,
    "memory": memory,
    "to-the-end": to_the_end,
}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](*sys.argv[2:])
