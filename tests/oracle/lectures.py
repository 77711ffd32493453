"""The numbers of the lectures, read as they lie in the package."""

import json
from importlib.resources import files
from typing import Any

_BOOK = json.loads((files("stepconv") / "trace" / "worked-examples.json").read_text("utf-8"))

EXAMPLES: dict[str, dict[str, Any]] = {entry["id"]: entry for entry in _BOOK["examples"]}
KERNELS: dict[str, list[Any]] = {name: entry["kernel"] for name, entry in _BOOK["kernels"].items()}
PICTURES: dict[str, list[Any]] = _BOOK["pictures"]
