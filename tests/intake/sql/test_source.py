"""Databases of orders: read on from where it was, with no gap and nothing twice, and never written to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import certifi
import pytest

from smm_rules.config.secrets import SecretReference
from smm_rules.config.sql_source import SqlSourceSettings
from smm_rules.facts import Entity, EntityKind
from smm_rules.intake.sql import reading
from smm_rules.intake.sql.database import SourceFailed, rows_since
from smm_rules.intake.sql.source import FAILURES_TOLD, SqlSource
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import MessageState
from smm_rules.ledger.sources import Piece, SourceStanding, Taken
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from tests.intake.sql.shops import COLUMNS, QUERY, Shop, maria_shop, sqlite_shop
from tests.mariadb.fixtures import run
from tests.mariadb.server import Server as MariaServer

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def source_of(shop: Shop, ledger: SqliteLedger, **more: object) -> SqlSource:
    voice = OperatorVoice(ledger, "ops")
    return SqlSource(shop.settings(**more), ledger, voice, ("north", "south"), {})


async def known(ledger: SqliteLedger) -> list[str]:
    found = []
    for panel in ("north", "south"):
        found += await ledger.watched_page(EntityKind.ORDER, panel, None, 10_000)
    return sorted(one.entity.id for one in found)


async def standing(ledger: SqliteLedger) -> SourceStanding:
    found = await ledger.source("shop")
    assert found is not None
    return found


# -- what is read ---------------------------------------------------------------------------------------
async def test_orders_are_watched_with_all_that_the_shop_knows(shop: Shop, ledger: SqliteLedger) -> None:
    shop.sell(1001, "2026-03-01 10:00:00")
    shop.sell(1002, "2026-03-01 10:00:01.500000", panel="south")
    assert await source_of(shop, ledger).read_due(NOW) == 2
    order = await ledger.order(Entity(EntityKind.ORDER, "north", "1001"))
    assert order is not None
    assert (order.service, order.parameters) == (
        "7", {"link": "https://example.com/1001", "quantity": "100"},
    )  # fmt: skip
    assert await known(ledger) == ["1001", "1002"]
    after = await standing(ledger)
    assert (after.added, after.read_at, after.due_at) == (2, NOW, NOW + 5 * MINUTE)


async def test_it_reads_on_from_where_it_was(shop: Shop, ledger: SqliteLedger) -> None:
    source = source_of(shop, ledger)
    shop.sell(1, "2026-03-01 10:00:00")
    assert await source.read_due(NOW) == 1
    shop.sell(2, "2026-03-01 10:30:00")
    shop.run("DELETE FROM orders WHERE external_id = '1'")
    assert await source.read_due(NOW + MINUTE) == 0, "it isn't due"
    assert await source.read_due(NOW + 5 * MINUTE) == 1
    assert await known(ledger) == ["1", "2"]
    assert await source.read_due(NOW + 10 * MINUTE) == 0


async def test_a_row_that_is_committed_late_with_an_older_stamp_is_found(
    shop: Shop, ledger: SqliteLedger
) -> None:
    source = source_of(shop, ledger, overlap="10m")
    shop.sell(1, "2026-03-01 10:00:00")
    await source.read_due(NOW)
    shop.sell(2, "2026-03-01 09:50:01")
    shop.sell(3, "2026-03-01 10:00:00")
    shop.sell(4, "2026-03-01 09:49:00")
    assert await source.read_due(NOW + 5 * MINUTE) == 2
    assert await known(ledger) == ["1", "2", "3"], "what is older than the overlap isn't asked for"


async def test_a_watermark_of_numbers(shop: Shop, ledger: SqliteLedger) -> None:
    query = QUERY.replace("updated_at", "number")
    source = source_of(shop, ledger, query=query, watermark="number", start=0, overlap=2)
    for number in (5, 8):
        shop.sell(number, number=number)
    assert await source.read_due(NOW) == 2
    shop.sell(7, number=7)
    shop.sell(9, number=9)
    shop.sell(6, number=6)
    assert await source.read_due(NOW + 5 * MINUTE) == 2
    assert await known(ledger) == ["5", "7", "8", "9"]


async def test_rows_with_one_stamp_are_all_read_wherever_a_read_is_cut(
    shop: Shop, ledger: SqliteLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ledger fails after the first pieces; no overlap makes up for what was passed over."""
    monkeypatch.setattr(reading.Reading.next_part, "__defaults__", (3,))
    shop.sell_many([(str(number), f"2026-03-01 10:00:0{number // 4}") for number in range(12)])
    for cut in (1, 2, 2):
        source = source_of(shop, Failing(ledger, cut), overlap="1s")  # type: ignore[arg-type]
        with pytest.raises(LedgerError):
            await source.read_due(NOW)
    await source_of(shop, ledger, overlap="1s").read_due(NOW)
    assert await known(ledger) == sorted(str(number) for number in range(12))
    assert (await standing(ledger)).added == 12


class Failing:
    """A ledger that takes so many pieces and then no more."""

    def __init__(self, ledger: SqliteLedger, pieces: int) -> None:
        self._ledger = ledger
        self._left = pieces

    async def source(self, name: str) -> SourceStanding | None:
        return await self._ledger.source(name)

    async def take_from_source(
        self, name: str, generation: int, piece: Piece, now: datetime, by: str
    ) -> Taken:
        self._left -= 1
        if self._left < 0:
            raise LedgerError("the disk is full")
        return await self._ledger.take_from_source(name, generation, piece, now, by)


async def test_what_was_kept_of_a_read_that_was_cut_is_never_beyond_what_was_read(
    ledger: SqliteLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading.Reading.next_part, "__defaults__", (3,))
    shop = sqlite_shop(tmp_path)
    shop.sell_many([(str(number), f"2026-03-01 10:00:0{number // 4}") for number in range(12)])
    kept = []
    for cut in range(1, 4):
        with pytest.raises(LedgerError):
            await source_of(shop, Failing(ledger, cut)).read_due(NOW)  # type: ignore[arg-type]
        kept.append((await standing(ledger)).watermark)
        await ledger.set_source_back("shop", "", NOW)
    assert [text[-11:] for text in kept] == ["", ' 10:00:00"}', ' 10:00:01"}']
    shop.connection.close()


async def test_a_read_can_be_stopped_in_the_middle(ledger: SqliteLedger, tmp_path: Path) -> None:
    shop = sqlite_shop(tmp_path)
    shop.sell(1)
    blocked = asyncio.Event()

    class Waiting(Failing):
        async def take_from_source(
            self, name: str, generation: int, piece: Piece, now: datetime, by: str
        ) -> Taken:
            blocked.set()
            await asyncio.Event().wait()
            raise AssertionError

    reader = asyncio.create_task(source_of(shop, Waiting(ledger, 0)).read_due(NOW))  # type: ignore[arg-type]
    await blocked.wait()
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert await source_of(shop, ledger).read_due(NOW) == 1
    shop.connection.close()


async def test_what_looks_like_a_placeholder_in_a_text_is_text(shop: Shop, ledger: SqliteLedger) -> None:
    shop.sell(1)
    query = QUERY.replace(" ORDER BY", " AND link LIKE 'https:%' AND link <> ':since' ORDER BY")
    assert await source_of(shop, ledger, query=query).read_due(NOW) == 1


# -- rows that are no orders ----------------------------------------------------------------------------
async def test_a_bad_row_keeps_no_other_back_and_is_told_once(shop: Shop, ledger: SqliteLedger) -> None:
    source = source_of(shop, ledger)
    shop.sell(1, quantity="many")
    shop.sell(None)
    shop.sell(2, panel="west")
    shop.sell(3)
    assert await source.read_due(NOW) == 1
    bad = {row.name: row.what for row in await ledger.bad_rows("shop", 10)}
    assert bad["north/1"] == "'many' is no quantity"
    assert bad["west/2"] == "'west' is not a configured panel"
    assert len(bad) == 3
    await source.read_due(NOW + 5 * MINUTE)
    assert (await standing(ledger)).bad == 3
    shop.run("UPDATE orders SET quantity = '50' WHERE external_id = '1'")
    assert await source.read_due(NOW + 10 * MINUTE) == 1
    assert (await standing(ledger)).bad == 2


async def test_a_stamp_in_the_future_takes_nothing_with_it(shop: Shop, ledger: SqliteLedger) -> None:
    source = source_of(shop, ledger)
    shop.sell(1, "2026-03-01 10:00:00")
    shop.sell(2, "2099-01-01 00:00:00")
    assert await source.read_due(NOW) == 2
    shop.sell(3, "2026-03-01 11:00:00")
    assert await source.read_due(NOW + 5 * MINUTE) == 1


async def test_a_forgotten_order_stays_forgotten(shop: Shop, ledger: SqliteLedger) -> None:
    source = source_of(shop, ledger)
    shop.sell(1)
    await source.read_due(NOW)
    await ledger.forget(Entity(EntityKind.ORDER, "north", "1"), NOW)
    assert await source.read_due(NOW + 5 * MINUTE) == 0
    assert await known(ledger) == []


# -- what can't be read ---------------------------------------------------------------------------------
async def test_nothing_can_be_written(shop: Shop) -> None:
    """The query passes for one that reads; the database is asked to let it do no more."""
    writing = {
        "sqlite": "SELECT * FROM orders WHERE :since IS NOT NULL",
        "postgresql": "SELECT nextval('numbers') FROM orders WHERE :since IS NOT NULL",
        "mysql": "INSERT INTO orders (number) SELECT 1 WHERE :since IS NOT NULL",
    }
    shop.sell(1)
    if shop.kind == "postgresql":
        shop.run("CREATE SEQUENCE numbers")
    query = "DELETE FROM orders WHERE :since IS NOT NULL" if shop.kind == "sqlite" else writing[shop.kind]
    settings = shop.settings().model_copy(update={"query": query})
    told = {"sqlite": "readonly", "postgresql": "read-only transaction", "mysql": "READ ONLY transaction"}
    with pytest.raises(SourceFailed, match=told[shop.kind]), rows_since(settings, None, NOW) as (_, rows):
        list(rows)
    assert shop.run("SELECT count(*) FROM orders") in ([(1,)], [[1]])


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"columns": {"order": "id", "panel": "provider"}}, "gives no column 'id', which `columns` names"),
        ({"columns": {"ordre": "external_id"}}, "`columns`: 'ordre' is not a known column. Did you mean"),
        ({"columns": {}}, "'external_id' is not a known column"),
        ({"columns": {"panel": "provider"}, "ignore": ["external_id", "service_no"]}, "gives the order's ID"),
        ({"columns": COLUMNS | {"id": "link"}}, 'two of the query\'s columns are "order"'),
        ({"start": 0}, "row 1: the watermark updated_at is 2026-03-01 10:00:00"),
        ({"query": QUERY.replace("updated_at FROM", "number AS updated_at FROM")}, "row 1: the watermark"),
        ({"query": QUERY.replace("quantity,", "number,")}, "'number' is not a known column"),
        ({"query": QUERY.replace("FROM orders", "FROM gone")}, "gone"),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_source_is_told(
    ledger: SqliteLedger, tmp_path: Path, more: dict[str, object], told: str
) -> None:
    shop = sqlite_shop(tmp_path)
    shop.sell(1)
    source = source_of(shop, ledger, **more)
    assert await source.read_due(NOW) == 0
    after = await standing(ledger)
    assert told in after.error
    assert (after.failures, after.watermark) == (1, "")
    shop.connection.close()


async def test_another_watermark_is_refused_until_the_source_is_reset(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    shop = sqlite_shop(tmp_path)
    shop.sell(1, number=5)
    await source_of(shop, ledger).read_due(NOW)
    query = QUERY.replace("updated_at", "number")
    source = source_of(shop, ledger, query=query, watermark="number", start=0)
    await source.read_due(NOW + 5 * MINUTE)
    assert "smm-rules orders source reset shop" in (await standing(ledger)).error
    await ledger.set_source_back("shop", "", NOW + 6 * MINUTE)
    await source.read_due(NOW + 6 * MINUTE)
    assert (await standing(ledger)).error == ""
    shop.connection.close()


async def test_failures_pause_ever_longer_and_are_told_with_their_end(
    ledger: SqliteLedger, tmp_path: Path
) -> None:
    shop = sqlite_shop(tmp_path)
    source = source_of(shop, ledger)
    away = tmp_path / "away.db"
    (tmp_path / "shop.db").rename(away)
    now, pauses = NOW, []
    for _ in range(8):
        await source.read_due(now)
        after = await standing(ledger)
        pauses.append((after.due_at - now).total_seconds())
        assert await source.read_due(after.due_at - timedelta(seconds=1)) == 0
        now = after.due_at
    assert pauses == [30, 60, 120, 240, 480, 960, 1920, 3600]
    assert after.error == "unable to open database file"
    [told] = await ledger.messages((MessageState.PENDING,), 10)
    assert (told.title, told.channel) == ("Source shop can't be read", "ops")
    assert f"failed {FAILURES_TOLD} times" in told.body
    away.rename(tmp_path / "shop.db")
    shop.sell(1)
    assert await source.read_due(now) == 1
    titles = {one.title for one in await ledger.messages((MessageState.PENDING,), 10)}
    assert titles == {"Source shop can't be read", "Source shop can be read again"}
    shop.connection.close()


async def test_a_password_is_sent_and_never_told(
    ledger: SqliteLedger, mariadb: MariaServer, maria_database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    canary = "canary-7f3a"
    shop = maria_shop(mariadb, maria_database, "reader")
    shop.sell(1)
    run(
        mariadb,
        f"CREATE OR REPLACE USER reader@'%' IDENTIFIED BY '{canary}'",
        f"GRANT SELECT ON {maria_database}.* TO reader@'%'",
    )
    settings = shop.settings(password={"env": "DB"})
    assert isinstance(settings.password, SecretReference)
    voice = OperatorVoice(ledger, "ops")
    for password, added in (("wrong-canary-7f3a", 0), (canary, 1)):
        source = SqlSource(settings, ledger, voice, ("north",), {"DB": password})
        now = NOW if not added else (await standing(ledger)).due_at
        assert await source.read_due(now) == added
        if not added:
            told = (await standing(ledger)).error
            assert "Access denied for user" in told
            assert canary not in told
    assert canary not in repr(settings)
    assert canary not in "".join(capsys.readouterr())
    shop.connection.close()


async def test_a_server_that_speaks_no_tls_gets_no_password_where_tls_is_asked_for(
    ledger: SqliteLedger, mariadb: MariaServer, maria_database: str
) -> None:
    """Whoever sits between could otherwise have it spoken to in plain."""
    shop = maria_shop(mariadb, maria_database)
    shop.sell(1)
    source = source_of(shop, ledger, url=f"{shop.url}?ssl_ca={certifi.where()}")
    assert await source.read_due(NOW) == 0
    assert (await standing(ledger)).error == "SSL is required but the server doesn't support it"
    shop.connection.close()


async def test_a_password_that_can_t_be_had_is_told(ledger: SqliteLedger, tmp_path: Path) -> None:
    shop = sqlite_shop(tmp_path)
    source = source_of(shop, ledger, password={"env": "NOT_THERE"})
    await source.read_due(NOW)
    assert "NOT_THERE is not set" in (await standing(ledger)).error
    shop.connection.close()


async def test_a_database_that_gives_no_answer_is_given_up(ledger: SqliteLedger) -> None:
    """Its port accepts and never speaks."""
    async with await asyncio.start_server(lambda *_: None, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        given: dict[str, object] = {
            "name": "shop", "query": QUERY, "watermark": "updated_at", "columns": COLUMNS, "timeout": "1s",
            "url": f"mysql://r@127.0.0.1:{port}/shop",
        }  # fmt: skip
        settings = SqlSourceSettings.model_validate(given)
        source = SqlSource(settings, ledger, OperatorVoice(ledger, None), ("north",), {})
        assert await source.read_due(NOW) == 0
    assert "timed out" in (await standing(ledger)).error


# -- memory and time ------------------------------------------------------------------------------------
async def test_a_long_table_is_read_piece_by_piece(shop: Shop, ledger: SqliteLedger) -> None:
    begun = datetime(2026, 2, 1, tzinfo=UTC)
    stamps = [f"{begun + timedelta(seconds=number):%Y-%m-%d %H:%M:%S}" for number in range(2_500)]
    shop.sell_many([(str(number), stamp) for number, stamp in enumerate(stamps)])
    steps = list[int]()
    source = SqlSource(
        shop.settings(), ledger, OperatorVoice(ledger, None), ("north",), {}, lambda: steps.append(1)
    )
    assert await source.read_due(NOW) == 2_500
    assert len(steps) == 3


async def test_times_without_a_zone_are_those_of_the_source(ledger: SqliteLedger, tmp_path: Path) -> None:
    shop = sqlite_shop(tmp_path)
    shop.sell(1)
    columns = COLUMNS | {"placed_at": "updated_at"}
    source = source_of(shop, ledger, columns=columns, time_zone="Europe/Istanbul")
    assert source.settings.time_zone == ZoneInfo("Europe/Istanbul")
    await source.read_due(NOW)
    order = await ledger.order(Entity(EntityKind.ORDER, "north", "1"))
    assert order is not None
    assert order.placed_at == datetime(2026, 3, 1, 7, 0, tzinfo=UTC)
    shop.connection.close()


async def test_what_the_server_keeps_with_a_zone_comes_in_utc(
    ledger: SqliteLedger, mariadb: MariaServer, maria_database: str
) -> None:
    """The server's own zone is another one."""
    shop = maria_shop(mariadb, maria_database, "root")
    shop.run("ALTER TABLE orders MODIFY updated_at TIMESTAMP(6) NULL")
    shop.run("SET time_zone = '+00:00'")
    shop.sell(1, "2026-03-01 10:00:00")
    columns = COLUMNS | {"placed_at": "updated_at"}
    assert await source_of(shop, ledger, columns=columns, time_zone="UTC").read_due(NOW) == 1
    order = await ledger.order(Entity(EntityKind.ORDER, "north", "1"))
    assert order is not None
    assert order.placed_at == datetime(2026, 3, 1, 10, 0, tzinfo=UTC)
    shop.connection.close()
