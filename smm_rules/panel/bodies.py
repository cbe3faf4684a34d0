"""The body of one HTTP answer, unpacked as it comes and bounded both ways."""

from __future__ import annotations

import zlib
from typing import Any

from smm_rules.panel.errors import Unreadable
from smm_rules.panel.scalars import safe_text

_PLAIN = frozenset({"", "identity"})
_PACKED = frozenset({"gzip", "x-gzip", "deflate"})


class Body:
    """Takes the chunks of a body of at most `largest` bytes, packed as `encoding` (`Content-Encoding`) says.

    `Unreadable` for what wasn't asked for, is too large, or is no such packing.
    """

    __slots__ = ("_arrived", "_inflate", "_largest", "_plain")

    def __init__(self, encoding: str, largest: int) -> None:
        named = encoding.strip().casefold()
        if named not in _PLAIN and named not in _PACKED:
            raise Unreadable(f"an answer encoded as {safe_text(named, 40)}, which was not asked for")
        self._inflate: Any = None if named in _PLAIN else zlib.decompressobj(wbits=47)
        self._plain = bytearray()
        self._arrived = 0
        self._largest = largest

    def add(self, chunk: bytes) -> bool:
        """Take the next chunk; False for one that comes after the end of what is packed."""
        if self._inflate is not None:
            if self._inflate.eof:
                return False  # zlib would keep all that follows the end
            self._arrived += len(chunk)
            if self._arrived > self._largest:
                # Packed data may unpack to nothing, for ever.
                raise Unreadable(f"a packed answer of more than {self._largest} bytes")
        # One byte beyond what is allowed is enough to know, however well the rest is packed.
        room = self._largest - len(self._plain) + 1
        self._plain += chunk[:room] if self._inflate is None else _inflated(self._inflate, chunk, room)
        if len(self._plain) > self._largest:
            raise Unreadable(f"an answer of more than {self._largest} bytes")
        return True

    def whole(self) -> bytes:
        """All that was taken."""
        return bytes(self._plain)


def _inflated(inflate: Any, chunk: bytes, room: int) -> bytes:
    try:
        plain: bytes = inflate.decompress(chunk, room)
    except zlib.error:
        raise Unreadable("an answer whose compression is broken") from None
    return plain
