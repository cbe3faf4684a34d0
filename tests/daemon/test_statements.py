"""The daily statement: each day once, at its time of its zone, over restarts and changes of clocks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from smm_rules.config.statement import StatementSettings
from smm_rules.daemon.statements import DailyStatement
from smm_rules.document import DocumentError
from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.polling.carried import STATEMENT
from tests.daemon.household import HOUR, LOG_CHANNEL, Household, eventually

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[SqliteLedger]:
    async with await SqliteLedger.open(tmp_path / "ledger.db") as opened:
        yield opened


def daily(ledger: SqliteLedger, at: time = time(8), zone: ZoneInfo = BERLIN) -> DailyStatement:
    settings = StatementSettings(channel="ops", at=at, time_zone=zone)
    return DailyStatement(ledger, ("north",), settings, timedelta(days=90))


async def titles(ledger: SqliteLedger) -> list[str]:
    return [message.title for message in reversed(await ledger.messages((), 100))]


async def _sent_hourly(ledger: SqliteLedger, since: datetime, hours: int, at: time) -> list[datetime]:
    """The hours at which a statement was queued, with a daemon that starts anew each time."""
    await ledger.audit(AuditKind.PAUSE, "", "", {}, since - timedelta(days=3))
    times = [since + hour * HOUR for hour in range(hours)]
    return [now for now in times if await daily(ledger, at).send_due(now)]


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (datetime(2026, 3, 28, 0, 30, tzinfo=UTC), [(28, 1), (29, 1), (30, 0)]),  # 02:30 is left out on 29
        (datetime(2026, 10, 24, 0, 30, tzinfo=UTC), [(24, 0), (25, 0), (26, 1)]),  # and comes twice on 25
    ],
)
async def test_it_is_sent_once_a_day_whatever_the_clocks_do(
    ledger: SqliteLedger, since: datetime, expected: list[tuple[int, int]]
) -> None:
    await daily(ledger, time(2, 30)).send_due(since - HOUR)  # that of the day before is out of the way
    sent = await _sent_hourly(ledger, since, 60, time(2, 30))
    assert [(at.day, at.hour) for at in sent if (at.day, at.hour) >= expected[0]] == expected


async def test_it_is_about_the_day_before_and_carries_the_head_of_the_record(ledger: SqliteLedger) -> None:
    await ledger.audit(AuditKind.PAUSE, "", "", {}, datetime(2026, 3, 1, tzinfo=UTC))
    statement = daily(ledger)
    assert not await statement.send_due(datetime(2026, 3, 2, 6, 59, tzinfo=UTC))  # about 28 February
    assert await statement.send_due(datetime(2026, 3, 3, 7, 0, tzinfo=UTC))
    assert not await statement.send_due(datetime(2026, 3, 3, 9, 0, tzinfo=UTC))
    [message] = [one for one in await ledger.messages((), 10) if one.title == "Statement of 2026-03-02"]
    assert str(await ledger.audit_head()) in message.body
    assert "balance: never read" in message.body


async def test_what_came_due_while_nobody_ran_is_sent_late_and_once(ledger: SqliteLedger) -> None:
    await ledger.audit(AuditKind.PAUSE, "", "", {}, datetime(2026, 3, 1, tzinfo=UTC))
    late = datetime(2026, 3, 5, 20, 0, tzinfo=UTC)
    assert await daily(ledger).send_due(late)
    assert not await daily(ledger).send_due(late + HOUR)
    assert await titles(ledger) == ["Statement of 2026-03-04"]


async def _sent_of(ledger: SqliteLedger) -> list[str]:
    return [title.removeprefix("Statement of ") for title in await titles(ledger)]


def _going_on(ledger: SqliteLedger, sent: str, retention: timedelta = timedelta(days=90)) -> DailyStatement:
    """That of a daemon whose last run had sent the statement of the day `sent`."""
    statement = replace(daily(ledger), retention=retention)
    statement.carry_over({STATEMENT: sent})
    return statement


async def test_each_day_that_nobody_ran_has_its_statement(ledger: SqliteLedger) -> None:
    await ledger.audit(AuditKind.PAUSE, "", "", {}, datetime(2026, 3, 1, tzinfo=UTC))
    late = datetime(2026, 3, 8, 20, 0, tzinfo=UTC)
    statement = _going_on(ledger, "2026-03-03")
    assert await statement.send_due(late)
    assert statement.written() == {STATEMENT: "2026-03-07"}
    assert not await statement.send_due(late + HOUR)
    assert not await _going_on(ledger, "2026-03-03").send_due(late + HOUR)  # it died before it beat
    assert await _sent_of(ledger) == ["2026-03-04", "2026-03-05", "2026-03-06", "2026-03-07"]


async def test_of_many_days_the_last_seven_are_sent_and_the_others_named(ledger: SqliteLedger) -> None:
    await ledger.audit(AuditKind.PAUSE, "", "", {}, datetime(2026, 3, 1, tzinfo=UTC))
    assert await _going_on(ledger, "2026-03-03").send_due(datetime(2026, 3, 21, 20, 0, tzinfo=UTC))
    assert await _sent_of(ledger) == [f"2026-03-{day}" for day in range(14, 21)]
    first, *others = [message.body for message in reversed(await ledger.messages((), 10))]
    assert first.startswith(
        "No statements were sent of 2026-03-04 to 2026-03-13, when nobody ran: "
        "smm-rules statement --day 2026-03-04\n"
    )
    assert not any("No statements" in body for body in others)


async def test_one_day_left_out_is_named_by_itself(ledger: SqliteLedger) -> None:
    await ledger.audit(AuditKind.PAUSE, "", "", {}, datetime(2026, 3, 1, tzinfo=UTC))
    assert await _going_on(ledger, "2026-03-03").send_due(datetime(2026, 3, 12, 20, 0, tzinfo=UTC))
    first = (await ledger.messages((), 10))[-1].body
    assert first.startswith("No statement was sent of 2026-03-04, when nobody ran: ")


async def test_no_day_is_sent_that_the_ledger_may_have_sent_and_forgotten(ledger: SqliteLedger) -> None:
    """Delivered messages are dropped with the retention, and with them the word that they were sent."""
    await ledger.audit(AuditKind.PAUSE, "", "", {}, datetime(2026, 3, 1, tzinfo=UTC))
    late = datetime(2026, 3, 8, 20, 0, tzinfo=UTC)
    assert await _going_on(ledger, "2026-03-03", timedelta(days=2)).send_due(late)
    assert await _sent_of(ledger) == ["2026-03-06", "2026-03-07"]


async def test_a_clock_that_was_ahead_keeps_no_statement_back(ledger: SqliteLedger) -> None:
    await ledger.audit(AuditKind.PAUSE, "", "", {}, datetime(2026, 3, 1, tzinfo=UTC))
    statement = _going_on(ledger, "2027-01-01")
    assert await statement.send_due(datetime(2026, 3, 5, 20, 0, tzinfo=UTC))
    assert await statement.send_due(datetime(2026, 3, 6, 20, 0, tzinfo=UTC))
    assert await _sent_of(ledger) == ["2026-03-04", "2026-03-05"]


@pytest.mark.parametrize("detail", [{}, {STATEMENT: "nonsense"}])
async def test_without_word_of_the_last_run_only_the_last_day_is_sent(
    ledger: SqliteLedger, detail: dict[str, str]
) -> None:
    await ledger.audit(AuditKind.PAUSE, "", "", {}, datetime(2026, 3, 1, tzinfo=UTC))
    statement = daily(ledger)
    statement.carry_over(detail)
    assert statement.written() == {}
    assert await statement.send_due(datetime(2026, 3, 8, 20, 0, tzinfo=UTC))
    assert await _sent_of(ledger) == ["2026-03-07"]


async def test_a_ledger_tells_of_no_day_before_its_own(ledger: SqliteLedger) -> None:
    now = datetime(2026, 3, 5, 20, 0, tzinfo=UTC)
    assert not await daily(ledger).send_due(now)
    await ledger.audit(AuditKind.PAUSE, "", "", {}, now)
    assert not await daily(ledger).send_due(now)


async def test_a_daemon_sends_it_to_the_channel_named(household: Household) -> None:
    household.settings = LOG_CHANNEL + 'statement: {channel: ops, at: "00:00"}\n'
    async with household.living():
        await household.ledger.audit(AuditKind.PAUSE, "", "", {}, household.clock.now())
        household.clock.move(timedelta(days=1))
        await eventually(lambda: _told(household))


async def test_a_daemon_that_was_down_for_days_sends_what_was_missed(household: Household) -> None:
    household.settings = LOG_CHANNEL + 'statement: {channel: ops, at: "00:00"}\n'
    await household.ledger.audit(AuditKind.PAUSE, "", "", {}, household.clock.now() - timedelta(days=2))
    async with household.living():
        await eventually(lambda: _told(household))
    household.clock.move(timedelta(days=3))
    async with household.living():
        await eventually(lambda: _count(household, 4))


async def _count(household: Household, wanted: int) -> bool:
    return len(await titles(household.ledger)) == wanted


async def _told(household: Household) -> bool:
    return any(title.startswith("Statement of") for title in await titles(household.ledger))


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("{channel: nobody}", 'There is no channel "nobody"'),
        ('{channel: ops, at: "25:00"}', "must be a time of day"),
        ("{channel: ops, time_zone: Atlantis}", "must be a time zone"),
        ("{channel: ops, time_zone: ../../etc/passwd}", "must be a time zone"),
    ],
)
async def test_settings_that_make_no_sense_are_refused(
    household: Household, settings: str, told: str
) -> None:
    household.settings = LOG_CHANNEL + f"statement: {settings}\n"
    with pytest.raises(DocumentError, match=told):
        household.configuration()


async def test_with_a_status_page_it_ends_with_a_link_to_its_day(ledger: SqliteLedger) -> None:
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    await ledger.audit(AuditKind.PAUSE, "", "", {}, now - timedelta(days=3))
    statements = daily(ledger)
    statements.page_url = "https://ops.example/smm"
    assert await statements.send_due(now)
    (message,) = await ledger.messages((), 5)
    assert message.body.splitlines()[-1] == "https://ops.example/smm/statements?day=2026-03-01"
