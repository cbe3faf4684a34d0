"""What guards add up, gathered inside the transaction that plans or claims an action."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from smm_rules.engine.guards import BREAKER, NO_GUARDS, Asked, Guarded, Guards, Scope, judge
from smm_rules.facts import Entity, EntityKind
from smm_rules.facts.allowance import Per, begun_at
from smm_rules.ledger.codec import entity_from_text, entity_text, maybe_micros, to_micros
from smm_rules.ledger.sql import balances, stops
from smm_rules.ledger.sql.query import Connection, Row, cell, rows
from smm_rules.ledger.sql.rows import key
from smm_rules.ledger.stops import TRIPPED
from smm_rules.rules.model import RuleGuards, StepKind

#: Kinds of actions that cost money.
BUYING = frozenset({StepKind.REORDER, StepKind.ADD})

#: Money that may still be spent, and money that was or may have been spent since an instant.
_PLANNED_MONEY = """
  SELECT reserved, currency, panel FROM intents WHERE state = 'planned' AND reserved IS NOT NULL
"""
_SENT_MONEY = """
  SELECT reserved, currency, panel FROM intents
  WHERE state IN ('sending', 'unknown', 'confirmed') AND reserved IS NOT NULL AND claimed_at >= ?
"""
_PLANNED = "SELECT count(*) FROM intents WHERE state = 'planned'"
_SENT = """
  SELECT count(*) FROM intents WHERE state IN ('sending', 'unknown', 'confirmed', 'rejected')
    AND claimed_at >= ?
"""
_PAST = "SELECT amount, nullif(currency, ''), panel FROM past_spending WHERE about = ?"
#: What a balance that was asked for at an instant may not show yet.
_COMMITTED = """
  SELECT reserved, currency FROM intents WHERE panel = ?1 AND reserved IS NOT NULL AND id <> ?3
    AND (state IN ('sending', 'unknown') OR (state = 'confirmed' AND settled_at >= ?2))
"""
_WATCHED_ORDERS = """
  SELECT count(*) FROM entities WHERE kind = 'order' AND panel = ? AND forgotten_at IS NULL
    AND (due_at IS NOT NULL OR last_seen_at >= ?)
"""
_PLANNED_SUBJECTS = "SELECT DISTINCT subject FROM intents WHERE state = 'planned' AND rule = ? AND id <> ?"
_SENT_SUBJECTS = """
  SELECT DISTINCT subject FROM intents WHERE state IN ('sending', 'unknown', 'confirmed', 'rejected')
    AND rule = ? AND id <> ? AND claimed_at >= ?
"""
_REFILLED = """
  SELECT o.panel, o.name, known.root FROM entities e JOIN entities o ON o.id = e.refilled
  LEFT JOIN orders known ON known.entity = o.id
  WHERE e.kind = ? AND e.panel = ? AND e.name = ?
"""
_ROOT = """
  SELECT o.root FROM entities e JOIN orders o ON o.entity = e.id
  WHERE e.kind = ? AND e.panel = ? AND e.name = ?
"""
NOBODY = 0
#: Money by currency, None where that isn't known.
_Sums = dict[str | None, Decimal]


class About(NamedTuple):
    """The order an action is about and the first of its chain, as text; None where it is about none."""

    subject: str | None
    root: str | None


def about(connection: Connection, entity: Entity) -> About:
    """What an action on `entity` is about, by the ledger's own word."""
    return about_from(entity, rows(connection, *about_asked(entity)))


def about_asked(entity: Entity) -> tuple[str, tuple[str, str, str]]:
    """The statement that finds what an action on `entity` is about, with its values."""
    return _REFILLED if entity.kind is EntityKind.REFILL else _ROOT, key(entity)


def about_from(entity: Entity, found: Sequence[Row]) -> About:
    """What `about_asked` found."""
    if entity.kind is EntityKind.REFILL:
        if not found:
            return About(entity_text(entity), entity_text(entity))
        panel, name, root = found[0]
        order = Entity(EntityKind.ORDER, panel, name)
    else:
        order, root = entity, found[0][0] if found else None
    if order.kind is not EntityKind.ORDER:
        return About(None, None)
    return About(entity_text(order), root or entity_text(order))


@dataclass(frozen=True, slots=True)
class Action:
    """An action to be judged, with all that it counts in. `id` is 0 while it isn't written yet."""

    rule: str
    panel: str
    kind: StepKind
    about: About
    cost: Decimal | None
    currency: str | None
    id: int = NOBODY


@dataclass(slots=True)
class Guarding:
    """The guards of one transaction. Sums over many actions are read once and carried on."""

    connection: Connection
    now: datetime
    guards: Guards = NO_GUARDS
    _money: dict[tuple[Scope, Per, str], _Sums] = field(default_factory=dict)
    _counts: dict[tuple[Scope, Per, str], int] = field(default_factory=dict)
    _currencies: dict[str, str | None] = field(default_factory=dict)
    _foreseen: dict[str, Decimal] = field(default_factory=dict)

    def planning(self, action: Action, rule: RuleGuards) -> Guarded | None:
        """What holds an action that is about to be planned."""
        for stop in stops.stopping(self.connection, action.rule, action.panel, self.now):
            if stop.kind in TRIPPED:
                return Guarded(BREAKER, f"actions of {stop.scope} {stop.name} are stopped: {stop.reason}")
        return self._judge(action, rule, frozenset(), final=False)

    def claiming(self, action: Action, rule: RuleGuards, approved: frozenset[str]) -> Guarded | None:
        """What holds an action that is about to be sent."""
        return self._judge(action, rule, approved, final=True)

    def _judge(
        self, action: Action, rule: RuleGuards, approved: frozenset[str], *, final: bool
    ) -> Guarded | None:
        currency = action.currency or self._currency(action.panel)
        buys = action.kind in BUYING
        about_order = action.about.subject is not None
        asked = Asked(action.rule, action.panel, buys, action.cost, currency, final, about_order)
        return judge(asked, rule, self.guards, _Books(self, action, currency, final), self.now, approved)

    def currency_of(self, panel: str) -> str | None:
        """The currency of a panel's balance and prices, as far as it was ever told."""
        return self._currency(panel)

    def balance_left(self, action: Action) -> Decimal | None:
        """The balance of the action's panel, less what others may have spent of it or are planned to."""
        return _Books(self, action, action.currency, False).balance()

    def _currency(self, panel: str) -> str | None:
        if panel not in self._currencies:
            known = balances.balance(self.connection, panel)
            self._currencies[panel] = None if known is None else known.currency
        return self._currencies[panel]

    # -- sums, read once a transaction ------------------------------------------------------------------
    def planned(self, action: Action) -> None:
        """Count an action that was just written as planned in the sums that were read before."""
        if action.cost is not None:
            currency = action.currency or self._currency(action.panel)
            for (scope, _, name), sums in self._money.items():
                if _counts_in(scope, name, action):
                    sums[currency] = sums.get(currency, Decimal(0)) + action.cost
        for scope, per, name in self._counts:
            self._counts[scope, per, name] += _counts_in(scope, name, action)

    def foreseen(self, action: Action) -> None:
        """Count an action that would be planned, and isn't."""
        self.planned(action)
        if action.cost is not None:
            self._foreseen[action.panel] = self.foreseen_on(action.panel) + action.cost

    def foreseen_on(self, panel: str) -> Decimal:
        """What those actions would cost on a panel."""
        return self._foreseen.get(panel, Decimal(0))

    def spent(self, scope: Scope, per: Per, action: Action, currency: str | None, *, final: bool) -> Decimal:
        if final or per in (Per.ORDER, Per.CHAIN):
            return _in_one_currency(self._sums(scope, per, action, final=final), currency)
        sum_of = (scope, per, _name(scope, action))
        if sum_of not in self._money:
            self._money[sum_of] = self._sums(scope, per, action, final=final)
        return _in_one_currency(self._money[sum_of], currency)

    def _sums(self, scope: Scope, per: Per, action: Action, *, final: bool) -> _Sums:
        where, values = _where(scope, action)
        if per in (Per.ORDER, Per.CHAIN):
            column = "subject" if per is Per.ORDER else "root"
            where += f" AND {column} = ?"
            values.append(action.about.subject if per is Per.ORDER else action.about.root)
        since = maybe_micros(begun_at(per, self.now)) or 0
        found = rows(self.connection, f"{_SENT_MONEY} AND {where}", (since, *values))
        if not final:
            found += rows(self.connection, f"{_PLANNED_MONEY} AND {where}", values)
        if per in (Per.ORDER, Per.CHAIN):
            found += self._past(scope, per, action)
        sums: _Sums = {}
        for amount, written, panel in found:
            currency = written or self._currency(panel)
            sums[currency] = sums.get(currency, Decimal(0)) + Decimal(amount)
        return sums

    def _past(self, scope: Scope, per: Per, action: Action) -> list[Row]:
        """What was spent by actions that are no longer kept."""
        key_ = f"{per} {action.about.subject if per is Per.ORDER else action.about.root}"
        query, values = _PAST, [key_]
        if scope is not Scope.TOTAL:
            query += f" AND {scope} = ?"
            values.append(_name(scope, action))
        return rows(self.connection, query, values)

    def done(self, scope: Scope, per: Per, action: Action, *, final: bool) -> int:
        name = _name(scope, action)
        known = self._counts.get((scope, per, name))
        if known is not None and not final:
            return known
        where, values = _where(scope, action)
        since = maybe_micros(begun_at(per, self.now)) or 0
        count: int = cell(self.connection, f"{_SENT} AND {where}", (since, *values))
        if not final:
            count += cell(self.connection, f"{_PLANNED} AND {where}", values)
            self._counts[scope, per, name] = count
        return count


@dataclass(frozen=True, slots=True)
class _Books:
    """The books for one action; see `engine.guards.Books`."""

    guarding: Guarding
    action: Action
    currency: str | None
    final: bool

    def spent(self, scope: Scope, per: Per) -> Decimal:
        return self.guarding.spent(scope, per, self.action, self.currency, final=self.final)

    def done(self, scope: Scope, per: Per) -> int:
        return self.guarding.done(scope, per, self.action, final=self.final)

    def balance(self) -> Decimal | None:
        connection, panel = self.guarding.connection, self.action.panel
        known = balances.balance(connection, panel)
        if known is None:
            return None
        taken = rows(connection, _COMMITTED, (panel, to_micros(known.asked_at), self.action.id))
        if not self.final:
            taken += rows(connection, f"{_PLANNED_MONEY} AND panel = ?", (panel,))
        currencies = {self.action.currency, *(one[1] for one in taken)} - {None, ""}
        if known.currency is not None and currencies - {known.currency}:
            return None  # the panel came to count in another currency: what is left can't be told
        taken_together = sum((Decimal(one[0]) for one in taken), self.guarding.foreseen_on(panel))
        return known.amount - taken_together

    def orders_watched(self) -> int:
        panel = self._panel_of_order()
        since = to_micros(begun_at(Per.DAY, self.guarding.now) or self.guarding.now)
        count: int = cell(self.guarding.connection, _WATCHED_ORDERS, (panel, since))
        return count

    def orders_acted_on(self) -> int:
        connection, action = self.guarding.connection, self.action
        since = to_micros(begun_at(Per.DAY, self.guarding.now) or self.guarding.now)
        found = rows(connection, _SENT_SUBJECTS, (action.rule, action.id, since))
        if not self.final:
            found += rows(connection, _PLANNED_SUBJECTS, (action.rule, action.id))
        panel = self._panel_of_order()
        others = {subject for (subject,) in found if subject and entity_from_text(subject).panel == panel}
        return len(others - {self.action.about.subject})

    def _panel_of_order(self) -> str:
        subject = self.action.about.subject
        return self.action.panel if subject is None else entity_from_text(subject).panel


def _name(scope: Scope, action: Action) -> str:
    if scope is Scope.TOTAL:
        return ""
    return action.rule if scope is Scope.RULE else action.panel


def _counts_in(scope: Scope, name: str, action: Action) -> bool:
    return name == _name(scope, action)


def _where(scope: Scope, action: Action) -> tuple[str, list[object]]:
    """What of all intents counts in a scope, the action itself left out."""
    values: list[object] = [action.id]
    if scope is Scope.TOTAL:
        return "id <> ?", values
    values.append(_name(scope, action))
    return f"id <> ? AND {'rule' if scope is Scope.RULE else 'panel'} = ?", values


def _in_one_currency(sums: _Sums, currency: str | None) -> Decimal:
    """All that may have been spent in one currency. Two that are known to differ are never added up; what
    isn't known may be in any of them, so it counts in each."""
    unknown = sums.get(None, Decimal(0))
    known = {name: amount for name, amount in sums.items() if name is not None}
    if currency is None:
        return unknown + max(known.values(), default=Decimal(0))
    return unknown + known.get(currency, Decimal(0))
