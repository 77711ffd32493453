"""What a network answers, as a bar for each class."""

from __future__ import annotations

from stepconv.inside.record import Inside
from stepconv.player.text.lines import Block, Line, Piece, block, clipped

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def bar(share: float, width: int) -> str:
    """Return a share of 1 as a bar, to an eighth of a character.

    >>> bar(0.5, 4), bar(1, 2), bar(0.03, 4)
    ('██', '██', '▏')
    """
    # Shares that are no numbers, as of a network whose training blew up, have no bar.
    eighths = round(max(min(share, 1), 0) * width * 8) if share == share else 0
    if share > 0.01:
        eighths = max(eighths, 1)
    whole, part = divmod(eighths, 8)
    return "█" * whole + (_EIGHTHS[part] if part else "")


def bars(inside: Inside, width: int, height: int, label: int | None = None) -> Block:
    """Return the likeliest classes, in their order, and which of them is right."""
    shares = inside.probabilities
    many = sorted(range(len(shares)), key=lambda i: -shares[i])[: max(height, 1)]
    named = min(max(len(inside.classes[i]) for i in many), max(width // 2 - 4, 1))
    room = max(width - named - 7, 1)
    lines: list[Line] = []
    for i in sorted(many):
        told = i == inside.prediction
        right = "✓" if label == i and told else "←" if label == i else " "
        role = "result-text" if told else ""
        lines.append(
            (
                Piece(clipped(inside.classes[i], named).rjust(named), "title" if told else ""),
                Piece(right, "key"),
                Piece(bar(float(shares[i]), room).ljust(room), "bar" if not told else role),
                Piece(f"{100 * float(shares[i]):>4.0f}%", role),
            )
        )
    return block(lines)
