"""What was at work on a panel in a window of time, and whether a claim may still leave."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import IntentState, Leave
from smm_rules.ledger.stops import StopKind, StopScope
from tests.ledger.builders import DAY, MINUTE, NOTHING, T0, draft, ended, plan
from tests.ledger.conftest import Opener

S = IntentState
CLAIMED, SETTLED = T0 + 10 * MINUTE, T0 + 20 * MINUTE


async def _intent(ledger: Ledger, state: IntentState, panel: str = "north", day: int = 0) -> int:
    """An intent claimed and brought to `state` at the usual times."""
    intent_id = await plan(ledger, draft(panel=panel), episode=T0 + day * DAY)
    assert await ledger.claim(intent_id, "d1", CLAIMED, {}) is True
    if state is not S.SENDING:
        await ledger.settle(intent_id, ended(state), NOTHING, SETTLED, "d1")
    return intent_id


@pytest.mark.parametrize(
    ("state", "since", "until", "found"),
    [
        (S.CONFIRMED, 20, 30, True),
        (S.CONFIRMED, 21, 30, False),
        (S.CONFIRMED, 0, 10, True),
        (S.CONFIRMED, 0, 9, False),
        (S.CONFIRMED, 12, 15, True),
        (S.UNKNOWN, 100, 200, True),
        (S.UNKNOWN, 0, 9, False),
        (S.SENDING, 100, 200, True),
        (S.SENDING, 0, 10, True),
        (S.SENDING, 0, 9, False),
        (S.REJECTED, 0, 100, False),
        (S.NOT_SENT, 0, 100, False),
    ],
)
async def test_what_may_have_been_at_work_in_a_window(
    ledger: Ledger, state: IntentState, since: int, until: int, found: bool
) -> None:
    intent_id = await _intent(ledger, state)
    under_way = await ledger.under_way("north", T0 + since * MINUTE, T0 + until * MINUTE)
    assert [intent.id for intent in under_way] == ([intent_id] if found else [])


async def test_a_window_shows_all_of_one_panel_oldest_first(ledger: Ledger) -> None:
    ids = [await _intent(ledger, state, day=day) for day, state in enumerate((S.UNKNOWN, S.CONFIRMED) * 3)]
    await _intent(ledger, S.UNKNOWN, "south", day=9)
    assert [intent.id for intent in await ledger.under_way("north", T0, T0 + DAY)] == ids


async def test_what_waits_for_another_attempt_is_not_at_work(ledger: Ledger) -> None:
    intent_id = await plan(ledger)
    await ledger.claim(intent_id, "d1", CLAIMED, {})
    again = ended(S.NOT_SENT, retry_at=SETTLED)
    await ledger.settle(intent_id, again, NOTHING, SETTLED, "d1")
    assert await ledger.under_way("north", T0, T0 + DAY) == ()


# -- whether a claim may still leave ----------------------------------------------------------------------
async def _leave(ledger: Ledger, intent_id: int, owner: str = "d1", attempt: int = 1) -> Leave:
    return await ledger.may_leave(intent_id, owner, attempt, SETTLED)


async def test_a_claim_that_stands_may_leave(ledger: Ledger) -> None:
    intent_id = await _intent(ledger, S.SENDING)
    assert await _leave(ledger, intent_id) is Leave.YES


@pytest.mark.parametrize(
    ("kind", "scope", "name", "leave"),
    [
        (StopKind.PANIC, StopScope.ALL, "", Leave.STOPPED),
        (StopKind.PAUSE, StopScope.PANEL, "north", Leave.STOPPED),
        (StopKind.BREAKER, StopScope.PANEL, "north", Leave.STOPPED),
        (StopKind.PAUSE, StopScope.RULE, "top-up", Leave.STOPPED),
        (StopKind.PAUSE, StopScope.PANEL, "south", Leave.YES),
        (StopKind.PAUSE, StopScope.RULE, "other", Leave.YES),
    ],
)
async def test_a_stop_after_the_claim_is_seen(
    ledger: Ledger, open_ledger: Opener, kind: StopKind, scope: StopScope, name: str, leave: Leave
) -> None:
    intent_id = await _intent(ledger, S.SENDING)
    other = await open_ledger()
    stop = await other.stop(kind, scope, name, "look", "ann", CLAIMED)
    assert await _leave(ledger, intent_id) is leave
    await other.end_stop(stop.id, CLAIMED, "ann")
    assert await _leave(ledger, intent_id) is Leave.YES
    await other.aclose()


async def test_an_approval_passes_a_breaker_to_the_last(ledger: Ledger) -> None:
    await ledger.stop(StopKind.BREAKER, StopScope.PANEL, "north", "errors", "smm-rules", T0)
    intent_id = await plan(ledger)
    await ledger.approve(intent_id, T0, "ann")
    assert await ledger.claim(intent_id, "d1", CLAIMED, {}) is True
    assert await _leave(ledger, intent_id) is Leave.YES


async def _put_in_doubt(ledger: Ledger, intent_id: int) -> None:
    await ledger.recover(SETTLED, "d1", T0)


async def _claimed_again(ledger: Ledger, intent_id: int) -> None:
    await ledger.recover(SETTLED, "d1", T0)
    await ledger.resolve(intent_id, ended(S.NOT_SENT, retry_at=T0), NOTHING, SETTLED, "ann")
    assert await ledger.claim(intent_id, "d1", SETTLED, {}) is True


@pytest.mark.parametrize("taken", [_put_in_doubt, _claimed_again])
async def test_a_claim_that_was_taken_for_dead_is_lost(
    ledger: Ledger, taken: Callable[[Ledger, int], Awaitable[None]]
) -> None:
    intent_id = await _intent(ledger, S.SENDING)
    await taken(ledger, intent_id)
    assert await _leave(ledger, intent_id) is Leave.LOST


async def test_a_claim_is_its_owner_s_alone(ledger: Ledger) -> None:
    intent_id = await _intent(ledger, S.SENDING)
    assert await _leave(ledger, intent_id, "d2") is Leave.LOST
