"""A record in a notebook, which asks it for HTML: the page that plays, in a frame."""

from __future__ import annotations

from importlib import import_module
from typing import Any


def framed(record: Any) -> str:
    """Return the page of a trace or a chain in a frame.

    Pages are made further up in the house, by who reads traces; so the room is asked for by name,
    when a notebook wants one.
    """
    made: str = import_module("stepconv.web.record").framed(record)
    return made
