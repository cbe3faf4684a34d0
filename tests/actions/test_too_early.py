"""A panel that says "too early" to many refills is well, and no breaker opens on it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from smm_rules.engine.guards import Bounds, Breaker, Guards
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.panel.errors import Ambiguous, RefusalReason, Rejected
from tests.actions.world import T0, World, order

GUARDS = Guards(Bounds(breaker=Breaker(errors=Decimal("0.5"), of=4)))
EARLY = Rejected("Refill already in progress", RefusalReason.REFILL_TOO_EARLY)


async def stopped_after(tmp_path: Path, answer: Exception) -> list[str]:
    async with await SqliteLedger.open(tmp_path / "ledger.db", guards=GUARDS) as ledger:
        world = World(ledger)
        for number in range(1, 9):
            await world.track(number)
            await world.refill(entity=order(number))
        world.panel.script = [answer] * 8
        await world.executor().run_due(T0)
        return sorted({stop.scope.value for stop in await ledger.stops()})


async def test_too_early_is_no_failure_of_the_panel_or_the_rule(tmp_path: Path) -> None:
    assert await stopped_after(tmp_path, EARLY) == []


async def test_answers_that_never_come_are(tmp_path: Path) -> None:
    assert await stopped_after(tmp_path, Ambiguous("read timed out")) == ["panel", "rule"]
