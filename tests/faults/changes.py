"""What is right, changed at random: plain data at some of its places, bytes at some of theirs."""

import copy
import random
from typing import Any

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 7, 2**31 - 1, 2**31, 2**62, 2**63, -(2**63), 10**30),
    *(0.0, -0.5, 1e-300, 1e300, float("nan"), float("inf"), "", "x", "same", "0", "\x1b[2J", "é"),
    *([], {}, [0], [[]], {"a": 1}, [1, 1], [[1, 1], [1, 1]], "a" * 300, [[[[1]]]]),
)


def changed(chance: random.Random, data: Any) -> Any:
    """Return plain data with some of its places changed."""
    data = copy.deepcopy(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        places = list(_places(data))
        if not places:
            break
        holder, key = chance.choice(places)
        old = holder[key]
        match chance.randrange(8):
            case 0 if isinstance(holder, dict):
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[chance.choice(("more", "", key + "_"))] = old
            case 2 if isinstance(holder, list):
                holder.insert(key, copy.deepcopy(old))
            case 3:
                holder[key] = [old] if chance.random() < 0.5 else {"layer": old}
            case 4 if isinstance(old, int | float):
                holder[key] = old + chance.choice((-1, 1, 2, 1000, 10**9))
            case 5:
                other, name = chance.choice(places)
                holder[key] = copy.deepcopy(other[name]) if name in _keys(other) else old
            case _:
                holder[key] = copy.deepcopy(chance.choice(ODD))
    return data


def _keys(holder: Any) -> Any:
    return holder if isinstance(holder, dict) else range(len(holder))


def _places(data: Any, depth: int = 0) -> Any:
    for key in list(_keys(data)) if isinstance(data, dict | list) and depth < 12 else ():
        yield data, key
        yield from _places(data[key], depth + 1)


def damaged(chance: random.Random, content: bytes) -> bytes:
    """Return bytes of which some are others, gone, or there twice."""
    made = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(made) + 1)
        match chance.randrange(4):
            case 0:
                del made[at : at + chance.randrange(1, 9)]
            case 1:
                made[at:at] = chance.choice((b"[", b"{", b'"', b"9", b"\n", b"\xff", b"1e", b"-"))
            case 2:
                made[at:at] = made[at : at + chance.randrange(1, 200)]
            case _ if at < len(made):
                made[at] = chance.randrange(256)
    return bytes(made)
