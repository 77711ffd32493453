"""A file that says what to try: any option of a training, any field of a network.

    model = "lenet5"                    # of the zoo, or a .toml file beside this one

    [train]                             # for all of them, as options of `stepconv train`
    data = "digits"
    epochs = 2

    [vary]                              # every combination
    limit = [100, 400, 1600]
    augment = [false, true]
    "layers.0.out_channels" = [4, 8]
    seed = [0, 1, 2]

With `kind = "random"` and `samples = 20`, [vary] may also say `lr = {low = 0.001, high = 0.1, log =
true}`; with `kind = "list"` tables [[run]] say each training by itself.
"""

import hashlib
import itertools
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from stepconv import nn
from stepconv.errors import ArgumentError, closest
from stepconv.files import check_plain
from stepconv.train import recipe
from stepconv.train.data.own import paths_of
from stepconv.train.data.sets import FORMS, is_own
from stepconv.train.recipe import Recipe

KINDS = ("grid", "list", "random")
# Experiments that are here, to be tried at once; lessons speak of them.
SHIPPED = {"pictures": Path(__file__).with_name("pictures.toml")}
# More trainings than these were not meant.
MOST = 10_000
_KEYS = ("model", "kind", "samples", "draw", "train", "vary", "run")
# A folder's name may be so long; a longer one is told by its hash.
_LONGEST = 120


@dataclass(frozen=True)
class Training:
    """One training: its network, its recipe, and what it is called.

    `edits` are fields of the network's description by their paths; `chosen` says which choices were
    made, for the others follow from the data. `varied` is what tells it from the others.
    """

    name: str
    model: str
    description: dict[str, Any] | None
    edits: tuple[tuple[str, Any], ...]
    recipe: Recipe
    chosen: tuple[str, ...]
    varied: tuple[tuple[str, Any], ...]


def found(path: Path) -> Path:
    """Return the file that is meant: one that is here by its name alone, if no other has it."""
    name = str(path)
    if path.exists() or path.suffix or name in SHIPPED:
        return path if path.exists() else SHIPPED.get(name, path)
    raise ArgumentError(f"{name} is no file: {closest(name, SHIPPED, 'FILE.toml or pictures fit')}")


def read(path: Path) -> list[Training]:
    """Return the trainings that a file asks for; an error names the key and what would fit."""
    check_plain(path)
    try:
        found = tomllib.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ArgumentError(f"{path} is not TOML: {error}") from None
    try:
        return _trainings(found, path.parent)
    except ArgumentError as error:
        raise ArgumentError(f"{path}: {error}") from None


def _trainings(found: dict[str, Any], beside: Path) -> list[Training]:
    for key in found:
        if key not in _KEYS:
            hint = closest(key, _KEYS, f"{', '.join(_KEYS)} fit")
            raise ArgumentError(f"{key} is not known: {hint}")
    kind = found.get("kind", "list" if "run" in found else "grid")
    if kind not in KINDS:
        raise ArgumentError(f"kind={kind!r} is not known: {', '.join(KINDS)} fit")
    if kind != "random" and {"samples", "draw"} & {*found}:
        raise ArgumentError('samples and draw are of kind = "random"')
    if ("run" in found) != (kind == "list"):
        raise ArgumentError('tables [[run]] and kind = "list" belong together')
    fixed = _table(found, "train")
    if kind == "list":
        every = [_plain(run, "run") for run in found["run"]]
    elif kind == "random":
        every = list(_drawn(_table(found, "vary"), found))
    else:
        every = list(_combined(_table(found, "vary")))
    if len(every) > MOST:
        raise ArgumentError(f"{len(every):,} trainings are too many: at most {MOST:,} fit")
    model = found.get("model", "lenet5")
    made = [_training(str(model), fixed, each, beside) for each in every]
    names = [each.name for each in made]
    if twice := [name for name in names if names.count(name) > 1]:
        raise ArgumentError(f"two trainings are both {twice[0]}")
    return made


def _table(found: Mapping[str, Any], key: str) -> dict[str, Any]:
    return _plain(found.get(key, {}), key)


def _plain(table: Any, key: str) -> dict[str, Any]:
    if not isinstance(table, dict):
        raise ArgumentError(f"{key}={table!r} is no table: [{key}] and lines fit")
    return table


def _combined(vary: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield every combination, the last key going fastest."""
    for key, values in vary.items():
        if not isinstance(values, list) or not values:
            raise ArgumentError(f"vary.{key}={values!r} is no list of values")
    count = int(np.prod([len(values) for values in vary.values()], dtype=object))
    if count > MOST:
        raise ArgumentError(f"{count:,} combinations are too many: at most {MOST:,} fit")
    for values in itertools.product(*vary.values()):
        yield dict(zip(vary, values, strict=True))


def _drawn(vary: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield so many draws: one of a list, or a number between two."""
    samples, seed = found.get("samples", 10), found.get("draw", 0)
    recipe.at_least("samples", samples, 1)
    recipe.at_least("draw", seed, 0)
    if samples > MOST:
        raise ArgumentError(f"samples={samples:,} are too many: at most {MOST:,} fit")
    random = np.random.default_rng(seed)
    for _ in range(samples):
        yield {key: _draw(random, key, told) for key, told in vary.items()}


def _draw(random: np.random.Generator, key: str, told: Any) -> Any:
    if isinstance(told, list) and told:
        return told[int(random.integers(len(told)))]
    if isinstance(told, dict) and {"low", "high"} <= {*told} <= {"low", "high", "log"}:
        low, high, log = told["low"], told["high"], told.get("log", False)
        numbers = all(
            isinstance(end, int | float) and not isinstance(end, bool) for end in (low, high)
        )
        if numbers and low < high and (low > 0 or not log):
            if isinstance(low, int) and isinstance(high, int) and not log:
                return int(random.integers(low, high + 1))
            drawn = (
                np.exp(random.uniform(np.log(low), np.log(high)))
                if log
                else random.uniform(low, high)
            )
            return float(f"{drawn:.3g}")
    raise ArgumentError(
        f"vary.{key}={told!r} is no list of values and no range: "
        f"{{low = 0.001, high = 0.1, log = true}} fits"
    )


def _training(
    model: str, fixed: Mapping[str, Any], varied: Mapping[str, Any], beside: Path
) -> Training:
    """Return one training with all that it varies."""
    choices = {**fixed, **varied}
    edits = tuple((key, choices.pop(key)) for key in list(choices) if "." in key)
    name = str(choices.pop("model", model))
    if is_own(str(choices.get("data", "digits"))):
        paths = paths_of(str(choices["data"])) or paths_of(str(beside / str(choices["data"])))
        if not paths:
            fit = f"{', '.join(FORMS)}, a folder, an .npz or a .csv fit"
            raise ArgumentError(f"data={choices['data']!r} is not there: {fit}")
        choices["data"] = os.pathsep.join(str(path.resolve()) for path in paths)
    if "start" in choices:
        choices["start"] = str((beside / str(choices["start"])).absolute())
    description = None
    if name.endswith(".toml"):
        text = (beside / name).read_text("utf-8")
        description = nn.to_dict(nn.from_toml(text, name))
    elif name not in nn.ZOO:
        hint = closest(name, nn.ZOO, f"{', '.join(nn.ZOO)} or a .toml file fit")
        raise ArgumentError(f"model={name!r} is not known: {hint}")
    if edits:
        edited(description or nn.to_dict(nn.build(name)), edits)  # refuses what is not there
    how = recipe.from_choices(choices)
    return Training(
        named(varied), name, description, edits, how, tuple(choices), tuple(varied.items())
    )


def edited(description: dict[str, Any], edits: tuple[tuple[str, Any], ...]) -> dict[str, Any]:
    """Return a network's description with some of its fields written otherwise."""
    made: dict[str, Any] = {**description, "layers": _copied(description["layers"])}
    for path, value in edits:
        *way, last = path.split(".")
        at: Any = made
        for step in way:
            at = _inside(at, step, path)
        if isinstance(at, list) or last not in at:
            known = ", ".join(at) if isinstance(at, dict) else "numbers of layers"
            raise ArgumentError(f"{path}: the network has no such field, but {known}")
        at[last] = value
    return made


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(each) for key, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value


def _inside(at: Any, step: str, path: str) -> Any:
    try:
        return at[int(step)] if isinstance(at, list) else at[step]
    except (KeyError, IndexError, ValueError, TypeError):
        known = f"0 to {len(at) - 1}" if isinstance(at, list) else ", ".join(at)
        raise ArgumentError(f"{path}: there is no {step!r}, but {known}") from None


def named(varied: Mapping[str, Any]) -> str:
    """Return the name of a folder for a training.

    >>> named({"limit": 100, "augment": True, "seed": 0})
    'limit=100,augment=true,seed=0'
    """
    told = ",".join(f"{key}={_word(value)}" for key, value in varied.items()) or "run"
    plain = re.sub(r"[^\w=,.+-]+", "_", told)
    if len(plain) <= _LONGEST and plain == told:
        return plain
    return f"{plain[: _LONGEST - 9]}-{hashlib.sha256(told.encode()).hexdigest()[:8]}"


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
