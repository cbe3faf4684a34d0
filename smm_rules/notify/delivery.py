"""The outbox worker: hands queued messages to their channels, at least once, none held up by another."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from smm_rules.ledger.records import MessageState, QueuedMessage
from smm_rules.notify.channel import JSON_BODY, Channel, DeliveryFailed, Message
from smm_rules.observe import Counters, get_logger
from smm_rules.rules.model import StepKind

log = get_logger(__name__)

FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(hours=1)
#: A message whose delivery failed this often is dead: with the delays above, after about five hours.
MOST_ATTEMPTS = 12
#: So many failures in a row on one channel, and the rest of its batch waits instead of being tried.
FAILURES_IN_A_ROW = 3
#: How long one channel may keep a run busy before the rest of its batch waits for another run.
LONGEST_RUN = timedelta(seconds=60)

#: The marks a message that waited untried carries; such a message is the first of its channel next time.
DEFERRED_FAILING = "not tried: the channel failed for the messages before this one"
DEFERRED_BUSY = "not tried: the channel was still busy with the messages before this one"
_DEFERRED = frozenset({DEFERRED_FAILING, DEFERRED_BUSY})

_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}


class Outbox(Protocol):
    """What delivery needs of the ledger."""

    async def deliverable(self, now: datetime, limit: int) -> tuple[QueuedMessage, ...]:
        """Pending messages whose next attempt is due, oldest first."""
        ...

    async def delivered(self, message_id: int, now: datetime) -> None: ...

    async def undelivered(
        self, message_id: int, error: str, retry_at: datetime | None, now: datetime
    ) -> None:
        """Note a failed delivery; without `retry_at` the message is dead."""
        ...


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
) -> DeliveryReport:
    """Try every message that is due, at most `batch` of them, once.

    1. Read the due messages, oldest first, and part them by channel; log messages are a channel of their own.
    2. All channels work side by side; within a channel, messages go one after another: first those that were
       put off untried last time, then the others, oldest first.
    3. Hand a message over. What the channel raises, foreseen or not, ends with this message.
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
    due = await outbox.deliverable(now, batch)
    parted: defaultdict[str, dict[int, QueuedMessage]] = defaultdict(dict)
    for message in due:
        parted["" if message.kind is StepKind.LOG else message.channel][message.id] = message
    runs = [
        _ChannelRun(name, outbox, channels.get(name), now, counters or Counters(), monotonic)
        for name in parted
    ]
    ended = await asyncio.gather(
        *(run.deliver(tuple(parted[run.name].values())) for run in runs), return_exceptions=True
    )
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
    delivered: int = 0
    retried: int = 0
    deferred: int = 0
    dead: list[QueuedMessage] = field(default_factory=list)

    async def deliver(self, messages: Sequence[QueuedMessage]) -> None:
        started = self.monotonic()
        in_a_row = 0
        ordered = sorted(messages, key=lambda message: message.last_error not in _DEFERRED)
        for message in ordered:
            if in_a_row >= FAILURES_IN_A_ROW:
                await self._defer(message, DEFERRED_FAILING, next_attempt(message.attempts + 1, self.now))
            elif self.monotonic() - started > LONGEST_RUN.total_seconds():
                await self._defer(message, DEFERRED_BUSY, self.now + FIRST_DELAY)
            else:
                in_a_row = await self._try(message, in_a_row)

    async def _try(self, message: QueuedMessage, in_a_row: int) -> int:
        """One attempt; the number of failures in a row after it."""
        failure = await self._attempt(message)
        if failure is None:
            await self.outbox.delivered(message.id, self.now)
            self.delivered += 1
            self._count("delivered")
            log.debug("message.delivered", channel=self.name, message_id=message.id)
            return 0
        if failure.permanent or message.attempts + 1 >= MOST_ATTEMPTS:
            await self._bury(message, str(failure))
        else:
            await self._retry(message, failure)
        # What is wrong with one message says nothing about the channel; a missing channel costs no time.
        return in_a_row if failure.permanent or self.channel is None else in_a_row + 1

    async def _attempt(self, message: QueuedMessage) -> DeliveryFailed | None:
        if message.kind is StepKind.LOG:
            _write(message)
            return None
        if self.channel is None:
            return DeliveryFailed(f'there is no channel "{self.name}" in the configuration')
        try:
            await self.channel.send(_handed(message))
        except DeliveryFailed as failure:
            return failure
        except Exception as error:
            log.exception("channel.raised", channel=self.name, message_id=message.id)
            # The text of an unforeseen error may hold anything, and this one is kept in the ledger.
            return DeliveryFailed(f"the channel failed with {type(error).__name__}")
        return None

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
        )

    async def _defer(self, message: QueuedMessage, why: str, until: datetime) -> None:
        await self.outbox.undelivered(message.id, why, until, self.now)
        self.deferred += 1
        self._count("deferred")
        log.debug("message.deferred", channel=self.name, message_id=message.id, reason=why)

    def _count(self, outcome: str) -> None:
        self.counters.increment("deliveries", channel=self.name or "log", outcome=outcome)


def _handed(message: QueuedMessage) -> Message:
    media_type = JSON_BODY if message.kind is StepKind.WEBHOOK else "text/plain"
    return Message(message.dedup_key, message.title, message.body, message.level, media_type)


def _write(message: QueuedMessage) -> None:
    log.log(
        _LEVELS.get(message.level, logging.INFO),
        "rule.log",
        message=message.body,
        title=message.title,
        dedup_key=message.dedup_key,
    )
