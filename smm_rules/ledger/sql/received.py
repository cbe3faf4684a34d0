"""What programs ask for under keys of their own: done once, and answered alike however often it is asked.

The key is written in the transaction that does what was asked. So it is there if and only if that was done,
and whoever asks again, at the same time, after a crash or on another machine, gets the answer of the first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from smm_rules.engine.firing import IntentDraft, MessageDraft
from smm_rules.engine.guards import Guards
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.codec import (
    encode_rule_guards,
    entity_text,
    from_micros,
    storable,
    to_json,
    to_micros,
)
from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import Asked, Intent, NewOrder, Received
from smm_rules.ledger.sql import orders, outbox
from smm_rules.ledger.sql.guarding import Guarding
from smm_rules.ledger.sql.holds import on_hold, open_hold
from smm_rules.ledger.sql.intents import OPERATOR, Origin, must_have, plan
from smm_rules.ledger.sql.query import Connection, cell, changed, first, rows
from smm_rules.rules.model import NO_RULE_GUARDS, RuleGuards

#: For how long after a hold a purchase that doesn't say since when it is asked for may have been asked for
#: before it, under a key that the lost run knew.
DOUBTED_FOR = timedelta(days=1)
#: How long the key of what tracked orders is kept. Asked again later it does no harm: a known order stays as
#: it is. The key of a purchase is kept as long as the purchase, and as history.
TRACKING_KEPT = timedelta(days=1)

_FIND = "SELECT digest, at, intent, answer FROM received WHERE client = ? AND key = ?"
_KEEP = "INSERT INTO received (client, key, digest, at, intent, guards, answer) VALUES (?, ?, ?, ?, ?, ?, ?)"
_DROP_TRACKING = "DELETE FROM received WHERE intent IS NULL AND at < ?"
_PRUNE = """
  DELETE FROM received WHERE at < ? AND (
    intent IS NULL OR NOT EXISTS (SELECT 1 FROM intents WHERE intents.id = received.intent)
  )
"""
_GUARDS_OF = "SELECT guards FROM received WHERE intent = ?"
#: Of the last hold, for `holds.keeps` goes by that one, too.
_CONFIRMED_LATELY = """
  SELECT act_since FROM holds
  WHERE confirmed_at > ? AND id = (SELECT max(id) FROM holds WHERE confirmed_at IS NOT NULL)
"""
_WATCHED = """
  SELECT name FROM entities WHERE kind = 'order' AND panel = ? AND forgotten_at IS NULL
    AND name IN (SELECT value FROM json_each(?))
"""


def find(connection: Connection, client: str, key: str) -> Received | None:
    row = first(connection, _FIND, (storable(client), storable(key)))
    if row is None:
        return None
    digest, at, intent, answer = row
    return Received(digest, from_micros(at), intent, answer)


def track(
    connection: Connection,
    given: Sequence[NewOrder],
    asked: Asked,
    answer: Callable[[frozenset[Entity]], str],
    now: datetime,
    by: str,
) -> Received:
    """Watch these orders unless the key says that it was done. `answer` is made of those that were new."""
    known = None if asked.key is None else find(connection, asked.client, asked.key)
    if known is not None:
        return known
    watched = _watched(connection, given)
    orders.take_in(connection, given, now, by)
    fresh = frozenset(order.entity for order in given if order.entity not in watched)
    done = Received(asked.digest, now, None, answer(fresh))
    if asked.key is not None:
        changed(connection, _DROP_TRACKING, (to_micros(now - TRACKING_KEPT),))
        _keep(connection, asked, done, NO_RULE_GUARDS)
    return done


def purchase(
    connection: Connection,
    draft: IntentDraft,
    asked: Asked,
    answer: Callable[[Intent], str],
    now: datetime,
    by: str,
    bounds: RuleGuards,
    told: Callable[[Intent], MessageDraft | None],
    guards: Guards,
) -> Received:
    """Plan an order unless the key says that it was done. `answer` is made of the intent as planned.

    On a hold what was done stays done, and nothing new is taken.
    """
    if asked.key is None:
        raise ValueError("a purchase needs a key, or asking again would buy again")
    known = find(connection, asked.client, asked.key)
    if known is not None:
        return known
    if open_hold(connection) is not None:
        raise on_hold()
    panel = Entity(EntityKind.PANEL, draft.panel)
    began = began_at(connection, now) if asked.since is None else to_micros(min(asked.since, now))
    origin = Origin(None, OPERATOR, entity_text(panel), began)
    intent_id = plan(connection, draft, origin, now, by, Guarding(connection, now, guards), bounds)
    if intent_id is None:
        raise StateConflict("the very same purchase was planned before, under a key that is no longer kept")
    intent = must_have(connection, intent_id)
    message = told(intent)
    if message is not None:
        outbox.enqueue(connection, message, now)
    done = Received(asked.digest, now, intent_id, answer(intent))
    _keep(connection, asked, done, bounds)
    return done


def began_at(connection: Connection, now: datetime) -> int:
    """When what is asked for now, and is new to the ledger, is taken to have begun.

    For a day after a hold was confirmed that is before it, so that it is held (`holds.keeps`): the run that
    was lost may have bought it, and the ledger have forgotten that.
    """
    act_since: int | None = cell(connection, _CONFIRMED_LATELY, (to_micros(now - DOUBTED_FOR),))
    return to_micros(now) if act_since is None else min(act_since - 1, to_micros(now))


def guards_asked(intent_id: int) -> tuple[str, tuple[int]]:
    """The statement that finds the guards of the client that asked for a purchase, as they were then."""
    return _GUARDS_OF, (intent_id,)


def prune(connection: Connection, at: int) -> int:
    """Drop keys older than `at` (microseconds), those of purchases only once the purchase is dropped, too."""
    return changed(connection, _PRUNE, (at,))


def _keep(connection: Connection, asked: Asked, done: Received, bounds: RuleGuards) -> None:
    assert asked.key is not None
    guards = encode_rule_guards(bounds)
    name = (storable(asked.client), storable(asked.key))
    changed(connection, _KEEP, (*name, asked.digest, to_micros(done.at), done.intent, guards, done.answer))


def _watched(connection: Connection, given: Sequence[NewOrder]) -> frozenset[Entity]:
    """Those of the given orders that are watched already."""
    names: defaultdict[str, list[str]] = defaultdict(list)
    for order in given:
        names[order.entity.panel].append(order.entity.id)
    return frozenset(
        Entity(EntityKind.ORDER, panel, name)
        for panel, wanted in names.items()
        for (name,) in rows(connection, _WATCHED, (panel, to_json(wanted)))
    )
