"""What a panel repeats word for word isn't read twice.

An answer about many IDs is cut into the text of each entry (`panel.entries`). An entry whose text is, by its
fingerprint, the one already read is left alone; the others are read as if the panel had answered about them
alone.

Nor is a whole answer cut twice that came to nothing but repeats: a hash of all that this followed
from, the answer itself, the IDs in their order and what was known of each, is kept in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from itertools import islice
from struct import unpack
from types import MappingProxyType
from typing import Generic, TypeVar

from smm_rules.panel.answers import Refused
from smm_rules.panel.entries import Said, document_of, entry_texts
from smm_rules.panel.replies import Reply, judge
from smm_rules.panel.shapes import Entries

State = TypeVar("State")
#: Reads a decoded document about these IDs.
Reader = Callable[[object, Sequence[str]], Entries[State]]

#: No answer was read before.
NOTHING_KNOWN: Mapping[str, int] = MappingProxyType({})
#: So many answers of nothing but repeats are remembered, 100 bytes each: those about a million orders.
MOST_REMEMBERED = 10_000
#: Copied for every entry of every answer, which takes less than making one.
_BLANK = blake2b(digest_size=8)


@dataclass(frozen=True, slots=True)
class Reading(Generic[State]):
    """What an answer came to. `same` are the IDs whose entries were read before and are the same now, each
    with the answer that its text can still be read from.

    `prints` are the fingerprints of the texts that `found` was read from, where they could be cut.
    """

    found: dict[str, State | Refused]
    unreadable: tuple[str, ...]
    same: Mapping[str, Said] = field(default_factory=dict)
    prints: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Repeats:
    """What the readings of many answers told of repeats, together."""

    known: Mapping[str, int]
    same: dict[str, Said] = field(default_factory=dict)
    prints: dict[str, int] = field(default_factory=dict)

    def take(self, reading: Reading[State]) -> None:
        """Add one answer's."""
        self.same.update(reading.same)
        self.prints.update(reading.prints)


class Remembered:
    """Answers that came to nothing but repeats. The oldest are forgotten first."""

    def __init__(self, most: int = MOST_REMEMBERED) -> None:
        self._most = most
        self._hashes: dict[int, None] = {}

    def __contains__(self, hash_: int) -> bool:
        if hash_ not in self._hashes:
            return False
        del self._hashes[hash_]
        self._hashes[hash_] = None
        return True

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, hash_: int) -> None:
        self._hashes[hash_] = None
        if len(self._hashes) > self._most:
            for oldest in list(islice(self._hashes, self._most // 10 + 1)):
                del self._hashes[oldest]


def fingerprints(texts: Mapping[str, str]) -> dict[str, int]:
    """Of each text a whole number of 64 bits, signed, that two entries of one order almost never have."""
    digests = []
    for text in texts.values():
        digest = _BLANK.copy()
        digest.update(text.encode())
        digests.append(digest.digest())
    return dict(zip(texts, unpack(f">{len(texts)}q", b"".join(digests)), strict=True))


def read(
    reply: Reply,
    ids: Sequence[str],
    known: Mapping[str, int],
    reader: Reader[State],
    remembered: Remembered | None = None,
) -> Reading[State]:
    """Read an answer about `ids`, less the entries whose fingerprints are `known` by ID.

    Raises what `judge` and the reader raise for the answer as a whole. Answers that are nothing but repeats
    are `remembered`.
    """
    whole = None if remembered is None else _hash_of_all(reply, ids, known)
    if remembered is not None and whole is not None and whole in remembered:
        return Reading({}, (), dict.fromkeys(ids, Said(reply)))
    texts = entry_texts(reply)
    if texts is None:
        entries = reader(judge(reply), ids)
        return Reading(entries.found, entries.unreadable)
    prints = fingerprints(
        texts if [*texts] == [*ids] else {name: texts[name] for name in ids if name in texts}
    )
    said = Said(reply, texts)
    if prints.items() <= known.items():
        same = dict.fromkeys(prints, said)
    else:
        same = {name: said for name, print_ in prints.items() if known.get(name) == print_}
    # What wasn't asked about is read, too, for it may be broken.
    rest = [name for name in texts if name not in same] if len(same) < len(texts) else []
    if not rest and same:
        if remembered is not None and whole is not None and len(same) == len(ids):
            remembered.add(whole)
        return Reading({}, (), same)
    entries = reader(judge(replace(reply, text=document_of(texts, rest) if rest else reply.text)), ids)
    return Reading(
        entries.found,
        entries.unreadable,
        same,
        {name: prints[name] for name in rest if name in entries.found and name in prints},
    )


def read_same(same: Mapping[str, Said], reader: Reader[State]) -> dict[str, State | Refused]:
    """Read entries that were left alone as the same, after all. They could be read before."""
    if not same:
        return {}
    texts = {name: said.about(name) for name, said in same.items()}
    reply = Reply(200, document_of(texts, texts))
    return reader(judge(reply), list(texts)).found


def _hash_of_all(reply: Reply, ids: Sequence[str], known: Mapping[str, int]) -> int | None:
    """A hash of all that a reading follows from; None where it can't be all repeats.

    It is Python's own, another one in each process, which is why it is kept nowhere else.
    """
    if reply.status != 200:
        return None
    prints = tuple([known.get(name) for name in ids])
    return None if None in prints else hash((reply.text, tuple(ids), prints))
