"""Which of the due messages go out and as what; the others are kept back, with the reason in the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from smm_rules.config.alerts import AlertSettings, GroupSettings, Rate
from smm_rules.config.channels import ChannelSettings
from smm_rules.ledger.alerts import Alert, AlertQuestion, AlertStanding, GroupState, KeptBack
from smm_rules.ledger.records import QueuedMessage
from smm_rules.notify.bundles import Bundle
from smm_rules.notify.stages import (
    KEPT_BACK,
    Reason,
    Send,
    Situation,
    Suppress,
    Verdict,
    Wait,
    group_name,
    judge,
    rate_limited,
)
from smm_rules.observe import Counters, correlation_of_message, get_logger
from smm_rules.rules.model import StepKind

log = get_logger(__name__)


class AlertLedger(Protocol):
    """What is asked of the ledger."""

    async def alert_standing(self, question: AlertQuestion, now: datetime) -> AlertStanding: ...

    async def keep_back(self, kept: Sequence[KeptBack], now: datetime) -> None: ...


def _none_down() -> frozenset[str]:
    return frozenset()


@dataclass(frozen=True, slots=True)
class AlertPolicy:
    """What keeps messages back. `outages` tells the panels that can't be read at the moment."""

    settings: AlertSettings = field(default_factory=AlertSettings)
    groups: Mapping[str, GroupSettings] = field(default_factory=dict)
    rates: Mapping[str, Rate] = field(default_factory=dict)
    outages: Callable[[], frozenset[str]] = _none_down

    @property
    def inhibitors(self) -> tuple[str, ...] | None:
        """The rules whose open alerts keep others back; None when it may be any."""
        sources = [one.source.rule for one in self.settings.inhibit]
        if any(rule is None or "*" in rule or "?" in rule or "[" in rule for rule in sources):
            return None
        return tuple(sorted({rule for rule in sources if rule is not None}))


def policy_of(
    settings: AlertSettings,
    channels: Mapping[str, ChannelSettings],
    outages: Callable[[], frozenset[str]] = _none_down,
) -> AlertPolicy:
    """The policy that the configuration describes."""
    return AlertPolicy(
        settings,
        {name: channel.group for name, channel in channels.items() if channel.group is not None},
        {name: channel.rate for name, channel in channels.items() if channel.rate is not None},
        outages,
    )


async def sort_out(
    ledger: AlertLedger,
    due: Sequence[QueuedMessage],
    policy: AlertPolicy,
    now: datetime,
    counters: Counters,
) -> tuple[Bundle, ...]:
    """Judge each due message, keep back what doesn't go out now, and put together what does."""
    judged = [message for message in due if _is_judged(message, policy)]
    if not judged:
        return tuple(Bundle((message,)) for message in due)
    standing = await _standing(ledger, judged, policy, now)
    keeping = Keeping(policy, standing, now)
    bundles = keeping.sort(due)
    if keeping.kept:
        await ledger.keep_back([one for _, one in keeping.kept], now)
    for message, one in keeping.kept:
        _tell(message, one, counters)
    return bundles


def _is_judged(message: QueuedMessage, policy: AlertPolicy) -> bool:
    """Webhook and log steps are for programs: they get all there is, at once."""
    return message.kind is StepKind.NOTIFY and bool(message.alert or policy.settings.quiet_hours)


async def _standing(
    ledger: AlertLedger, messages: Sequence[QueuedMessage], policy: AlertPolicy, now: datetime
) -> AlertStanding:
    channels = {message.channel for message in messages if message.alert}
    rates = {name: (rate.count, now - rate.per) for name, rate in policy.rates.items() if name in channels}
    keys = tuple({message.alert for message in messages if message.alert})
    standing = await ledger.alert_standing(AlertQuestion(keys, policy.inhibitors, (), rates), now)
    names = {_group_of(one, standing.alerts.get(one.alert), policy) for one in messages} - {""}
    if not names:
        return standing
    # The groups' names have the alerts' labels in them, so they are asked for once those are known.
    grouped = await ledger.alert_standing(AlertQuestion(groups=tuple(names)), now)
    return replace(standing, groups=grouped.groups)


def _group_of(message: QueuedMessage, alert: Alert | None, policy: AlertPolicy) -> str:
    """The name of the message's group; empty where its channel has none."""
    grouping = policy.groups.get(message.channel)
    if grouping is None or alert is None:
        return ""
    labels = alert.labels
    values: dict[str, str] = {name: labels.value(name) for name in grouping.by}
    values["level"] = message.level
    return group_name(message.channel, grouping, values)


@dataclass(slots=True)
class Keeping:
    """One run's sorting. `kept` is what is kept back, with the message as it was."""

    policy: AlertPolicy
    standing: AlertStanding
    now: datetime
    kept: list[tuple[QueuedMessage, KeptBack]] = field(default_factory=list)
    _outages: frozenset[str] = frozenset()  # asked for once a run

    def sort(self, due: Sequence[QueuedMessage]) -> tuple[Bundle, ...]:
        """What goes out, in the order in which it became due."""
        self._outages = self.policy.outages()
        bundled: defaultdict[tuple[str, str], list[QueuedMessage]] = defaultdict(list)
        for message in due:
            verdict = self._verdict(message)
            group = self._group(message)
            if isinstance(verdict, Send):
                bundled[self._bundle(message, group)].append(message)
            else:
                self._keep(message, verdict, group)
        bundles = [Bundle(tuple(members), group) for (group, _), members in bundled.items()]
        return tuple(self._within_rates(bundles))

    def _verdict(self, message: QueuedMessage) -> Verdict:
        if not _is_judged(message, self.policy):
            return Send()
        grouping = self.policy.groups.get(message.channel)
        group = self.standing.groups.get(self._group(message), GroupState())
        situation = Situation(
            settings=self.policy.settings,
            alert=self.standing.alerts.get(message.alert),
            messages=self.standing.messages.get(message.alert, ()),
            silences=self.standing.silences,
            inhibitors=self.standing.inhibitors,
            outages=self._outages,
            grouping=grouping,
            group=group,
        )
        return judge(message, situation, self.now)

    def _group(self, message: QueuedMessage) -> str:
        return _group_of(message, self.standing.alerts.get(message.alert), self.policy)

    def _bundle(self, message: QueuedMessage, group: str) -> tuple[str, str]:
        """Messages that agree in this go out as one."""
        if group:
            return group, message.channel
        if message.alert and message.why in KEPT_BACK:
            return "", f"kept back:{message.channel}"
        return "", f"alone:{message.id}"

    def _within_rates(self, bundles: Sequence[Bundle]) -> list[Bundle]:
        sent = dict(self.standing.deliveries)
        going: list[Bundle] = []
        for bundle in bundles:
            rate = self.policy.rates.get(bundle.channel)
            if rate is None or not bundle.members[0].alert:
                going.append(bundle)
                continue
            deliveries = sent.get(bundle.channel, ())
            free_at = rate_limited(rate, deliveries, self.now)
            if free_at is None:
                sent[bundle.channel] = (self.now, *deliveries)
                going.append(bundle)
            else:
                for message in bundle.members:
                    self._keep(message, Wait(Reason.RATE_LIMITED, free_at), bundle.group)
        return going

    def _keep(self, message: QueuedMessage, verdict: Wait | Suppress, group: str) -> None:
        until, silence = None, None
        if isinstance(verdict, Wait):
            silence = verdict.silence
            # Never the same moment again, or a run would go on for ever.
            until = max(verdict.until, self.now + timedelta(seconds=1))
        self.kept.append((message, KeptBack(message.id, verdict.reason.value, until, group, silence)))


def _tell(message: QueuedMessage, kept: KeptBack, counters: Counters) -> None:
    """The same reason again isn't news."""
    story = correlation_of_message(message.dedup_key)
    if kept.until is None:
        log.info(
            "message.suppressed",
            channel=message.channel,
            message_id=message.id,
            alert=message.alert,
            reason=kept.why,
            **story,
        )
    elif message.why != kept.why:
        log.info(
            "message.kept_back",
            channel=message.channel,
            message_id=message.id,
            alert=message.alert,
            reason=kept.why,
            until=kept.until,
            **story,
        )
    else:
        return
    counters.increment("messages_kept_back", channel=message.channel, reason=kept.why)
