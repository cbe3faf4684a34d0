"""Whether a message of an alert goes out now: pure stages, the first that objects decides.

life → silence → inhibition → maintenance → quiet hours → group. What waits is judged anew when its time has
come; what is suppressed never goes out and stays listed with its reason. The rate is judged for what goes out
as one (`notify.bundles`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from smm_rules.config.alerts import AlertMatcher, AlertSettings, GroupSettings, InhibitSettings, Rate
from smm_rules.engine.firing import Telling
from smm_rules.facts import EntityKind
from smm_rules.ledger.alerts import (
    Alert,
    AlertMessage,
    AlertState,
    GroupState,
    Labels,
    Matcher,
    Silence,
)
from smm_rules.ledger.records import MessageState, QueuedMessage
from smm_rules.notify.schedule import maintenance_until, quiet_until

#: How often what is inhibited is looked at again: nothing says when an alert will end.
LOOK_AGAIN = timedelta(minutes=1)
#: Things that can't be looked at while their panel can't be read.
_OF_A_PANEL = frozenset({EntityKind.ORDER.value, EntityKind.REFILL.value})


class Reason(StrEnum):
    """Why a message went out as it did, waits, or never will go out."""

    SENT = "sent"
    GROUPED = "grouped"
    GROUP_WAIT = "group_wait"
    SILENCED = "silenced"
    INHIBITED = "inhibited"
    QUIET_HOURS = "quiet_hours"
    MAINTENANCE = "maintenance"
    RATE_LIMITED = "rate_limited"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


#: What was kept back for one of these goes out with all else that was, as one message.
KEPT_BACK = frozenset(
    {
        Reason.SILENCED,
        Reason.INHIBITED,
        Reason.QUIET_HOURS,
        Reason.MAINTENANCE,
        Reason.RATE_LIMITED,
    }
)


@dataclass(frozen=True, slots=True)
class Send:
    """It goes out now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """It is judged again at `until`. `about` says in words what for; `silence` is the one it waits for."""

    reason: Reason
    until: datetime
    about: str = ""
    silence: int | None = None


@dataclass(frozen=True, slots=True)
class Suppress:
    """It never goes out: there is nothing to be told any more."""

    reason: Reason


Verdict = Send | Wait | Suppress


NEW_GROUP = GroupState()


@dataclass(frozen=True, slots=True)
class Situation:
    """What a message is judged by.

    `alert` is None for a message that tells of none; `messages` are all of the alert. `inhibitors` are open
    alerts that may keep others back, `outages` the panels that can't be read. `grouping` is that of the
    channel and `group` how the message's group stands, where there is one.
    """

    settings: AlertSettings = field(default_factory=AlertSettings)
    alert: Alert | None = None
    messages: tuple[AlertMessage, ...] = ()
    silences: tuple[Silence, ...] = ()
    inhibitors: tuple[Alert, ...] = ()
    outages: frozenset[str] = frozenset()
    grouping: GroupSettings | None = None
    group: GroupState = NEW_GROUP


def judge(message: QueuedMessage, situation: Situation, now: datetime) -> Verdict:
    """What becomes of the message now."""
    alert = situation.alert
    if alert is None:
        return _quiet_hours(message, message.level, situation, now) or Send()
    labels = Labels(**{**_labels(alert), "level": message.level})
    verdict = (
        _life(message, alert, situation.messages)
        or _silenced(labels, situation.silences, now)
        or _inhibited(labels, alert, situation, now)
        or _maintained(labels, situation, now)
        or _quiet_hours(message, labels.level, situation, now)
        or _grouped(message, situation, now)
    )
    if isinstance(verdict, Wait) and _is_told_already(message, situation.messages):
        return Suppress(verdict.reason)
    return verdict or Send()


def _labels(alert: Alert) -> dict[str, str]:
    labels = alert.labels
    return {name: labels.value(name) for name in ("rule", "panel", "kind", "entity")}


def _life(message: QueuedMessage, alert: Alert, messages: tuple[AlertMessage, ...]) -> Verdict | None:
    """What the alert itself has come to."""
    telling = Telling(message.telling)
    if telling is Telling.RESOLVED:
        return None if is_worth_resolving(message.channel, alert, messages) else Suppress(Reason.RESOLVED)
    later = telling in (Telling.REMINDED, Telling.ESCALATED)
    kept_back = bool(message.why) and message.attempts == 0
    if not (later or kept_back):
        return None
    if alert.state is AlertState.RESOLVED:
        return Suppress(Reason.RESOLVED)
    return Suppress(Reason.ACKNOWLEDGED) if alert.state is AlertState.ACKNOWLEDGED else None


def is_worth_resolving(channel: str, alert: Alert, messages: tuple[AlertMessage, ...]) -> bool:
    """Whether anybody was told of the alert whose end is to be told: on that channel, where any of it was for
    that channel, else on any. The operator who acknowledged it was."""
    if alert.acknowledged_at is not None:
        return True
    before = [one for one in messages if one.telling != Telling.RESOLVED]
    here = [one for one in before if one.channel == channel] or before
    return not here or any(one.reached for one in here)


def _is_told_already(message: QueuedMessage, messages: tuple[AlertMessage, ...]) -> bool:
    """Whether a reminder would wait beside an earlier message that says the same when the waiting is over."""
    return message.telling == Telling.REMINDED and any(
        one.channel == message.channel
        and one.id < message.id
        and one.state is MessageState.PENDING
        and one.telling in (Telling.FIRED, Telling.REMINDED)
        for one in messages
    )


def _silenced(labels: Labels, silences: tuple[Silence, ...], now: datetime) -> Wait | None:
    found = [one for one in silences if one.active(now) and one.matcher.matches(labels)]
    if not found:
        return None
    last = max(found, key=lambda one: one.until)
    return Wait(Reason.SILENCED, last.until, f"silence {last.id} ({last.reason})", last.id)


def _inhibited(labels: Labels, alert: Alert, situation: Situation, now: datetime) -> Wait | None:
    settings = situation.settings
    if settings.outages and labels.panel in situation.outages and labels.kind in _OF_A_PANEL:
        about = f"panel {labels.panel} can't be read"
        return Wait(Reason.INHIBITED, now + LOOK_AGAIN, about)
    for number, inhibit in enumerate(settings.inhibit):
        if matcher(inhibit.silences).matches(labels):
            candidates = situation.inhibitors
            if number in settings.circular:
                candidates = tuple(one for one in candidates if _is_earlier(one, alert))
            source = _source(inhibit, labels, alert, candidates)
            if source is not None:
                about = f"alert {source.id} of rule {source.rule}"
                return Wait(Reason.INHIBITED, now + LOOK_AGAIN, about)
    return None


def _is_earlier(one: Alert, other: Alert) -> bool:
    return (one.fired_at, one.id) < (other.fired_at, other.id)


def _source(
    inhibit: InhibitSettings, labels: Labels, alert: Alert, inhibitors: tuple[Alert, ...]
) -> Alert | None:
    """The open alert that keeps this one back. Where an alert is on both sides, none that also is counts:
    they would wait for each other."""
    source, target = matcher(inhibit.source), matcher(inhibit.silences)
    on_both_sides = source.matches(labels)
    for other in inhibitors:
        theirs = other.labels
        if (
            other.is_open
            and other.key != alert.key
            and source.matches(theirs)
            and not (on_both_sides and target.matches(theirs))
            and all(labels.value(name) == theirs.value(name) for name in inhibit.equal)
        ):
            return other
    return None


def matcher(written: AlertMatcher) -> Matcher:
    """A matcher of the configuration as the ledger's own."""
    return Matcher(**written.given)


def _maintained(labels: Labels, situation: Situation, now: datetime) -> Wait | None:
    end = maintenance_until(situation.settings.maintenance, labels.panel, now)
    return None if end is None else Wait(Reason.MAINTENANCE, end, f"maintenance of {labels.panel}")


def _quiet_hours(message: QueuedMessage, level: str, situation: Situation, now: datetime) -> Wait | None:
    end = quiet_until(situation.settings.quiet_hours, message.channel, level, now)
    return None if end is None else Wait(Reason.QUIET_HOURS, end, f"quiet hours of {message.channel}")


def _grouped(message: QueuedMessage, situation: Situation, now: datetime) -> Wait | None:
    grouping, group = situation.grouping, situation.group
    if grouping is None or message.attempts:
        return None
    opened = min(group.opened_at or message.created_at, message.created_at)
    due = opened + grouping.wait
    if group.sent_at is not None:
        due = max(due, group.sent_at + grouping.interval)
    return Wait(Reason.GROUP_WAIT, due) if now < due else None


def rate_limited(rate: Rate, deliveries: tuple[datetime, ...], now: datetime) -> datetime | None:
    """When a further message may go out, None for now; `deliveries` are the newest, the newest first."""
    if len(deliveries) < rate.count:
        return None
    free_at = deliveries[rate.count - 1] + rate.per
    return free_at if free_at > now else None


def group_name(channel: str, grouping: GroupSettings, labels: Mapping[str, str]) -> str:
    """The name of the group that an alert's messages belong to on a channel."""
    return "/".join((channel, *(f"{name}={labels[name]}" for name in grouping.by)))
