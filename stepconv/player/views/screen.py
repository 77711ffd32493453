"""One screen of the player: the view that is looked at, between the title and the keys."""

from __future__ import annotations

from stepconv.errors import TraceError
from stepconv.player import keys
from stepconv.player.frame import linked
from stepconv.player.frame.strip import strip as strip_of
from stepconv.player.frame.volume import volume
from stepconv.player.playback import Playback
from stepconv.player.text import head_and_foot, layout
from stepconv.player.text.head_and_foot import Status
from stepconv.player.text.lines import (
    Block,
    Line,
    Piece,
    Spot,
    clipped,
    clipped_line,
    indented,
    wrapped,
)
from stepconv.player.views import (
    compare,
    edit,
    follow,
    present,
    readers,
    sizes,
    strip,
    terms,
    volumes,
    workers,
)

_ASKS = {
    "sizes": "why this size?",
    "readers": "who reads this?",
    "workers": "who computed this?",
    "help": "keys",
    "compare": "correlation and convolution",
    "strip": "all links",
    "follow": "where to?",
    "terms": "every term",
}

# Below so many lines there is none to spare for what a chain says, or for a legend.
_ROOMY = 12


def lines(playback: Playback, width: int, height: int) -> list[Line]:
    """Return the lines of the screen: exactly `height` of them, none wider than `width`.

    Of a chain, the second says which link it is and where the cell is from and goes. At the first
    start the one before the bar says what the colours mean.
    """
    roomy = height >= _ROOMY and len(playback.film) > 0
    told = _link(playback) if roomy else None
    legend = keys.legend() if roomy and playback.legend else None
    drawn = _lines(playback, width, height - (told is not None) - (legend is not None))
    if told is not None:
        # The editor has no title that it could stand below.
        drawn.insert(0 if playback.view == "edit" else 1, told)
    if legend is not None:
        drawn.insert(-2, legend)
    return _fitted(drawn, width, height)


def _link(playback: Playback) -> Line | None:
    """Return which link of a chain it is, and where its cell is from and goes."""
    if playback.chain is None:
        return None
    which, made, goes = linked.sentence(playback.chain, playback.link, playback.index)
    back, on = Spot("key:["), Spot("key:]")
    return (
        Piece(f" {which}", "title"),
        *(Piece(" · "), Piece("[", "key", back), Piece(f" {made}", "", back)),
        *(Piece(" · "), Piece("]", "key", on), Piece(f" {goes}", "", on)),
    )


def _lines(playback: Playback, width: int, height: int) -> list[Line]:
    stops = tuple(sorted(playback.breakpoints))
    status = Status(playback.playing, playback.speed, stops, playback.message)
    if len(playback.film) == 0:
        title = f" {playback.film.title}: an empty result has no steps to play"
        return _fitted([(Piece(clipped(title, width), "title"),)], width, height)
    try:
        frame = playback.frame()
    except TraceError as error:
        # A record that contradicts itself: other steps can be gone to, this one shows no number.
        told = indented(wrapped(str(error), width - 2, "message"), 1).lines
        room = [()] * (height - len(told) - 1)
        return _fitted([*told, *room, head_and_foot.keys(status, width)], width, height)
    if playback.view == "edit" and playback.editor is not None:
        return _fitted(edit.view(playback.editor, frame, width, height), width, height)
    body = _body(playback, width - 2, max(height - 3, 1))
    if body is None:
        return layout.screen(frame, width, height, status)
    head = head_and_foot.head(frame, status, width, _ASKS.get(playback.view, ""))
    foot = [head_and_foot.bar(frame, status, width), head_and_foot.keys(status, width)]
    if playback.view == "help":
        # All keys are there to be read: the last line needs no few of them.
        foot = []
    spaced = [head, ()] if body.height + 2 + len(foot) <= height else [head]
    kept = [*spaced, *indented(body, 1).lines][: max(height - len(foot), 1)]
    return _fitted([*kept, *([()] * (height - len(foot) - len(kept))), *foot], width, height)


def _body(playback: Playback, width: int, height: int) -> Block | None:
    """Return what a view puts between title and keys; None where the steps are shown."""
    film = playback.film
    match playback.view:
        case "step" if playback.abreast:
            shot = playback.frame()
            every = volume(film, shot)
            return None if every is None else volumes.view(shot, every, width, height)
        case "sizes":
            return sizes.view(film, width, height)
        case "readers":
            return readers.view(film, playback.asked_cell, playback.place[0], width, height)
        case "workers":
            return workers.view(film, playback.index, width, height)
        case "present":
            return present.view(playback.frame(), width, height, playback.turned_by)
        case "strip" if playback.chain is not None:
            stops = strip_of(playback.chain, playback.film_of, playback.link, playback.index)
            return strip.view(stops, width, height)
        case "follow" if playback.chain is not None:
            return follow.view(playback.chain, playback.ways, playback.chosen, width, height)
        case "terms":
            told, last = terms.view(film, playback.index, playback.scroll, width, height)
            playback.scroll = min(playback.scroll, last)
            return told
        case "help":
            return keys.view(width)
        case "compare":
            return compare.view(
                *(film, playback.other, playback.index, playback.channel, playback.turned),
                *(width, height),
            )
    return None


def _fitted(drawn: list[Line], width: int, height: int) -> list[Line]:
    kept = [clipped_line(line, width) for line in drawn[:height]]
    return kept + [()] * (height - len(kept))
