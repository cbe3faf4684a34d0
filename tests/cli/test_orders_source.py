"""`smm-rules orders source`: what would come of a database is shown before anything is taken."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from smm_rules.clock import SystemClock
from smm_rules.intake.sql.source import SqlSource
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from tests.cli.command import configure, said
from tests.intake.sql.shops import QUERY, Shop, sqlite_shop

Capture = pytest.CaptureFixture[str]
SOURCE = f"""
intake:
  sql:
    - name: shop
      url: sqlite:///shop.db
      query: {QUERY}
      watermark: updated_at
      columns: {{order: external_id, panel: provider, service: service_no}}
"""


@pytest.fixture
def shop(here: Path) -> Iterator[Shop]:
    path = configure(here)
    path.write_text(path.read_text(encoding="utf-8") + SOURCE, encoding="utf-8")
    made = sqlite_shop(here)
    yield made
    made.connection.close()


def read(here: Path, shop: Shop) -> int:
    """As the daemon reads it."""

    async def once() -> int:
        async with await SqliteLedger.open(here / "ledger.db") as ledger:
            source = SqlSource(shop.settings(), ledger, OperatorVoice(ledger, None), ("north",), {})
            return await source.read_due(SystemClock().now())

    return asyncio.run(once())


def test_what_would_come_is_shown_and_nothing_is_taken(here: Path, shop: Shop, capsys: Capture) -> None:
    shop.sell(1)
    shop.sell(2, quantity="many")
    done = said(capsys, "orders", "source", "try", "shop")
    assert done.code == 1
    [row] = [line for line in done.out.splitlines() if "north" in line]
    assert row.split() == ["north", "1", "7", "https://example.com/1", "100", "new"]
    assert "north/2: 'many' is no quantity. Write a whole number above 0, like 1000" in done.err
    assert not (here / "ledger.db").exists()


def test_what_is_known_already_is_said(here: Path, shop: Shop, capsys: Capture) -> None:
    shop.sell(1, "2026-03-01 10:00:00")
    assert read(here, shop) == 1
    shop.sell(2, "2026-03-01 10:00:00")
    told = json.loads(said(capsys, "orders", "source", "try", "shop", "--json").out)
    assert [(order["order"], order["known"]) for order in told["orders"]] == [("1", True), ("2", False)]
    told = json.loads(said(capsys, "orders", "source", "try", "shop", "--limit", "1", "--json").out)
    assert len(told["orders"]) == 1


def test_a_source_that_can_t_be_read(here: Path, shop: Shop, capsys: Capture) -> None:
    (here / "shop.db").unlink()
    done = said(capsys, "orders", "source", "try", "shop")
    assert (done.code, done.err) == (
        5, "error: Source shop can't be read: unable to open database file\n",
    )  # fmt: skip


def test_an_unknown_source_is_told_with_those_there_are(here: Path, shop: Shop, capsys: Capture) -> None:
    done = said(capsys, "orders", "source", "try", "shpo")
    assert done.code == 2
    assert 'Did you mean "shop"' in done.err


def test_how_far_it_was_read_is_listed(here: Path, shop: Shop, capsys: Capture) -> None:
    shop.sell(1)
    shop.sell(2, quantity="many")
    read(here, shop)
    [told] = json.loads(said(capsys, "orders", "source", "list", "--json").out)
    assert {name: told[name] for name in ("name", "watermark", "added", "bad", "failures", "error")} == {
        "name": "shop",
        "watermark": "2026-03-01 10:00:00",
        "added": 1,
        "bad": 1,
        "failures": 0,
        "error": None,
    }
    assert "updated_at 2026-03-01 10:00:00" in said(capsys, "orders", "source", "list").out
    [row] = json.loads(said(capsys, "orders", "source", "bad", "shop", "--json").out)
    assert (row["row"], row["what"]) == ("north/2", "'many' is no quantity")


def test_a_source_can_be_read_anew(here: Path, shop: Shop, capsys: Capture) -> None:
    shop.sell(1)
    read(here, shop)
    shop.sell(2, "2001-01-01 00:00:00")
    assert read(here, shop) == 0
    assert said(capsys, "orders", "source", "reset", "shop").code == 0
    assert read(here, shop) == 1


def test_doctor_tells_of_one_that_can_t_be_read(here: Path, shop: Shop, capsys: Capture) -> None:
    (here / "shop.db").rename(here / "away.db")
    read(here, shop)
    found = json.loads(said(capsys, "doctor", "--offline", "--json").out)
    told = [one for one in found if one["subject"] == "source shop" and one["state"] == "warning"]
    assert [(one["found"].partition(": ")[2], one["remedy"]) for one in told] == [
        ("unable to open database file", "smm-rules orders source try shop")
    ]


def test_doctor_knows_of_sources(here: Path, shop: Shop, capsys: Capture) -> None:
    found = json.loads(said(capsys, "doctor", "--offline", "--json").out)
    assert [one["state"] for one in found if one["subject"] == "source shop"] == ["ok"]
    config = here / "smm-rules.yaml"
    config.write_text(config.read_text("utf-8").replace("{order: ext", "{ordre: ext"), encoding="utf-8")
    found = json.loads(said(capsys, "doctor", "--offline", "--json").out)
    assert [one["state"] for one in found if one["subject"] == "source shop"] == ["problem"]
