"""A ledger in a known state, as a daemon would have left it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Heartbeat, IntentState, Observed, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.rules.model import StepKind
from tests.ledger.builders import bring_to, draft, new_order

NOW = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
PANEL = Entity(EntityKind.PANEL, "north")
BALANCE = Entity(EntityKind.BALANCE, "north")


def stage(path: Path, *acts: Callable[[SqliteLedger], Awaitable[object]]) -> None:
    """Open the ledger at `path` and let each act change it."""

    async def run() -> None:
        async with await SqliteLedger.open(path) as ledger:
            for act in acts:
                await act(ledger)

    asyncio.run(run())


def beat(
    age: timedelta, status: str = "1 orders", mode: str = "live", **more: str
) -> Callable[[SqliteLedger], Awaitable[None]]:
    """A heartbeat `age` old."""

    async def act(ledger: SqliteLedger) -> None:
        detail = {"status": status, "mode": mode, **more}
        await ledger.beat(Heartbeat("daemon:1", NOW - timedelta(days=1), NOW - age, detail))

    return act


def intent(
    state: IntentState, kind: StepKind = StepKind.REFILL
) -> Callable[[SqliteLedger], Awaitable[object]]:
    """An intent in `state` about order 1, that costs 2.50 USD."""

    async def act(ledger: SqliteLedger) -> None:
        await bring_to(ledger, state, draft(kind=kind, estimate="2.50"))

    return act


async def an_order_due_an_hour_ago(ledger: SqliteLedger) -> None:
    await ledger.track([new_order(1)], NOW - timedelta(hours=1))


async def a_failing_panel_with_money(ledger: SqliteLedger) -> None:
    at = NOW - timedelta(minutes=10)
    health = {
        "name": "north",
        "reachable": False,
        "failures": 4,
        "failing_since": at,
        "last_error": "timed out",
    }
    health["last_answer_at"] = at - timedelta(minutes=1)
    money = {"amount": Decimal("12.50"), "currency": "USD"}
    await ledger.record(
        Sweep(at, (Observed(PANEL, health, True, None), Observed(BALANCE, money, True, None)))
    )
