"""What a panel repeats word for word isn't read twice.

An answer about many IDs is cut into the text of each entry. An entry whose text is, by its fingerprint, the
one already read is left alone; the others are read as if the panel had answered about them alone.

Only the plain shape is cut: an object of entries by number, each a flat object, without escapes. In valid
JSON of that shape `},"7":{` can't stand inside a text, for what follows a text is never a digit, so every
entry is cut where it ends; and an entry that was read before is valid, so the whole is valid where the rest
is. Whatever else may decide what an entry means (HTTP status, the shape of the whole, an ID named twice, an
entry that names its order) sends the answer the ordinary way.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b
from struct import unpack
from types import MappingProxyType
from typing import Generic, TypeVar

from smm_rules.panel.answers import Refused
from smm_rules.panel.replies import Reply, judge
from smm_rules.panel.shapes import Entries

State = TypeVar("State")
#: Reads a decoded document about these IDs.
Reader = Callable[[object, Sequence[str]], Entries[State]]

#: No answer was read before.
NOTHING_KNOWN: Mapping[str, int] = MappingProxyType({})

_SPACE = r"[ \t\n\r]*"
_ENTRY = re.compile(
    rf'("(\d{{1,64}})"{_SPACE}:{_SPACE}'
    rf"(\{{[^{{}}\[\]\\]*(?:\[[^{{}}\[\]\\]*\][^{{}}\[\]\\]*)*\}}){_SPACE}([,}}]){_SPACE})",
    re.ASCII,
)
_OPENING = re.compile(rf"{_SPACE}\{{{_SPACE}")
#: Longer answers about a hundred IDs have something in them that isn't plain.
_LONGEST = 256 * 1024
#: Made once, for there is one for every entry of every answer.
_hash = partial(blake2b, digest_size=8)


@dataclass(frozen=True, slots=True)
class Reading(Generic[State]):
    """What an answer came to. `same` has the texts of the entries that were read before and are the same now.

    `prints` are the fingerprints of the texts that `found` was read from, where they could be cut.
    """

    found: dict[str, State | Refused]
    unreadable: tuple[str, ...]
    same: Mapping[str, str] = field(default_factory=dict)
    prints: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Repeats:
    """What the readings of many answers told of repeats, together."""

    known: Mapping[str, int]
    same: dict[str, str] = field(default_factory=dict)
    prints: dict[str, int] = field(default_factory=dict)

    def take(self, reading: Reading[State]) -> None:
        """Add one answer's."""
        self.same.update(reading.same)
        self.prints.update(reading.prints)


def fingerprints(texts: Mapping[str, str]) -> dict[str, int]:
    """Of each text a whole number of 64 bits, signed, that two entries of one order almost never have."""
    digests = b"".join([_hash(text.encode()).digest() for text in texts.values()])
    return dict(zip(texts, unpack(f">{len(texts)}q", digests), strict=True))


def read(reply: Reply, ids: Sequence[str], known: Mapping[str, int], reader: Reader[State]) -> Reading[State]:
    """Read an answer about `ids`, less the entries whose fingerprints are `known` by ID.

    Raises what `judge` and the reader raise for the answer as a whole.
    """
    texts = entry_texts(reply)
    if texts is None or '"order"' in reply.text:
        entries = reader(judge(reply), ids)
        return Reading(entries.found, entries.unreadable)
    prints = fingerprints({name: texts[name] for name in ids if name in texts})
    same = {name: texts[name] for name, print_ in prints.items() if known.get(name) == print_}
    # What wasn't asked about is read, too, for it may be broken.
    rest = [name for name in texts if name not in same] if len(same) < len(texts) else []
    if not rest and same:
        return Reading({}, (), same)
    entries = reader(judge(replace(reply, text=_document(texts, rest) if rest else reply.text)), ids)
    return Reading(
        entries.found,
        entries.unreadable,
        same,
        {name: prints[name] for name in rest if name in entries.found and name in prints},
    )


def read_same(texts: Mapping[str, str], reader: Reader[State]) -> dict[str, State | Refused]:
    """Read entries that were left alone as the same, after all. They could be read before."""
    if not texts:
        return {}
    reply = Reply(200, _document(texts, list(texts)))
    return reader(judge(reply), list(texts)).found


def entry_texts(reply: Reply) -> dict[str, str] | None:
    """The text of each entry by its ID; None for an answer of any but the plain shape."""
    body = reply.text
    if reply.status != 200 or len(body) > _LONGEST:
        return None
    opening = _OPENING.match(body)
    pieces = _ENTRY.findall(body)
    if opening is None or not pieces:
        return None
    # Nothing but entries, a comma after each and the closing brace after the last.
    if opening.end() + sum([len(piece[0]) for piece in pieces]) != len(body):
        return None
    if pieces[-1][3] != "}" or any(piece[3] != "," for piece in pieces[:-1]):
        return None
    texts = {name: text for _, name, text, _ in pieces}
    return texts if len(texts) == len(pieces) else None


def _document(texts: Mapping[str, str], names: Sequence[str]) -> str:
    return "{" + ",".join([f'"{name}":{texts[name]}' for name in names]) + "}"
