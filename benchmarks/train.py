"""Times trainings beside PyTorch's, each in a process of its own, taking turns; JSON to stdout.

    python -m benchmarks.train                         every cell
    python -m benchmarks.train --net lenet5 --batch 64 --rounds 9
    python -m benchmarks.train --to 0.99               whole processes to that accuracy on MNIST

PyTorch runs eagerly, with the same network, weights' shapes, batch and optimiser, in both layouts;
the faster one counts. Its pictures are float32 tensors made beforehand, ours are the bytes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROOT = Path(__file__).parents[1]
OURS, PEERS = "stepconv", ("torch nchw", "torch channels_last")
NETS = ("lenet5", "mini-vgg", "mini-resnet", "mlp")
BATCHES = (64, 128)
PICTURES = 6000
# A turn lasts so many seconds at least.
TURN = 0.4
RATE = 0.01

Step = Callable[[Any], None]


def main(arguments: list[str] | None = None) -> int:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--net", nargs="*", default=NETS)
    parser.add_argument("--batch", nargs="*", type=int, default=BATCHES)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--to", type=float, help="whole processes to this test accuracy on MNIST")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--worker", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        work(*options.worker, threads=options.threads)
        return 0
    report: dict[str, Any] = {"threads": options.threads, "load": os.getloadavg()[0]}
    if options.to:
        report["whole processes"] = [
            whole(options.to, seed, options.threads) for seed in range(options.seeds)
        ]
    else:
        report["cells"] = [
            cell(net, batch, options) for net in options.net for batch in options.batch
        ]
    print(json.dumps(report, indent=1))
    return 0


def cell(net: str, batch: int, options: argparse.Namespace) -> dict[str, Any]:
    """Return the images a second of each program, and the median ratio of the rounds."""
    names = (OURS, *PEERS)
    team = {
        name: start("--worker", name, net, str(batch), "--threads", str(options.threads))
        for name in names
    }
    rounds = []
    try:
        for process in team.values():
            answer(process)  # ready
        for _ in range(options.rounds):
            speeds = {}
            for name, process in team.items():
                assert process.stdin is not None
                process.stdin.write("go\n")
                process.stdin.flush()
                speeds[name] = float(answer(process))
            rounds.append(speeds)
    finally:
        for process in team.values():
            process.kill()
            process.communicate()
    medians = {name: statistics.median(r[name] for r in rounds) for name in names}
    peer = max(PEERS, key=lambda name: medians[name])
    ratios = sorted(r[OURS] / r[peer] for r in rounds)
    found = {
        "net": net,
        "batch": batch,
        "images_per_second": {name: round(speed) for name, speed in medians.items()},
        "ratio": round(statistics.median(ratios), 2),
        "ratios": [round(ratio, 2) for ratio in ratios],
    }
    print(f"{net} {batch}: {found['ratio']} x {peer}", file=sys.stderr)
    return found


def whole(accuracy: float, seed: int, threads: int) -> dict[str, Any]:
    """Return the seconds from the start of a process to its first epoch that is good enough."""
    import tempfile

    found: dict[str, Any] = {"seed": seed}
    with tempfile.TemporaryDirectory() as folder:
        stepconv = ("train", "lenet5", "--data", "mnist", "--json", "--seed", str(seed))
        commands = {
            OURS: ["-m", "stepconv", *stepconv, "--out", f"{folder}/run"],
            "torch": ["-m", "benchmarks.train", "--worker", "whole", str(seed)],
        }
        for name, command in commands.items():
            limit = ["--threads", str(threads)]
            began = time.perf_counter()
            with python(*command, *limit) as process:
                assert process.stdout is not None
                reached, last = None, 0.0
                for line in process.stdout:
                    last = json.loads(line)["test_accuracy"]
                    if reached is None and last >= accuracy:
                        reached = round(time.perf_counter() - began, 2)
            ended = round(time.perf_counter() - began, 2)
            found[name] = {"reached": reached, "ended": ended, "accuracy": last}
    print(found, file=sys.stderr)
    return found


def work(name: str, *arguments: str, threads: int) -> None:
    """Be one of the programs that are compared."""
    if name == "whole":
        torch_to_the_end(int(arguments[0]), threads)
        return
    net, batch = arguments[0], int(arguments[1])
    step = ours(net, batch, threads) if name == OURS else peer(name, net, batch, threads)
    draw = np.random.default_rng(0)
    batches = [draw.choice(PICTURES, batch, replace=False) for _ in range(50)]
    for rows in batches[:5]:
        step(rows)
    print("ready", flush=True)
    for _ in sys.stdin:
        steps, began = 0, time.perf_counter()
        while time.perf_counter() < began + TURN:
            step(batches[steps % len(batches)])
            steps += 1
        print(steps * batch / (time.perf_counter() - began), flush=True)


def pictures() -> tuple[Any, Any]:
    """Return noise that no program can learn or skip."""
    draw = np.random.default_rng(1)
    return draw.integers(0, 256, (PICTURES, 1, 28, 28), np.uint8), draw.integers(0, 10, PICTURES)


def ours(net: str, batch: int, threads: int) -> Step:
    """Return a step of stepconv's."""
    from stepconv import nn
    from stepconv.kernels.compile import use_threads

    use_threads(threads)
    algorithm = "winograd" if net in ("mini-vgg", "mini-resnet") else "direct"
    trainer = nn.Trainer(nn.build(net), nn.SGD(0.9), batch_size=batch, algorithm=algorithm)
    x, y = pictures()
    return lambda rows: trainer.step(x, y, RATE, rows) and None


def peer(name: str, net: str, batch: int, threads: int) -> Step:
    """Return a step of PyTorch's."""
    import torch

    from stepconv import nn
    from tests.nn.torch_twin import Twin

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    model = nn.build(net)
    module = Twin(model.layers, model.input_shape)
    x, y = pictures()
    images, labels = torch.tensor(x / np.float32(255)), torch.tensor(y)
    if name.endswith("channels_last"):
        module = module.to(memory_format=torch.channels_last)
        images = images.to(memory_format=torch.channels_last)
    optimizer = torch.optim.SGD(module.parameters(), lr=RATE, momentum=0.9)

    def step(rows: Any) -> None:
        chosen = torch.from_numpy(rows)
        optimizer.zero_grad()
        loss = torch.nn.functional.cross_entropy(module(images[chosen]), labels[chosen])
        loss.backward()
        optimizer.step()

    return step


def torch_to_the_end(seed: int, threads: int) -> None:
    """Train PyTorch's LeNet on MNIST by the same recipe; print the accuracy of each epoch."""
    import gzip

    import torch

    from stepconv import nn
    from stepconv.train.recipe import Recipe
    from tests.nn.torch_twin import Twin

    torch.set_num_threads(threads)
    torch.manual_seed(seed)
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


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start one of the programs."""
    return python("-m", "benchmarks.train", *arguments)


def python(*arguments: str) -> subprocess.Popen[str]:
    """Start Python in the root of the repository."""
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def answer(process: subprocess.Popen[str]) -> str:
    """Return the next line that a program says."""
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit("a program ended before it was asked to")
    return line.strip()


if __name__ == "__main__":
    sys.exit(main())
