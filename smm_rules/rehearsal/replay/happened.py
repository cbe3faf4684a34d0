"""What really happened, by the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from smm_rules.engine.firing import Firing
from smm_rules.facts import Entity
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.rehearsal.replay.model import Account, Span, fired_of
from smm_rules.rehearsal.replay.replaying import acted_of

_PAGE = 2_000


class HappenedLedger(Protocol):
    """Where firings and intents are kept."""

    async def firings(self, since: datetime, until: datetime, limit: int) -> tuple[Firing, ...]: ...

    async def intents(
        self, states: Sequence[IntentState], limit: int, rule: str | None = None, entity: Entity | None = None
    ) -> tuple[Intent, ...]: ...


async def happened(ledger: HappenedLedger, span: Span, panel: str | None = None) -> Account:
    """The firings of `span` and the actions that rules asked for in it."""
    firings = [one for one in await _firings(ledger, span) if panel in (None, one.entity.panel)]
    intents = [
        one
        for one in await _intents(ledger, span)
        if one.firing is not None and panel in (None, one.entity.panel)
    ]
    return Account(
        tuple(fired_of(one) for one in firings),
        tuple(acted_of(one, one.claimed_at or one.planned_at) for one in intents),
    )


async def _firings(ledger: HappenedLedger, span: Span) -> list[Firing]:
    found: dict[str, Firing] = {}
    since, limit = span.since, _PAGE
    while True:
        page = await ledger.firings(since, span.until, limit)
        found |= {one.key: one for one in page}
        if len(page) < limit:
            return list(found.values())
        # All of one instant on one page: only a larger page gets past it.
        limit = limit * 4 if page[-1].at == since else _PAGE
        since = page[-1].at


async def _intents(ledger: HappenedLedger, span: Span) -> list[Intent]:
    """Those planned in `span`, the oldest first; the ledger gives the newest first."""
    limit = _PAGE
    while True:
        page = await ledger.intents((), limit)
        if len(page) < limit or page[-1].planned_at < span.since:
            return [one for one in reversed(page) if span.holds(one.planned_at)]
        limit *= 4
