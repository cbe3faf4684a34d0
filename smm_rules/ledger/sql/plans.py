"""Files of purchases: each row is planned in the transaction that writes down that it was."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256

from smm_rules.engine.firing import IntentDraft
from smm_rules.engine.guards import NO_GUARDS, Guarded, Guards
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.codec import entity_text, from_micros, storable, to_json, to_micros
from smm_rules.ledger.plans import PlanFile, PlannedRow, PlanRow, RowKey, may_be_planned_again
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.ledger.sql.guarding import About, Action, Guarding
from smm_rules.ledger.sql.holds import on_hold, open_hold
from smm_rules.ledger.sql.intents import COLUMNS, OPERATOR, Origin, intent_from, plan
from smm_rules.ledger.sql.query import Connection, Row, changed, first, rows
from smm_rules.ledger.sql.received import began_at
from smm_rules.rules.model import NO_RULE_GUARDS

_FILE = "SELECT name, digest, at FROM plans WHERE name = ?"
_SAME_FILE = "SELECT name, digest, at FROM plans WHERE digest = ? AND name <> ? ORDER BY at LIMIT 1"
_KEEP_FILE = """
  INSERT INTO plans (name, digest, at) VALUES (?, ?, ?)
  ON CONFLICT (name) DO UPDATE SET digest = excluded.digest
"""
_ROWS = """
  SELECT scope, key, digest, at, intent, tries FROM plan_rows
  WHERE scope = ? AND key IN (SELECT value FROM json_each(?))
"""
_NUMBERED = "SELECT scope, key, digest, at, intent, tries FROM plan_rows WHERE scope = ?"
_INTENTS = f"SELECT {COLUMNS} FROM intents WHERE id IN (SELECT value FROM json_each(?))"  # noqa: S608 - constants
_KEEP_ROW = """
  INSERT INTO plan_rows (scope, key, digest, at, intent, tries) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT (scope, key) DO UPDATE SET
    digest = excluded.digest, at = excluded.at, intent = excluded.intent, tries = excluded.tries
"""


def file(connection: Connection, name: str) -> PlanFile | None:
    row = first(connection, _FILE, (storable(name),))
    return None if row is None else PlanFile(row[0], row[1], from_micros(row[2]))


def same_file(connection: Connection, digest: str, name: str) -> PlanFile | None:
    """The first plan of another name that was made by the very same file."""
    row = first(connection, _SAME_FILE, (digest, storable(name)))
    return None if row is None else PlanFile(row[0], row[1], from_micros(row[2]))


def planned_rows(connection: Connection, keys: Sequence[RowKey]) -> dict[RowKey, PlannedRow]:
    """Those of these rows that were planned, each with its latest intent."""
    by_scope: defaultdict[str, list[str]] = defaultdict(list)
    for scope, key in keys:
        by_scope[storable(scope)].append(storable(key))
    found = [
        row for scope, names in by_scope.items() for row in rows(connection, _ROWS, (scope, to_json(names)))
    ]
    return _with_intents(connection, found)


def numbered_rows(connection: Connection, name: str) -> dict[RowKey, PlannedRow]:
    """Every row of a plan that was planned by its number."""
    return _with_intents(connection, rows(connection, _NUMBERED, (storable(name),)))


def _with_intents(connection: Connection, found: Sequence[Row]) -> dict[RowKey, PlannedRow]:
    intents = _intents(connection, [intent_id for *_, intent_id, _ in found])
    return {
        RowKey(scope, key): PlannedRow(
            RowKey(scope, key), digest, from_micros(at), intent_id, tries, intents.get(intent_id)
        )
        for scope, key, digest, at, intent_id, tries in found
    }


def foresee(
    connection: Connection, drafts: Sequence[IntentDraft], now: datetime, guards: Guards
) -> tuple[Guarded | None, ...]:
    """What would hold each of these purchases if they were planned now, in this order. Writes nothing."""
    guarding = Guarding(connection, now, guards)
    found = []
    for draft in drafts:
        action = Action(OPERATOR, draft.panel, draft.kind, About(None, None), draft.estimate, draft.currency)
        guarded = guarding.planning(action, NO_RULE_GUARDS)
        if guarded is None:
            guarding.foreseen(action)
        found.append(guarded)
    return tuple(found)


def place(
    connection: Connection,
    name: str,
    digest: str,
    given: Sequence[PlanRow],
    again: Collection[IntentState],
    now: datetime,
    by: str,
    guards: Guards = NO_GUARDS,
) -> int:
    """Plan those of these rows that never were, and those whose intent ended in a state of `again`; how many.

    A row that was planned before and says something else now is left alone.
    """
    if open_hold(connection) is not None:
        raise on_hold()
    changed(connection, _KEEP_FILE, (storable(name), digest, to_micros(now)))
    began = began_at(connection, now)
    known = planned_rows(connection, [row.key for row in given])
    guarding = Guarding(connection, now, guards)
    count = 0
    for row in given:
        before = known.get(RowKey(storable(row.key.scope), storable(row.key.key)))
        if before is not None and not _may_be_repeated(before, row, again):
            continue
        tries = 1 if before is None else before.tries + 1
        draft = replace(row.draft, step=_step(row.key, tries))
        entity = entity_text(Entity(EntityKind.PANEL, draft.panel))
        # A run that is lost since the try before may have made another: for a hold it is as old as that try.
        episode = began if before is None else min(began, to_micros(before.at))
        intent_id = plan(connection, draft, Origin(None, OPERATOR, entity, episode), now, by, guarding)
        if intent_id is None:
            continue
        key = (storable(row.key.scope), storable(row.key.key))
        changed(connection, _KEEP_ROW, (*key, row.digest, to_micros(now), intent_id, tries))
        count += 1
    return count


def _may_be_repeated(before: PlannedRow, row: PlanRow, again: Collection[IntentState]) -> bool:
    """Only what is known to have ended without a purchase; an intent that is no longer kept isn't."""
    intent = before.intent
    return before.digest == row.digest and intent is not None and may_be_planned_again(intent, again)


def _step(key: RowKey, tries: int) -> str:
    """The row and the try within the ledger's own unique key of intents."""
    return f"plan.{sha256(repr(tuple(key)).encode(errors='replace')).hexdigest()[:32]}.{tries}"


def _intents(connection: Connection, ids: Sequence[int]) -> dict[int, Intent]:
    found = rows(connection, _INTENTS, (to_json(list(ids)),))
    return {intent.id: intent for intent in map(intent_from, found)}
