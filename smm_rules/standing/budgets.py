"""What was spent beside what may be spent. Money of different currencies is never added up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType

from smm_rules.config.model import Configuration
from smm_rules.engine.guards import Scope
from smm_rules.facts.allowance import PERIODS, Allowance, Per, begun_at
from smm_rules.ledger.figures import CountedAction
from smm_rules.ledger.records import IntentState
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.rules.model import RuleSet


@dataclass(frozen=True, slots=True)
class Budget:
    """One allowance and how much of it is used in the current hour, day or month.

    `name` is the rule or panel it is for, empty for everything. `currency` is None for a count of actions
    and empty for money of which the currency isn't known. `open` is what of `used` isn't certain yet:
    planned, being sent or in doubt.
    """

    scope: Scope
    name: str
    per: Per
    allowed: Decimal
    used: Decimal
    open: Decimal
    currency: str | None

    @property
    def share(self) -> Decimal:
        """How much of it is used, 1 being all."""
        if not self.allowed:
            return Decimal(1 if self.used else 0)
        return self.used / self.allowed

    @property
    def title(self) -> str:
        """`rule top-up, each day`."""
        whose = "everything" if self.scope is Scope.TOTAL else f"{self.scope} {self.name}"
        return f"{whose}, each {self.per}"


async def gather_budgets(
    ledger: SqlLedger, configuration: Configuration, rules: RuleSet, now: datetime
) -> tuple[Budget, ...]:
    """Every allowance for a time and what the ledger counts against it, the most used first."""
    actions = await ledger.counted_actions(begun_at(Per.MONTH, now) or now)
    known = [(panel.name, await ledger.balance(panel.name)) for panel in configuration.panels]
    currencies = {
        name: balance.currency for name, balance in known if balance is not None and balance.currency
    }
    return budgets(configuration, rules, actions, now, currencies)


def budgets(
    configuration: Configuration,
    rules: RuleSet,
    actions: Sequence[CountedAction],
    now: datetime,
    currencies: Mapping[str, str] = MappingProxyType({}),
) -> tuple[Budget, ...]:
    """Every allowance for a time, the most used first. Those for an order or chain have no one sum.

    `currencies` are those that panels count in. As guards count it, money of which the currency isn't known
    may be in any, so it is part of each.
    """
    actions = [replace(one, currency=one.currency or currencies.get(one.panel)) for one in actions]
    found = [
        *_of(Scope.TOTAL, "", configuration.guards.spend, configuration.guards.actions, actions, now),
        *(
            budget
            for panel in configuration.panels
            for budget in _of(Scope.PANEL, panel.name, panel.guards.spend, panel.guards.actions, actions, now)
        ),
        *(
            budget
            for rule in rules.rules
            for budget in _of(Scope.RULE, rule.name, rule.guards.spend, (), actions, now)
        ),
    ]
    return tuple(sorted(found, key=lambda budget: (-budget.share, budget.title)))


def _of(
    scope: Scope,
    name: str,
    spend: Sequence[Allowance],
    counts: Sequence[Allowance],
    actions: Sequence[CountedAction],
    now: datetime,
) -> Iterator[Budget]:
    ours = [one for one in actions if _concerns(scope, name, one)]
    for allowance in (one for one in spend if one.per in PERIODS):
        within = [one for one in _within(ours, allowance.per, now) if one.reserved is not None]
        spent = [one for one in within if one.state is not IntentState.REJECTED]
        for currency in sorted({one.currency for one in spent if one.currency}) or [""]:
            same = [one for one in spent if (one.currency or currency) == currency]
            used = sum((one.reserved or Decimal(0) for one in same), Decimal(0))
            open_ = sum((one.reserved or Decimal(0) for one in same if _is_open(one)), Decimal(0))
            yield Budget(scope, name, allowance.per, allowance.amount, used, open_, currency)
    for allowance in counts:
        done = _within(ours, allowance.per, now)
        open_count = Decimal(sum(_is_open(one) for one in done))
        yield Budget(
            scope, name, allowance.per, allowance.amount, Decimal(len(done)), open_count, currency=None
        )


def _concerns(scope: Scope, name: str, action: CountedAction) -> bool:
    if scope is Scope.TOTAL:
        return True
    return name == (action.rule if scope is Scope.RULE else action.panel)


def _within(actions: Sequence[CountedAction], per: Per, now: datetime) -> list[CountedAction]:
    """Those of the current unit; what is planned counts in each, for it may still be sent in it."""
    since = begun_at(per, now) or now
    return [one for one in actions if one.claimed_at is None or one.claimed_at >= since]


def _is_open(action: CountedAction) -> bool:
    return action.state in (IntentState.PLANNED, IntentState.SENDING, IntentState.UNKNOWN)
