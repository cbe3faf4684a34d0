"""The daemon on a ledger in PostgreSQL: the same life, also while its server comes and goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from smm_rules.daemon import daemon as daemon_module
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.ledger.postgres.daemon_lock import PostgresDaemonLock
from smm_rules.ledger.records import IntentState
from smm_rules.simulator import RunningSimulator
from tests.daemon.household import MINUTE, REFILL, Household, eventually
from tests.postgres.fixtures import create_database
from tests.postgres.server import Server

SOON = REFILL.replace("    for: 10m\n", "")


def at_home(directory: Path, panel: RunningSimulator, ledger: PostgresLedger) -> Household:
    settings = f"ledger: {ledger.address}\nstate_directory: .\n"
    return Household(
        directory,
        panel,
        ledger,  # type: ignore[arg-type]  # another back end of the same port
        mended=lambda text: text.replace("ledger: ledger.db\n", settings),
    )


@pytest.fixture
async def house(
    tmp_path: Path, smm_panel: RunningSimulator, ledger_database: str
) -> AsyncIterator[Household]:
    async with await PostgresLedger.open(Access(ledger_database)) as ledger:
        yield at_home(tmp_path, smm_panel, ledger)


def _end_sessions(url: str, of: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name LIKE %s",
            (f"smm-rules {of}%",),
        )


async def test_a_partial_order_is_refilled_at_the_end_of_its_hold(house: Household) -> None:
    house.write_rules(REFILL)
    name = house.panel.add_order(4, status="Partial", remains=157)
    await house.track(name)
    async with house.living():
        await eventually(lambda: house.holding(name))
        house.clock.move(10 * MINUTE)
        await eventually(lambda: house.intents(IntentState.CONFIRMED))
    assert [entry.order for entry in house.panel.journal.refills_made()] == [name]
    assert f"refill 1 of {name}" in await house.bodies()
    assert (await house.ledger.verify_audit()).fault is None


async def test_a_second_daemon_is_refused(house: Household) -> None:
    house.write_rules(REFILL)
    async with house.living():
        with pytest.raises(LedgerError, match=r"another daemon .*\(process \d+ on .+\) is running"):
            await house.daemon().run()


async def test_it_goes_on_over_a_restart_of_the_server(
    tmp_path: Path, smm_panel: RunningSimulator, postgres_of_its_own: Server
) -> None:
    create_database(postgres_of_its_own, "mine")
    access = Access(postgres_of_its_own.url("mine"))
    async with await PostgresLedger.open(access) as ledger:
        house = at_home(tmp_path, smm_panel, ledger)
        house.write_rules(SOON)
        first = house.panel.add_order(4, status="Partial", remains=157)
        await house.track(first)
        async with house.living():
            await eventually(lambda: house.intents(IntentState.CONFIRMED))
            await asyncio.to_thread(postgres_of_its_own.kill)
            await asyncio.to_thread(postgres_of_its_own.start)
            second = house.panel.add_order(4, status="Partial", remains=7)
            await house.track(second)

            async def both() -> bool:
                return len(await house.intents(IntentState.CONFIRMED)) == 2

            await eventually(both)
        assert [entry.order for entry in house.panel.journal.refills_made()] == [first, second]
        assert (await ledger.verify_audit()).fault is None


@pytest.fixture
def quick_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon_module, "LOOK_SECONDS", 0.05)


@pytest.mark.usefixtures("quick_look")
async def test_it_takes_its_lock_again(house: Household, ledger_database: str) -> None:
    house.write_rules(REFILL)
    async with house.living():
        before = await house.ledger.daemon()
        assert before is not None
        _end_sessions(ledger_database, "daemon")

        async def again() -> bool:
            return await house.ledger.daemon() is not None

        await eventually(again)


@pytest.mark.usefixtures("quick_look")
async def test_it_ends_when_another_has_taken_over(house: Household, ledger_database: str) -> None:
    house.write_rules(REFILL)
    daemon = house.daemon()
    running = asyncio.create_task(daemon.run())
    await daemon.started.wait()
    other = PostgresDaemonLock(Access(ledger_database))
    while True:  # whoever is faster
        _end_sessions(ledger_database, "daemon")
        try:
            other.acquire()
            break
        except LedgerError:
            continue
    with pytest.raises(LedgerError, match="another daemon took over this ledger"):
        await running
    other.release()
