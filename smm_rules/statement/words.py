"""A statement as lines of plain text, for a message and a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from smm_rules.statement.model import Line, PanelStatement, Reconciliation, Statement

#: What can be counted in the plural; "in doubt" and "held" can't.
_THINGS = frozenset({"order", "refund", "refill", "cancel"})


def title(statement: Statement) -> str:
    """`Statement of 2026-03-01`, or from when to when."""
    span = statement.span
    return f"Statement of {span.name}" if span.name else f"Statement {_at(span.since)} to {_at(span.until)}"


def told(statement: Statement) -> Iterator[str]:
    """The whole statement, a line each."""
    for panel in statement.panels:
        yield f"{panel.panel}:"
        yield from (f"  {line}" for line in panel_lines(panel))
    if not statement.complete:
        yield "The ledger no longer keeps all of this time (see retention), so something may be missing."
    yield f"Head of the record of decisions: {statement.head}"


def panel_lines(panel: PanelStatement) -> Iterator[str]:
    """One panel: what each rule did, then the balance."""
    if not panel.lines:
        yield "nothing was done"
    for line in panel.lines:
        yield f"{line.rule or 'placed elsewhere'}: {_line(line)}"
    yield from balance_lines(panel)


def balance_lines(panel: PanelStatement) -> Iterator[str]:
    """The balance of one panel beside what is known of its movements."""
    if panel.reconciliation is None:
        yield "balance: never read, so nothing can be compared"
    else:
        yield from _balance(panel.reconciliation)


def _line(line: Line) -> str:
    parts = [
        _count(line.orders, "order", "for", line.spent, line.currency),
        _count(line.refunds, "refund", "of", line.refunded, line.currency),
        _asked(line.refills, "refill"),
        _asked(line.cancels, "cancel"),
        _count(line.doubts, "in doubt", "for", line.in_doubt, line.currency),
        _count(line.waiting, "held", "for", line.held, line.currency),
    ]
    return ", ".join(part for part in parts if part)


def _count(count: int, noun: str, preposition: str, amount: Decimal | None, currency: str) -> str:
    if not count:
        return ""
    plural = "s" if count != 1 and noun in _THINGS else ""
    money_ = "" if not amount else f" {preposition} {amount:f} {currency}".rstrip()
    return f"{count} {noun}{plural}{money_}"


def _asked(count: int, noun: str) -> str:
    return f"{_count(count, noun, '', None, '')} asked" if count else ""


def _balance(found: Reconciliation) -> Iterator[str]:
    yield (
        f"balance: {_money(found.opening, found)} ({_at(found.opening_at)})"
        f" - {found.spent:f} spent + {found.refunded:f} refunded"
        f" = {_money(found.expected, found)}; read: {_money(found.closing, found)} ({_at(found.closing_at)})"
    )
    if found.agrees:
        yield "balance: every movement is known"
        return
    rises, falls = found.unexplained_rises, found.unexplained_falls
    if rises > 0:
        yield f"NOT EXPLAINED: it rose by {_money(rises, found)} (top-ups, or refunds that weren't seen)"
    if rises < 0:
        yield f"NOT EXPLAINED: {_money(-rises, found)} refunded that the balance didn't rise by on its own"
    if falls > 0:
        why = f"orders placed elsewhere, fees{_doubt(found)}"
        yield f"NOT EXPLAINED: it fell by {_money(falls, found)} ({why})"
    if falls < 0:
        yield f"NOT EXPLAINED: {_money(-falls, found)} spent that the balance didn't fall by on its own"
    if found.unexplained and (rises or falls):
        yield f"NOT EXPLAINED in all: {found.unexplained:+f} {found.currency}".rstrip()
    if found.not_seen:
        yield f"not seen yet: {_money(found.not_seen, found)} spent since the balance last moved"


def _doubt(found: Reconciliation) -> str:
    return f", or the {found.in_doubt:f} in doubt" if found.in_doubt else ""


def _money(amount: Decimal, found: Reconciliation) -> str:
    return f"{amount:f} {found.currency}".rstrip()


def _at(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%MZ")
