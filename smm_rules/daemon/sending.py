"""Whether anything can be sent at all: not on a hold, nor while the ledger's stamp can't be used."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from smm_rules.ledger.holds import Finding, Hold
from smm_rules.notify.operator import OperatorVoice, on_hold, stamp_failing, stamp_recovered
from smm_rules.observe import get_logger
from smm_rules.polling.carried import STAMP, STAMP_SINCE

log = get_logger(__name__)


class HeldLedger(Protocol):
    """What is asked of the ledger."""

    @property
    def stamp_trouble(self) -> str: ...

    @property
    def finding(self) -> Finding | None: ...

    async def hold_if_doubtful(self, by: str, now: datetime) -> Hold | None: ...

    async def open_hold(self) -> Hold | None: ...


async def take_up_hold(ledger: HeldLedger, voice: OperatorVoice, by: str, now: datetime) -> None:
    """A ledger that may have forgotten what was done sends nothing until the operator confirms it."""
    hold = await ledger.hold_if_doubtful(by, now)
    if hold is None:
        return
    log.error(
        "daemon.on_hold",
        reason=hold.reason.value,
        since=hold.at.isoformat(),
        known_until=None if hold.gap.known_until is None else hold.gap.known_until.isoformat(),
        stamped_at=None if hold.gap.stamped_at is None else hold.gap.stamped_at.isoformat(),
        intents=None if hold.gap.intents is None else list(hold.gap.intents),
        orders=dict(hold.gap.orders),
    )
    await voice.tell(on_hold(hold), now)


@dataclass(slots=True)
class Sending:
    """Looks at each heartbeat whether anything can be sent, and tells the operator when that changes.

    `stamp_failing_since` names one occurrence of trouble with the stamp: it is told once, and so is its end,
    also over restarts.
    """

    ledger: HeldLedger
    voice: OperatorVoice
    by: str
    stamp_failing_since: datetime | None = None
    trouble: str = ""

    def carry_over(self, detail: Mapping[str, str]) -> None:
        """Go on from the last heartbeat of the run before."""
        try:
            self.stamp_failing_since = datetime.fromisoformat(detail.get(STAMP_SINCE, ""))
        except ValueError:
            self.stamp_failing_since = None

    async def look(self, now: datetime) -> str:
        """What keeps everything from being sent, for the status line; empty when nothing does."""
        self.trouble = self.ledger.stamp_trouble
        await self._mind_the_stamp(now)
        hold = await self.ledger.open_hold()
        if hold is None and self.ledger.finding is not None:
            # The server of a ledger in a database was put back while this process went on.
            await take_up_hold(self.ledger, self.voice, self.by, now)
            hold = await self.ledger.open_hold()
        if hold is not None:
            return "On hold, nothing is sent (smm-rules hold show)"
        return "Nothing is sent: the ledger's stamp can't be used (smm-rules status)" if self.trouble else ""

    async def _mind_the_stamp(self, now: datetime) -> None:
        since = self.stamp_failing_since
        if self.trouble and since is None:
            await self.voice.tell(stamp_failing(self.trouble, now), now)
            self.stamp_failing_since = now
        elif since is not None and not self.trouble:
            # Only now that the stamp can be read can it say that the ledger is an older copy.
            await take_up_hold(self.ledger, self.voice, self.by, now)
            await self.voice.tell(stamp_recovered(since, now), now)
            self.stamp_failing_since = None

    def written(self) -> dict[str, str]:
        """As entries of a heartbeat's detail; none while all is well."""
        if self.stamp_failing_since is None:
            return {}
        return {STAMP: self.trouble, STAMP_SINCE: self.stamp_failing_since.isoformat()}
