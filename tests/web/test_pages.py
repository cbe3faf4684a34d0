"""What the pages show: what waits for the operator first, and nothing that could act or hide."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.engine.firing import MessageDraft
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import NewOrder, Sweep
from smm_rules.rules.model import StepKind
from tests.ledger.builders import observed
from tests.web.conftest import Opener
from tests.web.shop import NOW, draft, fire, firing, order
from tests.web.visitor import Visitor

PATHS = (
    "/", "/panels/north", "/panels/south?span=30d", "/orders", "/orders?panel=south&status=Partial",
    "/orders/north/7313", "/services", "/services?span=30d&panel=south",
    "/services?words=followers", "/services?show=all", "/services/north/102", "/services/north/102?span=365d",
    "/services/north/105", "/rules", "/rules/reorder-canceled", "/intents", "/intents?state=held",
    "/intents/8", "/intents/9", "/messages", "/alerts", "/stops", "/statements", "/statements?day=2026-03-07",
)  # fmt: skip
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=y>\u202e\x07{{7*7}}"


@pytest.mark.parametrize("path", PATHS)
async def test_every_page_is_shown_over_a_full_ledger(open_shop: Opener, path: str) -> None:
    text = await Visitor(await open_shop()).text(path)
    assert text.startswith("<!DOCTYPE html>")
    assert text.count("<h1") == 1
    assert text.count("<main") == 1


@pytest.mark.parametrize(
    "path",
    ["/", "/panels/north", "/orders", "/rules", "/intents", "/messages", "/stops", "/alerts", "/services"],
)
async def test_every_page_is_shown_over_an_empty_ledger(open_shop: Opener, path: str) -> None:
    await Visitor(await open_shop(full=False)).text(path)


async def test_what_is_in_doubt_comes_first_with_its_evidence(open_shop: Opener) -> None:
    text = await Visitor(await open_shop()).text("/")
    places = [
        text.index(one) for one in ("Intent 8: reorder on north", "Held because", "Stopped", "Panels</h2>")
    ]
    assert places == sorted(places)
    assert "The balance says: it probably happened" in text
    assert "<title>(3) Overview" in text
    assert "(17.60" not in text
    assert "17.60 USD" in text


async def test_the_overview_tells_of_stops_messages_budgets_and_rules(open_shop: Opener) -> None:
    text = re.sub(r"</?time[^>]*>", "", await Visitor(await open_shop()).text("/"))
    for told in (
        "rule low-balance: paused by ben",
        "550 no such mailbox",
        "14.40 of 20.00 USD",
        "5 of 100 actions",
        "4.80 of it not certain yet",
        "answered 1m ago, 9m late",
        "the panel didn&#39;t answer within 30s",
        "reorder-canceled</a>",
    ):
        assert told in text, told


async def test_a_hold_after_a_restore_is_told_on_the_overview(open_shop: Opener, tmp_path: Path) -> None:
    site = await open_shop(on_disk=True)
    await site.ledger.aclose()
    (stamp,) = tmp_path.glob("*stamp*")
    stamp.unlink()
    again = await open_shop(full=False, on_disk=True)
    await again.ledger.hold_if_doubtful("daemon", NOW)
    text = await Visitor(again).text("/")
    assert "On hold: nothing is sent" in text
    assert "The stamp beside the ledger is missing" in text
    assert text.index("Intent 8") < text.index("On hold: nothing is sent")


async def test_an_intent_shows_what_happened_and_what_to_do(open_shop: Opener) -> None:
    text = await Visitor(await open_shop()).text("/intents/8")
    for told in (
        "Nobody knows whether it happened",
        "smm-rules intents resolve 8 --happened ORDER",
        "https://example.org/p/13",
        "22.40 USD",
        "balance before at",
        'href="/rules/reorder-canceled"',
        'href="/orders/north/7313"',
    ):
        assert told in text, told
    assert "<form" not in text, "nobody has logged in, and nobody can"


async def test_orders_are_filtered_and_leafed_through(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop())
    everything = await visitor.text("/orders")
    assert everything.count('data-label="Order"') == 50
    more = re.search(r'rel="next" href="([^"]+)"', everything)
    assert more is not None
    assert (await visitor.text(more[1].replace("&amp;", "&"))).count('data-label="Order"') == 10
    partial = await visitor.text("/orders?panel=south&status=Partial")
    assert partial.count('data-label="Order"') == 2
    assert "south/7318" in partial
    assert "north/" not in partial.partition("<tbody")[2].partition("</tbody")[0]


async def test_an_order_is_found_by_its_number(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop())
    found = await visitor.get("/orders?order=7301")
    assert (found.status_code, found.headers["location"]) == (303, "/orders/north/7301")
    assert "isn't known" in await visitor.text("/orders?order=999")


async def test_an_order_says_why_each_rule_did_or_did_not_act(open_shop: Opener) -> None:
    text = await Visitor(await open_shop()).text("/orders/north/7304")
    assert "refill-partial" in text
    assert "<code>status == &#34;Canceled&#34;</code> is false" in text


async def test_intents_are_listed_by_state_and_rule(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop())
    held = await visitor.text("/intents?state=held")
    assert held.count('data-label="ID"') == 2
    assert (await visitor.text("/intents?rule=refill-partial")).count('data-label="ID"') == 2
    assert (await visitor.text("/intents?panel=south")).count('data-label="ID"') == 0
    assert (await visitor.text("/intents?before=3")).count('data-label="ID"') == 2


async def test_a_panel_shows_its_balance_as_a_chart_and_as_a_table(open_shop: Opener) -> None:
    text = await Visitor(await open_shop()).text("/panels/north")
    chart = text[text.index('<svg class="chart"') :].partition("</svg>")[0]
    assert 'role="img"' in chart
    assert "<title" in chart
    assert "<desc" in chart
    assert "22.40 USD" in text.partition("as a table")[2]


async def test_a_statement_is_of_the_day_asked_for(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop())
    assert "Statement of 2026-03-08" in await visitor.text("/statements")
    assert "Statement of 2026-03-07" in await visitor.text("/statements?day=2026-03-07")
    assert "Statement of 2026-03-08" in await visitor.text("/statements?day=2027-01-01")
    assert "Statement of 2026-03-08" in await visitor.text("/statements?day=nonsense")


@pytest.mark.parametrize(
    "path",
    [
        "/nope", "/panels/nope", "/rules/nope", "/orders/north/99", "/intents/99", "/intents/x",
        "/intents/" + "9" * 40, "/intents/8/explode", "/stops/x/resume", "/static/../site.py", "/static/x",
    ],
)  # fmt: skip
async def test_what_is_not_there_is_a_404(open_shop: Opener, path: str) -> None:
    assert (await Visitor(await open_shop()).get(path)).status_code in (403, 404)


async def test_a_fault_of_a_page_is_one_answer_and_its_text_stays_in_the_log(open_shop: Opener) -> None:
    site = await open_shop()
    await site.ledger.aclose()
    answer = await Visitor(site).get("/intents")
    assert answer.status_code == 503
    assert "The ledger can&#39;t be used" in answer.text
    site.rules = lambda: 1 / 0  # type: ignore[assignment, return-value]  # a fault of the program
    assert (await Visitor(await open_shop(full=False)).get("/rules")).status_code == 200


async def test_hostile_text_of_a_panel_is_neutral_everywhere(open_shop: Opener) -> None:
    site = await open_shop()
    ledger = site.ledger
    evil = Entity(EntityKind.ORDER, "north", HOSTILE)
    await ledger.track([NewOrder(evil, HOSTILE, {"link": HOSTILE}, NOW, HOSTILE)], NOW, "ann")
    facts = {"status": HOSTILE, "error": HOSTILE, "remains": 3}
    health = {"name": "north", "reachable": False, "last_error": HOSTILE, "failing_since": NOW}
    await ledger.record(
        Sweep(NOW, (observed(evil, facts), observed(Entity(EntityKind.PANEL, "north"), health)))
    )
    intent = await fire(ledger, firing(evil, "reorder-canceled", NOW, facts), draft(StepKind.REORDER, "1.00"))
    await ledger.hold(intent, "approval", HOSTILE, NOW)
    await ledger.note(intent, {"refusal": HOSTILE})
    await ledger.enqueue(MessageDraft("x", StepKind.NOTIFY, HOSTILE, HOSTILE, HOSTILE, "error"), NOW)
    await ledger.undelivered((await ledger.messages((), 1))[0].id, HOSTILE, None, NOW)
    visitor = Visitor(site)
    listed = await visitor.text("/orders?status=" + "%3Cscript%3Ealert(1)%3C/script%3E")
    assert "<script" not in listed
    link = re.search(r'href="(/orders/north/%3C[^"]+)"', await visitor.text("/orders"))
    assert link is not None
    pages = [link[1], "/", "/orders", "/panels/north", f"/intents/{intent}", "/intents", "/messages"]
    for path in (*pages, "/rules/reorder-canceled", "/statements"):
        text = await visitor.text(path)
        for sign in ("<script", "<img", "onerror=y>", "\u202e", "\x07"):
            assert sign not in text, (path, sign)
    assert "alert(1)&lt;/script&gt;&#34;&#39;&gt;&lt;img src=x onerror=y&gt;··{{7*7}}" in await visitor.text(
        link[1]
    )


async def test_very_long_text_is_cut(open_shop: Opener) -> None:
    site = await open_shop(full=False)
    await site.ledger.enqueue(MessageDraft("x", StepKind.NOTIFY, "ops", "t", "y" * 100_000), NOW)
    assert len(await Visitor(site).text("/messages")) < 10_000


async def test_times_are_told_from_now_and_exactly(open_shop: Opener) -> None:
    site = await open_shop()
    site.clock.at = NOW + timedelta(hours=2)  # type: ignore[attr-defined]  # a HandClock
    text = await Visitor(site).text("/")
    assert '<time datetime="2026-03-08T14:11:00+00:00" title="2026-03-08 14:11:00Z">2h ago</time>' in text


async def test_links_and_forms_stay_below_the_path_of_a_proxy(open_shop: Opener) -> None:
    site = await open_shop(web="web: {base_url: 'https://ops.example/smm'}")
    visitor = Visitor(site, address="https://ops.example")
    for path in ("/smm/intents/8", "/intents/8"):
        text = await visitor.text(path)
        links = re.findall(r'(?:href|action)="(/[^"]*)"', text)
        assert [link for link in links if not link.startswith("/smm/")] == []
    assert (await visitor.get("/smmother")).status_code == 404
    assert order(7313).id in await visitor.text("/smm/orders/north/7313")
