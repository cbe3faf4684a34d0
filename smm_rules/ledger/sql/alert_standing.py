"""What is to be known of alerts, silences, groups and rates before messages are sent, in one look."""

from __future__ import annotations

from datetime import datetime

from smm_rules.ledger.alerts import Alert, AlertQuestion, AlertStanding, GroupState
from smm_rules.ledger.codec import from_micros, maybe_instant, to_json, to_micros
from smm_rules.ledger.sql import alerts, silences
from smm_rules.ledger.sql.alerts import COLUMNS, alert_from
from smm_rules.ledger.sql.query import Connection, rows

_NAMED = f"""
  SELECT {COLUMNS} FROM alerts WHERE key IN (SELECT value FROM json_each(?))
"""  # noqa: S608 - as above
_OPEN = f"""
  SELECT {COLUMNS} FROM alerts WHERE state <> 'resolved' ORDER BY id
"""  # noqa: S608 - as above
_OPEN_BY_RULES = f"""
  SELECT {COLUMNS} FROM alerts
  WHERE state <> 'resolved' AND rule IN (SELECT value FROM json_each(?)) ORDER BY id
"""  # noqa: S608 - as above
_WAITING_GROUPS = """
  SELECT group_name, min(created_at) FROM outbox
  WHERE group_name <> '' AND state = 'pending' AND group_name IN (SELECT value FROM json_each(?))
  GROUP BY group_name
"""
_SENT_GROUPS = """
  SELECT group_name, max(settled_at) FROM outbox
  WHERE group_name <> '' AND state = 'delivered' AND group_name IN (SELECT value FROM json_each(?))
  GROUP BY group_name
"""
#: Messages that were sent as one are one delivery.
_DELIVERIES = """
  SELECT max(settled_at) AS sent_at FROM outbox WHERE channel = ? AND state = 'delivered' AND settled_at > ?
  GROUP BY CASE WHEN sent_as = '' THEN dedup_key ELSE sent_as END ORDER BY sent_at DESC LIMIT ?
"""


def standing(connection: Connection, question: AlertQuestion, now: datetime) -> AlertStanding:
    keys = to_json(sorted(question.keys))
    named = (alert_from(row) for row in rows(connection, _NAMED, (keys,))) if question.keys else ()
    return AlertStanding(
        alerts={one.key: one for one in named},
        messages=alerts.messages_of(connection, question.keys) if question.keys else {},
        inhibitors=_inhibitors(connection, question.inhibitors),
        silences=silences.in_force(connection, now),
        groups=_groups(connection, question.groups),
        deliveries={
            channel: tuple(
                from_micros(sent_at)
                for (sent_at,) in rows(connection, _DELIVERIES, (channel, to_micros(since), count))
            )
            for channel, (count, since) in question.rates.items()
        },
    )


def _inhibitors(connection: Connection, rules: tuple[str, ...] | None) -> tuple[Alert, ...]:
    if rules == ():
        return ()
    found = rows(connection, _OPEN) if rules is None else rows(connection, _OPEN_BY_RULES, (to_json(rules),))
    return tuple(alert_from(row) for row in found)


def _groups(connection: Connection, names: tuple[str, ...]) -> dict[str, GroupState]:
    if not names:
        return {}
    asked = (to_json(sorted(names)),)
    opened: dict[str, int] = dict(rows(connection, _WAITING_GROUPS, asked))
    sent: dict[str, int] = dict(rows(connection, _SENT_GROUPS, asked))
    return {
        name: GroupState(maybe_instant(opened.get(name)), maybe_instant(sent.get(name))) for name in names
    }
