"""Alerts that nobody watches any more: their rule was removed, or no longer looks at that kind or panel.

Their end can't be seen, so it is told that they are over for that reason, to those who had been told of them:
once a rule and channel, however many they are. What the rule remembers stays, for one that comes back must
not act twice; then its alerts go on where they were, and nobody is told anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from smm_rules.engine.firing import MessageDraft, Telling
from smm_rules.ledger.alerts import OPEN, Alert, AlertMessage, AlertState
from smm_rules.observe import get_logger
from smm_rules.rules.model import RuleSet, StepKind

log = get_logger(__name__)

#: More alerts than anybody has.
_ALL = 2**31 - 1
#: A notice names so many things; `alerts list` has the others.
_NAMED = 10
#: The dedup key of a notice begins with this.
PREFIX = "unwatched:"


class UnwatchedLedger(Protocol):
    """What is asked of the ledger."""

    async def alerts(self, states: Sequence[AlertState], limit: int) -> tuple[Alert, ...]: ...

    async def alert_messages(self, keys: Sequence[str]) -> dict[str, tuple[AlertMessage, ...]]: ...

    async def alerts_ended_too_soon(self) -> tuple[Alert, ...]: ...

    async def end_alerts(
        self, alert_ids: Sequence[int], notices: Sequence[MessageDraft], why: str, now: datetime
    ) -> int: ...

    async def reopen_alerts(self, alert_ids: Sequence[int], why: str, now: datetime) -> int: ...


@dataclass(frozen=True, slots=True)
class Watching:
    """Which alerts somebody watches: those of rules in force, about panels of the configuration."""

    rules: RuleSet
    panels: frozenset[str]

    def watches(self, alert: Alert) -> bool:
        """Whether what it tells of is still looked at by its rule."""
        entity = alert.entity
        if entity.panel not in self.panels:
            return False
        return any(rule.name == alert.rule for rule in self.rules.watching(entity.kind, entity.panel))

    def why(self, rule: str, alerts: Sequence[Alert]) -> str:
        """Why nobody watches these alerts of a rule any more, a sentence."""
        if self.rules.named(rule) is None:
            return f"Rule {rule} was removed."
        gone = sorted({alert.entity.panel for alert in alerts} - self.panels)
        if gone:
            return f"Panel {', '.join(gone)} is no longer configured."
        return f"Rule {rule} no longer watches them."


async def settle_unwatched(ledger: UnwatchedLedger, watching: Watching, now: datetime) -> int:
    """End the alerts that nobody watches any more and reopen those that are watched again; how many ended."""
    again = [one for one in await ledger.alerts_ended_too_soon() if watching.watches(one)]
    if again:
        reopened = await ledger.reopen_alerts([one.id for one in again], "their rule is in force again", now)
        log.info("alerts.reopened", alerts=reopened)
    by_rule: dict[str, list[Alert]] = {}
    for alert in await ledger.alerts(OPEN, _ALL):
        if not watching.watches(alert):
            by_rule.setdefault(alert.rule, []).append(alert)
    return sum([await _end(ledger, rule, alerts, watching, now) for rule, alerts in sorted(by_rule.items())])


async def _end(
    ledger: UnwatchedLedger, rule: str, alerts: Sequence[Alert], watching: Watching, now: datetime
) -> int:
    why = watching.why(rule, alerts)
    messages = await ledger.alert_messages([alert.key for alert in alerts])
    notices = [
        _notice(rule, channel, of_channel, why, now)
        for channel, of_channel in sorted(_by_channel(alerts, messages).items())
    ]
    ended = await ledger.end_alerts([alert.id for alert in alerts], notices, why, now)
    log.info("alerts.ended_unwatched", rule=rule, alerts=ended, reason=why)
    return ended


def _by_channel(
    alerts: Sequence[Alert], messages: Mapping[str, Sequence[AlertMessage]]
) -> dict[str, list[Alert]]:
    """Who was told of which: a channel by its name."""
    told: dict[str, list[Alert]] = {}
    for alert in alerts:
        reached = {
            message.channel
            for message in messages.get(alert.key, ())
            if message.reached and message.telling != Telling.RESOLVED
        }
        for channel in reached:
            told.setdefault(channel, []).append(alert)
    return told


def _notice(rule: str, channel: str, alerts: Sequence[Alert], why: str, now: datetime) -> MessageDraft:
    count = "1 alert" if len(alerts) == 1 else f"{len(alerts)} alerts"
    names = [f"{alert.entity.panel} {alert.entity.id}".rstrip() for alert in alerts[:_NAMED]]
    more = f" and {len(alerts) - _NAMED} more" if len(alerts) > _NAMED else ""
    it_is = "it is" if len(alerts) == 1 else "they are"
    body = (
        f"{why} Nobody will see whether what it told of ends, so {it_is} over as far as smm-rules goes: "
        f"{', '.join(names)}{more}."
    )
    title = f"Over: {count} of rule {rule}"
    key = f"{PREFIX}{rule}:{channel}:{now.isoformat()}"
    return MessageDraft(key, StepKind.NOTIFY, channel, title, body, "info")
