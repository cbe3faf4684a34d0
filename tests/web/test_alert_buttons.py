"""Acknowledge, silence and the end of a hold: by the page as by the commands."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.ledger.alerts import AlertState, Matcher
from smm_rules.web.site import Site
from tests.web.conftest import Opener
from tests.web.shop import NOW
from tests.web.visitor import LOGIN, Visitor, hidden

SILENCE = {"rule": "low-balance", "panel": "north", "reason": "topping it up", "lasting": "2h"}


async def press(visitor: Visitor, page: str, path: str, **fields: str) -> str:
    """Send a form that is on a page; the page that it leads to."""
    answer = await visitor.send(path, {**await visitor.form(page, path), **fields})
    assert answer.status_code == 303
    return await visitor.text(answer.headers["location"])


async def test_what_goes_on_is_shown_with_how_far_it_was_told(open_shop: Opener) -> None:
    text = await Visitor(await open_shop()).text("/alerts")
    assert text.count('<a href="/rules/low-balance">low-balance</a>') == 2
    assert "1: rule low-balance, panel south, until 2026-03-08 17:00:00Z" in text
    assert "matches 1 alert now" in text
    assert "<form" not in text, "nobody can log in, so there is nothing to press"
    assert "Alerts that go on" in await Visitor(await open_shop()).text("/")


async def test_an_alert_is_acknowledged_with_what_is_done_about_it(site: Site, ann: Visitor) -> None:
    page = await press(ann, "/alerts", "/alerts/1/acknowledge", reason="money is on its way")
    assert "Alert 1 is acknowledged" in page
    assert "web:ann knows: money is on its way" in page
    alert = await site.ledger.alert(1)
    assert alert is not None
    assert (alert.state, alert.acknowledged_by) == (AlertState.ACKNOWLEDGED, "web:ann")


async def test_an_alert_that_somebody_knows_of_is_not_acknowledged_twice(site: Site, ann: Visitor) -> None:
    fields = await ann.form("/alerts", "/alerts/1/acknowledge")
    await site.ledger.acknowledge(1, "operator:ben", "mine", NOW)
    answer = await ann.send("/alerts/1/acknowledge", {**fields, "reason": "mine, too"})
    page = await ann.text(answer.headers["location"])
    assert "ben has acknowledged alert 1 already." in page
    alert = await site.ledger.alert(1)
    assert alert is not None
    assert alert.acknowledged_why == "mine"


async def test_a_silence_begins_and_ends(site: Site, ann: Visitor) -> None:
    page = await press(ann, "/alerts", "/silences/add", **SILENCE)
    assert "Silence 2: rule low-balance, panel north" in page
    silence = (await site.ledger.silences())[-1]
    assert silence.matcher == Matcher(rule="low-balance", panel="north")
    assert (silence.by, silence.reason) == ("web:ann", "topping it up")
    assert silence.until == NOW + timedelta(hours=2)
    page = await press(ann, "/alerts", "/silences/2/end")
    assert "Ended. What it kept back and still goes on is told now." in page
    assert [one.id for one in await site.ledger.silences()] == [1]


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"rule": "", "panel": ""}, "Say which alerts"),
        ({"reason": "  "}, "Say why"),
        ({"lasting": "soon"}, "soon"),
        ({"lasting": "0s"}, "over at once"),
        ({"lasting": ""}, "duration"),
        ({"kind": "planet"}, "no such kind"),
        ({"level": "loud"}, "no such kind or level"),
    ],
)
async def test_a_silence_that_makes_no_sense_keeps_nothing_quiet(
    site: Site, ann: Visitor, wrong: dict[str, str], why: str
) -> None:
    page = await press(ann, "/alerts", "/silences/add", **(SILENCE | wrong))
    assert 'role="alert"' in page
    assert why in page
    assert [one.id for one in await site.ledger.silences()] == [1]


async def test_without_a_login_nothing_is_pressed(site: Site, ann: Visitor) -> None:
    fields = await ann.form("/alerts", "/silences/add")
    answer = await Visitor(site).send("/silences/add", {**fields, **SILENCE})
    assert answer.headers["location"].startswith("/login?next=")
    assert [one.id for one in await site.ledger.silences()] == [1]


@pytest.fixture
async def restored(open_shop: Opener, tmp_path: Path) -> Site:
    """A shop whose stamp is missing, as after a restore."""
    before = await open_shop(on_disk=True)
    await before.ledger.aclose()
    (stamp,) = tmp_path.glob("*stamp*")
    stamp.unlink()
    site = await open_shop(full=False, on_disk=True, login=LOGIN)
    await site.ledger.hold_if_doubtful("daemon", NOW)
    return site


async def test_a_hold_is_ended_only_when_every_order_was_looked_at(restored: Site) -> None:
    ann = Visitor(restored)
    await ann.log_in()
    assert 'href="/hold/confirm"' in await ann.text("/")
    asked = await ann.text("/hold/confirm")
    assert "not looked at since the hold began" in asked
    page = await press(ann, "/hold/confirm", "/hold/confirm", lasting="1h")
    assert "Let the daemon run until it has" in page
    assert await restored.ledger.open_hold() is not None
    page = await press(ann, "/hold/confirm", "/hold/confirm", lasting="1h", unseen="yes")
    assert "Rules act again on what began since 2026-03-08 14:00:00Z." in page
    assert await restored.ledger.open_hold() is None
    assert (await ann.get("/hold/confirm")).headers["location"] == "/"


async def test_a_form_about_another_hold_ends_none(restored: Site) -> None:
    ann = Visitor(restored)
    await ann.log_in()
    fields = hidden(await ann.text("/hold/confirm"), "/hold/confirm")
    answer = await ann.send("/hold/confirm", {**fields, "seen": "77", "unseen": "yes"})
    assert "That hold is over" in await ann.text(answer.headers["location"])
    assert await restored.ledger.open_hold() is not None
