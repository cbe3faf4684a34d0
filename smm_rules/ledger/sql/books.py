"""The books of a panel, read from intents and from the history of its balance and of its orders' charges."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import groupby

from smm_rules.ledger.books import BalanceReading, Books, Refund
from smm_rules.ledger.codec import decode_facts, from_micros, storable, to_micros
from smm_rules.ledger.records import Intent
from smm_rules.ledger.sql.intents import COLUMNS, intent_from
from smm_rules.ledger.sql.query import Connection, Row, first, rows
from smm_rules.ledger.sql.rows import order_fact

_BALANCES = """
  SELECT h.at, h.facts FROM entities e JOIN history h ON h.entity = e.id
  WHERE e.kind = 'balance' AND e.panel = ?1 AND h.at < ?3 AND h.at >= coalesce(
    (SELECT max(b.at) FROM history b WHERE b.entity = e.id AND b.at <= ?2), ?2
  ) ORDER BY h.at
"""
_SENT = f"""
  SELECT {COLUMNS} FROM intents WHERE panel = ? AND claimed_at >= ? AND claimed_at < ?
    AND state IN ('confirmed', 'unknown', 'sending') ORDER BY id
"""  # noqa: S608 - only constants are put in
_HELD = f"""
  SELECT {COLUMNS} FROM intents WHERE panel = ? AND state = 'held' AND planned_at < ? ORDER BY id
"""  # noqa: S608 - as above
_CHARGE = f"{order_fact('h.facts', 'charge')}, {order_fact('h.facts', 'currency')}"
_CHARGES = f"""
  SELECT e.id, e.name, h.at, {_CHARGE} FROM history h JOIN entities e ON e.id = h.entity
  WHERE h.at > ? AND h.at < ? AND e.kind = 'order' AND e.panel = ? ORDER BY e.id, h.at
"""  # noqa: S608 - as above
_CHARGE_BEFORE = f"""
  SELECT {_CHARGE} FROM history h WHERE h.entity = ? AND h.at <= ? AND
    {order_fact("h.facts", "charge")} IS NOT NULL ORDER BY h.at DESC LIMIT 1
"""  # noqa: S608 - as above
_PLACED_BY = """
  SELECT rule FROM intents WHERE panel = ? AND result = ? AND kind IN ('reorder', 'add') LIMIT 1
"""


def books(connection: Connection, panel: str, since: datetime, until: datetime) -> Books:
    """From `since` on, `until` not included; the balance from its last reading before."""
    name, start, end = storable(panel), to_micros(since), to_micros(until)
    balances = tuple(_readings(rows(connection, _BALANCES, (name, start, end))))
    begin = min(start, to_micros(balances[0].at)) if balances else start
    return Books(
        panel,
        balances,
        _intents(rows(connection, _SENT, (panel, begin, end))),
        _intents(rows(connection, _HELD, (panel, end))),
        tuple(_refunds(connection, name, begin, end)),
    )


def _intents(found: list[Row]) -> tuple[Intent, ...]:
    return tuple(intent_from(row) for row in found)


def _readings(found: list[Row]) -> Iterator[BalanceReading]:
    for at, text in found:
        facts = decode_facts(text)
        amount, currency = facts.get("amount"), facts.get("currency")
        if isinstance(amount, Decimal):
            yield BalanceReading(from_micros(at), amount, currency if isinstance(currency, str) else None)


def _refunds(connection: Connection, panel: str, begin: int, end: int) -> Iterator[Refund]:
    found = rows(connection, _CHARGES, (begin, end, panel))
    for (entity_id, order), looks in groupby(found, key=lambda row: row[:2]):
        before = first(connection, _CHARGE_BEFORE, (entity_id, begin))
        charge, currency = (None, None) if before is None else (_money(before[0]), before[1])
        rule: str | None = None
        for _, _, at, text, said_currency in looks:
            now = _money(text)
            if now is None:
                continue
            same_currency = said_currency == currency
            if charge is not None and same_currency and now < charge:
                rule = _placed_by(connection, panel, order) if rule is None else rule
                yield Refund(from_micros(at), order, charge - now, said_currency, rule)
            charge, currency = now, said_currency


def _placed_by(connection: Connection, panel: str, order: str) -> str:
    row = first(connection, _PLACED_BY, (panel, order))
    return "" if row is None else str(row[0])


def _money(text: object) -> Decimal | None:
    try:
        return Decimal(text) if isinstance(text, str) else None
    except InvalidOperation:
        return None
