"""Workers read a database of orders in turn: at any moment one of them at most."""

from __future__ import annotations

import asyncio
from pathlib import Path

from smm_rules.cluster.dispatch import unit_task
from smm_rules.cluster.queue import LOOKS
from smm_rules.daemon.work import source_unit
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.postgres import Access, PostgresLedger
from tests.cluster.test_workers import PANEL, Town, launcher, town
from tests.endtoend.waiting import eventually
from tests.intake.sql.shops import QUERY, sqlite_shop

__all__ = ["launcher", "town"]


def test_of_one_source_one_job_runs() -> None:
    task = unit_task(source_unit("shop"))
    assert (task.queue, task.name, task.lock) == (LOOKS, "source:shop", "source:shop")


async def test_orders_of_a_database_are_watched_once_by_whichever_worker(
    town: Town,
    tmp_path: Path,
) -> None:
    shop = sqlite_shop(tmp_path)
    town.configure()
    config = town.directory / "smm-rules.yaml"
    source = (
        f'intake: {{sql: [{{name: shop, url: "sqlite:///{tmp_path}/shop.db", query: "{QUERY}", every: 1s, '
        f"watermark: updated_at, panel: {PANEL}, ignore: [provider], "
        "columns: {order: external_id, service: service_no}}]}\n"
    )
    config.write_text(config.read_text(encoding="utf-8") + source, encoding="utf-8")
    numbers = [town.panel.add_order(4, 1000, "https://example.com/1") for _ in range(20)]
    shop.sell_many(
        [(number, f"2026-03-01 10:00:{place // 4:02}") for place, number in enumerate(numbers[:10])]
    )
    await asyncio.gather(town.worker(), town.worker())
    async with await PostgresLedger.open(Access(town.url)) as ledger:

        async def all_seen(wanted: list[str]) -> bool:
            found = [await ledger.watched(Entity(EntityKind.ORDER, PANEL, number)) for number in wanted]
            return all(one is not None and one.last_seen_at is not None for one in found)

        await eventually(lambda: all_seen(numbers[:10]), "the first orders", describe=town.tails)
        shop.sell_many([(number, "2026-03-01 10:00:02") for number in numbers[10:]])
        await eventually(lambda: all_seen(numbers), "all orders", describe=town.tails)
        standing = await ledger.source("shop")
    assert standing is not None
    assert (standing.added, standing.failures, standing.bad) == (20, 0, 0)
    shop.connection.close()
