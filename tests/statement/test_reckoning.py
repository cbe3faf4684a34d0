"""A statement agrees with the balance, or shows by exactly how much it doesn't."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from smm_rules.ledger.audit import Head
from smm_rules.ledger.books import Books
from smm_rules.ledger.records import IntentState
from smm_rules.rules.model import StepKind
from smm_rules.statement import Line, PanelStatement, Span, Statement, panel_statement
from smm_rules.statement.words import panel_lines, title, told
from tests.ledger.builders import DAY, T0
from tests.statement.shop import MINUTE, Shop, intent

SPAN = Span(T0, T0 + DAY, "2026-03-01")
MONEY = st.decimals(Decimal("0.01"), Decimal(500), places=2)
HAPPENING = st.tuples(st.sampled_from(["order", "doubt", "refund", "outside", "read"]), MONEY, st.booleans())


def _play(shop: Shop, what: str, amount: Decimal, rises: bool) -> None:
    match what:
        case "order":
            shop.order(amount)
        case "doubt":
            shop.order(amount, IntentState.UNKNOWN)
        case "refund":
            shop.refund(amount)
        case "outside":
            shop.moved_by_others(amount if rises else -amount)
        case _:
            shop.read()


@given(st.lists(HAPPENING, max_size=40))
def test_the_difference_shown_is_what_others_moved_exactly(
    happenings: list[tuple[str, Decimal, bool]],
) -> None:
    shop = Shop()
    shop.read()
    for happening in happenings:
        _play(shop, *happening)
    shop.read()
    found = panel_statement(shop.books(), SPAN).reconciliation
    assert found is not None
    assert found.opening + found.rises - found.falls == found.closing
    assert found.opening - found.spent + found.refunded + found.unexplained == found.closing
    assert found.unexplained_rises - found.unexplained_falls == found.unexplained
    # A movement that cancels out between two readings can't be seen; then something spent wasn't seen either.
    seen = found.closing == shop.balance and not found.not_seen
    assert not seen or found.unexplained == shop.outside - _refunds_after(shop, found.closing_at)


def _refunds_after(shop: Shop, at: object) -> Decimal:
    return -sum((one.amount for one in shop.refunds if one.at > at), Decimal(0))  # type: ignore[operator]  # a time


@given(st.lists(HAPPENING, max_size=30))
def test_read_after_every_movement_each_side_is_explained_by_itself(
    happenings: list[tuple[str, Decimal, bool]],
) -> None:
    shop = Shop()
    shop.read()
    rose = fell = Decimal(0)
    for what, amount, rises in happenings:
        _play(shop, what, amount, rises)
        shop.read()
        rose += amount if what == "outside" and rises else 0
        fell += amount if what == "outside" and not rises else 0
    found = panel_statement(shop.books(), SPAN).reconciliation
    assert found is not None
    assert (found.unexplained_rises, found.unexplained_falls, found.not_seen) == (rose, fell, 0)
    assert found.agrees == (rose == fell == 0)


@given(st.lists(HAPPENING, max_size=30), st.integers(1, 60))
def test_days_that_follow_each_other_agree_if_all_is_known(
    happenings: list[tuple[str, Decimal, bool]], minutes: int
) -> None:
    """Whatever minute midnight falls on, what was spent before and seen after it is nobody's difference."""
    shop = Shop()
    shop.read()
    for what, amount, rises in happenings:
        _play(shop, "order" if what == "outside" else what, amount, rises)
        shop.read()
    midnight = T0 + minutes * MINUTE
    for span in (Span(T0, midnight), Span(midnight, T0 + DAY)):
        found = panel_statement(_cut(shop.books(), span), span).reconciliation
        assert found is None or (found.unexplained_rises, found.unexplained_falls) == (0, 0)


def _cut(books: Books, span: Span) -> Books:
    """What the ledger gives for a span: the readings in it and the last one before."""
    before = [one for one in books.balances if one.at <= span.since][-1:]
    within = [one for one in books.balances if span.since < one.at < span.until]
    balances = (*before, *within)
    begin = min(span.since, balances[0].at) if balances else span.since
    return replace(
        books,
        balances=balances,
        sent=tuple(one for one in books.sent if one.claimed_at and begin <= one.claimed_at < span.until),
        refunds=tuple(one for one in books.refunds if begin < one.at < span.until),
    )


def test_each_rule_and_currency_has_a_line_of_its_own() -> None:
    sent = (
        intent(1, T0, Decimal("1.50")),
        intent(2, T0, Decimal("2.50")),
        intent(3, T0, Decimal(7), currency="EUR"),
        intent(4, T0, Decimal(3), IntentState.UNKNOWN),
        intent(5, T0, None, kind=StepKind.REFILL, rule="top-up", currency=None),
        intent(6, T0, None, kind=StepKind.CANCEL, rule="top-up", currency=None),
        intent(7, T0 + DAY, Decimal(100)),  # the next day's
        intent(8, T0 - MINUTE, Decimal(100)),
    )
    held = (intent(9, T0, Decimal(4), IntentState.HELD),)
    assert panel_statement(Books("north", (), sent, held), SPAN) == PanelStatement(
        "north",
        (
            Line("again", "EUR", orders=1, spent=Decimal(7)),
            Line(
                "again",
                "USD",
                orders=2,
                spent=Decimal("4.00"),
                doubts=1,
                in_doubt=Decimal(3),
                waiting=1,
                held=Decimal(4),
            ),
            Line("top-up", "", refills=1, cancels=1),
        ),
        None,
    )


def test_what_was_spent_before_the_day_and_seen_in_it_is_no_difference() -> None:
    shop = Shop(at=T0 - 10 * MINUTE)
    shop.read()
    shop.order(Decimal(5))
    shop.at = T0 + MINUTE
    shop.read()
    found = panel_statement(shop.books(), SPAN)
    assert found.lines == ()
    assert found.reconciliation is not None
    assert found.reconciliation.agrees


def test_what_was_spent_and_never_seen_is_shown() -> None:
    shop = Shop()
    shop.read()
    shop.order(Decimal(5))
    shop.balance += 5  # the panel never charged it
    found = panel_statement(shop.books(), SPAN).reconciliation
    assert found is not None
    assert (found.not_seen, found.agrees) == (Decimal(5), False)


def test_another_currency_is_compared_with_nothing_before_it() -> None:
    shop = Shop()
    shop.read()
    shop.order(Decimal(5))
    shop.read("EUR")
    shop.moved_by_others(Decimal(2))
    shop.read("EUR")
    found = panel_statement(shop.books(), SPAN).reconciliation
    assert found is not None
    assert (found.currency, found.opening, found.spent, found.unexplained) == ("EUR", 95, 0, 2)


def test_a_statement_says_its_differences_in_words() -> None:
    shop = Shop()
    shop.read()
    shop.order(Decimal("2.50"))
    shop.read()
    shop.moved_by_others(Decimal(50))
    shop.read()
    shop.order(Decimal(3), IntentState.UNKNOWN)
    shop.moved_by_others(Decimal(-3))
    shop.read()
    panel = panel_statement(shop.books(), SPAN)
    assert list(panel_lines(panel)) == [
        "again: 1 order for 2.50 USD, 1 in doubt for 3 USD",
        "balance: 100 USD (2026-03-01 12:01Z) - 2.50 spent + 0 refunded = 97.50 USD; "
        "read: 144.50 USD (2026-03-01 12:08Z)",
        "NOT EXPLAINED: it rose by 50.00 USD (top-ups, or refunds that weren't seen)",
        "NOT EXPLAINED: it fell by 3.00 USD (orders placed elsewhere, fees, or the 3 in doubt)",
        "NOT EXPLAINED in all: +47.00 USD",
    ]
    statement = Statement(SPAN, (panel,), Head(), complete=False)
    assert title(statement) == "Statement of 2026-03-01"
    assert "something may be missing" in list(told(statement))[-2]


def test_a_day_that_agrees_says_so() -> None:
    shop = Shop()
    shop.read()
    shop.order(Decimal("2.50"))
    shop.read()
    shop.refund(Decimal(1))
    shop.read()
    assert list(panel_lines(panel_statement(shop.books(), SPAN)))[-1] == "balance: every movement is known"
