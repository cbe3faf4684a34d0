"""`POST /orders/place`: a purchase is planned once by the ledger's rules, and never sent in the request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from smm_rules.config.web import ListenAddress
from smm_rules.engine.firing import IntentDraft
from smm_rules.ledger.holds import Gap, HoldReason
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import Asked, Intent, IntentState, Received
from smm_rules.ledger.sql import holding, holds
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.ledger.stops import StopKind, StopScope
from tests.ledger.builders import DAY, MINUTE, NOTHING, ended
from tests.receiving.desk import ASKED, READER, TOKEN, Desk, opened
from tests.web.shop import HOUR, NOW


async def test_a_purchase_is_planned_and_told_with_its_price(desk: Desk) -> None:
    answer = await desk.place("order-77", {**ASKED, "label": "customer 9"})
    assert (answer.status_code, answer.headers["location"]) == (202, "/intents/1")
    assert answer.json() == {
        "intent": 1, "state": "planned", "final": False, "kind": "add", "panel": "north",
        "parameters": {"service": "7", "link": "https://example.com/a", "quantity": "100"},
        "label": "customer 9", "reason": "", "message": "", "order": None, "cost": "0.20",
        "currency": None, "planned_at": "2026-03-08T15:00:00Z", "settled_at": None,
    }  # fmt: skip
    assert desk.planned == ["planned"]
    [birth] = await desk.ledger.transitions(1)
    assert (birth.by, birth.after) == ("http:shop", IntentState.PLANNED)


async def test_asking_again_gets_the_very_same_answer(desk: Desk) -> None:
    first = await desk.place("order-77")
    await desk.ledger.hold(1, "because", "", NOW)
    desk.clock.at += DAY
    again = await desk.place("order-77", {name: str(value) for name, value in reversed(ASKED.items())})
    assert (again.status_code, again.content) == (202, first.content)
    assert ("idempotency-replayed" in first.headers, again.headers["idempotency-replayed"]) == (False, "true")
    assert await desk.intents() == [1]


async def test_the_quotes_around_a_key_are_not_the_key(desk: Desk) -> None:
    await desk.place("order-77")
    assert (await desk.place('"order-77"')).headers["idempotency-replayed"] == "true"


async def test_what_was_done_is_told_again_whatever_became_of_its_service(desk: Desk) -> None:
    first = await desk.place("order-77")
    await desk.read_catalogue(gone=True)
    assert (await desk.place("order-77")).content == first.content
    fresh = await desk.place("order-78")
    assert fresh.status_code == 422
    assert fresh.json()["errors"][0]["pointer"] == "/service"


@pytest.mark.parametrize("change", [{"quantity": 101}, {"label": "x"}, {"service": "8"}, {"panel": "south"}])
async def test_another_body_under_a_key_buys_nothing(desk: Desk, change: dict[str, Any]) -> None:
    await desk.place("order-77")
    answer = await desk.place("order-77", ASKED | change)
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:smm-rules:problem:key-reused")
    assert await desk.intents() == [1]


async def test_a_key_of_tracking_is_no_key_of_buying(desk: Desk) -> None:
    body = {"service": "7", "panel": "north", "link": "https://example.com/a"}
    await desk.post("/orders", {**body, "order": "1"}, idempotency_key="k")
    assert (await desk.place("k", body)).json()["type"] == "urn:smm-rules:problem:key-reused"
    assert await desk.intents() == []


@pytest.mark.parametrize("key", ["", "a b", "ü", "a" * 201, '"', "\\"])
async def test_a_key_is_needed_and_must_be_one(desk: Desk, key: str) -> None:
    async with desk.program() as program:
        headers = [(b"idempotency-key", key.encode())] if key else []
        answer = await program.post("/orders/place", json=ASKED, headers=headers)
    assert answer.status_code == 400
    assert answer.json()["type"].removeprefix("urn:smm-rules:problem:") in ("key-missing", "key-malformed")
    assert await desk.intents() == []


async def test_two_keys_at_once_are_none(desk: Desk) -> None:
    async with desk.program() as program:
        headers = [("idempotency-key", "a"), ("idempotency-key", "b")]
        answer = await program.post("/orders/place", json=ASKED, headers=headers)
    assert answer.json()["type"] == "urn:smm-rules:problem:key-malformed"


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({"panel": "north"}, ["/service"]),
        (ASKED | {"service": "7;8"}, ["/service"]),
        (ASKED | {"quantity": 0, "order": "1"}, ["/quantity", "/order"]),
        (ASKED | {"rate": "0.9"}, ["/rate"]),
        (ASKED | {"link": "a\nb"}, ["/link"]),
        (ASKED | {"panel": "west"}, ["/panel"]),
        (ASKED | {"asked_at": "yesterday"}, ["/asked_at"]),
        (ASKED | {"comments": [1]}, ["/comments"]),
        ([ASKED], [""]),
        ("service", [""]),
        ({**ASKED, "quantity": None}, [""]),
        (ASKED | {"keywords": "a"}, [""]),
    ],
)
async def test_what_can_t_be_bought_is_told_with_its_place(
    desk: Desk, body: object, pointers: list[str]
) -> None:
    answer = await desk.place("k", body)
    assert answer.status_code == 422
    assert [fault["pointer"] for fault in answer.json()["errors"]] == pointers
    assert await desk.intents() == []
    assert (await desk.place("k")).status_code == 202, "a key is only taken up by what was done"


async def test_a_catalogue_that_is_not_read_yet_is_waited_for(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        answer = await desk.place("k")
        assert (answer.status_code, answer.json()["cost"]) == (202, None)


# -- guards, approvals, modes ---------------------------------------------------------------------------
async def test_a_budget_holds_it(tmp_path: Path) -> None:
    async with opened(tmp_path, more="guards: {spend: 0.30/day}\n") as desk:
        await desk.read_catalogue()
        states = [(await desk.place(f"k{n}")).json() for n in range(2)]
        assert [one["state"] for one in states] == ["planned", "held"]
        assert states[1]["reason"] == "total_spend_per_day"


async def test_dear_ones_wait_for_approval_and_expire(tmp_path: Path) -> None:
    async with opened(tmp_path, intake="approve: {above: 0.20, expires: 2h}") as desk:
        await desk.read_catalogue()
        assert (await desk.place("cheap")).json()["state"] == "planned"
        dear = (await desk.place("dear", ASKED | {"quantity": 101})).json()
        assert (dear["state"], dear["reason"]) == ("held", "approval")
        assert [one.id for one in await desk.ledger.expired(NOW + timedelta(hours=2), 9)] == [2]


async def test_a_price_that_rose_waits_for_approval_when_it_is_to_be_sent(tmp_path: Path) -> None:
    async with opened(tmp_path, intake="approve: {above: 0.20}") as desk:
        await desk.read_catalogue()
        await desk.place("cheap")
        assert not await desk.ledger.claim(1, "daemon", NOW, {}, Decimal("0.21"))
        assert (await desk.get("/intents/1")).json()["reason"] == "approval"


@pytest.mark.parametrize(("mode", "state"), [("dry_run", "held"), ("shadow", "denied")])
async def test_a_mode_that_sends_nothing_plans_nothing(tmp_path: Path, mode: str, state: str) -> None:
    async with opened(tmp_path, more=f"mode: {mode}\n") as desk:
        await desk.read_catalogue()
        answer = (await desk.place("k")).json()
        assert (answer["state"], answer["reason"]) == (state, mode)


async def test_a_pause_keeps_it_planned(desk: Desk) -> None:
    await desk.ledger.stop(StopKind.PAUSE, StopScope.PANEL, "north", "why", "ann", NOW)
    assert (await desk.place("k")).json()["state"] == "planned"
    assert await desk.ledger.claimable(NOW, 9) == ()


async def test_after_a_restore_what_was_first_asked_for_before_is_held(desk: Desk) -> None:
    await _hold(desk)
    await desk.ledger.confirm_hold(NOW - HOUR, "ann", NOW)
    asked = {"old": NOW - 2 * HOUR, "new": NOW, "ahead": NOW + HOUR}
    told = [(await desk.place(key, ASKED | {"asked_at": at.isoformat()})).json() for key, at in asked.items()]
    assert [(one["state"], one["reason"]) for one in told] == [
        ("held", "restored"), ("planned", ""), ("planned", ""),
    ]  # fmt: skip
    assert [one.episode for one in await desk.ledger.intents((), 9)] == [NOW, NOW, NOW - 2 * HOUR]
    [message] = await desk.ledger.messages((), 9)
    assert (message.dedup_key, message.channel) == ("operator:held:1:0", "ops")


async def test_for_a_day_after_a_restore_what_does_not_say_since_when_is_held(desk: Desk) -> None:
    """The lost run may have bought it, under a key that the ledger has forgotten."""
    await _hold(desk)
    await desk.ledger.confirm_hold(NOW, "ann", NOW)
    desk.clock.at = NOW + DAY - MINUTE
    assert (await desk.place("maybe-again")).json()["reason"] == "restored"
    desk.clock.at = NOW + DAY
    assert (await desk.place("another")).json()["state"] == "planned"
    await _hold(desk, desk.clock.at)
    confirmed = await desk.ledger.confirm_hold(desk.clock.at, "ann", desk.clock.at)
    assert confirmed.released == (2,), "what may have been bought waits still"


async def test_on_a_hold_nothing_new_is_taken_and_what_was_done_is_told(desk: Desk) -> None:
    first = await desk.place("k")
    await _hold(desk)
    fresh = await desk.place("fresh")
    assert (fresh.status_code, fresh.json()["type"]) == (503, "urn:smm-rules:problem:on-hold")
    assert (await desk.place("k")).content == first.content
    assert await desk.intents() == [1]


async def _hold(desk: Desk, at: datetime = NOW) -> None:
    """As after a restore."""
    gap = Gap(at, at, None, {}, "")
    await desk.ledger._write(holding.place, HoldReason.OLDER, gap, "test", at)


# -- at once, and in doubt ------------------------------------------------------------------------------
async def test_two_at_once_are_one_purchase_with_one_answer(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.place("order-77") for _ in range(12)))
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.content for answer in answers}) == 1
    assert await desk.intents() == [1]


async def test_two_servers_on_one_ledger_are_one_purchase(desk: Desk, tmp_path: Path) -> None:
    async with opened(tmp_path, listen=ListenAddress("127.0.0.1", 0)) as other:
        asked = [one.place("order-77") for one in (desk, other) for _ in range(6)]
        answers = await asyncio.gather(*asked)
    assert {(answer.status_code, answer.content) for answer in answers} == {(202, answers[0].content)}
    assert await desk.intents() == [1]


async def test_while_one_is_under_way_the_other_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    purchase = SqlLedger.purchase

    async def slow(*given: Any) -> Received:
        begun.set()
        await go_on.wait()
        return await purchase(*given)

    monkeypatch.setattr(SqlLedger, "purchase", slow)
    async with opened(tmp_path, patience=0.01) as desk:
        await desk.read_catalogue()
        first = asyncio.create_task(desk.place("k"))
        await begun.wait()
        second = await desk.place("k")
        assert (second.status_code, second.headers["retry-after"]) == (409, "1")
        assert second.json()["type"] == "urn:smm-rules:problem:key-in-use"
        go_on.set()
        assert (await first).status_code == 202
        assert (await desk.place("k")).headers["idempotency-replayed"] == "true"
        assert desk.reception.turns._locks == {}


async def test_an_answer_that_was_lost_on_the_way_is_given_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The purchase is durable, and then its connection, or what waits for it, is gone."""
    purchase = SqlLedger.purchase

    async def lost(*given: Any) -> Received:
        await purchase(*given)
        raise LedgerError("the connection to the ledger was lost while a change was being written")

    monkeypatch.setattr(SqlLedger, "purchase", lost)
    answer = await desk.place("k")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:smm-rules:problem:ledger-unavailable")
    monkeypatch.setattr(SqlLedger, "purchase", purchase)
    again = await desk.place("k")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (202, "true")
    assert await desk.intents() == [1]


async def test_another_worker_that_was_faster_gives_the_answer(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both saw that the key was new; the ledger let one of them plan it."""

    async def nothing(*_: object) -> None:
        return None

    first = await desk.place("k")
    monkeypatch.setattr(SqlLedger, "received", nothing)
    again = await desk.place("k")
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    other = await desk.place("k", ASKED | {"quantity": 101})
    assert other.json()["type"] == "urn:smm-rules:problem:key-reused"
    assert await desk.intents() == [1]


async def test_a_hold_that_is_only_just_found_plans_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def held(
        _: SqlLedger, draft: IntentDraft, asked: Asked, answer: Callable[[Intent], str], *more: object
    ) -> Received:
        raise holds.on_hold()

    monkeypatch.setattr(SqlLedger, "purchase", held)
    answer = await desk.place("k")
    assert (answer.status_code, answer.json()["type"]) == (503, "urn:smm-rules:problem:on-hold")


async def test_a_fault_of_the_program_is_told_by_name_only(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("secret inner life")

    monkeypatch.setattr(SqlLedger, "received", broken)
    answer = await desk.place("k")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:smm-rules:problem:fault")
    assert "inner life" not in answer.text


# -- how it stands --------------------------------------------------------------------------------------
async def test_an_intent_is_seen_as_it_stands(desk: Desk) -> None:
    await desk.place("k")
    await desk.ledger.claim(1, "d1", NOW, {})
    assert (await desk.get("/intents/1", READER)).json()["state"] == "sending"
    await desk.ledger.settle(1, ended(IntentState.CONFIRMED, result="9001"), NOTHING, NOW, "d1")
    told = (await desk.get("/intents/1", READER)).json()
    assert (told["state"], told["final"], told["order"]) == ("confirmed", True, "9001")


@pytest.mark.parametrize("intent", ["2", "0", "-1", "x", "9" * 30, "1e3", "١"])
async def test_an_intent_that_is_not_there(desk: Desk, intent: str) -> None:
    await desk.place("k")
    answer = await desk.get(f"/intents/{intent}", TOKEN)
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:smm-rules:problem:not-found")
