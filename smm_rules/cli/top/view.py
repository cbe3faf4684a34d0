"""What one frame tells, read from the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from smm_rules.clock import Clock
from smm_rules.config.model import Configuration
from smm_rules.ledger.alerts import OPEN, Alert
from smm_rules.ledger.records import MessageState, QueuedMessage
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.polling.request_rate import read_rates
from smm_rules.rules.model import RuleSet
from smm_rules.standing.budgets import Budget, gather_budgets
from smm_rules.standing.overview import DaemonState, PanelStanding, Standing, gather
from smm_rules.standing.rule_files import RulesFromFiles

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
#: More of these than fit on a screen aren't read.
_MOST = 50


@dataclass(frozen=True, slots=True)
class PanelView:
    """A panel. `rate` is the requests of the last minute, at most `allowed`; None where no daemon tells."""

    standing: PanelStanding
    rate: int | None
    allowed: int


@dataclass(frozen=True, slots=True)
class RuleView:
    """How often a rule fired in the last hour and the last day, and when it last did."""

    name: str
    in_hour: int
    in_day: int
    last_at: datetime


@dataclass(frozen=True, slots=True)
class View:
    """Everything a frame tells, as of `at`. `messages` are those not delivered, dead ones first."""

    at: datetime
    standing: Standing
    panels: tuple[PanelView, ...]
    rules: tuple[RuleView, ...]
    budgets: tuple[Budget, ...]
    alerts: tuple[Alert, ...]
    messages: tuple[QueuedMessage, ...]


class Viewer:
    """Looks at the ledger again and again. It only reads."""

    def __init__(self, ledger: SqlLedger, configuration: Configuration, clock: Clock) -> None:
        self._ledger = ledger
        self._configuration = configuration
        self._clock = clock
        self._rules = RulesFromFiles(configuration, clock)

    async def look(self) -> View:
        """How everything stands now. `LedgerError` when the ledger can't be read."""
        now = self._clock.now()
        standing = await gather(self._ledger, self._configuration, now)
        return View(
            at=now,
            standing=standing,
            panels=await self._panels(standing),
            rules=await self._active(now),
            budgets=await self._budgets(now),
            alerts=await self._ledger.alerts(OPEN, _MOST),
            messages=await self._messages(),
        )

    async def _panels(self, standing: Standing) -> tuple[PanelView, ...]:
        beat = await self._ledger.heartbeat()
        runs = standing.daemon.state is DaemonState.RUNNING
        rates = read_rates(beat.detail) if beat is not None and runs else {}
        return tuple(
            PanelView(panel, rates.get(panel.panel), settings.requests_per_minute)
            for panel, settings in zip(standing.panels, self._configuration.panels, strict=True)
        )

    async def _active(self, now: datetime) -> tuple[RuleView, ...]:
        """The rules that fired in the last day, those that did most in the last hour first."""
        day = await self._ledger.rule_figures(now - _DAY)
        hour = await self._ledger.rule_figures(now - _HOUR)
        found = [
            RuleView(name, hour[name].fired if name in hour else 0, figures.fired, figures.last_at)
            for name, figures in day.items()
            if figures.fired
        ]
        return tuple(sorted(found, key=lambda rule: (-rule.in_hour, -rule.in_day, rule.name)))

    async def _budgets(self, now: datetime) -> tuple[Budget, ...]:
        loaded = self._rules()
        rules = loaded.rules if loaded else RuleSet()
        return await gather_budgets(self._ledger, self._configuration, rules, now)

    async def _messages(self) -> tuple[QueuedMessage, ...]:
        dead = await self._ledger.messages((MessageState.DEAD,), _MOST)
        return (*dead, *await self._ledger.messages((MessageState.PENDING,), _MOST))
