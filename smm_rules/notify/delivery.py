"""The outbox worker: hands queued messages to their channels, at least once, none held up by another."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from smm_rules.ledger.alerts import AlertQuestion, AlertStanding, KeptBack, SentAs
from smm_rules.ledger.records import MessageState, QueuedMessage
from smm_rules.notify.bundles import Bundle
from smm_rules.notify.channel import Channel, DeliveryFailed, Message, Plot
from smm_rules.notify.keeping import AlertPolicy, sort_out
from smm_rules.notify.stages import KEPT_BACK
from smm_rules.observe import Counters, correlation_of_message, get_logger, span
from smm_rules.rules.model import StepKind

log = get_logger(__name__)

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)
#: A message whose delivery failed this often is dead: with the delays above, after about five hours.
MOST_ATTEMPTS = 12
#: So many failures in a row on one channel, and the rest of its batch waits instead of being tried.
FAILURES_IN_A_ROW = 3
#: So many messages that were kept back may go out as one.
MOST_TOGETHER = 10_000
#: How long one channel may keep a run busy before the rest of its batch waits for another run.
LONGEST_RUN = timedelta(seconds=60)

#: The marks a message that waited untried carries; such a message is the first of its channel next time.
DEFERRED_FAILING = "not tried: the channel failed for the messages before this one"
DEFERRED_BUSY = "not tried: the channel was still busy with the messages before this one"
_DEFERRED = frozenset({DEFERRED_FAILING, DEFERRED_BUSY})

#: For who has no settings: alerts' lives are minded and silences are kept all the same.
NO_POLICY = AlertPolicy()

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


#: Makes the plots that go with what is sent as one.
Plotter = Callable[[Bundle, datetime], Awaitable[tuple[Plot, ...]]]


class Outbox(Protocol):
    """What delivery needs of the ledger."""

    async def deliverable(self, now: datetime, limit: int) -> tuple[QueuedMessage, ...]:
        """Pending messages whose next attempt is due, oldest first."""
        ...

    async def delivered(self, message_id: int, now: datetime) -> None: ...

    async def delivered_together(
        self, message_ids: Sequence[int], sent_as: SentAs, now: datetime
    ) -> None: ...

    async def undelivered(
        self, message_id: int, error: str, retry_at: datetime | None, now: datetime
    ) -> None:
        """Note a failed delivery; without `retry_at` the message is dead."""
        ...

    async def alert_standing(self, question: AlertQuestion, now: datetime) -> AlertStanding: ...

    async def keep_back(self, kept: Sequence[KeptBack], now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """What one run did. `dead` holds the messages given up, to be told to the operator, as they are in the
    ledger now. `full` says that more may be due."""

    delivered: int = 0
    retried: int = 0
    deferred: int = 0
    dead: tuple[QueuedMessage, ...] = ()
    full: bool = False


async def deliver_due(
    outbox: Outbox,
    channels: Mapping[str, Channel],
    now: datetime,
    *,
    batch: int = 500,
    counters: Counters | None = None,
    monotonic: Callable[[], float] = time.monotonic,
    policy: AlertPolicy = NO_POLICY,
    plotter: Plotter | None = None,
) -> DeliveryReport:
    """Try every message that is due, at most `batch` of them, once.

    1. Read the due messages, oldest first, keep back what doesn't go out now (`notify.keeping`), put together
       what goes out as one, and part it by channel; log messages are a channel of their own.
    2. All channels work side by side; within a channel, messages go one after another: first those that were
       put off untried last time, then the others, oldest first.
    3. Hand a message over, with its plots where the channel takes them. What the channel raises, foreseen or
       not, ends with this message.
    4. Taken: note `delivered`. If the process dies between 3 and 4, the message is sent again under the same
       key: at least once, never lost.
    5. Not taken: note the error and when to try again: 30 s doubling up to an hour, or later where the
       receiver asked for it. A permanent failure, or the twelfth, makes it dead; it stays in the ledger. A
       channel that isn't configured (any more) counts as a failure that may pass.
    6. Three failures in a row, or a minute gone: the rest of this channel's batch is put off untried, so that
       a dead channel costs three time-outs a run and its backlog doesn't stand before that of others.
       Only a message that was itself tried can die.
    7. Report. A failing ledger is raised, after every channel has come to rest.
    """
    counters = counters or Counters()
    due = await _due(outbox, now, batch)
    parted: defaultdict[str, list[Bundle]] = defaultdict(list)
    for bundle in await sort_out(outbox, due, policy, now, counters):
        parted["" if bundle.members[0].kind is StepKind.LOG else bundle.channel].append(bundle)
    runs = [
        _ChannelRun(name, outbox, channels.get(name), now, counters, monotonic, plotter) for name in parted
    ]
    ended = await asyncio.gather(*(run.deliver(parted[run.name]) for run in runs), return_exceptions=True)
    for outcome in ended:
        if outcome is not None:
            raise outcome
    return DeliveryReport(
        delivered=sum(run.delivered for run in runs),
        retried=sum(run.retried for run in runs),
        deferred=sum(run.deferred for run in runs),
        dead=tuple(message for run in runs for message in run.dead),
        full=len(due) >= batch,
    )


async def _due(outbox: Outbox, now: datetime, batch: int) -> tuple[QueuedMessage, ...]:
    """The due messages, each once. Of those that were kept back, more than a batch go out as one."""
    due = {message.id: message for message in await outbox.deliverable(now, batch)}
    if len(due) >= batch and any(_was_kept_back(message) for message in due.values()):
        more = await outbox.deliverable(now, MOST_TOGETHER)
        due |= {message.id: message for message in more if _was_kept_back(message)}
    return tuple(due.values())


def _was_kept_back(message: QueuedMessage) -> bool:
    return bool(message.alert) and message.why in KEPT_BACK


def next_attempt(attempts: int, now: datetime, retry_after: timedelta | None = None) -> datetime:
    """When to try again after `attempts` failures (1 or more): 30 s doubling up to an hour, or as asked."""
    factor: int = 1 << min(max(attempts - 1, 0), 10)
    delay = min(FIRST_DELAY * factor, LONGEST_DELAY)
    return now + max(delay, retry_after or timedelta())


@dataclass(slots=True)
class _ChannelRun:
    """One channel's share of a run."""

    name: str
    outbox: Outbox
    channel: Channel | None
    now: datetime
    counters: Counters
    monotonic: Callable[[], float]
    plotter: Plotter | None = None
    delivered: int = 0
    retried: int = 0
    deferred: int = 0
    dead: list[QueuedMessage] = field(default_factory=list)

    async def deliver(self, bundles: Sequence[Bundle]) -> None:
        started = self.monotonic()
        in_a_row = 0
        ordered = sorted(bundles, key=lambda bundle: bundle.members[0].last_error not in _DEFERRED)
        for bundle in ordered:
            if in_a_row >= FAILURES_IN_A_ROW:
                for message in bundle.members:
                    await self._defer(message, DEFERRED_FAILING, next_attempt(message.attempts + 1, self.now))
            elif self.monotonic() - started > LONGEST_RUN.total_seconds():
                for message in bundle.members:
                    await self._defer(message, DEFERRED_BUSY, self.now + FIRST_DELAY)
            else:
                in_a_row = await self._try(bundle, in_a_row)

    async def _try(self, bundle: Bundle, in_a_row: int) -> int:
        """One attempt; the number of failures in a row after it."""
        failure = await self._attempt(bundle)
        if failure is None:
            await self._delivered(bundle)
            return 0
        for message in bundle.members:
            if failure.permanent or message.attempts + 1 >= MOST_ATTEMPTS:
                await self._bury(message, str(failure))
            else:
                await self._retry(message, failure)
        # What is wrong with one message says nothing about the channel; a missing channel costs no time.
        return in_a_row if failure.permanent or self.channel is None else in_a_row + 1

    async def _delivered(self, bundle: Bundle) -> None:
        lead = bundle.members[0]
        if len(bundle.members) == 1 and not bundle.group:
            await self.outbox.delivered(lead.id, self.now)
        else:
            ids = [message.id for message in bundle.members]
            await self.outbox.delivered_together(ids, bundle.sent_as, self.now)
        self.delivered += len(bundle.members)
        self._count("delivered")
        for message in bundle.members:
            log.debug(
                "message.delivered",
                channel=self.name,
                message_id=message.id,
                **correlation_of_message(message.dedup_key),
            )

    async def _attempt(self, bundle: Bundle) -> DeliveryFailed | None:
        lead = bundle.members[0]
        if lead.kind is StepKind.LOG:
            _write(lead)
            return None
        if self.channel is None:
            return DeliveryFailed(f'there is no channel "{self.name}" in the configuration')
        story = str(correlation_of_message(lead.dedup_key).get("correlation", ""))
        try:
            with span("message.send", story=story, channel=self.name, messages=len(bundle.members)):
                await self.channel.send(await self._message(bundle))
        except DeliveryFailed as failure:
            return failure
        except Exception as error:
            named = correlation_of_message(lead.dedup_key)
            log.exception("channel.raised", channel=self.name, message_id=lead.id, **named)
            # The text of an unforeseen error may hold anything, and this one is kept in the ledger.
            return DeliveryFailed(f"the channel failed with {type(error).__name__}")
        return None

    async def _message(self, bundle: Bundle) -> Message:
        if self.plotter is None or not getattr(self.channel, "takes_plots", False):
            return bundle.message
        return replace(bundle.message, plots=await self.plotter(bundle, self.now))

    async def _retry(self, message: QueuedMessage, failure: DeliveryFailed) -> None:
        retry_at = next_attempt(message.attempts + 1, self.now, failure.retry_after)
        await self.outbox.undelivered(message.id, str(failure), retry_at, self.now)
        self.retried += 1
        self._count("failed")
        log.warning(
            "message.delivery_failed",
            channel=self.name,
            message_id=message.id,
            attempts=message.attempts + 1,
            retry_at=retry_at,
            error=str(failure),
            **correlation_of_message(message.dedup_key),
        )

    async def _bury(self, message: QueuedMessage, error: str) -> None:
        await self.outbox.undelivered(message.id, error, None, self.now)
        attempts = message.attempts + 1
        self.dead.append(replace(message, state=MessageState.DEAD, attempts=attempts, last_error=error))
        self._count("dead")
        log.error(
            "message.dead",
            channel=self.name,
            message_id=message.id,
            title=message.title,
            attempts=attempts,
            error=error,
            **correlation_of_message(message.dedup_key),
        )

    async def _defer(self, message: QueuedMessage, why: str, until: datetime) -> None:
        await self.outbox.undelivered(message.id, why, until, self.now)
        self.deferred += 1
        self._count("deferred")
        story = correlation_of_message(message.dedup_key)
        log.debug("message.deferred", channel=self.name, message_id=message.id, reason=why, **story)

    def _count(self, outcome: str) -> None:
        self.counters.increment("deliveries", channel=self.name or "log", outcome=outcome)


def _write(message: QueuedMessage) -> None:
    log.log(
        _LEVELS.get(message.level, logging.INFO),
        "rule.log",
        message=message.body,
        title=message.title,
        dedup_key=message.dedup_key,
        **correlation_of_message(message.dedup_key),
    )
