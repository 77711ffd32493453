"""A chain on disk: each link as a trace is, but for the arrays that come from another link.

The format is told in docs/trace-format.md.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from stepconv.errors import TraceError
from stepconv.files import check_plain
from stepconv.trace.chain import Chain, From, Link
from stepconv.trace.file import archive
from stepconv.trace.file.read import load_trace, understood
from stepconv.trace.file.write import ARGUMENTS, KIND, members, told
from stepconv.trace.model import Trace

Array = NDArray[Any]

CHAIN = archive.Kind("chain", "stepconv-chain", 1, rf"input|\d{{1,4}}\.({KIND.members})")


def save(chain: Chain, path: str | PathLike[str], *, force: bool = False) -> None:
    """Write the chain whole or not at all; an existing file is replaced only with `force`."""
    links = [
        {
            **told(link.trace),
            "sources": {name: source.link for name, source in link.sources.items()},
        }
        for link in chain.links
    ]
    arrays = {
        f"{number}.{name}": array
        for number, link in enumerate(chain.links)
        for name, array in members(link.trace).items()
        if name not in link.sources
    }
    archive.write(path, CHAIN, {"links": links}, {"input": chain.input, **arrays}, force)


def load_chain(path: str | PathLike[str]) -> Chain:
    """Read a chain that `Chain.save` wrote, or somebody else after docs/trace-format.md.

    Whatever is wrong with the file is a TraceError that names the file and the reason.
    """
    return archive.read(path, CHAIN, _understood)


def load(path: str | PathLike[str]) -> Trace | Chain:
    """Read a file of either kind."""
    check_plain(Path(path))
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as file:
            if "input.npy" in file.namelist():
                return load_chain(path)
    return load_trace(path)


def _understood(header: dict[str, Any], arrays: dict[str, Array], name: str) -> Chain:
    links = header.get("links")
    if not isinstance(links, list) or not links or "input" not in arrays:
        raise TraceError("its header tells of no link, or the input is missing")
    own: list[dict[str, Array]] = [{} for _ in links]
    chain = Chain(arrays.pop("input"))
    for member, array in arrays.items():
        number, _, argument = member.partition(".")
        if not int(number) < len(links) or number != str(int(number)):
            raise TraceError(f"its member {member!r} is of a link that is not there")
        own[int(number)][argument] = array
    for link, kept in zip(links, own, strict=True):
        try:
            chain = Chain(chain.input, (*chain.links, _link(chain, link, kept, name)))
        except TraceError as error:
            raise TraceError(f"link {len(chain)}: {error}") from None
    return chain


def _link(chain: Chain, header: Any, own: dict[str, Array], name: str) -> Link:
    """Return the next link of a chain, whose linked arguments are the outputs that it has."""
    sources = header.get("sources") if isinstance(header, Mapping) else None
    if not isinstance(sources, dict):
        raise TraceError("its header does not say where its arguments come from")
    for argument, source in sources.items():
        if argument not in ARGUMENTS or argument in own:
            raise TraceError(f"{argument!r} is kept in the file, or is no argument")
        if source is not None and (type(source) is not int or not 0 <= source < len(chain)):
            raise TraceError(f"{argument} comes from {source!r}, which is no link before it")
    linked = {argument: chain.output_of(source) for argument, source in sources.items()}
    trace = understood(header, own, f"{name}, link {len(chain)}", linked)
    return Link(trace, {argument: From(source) for argument, source in sources.items()})
