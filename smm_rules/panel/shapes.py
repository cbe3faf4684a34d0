"""The shapes answers come in: an object, rows, or entries each belonging to an ID.

PHP writes a list with gaps in its numbering as an object and an empty object as a list, panels answer about
one ID without repeating it, and not every entry is about an ID that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from smm_rules.panel.answers import Refused
from smm_rules.panel.errors import Unreadable
from smm_rules.panel.scalars import identifier

Entry = TypeVar("Entry")


@dataclass(frozen=True, slots=True)
class Entries(Generic[Entry]):
    """The entries of the IDs asked about. What is in neither member was left out by the panel."""

    found: dict[str, Entry | Refused]
    unreadable: tuple[str, ...]


def one_object(document: object) -> Mapping[str, object]:
    if isinstance(document, list) and len(document) == 1:
        document = document[0]
    if not isinstance(document, Mapping):
        raise Unreadable("the answer is not an object")
    return document


def rows_of(document: object) -> list[object]:
    """The rows of a list, also of one that PHP wrote as an object because its numbering had gaps."""
    if isinstance(document, Mapping) and all(isinstance(row, Mapping) for row in document.values()):
        return list(document.values())
    if not isinstance(document, list):
        raise Unreadable("the answer is not a list")
    return document


def read_entries(
    document: object,
    ids: Sequence[str],
    label: str,
    read: Callable[[object], Entry | Refused | None],
) -> Entries[Entry]:
    asked = set(ids)
    found: dict[str, Entry | Refused] = {}
    unreadable: set[str] = set()
    for name, entry in _named_entries(document, ids, label):
        if name not in asked:
            continue
        answer = read(entry)
        if answer is None or (name in found and found[name] != answer):
            unreadable.add(name)
        else:
            found[name] = answer
    for name in unreadable:
        found.pop(name, None)
    return Entries(found, tuple(name for name in ids if name in unreadable))


def _named_entries(document: object, ids: Sequence[str], label: str) -> Iterator[tuple[str, object]]:
    """Each entry of an answer with the ID it belongs to."""
    if isinstance(document, list):
        yield from _listed(document, ids, label)
    elif not isinstance(document, Mapping):
        raise Unreadable("the answer is neither an object nor a list")
    elif _is_numbered(document, label):
        yield from _listed(list(document.values()), ids, label)
    elif any(name in document for name in ids):
        yield from _keyed(document, label)
    elif len(ids) == 1 and not _looks_keyed(document):
        # The answer for one ID doesn't repeat it; if it does, it must be the one asked about.
        own = identifier(document.get(label))
        yield (ids[0] if own is None else own), document
    elif document and not _looks_keyed(document):
        raise Unreadable("the answer is about none of the IDs asked for")


def _listed(rows: list[object], ids: Sequence[str], label: str) -> Iterator[tuple[str, object]]:
    objects = [row for row in rows if isinstance(row, Mapping)]
    if rows and not objects:
        raise Unreadable("the answer's list holds no objects")
    for row in objects:
        name = identifier(row.get(label))
        if name is not None:
            yield name, row
        elif len(rows) == 1 and len(ids) == 1:
            yield ids[0], row


def _keyed(document: Mapping[str, object], label: str) -> Iterator[tuple[str, object]]:
    for name, entry in document.items():
        named = entry.get(label) if isinstance(entry, Mapping) else None
        own = None if named is None else identifier(named)
        # An entry that says it is about another ID is about neither.
        yield name, (entry if own is None or own == name else None)


def _is_numbered(document: Mapping[str, object], label: str) -> bool:
    """Whether the keys are a list's numbering: every entry says whose it is, and none agrees with its key."""
    return bool(document) and all(
        isinstance(entry, Mapping) and identifier(entry.get(label)) not in (None, name)
        for name, entry in document.items()
    )


def _looks_keyed(document: Mapping[str, object]) -> bool:
    return bool(document) and all(name.isdecimal() for name in document)
