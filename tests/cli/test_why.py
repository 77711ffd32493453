"""`stepconv why`: the algorithm of a call, its reason and its rates."""

import json
from typing import NamedTuple

import numpy as np
import pytest

from stepconv.cli import main


class Done(NamedTuple):
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str


@pytest.fixture
def stepconv(capsys):
    def run(*words):
        status = main(list(words))
        return Done(status, *capsys.readouterr())

    return run


def test_a_call_is_explained(stepconv):
    done = stepconv("why", "vertical-edge-rgb")
    assert done.status == 0
    assert done.out.startswith("correlate: loops on cpu, 1 thread\n  because  integers are summed")
    assert "1,728 products" in done.out


def test_as_json(stepconv, tmp_path):
    np.save(tmp_path / "x.npy", np.ones((200, 300), np.float32))
    done = stepconv("why", str(tmp_path / "x.npy"), "--kernel", "sobel-x", "--json")
    row = json.loads(done.out)
    assert (row["operation"], row["algorithm"]) == ("correlate", "filter")
    assert row["products"] == 198 * 298 * 9
    assert 0 < row["seconds"] <= row["first_seconds"]
    assert row["share_of_peak"] > 0


def test_calls_after_one_another(stepconv):
    done = stepconv("why", "max-pool-4x4", "--then", "relu", "--json")
    assert [json.loads(line)["operation"] for line in done.out.splitlines()] == ["max_pool", "relu"]


def test_a_recorded_call(stepconv, tmp_path):
    path = str(tmp_path / "edge.trace.npz")
    stepconv("record", "vertical-edge-rgb", "-o", path)
    assert stepconv("why", path).out.startswith("correlate: loops on cpu")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "which call?"),
        (["nothing-of-the-kind"], "is no worked example"),
        (["vertical-edge-rgb", "--algorithm", "magic"], "algorithm='magic' is not known"),
        (["vertical-edge-rgb", "--backend", "tpu"], "backend='tpu' is not known"),
        (["vertical-edge-rgb", "--then", "conv9"], "--then 'conv9'"),
        (["size-10-3-p0-s2"], "is a size"),
    ],
)
def test_bad_input_is_one_line(stepconv, words, told):
    done = stepconv("why", *words)
    assert done.status == 2
    assert told in done.err
    assert done.err.count("\n") == 1
