"""Silences that are over: told to the operator once, and what they kept back taken up."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from smm_rules.engine.firing import MessageDraft
from smm_rules.ledger.alerts import Silence
from smm_rules.notify import pages
from smm_rules.notify.operator import PREFIX, OperatorVoice
from smm_rules.observe import get_logger
from smm_rules.rules.model import StepKind

log = get_logger(__name__)

#: Who ends what is over by itself, in the record of decisions.
BY = "smm-rules"


class SilenceLedger(Protocol):
    """What is asked of the ledger."""

    async def silences(self, past: int | None = None) -> tuple[Silence, ...]: ...

    async def end_silence(
        self, silence_id: int, now: datetime, by: str, message: MessageDraft | None = None
    ) -> bool: ...


async def end_over(ledger: SilenceLedger, voice: OperatorVoice, now: datetime) -> int:
    """End the silences whose time has come, each with its notice in one transaction; how many."""
    ended = 0
    for silence in await ledger.silences():
        if silence.until <= now and await ledger.end_silence(
            silence.id, now, BY, voice.addressed(over(silence))
        ):
            ended += 1
            log.info("silence.over", silence=silence.id, matcher=str(silence.matcher))
    return ended


def over(silence: Silence) -> MessageDraft:
    """The notice that a silence ended by itself."""
    return MessageDraft(
        f"{PREFIX}silence_over:{silence.id}",
        StepKind.LOG,
        "",
        f"Silence {silence.id} is over: {silence.matcher}",
        f"The silence of {silence.by} ({silence.reason}) has ended. What it kept back and still goes on is "
        "told now. See: smm-rules alerts list",
        "info",
        page=pages.ALERTS,
    )
