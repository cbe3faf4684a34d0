"""Books → statement. Pure: everything it says can be recomputed from the books."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from decimal import Decimal
from itertools import pairwise, takewhile

from smm_rules.actions.circumstances import COST, CURRENCY
from smm_rules.engine.buying import money
from smm_rules.ledger.books import BalanceReading, Books
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.rules.model import StepKind
from smm_rules.statement.model import ZERO, Line, PanelStatement, Reconciliation
from smm_rules.statement.span import Span

_DOUBTFUL = frozenset({IntentState.UNKNOWN, IntentState.SENDING})
_BUYING = frozenset({StepKind.REORDER, StepKind.ADD})


def panel_statement(books: Books, span: Span) -> PanelStatement:
    """The statement of one panel."""
    currency = books.balances[-1].currency if books.balances else None
    lines: dict[tuple[str, str], Line] = {}
    for line in _entries(books, span, currency or ""):
        key = line.rule, line.currency
        lines[key] = _added(lines.get(key, Line(*key)), line)
    ordered = tuple(lines[key] for key in sorted(lines))
    return PanelStatement(books.panel, ordered, _reconciled(books, span))


def _entries(books: Books, span: Span, panel_currency: str) -> Iterable[Line]:
    """Everything in the span, a line each."""
    for intent in books.sent:
        if intent.claimed_at is not None and span.since <= intent.claimed_at < span.until:
            yield _sent(intent, panel_currency)
    for refund in books.refunds:
        if span.since <= refund.at < span.until:
            currency = refund.currency or panel_currency
            yield Line(refund.rule, currency, refunds=1, refunded=refund.amount)
    for intent in books.held:
        yield Line(intent.rule, _currency(intent, panel_currency), waiting=1, held=_cost(intent))


def _sent(intent: Intent, panel_currency: str) -> Line:
    line = Line(intent.rule, _currency(intent, panel_currency))
    if intent.state in _DOUBTFUL:
        return replace(line, doubts=1, in_doubt=_cost(intent))
    if intent.kind is StepKind.REFILL:
        return replace(line, refills=1)
    if intent.kind is StepKind.CANCEL:
        return replace(line, cancels=1)
    return replace(line, orders=1, spent=_cost(intent))


def _added(one: Line, other: Line) -> Line:
    names = [field.name for field in fields(Line) if field.name not in ("rule", "currency")]
    return replace(one, **{name: getattr(one, name) + getattr(other, name) for name in names})


def _cost(intent: Intent) -> Decimal:
    """What a buying action cost or would cost; zero for others, and where the price isn't known."""
    if intent.kind not in _BUYING:
        return ZERO
    return money(intent.evidence.get(COST)) or intent.reserved or ZERO


def _currency(intent: Intent, panel_currency: str) -> str:
    return intent.evidence.get(CURRENCY) or intent.currency or panel_currency


def _reconciled(books: Books, span: Span) -> Reconciliation | None:
    """Between the reading before the span, or the first in it, and the last; in the last one's currency."""
    readings = _in_last_currency(books.balances)
    if not readings:
        return None
    opening, closing = readings[0], readings[-1]
    currency = closing.currency or ""
    moves = [after.amount - before.amount for before, after in pairwise(readings)]
    buys = [(intent.claimed_at, intent) for intent in books.sent if _currency(intent, currency) == currency]
    since = [(at, intent) for at, intent in buys if at is not None and opening.at < at < span.until]
    spent = [(at, _cost(intent)) for at, intent in since if intent.state not in _DOUBTFUL]
    return Reconciliation(
        currency,
        opening.amount,
        opening.at,
        closing.amount,
        closing.at,
        rises=sum((move for move in moves if move > 0), ZERO),
        falls=sum((-move for move in moves if move < 0), ZERO),
        spent=sum((cost for at, cost in spent if at <= closing.at), ZERO),
        refunded=sum(
            (
                refund.amount
                for refund in books.refunds
                if opening.at < refund.at <= closing.at and (refund.currency or currency) == currency
            ),
            ZERO,
        ),
        in_doubt=sum((_cost(intent) for _, intent in since if intent.state in _DOUBTFUL), ZERO),
        not_seen=sum((cost for at, cost in spent if at > closing.at), ZERO),
    )


def _in_last_currency(balances: Sequence[BalanceReading]) -> Sequence[BalanceReading]:
    """The readings at the end that are all in one currency: across currencies nothing can be compared."""
    kept = takewhile(lambda one: one.currency == balances[-1].currency, reversed(balances))
    return list(kept)[::-1]
