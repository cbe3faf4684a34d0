"""What programs ask for under keys: done once, answered alike, in every back end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from smm_rules.engine.guards import APPROVAL
from smm_rules.facts import Entity
from smm_rules.ledger.holds import Gap, HoldReason
from smm_rules.ledger.port import Ledger, StateConflict
from smm_rules.ledger.records import Asked, Intent, IntentState, Received
from smm_rules.ledger.sql import holding
from smm_rules.ledger.sql.received import TRACKING_KEPT
from smm_rules.rules.model import ApprovalNeed, Mode, RuleGuards, StepKind
from tests.ledger.builders import DAY, MINUTE, NOTHING, T0, draft, ended, message, new_order, order
from tests.ledger.conftest import Opener

BUY = draft("http.1", StepKind.ADD, "1.50")
ASKED = Asked("shop", "digest", "order-77")
DEAR = RuleGuards(approval=ApprovalNeed(Decimal(1), timedelta(hours=2)))


def named(fresh: frozenset[Entity]) -> str:
    return " ".join(sorted(entity.id for entity in fresh))


def stated(intent: Intent) -> str:
    return f"{intent.id} {intent.state}"


async def buy(ledger: Ledger, asked: Asked = ASKED, bounds: RuleGuards = RuleGuards()) -> Received:  # noqa: B008
    return await ledger.purchase(
        replace(BUY, step=f"http.{asked.key}"), asked, stated, T0, "http:shop", bounds
    )


@pytest.fixture
async def another(open_ledger: Opener) -> AsyncIterator[Ledger]:
    """The same ledger as another process has it open."""
    opened = await open_ledger()
    yield opened
    await opened.aclose()


# -- tracking -------------------------------------------------------------------------------------------
async def test_orders_are_tracked_and_the_new_ones_named(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    done = await ledger.track_asked([new_order(1), new_order(2)], Asked("shop", "d"), named, T0, "http:shop")
    assert done == Received("d", T0, None, "2")
    assert await ledger.watched(order(2)) is not None


async def test_a_forgotten_order_is_new_again(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    await ledger.forget(order(1), T0)
    done = await ledger.track_asked([new_order(1)], Asked("shop", "d"), named, T0, "http:shop")
    assert done.answer == "1"


async def test_an_order_of_another_panel_is_another_order(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    done = await ledger.track_asked([new_order(1, panel="south")], Asked("shop", "d"), named, T0, "http:shop")
    assert done.answer == "1"


async def test_a_key_of_tracking_answers_as_it_did(ledger: Ledger) -> None:
    first = await ledger.track_asked([new_order(1)], ASKED, named, T0, "http:shop")
    again = await ledger.track_asked([new_order(1)], ASKED, named, T0 + MINUTE, "http:shop")
    assert (first.answer, again) == ("1", first)


async def test_keys_of_tracking_are_dropped_after_a_day_by_those_that_come(ledger: Ledger) -> None:
    await ledger.track_asked([new_order(1)], ASKED, named, T0, "http:shop")
    later = T0 + TRACKING_KEPT
    await ledger.track_asked([new_order(2)], replace(ASKED, key="b"), named, later, "http:shop")
    assert await ledger.received("shop", "order-77") is not None
    later += timedelta(microseconds=1)
    await ledger.track_asked([new_order(3)], replace(ASKED, key="c"), named, later, "http:shop")
    assert await ledger.received("shop", "order-77") is None


# -- purchases ------------------------------------------------------------------------------------------
async def test_a_purchase_is_planned_once_whoever_asks_again(ledger: Ledger, another: Ledger) -> None:
    first = await buy(ledger)
    assert first == Received("digest", T0, 1, "1 planned")
    await ledger.hold(1, "because", "", T0)
    assert await buy(ledger) == first
    assert await buy(another) == first
    assert await another.received("shop", "order-77") == first
    assert [intent.id for intent in await ledger.intents((), 10)] == [1]


async def test_what_is_asked_at_once_is_planned_once(ledger: Ledger, another: Ledger) -> None:
    done = await asyncio.gather(*(buy(one) for one in (ledger, another) for _ in range(5)))
    assert set(done) == {Received("digest", T0, 1, "1 planned")}
    assert len(await ledger.intents((), 10)) == 1


async def test_another_body_under_a_key_does_nothing_and_shows_the_first(ledger: Ledger) -> None:
    await buy(ledger)
    assert (await buy(ledger, replace(ASKED, digest="other"))).digest == "digest"
    assert len(await ledger.intents((), 10)) == 1


async def test_a_key_is_a_client_s_own(ledger: Ledger) -> None:
    await buy(ledger)
    other = await ledger.purchase(
        replace(BUY, step="http.2"), replace(ASKED, client="till"), stated, T0, "http:till"
    )
    assert other.intent == 2


async def test_a_purchase_without_a_key_is_refused(ledger: Ledger) -> None:
    with pytest.raises(ValueError, match="needs a key"):
        await buy(ledger, Asked("shop", "digest"))


async def test_a_failing_answer_leaves_nothing_behind(ledger: Ledger) -> None:
    def broken(_: Intent) -> str:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await ledger.purchase(BUY, ASKED, broken, T0, "http:shop")
    assert await ledger.intents((), 10) == ()
    assert await ledger.received("shop", "order-77") is None
    assert (await buy(ledger)).answer.endswith("planned")


async def test_who_asked_is_in_the_record_of_the_intent(ledger: Ledger) -> None:
    await buy(ledger)
    [birth] = await ledger.transitions(1)
    assert birth.by == "http:shop"


async def test_an_approval_is_asked_for_by_price_then_and_when_it_is_sent(ledger: Ledger) -> None:
    dear = await buy(ledger, bounds=DEAR)
    assert dear.answer == "1 held"
    intent = await ledger.intent(1)
    assert intent is not None
    assert (intent.reason, intent.expires_at) == (APPROVAL, T0 + timedelta(hours=2))
    cheap = await ledger.purchase(
        draft("http.2", StepKind.ADD, "0.50"), replace(ASKED, key="b"), stated, T0, "http:shop", DEAR
    )
    assert cheap.answer == "2 planned"
    assert not await ledger.claim(2, "daemon", T0, {}, Decimal("1.20"), "USD")
    risen = await ledger.intent(2)
    assert risen is not None
    assert (risen.state, risen.reason) == (IntentState.HELD, APPROVAL)
    await ledger.approve(2, T0, "ann")
    assert await ledger.claim(2, "daemon", T0, {}, Decimal("1.20"), "USD")


@pytest.mark.parametrize(
    ("mode", "state"), [(Mode.DRY_RUN, IntentState.HELD), (Mode.SHADOW, IntentState.DENIED)]
)
async def test_a_dry_run_holds_and_a_shadow_denies(ledger: Ledger, mode: Mode, state: IntentState) -> None:
    assert (await buy(ledger, bounds=RuleGuards(mode))).answer == f"1 {state}"


# -- after a hold ---------------------------------------------------------------------------------------
async def _held(ledger: Ledger, at: datetime = T0) -> None:
    gap = Gap(at, at, None, {}, "")
    await ledger._write(holding.place, HoldReason.OLDER, gap, "test", at)  # type: ignore[attr-defined]


async def test_on_a_hold_what_was_done_is_told_and_nothing_new_is_taken(ledger: Ledger) -> None:
    first = await buy(ledger)
    await _held(ledger)
    assert await buy(ledger) == first
    with pytest.raises(StateConflict, match="on hold"):
        await buy(ledger, replace(ASKED, key="b"))
    assert len(await ledger.intents((), 10)) == 1


@pytest.mark.parametrize(
    ("since", "now", "state"),
    [
        (None, T0 + DAY - MINUTE, "held"),
        (None, T0 + DAY, "planned"),
        (T0 - MINUTE, T0 + 9 * DAY, "held"),
        (T0, T0 + MINUTE, "planned"),
        (T0 + DAY, T0 + MINUTE, "planned"),
    ],
)
async def test_what_a_lost_run_may_have_bought_is_held_and_told(
    ledger: Ledger, since: datetime | None, now: datetime, state: str
) -> None:
    await _held(ledger)
    await ledger.confirm_hold(T0, "ann", T0)
    asked = replace(ASKED, since=since)
    done = await ledger.purchase(BUY, asked, stated, now, "http:shop", told=lambda intent: message("told"))
    assert done.answer == f"1 {state}"
    intent = await ledger.intent(1)
    assert intent is not None
    assert intent.reason == ("restored" if state == "held" else "")
    assert intent.episode <= now
    assert [one.dedup_key for one in await ledger.messages((), 9)] == ["told"]


# -- how long keys are kept -----------------------------------------------------------------------------
@pytest.mark.parametrize("state", list(IntentState))
async def test_a_purchase_s_key_is_kept_as_long_as_its_intent(ledger: Ledger, state: IntentState) -> None:
    await buy(ledger)
    await _bring(ledger, state)
    await ledger.prune(T0 + DAY)
    kept = await ledger.intent(1) is not None
    again = await buy(ledger)
    assert (again.intent == 1) is kept
    assert len(await ledger.intents((), 10)) == 1


async def test_a_key_is_kept_while_it_is_young_whatever_became_of_its_intent(ledger: Ledger) -> None:
    await buy(ledger)
    await _bring(ledger, IntentState.DENIED)
    assert (await ledger.prune(T0))["received"] == 0
    assert (await ledger.prune(T0 + DAY))["received"] == 1
    assert await ledger.received("shop", "order-77") is None


async def _bring(ledger: Ledger, state: IntentState) -> None:
    if state is IntentState.PLANNED:
        return
    if state in (IntentState.HELD, IntentState.DENIED):
        await ledger.hold(1, "because", "", T0)
        if state is IntentState.DENIED:
            await ledger.deny(1, T0, "ann")
        return
    assert await ledger.claim(1, "d1", T0, {})
    if state is not IntentState.SENDING:
        await ledger.settle(1, ended(state), NOTHING, T0, "d1")
