"""What bounds actions. Pure: the caller counts and adds up, these judge.

Limits concern firings of the occasion FIRED only: reminders and ends belong to episodes already let through.
Guards concern every action, whatever it is asked by, when it is planned and again when it is to be sent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from smm_rules.engine.memory import Reason
from smm_rules.facts.allowance import PERIODS, Allowance, Per, ends_at
from smm_rules.matching.market import NO_MARKET, Market
from smm_rules.rules.model import Limits, RuleGuards

#: Whatever share of a panel's orders a rule may act on, so many it may.
FEW_ORDERS = 5


def over_sweep_limit(limits: Limits, count: int) -> bool:
    """Whether `count` firings of one rule in one sweep are too many: then it acts on none of them."""
    return limits.per_sweep is not None and count > limits.per_sweep


def chain_verdict(limits: Limits, firings_in_chain: int) -> Reason | None:
    """What stops one more firing of a rule that fired `firings_in_chain` times over a chain of reorders."""
    if limits.per_chain is not None and firings_in_chain >= limits.per_chain:
        return Reason.LIMIT_PER_CHAIN
    return None


# -- what is set -----------------------------------------------------------------------------------------
class Scope(StrEnum):
    """Over what a guard adds up: one rule, one panel, or everything."""

    RULE = "rule"
    PANEL = "panel"
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Breaker:
    """The shares of the last `of` attempts at which actions are stopped, and for how long at least."""

    errors: Decimal | None = None
    refused: Decimal | None = None
    of: int = 20
    pause: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The guards of one panel, or over all of them."""

    spend: tuple[Allowance, ...] = ()
    actions: tuple[Allowance, ...] = ()
    keep_balance: Decimal | None = None
    share_of_orders: Decimal | None = None
    breaker: Breaker | None = None


NO_BOUNDS = Bounds()


@dataclass(frozen=True, slots=True)
class Guards:
    """The guards in force beside those of the rules themselves, and among what they let reorders choose."""

    total: Bounds = NO_BOUNDS
    panels: Mapping[str, Bounds] = field(default_factory=dict)
    market: Market = NO_MARKET

    def of(self, panel: str) -> Bounds:
        """The guards of one panel."""
        return self.panels.get(panel, NO_BOUNDS)

    def share_of(self, panel: str) -> Decimal | None:
        """The share of a panel's orders that one rule may act on: the panel's own, else the one for all."""
        own = self.of(panel).share_of_orders
        return self.total.share_of_orders if own is None else own

    def breaker_of(self, panel: str) -> Breaker | None:
        """A panel's breaker: its own, else the one for all."""
        return self.of(panel).breaker or self.total.breaker


NO_GUARDS = Guards()


# -- what is judged --------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Asked:
    """One action to be judged. `cost` is None for what costs nothing and where the price isn't known.

    `buys` says that it costs money. `final` says that nothing more will become known before it is sent: an
    unknown price is waited for while it is only planned. `about_order` is false for what makes a new order.
    """

    rule: str
    panel: str
    buys: bool
    cost: Decimal | None
    currency: str | None
    final: bool
    about_order: bool = True


class Books(Protocol):
    """What a ledger adds up for one action, itself left out.

    What is planned counts as spent and done as long as the action is only being planned: it may all be sent.
    When it is to be sent, what was sent counts: what is only planned will be judged in its own turn.
    """

    def spent(self, scope: Scope, per: Per) -> Decimal:
        """What actions of this scope have cost or may have cost in the current unit, in the same currency."""
        ...

    def done(self, scope: Scope, per: Per) -> int:
        """How many actions of this scope were sent in the current unit, refused ones included."""
        ...

    def balance(self) -> Decimal | None:
        """The panel's balance as last read, less what may have been spent since; None when unread."""
        ...

    def orders_watched(self) -> int:
        """How many orders of the panel are watched today."""
        ...

    def orders_acted_on(self) -> int:
        """On how many other orders of the panel the rule acts today."""
        ...


@dataclass(frozen=True, slots=True)
class Guarded:
    """What holds an action: the guard's own name, which an approval passes, and a sentence."""

    reason: str
    message: str


COST_UNKNOWN, KEEP_BALANCE, SHARE_OF_ORDERS = "cost_unknown", "keep_balance", "share_of_orders"
APPROVAL, BREAKER, EXPIRED = "approval", "breaker", "expired"
_PREFIX = {Scope.RULE: "", Scope.PANEL: "panel_", Scope.TOTAL: "total_"}


def spend_reason(scope: Scope, per: Per) -> str:
    """The name of a money guard: `spend_per_day` of a rule, `panel_spend_per_day`, `total_spend_per_day`."""
    return f"{_PREFIX[scope]}spend_per_{per}"


def actions_reason(scope: Scope, per: Per) -> str:
    """The name of a guard that counts: `panel_actions_per_hour`, `total_actions_per_hour`."""
    return f"{_PREFIX[scope]}actions_per_{per}"


#: Every reason a guard holds an action for.
GUARD_REASONS = frozenset(
    {
        COST_UNKNOWN,
        KEEP_BALANCE,
        SHARE_OF_ORDERS,
        APPROVAL,
        BREAKER,
        *(spend_reason(scope, per) for scope in Scope for per in Per),
        *(actions_reason(scope, per) for scope in (Scope.PANEL, Scope.TOTAL) for per in PERIODS),
    }
)
#: Guards about money: their approval holds up to the price it was given for.
MONEY_REASONS = frozenset({KEEP_BALANCE, APPROVAL, *(spend_reason(s, p) for s in Scope for p in Per)})


def judge(
    asked: Asked,
    rule: RuleGuards,
    guards: Guards,
    books: Books,
    now: datetime,
    approved: frozenset[str] = frozenset(),
) -> Guarded | None:
    """The first guard that stops an action; None when none does. Those in `approved` are passed."""
    verdicts = _verdicts(asked, rule, guards, books, now)
    return next((one for one in verdicts if one.reason not in approved), None)


def _verdicts(
    asked: Asked, rule: RuleGuards, guards: Guards, books: Books, now: datetime
) -> Iterator[Guarded]:
    panel = guards.of(asked.panel)
    spending = ((Scope.RULE, rule.spend), (Scope.PANEL, panel.spend), (Scope.TOTAL, guards.total.spend))
    counting = ((Scope.PANEL, panel.actions), (Scope.TOTAL, guards.total.actions))
    for scope, allowances in counting:
        for allowance in allowances:
            yield from _over_count(asked, scope, allowance, books, now)
    yield from _over_share(asked, guards.share_of(asked.panel), books)
    if asked.buys:
        bounded = any(allowances for _, allowances in spending) or panel.keep_balance is not None
        yield from _unpriced(asked, rule, bounded)
        if asked.cost is not None:
            for scope, allowances in spending:
                for allowance in allowances:
                    yield from _over_spend(asked, scope, allowance, books, now)
            yield from _below_balance(asked, panel.keep_balance, books)
    yield from _wants_approval(asked, rule)


def _whose(asked: Asked, scope: Scope) -> str:
    if scope is Scope.RULE:
        return f"rule {asked.rule}"
    return f"panel {asked.panel}" if scope is Scope.PANEL else "all rules together"


def _again(per: Per, now: datetime) -> str:
    end = ends_at(per, now)
    return "" if end is None else f"; the next {per} begins at {end:%Y-%m-%d %H:%M} UTC"


def _money(amount: Decimal, currency: str | None) -> str:
    return f"{amount:f} {currency}" if currency else f"{amount:f}"


def _over_spend(
    asked: Asked, scope: Scope, allowance: Allowance, books: Books, now: datetime
) -> Iterator[Guarded]:
    cost, spent = asked.cost or Decimal(0), books.spent(scope, allowance.per)
    if spent + cost > allowance.amount:
        message = (
            f"{_whose(asked, scope)} may spend {_money(allowance.amount, asked.currency)} per "
            f"{allowance.per}; "
            f"{spent:f} are spent or set aside and this costs {cost:f}{_again(allowance.per, now)}"
        )
        yield Guarded(spend_reason(scope, allowance.per), message)


def _over_count(
    asked: Asked, scope: Scope, allowance: Allowance, books: Books, now: datetime
) -> Iterator[Guarded]:
    done = books.done(scope, allowance.per)
    if done + 1 > allowance.amount:
        message = (
            f"{_whose(asked, scope)} may act {allowance.amount:f} times per {allowance.per}, and {done} "
            f"actions were sent or are planned{_again(allowance.per, now)}"
        )
        yield Guarded(actions_reason(scope, allowance.per), message)


def _over_share(asked: Asked, share: Decimal | None, books: Books) -> Iterator[Guarded]:
    if share is None or not asked.about_order:
        return
    watched, acted = books.orders_watched(), books.orders_acted_on()
    if acted + 1 > max(Decimal(FEW_ORDERS), share * watched):
        yield Guarded(
            SHARE_OF_ORDERS,
            f"rule {asked.rule} acts on {acted} of the {watched} orders watched today on panel "
            f"{asked.panel}, and may on {(share * 100).normalize():f} % of them ({FEW_ORDERS} at least)",
        )


def _unpriced(asked: Asked, rule: RuleGuards, bounded: bool) -> Iterator[Guarded]:
    bounded = bounded or rule.approval is not None
    if bounded and asked.final and asked.cost is None:
        yield Guarded(COST_UNKNOWN, "what it costs isn't known, so no guard on money can judge it")


def _below_balance(asked: Asked, keep: Decimal | None, books: Books) -> Iterator[Guarded]:
    if keep is None:
        return
    balance, cost = books.balance(), asked.cost or Decimal(0)
    if balance is None:
        if asked.final:
            yield Guarded(KEEP_BALANCE, f"the balance of panel {asked.panel} isn't known")
    elif balance - cost < keep:
        yield Guarded(
            KEEP_BALANCE,
            f"panel {asked.panel} is to keep {_money(keep, asked.currency)}; of the balance {balance:f} are "
            f"not set aside and this costs {cost:f}",
        )


def _wants_approval(asked: Asked, rule: RuleGuards) -> Iterator[Guarded]:
    need = rule.approval
    if need is None:
        return
    if not asked.buys:
        if need.above is None:
            yield Guarded(APPROVAL, f"every action of rule {asked.rule} waits for approval")
        return
    if asked.cost is None or (need.above is not None and asked.cost <= need.above):
        return
    what = "every action" if need.above is None else f"what costs more than {need.above:f}"
    yield Guarded(
        APPROVAL,
        f"{what} of rule {asked.rule} waits for approval; this costs {_money(asked.cost, asked.currency)}",
    )


# -- breakers --------------------------------------------------------------------------------------------
class Attempt(StrEnum):
    """How an attempt counts for a breaker."""

    DONE = "done"
    REFUSED = "refused"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


#: What of a panel is an error, and what of a rule: that a panel wasn't reached says nothing of the rule.
PANEL_ERRORS = frozenset({Attempt.NOT_SENT, Attempt.UNKNOWN})
RULE_ERRORS = frozenset({Attempt.UNKNOWN})


def breaker_verdict(breaker: Breaker, attempts: Sequence[Attempt], errors: frozenset[Attempt]) -> str | None:
    """Why the last attempts open a breaker; None when they don't, or when there are too few to say."""
    last = attempts[: breaker.of]
    if len(last) < breaker.of:
        return None
    wrong = sum(attempt in errors for attempt in last)
    refused = sum(attempt is Attempt.REFUSED for attempt in last)
    if breaker.errors is not None and wrong and wrong >= breaker.errors * breaker.of:
        return f"{wrong} of the last {breaker.of} actions failed or are in doubt"
    if breaker.refused is not None and refused and refused >= breaker.refused * breaker.of:
        return f"{refused} of the last {breaker.of} actions were refused"
    return None
