"""An object file for WebAssembly that holds all its code is a module but for its exports.

So no linker is needed: the exports are put in, and what only a linker reads is left out.
https://webassembly.github.io/spec/core/binary/ has the format of a module,
https://github.com/WebAssembly/tool-conventions/blob/main/Linking.md that of an object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_CUSTOM, _IMPORT, _EXPORT = 0, 2, 7
_SYMBOLS = 8  # a part of the custom section "linking"
_FUNCTION, _DATA, _SECTION = 0, 1, 3  # kinds of symbols
_UNDEFINED, _NAMED = 0x10, 0x40  # flags of symbols


def splice(code: bytes, exports: Iterable[str]) -> bytes:
    """Return the module of an object file, which exports functions under their own names."""
    sections = list(_sections(code))
    places = _functions(sections)
    entries = [_text(name) + b"\0" + _number(places[name]) for name in exports]
    given = _number(len(entries)) + b"".join(entries)
    kept = [section for section in sections if section[0] != _CUSTOM]
    before = [section for section in kept if section[0] < _EXPORT]
    after = [section for section in kept if section[0] > _EXPORT]
    module = bytearray(code[:8])
    for kind, body in [*before, (_EXPORT, given), *after]:
        module += bytes([kind]) + _number(len(body)) + body
    return bytes(module)


def _sections(code: bytes) -> Iterator[tuple[int, bytes]]:
    reader = _Reader(code, 8)
    while reader.at < len(code):
        yield reader.byte(), reader.bytes(reader.number())


def _functions(sections: Iterable[tuple[int, bytes]]) -> dict[str, int]:
    """Return the number of each function that an object's symbols name."""
    found: dict[str, int] = {}
    for kind, body in sections:
        reader = _Reader(body)
        if kind != _CUSTOM or reader.text() != "linking":
            continue
        reader.number()  # the version
        while reader.at < len(body):
            part, content = reader.byte(), reader.bytes(reader.number())
            if part == _SYMBOLS:
                found.update(_symbols(_Reader(content)))
    return found


def _symbols(reader: _Reader) -> Iterator[tuple[str, int]]:
    for _ in range(reader.number()):
        kind, flags = reader.byte(), reader.number()
        named = not flags & _UNDEFINED or bool(flags & _NAMED)
        if kind == _DATA:
            reader.text()
            for _ in range(0 if flags & _UNDEFINED else 3):
                reader.number()
        elif kind == _SECTION:
            reader.number()
        else:
            place = reader.number()
            name = reader.text() if named else ""
            if kind == _FUNCTION and name:
                yield name, place


class _Reader:
    """Bytes that are read one thing after another."""

    def __init__(self, content: bytes, at: int = 0) -> None:
        self._content, self.at = content, at

    def byte(self) -> int:
        self.at += 1
        return self._content[self.at - 1]

    def bytes(self, count: int) -> bytes:
        self.at += count
        return self._content[self.at - count : self.at]

    def number(self) -> int:
        """Read a number in LEB128: seven bits a byte, the lowest first."""
        found = shift = 0
        while True:
            byte = self.byte()
            found |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return found

    def text(self) -> str:
        return self.bytes(self.number()).decode()


def _number(number: int) -> bytes:
    """Return a number in LEB128."""
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _number(len(encoded)) + encoded
