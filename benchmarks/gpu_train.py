"""Times training steps on a GPU beside PyTorch's on the same card, eager and as a CUDA graph.

Called by benchmarks/gpu.py. Pictures, labels and weights lie on the card. A turn is some steps one
after the other, timed by two events of the card round all of them. Ours are told their pictures by
the host and hand it the losses of all steps at the end of a turn, as `stepconv train` wants them;
PyTorch's find the numbers of their pictures on the card and hand nothing back.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.asked import mark
from stepconv import nn
from stepconv.errors import StepconvError

Row = dict[str, Any]
Steps = Callable[[range], Any]
Timed = Callable[[Callable[[], Any], Any], float]

NETS, BATCHES = ("lenet5", "mini-vgg"), (64, 128, 1024)
PEERS = ("eager", "graph")
# Times of their speed that are asked for.
ASKED = {"lenet5": {"eager": 2.0, "graph": 1.0}, "mini-vgg": {"eager": None, "graph": None}}
HEAD = ("training", "stepconv", "PyTorch eager", "ratio", "asked", "as a graph", "ratio", "asked")

_PICTURES, _STEPS, _TURNS = 8192, 20, 15
_RATE, _MOMENTUM = 0.01, 0.9


@dataclass(frozen=True)
class Training:
    """A network and the pictures of a step."""

    net: str
    batch: int

    @property
    def name(self) -> str:
        """What it is called on the command line."""
        return f"train-{self.net}-{self.batch}"

    @property
    def work(self) -> str:
        """What it is."""
        return f"{self.net}, batches of {self.batch}"


def trainings() -> list[Training]:
    """Return what is measured."""
    return [Training(net, batch) for net in NETS for batch in BATCHES]


def measure(training: Training, torch: Any, timed: Timed) -> Row:
    """Return images a second of everybody, by the medians of all turns."""
    torch.set_grad_enabled(True)  # which the operations' cells go without
    draw = np.random.default_rng(0)
    pictures = draw.integers(0, 256, (_PICTURES, 1, 28, 28)).astype(np.uint8)
    labels = draw.integers(0, 10, _PICTURES)
    orders = [draw.choice(_PICTURES, training.batch, replace=False) for _ in range(_STEPS)]
    team = {"stepconv": ours(training, pictures, labels, orders)}
    for layout in ("NCHW", "channels_last"):
        eager = Peer(torch, training, pictures, labels, orders, layout)
        team[f"eager {layout}"] = eager.steps
        team[f"graph {layout}"] = Peer(torch, training, pictures, labels, orders, layout).as_graph()
    first, turn = range(1), range(_STEPS)
    losses = {name: float(run(first)) for name, run in team.items() if not name.startswith("graph")}
    if max(losses.values()) > 1.001 * min(losses.values()):
        raise StepconvError(f"{training.name}: the losses of the first step differ: {losses}")
    times: dict[str, list[float]] = {name: [] for name in team}
    for number in range(_TURNS + 1):
        for name, run in team.items():
            taken = timed(lambda run=run: run(turn), torch)  # type: ignore[misc]
            if number:  # the first turn compiles, captures and searches
                times[name].append(taken)
    speeds = {
        name: _STEPS * training.batch / statistics.median(taken) for name, taken in times.items()
    }
    return {"name": training.name, "net": training.net, "work": training.work, "speeds": speeds}


def ours(training: Training, pictures: Any, labels: Any, orders: list[Any]) -> Steps:
    """Return stepconv's steps, which return the loss of the last."""
    trainer = nn.Trainer(
        nn.build(training.net), nn.SGD(_MOMENTUM), batch_size=training.batch, backend="cuda"
    )
    held = trainer.bring(pictures, labels)
    return lambda numbers: trainer.learn(*held, [(_RATE, orders[n]) for n in numbers])[-1][0]


class Peer:
    """The same network with the same weights in PyTorch."""

    def __init__(
        self,
        torch: Any,
        training: Training,
        pictures: Any,
        labels: Any,
        orders: list[Any],
        layout: str,
    ) -> None:
        from tests.nn.torch_twin import twin

        self.torch = torch
        model = nn.build(training.net)
        made = twin(model, nn.initial_parameters(model, 0), {}, torch.float32).cuda()
        images = torch.tensor(pictures / np.float32(255)).cuda()
        if layout == "channels_last":
            made = made.to(memory_format=torch.channels_last)
            images = images.to(memory_format=torch.channels_last)
        self.module, self.images, self.labels = made, images, torch.tensor(labels).cuda()
        self.orders = [torch.tensor(order).cuda() for order in orders]
        self.optimizer = torch.optim.SGD(made.parameters(), lr=_RATE, momentum=_MOMENTUM)

    def learn(self, rows: Any) -> Any:
        """Go forward, back, and update."""
        self.optimizer.zero_grad()
        answers = self.module(self.images[rows])
        loss = self.torch.nn.functional.cross_entropy(answers, self.labels[rows])
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def steps(self, numbers: range) -> Any:
        """Learn from batches, kernel by kernel; return the loss of the last."""
        return [self.learn(self.orders[number]) for number in numbers][-1]

    def as_graph(self) -> Steps:
        """Return steps of which each is captured and started as one."""
        torch, rows = self.torch, self.orders[0].clone()
        aside = torch.cuda.Stream()  # what PyTorch asks for before a capture
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(3):
                self.learn(rows)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self.learn(rows)

        def steps(numbers: range) -> None:
            for number in numbers:
                rows.copy_(self.orders[number])
                graph.replay()

        return steps


def line(row: Row) -> tuple[str, ...]:
    """Return a row of the table."""
    ours, parts = row["speeds"]["stepconv"], []
    for peer in PEERS:
        best = max(speed for name, speed in row["speeds"].items() if name.startswith(peer))
        goal, ratio = ASKED[row["net"]][peer], ours / best
        verdict = mark(goal, goal is not None and ratio >= goal)
        parts += [f"{best:,.0f}/s", f"{ratio:.2f}", verdict]
    return row["work"], f"{ours:,.0f} images/s", *parts
