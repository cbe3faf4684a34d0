"""Plots of balances for mails: about a balance, and the daily statement.

A line of blocks stands in the text, for that is seen in every mail program and on every telephone; the
picture with its scales is attached as SVG, which browsers open. Mail programs show no SVG within a mail, and
one as PNG would need a library for drawing, of which this would be the only use.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from smm_rules.charts.spark import spark_line
from smm_rules.charts.svg import Point, line_chart, stand_alone
from smm_rules.facts import Entity, EntityKind
from smm_rules.history.balances import BalanceReader, balance_points
from smm_rules.notify.bundles import Bundle
from smm_rules.notify.channel import Plot
from smm_rules.notify.operator import PREFIX
from smm_rules.observe import get_logger

log = get_logger(__name__)

#: The time that a plot shows.
SPAN = timedelta(days=14)
#: More plots than this in a mail, and nobody looks at them.
MOST_PLOTS = 12
_BLOCKS = 28
_STATEMENT = f"{PREFIX}statement:"
#: `RULE:balance/PANEL:EPISODE`, the name of an alert about a balance.
_ABOUT_A_BALANCE = re.compile(r"[^:]+:balance/([^:/]+)/?:")


@dataclass(frozen=True, slots=True)
class BalancePlots:
    """Draws the balances of `panels` from the ledger."""

    ledger: BalanceReader
    panels: Sequence[str]

    async def of(self, bundle: Bundle, now: datetime) -> tuple[Plot, ...]:
        """The plots that go with what is sent; none where it isn't about balances.

        Whatever goes wrong, the message goes out without them.
        """
        try:
            drawn = [await self._plot(panel, now) for panel in self._panels_of(bundle)]
        except Exception as error:  # whatever it is, the message is worth more than its picture
            log.exception("message.plot_failed", channel=bundle.channel, error=repr(error))
            return ()
        return tuple(plot for plot in drawn if plot is not None)

    def _panels_of(self, bundle: Bundle) -> list[str]:
        if any(member.dedup_key.startswith(_STATEMENT) for member in bundle.members):
            return list(self.panels)[:MOST_PLOTS]
        found = (_ABOUT_A_BALANCE.match(member.alert) for member in bundle.members)
        return list(dict.fromkeys(one[1] for one in found if one is not None))[:MOST_PLOTS]

    async def _plot(self, panel: str, now: datetime) -> Plot | None:
        """None where the balance never moved within the time shown."""
        balance, since = Entity(EntityKind.BALANCE, panel), now - SPAN
        points = await balance_points(self.ledger, balance, since, now)
        if len({point.value for point in points}) < 2:
            return None
        watched = await self.ledger.watched(balance)
        currency = str(watched.facts.get("currency", "")) if watched is not None else ""
        chart = line_chart(points, since, now, f"Balance of {panel}", currency)
        return Plot(f"balance-{panel}.svg", _line(panel, points, currency, now), stand_alone(chart))


def _line(panel: str, points: Sequence[Point], currency: str, now: datetime) -> str:
    blocks = spark_line(points, now - SPAN, now, _BLOCKS).strip()
    return f"{panel}, {SPAN.days} days: {blocks} {points[-1].value:f} {currency}".rstrip()
