"""The statement that the daemon sends each day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from smm_rules.config.statement import StatementSettings
from smm_rules.engine.firing import MessageDraft
from smm_rules.ledger.audit import AuditQuery
from smm_rules.ledger.port import Ledger
from smm_rules.notify.operator import PREFIX
from smm_rules.observe import get_logger
from smm_rules.rules.model import StepKind
from smm_rules.statement import day_span, latest_due
from smm_rules.statement.gathering import draw_up
from smm_rules.statement.words import title, told

log = get_logger(__name__)


@dataclass(slots=True)
class DailyStatement:
    """Sends the statement of the day before once its time has come, each day once also over restarts.

    One that came due while the daemon was down is sent when it is up again; of several only the last, the
    others can be had by `smm-rules statement --day`.
    """

    ledger: Ledger
    panels: Sequence[str]
    settings: StatementSettings
    retention: timedelta
    _sent: date | None = None

    async def send_due(self, now: datetime) -> bool:
        """Queue the statement that is due; whether there was one that hadn't been queued."""
        zone = self.settings.time_zone
        day = latest_due(now, self.settings.at, zone)
        if day == self._sent:
            return False
        span = day_span(day, zone)
        begun = await self.ledger.audit_page(AuditQuery(), 0, 1)
        if not begun or begun[0].at >= span.until:
            self._sent = day  # the ledger didn't live to see that day
            return False
        statement = await draw_up(self.ledger, self.panels, span, now - self.retention)
        body = "\n".join(told(statement))
        key = f"{PREFIX}statement:{self.settings.channel}:{day.isoformat()}"
        draft = MessageDraft(key, StepKind.NOTIFY, self.settings.channel, title(statement), body)
        queued = await self.ledger.enqueue(draft, now)
        self._sent = day
        if queued:
            log.info("statement.sent", day=day.isoformat(), channel=self.settings.channel)
        return queued
