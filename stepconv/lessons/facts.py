"""Numbers that no engine computes: years, counts, what a slide prints; each with its source.

They stand once, in `facts.toml`, and a sentence names them: `{fact("lenet5-year")}`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple

from stepconv.errors import ArgumentError, closest


class Fact(NamedTuple):
    """A number as prose writes it, and where it is from."""

    says: str
    source: str


@cache
def facts() -> Mapping[str, Fact]:
    """Return all facts by name."""
    text = resources.files("stepconv.lessons").joinpath("facts.toml").read_text("utf-8")
    return {name: Fact(**entry) for name, entry in tomllib.loads(text).items()}


def fact(name: str) -> str:
    """Return how prose writes a fact."""
    known = facts()
    if name not in known:
        raise ArgumentError(f"fact {name!r} is not known: {closest(name, known, 'see facts.toml')}")
    return known[name].says
