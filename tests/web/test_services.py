"""The pages of services: what changed, what is offered, what one costs over time."""

from __future__ import annotations

import re
from html import unescape

import pytest

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Sweep
from tests.ledger.builders import observed
from tests.web.conftest import Opener
from tests.web.shop import NOW
from tests.web.visitor import Visitor

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=y>\u202e\x07{{7*7}}"


def rows(html: str) -> list[list[str]]:
    """The cells of the page's tables, in plain text."""
    found = re.findall(r'<tr role="row">\n?(.*?)</tr>', html, re.DOTALL)
    cells = (re.findall(r"<td.*?><span>(.*?)</span></td>", row, re.DOTALL) for row in found)
    return [[unescape(re.sub(r"<[^>]+>", "", cell)).strip() for cell in row] for row in cells if row]


async def test_what_changed_is_told_the_newest_first_each_in_its_own_currency(open_shop: Opener) -> None:
    text = await Visitor(await open_shop()).text("/services?span=7d")
    found = [row[:4] for row in rows(text)]
    assert found[:4] == [
        ["2h ago", "north/102", "changed", "rate 1.10 → 1.20 USD (+9.1 %), refill no longer"],
        ["2h ago", "north/106", "new", "2.75 USD for 1000, 10 to 10000"],
        ["1d ago", "north/102", "changed", "rate 0.88 → 1.10 USD (+25 %)"],
        ["1d ago", "north/105", "gone", "–"],
    ]
    assert ["2d ago", "south/77", "changed", "rate 1.05 → 0.95 EUR (-9.5 %)"] in found
    assert ["2d ago", "north/104", "back", "–"] in found


async def test_it_can_be_of_one_panel_and_of_a_shorter_time(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop())
    assert {row[1] for row in rows(await visitor.text("/services?panel=south"))} == {"south/77"}
    assert {row[0] for row in rows(await visitor.text("/services?span=1d"))} == {"2h ago"}
    assert len(rows(await visitor.text("/services?span=x&panel=nobody"))) > 4


async def test_a_catalogue_that_is_old_is_told(open_shop: Opener) -> None:
    text = await Visitor(await open_shop()).text("/services")
    assert "The catalogue of south was last read 2d ago" in text
    assert "The catalogue of north" not in text


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("words=followers", ["north/102", "north/106"]),
        ("words=Followers+PREMIUM", ["north/106"]),
        ("words=nothing", []),
        ("show=all", ["north/101", "north/102", "north/104", "north/106", "south/77"]),
        ("show=all&panel=south", ["south/77"]),
    ],
)
async def test_services_are_searched(open_shop: Opener, asked: str, found: list[str]) -> None:
    text = await Visitor(await open_shop()).text(f"/services?{asked}")
    assert [row[0] for row in rows(text)] == found
    assert ("No such services" in text) == (not found)


async def test_a_list_says_what_is_offered(open_shop: Opener) -> None:
    [row] = rows(await Visitor(await open_shop()).text("/services?words=story"))
    assert row == [
        "north/104", "Story views", "0.15 USD", "10", "10000", "Default", "refill, cancel", "Instagram",
    ]  # fmt: skip


async def test_a_service_has_its_price_over_time(open_shop: Opener) -> None:
    visitor = Visitor(await open_shop())
    text = await visitor.text("/services/north/102")
    assert "Price of 1000 of north/102" in text
    assert "From 0.8 to 1.2 USD, between 0.8 and 1.2." in text
    assert ["2026-03-06 13:00:00Z", "changed", "rate 0.92 → 0.88 USD (-4.3 %), min 10 → 100"] in rows(text)
    assert "no longer offered" in await visitor.text("/services/north/105")


async def test_a_service_nobody_knows_is_not_found(open_shop: Opener) -> None:
    answer = await Visitor(await open_shop()).get("/services/north/9999")
    assert answer.status_code == 404


async def test_what_a_panel_writes_can_do_nothing(open_shop: Opener) -> None:
    site = await open_shop()
    entity = Entity(EntityKind.SERVICE, "north", "x/1?<b>")
    facts = dict.fromkeys(("name", "category", "type"), HOSTILE)
    await site.ledger.record(Sweep(NOW, (observed(entity, facts),)))
    visitor = Visitor(site)
    listed = await visitor.text("/services?show=all")
    link = re.search(r'href="(/services/north/x[^"]*)"', listed)
    assert link is not None
    for text in (listed, await visitor.text("/services"), await visitor.text(unescape(link[1]))):
        assert "<script>" not in text
        assert "<img" not in text
        assert "\u202e" not in text
