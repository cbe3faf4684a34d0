"""Putting the ledger on hold, and confirming that it may act again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from smm_rules.engine.firing import IntentDraft
from smm_rules.engine.guards import Guards
from smm_rules.engine.memory import Reason
from smm_rules.facts import Entity
from smm_rules.ledger.codec import to_json, to_micros
from smm_rules.ledger.holds import Confirmed, Finding, Gap, Hold, HoldReason
from smm_rules.ledger.port import LedgerError, StateConflict
from smm_rules.ledger.records import Intent, IntentState, Leave, Transition
from smm_rules.ledger.sql import changes, holds, intents
from smm_rules.ledger.sql.query import Connection, cell, first, rows
from smm_rules.ledger.sql.stamping import Stamping

#: Why a claim was taken back before anything was sent.
STAMP_FAILED = "stamp_failed"
#: The same, where its process couldn't tell whether it was written, and so sent nothing.
CLAIM_IN_DOUBT = "claim_in_doubt"
#: How long it waits then: at every tick it would fill the record, and the disk, which may be what is full.
_PAUSE = timedelta(minutes=1)

_PLANNED = "SELECT id FROM intents WHERE state = 'planned' ORDER BY id"
_WAITING = "SELECT id, reason, message FROM intents WHERE state = 'held' AND reason <> ? ORDER BY id"
_HOLD_AGAIN = """
  UPDATE intents SET reason = ?, message = ? WHERE id = ? RETURNING rule, entity, result
"""
#: What waited for the operator before does so still.
_RELEASED = """
  SELECT id FROM intents WHERE state = 'held' AND reason = ? AND episode >= ? AND NOT EXISTS (
    SELECT 1 FROM transitions AS again
    WHERE again.intent = intents.id AND again.before = 'held' AND again.after = 'held'
  ) ORDER BY id
"""
_UNSEEN = """
  SELECT count(*) FROM entities WHERE kind IN ('order', 'refill') AND forgotten_at IS NULL
    AND due_at IS NOT NULL AND coalesce(last_seen_at, 0) < ?1
    AND (?2 IS NULL OR panel IN (SELECT value FROM json_each(?2)))
"""
_TAKE_BACK = """
  UPDATE intents SET state = 'planned', attempts = attempts - 1, claimed_at = NULL, owner = '',
    not_before = ?
  WHERE id = ? AND state = 'sending' AND owner = ? AND claimed_at = ?
  RETURNING rule, entity, result
"""
_PLANNED_BEFORE = "it was planned before the ledger was put back: it may have been sent since"
_WAITED_BEFORE = (
    "it waited for you before the ledger was put back ({}): it may have been approved and sent since"
)


def place(connection: Connection, reason: HoldReason, gap: Gap, by: str, now: datetime) -> Hold:
    """Put the ledger on hold, unless it is; what is planned waits for the operator from now on.

    So does what waited already, whatever for: the run that was lost may have been allowed to send it. A hold
    that the copy itself was made on counts only if nothing has been stamped since.
    """
    known = holds.open_hold(connection)
    if known is not None and known.gap.stamped_at == gap.stamped_at:
        return known
    whole = gap if known is None else _joined(known.gap, gap)
    hold = holds.add(connection, reason, whole, by, now)
    for (intent_id,) in rows(connection, _PLANNED):
        changes.hold(connection, intent_id, Reason.RESTORED.value, _PLANNED_BEFORE, now)
    for intent_id, held_for, message in rows(connection, _WAITING, (Reason.RESTORED.value,)):
        _hold_again(connection, intent_id, ": ".join(part for part in (held_for, message) if part), by, now)
    return hold


def _joined(before: Gap, after: Gap) -> Gap:
    """What two runs that were lost one after the other may have done."""
    known = [intents_ for intents_ in (before.intents, after.intents) if intents_ is not None]
    return Gap(
        before.known_until,
        after.stamped_at,
        (min(first for first, _ in known), max(last for _, last in known)) if known else None,
        {**before.orders, **after.orders},
        after.source or before.source,
    )


def _hold_again(connection: Connection, intent_id: int, held_for: str, by: str, now: datetime) -> None:
    reason, told = Reason.RESTORED.value, _WAITED_BEFORE.format(held_for)
    [row] = rows(connection, _HOLD_AGAIN, (reason, told, intent_id))
    again = Transition(now, IntentState.HELD, IntentState.HELD, reason, told, by)
    intents.add_transition(connection, intent_id, again, intents.Told(*row))


def judge(connection: Connection, finding: Finding | None, by: str, now: datetime) -> Hold | None:
    """The hold that a finding makes, or the one there is."""
    if finding is None:
        return holds.open_hold(connection)
    return place(connection, finding.reason, holds.gap(connection, finding.stamp), by, now)


def unseen(connection: Connection, panels: Sequence[str] | None) -> int:
    """How many watched orders and refills of these panels have not been looked at since the hold began."""
    hold = holds.open_hold(connection)
    if hold is None:
        return 0
    names = None if panels is None else to_json(list(panels))
    return int(cell(connection, _UNSEEN, (to_micros(hold.at), names)))


def confirm(connection: Connection, since: datetime, by: str, now: datetime) -> Confirmed:
    """End the hold. What it held and what began at `since` or later goes ahead, the rest waits."""
    hold = holds.open_hold(connection)
    if hold is None:
        raise StateConflict("the ledger is not on hold; there is nothing to confirm")
    holds.confirm(connection, since, by, now)
    found = rows(connection, _RELEASED, (Reason.RESTORED.value, to_micros(since)))
    for (intent_id,) in found:
        changes.approve(connection, intent_id, now, by)
    return Confirmed(holds.must_have(connection, hold.id), tuple(intent_id for (intent_id,) in found))


# -- what a hold keeps from happening -------------------------------------------------------------------
def claimable(connection: Connection, now: datetime, limit: int) -> tuple[Intent, ...]:
    return () if holds.open_hold(connection) is not None else intents.claimable(connection, now, limit)


def ask(
    connection: Connection, draft: IntentDraft, entity: Entity, now: datetime, by: str, guards: Guards
) -> Intent:
    if holds.open_hold(connection) is not None:
        raise holds.on_hold()
    return intents.ask(connection, draft, entity, now, by, guards)


def claim(
    connection: Connection,
    stamping: Stamping,
    intent_id: int,
    owner: str,
    now: datetime,
    evidence: Mapping[str, str],
    cost: Decimal | None,
    currency: str | None,
    guards: Guards,
) -> bool:
    """Claim, then stamp, each durable. A claim that can't be stamped is taken back: nothing has left."""

    def claim_unless_held(connection: Connection) -> bool | None:
        """None where the ledger has to be compared first: a connection made anew may lead to another one."""
        if not stamping.is_in_step:
            return None
        if holds.open_hold(connection) is not None:
            return False
        return changes.claim(connection, intent_id, owner, now, evidence, cost, currency, guards)

    claimed = stamping.transact(connection, claim_unless_held) if stamping.is_in_step else None
    if claimed is None:
        if holds.open_hold(connection) is not None:
            return False
        if stamping.recheck(connection) is not None:
            raise holds.on_hold()
        claimed = stamping.transact(connection, claim_unless_held)
    if not claimed:
        stamping.follow(connection)
        return False
    try:
        stamping.stamp_claim(connection)
    except LedgerError:
        undo = partial(take_back, intent_id=intent_id, owner=owner, claimed_at=now, reason=STAMP_FAILED)
        stamping.transact(connection, undo)
        raise
    return True


def may_leave(connection: Connection, intent_id: int, owner: str, attempt: int, now: datetime) -> Leave:
    found = changes.may_leave(connection, intent_id, owner, attempt, now)
    held = found is Leave.YES and holds.open_hold(connection) is not None
    return Leave.STOPPED if held else found


def take_back(connection: Connection, intent_id: int, owner: str, claimed_at: datetime, reason: str) -> bool:
    """Plan again what this owner claimed then, if it still stands so. Only while nothing has left."""
    claimed = (intent_id, owner, to_micros(claimed_at))
    row = first(connection, _TAKE_BACK, (to_micros(claimed_at + _PAUSE), *claimed))
    if row is None:
        return False
    taken_back = Transition(claimed_at, IntentState.SENDING, IntentState.PLANNED, reason, "", owner)
    intents.add_transition(connection, intent_id, taken_back, intents.Told(*row))
    return True
