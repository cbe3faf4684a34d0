"""A look that brought the very facts the ledger holds writes only when it was and when the next one is."""

from __future__ import annotations

from dataclasses import replace

from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import Sweep, Watched
from tests.ledger.builders import DAY, MINUTE, T0, new_order, observed, order


async def test_the_same_facts_stay_and_the_times_move_on(ledger: Ledger) -> None:
    facts = {"status": "Partial", "remains": 157, "changed_at": T0}
    await ledger.track([new_order(1)], T0)
    await ledger.record(Sweep(T0 + MINUTE, (observed(order(1), facts, due_at=T0 + DAY),)))
    look = replace(observed(order(1), facts, changed=False, due_at=T0 + 2 * DAY), same=True)
    await ledger.record(Sweep(T0 + 2 * MINUTE, (look,)))
    assert await ledger.watched(order(1)) == Watched(
        order(1), facts, T0 + MINUTE, T0 + 2 * MINUTE, T0 + 2 * DAY, await ledger.order(order(1))
    )
    assert len(await ledger.history(order(1), T0, T0 + DAY, 10)) == 1


async def test_the_same_facts_beside_news_leave_the_news_alone(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    await ledger.record(Sweep(T0, (observed(order(1), {"remains": 5}), observed(order(2), {"remains": 5}))))
    unchanged = replace(observed(order(1), {"remains": 5}, changed=False), same=True)
    await ledger.record(Sweep(T0 + MINUTE, (unchanged, observed(order(2), {"remains": 4}))))
    stored = [await ledger.watched(order(number)) for number in (1, 2)]
    assert [one.facts for one in stored if one is not None] == [{"remains": 5}, {"remains": 4}]
