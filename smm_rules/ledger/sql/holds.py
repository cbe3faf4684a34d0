"""Holds as rows, and whether the ledger is the one that its stamp has followed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.audit import AuditKind, Head
from smm_rules.ledger.codec import from_json, from_micros, maybe_instant, to_canonical_json, to_micros
from smm_rules.ledger.holds import Finding, Gap, Hold, HoldReason
from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.sql import audit
from smm_rules.ledger.sql.query import Connection, Row, cell, changed, first, rows
from smm_rules.ledger.sql.rows import key
from smm_rules.ledger.stamp import Stamp, StampUnreadable

#: The first schema with holds and stamps.
FIRST_STAMPED = 3
_COLUMNS = "id, at, reason, detail, by, confirmed_at, confirmed_by, act_since"
_OPEN = f"SELECT {_COLUMNS} FROM holds WHERE confirmed_at IS NULL ORDER BY id DESC LIMIT 1"  # noqa: S608 - constants
_ONE = f"SELECT {_COLUMNS} FROM holds WHERE id = ?"  # noqa: S608 - as above
_ADD = "INSERT INTO holds (at, reason, detail, by) VALUES (?, ?, ?, ?) RETURNING id"
_CONFIRM = "UPDATE holds SET confirmed_at = ?, confirmed_by = ?, act_since = ? WHERE confirmed_at IS NULL"
#: The statement, with its values, that finds whether there is a hold, and since when rules may act after one.
KEEPS = (
    """
    SELECT EXISTS (SELECT 1 FROM holds WHERE confirmed_at IS NULL),
      (SELECT act_since FROM holds WHERE confirmed_at IS NOT NULL ORDER BY id DESC LIMIT 1)
    """,
    (),
)
_IDENTITY = "SELECT ledger, stamped FROM identity"
_STAMPED = "UPDATE identity SET stamped = 1 WHERE stamped = 0"
_HANDED_OUT = "SELECT max(seq) FROM sqlite_sequence WHERE name = 'intents'"
_HAND_OUT_LATER = "UPDATE sqlite_sequence SET seq = ? WHERE name = 'intents' AND seq < ?"
_BEGIN_COUNTING = """
  INSERT INTO sqlite_sequence (name, seq) SELECT 'intents', ?
  WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'intents')
"""
_HASH = "SELECT hash FROM audit WHERE id = ?"
#: All that a stamp tells, and whether a hold is open, at once: the stamp is moved after every decision.
_STAMP = f"""
  SELECT i.ledger, a.id, a.hash, a.at, ({_HANDED_OUT}),
    EXISTS (SELECT 1 FROM holds WHERE confirmed_at IS NULL)
  FROM identity i LEFT JOIN audit a ON a.id = (SELECT max(id) FROM audit)
"""  # noqa: S608 - only constants are put in
_KNOWS_ORDER = "SELECT 1 FROM entities WHERE kind = ? AND panel = ? AND name = ?"


def open_hold(connection: Connection) -> Hold | None:
    """The hold that waits to be confirmed; of several the last, which knows of all that is missing."""
    row = first(connection, _OPEN)
    return None if row is None else _hold(row)


def on_hold() -> StateConflict:
    """The error of a command that would have acted."""
    return StateConflict(
        "the ledger is on hold: it may have forgotten what was done, so nothing is sent; "
        "see `smm-rules hold show`"
    )


def must_have(connection: Connection, hold_id: int) -> Hold:
    row = first(connection, _ONE, (hold_id,))
    assert row is not None
    return _hold(row)


def keeps(found: Sequence[Row], episode: int) -> bool:
    """Whether an action of an episode that began at `episode` must wait for the operator.

    While there is a hold all do. Once it is confirmed those do that began before rules may act again: the run
    that was lost may have acted on them. `found` is what `KEEPS` returned.
    """
    [(is_held, act_since)] = found
    return bool(is_held) or (act_since is not None and episode < act_since)


def add(connection: Connection, reason: HoldReason, gap: Gap, by: str, now: datetime) -> Hold:
    """A new hold. IDs of intents that were handed out in the gap never come to mean others."""
    detail = {
        "known_until": gap.known_until,
        "stamped_at": gap.stamped_at,
        "intents": gap.intents,
        "orders": dict(gap.orders),
        "source": gap.source,
    }
    if gap.intents is not None:
        last = gap.intents[1]
        changed(connection, _HAND_OUT_LATER, (last, last))
        changed(connection, _BEGIN_COUNTING, (last,))
    hold_id = cell(connection, _ADD, (to_micros(now), reason.value, to_canonical_json(detail), by))
    audit.append(connection, now, AuditKind.HOLD, by, "", {"reason": reason.value, **detail})
    return must_have(connection, hold_id)


def confirm(connection: Connection, since: datetime, by: str, now: datetime) -> None:
    changed(connection, _CONFIRM, (to_micros(now), by, to_micros(since)))
    audit.append(connection, now, AuditKind.HOLD_CONFIRMED, by, "", {"act_since": since})


def _hold(row: Row) -> Hold:
    hold_id, at, reason, detail, by, confirmed_at, confirmed_by, act_since = row
    told = from_json(detail)
    gap = Gap(
        told["known_until"],
        told["stamped_at"],
        None if told["intents"] is None else (told["intents"][0], told["intents"][1]),
        told["orders"],
        told["source"],
    )
    return Hold(
        hold_id,
        from_micros(at),
        HoldReason(reason),
        gap,
        by,
        maybe_instant(confirmed_at),
        confirmed_by or "",
        maybe_instant(act_since),
    )


# -- the stamp ------------------------------------------------------------------------------------------
def stamp_of(connection: Connection) -> Stamp:
    """The stamp that belongs beside the ledger as it is now."""
    return stamp_and_hold(connection)[0]


def stamp_and_hold(connection: Connection) -> tuple[Stamp, bool]:
    """The stamp that belongs beside the ledger as it is now, and whether a hold is open."""
    [(ledger, last, hashed, at, handed_out, on_hold)] = rows(connection, _STAMP)
    head = Head() if last is None else Head(last, hashed)
    return Stamp(ledger, head, from_micros(at or 0), handed_out or 0), bool(on_hold)


def is_stamped(connection: Connection) -> bool:
    """Whether a stamp was ever written beside the ledger."""
    return _identity(connection)[1]


def note_stamped(connection: Connection) -> None:
    changed(connection, _STAMPED)


def compare(connection: Connection, stamp: Stamp | StampUnreadable | None) -> Finding | None:
    """What is wrong between the ledger and its stamp, which must have been read before; None when nothing is.

    A ledger that is ahead of its stamp is in order: the power may have failed between the two.
    """
    ledger, stamped = _identity(connection)
    if stamp is None:
        return Finding(HoldReason.STAMP_MISSING) if stamped else None
    if isinstance(stamp, StampUnreadable):
        return Finding(HoldReason.STAMP_UNREADABLE)
    if stamp.ledger != ledger:
        return Finding(HoldReason.OTHER_LEDGER, stamp)
    if stamp.head.id > audit.head(connection).id:
        return Finding(HoldReason.OLDER, stamp)
    stored = cell(connection, _HASH, (stamp.head.id,))
    if stored is not None and stored != stamp.head.hash:
        return Finding(HoldReason.DIVERGED, stamp)
    return None if stamp.original else Finding(HoldReason.STAMP_COPIED, stamp)


def gap(connection: Connection, stamp: Stamp | None, source: str = "") -> Gap:
    """What the stamp knows and the ledger doesn't."""
    known_until = audit.last_at(connection) if audit.head(connection).id else None
    if stamp is None:
        return Gap(known_until, source=source)
    handed_out = _handed_out(connection)
    return Gap(
        known_until,
        stamp.at,
        (handed_out + 1, stamp.intents) if stamp.intents > handed_out else None,
        {
            panel: order
            for panel, order in stamp.orders.items()
            if first(connection, _KNOWS_ORDER, key(Entity(EntityKind.ORDER, panel, order))) is None
        },
        source,
    )


def identity(connection: Connection) -> str:
    """Which ledger it is; a copy has the same name as the one it was copied from."""
    return _identity(connection)[0]


def _identity(connection: Connection) -> tuple[str, bool]:
    row = first(connection, _IDENTITY)
    assert row is not None
    return row[0], bool(row[1])


def _handed_out(connection: Connection) -> int:
    return cell(connection, _HANDED_OUT) or 0
