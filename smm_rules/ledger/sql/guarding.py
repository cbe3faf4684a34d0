"""What guards add up, gathered inside the transaction that plans or claims an action."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from smm_rules.engine.guards import BREAKER, NO_GUARDS, Asked, Guarded, Guards, Scope, judge
from smm_rules.facts import Entity, EntityKind
from smm_rules.facts.allowance import Per, begun_at
from smm_rules.ledger.codec import decode_facts, entity_from_text, entity_text, maybe_micros, to_micros
from smm_rules.ledger.sql import stops
from smm_rules.ledger.sql.query import Connection, cell, first, rows
from smm_rules.ledger.sql.rows import key
from smm_rules.ledger.stops import TRIPPED
from smm_rules.rules.model import RuleGuards, StepKind

#: Kinds of actions that cost money.
BUYING = frozenset({StepKind.REORDER, StepKind.ADD})

#: Money that may still be spent, and money that was or may have been spent since an instant.
_PLANNED_MONEY = "SELECT reserved FROM intents WHERE state = 'planned' AND reserved IS NOT NULL"
_SENT_MONEY = """
  SELECT reserved FROM intents WHERE state IN ('sending', 'unknown', 'confirmed') AND reserved IS NOT NULL
    AND claimed_at >= ?
"""
_PLANNED = "SELECT count(*) FROM intents WHERE state = 'planned'"
_SENT = """
  SELECT count(*) FROM intents WHERE state IN ('sending', 'unknown', 'confirmed', 'rejected')
    AND claimed_at >= ?
"""
_PAST = "SELECT amount FROM past_spending WHERE about = ?"
_BALANCE = """
  SELECT f.facts, e.last_seen_at FROM entities e JOIN facts f ON f.entity = e.id
  WHERE e.kind = 'balance' AND e.panel = ? AND e.name = ?
"""
#: What the balance as last read may not show yet.
_COMMITTED = """
  SELECT reserved FROM intents WHERE panel = ?1 AND reserved IS NOT NULL AND id <> ?3
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
  SELECT o.panel, o.name FROM entities e JOIN entities o ON o.id = e.refilled
  WHERE e.kind = ? AND e.panel = ? AND e.name = ?
"""
_ROOT = """
  SELECT o.root FROM entities e JOIN orders o ON o.entity = e.id
  WHERE e.kind = ? AND e.panel = ? AND e.name = ?
"""
NOBODY = 0


class About(NamedTuple):
    """The order an action is about and the first of its chain, as text; None where it is about none."""

    subject: str | None
    root: str | None


def about(connection: Connection, entity: Entity) -> About:
    """What an action on `entity` is about, by the ledger's own word."""
    order = entity
    if entity.kind is EntityKind.REFILL:
        row = first(connection, _REFILLED, key(entity))
        if row is None:
            return About(entity_text(entity), entity_text(entity))
        order = Entity(EntityKind.ORDER, *row)
    if order.kind is not EntityKind.ORDER:
        return About(None, None)
    root = cell(connection, _ROOT, key(order))
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
    _money: dict[tuple[Scope, Per, str, str | None, str], Decimal] = field(default_factory=dict)
    _counts: dict[tuple[Scope, Per, str], int] = field(default_factory=dict)

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

    def _currency(self, panel: str) -> str | None:
        currency = balance_facts(self.connection, panel)[0].get("currency")
        return currency if isinstance(currency, str) else None

    # -- sums, read once a transaction ------------------------------------------------------------------
    def planned(self, action: Action) -> None:
        """Count an action that was just written as planned in the sums that were read before."""
        currency = action.currency or self._currency(action.panel)
        for scope, per, name, of, panel in self._money:
            # Where the currency isn't known, only one panel's own money is in the same one.
            same = of == currency and (currency is not None or panel == action.panel)
            if action.cost is not None and same and _counts_in(scope, name, action):
                self._money[scope, per, name, of, panel] += action.cost
        for scope, per, name in self._counts:
            self._counts[scope, per, name] += _counts_in(scope, name, action)

    def spent(self, scope: Scope, per: Per, action: Action, currency: str | None, *, final: bool) -> Decimal:
        name = _name(scope, action)
        sum_of = (scope, per, name, currency, action.panel)
        known = self._money.get(sum_of)
        if known is not None and not final and per not in (Per.ORDER, Per.CHAIN):
            return known
        total = self._spent(scope, per, action, currency, final=final)
        if not final and per not in (Per.ORDER, Per.CHAIN):
            self._money[sum_of] = total
        return total

    def _spent(self, scope: Scope, per: Per, action: Action, currency: str | None, *, final: bool) -> Decimal:
        where, values = _where(scope, action)
        money, of_currency = _same_currency(action.panel, currency)
        where, values = f"{where} AND {money}", [*values, *of_currency]
        if per in (Per.ORDER, Per.CHAIN):
            column = "subject" if per is Per.ORDER else "root"
            where += f" AND {column} = ?"
            values.append(action.about.subject if per is Per.ORDER else action.about.root)
        since = maybe_micros(begun_at(per, self.now)) or 0
        amounts = rows(self.connection, f"{_SENT_MONEY} AND {where}", (since, *values))
        if not final:
            amounts += rows(self.connection, f"{_PLANNED_MONEY} AND {where}", values)
        if per in (Per.ORDER, Per.CHAIN):
            amounts += self._past(scope, per, action, currency)
        return sum((Decimal(amount) for (amount,) in amounts), Decimal(0))

    def _past(self, scope: Scope, per: Per, action: Action, currency: str | None) -> list[tuple[str]]:
        """What was spent by actions that are no longer kept."""
        key_ = f"{per} {action.about.subject if per is Per.ORDER else action.about.root}"
        query, values = _PAST, [key_]
        if scope is not Scope.TOTAL:
            query += f" AND {scope} = ?"
            values.append(_name(scope, action))
        return rows(self.connection, f"{query} AND currency IN (?, '')", (*values, currency or ""))

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
        facts, read_at = balance_facts(connection, panel)
        amount = facts.get("amount")
        if not isinstance(amount, Decimal):
            return None
        taken = rows(connection, _COMMITTED, (panel, read_at, self.action.id))
        if not self.final:
            taken += rows(connection, f"{_PLANNED_MONEY} AND panel = ?", (panel,))
        return amount - sum((Decimal(one) for (one,) in taken), Decimal(0))

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


def balance_facts(connection: Connection, panel: str) -> tuple[dict[str, object], int]:
    """The facts of a panel's balance as last read, and when that was, in microseconds."""
    row = first(connection, _BALANCE, key(Entity(EntityKind.BALANCE, panel))[1:])
    if row is None:
        return {}, 0
    return dict(decode_facts(row[0])), row[1] or 0


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


def _same_currency(panel: str, currency: str | None) -> tuple[str, list[object]]:
    """Money in one currency alone; where it isn't known, all of the same panel is in the same one."""
    if currency is None:
        return "panel = ?", [panel]
    return "(currency = ? OR (currency IS NULL AND panel = ?))", [currency, panel]
