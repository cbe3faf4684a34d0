"""Intents as rows: planned, read, and annotated. Changes of their state are in `changes`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from smm_rules.engine.choosing import Choice, choice_text
from smm_rules.engine.firing import Firing, IntentDraft, Occasion
from smm_rules.engine.guards import APPROVAL, NO_GUARDS, Guards
from smm_rules.engine.memory import Reason
from smm_rules.facts import Entity
from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.codec import (
    decode_facts,
    decode_limits,
    decode_rule_guards,
    decode_steps,
    decode_texts,
    entity_from_text,
    entity_text,
    from_micros,
    maybe_instant,
    maybe_micros,
    storable,
    to_json,
    to_micros,
)
from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import CHOICE, Intent, IntentState, Transition
from smm_rules.ledger.sql import audit, choosing, stops
from smm_rules.ledger.sql.guarding import About, Action, Guarding, about_asked, about_from
from smm_rules.ledger.sql.holds import KEEPS, keeps
from smm_rules.ledger.sql.query import Connection, Row, cell, first, rows, rows_of_all, run
from smm_rules.ledger.states import FINAL, no_such_intent
from smm_rules.ledger.stops import PASSES_STOPS, TRIPPED, StopScope
from smm_rules.rules.model import NO_RULE_GUARDS, Mode, RuleGuards, StepKind

#: The rule of an intent that the operator asked for.
OPERATOR = "operator"
#: The reason of an intent that was never to be sent because a template of its step failed.
TEMPLATE_FAILED = "template_failed"

COLUMNS = """
  id, firing, rule, entity, episode, step, kind, panel, parameters, state, reason, message, reserved,
  currency, attempts, not_before, planned_at, claimed_at, settled_at, result, owner, evidence,
  expires_at
"""
_INTENT = f"SELECT {COLUMNS} FROM intents WHERE id = ?"  # noqa: S608 - only constants are put in
_CLAIMABLE = f"""
  SELECT {COLUMNS} FROM intents WHERE state = 'planned' AND (not_before IS NULL OR not_before <= ?1)
    AND rule NOT IN (SELECT value FROM json_each(?3)) AND panel NOT IN (SELECT value FROM json_each(?4))
    AND (
      (rule NOT IN (SELECT value FROM json_each(?5)) AND panel NOT IN (SELECT value FROM json_each(?6)))
      OR EXISTS (
        SELECT 1 FROM transitions AS held WHERE held.intent = intents.id AND held.after = 'held'
          AND held.reason IN (SELECT value FROM json_each(?7))
      )
    )
  ORDER BY id LIMIT ?2
"""  # noqa: S608 - as above
_INTENTS = f"SELECT {COLUMNS} FROM intents WHERE true"  # noqa: S608 - as above
#: Two searches, each by an index of its own: what has ended by its end, what hasn't by its state.
_UNDER_WAY = f"""
  SELECT {COLUMNS} FROM intents
  WHERE panel = ?1 AND settled_at >= ?2 AND claimed_at <= ?3 AND state = 'confirmed'
  UNION ALL
  SELECT {COLUMNS} FROM intents
  WHERE state IN ('sending', 'unknown') AND panel = ?1 AND claimed_at <= ?3 ORDER BY id
"""  # noqa: S608 - as above
_IN_STATES = " AND state IN (SELECT value FROM json_each(?))"
_PLAN = """
  INSERT INTO intents (
    firing, rule, entity, episode, step, kind, panel, parameters, state, reason, message, reserved, currency,
    planned_at, settled_at, subject, root, expires_at
  ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING id
"""
_ADD_TRANSITION = """
  INSERT INTO transitions (intent, at, before, after, reason, message, by) VALUES (?, ?, ?, ?, ?, ?, ?)
"""
_TRANSITIONS = "SELECT at, before, after, reason, message, by FROM transitions WHERE intent = ? ORDER BY id"
_FIRING_KEY = "SELECT key FROM firings WHERE id = ?"
_EVIDENCE = "SELECT evidence, rule, entity FROM intents WHERE id = ?"
_SET_EVIDENCE = "UPDATE intents SET evidence = ? WHERE id = ?"
FIRING_COLUMNS = """
  rule, rule_version, entity, root, episode, occasion, ordinal, at, facts, steps, otherwise, limits,
  guards
"""
_FIRING = f"SELECT {FIRING_COLUMNS} FROM firings WHERE id = ?"  # noqa: S608 - only constants are put in
_FIRINGS = f"""
  SELECT {FIRING_COLUMNS} FROM firings WHERE at BETWEEN ? AND ? ORDER BY at, id LIMIT ?
"""  # noqa: S608 - as above


class Origin(NamedTuple):
    """What asked for an intent, as columns. `key` is the firing's, None where it isn't at hand."""

    firing: int | None
    rule: str
    entity: str
    episode: int
    key: str | None = None


class Told(NamedTuple):
    """What the record of decisions tells of an intent with each change, as it is after it: its columns."""

    rule: str
    entity: str
    result: str


class _Birth(NamedTuple):
    """What the record tells of an intent when it is written, beside `Told`."""

    step: str
    kind: str
    panel: str
    parameters: Mapping[str, str]
    reserved: Decimal | None
    currency: str | None
    firing: str | None


def plan(
    connection: Connection,
    draft: IntentDraft,
    origin: Origin,
    now: datetime,
    by: str,
    guarding: Guarding,
    rule: RuleGuards = NO_RULE_GUARDS,
    hold: Reason | None = None,
) -> int | None:
    """Write a draft as planned; as held where a guard stops it, as denied for a rule in the shadow, as not
    sent where its template failed.

    Returns the intent's ID, None when it was written before.
    """
    on, is_kept = _standing(connection, origin)
    draft, choice = _chosen(connection, draft, origin, on, guarding, rule)
    action = Action(origin.rule, draft.panel, draft.kind, on, draft.estimate, draft.currency)
    if hold is not Reason.SHADOW and is_kept:
        hold = Reason.RESTORED
    state, reason, message = _birth(draft, action, guarding, rule, hold)
    expires_at = expiry(rule, now) if reason == APPROVAL else None
    at = to_micros(now)
    values = (
        *origin[:4],
        draft.step,
        draft.kind.value,
        draft.panel,
        to_json(draft.parameters),
        state.value,
        reason,
        storable(message),
        None if draft.estimate is None else str(draft.estimate),
        draft.currency,
        at,
        at if state in FINAL else None,
        *on,
        maybe_micros(expires_at),
    )
    intent_id: int | None = cell(connection, _PLAN, values)
    if intent_id is None:
        return None
    _note_birth(connection, intent_id, draft, origin, Transition(now, "", state, reason, message, by))
    if choice is not None:
        note(connection, intent_id, {CHOICE: storable(choice_text(choice))}, now)
    if state is IntentState.PLANNED:
        guarding.planned(action)
    return intent_id


def _standing(connection: Connection, origin: Origin) -> tuple[About, bool]:
    """What an action is about, and whether a hold keeps it."""
    entity = entity_from_text(origin.entity)
    of_entity, of_holds = rows_of_all(connection, about_asked(entity), KEEPS)
    return about_from(entity, of_entity), keeps(of_holds, origin.episode)


def _chosen(
    connection: Connection,
    draft: IntentDraft,
    origin: Origin,
    on: About,
    guarding: Guarding,
    rule: RuleGuards,
) -> tuple[IntentDraft, Choice | None]:
    """A draft with its panel chosen where that is left to the ledger: once, for it is written so."""
    if draft.choosing is None or draft.failure:
        return draft, None
    asked = None if origin.firing is None else firing(connection, origin.firing)
    asker = choosing.Asker(origin.rule, rule, origin.firing, asked, on)
    return choosing.choose(connection, draft, asker, guarding)


def _birth(
    draft: IntentDraft, action: Action, guarding: Guarding, rule: RuleGuards, hold: Reason | None
) -> tuple[IntentState, str, str]:
    if draft.failure:
        return IntentState.NOT_SENT, TEMPLATE_FAILED, draft.failure
    if rule.mode is Mode.SHADOW or hold is Reason.SHADOW:
        return IntentState.DENIED, Reason.SHADOW.value, ""
    if hold is None and rule.mode is Mode.DRY_RUN:
        hold = Reason.DRY_RUN
    if hold is not None:
        return IntentState.HELD, hold.value, ""
    guarded = guarding.planning(action, rule)
    if guarded is not None:
        return IntentState.HELD, guarded.reason, guarded.message
    return IntentState.PLANNED, "", ""


def expiry(rule: RuleGuards, now: datetime) -> datetime | None:
    """When what waits for approval from now on is denied by itself."""
    expires = rule.approval.expires if rule.approval is not None else None
    return None if expires is None else now + expires


def ask(
    connection: Connection,
    draft: IntentDraft,
    entity: Entity,
    now: datetime,
    by: str,
    guards: Guards = NO_GUARDS,
) -> Intent:
    """The operator's word is an episode of its own, named by the instant it was given."""
    origin = Origin(None, OPERATOR, entity_text(entity), to_micros(now))
    intent_id = plan(connection, draft, origin, now, by, Guarding(connection, now, guards))
    if intent_id is None:
        raise StateConflict(
            f"{draft.kind} of {entity} was already asked for at {now.isoformat()}; it is not planned twice"
        )
    return must_have(connection, intent_id)


def _note_birth(
    connection: Connection, intent_id: int, draft: IntentDraft, origin: Origin, change: Transition
) -> None:
    """The first transition. All that is told of it is at hand, but for the firing that others left behind."""
    key = origin.key
    if key is None and origin.firing is not None:
        key = cell(connection, _FIRING_KEY, (origin.firing,))
    birth = _Birth(
        draft.step,
        draft.kind.value,
        draft.panel,
        draft.parameters,
        draft.estimate,
        draft.currency,
        None if key is None else storable(key),
    )
    _write_transition(connection, intent_id, change)
    _record(connection, intent_id, change, Told(origin.rule, origin.entity, ""), birth)


def add_transition(connection: Connection, intent_id: int, change: Transition, told: Told) -> None:
    """A change that was just made of an intent, of which `told` was returned."""
    _write_transition(connection, intent_id, change)
    _record(connection, intent_id, change, told)


def _write_transition(connection: Connection, intent_id: int, change: Transition) -> None:
    values = (
        intent_id,
        to_micros(change.at),
        change.before,
        change.after.value,
        change.reason,
        storable(change.message),
        change.by,
    )
    run(connection, _ADD_TRANSITION, values)


def _record(
    connection: Connection, intent_id: int, change: Transition, told: Told, birth: _Birth | None = None
) -> None:
    """The change in the record of decisions; at an intent's birth with all that it asks for."""
    data: dict[str, object] = {
        "intent": intent_id,
        "rule": told.rule,
        "before": change.before,
        "after": change.after.value,
        "reason": change.reason,
        "message": storable(change.message),
    }
    data |= {"result": told.result} if birth is None else birth._asdict()
    kind = AuditKind.TRANSITION if birth is None else AuditKind.INTENT
    audit.append(connection, change.at, kind, change.by, told.entity, data)


def note(
    connection: Connection, intent_id: int, evidence: Mapping[str, str], now: datetime | None = None
) -> None:
    """Without `now` the record of decisions has it at the time of its entry before."""
    row = first(connection, _EVIDENCE, (intent_id,))
    if row is None:
        raise no_such_intent(intent_id)
    stored, rule, entity = row
    known = decode_texts(stored)
    news = {name: text for name, text in evidence.items() if known.get(name) != text}
    if not news:
        return
    run(connection, _SET_EVIDENCE, (to_json(known | news), intent_id))
    data = {"intent": intent_id, "rule": rule, "evidence": news}
    audit.append(connection, now or audit.last_at(connection), AuditKind.EVIDENCE, "", entity, data)


def intent(connection: Connection, intent_id: int) -> Intent | None:
    row = first(connection, _INTENT, (intent_id,))
    return None if row is None else intent_from(row)


def must_have(connection: Connection, intent_id: int) -> Intent:
    """The intent; `StateConflict` when the ledger has none of that ID."""
    found = intent(connection, intent_id)
    if found is None:
        raise no_such_intent(intent_id)
    return found


def claimable(connection: Connection, now: datetime, limit: int) -> tuple[Intent, ...]:
    """What a stop concerns is left out: it would stand before what may be sent."""
    in_force = [stop for stop in stops.active(connection) if stop.active(now)]
    if any(stop.scope is StopScope.ALL for stop in in_force):
        return ()
    names = [
        to_json([s.name for s in in_force if s.scope is scope and (s.kind in TRIPPED) is tripped])
        for tripped in (False, True)
        for scope in (StopScope.RULE, StopScope.PANEL)
    ]
    found = rows(connection, _CLAIMABLE, (to_micros(now), limit, *names, to_json(sorted(PASSES_STOPS))))
    return tuple(intent_from(row) for row in found)


def intents(
    connection: Connection,
    states: Sequence[IntentState],
    limit: int,
    rule: str | None = None,
    entity: Entity | None = None,
) -> tuple[Intent, ...]:
    query, values = _INTENTS, list[str | int]()
    if states:
        query += _IN_STATES
        values.append(to_json([state.value for state in states]))
    if rule is not None:
        query += " AND rule = ?"
        values.append(rule)
    if entity is not None:
        query += " AND entity = ?"
        values.append(entity_text(entity))
    found = rows(connection, query + " ORDER BY id DESC LIMIT ?", (*values, limit))
    return tuple(intent_from(row) for row in found)


def under_way(connection: Connection, panel: str, since: datetime, until: datetime) -> tuple[Intent, ...]:
    found = rows(connection, _UNDER_WAY, (panel, to_micros(since), to_micros(until)))
    return tuple(intent_from(row) for row in found)


def transitions(connection: Connection, intent_id: int) -> tuple[Transition, ...]:
    return transitions_from(rows(connection, *transitions_asked(intent_id)))


def transitions_asked(intent_id: int) -> tuple[str, tuple[int]]:
    """The statement that finds an intent's transitions, with its values."""
    return _TRANSITIONS, (intent_id,)


def transitions_from(found: Sequence[Row]) -> tuple[Transition, ...]:
    """What `transitions_asked` found."""
    return tuple(
        Transition(from_micros(at), before, IntentState(after), reason, message, by)
        for at, before, after, reason, message, by in found
    )


def firing(connection: Connection, firing_id: int) -> Firing | None:
    row = first(connection, _FIRING, (firing_id,))
    return None if row is None else firing_from(row)


def firings(connection: Connection, since: datetime, until: datetime, limit: int) -> tuple[Firing, ...]:
    found = rows(connection, _FIRINGS, (to_micros(since), to_micros(until), limit))
    return tuple(firing_from(row) for row in found)


def firing_from(row: Row) -> Firing:
    """A row of `FIRING_COLUMNS` as a record."""
    rule, version, entity, root, episode, occasion, ordinal, at, facts, steps, otherwise, limits, guards = row
    return Firing(
        rule=rule,
        rule_version=version,
        entity=entity_from_text(entity),
        root=entity_from_text(root),
        episode=from_micros(episode),
        occasion=Occasion(occasion),
        ordinal=ordinal,
        at=from_micros(at),
        facts=decode_facts(facts),
        steps=decode_steps(steps),
        otherwise=decode_steps(otherwise),
        limits=decode_limits(limits),
        guards=decode_rule_guards(guards),
    )


def intent_from(row: Row) -> Intent:
    """A row of `COLUMNS` as a record."""
    (intent_id, firing_id, rule, entity, episode, step, kind, panel, parameters, state, *rest) = row
    (reason, message, reserved, currency, attempts, not_before, planned, claimed, settled, *last) = rest
    result, owner, evidence, expires = last
    return Intent(
        id=intent_id,
        firing=firing_id,
        rule=rule,
        entity=entity_from_text(entity),
        episode=from_micros(episode),
        step=step,
        kind=StepKind(kind),
        panel=panel,
        parameters=decode_texts(parameters),
        state=IntentState(state),
        reason=reason,
        message=message,
        reserved=None if reserved is None else Decimal(reserved),
        currency=currency,
        attempts=attempts,
        not_before=maybe_instant(not_before),
        planned_at=from_micros(planned),
        claimed_at=maybe_instant(claimed),
        settled_at=maybe_instant(settled),
        result=result,
        owner=owner,
        evidence=decode_texts(evidence),
        expires_at=maybe_instant(expires),
    )
