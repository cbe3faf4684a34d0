"""The statement that the daemon sends each day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from smm_rules.config.statement import StatementSettings
from smm_rules.engine.firing import MessageDraft
from smm_rules.ledger.audit import AuditQuery
from smm_rules.ledger.port import Ledger
from smm_rules.notify import pages
from smm_rules.notify.operator import PREFIX
from smm_rules.observe import get_logger
from smm_rules.polling.carried import STATEMENT
from smm_rules.rules.model import StepKind
from smm_rules.statement import day_span, latest_due
from smm_rules.statement.gathering import draw_up
from smm_rules.statement.span import instant
from smm_rules.statement.words import title, told

log = get_logger(__name__)


#: Of how many days that nobody ran the statements are sent when somebody runs again.
MOST_DAYS = 7
_DAY = timedelta(days=1)


@dataclass(slots=True)
class DailyStatement:
    """Sends the statement of the day before once its time has come, each day once also over restarts.

    After days on which nobody ran each of them has its statement, the last `MOST_DAYS` at most; the first one
    sent names the others, which can be had by `smm-rules statement --day`. Where nothing is known of a run
    before, only the last day's is sent. With `page_url` each ends with a link to its page.
    """

    ledger: Ledger
    panels: Sequence[str]
    settings: StatementSettings
    retention: timedelta
    page_url: str = ""
    _sent: date | None = None

    def carry_over(self, detail: Mapping[str, str]) -> None:
        """Go on from the last heartbeat of the run before."""
        try:
            self._sent = date.fromisoformat(detail.get(STATEMENT, ""))
        except ValueError:
            self._sent = None

    def written(self) -> dict[str, str]:
        """As an entry of a heartbeat's detail."""
        return {} if self._sent is None else {STATEMENT: self._sent.isoformat()}

    async def send_due(self, now: datetime) -> bool:
        """Queue what is due; whether there was anything that hadn't been queued."""
        latest = latest_due(now, self.settings.at, self.settings.time_zone)
        if latest == self._sent:
            return False
        days = await self._seen_by_the_ledger(self._missed(latest))
        sent = [day for day in days[-MOST_DAYS:] if day == latest or self._is_remembered(day, now)]
        left_out = days[: len(days) - len(sent)]
        queued = False
        for day in sent:
            note = _left_out(left_out) if left_out and day == sent[0] else ""
            queued = await self._send(day, note, now) or queued
        self._sent = latest
        return queued

    def _missed(self, latest: date) -> list[date]:
        """The days that are due, the oldest first. What was sent by a clock that was ahead says nothing."""
        if self._sent is None or self._sent > latest:
            return [latest]
        return [self._sent + number * _DAY for number in range(1, (latest - self._sent).days + 1)]

    async def _seen_by_the_ledger(self, days: Sequence[date]) -> list[date]:
        """Without the days before the ledger's own."""
        begun = await self.ledger.audit_page(AuditQuery(), 0, 1)
        zone = self.settings.time_zone
        return [day for day in days if begun and begun[0].at < day_span(day, zone).until]

    def _is_remembered(self, day: date, now: datetime) -> bool:
        """Whether the outbox would still know of it if the statement of `day` had been delivered before."""
        due = instant(day + _DAY, self.settings.at, self.settings.time_zone)
        return due >= now - self.retention

    async def _send(self, day: date, note: str, now: datetime) -> bool:
        span = day_span(day, self.settings.time_zone)
        statement = await draw_up(self.ledger, self.panels, span, now - self.retention)
        link = f"{self.page_url}/{pages.statement(day.isoformat())}" if self.page_url else ""
        body = "\n".join(line for line in (note, *told(statement), link) if line)
        key = f"{PREFIX}statement:{self.settings.channel}:{day.isoformat()}"
        draft = MessageDraft(key, StepKind.NOTIFY, self.settings.channel, title(statement), body)
        queued = await self.ledger.enqueue(draft, now)
        if queued:
            log.info("statement.sent", day=day.isoformat(), channel=self.settings.channel)
        return queued


def _left_out(days: Sequence[date]) -> str:
    first, last = days[0].isoformat(), days[-1].isoformat()
    which = (
        f"No statement was sent of {first}"
        if first == last
        else f"No statements were sent of {first} to {last}"
    )
    return f"{which}, when nobody ran: smm-rules statement --day {first}"
