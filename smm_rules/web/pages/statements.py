"""Statements of account: what was spent, refunded, refilled, is in doubt and held, beside the balance."""

from __future__ import annotations

from datetime import UTC, date, timedelta

from starlette.responses import Response

from smm_rules.statement import day_span
from smm_rules.statement.gathering import draw_up
from smm_rules.statement.words import balance_lines, title
from smm_rules.web.visit import Visit

_DAY = timedelta(days=1)


async def statements(visit: Visit) -> Response:
    """One day's statement, today's so far by default."""
    configuration = visit.site.configuration
    zone = configuration.statement.time_zone if configuration.statement is not None else UTC
    today = visit.now.astimezone(zone).date()
    day = min(_day(visit.argument("day", 10)) or today, today)
    drawn_up = await draw_up(
        visit.site.ledger, visit.site.panels, day_span(day, zone), visit.now - configuration.retention
    )
    return visit.page(
        "statements.html",
        statement=drawn_up,
        title=title(drawn_up),
        balances={panel.panel: tuple(balance_lines(panel)) for panel in drawn_up.panels},
        day=day,
        today=today,
        before=day - _DAY if day > date(1971, 1, 1) else None,
        after=day + _DAY if day < today else None,
        zone=str(zone),
    )


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.year > 1970 else None
