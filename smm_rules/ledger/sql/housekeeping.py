"""The daemon's own: its heartbeat, how much there is of everything, and what may be dropped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from smm_rules.engine.episode import ended
from smm_rules.engine.memory import BLANK, Memory
from smm_rules.facts.allowance import Per
from smm_rules.ledger.codec import (
    decode_memory,
    decode_texts,
    encode_memory,
    from_micros,
    to_json,
    to_micros,
)
from smm_rules.ledger.records import Heartbeat, Totals
from smm_rules.ledger.sql import alerts, attempts, counts, received, rest, silences, sources
from smm_rules.ledger.sql.query import Connection, cell, changed, first, rows, rows_of_each
from smm_rules.ledger.sql.rows import STANDS
from smm_rules.ledger.states import COMMITTED, FINAL, OPEN

_BEAT = """
  INSERT INTO heartbeat (id, owner, started_at, beat_at, detail) VALUES (1, ?, ?, ?, ?)
  ON CONFLICT (id) DO UPDATE SET
    owner = excluded.owner, started_at = excluded.started_at, beat_at = excluded.beat_at,
    detail = excluded.detail
"""
_HEARTBEAT = "SELECT owner, started_at, beat_at, detail FROM heartbeat"
_OBSERVATIONS = "SELECT count(*) FROM history"
_MESSAGES = f"SELECT {STANDS} AS stands, count(*) FROM outbox GROUP BY stands"  # noqa: S608 - only a constant
#: Panel by panel, for then the index of due times is read no further than what is due.
_DUE = """
  WITH RECURSIVE panels (panel) AS (
    SELECT min(panel) FROM entities WHERE kind = 'order'
    UNION ALL
    SELECT (SELECT min(panel) FROM entities WHERE kind = 'order' AND panel > panels.panel)
    FROM panels WHERE panels.panel IS NOT NULL
  )
  SELECT CAST(coalesce(sum((
    SELECT count(*) FROM entities
    WHERE kind = 'order' AND panel = panels.panel AND due_at <= ? AND due_at IS NOT NULL
  )), 0) AS INTEGER) FROM panels WHERE panels.panel IS NOT NULL
"""
_RESERVED = """
  SELECT currency, reserved FROM intents
  WHERE state IN (SELECT value FROM json_each(?1)) AND reserved IS NOT NULL AND (?2 IS NULL OR panel = ?2)
"""
_MEMORIES_OF = "SELECT entity, rule, memory FROM memories WHERE rule IN (SELECT value FROM json_each(?))"
_SET_MEMORY = "UPDATE memories SET memory = ? WHERE entity = ? AND rule = ?"
_BLANK = encode_memory(BLANK)
_DROP_MEMORIES = """
  DELETE FROM memories
  WHERE rule = ? AND entity IN (SELECT id FROM entities WHERE id IN (SELECT value FROM json_each(?)))
"""
_HOLDERS_OF = "SELECT entity, memory FROM memories WHERE rule IN (SELECT value FROM json_each(?))"
_WAKE = """
  UPDATE entities SET due_at = ?1
  WHERE id IN (SELECT value FROM json_each(?2)) AND due_at > ?1 AND forgotten_at IS NULL
"""
#: What was read ahead of time, or put off, by a clock that was ahead.
_READ_AHEAD = """
  UPDATE entities SET due_at = ?1, answer = NULL, changes = changes + 1
  WHERE due_at > ?1 AND last_seen_at > ?1
"""
_TRY_AGAIN = """
  UPDATE intents SET not_before = ?1 WHERE state = 'planned' AND not_before > ?1
    AND EXISTS (SELECT 1 FROM transitions WHERE transitions.intent = intents.id AND transitions.at > ?1)
"""
#: A balance from the future is as old as it may be: the clock was set back at most a heartbeat ago.
_BALANCES_AHEAD = """
  UPDATE balances SET asked_at = ?1 - 60000000, answered_at = ?1 WHERE answered_at > ?1
"""
_TELL_AGAIN = """
  UPDATE outbox SET next_attempt_at = CASE WHEN coalesce(not_before, 0) > ?1 THEN not_before ELSE ?1 END
  WHERE state = 'pending' AND next_attempt_at > ?1
"""
_REMEMBERED = "SELECT rule, count(*) FROM memories GROUP BY rule ORDER BY rule"

#: The latest of these observations of each entity stays: it is what the entity was from then on.
_PRUNE_HISTORY = """
  DELETE FROM history AS old WHERE old.at < ?1 AND EXISTS (
    SELECT 1 FROM history AS newer WHERE newer.entity = old.entity AND newer.at > old.at AND newer.at <= ?1
  )
"""
_PRUNE_OUTBOX = """
  DELETE FROM outbox WHERE (state = 'delivered' OR dropped_at IS NOT NULL) AND settled_at < ?
"""
#: A firing goes with all its intents or not at all, so that what is kept can be understood.
_PRUNABLE = """
  old.settled_at < ?1 AND old.state IN (SELECT value FROM json_each(?2))
    AND (old.claimed_at IS NULL OR old.settled_at < ?3)
    AND NOT EXISTS (
      SELECT 1 FROM intents AS other WHERE other.firing = old.firing
        AND (
          other.settled_at >= ?1 OR other.state NOT IN (SELECT value FROM json_each(?2))
          OR (other.claimed_at IS NOT NULL AND other.settled_at >= ?3)
        )
    )
"""
_PRUNE_INTENTS = f"DELETE FROM intents AS old WHERE {_PRUNABLE}"  # noqa: S608 - only constants are put in
#: What they had cost stays known by order and chain: those have no end after which it counts no more.
_PAST_SPENDING = f"""
  SELECT subject, root, rule, panel, coalesce(currency, ''), reserved FROM intents AS old
  WHERE {_PRUNABLE} AND old.state = 'confirmed' AND old.reserved IS NOT NULL AND old.subject IS NOT NULL
"""  # noqa: S608 - as above
_SPENT_BEFORE = """
  SELECT amount FROM past_spending WHERE about = ? AND rule = ? AND panel = ? AND currency = ?
"""
_KEEP_SPENDING = """
  INSERT INTO past_spending (about, rule, panel, currency, amount) VALUES (?, ?, ?, ?, ?)
  ON CONFLICT (about, rule, panel, currency) DO UPDATE SET amount = excluded.amount
"""
_PRUNE_FIRINGS = """
  DELETE FROM firings WHERE at < ? AND NOT EXISTS (SELECT 1 FROM intents WHERE intents.firing = firings.id)
"""
_PRUNE_TRACES = "DELETE FROM traces WHERE at < ?"
#: The last end of each breaker stays: what went wrong before it must not trip it again.
_PRUNE_STOPS = """
  DELETE FROM stops AS old WHERE old.ended_at < ? AND (
    old.kind <> 'breaker' OR EXISTS (
      SELECT 1 FROM stops AS newer WHERE newer.kind = 'breaker' AND newer.scope = old.scope
        AND newer.name = old.name AND newer.ended_at > old.ended_at
    )
  )
"""


def beat(connection: Connection, heartbeat: Heartbeat) -> None:
    started_at, beat_at = to_micros(heartbeat.started_at), to_micros(heartbeat.beat_at)
    changed(connection, _BEAT, (heartbeat.owner, started_at, beat_at, to_json(heartbeat.detail)))


def heartbeat(connection: Connection) -> Heartbeat | None:
    row = first(connection, _HEARTBEAT)
    if row is None:
        return None
    owner, started_at, beat_at, detail = row
    return Heartbeat(owner, from_micros(started_at), from_micros(beat_at), decode_texts(detail))


def totals(connection: Connection, now: datetime) -> Totals:
    return Totals(
        orders=counts.watched_orders(connection),
        due=_count(connection, _DUE, to_micros(now)),
        intents=_counts(connection, "SELECT state, count(*) FROM intents GROUP BY state"),
        messages=_counts(connection, _MESSAGES),
        reserved=_reserved(connection, OPEN, None),
    )


def observations(connection: Connection) -> int:
    return _count(connection, _OBSERVATIONS)


def reserved(connection: Connection, panel: str) -> dict[str, Decimal]:
    return _reserved(connection, COMMITTED, panel)


def end_holds(connection: Connection, rules: Sequence[str]) -> int:
    """An ignored or fired episode is no hold; what it says must outlive the rule."""
    after = dict[str, str | None]()
    blank, kept = defaultdict[str, list[int]](list), list[tuple[str, int, str]]()
    for entity, rule, text in rows(connection, _MEMORIES_OF, (to_json(list(rules)),)):
        if text not in after:  # those that a sweep saw at once are alike
            after[text] = _without_hold(text)
        left = after[text]
        if left == _BLANK:
            blank[rule].append(entity)
        elif left is not None:
            kept.append((left, entity, rule))
    for rule, entities in blank.items():
        changed(connection, _DROP_MEMORIES, (rule, to_json(entities)))
    rows_of_each(connection, _SET_MEMORY, kept)
    ended_ones = [entity for entities in blank.values() for entity in entities]
    ended_ones += [entity for _, entity, _ in kept]
    rest.stir(connection, sorted(set(ended_ones)))
    return len(ended_ones)


def _without_hold(text: str) -> str | None:
    """A memory without its hold; None where it has none."""
    memory = decode_memory(text)
    return encode_memory(ended(memory)) if _holds(memory) else None


def wake(connection: Connection, rules: Sequence[str], now: datetime) -> int:
    is_hold = dict[str, bool]()
    holders = set[int]()
    for entity, text in rows(connection, _HOLDERS_OF, (to_json(list(rules)),)):
        if text not in is_hold:
            is_hold[text] = _holds(decode_memory(text))
        if is_hold[text]:
            holders.add(entity)
    return changed(connection, _WAKE, (to_micros(now), to_json(sorted(holders))))


def _holds(memory: Memory) -> bool:
    return memory.true_since is not None and memory.fired_at is None and not memory.ignored


def clock_set_back(connection: Connection, now: datetime) -> int:
    """A message put off by the right clock is tried early, too: nothing tells it from the others."""
    at = to_micros(now)
    changed(connection, _TRY_AGAIN, (at,))
    changed(connection, _TELL_AGAIN, (at,))
    changed(connection, _BALANCES_AHEAD, (at,))
    return changed(connection, _READ_AHEAD, (at,))


def remembered_rules(connection: Connection) -> dict[str, int]:
    return _counts(connection, _REMEMBERED)


def prune(connection: Connection, before: datetime, sent_before: datetime | None = None) -> dict[str, int]:
    """Never what is open, unknown or held; what rules remember, chains and counts stay too."""
    at = to_micros(before)
    prunable = (at, to_json(sorted(FINAL)), at if sent_before is None else min(at, to_micros(sent_before)))
    _keep_spending(connection, prunable)
    attempts.prune(connection, at)
    return {
        "history": changed(connection, _PRUNE_HISTORY, (at,)),
        "messages": changed(connection, _PRUNE_OUTBOX, (at,)),
        "intents": changed(connection, _PRUNE_INTENTS, prunable),
        "firings": changed(connection, _PRUNE_FIRINGS, (at,)),
        "traces": changed(connection, _PRUNE_TRACES, (at,)),
        "stops": changed(connection, _PRUNE_STOPS, (at,)),
        "alerts": alerts.prune(connection, before),
        "silences": silences.prune(connection, before),
        "received": received.prune(connection, at),
        "bad_rows": sources.prune(connection, at),
    }


def _keep_spending(connection: Connection, prunable: tuple[int, str, int]) -> None:
    """Add up what the intents about to be dropped had cost."""
    sums: dict[tuple[str, str, str, str], Decimal] = {}
    for subject, root, rule, panel, currency, amount in rows(connection, _PAST_SPENDING, prunable):
        for about in (f"{Per.ORDER} {subject}", f"{Per.CHAIN} {root}"):
            name = (about, rule, panel, currency)
            sums[name] = sums.get(name, Decimal(0)) + Decimal(amount)
    for name, amount in sums.items():
        before = Decimal(cell(connection, _SPENT_BEFORE, name) or 0)
        changed(connection, _KEEP_SPENDING, (*name, str(before + amount)))


def _reserved(connection: Connection, states: frozenset[str], panel: str | None) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for currency, amount in rows(connection, _RESERVED, (to_json(sorted(states)), panel)):
        sums[currency or ""] = sums.get(currency or "", Decimal(0)) + Decimal(amount)
    return sums


def _count(connection: Connection, query: str, *values: int) -> int:
    count: int = cell(connection, query, values)
    return count


def _counts(connection: Connection, query: str) -> dict[str, int]:
    return dict(rows(connection, query))
