"""What keeps alerts back must not depend on which worker delivers them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from smm_rules.cluster.doing import Doing
from smm_rules.daemon.units import Unit
from smm_rules.daemon.work import Work
from tests.cluster.setting import PANEL, Site
from tests.cluster.test_standing import two


async def test_whichever_worker_delivers_knows_what_any_has_found_out(here: Site) -> None:
    one, _ = await two(here)
    seen: list[frozenset[str]] = []

    async def deliver() -> None:
        seen.append(Work.outages(work))

    work = cast(Any, SimpleNamespace(beaten_at=None, known_outages=None, watches={}, clock=here.clock))
    doing = Doing(work, await here.ledger(), await here.lease("other"), here.database, lambda: None)
    doing.units, doing.standings = {"outbox": Unit("outbox", 1.0, deliver)}, {PANEL: one.shared}
    for failures in range(1, 4):
        await one.failed("orders")
        await doing.unit("outbox")
        assert len(seen) == failures
    await one.answered("orders")
    await doing.unit("outbox")
    assert seen == [frozenset(), frozenset(), frozenset({PANEL}), frozenset()]
