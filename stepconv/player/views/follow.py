"""The view of where a cell of a chain leads: each cell that it was made from or flows into."""

from __future__ import annotations

from stepconv.player.frame import linked
from stepconv.player.frame.linked import Way
from stepconv.player.text.lines import Block, Line, Piece, Spot, above, block, clipped, text_block
from stepconv.trace import Chain
from stepconv.trace.words import number


def view(chain: Chain, ways: tuple[Way, ...], chosen: int, width: int, height: int) -> Block:
    """Return a line for each way, as many as fit round the chosen one."""
    told = text_block("↑↓ choose, enter goes there", role="muted")
    if not ways:
        return above(text_block("This cell was made from padding alone and leads nowhere."), told)
    room = max(height - told.height - 1, 1)
    first = min(max(chosen - room // 2, 0), max(len(ways) - room, 0))
    lines = [_line(chain, ways[n], n, n == chosen, width) for n in range(len(ways))]
    return above(block(lines[first : first + room]), told, gap=1)


def _line(chain: Chain, way: Way, place: int, chosen: bool, width: int) -> Line:
    value = chain.output_of(way.link).reshape(-1)[way.cell]
    verb = "into" if way.onward else "from"
    told = (
        f"{'▸' if chosen else ' '}{verb} {linked.where(chain, way.link, way.cell)}: {number(value)}"
    )
    return (Piece(clipped(told, width), "window" if chosen else "", Spot("way", place)),)
