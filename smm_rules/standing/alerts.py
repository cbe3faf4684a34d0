"""Alerts and silences in words, for whoever looks at them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smm_rules.ledger.alerts import Alert, AlertMessage, AlertState, Silence
from smm_rules.ledger.records import MessageState
from smm_rules.standing.times import moment


def told(messages: Sequence[AlertMessage]) -> str:
    """Whether anybody was told of an alert: `yes`, or what keeps the news back."""
    delivered = any(one.state is MessageState.DELIVERED for one in messages)
    waiting = {
        one.why.replace("_", " ")
        for one in messages
        if one.state in (MessageState.PENDING, MessageState.SUPPRESSED) and one.why
    }
    reasons = ", ".join(sorted(waiting))
    if delivered:
        return f"yes; more: {reasons}" if reasons else "yes"
    return f"no: {reasons}" if reasons else "not yet"


def not_firing(alert: Alert | None, alert_id: int) -> str:
    """Why an alert can't be acknowledged."""
    if alert is None:
        return f"there is no alert {alert_id}"
    if alert.state is AlertState.RESOLVED:
        return f"alert {alert_id} is over since {moment(alert.resolved_at)}"
    return f"{alert.acknowledged_by} has acknowledged alert {alert_id} already"


def silence_in_words(silence: Silence, now: datetime) -> str:
    """`3: rule low-balance, until …, by ann: topping it up`."""
    text = (
        f"{silence.id}: {silence.matcher}, until {moment(silence.until)}, by {silence.by}: {silence.reason}"
    )
    if silence.ended_at is not None:
        return f"{text} (ended {moment(silence.ended_at)} by {silence.ended_by})"
    return text if silence.active(now) else f"{text} (over)"
