"""A database of orders, read every so often: what is new is watched, and how far that is goes with it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from smm_rules.config.sql_source import SqlSourceSettings
from smm_rules.intake.lines import IntakeOptions, SourceRefused
from smm_rules.intake.sql.database import SourceFailed, password_of
from smm_rules.intake.sql.reading import Part, Reading, begin
from smm_rules.intake.sql.thread import OneThread
from smm_rules.ledger.sources import BadRow, Piece, SourceStanding, Taken
from smm_rules.notify.operator import OperatorVoice, source_failing, source_recovered
from smm_rules.observe import get_logger

log = get_logger(__name__)

#: The pause after a first failure; it doubles with each further one, up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=30), timedelta(hours=1)
#: Failures in a row after which the operator is told: once an outage, and at its end.
FAILURES_TOLD = 3


class SourceLedger(Protocol):
    """What reading a source needs of the ledger."""

    async def source(self, name: str) -> SourceStanding | None: ...

    async def take_from_source(
        self, name: str, generation: int, piece: Piece, now: datetime, by: str
    ) -> Taken: ...

    async def source_failed(
        self, name: str, error: str, next_at: datetime, now: datetime
    ) -> SourceStanding: ...


class SqlSource:
    """One source. `panels` are the configured ones, `on_step` hears of each piece that was taken.

    A read begins a little before where the last one ended, so that rows which were committed late are found;
    known orders are left as they are. It ends with the answer. What it found is durable piece by piece, each
    with how far it goes, so that a read that was cut short goes on there.
    """

    def __init__(
        self,
        settings: SqlSourceSettings,
        ledger: SourceLedger,
        voice: OperatorVoice,
        panels: Collection[str],
        environment: Mapping[str, str],
        on_step: Callable[[], object] = lambda: None,
    ) -> None:
        self.settings = settings
        self._ledger = ledger
        self._voice = voice
        self._panels = panels
        self._environment = environment
        self._on_step = on_step

    async def read_due(self, now: datetime) -> int:
        """Read if it is time; how many orders were new. A failure is noted, told, and tried again later.

        `LedgerError` ends the read; the next one goes on from what was taken.
        """
        standing = await self._ledger.source(self.settings.name)
        if standing is not None and now < standing.due_at:
            return 0
        try:
            added = await self._read(standing, now)
        except (SourceFailed, SourceRefused) as error:
            await self._failed(error, now)
            return 0
        if standing is not None and standing.failing_since is not None:
            await self._recovered(standing, standing.failing_since, now)
        return added

    async def _read(self, standing: SourceStanding | None, now: datetime) -> int:
        settings, generation = self.settings, standing.generation if standing is not None else 0
        since = begin(settings, standing.watermark if standing is not None else "")
        options = options_of(settings, self._panels, now)
        reading = Reading(settings, password_of(settings, self._environment), since, options)
        thread = OneThread(f"source {settings.name}")
        counts, rows, part = Taken(0, ()), 0, Part()
        try:
            await thread.run(reading.open)
            while not part.over:
                part = await thread.run(reading.next_part)
                taken = await self._take(part, generation, now)
                counts = Taken(counts.added + taken.added, (*counts.news, *taken.news)[:1000])
                rows += part.rows
                self._on_step()
        finally:
            thread.close(reading.close)
        self._tell(counts, rows, part)
        return counts.added

    async def _take(self, part: Part, generation: int, now: datetime) -> Taken:
        if part.ahead is not None:
            log.warning("intake.source_ahead", source=self.settings.name, watermark=str(part.ahead))
        piece = Piece(
            part.orders,
            part.bad,
            None if part.watermark is None else part.watermark.dump(),
            now + self.settings.every if part.over else None,
        )
        name = self.settings.name
        return await self._ledger.take_from_source(name, generation, piece, now, f"source {name}")

    def _tell(self, counts: Taken, rows: int, last: Part) -> None:
        name = self.settings.name
        if counts.news:
            self._tell_bad(counts.news)
        if counts.added:
            log.info("intake.source_added", source=name, added=counts.added)
        log.debug(
            "intake.source_read",
            source=name,
            rows=rows,
            added=counts.added,
            bad=len(counts.news),
            watermark=str(last.watermark or ""),
        )

    def _tell_bad(self, news: tuple[BadRow, ...]) -> None:
        first = news[0]
        log.warning(
            "intake.source_has_bad_rows",
            source=self.settings.name,
            bad=len(news),
            row=first.name,
            error=first.what,
            to_do=first.to_do,
        )

    async def _failed(self, error: SourceFailed | SourceRefused, now: datetime) -> None:
        name = self.settings.name
        before = await self._ledger.source(name)
        failures = before.failures if before is not None else 0
        next_at = now + min(FIRST_PAUSE * 2 ** min(failures, 10), LONGEST_PAUSE)
        standing = await self._ledger.source_failed(name, str(error), next_at, now)
        log.warning(
            "intake.source_failed",
            source=name,
            error=str(error),
            failures=standing.failures,
            again_at=next_at,
        )
        if standing.failures >= FAILURES_TOLD:
            since = standing.failing_since or now
            await self._voice.tell(source_failing(name, since, standing.failures, str(error)), now)

    async def _recovered(self, before: SourceStanding, since: datetime, now: datetime) -> None:
        log.info("intake.source_recovered", source=before.name, failures=before.failures)
        if before.failures >= FAILURES_TOLD:
            await self._voice.tell(source_recovered(before.name, since, now), now)


def options_of(settings: SqlSourceSettings, panels: Collection[str], now: datetime) -> IntakeOptions:
    """What the source's rows leave unsaid."""
    alone = next(iter(panels)) if len(panels) == 1 else None
    return IntakeOptions(now, panels, settings.panel or alone, settings.time_zone)
