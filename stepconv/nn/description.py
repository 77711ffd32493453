"""A network in a TOML file: written so that one reads it at a glance, read with clear errors.

name = "mine"
input = [1, 28, 28]
classes = 10
layers = [
    { layer = "conv", out_channels = 8, window = 3, padding = 1 },
    { layer = "relu" },
    { layer = "global-avg-pool" },
    { layer = "dense", out_features = 10 },
]
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from stepconv.errors import ArgumentError, StepconvError, closest
from stepconv.files import check_plain
from stepconv.nn.layers import LAYERS, Layer
from stepconv.nn.model import Model
from stepconv.nn.published import fixed  # noqa: F401  # its layers have names, too

_KEYS = ("name", "about", "input", "classes", "layers", "training")
_NEEDED = ("name", "input", "classes", "layers")
_STACKS = ("body", "shortcut")  # options that hold layers themselves; `branches` holds stacks


def to_dict(model: Model) -> dict[str, Any]:
    """Return a model as plain strings, numbers and lists: what stands in its file."""
    about = {"about": model.about} if model.about else {}
    return {
        "name": model.name,
        **about,
        "input": list(model.input_shape),
        "classes": model.classes,
        "layers": [_layer_to_dict(layer) for layer in model.layers],
    }


def from_dict(description: Any) -> Model:
    """Return the model that a description says; an error names the layer, the key and the value.

    What a table `training` holds is for whoever trains it.
    """
    if not isinstance(description, dict):
        raise ArgumentError(f"{_shown(description)} describes no network: a table of keys fits")
    _check_keys("the network", description, _KEYS, _NEEDED)
    return Model(
        description["name"],
        description["input"],
        _stack("layers", description["layers"]),
        description["classes"],
        description.get("about", ""),
    )


def to_toml(model: Model) -> str:
    """Return a model as the text of a TOML file."""
    lines = []
    for key, value in to_dict(model).items():
        lines.append(f"{key} = {_stack_text(value, '') if key == 'layers' else _text(value)}")
    return "\n".join(lines) + "\n"


def from_toml(text: str, source: str = "the text") -> Model:
    """Return the model that the text of a TOML file describes; errors begin with the source."""
    try:
        return from_dict(tomllib.loads(text))
    except StepconvError as error:
        raise ArgumentError(f"{source}: {error}") from None
    except RecursionError:
        raise ArgumentError(
            f"{source} is nested too deep: layers in layers in layers fit"
        ) from None
    except ValueError as error:  # what is no TOML, or a number of thousands of digits
        raise ArgumentError(f"{source} is not TOML: {error}") from None


def load(path: str | Path) -> Model:
    """Return the model that a TOML file describes."""
    try:
        check_plain(Path(path))
        text = Path(path).read_text("utf-8")
    except OSError as error:
        raise ArgumentError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ArgumentError(f"{path} is not TOML: it is not text in UTF-8") from None
    return from_toml(text, str(path))


def _layer_to_dict(layer: Layer) -> dict[str, Any]:
    made: dict[str, Any] = {"layer": layer.kind}
    for field in fields(layer):
        value = getattr(layer, field.name)
        if field.default is not MISSING and value == field.default:
            continue
        if field.name in _STACKS:
            value = [_layer_to_dict(inner) for inner in value]
        elif field.name == "branches":
            value = [[_layer_to_dict(inner) for inner in branch] for branch in value]
        made[field.name] = _listed(value)
    return made


def _stack(name: str, described: Any) -> tuple[Layer, ...]:
    if not isinstance(described, list):
        raise ArgumentError(f"{name}={_shown(described)} is no list: a list of layers fits")
    return tuple(_layer(f"layer {i} of {name}", one) for i, one in enumerate(described, 1))


def _layer(where: str, described: Any) -> Layer:
    if not isinstance(described, dict) or "layer" not in described:
        raise ArgumentError(
            f'{where}: {_shown(described)} is no layer: {{ layer = "conv", … }} fits'
        )
    kind = described["layer"]
    if not isinstance(kind, str) or kind not in LAYERS:
        raise ArgumentError(f"{where}: layer={_shown(kind)} is not known: {_near(kind, LAYERS)}")
    made = LAYERS[kind]
    where = f"{where} ({kind})"
    options = {key: value for key, value in described.items() if key != "layer"}
    known = [field.name for field in fields(made)]
    needed = [field.name for field in fields(made) if field.default is MISSING]
    _check_keys(where, options, known, needed)
    try:
        for key, value in options.items():
            if key in _STACKS:
                options[key] = _stack(key, value)
            elif key == "branches" and isinstance(value, list):
                options[key] = [_stack(f"branch {i}", one) for i, one in enumerate(value, 1)]
        return made(**options)
    except StepconvError as error:
        raise ArgumentError(f"{where}: {error}") from None


def _check_keys(
    where: str, given: dict[str, Any], known: Iterable[str], needed: Iterable[str]
) -> None:
    known = list(known)
    for key, value in given.items():
        if key not in known:
            raise ArgumentError(
                f"{where}: {_shown(key)[1:-1]}={_shown(value)} is not known: {_near(key, known)}"
            )
    for key in needed:
        if key not in given:
            raise ArgumentError(f"{where}: {key} is missing")


def _shown(value: Any) -> str:
    """Return a value as it stands in the file, or its beginning."""
    shown = repr(value)
    return shown if len(shown) <= 100 else f"{shown[:100]}…"


def _near(word: Any, known: Iterable[str]) -> str:
    """Return what may have been meant: the nearest word, or all there are."""
    known = list(known)
    if not known:
        return "it takes no option"
    return closest(str(word), known, f"one of {', '.join(known)} fits")


def _stack_text(layers: list[Any], indent: str) -> str:
    """Return a list of layers, one in a line; layers inside one are further to the right."""
    if not layers:
        return "[]"
    inner = indent + "    "
    lines = []
    for layer in layers:
        if isinstance(layer, list):
            lines.append(f"{inner}{_stack_text(layer, inner)},")
            continue
        items = []
        for key, value in layer.items():
            nested = key in (*_STACKS, "branches")
            items.append(f"{key} = {_stack_text(value, inner) if nested else _text(value)}")
        lines.append(f"{inner}{{ {', '.join(items)} }},")
    return "[\n" + "\n".join(lines) + f"\n{indent}]"


def _text(value: Any) -> str:
    # JSON writes these as TOML does.
    return json.dumps(value, ensure_ascii=False)


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if isinstance(value, tuple) else value
