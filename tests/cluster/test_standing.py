"""What one worker finds out about a panel the others know before their next look."""

from __future__ import annotations

from datetime import timedelta

from smm_rules.cluster.ledger import WorkerLedger
from smm_rules.cluster.runs import running
from smm_rules.cluster.standing import (
    BALANCE,
    CATALOGUE,
    SharedStanding,
    end_pauses,
    make_standings,
    read_all,
    want,
)
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Observed, Sweep
from smm_rules.panel.errors import Ambiguous
from smm_rules.polling.standing import Standing
from tests.cluster.setting import PANEL, Site

LATELY = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


class Eye:
    """One worker's look at the panel's standing."""

    def __init__(self, here: Site, ledger: WorkerLedger) -> None:
        self.standing = Standing(PANEL)
        self.shared = SharedStanding(here.database, ledger, self.standing, LATELY)
        self._clock = here.clock

    async def failed(self, what: str) -> None:
        now = self._clock.now()
        await self.shared.before(what, now)
        self.standing.note_failure(what, Ambiguous("502"), now)
        await self.shared.after(what)

    async def answered(self, what: str) -> None:
        now = self._clock.now()
        await self.shared.before(what, now)
        if what == BALANCE:
            self.standing.balance_wanted = False
        self.standing.note_answer(what, now)
        await self.shared.after(what)

    async def looks(self, what: str = "orders") -> Standing:
        await self.shared.before(what, self._clock.now())
        await self.shared.after(what)
        return self.standing


async def two(here: Site) -> tuple[Eye, Eye]:
    await here.lease()
    await make_standings(here.database, [PANEL])
    ledger = await here.ledger()
    return Eye(here, ledger), Eye(here, ledger)


async def test_a_pause_after_a_failure_is_everybodys(here: Site) -> None:
    one, other = await two(here)
    await one.failed("orders")
    seen = await other.looks()
    assert seen.paused("orders", here.clock.now())
    assert seen.outages["orders"].failures == 1
    assert seen.health_facts["reachable"] is False


async def test_failures_in_a_row_are_counted_over_workers_and_end_for_all(here: Site) -> None:
    one, other = await two(here)
    await one.failed("orders")
    await other.failed("orders")
    assert (await one.looks()).outages["orders"].failures == 2
    await other.answered("orders")
    seen = await one.looks()
    assert (seen.outages, seen.health_facts["reachable"]) == ({}, True)


async def test_two_kinds_of_looks_at_once_lose_nothing_of_each_other(here: Site) -> None:
    one, other = await two(here)
    now = here.clock.now()
    await one.shared.before("orders", now)
    await other.shared.before(CATALOGUE, now)
    one.standing.note_failure("orders", Ambiguous("502"), now)
    other.standing.note_failure(CATALOGUE, Ambiguous("502"), now)
    await one.shared.after("orders")
    await other.shared.after(CATALOGUE)
    assert set((await Eye(here, await here.ledger()).looks()).outages) == {"orders", CATALOGUE}


async def test_orders_wait_for_catalogue_and_balance_of_whichever_worker(here: Site) -> None:
    one, other = await two(here)
    assert not (await other.looks()).acquainted(here.clock.now())
    await one.failed(CATALOGUE)
    await one.answered(BALANCE)
    assert (await other.looks()).acquainted(here.clock.now())


async def test_a_balance_is_wanted_until_somebody_has_read_it_since(here: Site) -> None:
    one, other = await two(here)
    await want(here.database, [PANEL], BALANCE, here.clock.now())
    assert (await one.looks()).balance_wanted
    await other.answered(BALANCE)
    assert not (await one.looks()).balance_wanted


async def test_a_reading_begun_before_the_wish_doesnt_fulfil_it(here: Site) -> None:
    one, other = await two(here)
    await one.shared.before(BALANCE, here.clock.now())
    await want(here.database, [PANEL], BALANCE, here.clock.now())
    one.standing.note_answer(BALANCE, here.clock.now())
    await one.shared.after(BALANCE)
    assert (await other.looks()).balance_wanted


async def test_a_catalogue_that_another_worker_read_is_loaded(here: Site) -> None:
    one, other = await two(here)
    lease, ledger = await here.lease("reader"), await here.ledger()
    now = here.clock.now()
    facts = {"id": "7", "rate": "1.5"}
    with running(lease.epoch):
        observed = Observed(Entity(EntityKind.SERVICE, PANEL, "7"), facts, True, now + LATELY)
        await ledger.record(Sweep(now, (observed,)))
    await one.answered(CATALOGUE)
    assert set((await other.looks()).services) == {"7"}


async def test_pauses_can_be_ended_for_all(here: Site) -> None:
    one, other = await two(here)
    await one.failed("orders")
    await end_pauses(here.database, [PANEL])
    assert not (await other.looks()).paused("orders", here.clock.now())


async def test_who_only_wants_to_know_how_a_panel_answers_reads_all_at_once(here: Site) -> None:
    one, other = await two(here)
    await one.answered("orders")
    known = await read_all(here.database, [PANEL])
    other.shared.note_health(known[PANEL])
    assert other.standing.health_facts["reachable"] is True
    assert other.standing.health_facts["last_answer_at"] == one.standing.health_facts["last_answer_at"]
