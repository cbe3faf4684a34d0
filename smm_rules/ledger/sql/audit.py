"""The record of decisions as rows: appended, read, verified, sealed. See `ledger.audit`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from smm_rules.ledger.audit import (
    GENESIS,
    AuditEntry,
    AuditFault,
    AuditKind,
    AuditQuery,
    Head,
    RuleText,
    Verification,
    digest,
)
from smm_rules.ledger.codec import (
    entity_text,
    from_json,
    from_micros,
    maybe_micros,
    storable,
    to_canonical_json,
    to_micros,
)
from smm_rules.ledger.sql.query import Connection, Row, cell, changed, first, rows, run

_LAST = "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1"
_HANDED_OUT = "SELECT seq FROM sqlite_sequence WHERE name = 'audit'"
_BEFORE = f"""
  SELECT ({_HANDED_OUT}), (SELECT hash FROM audit ORDER BY id DESC LIMIT 1)
"""  # noqa: S608 - only constants are put in
_ADD = "INSERT INTO audit (id, at, kind, by, subject, data, hash) VALUES (?, ?, ?, ?, ?, ?, ?)"
_COLUMNS = "id, at, kind, by, subject, data, hash"
_PAGE = f"""
  SELECT {_COLUMNS} FROM audit WHERE id > ?1 AND (?2 IS NULL OR at >= ?2) AND (?3 IS NULL OR at < ?3)
    AND (?4 IS NULL OR kind IN (SELECT value FROM json_each(?4))) AND (?5 IS NULL OR subject = ?5)
    AND (?6 IS NULL OR json_extract(data, '$.rule') = ?6)
    AND (?7 IS NULL OR CAST(json_extract(data, '$.intent') AS TEXT) = ?7)
  ORDER BY id LIMIT ?8
"""  # noqa: S608 - only constants are put in
_ONE = f"SELECT {_COLUMNS} FROM audit WHERE id = ?"  # noqa: S608 - as above
_ALL = f"SELECT {_COLUMNS} FROM audit WHERE id > ? ORDER BY id LIMIT ?"  # noqa: S608 - as above
_HASH = "SELECT hash FROM audit WHERE id = ?"
_LAST_CHECKPOINT = "SELECT data FROM audit WHERE kind = 'checkpoint' ORDER BY id DESC LIMIT 1"
_LAST_RULES = "SELECT data FROM audit WHERE kind = 'rules' ORDER BY id DESC LIMIT 1"
_SEALABLE = "SELECT min(id) FROM audit WHERE at >= ?"
_SEAL = "SELECT count(*), min(id), max(id), min(at), max(at) FROM audit WHERE id < ?"
_DROP = "DELETE FROM audit WHERE id <= ?"
_KEEP_TEXT = """
  INSERT INTO rule_versions (rule, version, digest, text, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
_TEXT = """
  SELECT text FROM rule_versions WHERE rule = ?1 AND version = ?2 AND (?3 IS NULL OR digest = ?3)
  ORDER BY at DESC LIMIT 1
"""
_TEXTS = "SELECT rule, version, digest, text FROM rule_versions"
#: Rows of one page of a verification: a record of years needs no memory for all of it.
_VERIFIED_AT_ONCE = 5_000


@dataclass(slots=True)
class End:
    """Where the record ends: the last ID ever given, 0 for none, and the hash of the last entry.

    A connection that is alone in appending may keep it, as `end_of_record`, for as long as it is.
    """

    given: int
    hash: str | None


def head(connection: Connection) -> Head:
    """The last entry."""
    row = first(connection, _LAST)
    return Head() if row is None else Head(*row)


def last_at(connection: Connection) -> datetime:
    """When the last entry was written, 1970 where there is none."""
    return from_micros(cell(connection, "SELECT at FROM audit ORDER BY id DESC LIMIT 1") or 0)


def append(
    connection: Connection,
    at: datetime,
    kind: AuditKind,
    by: str,
    subject: str,
    data: Mapping[str, object],
) -> None:
    """Add an entry, within the transaction that does what it tells of.

    The ID is the next never used: entries that somebody cut off at the end leave a gap that shows.
    """
    end: End = getattr(connection, "end_of_record", None) or _end_of(connection)
    entry_id = end.given + 1
    columns = (entry_id, to_micros(at), kind.value, storable(by), storable(subject), to_canonical_json(data))
    hashed = digest(end.hash or GENESIS, *columns)
    run(connection, _ADD, (*columns, hashed))
    end.given, end.hash = entry_id, hashed


def _end_of(connection: Connection) -> End:
    [(handed_out, before)] = rows(connection, _BEFORE)
    return End(handed_out or 0, before)


# -- rules ----------------------------------------------------------------------------------------------
def rules_in_force(
    connection: Connection, texts: Sequence[RuleText], now: datetime, by: str, files: Sequence[str]
) -> bool:
    """Keep the texts not kept yet, and note the set; False when it is the one noted last."""
    for one in texts:
        text = storable(one.text)
        changed(connection, _KEEP_TEXT, (one.rule, one.version, one.digest, text, to_micros(now)))
    in_force: dict[str, object] = {one.rule: [one.version, one.digest] for one in texts}
    before = cell(connection, _LAST_RULES)
    known: dict[str, object] = {} if before is None else from_json(before)["in_force"]
    if before is not None and known == in_force:
        return False
    data = {
        "in_force": in_force,
        "files": list(files),
        "added": sorted(in_force.keys() - known.keys()),
        "removed": sorted(known.keys() - in_force.keys()),
        "changed": sorted(name for name in in_force.keys() & known.keys() if in_force[name] != known[name]),
    }
    append(connection, now, AuditKind.RULES, by, "", data)
    return True


def rule_text(connection: Connection, rule: str, version: str, text_digest: str | None) -> str | None:
    text: str | None = cell(connection, _TEXT, (rule, version, text_digest))
    return text


# -- reading --------------------------------------------------------------------------------------------
def page(connection: Connection, asked: AuditQuery, after: int, limit: int) -> tuple[AuditEntry, ...]:
    names = to_canonical_json(list(asked.kinds)) if asked.kinds else None
    subject = None if asked.entity is None else entity_text(asked.entity)
    span = maybe_micros(asked.since), maybe_micros(asked.until)
    intent = None if asked.intent is None else str(asked.intent)
    values = (after, *span, names, subject, asked.rule, intent, limit)
    return tuple(_entry(row) for row in rows(connection, _PAGE, values))


def entry(connection: Connection, entry_id: int) -> AuditEntry | None:
    row = first(connection, _ONE, (entry_id,))
    return None if row is None else _entry(row)


def _entry(row: Row) -> AuditEntry:
    entry_id, at, kind, by, subject, data, hashed = row
    return AuditEntry(entry_id, from_micros(at), kind, by, subject, from_json(data), hashed)


# -- verifying ------------------------------------------------------------------------------------------
def verify(connection: Connection, noted: Sequence[Head] = ()) -> Verification:
    """Look through the whole chain; the first entry at which it is broken is named.

    `noted` are heads written down elsewhere: each must be an entry of this chain, unless it was pruned.
    """
    entries, oldest, previous = 0, 0, Head()
    fault: AuditFault | None = None
    for row in _all(connection):
        if not entries:
            oldest = row[0]
            previous, fault = _before(connection, row[0])
        fault = fault or _link(previous, row)
        if fault is not None:
            break
        previous = Head(row[0], row[-1])
        entries += 1
    fault = (
        fault
        or _end(connection, previous)
        or _heads(connection, noted, oldest, previous)
        or _texts(connection)
    )
    return Verification(entries, oldest, previous, fault)


def _all(connection: Connection) -> Iterable[Row]:
    after = -1
    while found := rows(connection, _ALL, (after, _VERIFIED_AT_ONCE)):
        yield from found
        after = found[-1][0]


def _before(connection: Connection, oldest: int) -> tuple[Head, AuditFault | None]:
    """What the oldest entry kept must follow: nothing, or what the last checkpoint sealed."""
    checkpoint = cell(connection, _LAST_CHECKPOINT)
    if checkpoint is None:
        return Head(), None
    sealed = from_json(checkpoint)
    if sealed.get("last") != oldest - 1:
        what = (
            f"the last checkpoint sealed the record up to entry {sealed.get('last')}, and this is the first"
        )
        return Head(), AuditFault(oldest, what)
    return Head(sealed["last"], sealed["hash"]), None


def _link(previous: Head, row: Row) -> AuditFault | None:
    entry_id, *_, hashed = row
    if entry_id != previous.id + 1:
        missing = f"{previous.id + 1}" + (f" to {entry_id - 1}" if entry_id > previous.id + 2 else "")
        return AuditFault(previous.id + 1, f"entry {missing} is missing")
    try:
        expected = digest(previous.hash, *row[:-1])
    except (TypeError, ValueError):
        expected = ""
    if hashed == expected:
        return None
    what = "it isn't what was written, or doesn't follow from the entry before it: one of the two was altered"
    return AuditFault(entry_id, what)


def _end(connection: Connection, last: Head) -> AuditFault | None:
    handed_out = cell(connection, _HANDED_OUT) or 0
    if handed_out > last.id:
        what = f"the record ends with entry {last.id}, but entries up to {handed_out} were written"
        return AuditFault(last.id + 1, what)
    return None


def _heads(connection: Connection, noted: Sequence[Head], oldest: int, last: Head) -> AuditFault | None:
    for one in sorted(noted, key=lambda each: each.id):
        if one.id > last.id:
            what = f"entry {one.id} was noted elsewhere, but the record ends with entry {last.id}"
            return AuditFault(last.id + 1, what)
        if one.id >= max(oldest, 1) and cell(connection, _HASH, (one.id,)) != one.hash:
            what = "another hash was noted elsewhere for this entry: the chain up to it was written anew"
            return AuditFault(one.id, what)
    return None


def _texts(connection: Connection) -> AuditFault | None:
    """Whether the texts of the rules are those whose digests the record has."""
    kept = {row[:3]: RuleText(row[0], row[1], row[3]).digest for row in rows(connection, _TEXTS)}
    found = rows(connection, "SELECT id, data FROM audit WHERE kind = 'rules' ORDER BY id")
    for entry_id, data in found:
        for rule, (version, text_digest) in from_json(data)["in_force"].items():
            if kept.get((rule, version, text_digest)) != text_digest:
                return AuditFault(entry_id, f"the text of rule {rule} kept for this entry was altered")
    return None


# -- retention ------------------------------------------------------------------------------------------
def seal(connection: Connection, before: datetime, now: datetime) -> int:
    """Drop the entries older than `before`, behind a checkpoint that the rest follows from; how many.

    Only a whole beginning of the record is dropped: an entry that is older than one before it, as after the
    clock was set, waits for it.
    """
    end = cell(connection, _SEALABLE, (to_micros(before),))
    bound = head(connection).id + 1 if end is None else end
    row = first(connection, _SEAL, (bound,))
    assert row is not None
    count, oldest, last, since, until = row
    if not count:
        return 0
    data = {
        "first": oldest,
        "last": last,
        "entries": count,
        "hash": cell(connection, _HASH, (last,)),
        "since": from_micros(since),
        "until": from_micros(until),
    }
    append(connection, now, AuditKind.CHECKPOINT, "daemon", "", data)
    changed(connection, _DROP, (last,))
    return int(count)
