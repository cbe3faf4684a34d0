"""The buttons: each asks first, acts once, says who did it, and changes nothing it wasn't meant to."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import httpx
import pytest

from smm_rules.ledger.audit import AuditKind, AuditQuery
from smm_rules.ledger.holds import Gap, Hold, HoldReason
from smm_rules.ledger.records import IntentState, MessageState
from smm_rules.ledger.stops import Stop, StopKind, StopScope
from smm_rules.rules.model import StepKind
from smm_rules.web.site import Site
from tests.web.shop import NOW, draft, fire, firing, order
from tests.web.visitor import Visitor

DOUBT, HELD, STALE = 8, 9, 7


async def state(site: Site, intent: int) -> IntentState:
    found = await site.ledger.intent(intent)
    assert found is not None
    return found.state


async def last_change(site: Site, intent: int) -> tuple[IntentState, str]:
    change = (await site.ledger.transitions(intent))[-1]
    return change.after, change.by


async def said(visitor: Visitor, answer: httpx.Response) -> str:
    """The page that a form led to."""
    assert answer.status_code == 303
    return await visitor.text(answer.headers["location"])


async def test_an_approval_is_asked_once_more_with_its_price(site: Site, ann: Visitor) -> None:
    asked = await ann.text(f"/intents/{HELD}/approve")
    assert "That costs 12.60 USD." in asked
    assert await state(site, HELD) is IntentState.HELD
    page = await said(ann, await ann.press(f"/intents/{HELD}/approve"))
    assert "Approved. It is sent at the daemon&#39;s next look" in page
    assert await last_change(site, HELD) == (IntentState.PLANNED, "web:ann")


async def test_an_approval_says_that_nothing_is_sent_on_a_hold(site: Site, ann: Visitor) -> None:
    assert "on hold" not in await ann.text(f"/intents/{HELD}/approve")
    hold = Hold(1, NOW, HoldReason.RESTORED, Gap(), "daemon")

    async def on_hold() -> Hold:
        return hold

    site.ledger.open_hold = on_hold  # type: ignore[method-assign]  # as after a restore
    assert "The ledger is on hold: The ledger was restored" in await ann.text(f"/intents/{HELD}/approve")


async def test_a_planned_action_is_given_up(site: Site, ann: Visitor) -> None:
    assert "Give it up…" in await ann.text("/intents/10")
    page = await said(ann, await ann.press("/intents/10/deny"))
    assert "Denied. It is never sent." in page
    assert await last_change(site, 10) == (IntentState.DENIED, "web:ann")


async def test_what_waits_behind_a_stopped_action_says_so(site: Site, ann: Visitor) -> None:
    await site.ledger.stop(StopKind.PAUSE, StopScope.RULE, "refill-partial", "x", "operator:ben", NOW)
    what = firing(order(7311), "reorder-canceled", NOW, {"status": "Canceled"})
    waits = await fire(site.ledger, what, draft(StepKind.CANCEL))  # type: ignore[arg-type]  # an SqliteLedger
    text = await ann.text(f"/intents/{waits}")
    assert "It waits for intent 10, a refill about the same order, which is stopped." in text
    assert 'href="/intents/10"' in text
    overview = await ann.text("/")
    assert "Waiting behind what is stopped" in overview
    assert f'href="/intents/{waits}"' in overview


async def test_a_denial(site: Site, ann: Visitor) -> None:
    page = await said(ann, await ann.press(f"/intents/{HELD}/deny"))
    assert "Denied. It is never sent." in page
    assert await last_change(site, HELD) == (IntentState.DENIED, "web:ann")


async def test_it_happened_and_the_order_it_made_is_watched(site: Site, ann: Visitor) -> None:
    page = await said(ann, await ann.press(f"/intents/{DOUBT}/happened", made=" #9001 "))
    assert "9001 is watched from now on" in page
    assert await last_change(site, DOUBT) == (IntentState.CONFIRMED, "web:ann")
    made = await site.ledger.order(order(9001))
    assert made is not None
    assert made.parent == order(7313)


@pytest.mark.parametrize(("made", "why"), [("", "ID is missing"), ("7313", "is the order that was to be")])
async def test_an_order_that_cannot_be_right_is_refused(
    site: Site, ann: Visitor, made: str, why: str
) -> None:
    page = await said(ann, await ann.press(f"/intents/{DOUBT}/happened", made=made))
    assert why in page
    assert 'role="alert"' in page
    assert await state(site, DOUBT) is IntentState.UNKNOWN
    assert why not in await ann.text(f"/intents/{DOUBT}"), "it is said once"


async def test_it_did_not_happen(site: Site, ann: Visitor) -> None:
    page = await said(ann, await ann.press(f"/intents/{DOUBT}/did-not"))
    assert "its money is free again" in page
    assert await last_change(site, DOUBT) == (IntentState.NOT_SENT, "web:ann")


async def test_it_did_not_happen_and_is_planned_once_more(site: Site, ann: Visitor) -> None:
    asked = await ann.text(f"/intents/{DOUBT}/did-not")
    assert "Plan it once more, for 4.80 USD" in asked
    await ann.press(f"/intents/{DOUBT}/did-not", retry="yes")
    assert await last_change(site, DOUBT) == (IntentState.PLANNED, "web:ann")


async def test_a_form_sent_twice_acts_once(site: Site, ann: Visitor) -> None:
    fields = await ann.form(f"/intents/{HELD}/approve")
    answers = await asyncio.gather(*(ann.send(f"/intents/{HELD}/approve", fields) for _ in range(5)))
    assert {(one.status_code, one.headers["location"]) for one in answers} == {(303, f"/intents/{HELD}")}
    approved = [one for one in await site.ledger.transitions(HELD) if one.after is IntentState.PLANNED]
    assert len(approved) == 2, "at its birth, and by the button"
    await site.ledger.hold(HELD, "dry_run", "", NOW)
    await ann.send(f"/intents/{HELD}/approve", fields)
    assert await state(site, HELD) is IntentState.HELD, "the form was for the holding before"


async def test_two_people_decide_at_once_and_the_second_is_told(site: Site, ann: Visitor) -> None:
    fields = await ann.form(f"/intents/{HELD}/approve")
    await site.ledger.deny(HELD, NOW, "operator:ben")
    page = await said(ann, await ann.send(f"/intents/{HELD}/approve", fields))
    assert "can&#39;t be approved: it is denied" in page
    assert await last_change(site, HELD) == (IntentState.DENIED, "operator:ben")


async def test_what_is_decided_already_is_asked_no_more(site: Site, ann: Visitor) -> None:
    answer = await ann.get("/intents/1/approve")
    assert (answer.status_code, answer.headers["location"]) == (303, "/intents/1")


@pytest.mark.parametrize(
    ("fields", "headers", "code"),
    [
        ({"csrf": "wrong"}, {}, 403),
        ({"csrf": ""}, {}, 403),
        ({"form": ""}, {}, 400),
        ({}, {"origin": "https://evil.example"}, 403),
        ({}, {"sec-fetch-site": "cross-site"}, 403),
        ({}, {"sec-fetch-site": "same-site"}, 403),
        ({}, {"origin": "null"}, 403),
    ],
)
async def test_a_form_that_is_not_ours_changes_nothing(
    site: Site, ann: Visitor, fields: dict[str, str], headers: dict[str, str], code: int
) -> None:
    path = f"/intents/{HELD}/approve"
    answer = await ann.send(path, {**await ann.form(path), **fields}, **headers)
    assert answer.status_code == code
    assert await state(site, HELD) is IntentState.HELD


async def test_a_form_of_another_login_changes_nothing(site: Site, ann: Visitor) -> None:
    other = Visitor(site)
    await other.log_in()
    path = f"/intents/{HELD}/approve"
    assert (await ann.send(path, await other.form(path))).status_code == 403
    assert await state(site, HELD) is IntentState.HELD


async def test_without_the_login_a_form_leads_to_it(site: Site, ann: Visitor) -> None:
    fields = await ann.form(f"/intents/{HELD}/approve")
    answer = await Visitor(site).send(f"/intents/{HELD}/approve", fields)
    assert answer.headers["location"] == f"/login?next=%2Fintents%2F{HELD}"
    assert await state(site, HELD) is IntentState.HELD


async def test_what_is_sent_in_another_form_is_refused(site: Site, ann: Visitor) -> None:
    path = f"/intents/{HELD}/approve"
    fields = await ann.form(path)
    as_form = {"content-type": "application/x-www-form-urlencoded"}
    as_json = await ann.http.post(path, json=fields)
    too_long = await ann.send(path, {**fields, "made": "x" * 70_000})
    too_many = await ann.http.post(path, content="&".join(f"a{n}=1" for n in range(60)), headers=as_form)
    no_text = await ann.http.post(path, content=b"csrf=\xff", headers=as_form)
    assert [one.status_code for one in (as_json, too_long, too_many, no_text)] == [415, 413, 400, 400]
    assert (await ann.get(f"/intents/{HELD}/approve")).status_code == 200
    assert await state(site, HELD) is IntentState.HELD


async def active(site: Site) -> list[Stop]:
    return [stop for stop in await site.ledger.stops() if stop.name != "low-balance"]


async def test_a_pause_of_a_panel_for_a_while(site: Site, ann: Visitor) -> None:
    fields = await ann.form("/stops", "/stops/pause")
    page = await said(
        ann,
        await ann.send(
            "/stops/pause", {**fields, "what": "panel:north", "reason": "maintenance", "lasting": "2h"}
        ),
    )
    (stop,) = await active(site)
    assert (stop.kind, stop.scope, stop.name) == (StopKind.PAUSE, StopScope.PANEL, "north")
    assert (stop.reason, stop.by, stop.until) == ("maintenance", "web:ann", NOW + timedelta(hours=2))
    assert "panel north: paused by" in page


@pytest.mark.parametrize(
    "asked",
    [
        {"what": "panel:nope", "reason": "x"}, {"what": "rule:nope", "reason": "x"}, {"what": "all"},
        {"what": "all:north", "reason": "x"}, {"what": "", "reason": "x"},
        {"what": "all", "reason": "x", "lasting": "soon"}, {"what": "all", "reason": "   "},
    ],
)  # fmt: skip
async def test_a_pause_that_makes_no_sense_stops_nothing(
    site: Site, ann: Visitor, asked: dict[str, str]
) -> None:
    fields = await ann.form("/stops", "/stops/pause")
    page = await said(ann, await ann.send("/stops/pause", {**fields, **asked}))
    assert 'role="alert"' in page
    assert await active(site) == []


async def test_panic_and_its_end(site: Site, ann: Visitor) -> None:
    page = await said(ann, await ann.press("/stops/panic", reason="wrong prices"))
    assert "Stopped. Nothing that acts on a panel is sent any more." in page
    (stop,) = await active(site)
    assert (stop.kind, stop.scope, stop.by) == (StopKind.PANIC, StopScope.ALL, "web:ann")
    asked = await ann.text(f"/stops/{stop.id}/resume")
    assert "1 planned action may then be sent" in asked
    page = await said(ann, await ann.press(f"/stops/{stop.id}/resume"))
    assert "Ended." in page
    assert await active(site) == []
    ended = (await site.ledger.stops(1))[0]
    assert ended.ended_by == "web:ann"


async def test_a_dead_letter_is_tried_again_or_dropped(site: Site, ann: Visitor) -> None:
    (dead,) = await site.ledger.messages((MessageState.DEAD,), 5)
    fields = await ann.form("/messages", f"/messages/{dead.id}/retry")
    assert "It is tried again now." in await said(ann, await ann.send(f"/messages/{dead.id}/retry", fields))
    assert await site.ledger.messages((MessageState.DEAD,), 5) == ()
    await site.ledger.undelivered(dead.id, "no", None, NOW)
    fields = await ann.form("/messages", f"/messages/{dead.id}/drop")
    assert "never delivered" in await said(ann, await ann.send(f"/messages/{dead.id}/drop", fields))
    assert [one.id for one in await site.ledger.messages((MessageState.DROPPED,), 5)] == [dead.id]


async def test_every_button_wakes_the_daemon(site: Site, ann: Visitor) -> None:
    woken: list[None] = []

    class Sleeper:
        def changed(self) -> None:
            woken.append(None)

    site.engine = Sleeper()  # type: ignore[assignment]  # what a button needs of it
    await ann.press(f"/intents/{HELD}/deny")
    await ann.press(f"/intents/{STALE}/approve")
    assert len(woken) == 2


async def test_the_record_of_decisions_knows_who_it_was(site: Site, ann: Visitor) -> None:
    await ann.press(f"/intents/{HELD}/approve")
    query = AuditQuery(intent=HELD, kinds=(AuditKind.TRANSITION,))
    entries = await site.ledger.audit_page(query, 0, 100)
    assert (entries[-1].by, entries[-1].data["after"]) == ("web:ann", "planned")
