"""What the status page and its metrics count and list."""

from __future__ import annotations

from decimal import Decimal

from smm_rules.engine.firing import Occasion
from smm_rules.ledger.figures import CountedAction, RuleFigures
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import IntentState, Sweep
from smm_rules.rules.model import StepKind
from tests.ledger.builders import (
    DAY,
    MINUTE,
    NOTHING,
    T0,
    draft,
    ended,
    fired,
    firing,
    new_order,
    observed,
    order,
    planned,
)

S = IntentState


async def _three_orders(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2), new_order(10), new_order(3, panel="south")], T0)
    seen = (
        observed(order(1), {"status": "Partial", "error": ""}),
        observed(order(2), {"status": "Completed", "written by": "an earlier version, by name"}),
        observed(order(3, "south"), {"status": "Partial"}),
    )
    await ledger.record(Sweep(T0, seen))


async def test_orders_are_counted_by_panel_and_status(ledger: Ledger) -> None:
    await _three_orders(ledger)
    assert await ledger.order_statuses() == {
        ("north", ""): 1,
        ("north", "Completed"): 1,
        ("north", "Partial"): 1,
        ("south", "Partial"): 1,
    }
    await ledger.forget(order(1), T0)
    assert ("north", "Partial") not in await ledger.order_statuses()


async def test_orders_are_paged_by_panel_and_status(ledger: Ledger) -> None:
    await _three_orders(ledger)

    async def names(panel: str | None, status: str | None, after: object = None, limit: int = 9) -> list[str]:
        page = await ledger.orders_page(panel, status, after, limit)  # type: ignore[arg-type]  # an Entity
        return [f"{one.entity.panel}/{one.entity.id}" for one in page]

    assert await names(None, None) == ["north/1", "north/10", "north/2", "south/3"]
    assert await names(None, None, order(10)) == ["north/2", "south/3"]
    assert await names("north", None, order(1), 1) == ["north/10"]
    assert await names(None, "Partial") == ["north/1", "south/3"]
    assert await names("north", "") == ["north/10"]
    assert await names("south", "Completed") == []


async def test_a_page_carries_facts_and_order(ledger: Ledger) -> None:
    await _three_orders(ledger)
    (found,) = await ledger.orders_page("north", "Partial", None, 5)
    assert found == await ledger.watched(order(1))


async def test_firings_are_counted_by_rule(ledger: Ledger) -> None:
    assert await ledger.rule_figures(T0) == {}
    for number, episode in ((1, T0), (2, T0 + DAY)):
        await ledger.record(fired(planned(firing(order(number), episode=episode)), at=episode + MINUTE))
    reminded = firing(order(1), episode=T0 + DAY, occasion=Occasion.REMINDED)
    await ledger.record(fired(planned(reminded), planned(firing(order(3), rule="old"))))
    assert await ledger.rule_figures(T0 + DAY) == {
        "old": RuleFigures(0, T0 + MINUTE),
        "top-up": RuleFigures(1, T0 + DAY + MINUTE),
    }


async def test_firings_are_listed_newest_first_page_by_page(ledger: Ledger) -> None:
    firings = [firing(order(number), rule=rule) for number, rule in ((1, "a"), (2, "b"), (3, "a"))]
    await ledger.record(fired(*(planned(one) for one in firings)))
    first = await ledger.latest_firings(2)
    assert [kept.firing for kept in first] == [firings[2], firings[1]]
    assert [kept.firing for kept in await ledger.latest_firings(2, before=first[-1].id)] == [firings[0]]
    assert [kept.firing for kept in await ledger.latest_firings(9, "a")] == [firings[2], firings[0]]


async def test_actions_are_counted_as_guards_count_them(ledger: Ledger) -> None:
    drafts = [draft(f"do.{number}", StepKind.REORDER, "2.50") for number in range(4)]
    for number, one in enumerate(drafts):
        await ledger.record(fired(planned(firing(order(number)), one)))
    await ledger.hold(2, "approval", "", T0)
    await ledger.claim(3, "d1", T0 + DAY, {})
    await ledger.settle(3, ended(S.REJECTED), NOTHING, T0 + DAY, "d1")
    await ledger.claim(4, "d1", T0, {})
    await ledger.settle(4, ended(S.CONFIRMED, result="9"), NOTHING, T0, "d1")
    counted = await ledger.counted_actions(T0 + DAY)
    assert [(one.state, one.claimed_at) for one in counted] == [(S.PLANNED, None), (S.REJECTED, T0 + DAY)]
    assert counted[0] == CountedAction(
        "top-up", "north", StepKind.REORDER, S.PLANNED, Decimal("2.50"), "USD", None
    )
    assert [one.state for one in await ledger.counted_actions(T0)] == [S.PLANNED, S.REJECTED, S.CONFIRMED]


async def test_intents_are_listed_newest_first_page_by_page(ledger: Ledger) -> None:
    for number, panel in ((1, "north"), (2, "south"), (3, "north")):
        what = firing(order(number), rule=f"rule-{panel}")
        await ledger.record(fired(planned(what, draft(panel=panel))))
    await ledger.hold(1, "approval", "", T0)

    async def found(**asked: object) -> list[int]:
        states = asked.pop("states", ())
        page = await ledger.intents_page(states, 2, **asked)  # type: ignore[arg-type]  # as the test names it
        return [intent.id for intent in page]

    assert await found() == [3, 2]
    assert await found(before=2) == [1]
    assert await found(states=[S.HELD]) == [1]
    assert await found(rule="rule-north") == [3, 1]
    assert await found(panel="south") == [2]
    assert await found(panel="south", before=2) == []
