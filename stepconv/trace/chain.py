"""Chain: recorded calls one after the other, with cells linked from each call to the next.

Each call is a link. It takes the output of the link before it, or of an earlier one, or the chain's
input; so a chain branches where two links take the same, and is joined by a call that takes two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from typing import Any, NamedTuple, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from stepconv.errors import ArgumentError, StepconvError
from stepconv.operations import OPERATIONS
from stepconv.ops.arrays import numeric, on_host
from stepconv.trace.flow import cells_of, steps_meeting, steps_of, weights_of
from stepconv.trace.gather import WEIGHTED
from stepconv.trace.model import About, Trace, same, sizes
from stepconv.trace.recorder import record, recorded_again

Array = NDArray[Any]


class From(NamedTuple):
    """Where an argument of a link comes from: a link before it, or with None the chain's input."""

    link: int | None = None


class Cells(NamedTuple):
    """Cells of a link's output, or with None of the chain's input, counted in C order."""

    link: int | None
    numbers: Array


@dataclass(frozen=True, eq=False)
class Link:
    """A call of a chain: its trace, and where those of its arguments come from that are linked."""

    trace: Trace
    sources: Mapping[str, From]


@dataclass(frozen=True, eq=False, repr=False)
class Chain(Sequence[Trace]):
    """Recorded calls one after the other: `chain[i]` is the trace of the call that is link i.

    >>> import stepconv
    >>> calls = [(stepconv.correlate, {"w": [1, -1]}), (stepconv.relu, {})]
    >>> chain = stepconv.record(calls, [3, 1, 4, 1, 5])
    >>> chain[0].output, chain.output
    (array([ 2, -3,  3, -4]), array([2, 0, 3, 0]))
    """

    input: Array
    links: tuple[Link, ...] = ()

    @classmethod
    def begun_with(cls, trace: Trace) -> Chain:
        """Return a chain of one link: what its windows move over is the chain's input."""
        source = trace.call.operation.source
        return cls(trace.arrays[source], (Link(trace, {source: From()}),))

    @property
    def output(self) -> Array:
        """What the last link gives."""
        return self.output_of(len(self) - 1 if self.links else None)

    def output_of(self, link: int | None) -> Array:
        """Return what a link gives; with None the chain's input."""
        return self.input if link is None else self.links[link].trace.output

    def __len__(self) -> int:
        return len(self.links)

    @overload
    def __getitem__(self, index: int) -> Trace: ...
    @overload
    def __getitem__(self, index: slice) -> list[Trace]: ...
    def __getitem__(self, index: int | slice) -> Trace | list[Trace]:
        if isinstance(index, slice):
            return [link.trace for link in self.links[index]]
        if not -len(self) <= index < len(self):
            raise IndexError(f"link {index} is not in this chain: 0 to {len(self) - 1} fit")
        return self.links[index].trace

    def then(self, function: Callable[..., Any], **options: Any) -> Chain:
        """Return this chain with one more call, recorded on the output of the last.

        Any argument may come from elsewhere in the chain: `From(0)` is the output of link 0, and
        `From()` the chain's input. What is given as an array is the link's own.

        >>> import stepconv
        >>> chain = stepconv.record([(stepconv.correlate, {"w": [1, -1]})], [3, 1, 4])
        >>> chain.then(stepconv.relu).then(stepconv.max_pool, window=2).output
        array([2])
        """
        name = getattr(function, "__name__", repr(function))
        try:
            sources, arguments = self._arguments(name, options)
            return Chain(self.input, (*self.links, Link(record(function, **arguments), sources)))
        except StepconvError as error:
            raise type(error)(f"link {len(self)}, {name}: {error}") from None

    def changed(self, number: int, trace: Trace) -> Chain:
        """Return this chain with another call as a link, and all that is made from it made again.

        Where the call reads the chain's input, its x is the input of the whole chain from now on.

        >>> import stepconv
        >>> calls = [(stepconv.correlate, {"w": [1, -1]}), (stepconv.relu, {})]
        >>> chain = stepconv.record(calls, [3, 1])
        >>> chain.changed(0, stepconv.record(stepconv.correlate, [1, 7], [1, 1])).output
        array([8])
        """
        source = trace.call.operation.sources[0]
        reads = self.links[number].sources.get(source)
        chain = Chain(trace.arrays[source] if reads == From() else self.input)
        for link in self.links:
            here = len(chain)
            sources = {k: v for k, v in link.sources.items() if here != number or k in trace.arrays}
            fresh = {name: chain.output_of(each.link) for name, each in sources.items()}
            if here == number:
                made = trace
            elif all(fresh[name] is self.output_of(v.link) for name, v in sources.items()):
                made = link.trace
            else:
                try:
                    made = recorded_again(link.trace, fresh)
                except (StepconvError, ValueError) as error:
                    raise ArgumentError(f"link {here}, {link.trace.op}: {error}") from None
            chain = Chain(chain.input, (*chain.links, Link(made, sources)))
        return chain

    def _arguments(
        self, name: str, options: Mapping[str, Any]
    ) -> tuple[dict[str, From], dict[str, Any]]:
        """Return where the linked arguments come from, and all arguments as a call takes them."""
        operation = OPERATIONS.get(name.removesuffix("_backward"))
        first = operation.arrays[0] if operation else "x"
        last = From(len(self) - 1 if self.links else None)
        given = {first: last, **options}
        if not isinstance(given[first], From) and not self.links:
            raise ArgumentError(
                f"{first} is what comes out of another link: leave it out, or give From(link)"
            )
        sources = {key: value for key, value in given.items() if isinstance(value, From)}
        for key, (link,) in sources.items():
            if link is not None and link not in range(len(self)):
                fits = f"0 to {len(self) - 1}, or None for the input, fit" if len(self) else "None"
                raise ArgumentError(f"{key}=From({link!r}) is no link before this one: {fits}")
        return sources, given | {key: self.output_of(link) for key, (link,) in sources.items()}

    def places(self, cells: Cells) -> list[tuple[int, ...]]:
        """Return where cells are, each as an index of the array that they are in."""
        shape = self.output_of(cells.link).shape
        axes = np.unravel_index(cells.numbers, shape)
        return list(zip(*(axis.tolist() for axis in axes), strict=True))

    def made_from(self, link: int, step: int) -> tuple[Cells, ...]:
        """Return the cells that a step of a link was made from, and where they are.

        >>> import stepconv
        >>> calls = [(stepconv.correlate, {"w": [1, -1]}), (stepconv.max_pool, {"window": 2})]
        >>> chain = stepconv.record(calls, [3, 1, 4, 1, 5])
        >>> chain.made_from(1, 1)
        (Cells(link=0, numbers=array([2, 3])),)
        """
        gather = self[link].gather
        cells = cells_of(gather, step)
        found = {
            source: cells[(first <= cells) & (cells < end)] - first
            for source, first, end in self._parts(link)
        }
        for source in self._weights(link):
            met = weights_of(gather, step, mirrored=self[link].call.operation.mirrored)
            found[source] = np.union1d(found.get(source, met), met)
        return tuple(Cells(source.link, each) for source, each in found.items() if each.size)

    def goes_to(self, link: int | None, cell: int) -> tuple[Cells, ...]:
        """Return the steps of later links that a link's cell flows into; with None, an input's.

        >>> import stepconv
        >>> chain = stepconv.record([(stepconv.correlate, {"w": [1, -1]})], [3, 1, 4, 1, 5])
        >>> chain.goes_to(None, 1)
        (Cells(link=0, numbers=array([0, 1])),)
        """
        found = []
        for later, trace in enumerate(self):
            firsts = [first for source, first, _ in self._parts(later) if source.link == link]
            steps = [steps_of(trace.gather, first + cell) for first in firsts]
            if any(source.link == link for source in self._weights(later)):
                mirrored = trace.call.operation.mirrored
                steps.append(steps_meeting(trace.gather, cell, mirrored=mirrored))
            if steps:
                found.append(Cells(later, np.unique(np.concatenate(steps))))
        return tuple(cells for cells in found if cells.numbers.size)

    def field(self, link: int, step: int) -> dict[int | None, Array]:
        """Return the cells that can reach a step: of each link before it, and of the input.

        >>> import stepconv
        >>> calls = [(stepconv.correlate, {"w": [1, 1, 1]})] * 2
        >>> stepconv.record(calls, [3, 1, 4, 1, 5, 9]).field(1, 0)
        {0: array([0, 1, 2]), None: array([0, 1, 2, 3, 4])}
        """
        reached: dict[int | None, set[int]] = {link: {step}}
        for back in range(link, -1, -1):
            for each in reached.get(back, ()):
                for source, cells in self.made_from(back, each):
                    reached.setdefault(source, set()).update(cells.tolist())
        del reached[link]
        return {source: np.array(sorted(cells)) for source, cells in reached.items()}

    def _parts(self, link: int) -> Iterator[tuple[From, int, int]]:
        """Yield what of a link's source comes from elsewhere: from where, first cell and end."""
        trace, sources = self.links[link].trace, self.links[link].sources
        first = 0
        for name in trace.call.operation.sources:
            end = first + trace.arrays[name].size
            if name in sources:
                yield sources[name], first, end
            first = end

    def _weights(self, link: int) -> list[From]:
        """Return where the weights of a link come from, if they come from elsewhere."""
        operation, sources = self[link].call.operation, self.links[link].sources
        name = str(operation.weights)
        taken = name in sources and name not in operation.sources
        return [sources[name]] if taken and operation.family in WEIGHTED else []

    def __eq__(self, other: object) -> bool:
        """Tell whether the same calls, linked alike, gave the same numbers."""
        if not isinstance(other, Chain):
            return NotImplemented
        return (
            same(self.input, other.input)
            and self[:] == other[:]
            and [link.sources for link in self.links] == [link.sources for link in other.links]
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        calls = ", ".join(trace.op for trace in self) or "no call"
        return f"<Chain of {calls}: {sizes(self.input.shape)} to {sizes(self.output.shape)}>"

    def in_words(self) -> str:
        """Return a sentence for each link: its operation, where it reads, what comes out.

        >>> import stepconv
        >>> print(stepconv.record([(stepconv.relu, {})] * 2, [3, -1, 4]).in_words())
        link 0 of 2, ReLU: from the input, output 3
        link 1 of 2, ReLU: from link 0, output 3
        """
        return "\n".join(map(self.heading, range(len(self))))

    def heading(self, link: int) -> str:
        """Return the sentence about a link."""
        trace, sources = self[link], self.links[link].sources
        read = list(map(told, dict.fromkeys(source.link for source in sources.values())))
        if trace.call.operation.sources[0] not in sources:
            read.insert(0, "numbers of its own")
        title = trace.call.operation.title
        output = sizes(trace.output.shape)
        return f"link {link} of {len(self)}, {title}: from {' and '.join(read)}, output {output}"

    def save(self, path: str | PathLike[str], *, force: bool = False) -> None:
        """Write the chain to a file; an existing one only with `force`."""
        from stepconv.trace.file.chain import save

        save(self, path, force=force)

    def _repr_html_(self) -> str:
        from stepconv.trace.notebook import framed

        return framed(self)


def told(link: int | None) -> str:
    """Return how a link, or with None the input, is called in a sentence."""
    return "the input" if link is None else f"link {link}"


def record_chain(
    calls: Sequence[tuple[Callable[..., Any], Mapping[str, Any]]],
    x: ArrayLike,
    /,
    *,
    about: About | None = None,
    **shared: Any,
) -> Chain:
    """Record calls one after the other, the first of them on x and with the words about it.

    `shared` options go to each of them.
    """
    if not calls:
        raise ArgumentError("a chain of no call: a list of one (function, options) or more fits")
    chain = Chain(_kept(x))
    for call in calls:
        if not isinstance(call, Sequence) or len(call) != 2:
            raise ArgumentError(
                f"{calls!r} cannot be recorded: a list of (function, options) fits, such as "
                '[(correlate, {"w": w}), (relu, {})]'
            )
        function, options = call
        words = {} if about is None or chain.links else {"about": about}
        chain = chain.then(function, **{**shared, **words, **options})
    return chain


def _kept(x: ArrayLike) -> Array:
    """Return a copy, so that a chain keeps its numbers whatever becomes of the array."""
    kept = np.array(numeric("x", on_host(x)))
    kept.flags.writeable = False
    return kept
