"""Files from strangers without end: traces, checkpoints, networks in TOML, weights and graphs.

    .venv/bin/python -m tests.faults.fuzz --minutes 30 --seed 1

What is right is changed at random, signed again so that the lie is not found by its hash, and read.
A StepconvError or a result is an answer; anything else, or more than some seconds, is a finding,
which is kept in a folder. What was found once lies in `corpus`, where a quick test reads it.
"""

import argparse
import hashlib
import io
import json
import random
import signal
import sys
import tempfile
import time
import tomllib
import traceback
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import stepconv
from stepconv.cli.reading import array_files
from stepconv.errors import StepconvError
from stepconv.nn import ZOO, build, checkpoint, from_toml, to_dict, to_toml
from stepconv.nn.layers import Dense, Flatten
from stepconv.nn.model import Model, initial_parameters, initial_statistics
from stepconv.train import recipe, runs
from tests.faults import published
from tests.faults.changes import changed, damaged

CORPUS = Path(__file__).parent / "corpus"
SECONDS = 20


# Traces.


def traces(folder: Path) -> list[bytes]:
    """Return the files of a few small calls, of each kind of operation one."""
    x, image = [1.0, -2.0, 3.0, 0.5], np.arange(12.0).reshape(3, 4)
    record = stepconv.record
    made = [
        record(stepconv.correlate, image, [[1.0, 2.0]], padding=1, stride=2),
        record(stepconv.correlate_transpose, x, [1.0, 2.0], stride=2),
        record(stepconv.max_pool, image, 2),
        record(stepconv.avg_pool, image > 4, 2, padding=1),
        record(stepconv.pad, np.array(x) > 0, 2, mode="reflect"),
        record(stepconv.relu, x),
        record(stepconv.softmax, x),
        record(stepconv.max_pool_backward, x, [1.0, 2.0], 2),
        record(stepconv.pad_backward, [1.0] * 8, (4,), 2, mode="circular"),
        record([(stepconv.relu, {}), (stepconv.max_pool, {"window": 2})], x),
    ]
    contents = []
    for number, one in enumerate(made):
        one.save(folder / f"{number}.npz")
        contents.append((folder / f"{number}.npz").read_bytes())
    return contents


def another_trace(chance: random.Random, content: bytes) -> bytes:
    """Return a trace whose header, or whose arrays, say something else; all hashes are right."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        arrays = {
            name: np.load(io.BytesIO(archive.read(name)), allow_pickle=False)
            for name in archive.namelist()
        }
    header = json.loads(arrays.pop("header.npy").tobytes())
    members = header.pop("members")
    names = list(arrays)
    for name in names:
        if chance.random() < 0.2:
            arrays[name] = _another_array(chance, arrays[name])
    header = {**changed(chance, header), "members": members}
    for name, array in arrays.items():
        members[name.removesuffix(".npy")] = {
            "dtype": array.dtype.str,
            "shape": list(array.shape),
            "sha256": hashlib.sha256(array.tobytes()).hexdigest(),
        }
    if chance.random() < 0.2:
        header["members"] = changed(chance, members)
    file = io.BytesIO()
    text = np.frombuffer(json.dumps(header).encode(), np.uint8)
    with zipfile.ZipFile(file, "w") as archive:
        for name, array in {"header.npy": text, **arrays}.items():
            member = io.BytesIO()
            np.save(member, array, allow_pickle=False)
            archive.writestr(name, _another_npy(chance, member.getvalue()))
    return file.getvalue()


def _another_array(chance: random.Random, array: Any) -> Any:
    match chance.randrange(5):
        case 0:
            return array.astype(chance.choice(("f4", "f8", "i8", "u1", "?", "f2", "i4")))
        case 1:
            return np.zeros(chance.choice(((0,), (2, 0), (2**40, 0), (1,) * 8, ())), array.dtype)
        case 2:
            return array[..., np.newaxis]
        case 3:
            return np.concatenate([array.ravel(), array.ravel()])
        case _:
            with np.errstate(all="ignore"):
                return (array.astype(float) * chance.choice((np.nan, np.inf, -1, 1e300))).astype(
                    array.dtype
                )


def _another_npy(chance: random.Random, content: bytes) -> bytes:
    if chance.random() > 0.05:
        return content
    end = content.index(b"\n")
    return damaged(chance, content[10:end]).join((content[:10], content[end:]))


def read_trace(content: bytes, folder: Path) -> None:
    """Read a trace, and look at its first and last step as somebody who plays it."""
    path = folder / "stranger.npz"
    path.write_bytes(content)
    from stepconv.trace.file.chain import load

    read = load(path)
    for trace in getattr(read, "links", None) or [read]:
        trace = getattr(trace, "trace", trace)
        for number in {0, len(trace) - 1} if len(trace) else ():
            trace[number].in_words()


# Checkpoints.


def checkpoints(_folder: Path) -> list[bytes]:
    """Return a network and a state."""
    model = Model("n", (1, 4, 4), (Flatten(), Dense(2)), 2)
    arrays = {**initial_parameters(model, 0), **initial_statistics(model)}
    network = {"model": to_dict(model), "classes": ["a", "b"], "scale": 0.1, "form": "digit"}
    position = {"epoch": 1, "images": 0, "loss": 0.5, "correct": 0, "history": [_EPOCH]}
    state = {
        "model": to_dict(build("mini-resnet")),
        "recipe": recipe.Recipe().to_dict(),
        "fingerprint": "x",
        "feed": {"scale": 0.1, "shift": 0.0, "form": "digit", "of_bytes": True},
        "position": position,
    }
    return [_signed("network", network, arrays), _signed("state", state, {})]


_EPOCH = {
    "epoch": 1,
    "train_loss": 0.1,
    "train_accuracy": 0.9,
    "test_accuracy": None,
    "images_per_second": 9.0,
    "seconds": 1.0,
}


def _signed(kind: str, about: dict[str, Any], arrays: Any) -> bytes:
    told = {key: json.dumps(value) for key, value in about.items()}
    return b"".join(
        checkpoint._encoded(arrays, {"format": checkpoint.FORMAT, "kind": kind, **told})
    )


def another_checkpoint(chance: random.Random, content: bytes) -> bytes:
    """Return a checkpoint that says something else, signed."""
    if chance.random() < 0.2:
        return _another_header(chance, content)
    arrays, metadata = checkpoint._decode(content)
    about = {
        key: json.loads(text)
        for key, text in metadata.items()
        if key not in ("format", "kind", "sha256")
    }
    return _signed(metadata["kind"], changed(chance, about), arrays)


def _another_header(chance: random.Random, content: bytes) -> bytes:
    length = int.from_bytes(content[:8], "little")
    header = changed(chance, json.loads(content[8 : 8 + length]))
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + content[8 + length :]


def read_checkpoint(content: bytes, folder: Path) -> None:
    """Read a file as a network that is asked, and as a state that is taken up."""
    (folder / runs.STATE).write_bytes(content)
    try:
        network = checkpoint.load_network(folder / runs.STATE)
    except StepconvError:
        stored = runs.Stored.read(folder)
        stored.check(folder, None, {})
        stored.recipe.make_optimizer()
        stored.recipe.rates(100)
    else:
        runs.Feed.told(network.about)


# Networks in TOML, and arrays.


def tomls(_folder: Path) -> list[bytes]:
    """Return the networks of the zoo."""
    return [to_toml(build(name)).encode() for name in ZOO]


def another_toml(chance: random.Random, content: bytes) -> bytes:
    """Return a TOML file with other values, or with other bytes."""
    if chance.random() < 0.4:
        return damaged(chance, content)
    return _toml(changed(chance, tomllib.loads(content.decode()))).encode()


def _toml(table: Any) -> str:
    rows = table.items() if isinstance(table, dict) else {"layers": table}.items()
    return "".join(f"{json.dumps(str(key))} = {_value(value)}\n" for key, value in rows)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return (
            "{" + ", ".join(f"{json.dumps(str(k))} = {_value(v)}" for k, v in value.items()) + "}"
        )
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if value is None:
        return "nan"
    text = json.dumps(value)
    return {"NaN": "nan", "Infinity": "inf"}.get(text, text)


def read_toml(content: bytes, folder: Path) -> None:
    """Read a network, and count what it holds."""
    path = folder / "stranger.toml"
    path.write_bytes(content)
    try:
        model = from_toml(content.decode())
    except UnicodeDecodeError:
        return
    to_toml(model)
    _ = model.parameter_count, model.multiplications


def arrays(_folder: Path) -> list[bytes]:
    """Return a few .npy files."""
    contents = []
    for array in (np.arange(6.0), np.ones((2, 3), np.uint8), np.zeros((2, 2), bool, order="F")):
        file = io.BytesIO()
        np.save(file, array, allow_pickle=False)
        contents.append(file.getvalue())
    return contents


def another_array(chance: random.Random, content: bytes) -> bytes:
    """Return an array whose header is damaged."""
    end = content.index(b"\n")
    return content[:10] + damaged(chance, content[10:end]) + content[end:]


def read_array(content: bytes, folder: Path) -> None:
    """Read an array file as the command line does."""
    path = folder / "stranger.npy"
    path.write_bytes(content)
    array_files.read(path)


KINDS: dict[str, tuple[Callable[..., Any], Callable[..., bytes], Callable[..., None]]] = {
    "trace": (traces, another_trace, read_trace),
    "checkpoint": (checkpoints, another_checkpoint, read_checkpoint),
    "toml": (tomls, another_toml, read_toml),
    "npy": (arrays, another_array, read_array),
    **published.KINDS,
}


class TooLong(BaseException):
    """A file was not read in the seconds that it may take."""


def trouble(kind: str, content: bytes, folder: Path) -> str:
    """Return what is wrong with how a file was read; nothing if it was read or refused."""

    def ring(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(SECONDS)
    try:
        KINDS[kind][2](content, folder)
    except StepconvError as error:
        return "" if str(error).isprintable() or "\n" not in str(error) else "several lines"
    except TooLong:
        return f"no end in {SECONDS} s\n{traceback.format_exc()}"
    except Exception:
        return traceback.format_exc()
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    return ""


def run(seed: int, seconds: float, most: int = 10**9, keep: Path | None = None) -> dict[str, int]:
    """Read changed files for so long; return how many of each kind, and how many findings."""
    chance, count, found = random.Random(seed), dict.fromkeys(KINDS, 0), set[str]()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        right = {kind: parts[0](folder) for kind, parts in KINDS.items()}
        until = time.monotonic() + seconds
        while time.monotonic() < until and sum(count.values()) < most:
            kind = chance.choice(list(KINDS))
            content = KINDS[kind][1](chance, chance.choice(right[kind]))
            said = trouble(kind, content, folder)
            count[kind] += 1
            where = "\n".join(said.splitlines()[-3:])
            if said and where not in found:
                found.add(where)
                print(f"{kind}, case {count[kind]} of seed {seed}:\n{said}", flush=True)
                if keep is not None:
                    keep.mkdir(parents=True, exist_ok=True)
                    digest = hashlib.sha256(content).hexdigest()[:12]
                    (keep / f"{kind}-{digest}.bin").write_bytes(content)
    return {**count, "found": len(found)}


def main() -> None:
    """Run for the minutes that are asked for; the status says whether anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=None, help="A folder for what is found.")
    asked = parser.parse_args()
    told = run(asked.seed, 60 * asked.minutes, keep=asked.keep)
    print(json.dumps({"seed": asked.seed, **told}))
    sys.exit(bool(told["found"]))


if __name__ == "__main__":
    main()
