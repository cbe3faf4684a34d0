"""A recorded week replayed: the same rules do the same, others do otherwise, nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from smm_rules.engine.firing import Occasion
from smm_rules.engine.guards import Bounds, Guards
from smm_rules.facts import Entity, EntityKind
from smm_rules.facts.allowance import Allowance, Per
from smm_rules.ledger.records import NewOrder, Observation, Observed, OrderSource, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.rehearsal.replay.charts import Series, bar_chart
from smm_rules.rehearsal.replay.comparing import compare
from smm_rules.rehearsal.replay.happened import happened
from smm_rules.rehearsal.replay.history import BEGINNING, instants
from smm_rules.rehearsal.replay.model import Account, Acted, Fired, Span
from smm_rules.rehearsal.replay.page import html_page
from smm_rules.rehearsal.replay.recorded import RecordedWorld
from smm_rules.rehearsal.replay.replaying import ReplaySettings, replay
from smm_rules.rehearsal.replay.report import Report, Side
from smm_rules.rehearsal.restraints import Restraints
from smm_rules.rules.loader import load_rules
from smm_rules.rules.model import RuleSet
from tests.rehearsal.week import END, HOUR, IN_FORCE, INTERVAL, OTHERS, START, record_week

WEEK = Span(START, END)
SETTINGS = ReplaySettings(("main",), lambda _: INTERVAL, gap=2 * HOUR)


def rules(directory: Path, text: str) -> RuleSet:
    path = directory / "played.yaml"
    path.write_text(text, encoding="utf-8")
    return load_rules([path]).rules


@pytest.fixture(scope="module")
def week(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a recorded week; tests only read the ledger in it."""
    import asyncio

    directory = tmp_path_factory.mktemp("week")
    asyncio.run(record_week(directory))
    return directory


@pytest.fixture
async def ledger(week: Path) -> AsyncIterator[SqliteLedger]:
    async with await SqliteLedger.open(week / "ledger.db") as opened:
        yield opened


async def test_the_rules_that_were_in_force_do_what_was_done(ledger: SqliteLedger, tmp_path: Path) -> None:
    played = await replay(ledger, rules(tmp_path, IN_FORCE), WEEK, SETTINGS)
    real = await happened(ledger, WEEK)
    assert len(real.fired) > 4
    assert sorted(played.account.fired, key=repr) == sorted(real.fired, key=repr)
    assert played.account.spent == real.spent != {}
    kinds = sorted((one.rule, str(one.entity), one.kind, one.state) for one in played.account.acted)
    assert kinds == sorted((one.rule, str(one.entity), one.kind, one.state) for one in real.acted)


async def test_nothing_is_written(ledger: SqliteLedger, tmp_path: Path) -> None:
    before = await ledger.totals(END)
    await replay(ledger, rules(tmp_path, OTHERS), WEEK, SETTINGS)
    assert await ledger.totals(END) == before


async def test_a_part_of_the_week_goes_on_from_what_was_before(ledger: SqliteLedger, tmp_path: Path) -> None:
    whole = await replay(ledger, rules(tmp_path, IN_FORCE), WEEK, SETTINGS)
    later = Span(START + timedelta(days=2), START + timedelta(days=5))
    part = await replay(ledger, rules(tmp_path, IN_FORCE), later, SETTINGS)
    assert part.account.fired == tuple(one for one in whole.account.fired if later.holds(one.at))
    assert part.account.fired


async def test_other_rules_do_otherwise(ledger: SqliteLedger, tmp_path: Path) -> None:
    played = await replay(ledger, rules(tmp_path, OTHERS), WEEK, SETTINGS)
    low = played.account.of("low-balance")
    assert [one.at for one in low.fired] == [START + timedelta(days=4)]
    assert played.account.spent == {}


async def test_a_limit_is_kept_and_counted(ledger: SqliteLedger, tmp_path: Path) -> None:
    often = IN_FORCE.replace("for: 1h", "for: 1h\n    remind: 1d").replace(
        "per_order: 3, every: 24h", "per_sweep: 1"
    )
    every = often.replace('status == "Partial" and remains > 0', 'unchanged > 1h and status != "Completed"')
    played = await replay(ledger, rules(tmp_path, every), WEEK, SETTINGS)
    account = played.account.of("refill-partial")
    assert account.held[0].reason == "limit_per_sweep"
    assert account.count(Occasion.REMINDED) > 0


async def test_guards_hold_what_would_cost_too_much(ledger: SqliteLedger, tmp_path: Path) -> None:
    guards = Guards(Bounds(actions=(Allowance(Decimal(1), Per.DAY),)))
    played = await replay(
        ledger, rules(tmp_path, IN_FORCE), WEEK, replace(SETTINGS, restraints=Restraints(guards))
    )
    by_day = Counter(one.at.date() for one in played.account.acted if one.state == "confirmed")
    assert max(by_day.values()) == 1
    assert played.account.held != ()


@pytest.mark.parametrize(
    ("bound", "acted"),
    [
        (Decimal("0.25"), ("confirmed", "accepted")),
        (Decimal("0.10"), ("held", "rate_increase")),
        (None, ("confirmed", "accepted")),
    ],
)
async def test_the_configured_bound_of_a_price_holds(
    tmp_path: Path, bound: Decimal | None, acted: tuple[str, str]
) -> None:
    """A reorder that states none, of a service that has become dearer by a fifth."""
    entity, service = Entity(EntityKind.ORDER, "main", "1"), Entity(EntityKind.SERVICE, "main", "1")
    placed = {"link": "https://example.com/1", "quantity": "1000", "rate": "0.50"}
    row = {"name": "Followers", "type": "Default", "rate": Decimal("0.60"), "min": 10, "max": 100_000}
    async with await SqliteLedger.in_memory() as made:
        new = NewOrder(entity, "1", placed, START, "", OrderSource.PLACED)
        await made.track([new], START)
        for at, status in ((START, "In progress"), (START + HOUR, "Canceled")):
            seen = (Observed(service, row, True, None), Observed(entity, {"status": status}, True, None))
            await made.record(Sweep(at, seen))
        settings = replace(SETTINGS, restraints=Restraints(rate_increase=bound))
        played = await replay(made, rules(tmp_path, IN_FORCE), WEEK, settings)
    assert [(one.state, one.reason) for one in played.account.acted] == [acted]


async def test_only_one_panel_is_played(ledger: SqliteLedger, tmp_path: Path) -> None:
    elsewhere = replace(SETTINGS, panel="elsewhere")
    played = await replay(ledger, rules(tmp_path, IN_FORCE), WEEK, elsewhere)
    assert (played.account, played.observations) == (Account(), 0)
    assert await happened(ledger, WEEK, "elsewhere") == Account()


@pytest.mark.parametrize(
    ("begins", "ends", "told"),
    [
        (-48, -24, "Nothing was recorded until 2025-12-31 00:00Z, so nothing could be played: "),
        (
            168,
            192,
            "Nothing was recorded from 2026-01-08 00:00Z to 2026-01-09 00:00Z: nothing changed, ",
        ),
        (-24, 168, "Nothing is recorded from before 2026-01-01 00:00Z: of that time nothing "),
        (24, 168, ""),
    ],
)
async def test_a_time_without_a_record_is_told(
    ledger: SqliteLedger, tmp_path: Path, begins: int, ends: int, told: str
) -> None:
    span = Span(START + begins * HOUR, START + ends * HOUR)
    played = await replay(ledger, rules(tmp_path, IN_FORCE), span, SETTINGS)
    assert len(played.notes) == bool(told)
    assert all(note.startswith(told) for note in played.notes)


async def test_nothing_is_known_of_a_thing_after_it_was_seen_last(tmp_path: Path) -> None:
    entity = Entity(EntityKind.BALANCE, "main")
    text = OTHERS.replace("amount < 60", "amount < 60 and unchanged > 3h")
    async with await SqliteLedger.in_memory() as made:
        facts = {"amount": Decimal(5), "currency": "USD", "changed_at": START}
        await made.record(Sweep(START, (Observed(entity, facts, True, None),)))
        unseen = await replay(made, rules(tmp_path, text), WEEK, SETTINGS)
        await made.record(Sweep(START + 4 * HOUR, (Observed(entity, facts, False, None),)))
        seen = await replay(made, rules(tmp_path, text), WEEK, SETTINGS)
    assert unseen.account.fired == ()
    assert [one.at for one in seen.account.fired] == [START + 3 * HOUR + INTERVAL]


def test_a_panel_out_of_reach_fails_once_an_interval() -> None:
    panel = Entity(EntityKind.PANEL, "main")
    world = RecordedWorld(lambda _: INTERVAL, END)
    world.seen(Observation(panel, START, {"reachable": False, "failures": 1, "failing_since": START}))
    facts = world.observe(panel, {}, None, START + 2 * HOUR).facts
    assert facts == {"reachable": False, "failures": 5, "failing_since": START}
    world.seen(Observation(panel, START, {"reachable": True, "catalogue_read_at": START}))
    facts = world.observe(panel, {}, None, START + 2 * HOUR).facts
    now = START + 2 * HOUR
    assert facts == {"reachable": True, "catalogue_read_at": now, "last_answer_at": now}


@pytest.mark.parametrize("page", [1, 2, 3, 100])
async def test_history_comes_whole_whatever_the_page(ledger: SqliteLedger, page: int) -> None:
    everything = await ledger.history(None, BEGINNING, END, 10_000)
    groups = [group async for group in instants(ledger, END, page)]
    assert [one for _, together in groups for one in together] == list(everything)
    assert len({at for at, _ in groups}) == len(groups) == len({one.at for one in everything})


def fired(hours: float, rule: str = "a", number: int = 1) -> Fired:
    entity = Entity(EntityKind.ORDER, "main", str(number))
    return Fired(rule, entity, Occasion.FIRED, START + timedelta(hours=hours))


def test_firings_a_little_apart_are_the_same() -> None:
    real = Account((fired(1), fired(5), fired(2, "b")))
    would = Account((fired(1.4), fired(9)))
    found = compare([real, would], timedelta(hours=1))
    assert [(one.rule, one.at, one.differs) for one in found] == [
        ("a", (START + HOUR, START + 1.4 * HOUR), False),
        ("b", (START + 2 * HOUR, None), True),
        ("a", (START + 5 * HOUR, None), True),
        ("a", (None, START + 9 * HOUR), True),
    ]


def test_firings_of_one_stretch_are_one_however_far_apart() -> None:
    """An edited `for:` moves a firing; that it came on both sides is what matters, and that it moved."""
    began, other = START, START + 6 * HOUR
    real = Account((replace(fired(1), episode=began), replace(fired(7), episode=other)))
    would = Account((replace(fired(5), episode=began + timedelta(minutes=2)),))
    found = compare([real, would], timedelta(hours=1))
    assert [(one.at, one.differs) for one in found] == [
        ((START + HOUR, START + 5 * HOUR), True),
        ((START + 7 * HOUR, None), True),
    ]


def test_reminders_of_one_stretch_are_told_apart() -> None:
    first = replace(fired(1), occasion=Occasion.REMINDED, episode=START, ordinal=1)
    second = replace(fired(5), occasion=Occasion.REMINDED, episode=START, ordinal=2)
    found = compare([Account((first,)), Account((second,))], timedelta(hours=1))
    assert [one.at for one in found] == [(START + HOUR, None), (None, START + 5 * HOUR)]


def test_currencies_are_never_added_up() -> None:
    entity = Entity(EntityKind.ORDER, "main", "1")
    prices = [(Decimal("1.50"), "USD"), (Decimal("2"), "EUR"), (Decimal("0.25"), "USD"), (None, "USD")]
    bought = tuple(Acted("a", entity, "reorder", START, "confirmed", "", True, *price) for price in prices)
    held = Acted("a", entity, "reorder", START, "held", "rate_increase", True, Decimal(9), "USD")
    account = Account(acted=(*bought, held))
    assert account.spent == {"EUR": Decimal("2"), "USD": Decimal("1.75")}
    assert (account.unpriced, account.held) == (1, (held,))


def test_a_chart_has_a_bar_for_every_day_and_side_with_its_value() -> None:
    days = Span(START, START + timedelta(days=1)).days
    series = [
        Series("did", "real", [Decimal(2), Decimal(0)]),
        Series("would", "first", [Decimal(5), Decimal(1)]),
    ]
    chart = ET.fromstring(bar_chart("a <b>", days, series, "USD"))
    bars = chart.findall("rect")
    assert [bar.findtext("title") for bar in bars] == [
        "2026-01-01, did: 2 USD",
        "2026-01-01, would: 5 USD",
        "2026-01-02, did: 0 USD",
        "2026-01-02, would: 1 USD",
    ]
    assert [float(bar.attrib["height"]) for bar in bars] == [72.0, 180.0, 0.0, 36.0]
    assert chart.findtext("title") == "a <b>"


async def test_the_page_is_one_file_without_script(ledger: SqliteLedger, tmp_path: Path) -> None:
    played = await replay(ledger, rules(tmp_path, IN_FORCE), WEEK, SETTINGS)
    real = await happened(ledger, WEEK)
    report = Report(WEEK, Side("happened", real), (Side("would", played.account, played),), HOUR)
    page = html_page(report, END)
    assert [
        word for word in ("<script", "http://", "https://", "src=", "@import", "url(") if word in page
    ] == []
    assert page.count("<svg") == 3
    assert report.differences() == ()
