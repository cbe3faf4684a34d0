"""A clock that was ahead and is set back: what was put off by it is not put off until it has caught up."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.ledger.records import IntentState, Observed, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.panel.errors import NotSent
from smm_rules.polling.standing import Standing
from smm_rules.simulator import RunningSimulator
from tests.daemon.household import NO_RULES, Household, eventually
from tests.daemon.household import order as order_of_household
from tests.ledger.builders import MINUTE, NOTHING, T0, bring_to, ended, message, new_order, order

HOURS = timedelta(hours=3)


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as opened:
        yield opened


async def test_what_was_read_ahead_of_time_is_due_at_once_and_nothing_else(ledger: SqliteLedger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0)
    usual = Observed(order(1), {"status": "Partial"}, True, T0 + 5 * MINUTE)
    await ledger.record(Sweep(T0, (usual,)))
    ahead = Observed(order(2), {"status": "Partial"}, True, T0 + HOURS + 5 * MINUTE)
    await ledger.record(Sweep(T0 + HOURS, (ahead,)))
    now = T0 + MINUTE

    assert await ledger.clock_set_back(now) == 1

    due_at = [one.due_at for one in await ledger.watched_page(order(1).kind, None, None, 9)]
    assert due_at == [T0 + 5 * MINUTE, now]


async def test_an_attempt_and_a_message_that_were_put_off_are_tried_again(ledger: SqliteLedger) -> None:
    now = T0 + MINUTE
    intent = await bring_to(ledger, IntentState.SENDING)
    again = ended(IntentState.NOT_SENT, retry_at=T0 + HOURS)
    await ledger.settle(intent.id, again, NOTHING, T0 + HOURS, "d1")
    await ledger.enqueue(message(), T0 + HOURS)

    await ledger.clock_set_back(now)

    assert [one.id for one in await ledger.claimable(now, 9)] == [intent.id]
    assert len(await ledger.deliverable(now, 9)) == 1


def test_no_look_is_paused_until_the_clock_has_caught_up() -> None:
    standing = Standing("north")
    standing.note_failure("orders", NotSent("no route"), T0 + HOURS)

    standing.end_pauses(T0)

    assert not standing.paused("orders", T0)
    assert standing.outages["orders"].failures == 1


async def test_a_daemon_looks_at_once_at_what_it_had_read_ahead_of_time(
    tmp_path: Path, smm_panel: RunningSimulator
) -> None:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as opened:
        household = Household(tmp_path, smm_panel, opened)
        household.write_rules(NO_RULES)
        name = smm_panel.add_order(4, status="Partial", remains=157)
        await household.track(name)
        household.clock.move(HOURS)
        async with household.living():
            await eventually(lambda: household.seen(name))
        household.clock.move(-HOURS)

        async def read_now() -> bool:
            watched = await opened.watched(order_of_household(name))
            return watched is not None and watched.last_seen_at == household.clock.now()

        async with household.living():
            await eventually(read_now)
