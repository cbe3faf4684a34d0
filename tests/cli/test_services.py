"""`smm-rules services`."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from smm_rules.engine.service_facts import observe_catalogue
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.records import Observed, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.panel.answers import Service
from tests.cli.command import configure, said
from tests.cli.stage import stage
from tests.ledger.builders import DAY, T0

Capture = pytest.CaptureFixture[str]
NOW = T0 + 30 * DAY

LIKES = Service("9", "Likes [fast]", "Default", "Instagram", Decimal("1.00"), 10, 5000, True, True, False)
VIEWS = Service("10", "Views", "Default", "TikTok", Decimal("0.25"), 100, None, False, False, True)
FANS = Service("11", "Followers", "Package", "Instagram", None, None, None, None, None, None)


def changed(service: Service, **fields: object) -> Service:
    return Service(**{**{name: getattr(service, name) for name in service.__slots__}, **fields})


async def a_month(ledger: SqliteLedger) -> None:
    """Likes became dearer twice and lost its refills, views went, followers came; comments came and went."""
    half = changed(LIKES, id="12", name="Comments")
    looks = (
        (0, [LIKES, VIEWS]),
        (10, [changed(LIKES, rate=Decimal("1.10")), VIEWS, half]),
        (28, [changed(LIKES, rate=Decimal("1.32"), refill=False), FANS]),
    )
    known: dict[str, Facts] = {}
    for day, rows in looks:
        now = T0 + day * DAY
        seen = observe_catalogue(known, rows, now)
        known = {name: one.facts for name, one in seen.items()}
        observed = tuple(
            Observed(Entity(EntityKind.SERVICE, "north", name), one.facts, one.changed, None)
            for name, one in seen.items()
        )
        await ledger.record(Sweep(now, observed))
    money: Facts = {"amount": Decimal(5), "currency": "EUR"}
    health: Facts = {"name": "north", "catalogue_read_at": NOW - timedelta(hours=2)}
    await ledger.record(
        Sweep(
            NOW,
            (
                Observed(Entity(EntityKind.BALANCE, "north"), money, True, None),
                Observed(Entity(EntityKind.PANEL, "north"), health, True, None),
            ),
        )
    )


@pytest.fixture
def shop(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("smm_rules.clock.SystemClock.now", lambda _: NOW)
    configure(here)
    stage(here / "ledger.db", a_month)
    return here


def lines(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in text.splitlines()]


def test_the_list_says_what_is_offered_and_at_which_price(shop: Path, capsys: Capture) -> None:
    done = said(capsys, "services", "list")
    assert (done.code, done.err) == (0, "")
    assert lines(done.out)[1:] == [
        ["north/9", "1.32", "EUR", "10", "5000", "Default", "cancel", "2d ago", "Likes [fast]", "Instagram"],
        ["north/11", "not said", "EUR", "Package", "2d ago", "Followers", "Instagram"],
    ]


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["--gone"], ["10", "12"]),
        (["insta", "LIKES"], ["9"]),
        (["insta", "views"], []),
        (["--category", "insta"], ["9", "11"]),
        (["--type", "package"], ["11"]),
        (["--quantity", "5"], ["11"]),
        (["--quantity", "5000"], ["9", "11"]),
        (["--quantity", "5001"], ["11"]),
        (["--max-rate", "2"], ["9"]),
        (["--max-rate", "2 EUR"], ["9"]),
        (["--max-rate", "2 USD"], []),
        (["--max-rate", "1"], []),
        (["--cancel"], ["9"]),
        (["--refill"], []),
        (["--sort", "rate"], ["9", "11"]),
        (["--sort", "name"], ["11", "9"]),
        (["--sort", "changed", "--limit", "1"], ["9"]),
        (["--panel", "north"], ["9", "11"]),
    ],
)
def test_the_list_is_of_what_is_asked_for(
    shop: Path, capsys: Capture, arguments: list[str], found: list[str]
) -> None:
    done = said(capsys, "services", "list", "--json", *arguments)
    assert [one["service"] for one in json.loads(done.out)] == found


@pytest.mark.parametrize("price", ["x", "-1", "1 EURO", "nan", ""])
def test_a_price_that_is_none_is_refused(shop: Path, capsys: Capture, price: str) -> None:
    done = said(capsys, "services", "list", "--max-rate", price)
    assert (done.code, "is no price" in done.err) == (2, True)


def test_what_is_left_out_and_what_is_missing_is_said(shop: Path, capsys: Capture) -> None:
    assert said(capsys, "services", "list", "--limit", "1").err == "There is 1 more: --limit 0 shows all.\n"
    assert said(capsys, "services", "list", "nothing").err == "No such services.\n"
    assert said(capsys, "services", "list", "--panel", "nort").code == 2


def test_diff_tells_what_became_of_services(shop: Path, capsys: Capture) -> None:
    done = said(capsys, "services", "diff", "--since", "25d")
    assert done.code == 0
    day = "2026-03-29 12:00:00Z"
    assert lines(done.out)[1:] == [
        ["north/10", "gone", day, "Views"],
        ["north/11", "new", "price not said, quantities not said", day, "Followers"],
        ["north/9", "changed", "rate 1.00 → 1.32 EUR (+32 %), refill no longer", day, "Likes [fast]"],
        ["north/12", "came and went", "1.00 EUR for 1000, 10 to 5000", day, "Comments"],
    ]
    assert done.err == "1 new, 1 gone, 1 changed, 1 came and went.\n"


def test_diff_of_the_last_days_leaves_out_what_was_before(shop: Path, capsys: Capture) -> None:
    found = json.loads(said(capsys, "services", "diff", "--json", "--panel", "north").out)
    assert [(one["service"], one["event"], one["times"]) for one in found] == [
        ("10", "gone", 1), ("12", "gone", 1), ("11", "new", 1), ("9", "changed", 1),
    ]  # fmt: skip
    dearer = {"before": "1.10", "after": "1.32", "increase": "0.2"}
    assert found[-1]["differences"] == {"rate": dearer, "refill": {"before": True, "after": False}}
    assert found[-1]["currency"] == "EUR"


def test_diff_can_tell_each_change_and_only_some(shop: Path, capsys: Capture) -> None:
    each = json.loads(said(capsys, "services", "diff", "--json", "--since", "30d", "--each").out)
    assert [(one["service"], one["event"]) for one in each] == [
        ("10", "gone"), ("11", "new"), ("12", "gone"), ("9", "changed"), ("12", "new"), ("9", "changed"),
    ]  # fmt: skip
    only = json.loads(said(capsys, "services", "diff", "--json", "--only", "gone", "--only", "new").out)
    assert [one["event"] for one in only] == ["gone", "gone", "new"]


def test_diff_says_when_nothing_changed_and_refuses_a_span_that_is_none(shop: Path, capsys: Capture) -> None:
    done = said(capsys, "services", "diff", "--since", "1d")
    assert (done.code, done.out, done.err) == (0, "", "Nothing changed since 2026-03-30 12:00:00Z.\n")
    assert said(capsys, "services", "diff", "--since", "1d", "--until", "2d").code == 2


async def back_to_the_old_price(ledger: SqliteLedger) -> None:
    entity = Entity(EntityKind.SERVICE, "north", "9")
    known = await ledger.watched(entity)
    assert known is not None
    facts = known.facts | {"rate": Decimal("1.10"), "refill": True}
    await ledger.record(Sweep(NOW - DAY, (Observed(entity, facts, True, None),)))


def test_diff_counts_what_is_again_as_it_was(shop: Path, capsys: Capture) -> None:
    stage(shop / "ledger.db", back_to_the_old_price)
    done = said(capsys, "services", "diff", "--panel", "north")
    assert done.err == "1 new, 2 gone. 1 changed and are again as they were: --each shows how.\n"


def test_an_old_catalogue_is_told(shop: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after days on which the panel answered an empty one, which is taken for a fault."""
    monkeypatch.setattr("smm_rules.clock.SystemClock.now", lambda _: NOW + 3 * DAY)
    told = "The catalogue of north was last read 3d ago: what follows is as old.\n"
    assert told in said(capsys, "services", "diff").err
    assert told in said(capsys, "services", "list").err


def test_a_catalogue_that_was_never_read_is_told(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(here)
    stage(here / "ledger.db")
    done = said(capsys, "services", "list")
    assert done.err == "The catalogue of north was never read.\nNo such services.\n"


@pytest.mark.parametrize("named", [["north", "9"], ["north/9"], ["9"]])
def test_the_history_shows_price_and_changes(shop: Path, capsys: Capture, named: list[str]) -> None:
    done = said(capsys, "services", "history", *named)
    assert done.code == 0
    first, second, *rest = done.out.splitlines()
    assert first == "north/9 Likes [fast]"
    assert second == "▁" * 13 + "▃" * 24 + "███" + "  1.00 → 1.32 EUR (+32 %)"
    assert lines("\n".join(rest[2:])) == [
        ["2026-03-29 12:00:00Z", "changed", "rate 1.10 → 1.32 EUR (+20 %), refill no longer"],
        ["2026-03-11 12:00:00Z", "changed", "rate 1.00 → 1.10 EUR (+10 %)"],
    ]


def test_the_history_since_begins_with_the_price_before(shop: Path, capsys: Capture) -> None:
    found = json.loads(said(capsys, "services", "history", "north/9", "--since", "5d", "--json").out)
    assert [one["rate"] for one in found["rates"]] == ["1.10", "1.32"]
    assert [one["event"] for one in found["changes"]] == ["changed"]


def test_the_history_of_what_was_new(shop: Path, capsys: Capture) -> None:
    found = json.loads(said(capsys, "services", "history", "north/12", "--json").out)
    assert [one["event"] for one in found["changes"]] == ["gone", "new"]


def test_a_picture_is_written(shop: Path, capsys: Capture) -> None:
    done = said(capsys, "services", "history", "north/9", "--svg", "price.svg")
    assert (done.code, done.err) == (0, "wrote price.svg\n")
    root = ElementTree.fromstring((shop / "price.svg").read_text("utf-8"))
    assert "Price of north/9 for 1000: Likes [fast]" in [child.text for child in root]


def test_no_picture_of_a_price_never_said(shop: Path, capsys: Capture) -> None:
    done = said(capsys, "services", "history", "north/11", "--svg", "price.svg")
    assert (done.code, (shop / "price.svg").exists()) == (0, False)
    assert done.err == "The price was never said, so there is nothing to draw.\n"


def test_one_service_is_shown_with_its_facts(shop: Path, capsys: Capture) -> None:
    done = said(capsys, "services", "show", "north", "9")
    told = {cells[0]: cells[1] for cells in lines(done.out) if len(cells) == 2}
    assert told["rate"] == "1.32 EUR"
    assert told["previous_rate"] == "1.10 EUR"
    assert told["refill_changed"] == "True"
    gone = said(capsys, "services", "show", "north/10").out
    assert "No longer in the catalogue since 2026-03-29 12:00:00Z." in gone


@pytest.mark.parametrize(
    ("named", "code"), [(["north", "77"], 1), (["north"], 2), (["nort/9"], 2), (["nort", "9"], 2)]
)
def test_a_service_that_is_none_is_said(shop: Path, capsys: Capture, named: list[str], code: int) -> None:
    for command in ("show", "history"):
        assert said(capsys, "services", command, *named).code == code
