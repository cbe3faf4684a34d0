"""Minding the brakes: what guards hold is told, approvals expire, pauses end, breakers close."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from smm_rules.actions.port import Voice
from smm_rules.engine.firing import MessageDraft
from smm_rules.engine.guards import APPROVAL, EXPIRED
from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import Intent
from smm_rules.ledger.stops import Stop, StopKind, StopScope
from smm_rules.notify.brakes import began_ahead, ended, expired, guarded_name, held_by_guard, stopped
from smm_rules.observe import get_logger

log = get_logger(__name__)

#: Who ends what ends by itself, in the ledger's record.
BY_ITSELF = "smm-rules"
_MANY = 1_000
#: Clocks of several machines differ by less; what is dated later was dated by a clock that was ahead.
_AHEAD = timedelta(minutes=1)


class BrakeLedger(Protocol):
    """What minding the brakes needs of the ledger."""

    async def untold(self, limit: int) -> tuple[Intent, ...]: ...

    async def tell_held(
        self, intent_ids: Sequence[int], messages: Sequence[MessageDraft], now: datetime
    ) -> None: ...

    async def expired(self, now: datetime, limit: int) -> tuple[Intent, ...]: ...

    async def deny(
        self,
        intent_id: int,
        now: datetime,
        by: str,
        reason: str = "denied",
        message: MessageDraft | None = None,
    ) -> Intent: ...

    async def stops(self, past: int | None = None) -> tuple[Stop, ...]: ...

    async def end_stop(
        self, stop_id: int, now: datetime, by: str, message: MessageDraft | None = None
    ) -> bool: ...

    async def redate_stop(
        self,
        stop_id: int,
        now: datetime,
        until: datetime | None,
        by: str,
        message: MessageDraft | None = None,
    ) -> bool: ...

    async def enqueue(self, message: MessageDraft, now: datetime) -> bool: ...


class Brakes:
    """Looks after what is held and stopped, tick by tick; `answered_at` says when a panel last answered.

    What it tells is told once ever: by keys in the outbox, whatever crashes in between.
    """

    def __init__(
        self, ledger: BrakeLedger, voice: Voice, answered_at: Callable[[str], datetime | None]
    ) -> None:
        self._ledger = ledger
        self._voice = voice
        self._answered_at = answered_at
        self._told: set[int] = set()

    async def mind(self, now: datetime) -> bool:
        """Do all there is to do; whether anything was told or goes on."""
        news = await self.mind_stops(now)
        news += await self.end_expired(now)
        news += await self.tell_held(now)
        return news > 0

    async def tell_held(self, now: datetime) -> int:
        """Tell of what guards hold, by guard and by rule or panel; how many actions that were."""
        held = await self._ledger.untold(_MANY)
        if not held:
            return 0
        groups: defaultdict[tuple[str, str], list[Intent]] = defaultdict(list)
        for intent in held:
            groups[intent.reason, guarded_name(intent)].append(intent)
        messages = [self._voice.addressed(held_by_guard(group, now)) for group in groups.values()]
        await self._ledger.tell_held([intent.id for intent in held], messages, now)
        for (reason, name), group in groups.items():
            log.warning("guard.held", reason=reason, of=name, count=len(group))
        return len(held)

    async def end_expired(self, now: datetime) -> int:
        """Deny what waited for an approval for too long; how many that were."""
        count = 0
        for intent in await self._ledger.expired(now, _MANY):
            message = self._voice.addressed(expired(intent))
            try:
                await self._ledger.deny(intent.id, now, BY_ITSELF, EXPIRED, message)
            except StateConflict:
                continue  # approved or denied at this very moment
            log.warning("guard.expired", intent=intent.id, reason=APPROVAL)
            count += 1
        return count

    async def mind_stops(self, now: datetime) -> int:
        """End what is over, and tell of what began; how many stops that concerned."""
        count = 0
        for stop in await self._ledger.stops():
            if stop.until is not None and stop.since > now + _AHEAD:
                count += await self._redate(stop, stop.until, now)
            elif self._is_over(stop, now):
                message = self._voice.addressed(ended(stop, now))
                count += await self._ledger.end_stop(stop.id, now, BY_ITSELF, message)
                log.info("guard.stop_ended", kind=stop.kind.value, scope=stop.scope.value, name=stop.name)
            elif stop.kind is not StopKind.PAUSE and stop.id not in self._told:
                count += await self._ledger.enqueue(self._voice.addressed(stopped(stop)), now)
                self._told.add(stop.id)
                log.error(
                    "guard.stopped",
                    kind=stop.kind.value,
                    scope=stop.scope.value,
                    name=stop.name,
                    reason=stop.reason,
                )
        return count

    async def _redate(self, stop: Stop, until: datetime, now: datetime) -> bool:
        """A stop that began in the future, by a clock that was ahead, began now.

        A breaker's pause is a length of time, and lasts that long from now on. A pause of the operator's
        keeps its end: whether it was meant as a length or as an instant isn't known, and to go on too soon is
        worse than too late. They are told.
        """
        pause = stop.kind is StopKind.PAUSE
        ends = until if pause else now + (until - stop.since)
        message = self._voice.addressed(began_ahead(stop, now)) if pause else None
        redated = await self._ledger.redate_stop(stop.id, now, ends, BY_ITSELF, message)
        if redated:
            log.warning(
                "guard.stop_redated",
                kind=stop.kind.value,
                scope=stop.scope.value,
                name=stop.name,
                since=stop.since,
                until=ends,
            )
        return redated

    def _is_over(self, stop: Stop, now: datetime) -> bool:
        """A pause at its time. A panel's breaker once a look was answered after its pause: nothing is bought
        to find out whether buying works."""
        if stop.until is None or now < stop.until:
            return False
        if stop.kind is StopKind.PAUSE:
            return True
        if stop.kind is not StopKind.BREAKER or stop.scope is not StopScope.PANEL:
            return False
        answered_at = self._answered_at(stop.name)
        # An answer from the future is an old one, dated by a clock that was ahead.
        return answered_at is not None and stop.until <= answered_at <= now
