"""Databases of orders are read while the daemon runs, and in the way of nothing."""

from __future__ import annotations

import asyncio

from smm_rules.ledger.records import MessageState
from tests.daemon.household import MINUTE, Household, eventually
from tests.intake.sql.shops import QUERY, sqlite_shop


def settings(url: str) -> str:
    return (
        f'intake: {{sql: [{{name: shop, url: "{url}", query: "{QUERY}", watermark: updated_at, '
        "columns: {order: external_id, panel: provider, service: service_no}}]}\n"
    )


async def test_orders_of_a_database_are_watched_while_the_daemon_runs(household: Household) -> None:
    shop = sqlite_shop(household.directory)
    household.settings += settings("sqlite:///shop.db")
    first, second = (household.panel.add_order(status="In progress", remains=5) for _ in range(2))
    shop.sell(first, "2026-03-01 10:00:00")
    async with household.living():
        await eventually(lambda: household.seen(first))
        shop.sell(second, "2026-03-01 10:00:00")
        household.clock.move(6 * MINUTE)
        await eventually(lambda: household.seen(second))
    shop.connection.close()


async def test_a_database_that_gives_no_answer_keeps_nothing_else_waiting(household: Household) -> None:
    """Orders are looked at meanwhile, the daemon stops in time, and says what it couldn't read."""
    accepted = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await writer.wait_closed()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        household.settings += settings(f"mysql://reader@127.0.0.1:{port}/shop")
        name = household.panel.add_order(status="In progress", remains=5)
        async with household.living():
            await accepted.wait()
            await household.track(name)
            await eventually(lambda: household.seen(name))
        server.close()


async def test_what_can_t_be_read_is_told_to_the_operator(household: Household) -> None:
    household.settings += settings("sqlite:///not-there.db")

    async def failed(times: int) -> bool:
        standing = await household.ledger.source("shop")
        return standing is not None and standing.failures == times

    async with household.living():
        for times in (1, 2, 3):
            await eventually(lambda times=times: failed(times))  # type: ignore[misc]
            household.clock.move(5 * MINUTE)

        async def told() -> bool:
            return "source_failing" in await household.operator_told()

        await eventually(told)
    assert await household.ledger.messages((MessageState.DEAD,), 10) == ()
