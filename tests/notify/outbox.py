"""An outbox in memory, channels that fail as told, and messages for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from smm_rules.engine.firing import MessageDraft
from smm_rules.ledger.alerts import AlertQuestion, AlertStanding, KeptBack, SentAs
from smm_rules.ledger.records import MessageState, QueuedMessage
from smm_rules.notify.channel import Message
from smm_rules.rules.model import StepKind

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


def queued(number: int, channel: str = "ops", **changes: object) -> QueuedMessage:
    """Message `number`, just queued for `channel`."""
    message = QueuedMessage(
        id=number,
        dedup_key=f"key-{number}",
        kind=StepKind.NOTIFY,
        channel=channel,
        title=f"title {number}",
        body=f"body {number}",
        level="info",
        state=MessageState.PENDING,
        created_at=START,
        next_attempt_at=START,
        attempts=0,
        last_error="",
    )
    return replace(message, **changes)  # type: ignore[arg-type] # fields by name, in tests


class MemoryOutbox:
    """Keeps messages as the ledger does."""

    def __init__(self, *messages: QueuedMessage) -> None:
        self.messages = {message.id: message for message in messages}
        self.drafts: list[MessageDraft] = []
        self.standing = AlertStanding()
        self.sent_as: dict[int, SentAs] = {}

    async def deliverable(self, now: datetime, limit: int) -> tuple[QueuedMessage, ...]:
        due = [
            message
            for message in self.messages.values()
            if message.state is MessageState.PENDING and message.next_attempt_at <= now
        ]
        return tuple(sorted(due, key=lambda message: (message.created_at, message.id))[:limit])

    async def delivered(self, message_id: int, now: datetime) -> None:
        self._change(message_id, state=MessageState.DELIVERED)

    async def delivered_together(self, message_ids: Sequence[int], sent_as: SentAs, now: datetime) -> None:
        for message_id in message_ids:
            self._change(message_id, state=MessageState.DELIVERED, why=sent_as.why)
            self.sent_as[message_id] = sent_as

    async def alert_standing(self, question: AlertQuestion, now: datetime) -> AlertStanding:
        return self.standing

    async def keep_back(self, kept: Sequence[KeptBack], now: datetime) -> None:
        for one in kept:
            if one.until is None:
                self._change(one.message_id, state=MessageState.SUPPRESSED, why=one.why)
            else:
                self._change(one.message_id, next_attempt_at=one.until, why=one.why)

    async def undelivered(
        self, message_id: int, error: str, retry_at: datetime | None, now: datetime
    ) -> None:
        attempts = self.messages[message_id].attempts + 1
        if retry_at is None:
            self._change(message_id, state=MessageState.DEAD, attempts=attempts, last_error=error)
        else:
            self._change(message_id, next_attempt_at=retry_at, attempts=attempts, last_error=error)

    async def enqueue(self, message: MessageDraft, now: datetime) -> bool:
        if message.dedup_key in {draft.dedup_key for draft in self.drafts}:
            return False
        self.drafts.append(message)
        return True

    def _change(self, message_id: int, **changes: object) -> None:
        assert self.messages[message_id].state is MessageState.PENDING, "a settled message came again"
        self.messages[message_id] = replace(self.messages[message_id], **changes)  # type: ignore[arg-type] # see queued

    def states(self) -> dict[int, str]:
        return {number: message.state.value for number, message in self.messages.items()}


@dataclass
class FakeChannel:
    """Keeps what it is sent; `outcome` may raise for a message, `gate` holds every send until it is set."""

    name: str = "ops"
    outcome: Callable[[Message], None] = lambda _: None
    gate: asyncio.Event | None = None
    sent: list[Message] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)

    async def send(self, message: Message) -> None:
        self.tried.append(message.key)
        if self.gate is not None:
            await self.gate.wait()
        self.outcome(message)
        self.sent.append(message)

    async def aclose(self) -> None:
        return
