"""Charts, budgets and what is kept for a moment."""

from __future__ import annotations

import asyncio
import re
import xml.etree.ElementTree as ET
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smm_rules.charts.svg import Part, Point, line_chart, meter, sparkline, stacked_bar, thinned
from smm_rules.engine.guards import Scope
from smm_rules.facts.allowance import Per
from smm_rules.ledger.figures import CountedAction
from smm_rules.ledger.records import IntentState
from smm_rules.rules.loader import load_rules
from smm_rules.rules.model import RuleSet, StepKind
from smm_rules.standing.budgets import budgets
from smm_rules.web.kept import kept
from tests.web.shop import DAY, HOUR, NOW, write_files

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2, allow_nan=False)
POINTS = st.lists(st.tuples(st.integers(-2_000, 2_000), AMOUNTS), max_size=700).map(
    lambda found: [Point(NOW - DAY + timedelta(minutes=at), value) for at, value in sorted(found)]
)


@given(POINTS)
def test_a_thinned_line_keeps_its_ends_and_extremes(points: list[Point]) -> None:
    since, until = NOW - DAY, NOW
    shown = thinned(points, since, until)
    inside = [point for point in points if since < point.at <= until]
    before = [point for point in points if point.at <= since]
    assert len(shown) <= 460
    values = [point.value for point in inside] + [point.value for point in before[-1:]]
    if values:
        assert (min(p.value for p in shown), max(p.value for p in shown)) == (min(values), max(values))
        assert shown[-1].value == (inside or before)[-1].value
    assert [point.at for point in shown] == sorted(point.at for point in shown)


@given(POINTS, st.text(max_size=30), st.text(max_size=5))
def test_a_chart_is_sound_and_says_what_it_shows(points: list[Point], title: str, unit: str) -> None:
    for svg in (line_chart(points, NOW - DAY, NOW, title, unit), sparkline(points, NOW - DAY, NOW, title)):
        if not svg:
            assert thinned(points, NOW - DAY, NOW) == []
            continue
        tree = ET.fromstring(re.sub(r"<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', str(svg), count=1))
        assert tree.get("role") == "img"
        named = set(str(tree.get("aria-labelledby")).split())
        assert named == {one.get("id") for one in tree if one.get("id")}
        assert "nan" not in str(svg).lower().replace(str(title).lower(), "") or not title.isascii()


def test_a_bar_says_its_parts() -> None:
    bar = stacked_bar(
        [Part("Partial", 1, "short"), Part("Completed", 3, "good"), Part("x", 0, "bad")], "Orders"
    )
    assert "Partial 1, Completed 3<" in bar
    assert bar.count("<rect") == 2
    assert stacked_bar([], "Orders") == ""


@pytest.mark.parametrize(
    ("share", "colour", "told"),
    [("0", "fine", "0% used"), ("0.8", "near", "80% used"), ("3", "full", "300% used")],
)
def test_a_meter_says_how_much(share: str, colour: str, told: str) -> None:
    drawn = meter(Decimal(share), "panel north")
    assert f'class="{colour}"' in drawn
    assert told in drawn


def action(
    state: IntentState,
    cost: str | None,
    at: datetime | None,
    currency: str | None = "USD",
    panel: str = "north",
) -> CountedAction:
    money = None if cost is None else Decimal(cost)
    return CountedAction("reorder-canceled", panel, StepKind.REORDER, state, money, currency, at)


def test_budgets_count_what_guards_count(tmp_path: Path) -> None:
    configuration = write_files(tmp_path)
    rules = load_rules(configuration.rules).rules
    actions = [
        action(IntentState.CONFIRMED, "5.00", NOW - HOUR),
        action(IntentState.CONFIRMED, "7.00", NOW - 2 * DAY),
        action(IntentState.UNKNOWN, "1.00", NOW - HOUR),
        action(IntentState.PLANNED, "2.00", None),
        action(IntentState.REJECTED, "3.00", NOW - HOUR),
        action(IntentState.CONFIRMED, "9.00", NOW - HOUR, "EUR", "south"),
        action(IntentState.CONFIRMED, None, NOW - HOUR),
    ]
    found = {
        (one.scope, one.name, one.per, one.currency): one
        for one in budgets(configuration, rules, actions, NOW)
    }
    day = found[Scope.TOTAL, "", Per.DAY, "USD"]
    assert (day.used, day.open, day.allowed) == (Decimal("8.00"), Decimal("3.00"), Decimal("50.00"))
    assert found[Scope.TOTAL, "", Per.MONTH, "USD"].used == Decimal("15.00")
    assert found[Scope.TOTAL, "", Per.DAY, "EUR"].used == Decimal("9.00")
    assert found[Scope.PANEL, "north", Per.DAY, "USD"].used == Decimal("8.00")
    assert found[Scope.RULE, "reorder-canceled", Per.DAY, "USD"].share == Decimal("0.4")
    assert found[Scope.TOTAL, "", Per.DAY, None].used == Decimal(6)
    assert (Scope.PANEL, "south", Per.DAY, "EUR") not in found, "it has no budget of its own"


def test_money_of_an_unknown_currency_is_part_of_each_budget(tmp_path: Path) -> None:
    configuration = write_files(tmp_path)
    actions = [
        action(IntentState.CONFIRMED, "5.00", NOW - HOUR),
        action(IntentState.CONFIRMED, "9.00", NOW - HOUR, "EUR", "south"),
        action(IntentState.CONFIRMED, "1.00", NOW - HOUR, None),
    ]

    def used(currencies: dict[str, str], actions: list[CountedAction] = actions) -> dict[str | None, Decimal]:
        found = budgets(configuration, RuleSet(), actions, NOW, currencies)
        return {
            one.currency: one.used
            for one in found
            if (one.scope, one.per) == (Scope.TOTAL, Per.DAY) and one.currency is not None
        }

    assert used({}) == {"USD": Decimal("6.00"), "EUR": Decimal("10.00")}
    assert used({"north": "USD"}) == {"USD": Decimal("6.00"), "EUR": Decimal("9.00")}
    assert used({}, actions[2:]) == {"": Decimal("1.00")}


def test_a_budget_nobody_has_used_is_shown_as_that(tmp_path: Path) -> None:
    found = budgets(write_files(tmp_path), RuleSet(), [], NOW)
    assert {(one.used, one.share) for one in found} == {(Decimal(0), Decimal(0))}


async def test_an_answer_is_kept_for_as_long_as_it_cost() -> None:
    time, asked = [0.0], 0

    async def find() -> int:
        nonlocal asked
        asked += 1
        time[0] += 0.5
        return asked

    answer = kept(find, lambda: time[0])
    assert [await answer(), await answer()] == [1, 1]
    time[0] += 24.9
    assert await answer() == 1
    time[0] += 0.2
    assert await asyncio.gather(answer(), answer()) == [2, 2]
