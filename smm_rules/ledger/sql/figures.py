"""Counts and lists for the status page. Nothing here is asked by who acts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from smm_rules.facts import Entity
from smm_rules.ledger.codec import from_micros, maybe_instant, to_json, to_micros
from smm_rules.ledger.figures import CountedAction, KeptFiring, RuleFigures
from smm_rules.ledger.records import Intent, IntentState, Watched
from smm_rules.ledger.sql.intents import COLUMNS, FIRING_COLUMNS, firing_from, intent_from
from smm_rules.ledger.sql.query import Connection, rows
from smm_rules.ledger.sql.rows import all_watched, order_fact
from smm_rules.rules.model import StepKind

_STATUS = f"coalesce({order_fact('f.facts', 'status')}, '')"
_STATUSES = f"""
  SELECT e.panel, {_STATUS} AS status, count(*) FROM entities e LEFT JOIN facts f ON f.entity = e.id
  WHERE e.kind = 'order' AND e.forgotten_at IS NULL GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 - only constants are put in
_RULES = """
  SELECT rule, count(CASE WHEN at >= ? THEN 1 END), max(at) FROM firings WHERE occasion = 'fired'
  GROUP BY rule ORDER BY rule
"""
_FIRINGS = f"SELECT id, {FIRING_COLUMNS} FROM firings WHERE id < ?"  # noqa: S608 - as above
_ACTIONS = """
  SELECT rule, panel, kind, state, reserved, currency, claimed_at FROM intents
  WHERE state = 'planned'
    OR (state IN ('sending', 'unknown', 'confirmed', 'rejected') AND claimed_at >= ?) ORDER BY id
"""
_INTENTS = f"SELECT {COLUMNS} FROM intents WHERE id < ?"  # noqa: S608 - as above
_BEYOND = 2**62


def order_statuses(connection: Connection) -> dict[tuple[str, str], int]:
    return {(panel, status): count for panel, status, count in rows(connection, _STATUSES)}


def orders_page(
    connection: Connection, panel: str | None, status: str | None, after: Entity | None, limit: int
) -> tuple[Watched, ...]:
    """Ordered by panel, then by the panel's ID as text."""
    where, values = "WHERE e.kind = 'order' AND e.forgotten_at IS NULL", list[str | int]()
    if panel is not None:
        where += " AND e.panel = ?"
        values.append(panel)
    if status is not None:
        where += f" AND {_STATUS} = ?"
        values.append(status)
    if after is not None:
        where += " AND (e.panel, e.name) > (?, ?)"
        values += [after.panel, after.id]
    return all_watched(connection, f"{where} ORDER BY e.panel, e.name LIMIT ?", (*values, limit))


def rule_figures(connection: Connection, since: datetime) -> dict[str, RuleFigures]:
    found = rows(connection, _RULES, (to_micros(since),))
    return {rule: RuleFigures(count, from_micros(last)) for rule, count, last in found}


def latest_firings(
    connection: Connection, limit: int, rule: str | None = None, before: int | None = None
) -> tuple[KeptFiring, ...]:
    query, values = _FIRINGS, list[str | int]([_BEYOND if before is None else before])
    if rule is not None:
        query += " AND rule = ?"
        values.append(rule)
    found = rows(connection, f"{query} ORDER BY id DESC LIMIT ?", (*values, limit))
    return tuple(KeptFiring(row[0], firing_from(row[1:])) for row in found)


def counted_actions(connection: Connection, since: datetime) -> tuple[CountedAction, ...]:
    return tuple(
        CountedAction(
            rule,
            panel,
            StepKind(kind),
            IntentState(state),
            None if reserved is None else Decimal(reserved),
            currency,
            maybe_instant(claimed_at),
        )
        for rule, panel, kind, state, reserved, currency, claimed_at in rows(
            connection, _ACTIONS, (to_micros(since),)
        )
    )


def intents_page(
    connection: Connection,
    states: Sequence[IntentState],
    limit: int,
    before: int | None = None,
    rule: str | None = None,
    panel: str | None = None,
) -> tuple[Intent, ...]:
    query, values = _INTENTS, list[str | int]([_BEYOND if before is None else before])
    if states:
        query += " AND state IN (SELECT value FROM json_each(?))"
        values.append(to_json([state.value for state in states]))
    for column, wanted in (("rule", rule), ("panel", panel)):
        if wanted is not None:
            query += f" AND {column} = ?"
            values.append(wanted)
    found = rows(connection, f"{query} ORDER BY id DESC LIMIT ?", (*values, limit))
    return tuple(intent_from(row) for row in found)
