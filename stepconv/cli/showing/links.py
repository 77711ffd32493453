"""Links of a chain, one after the other; a call by itself is shown as it is."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from stepconv.cli.showing import steps
from stepconv.errors import ArgumentError

if TYPE_CHECKING:
    from stepconv.trace import Chain, Step, Trace


@dataclass(frozen=True)
class Shown:
    """A trace to show; if it is a link, the chain and its number there."""

    trace: "Trace"
    chain: "Chain | None" = None
    number: int = 0

    @property
    def heading(self) -> str:
        """The sentence about the link; nothing of a call by itself."""
        return "" if self.chain is None else self.chain.heading(self.number)

    def as_data(self, step: "Step") -> dict[str, Any]:
        """Return a step as plain data; of a link with its number and the cells it was made from."""
        data = steps.as_data(step)
        if self.chain is None:
            return data
        found = [
            {"link": cells.link, "cells": self.chain.places(cells)}
            for cells in self.chain.made_from(self.number, step.index)
        ]
        return {"link": self.number, **data, "made_from": found}


def shown(record: "Trace | Chain", link: int | None) -> list[Shown]:
    """Return what is to be shown of a record: the link that is asked for, or all."""
    from stepconv.trace import Chain

    if not isinstance(record, Chain):
        if link is not None:
            raise ArgumentError(f"--link {link} has no place here: there is one call alone")
        return [Shown(record)]
    if link is None:
        return [Shown(trace, record, number) for number, trace in enumerate(record)]
    if not -len(record) <= link < len(record):
        raise ArgumentError(f"--link {link} is not in this chain: 0 to {len(record) - 1} fit")
    return [Shown(record[link], record, link % len(record))]
