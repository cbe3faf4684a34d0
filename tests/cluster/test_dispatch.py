"""What is due becomes jobs: only that, in slices, not while a panel is left alone, and not twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from smm_rules.cluster.dispatch import INTENT, Dispatch, PanelWork, slice_task, unit_of
from smm_rules.cluster.ledger import WorkerLedger
from smm_rules.cluster.queue import ACTS, LOOKS, Queue, Task
from smm_rules.cluster.runs import running
from smm_rules.cluster.standing import BALANCE, CATALOGUE, SharedStanding, make_standings, want
from smm_rules.daemon.units import Unit
from smm_rules.engine.firing import IntentDraft
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import NewOrder, Observed, Sweep
from smm_rules.panel.errors import Ambiguous
from smm_rules.polling.standing import Standing
from smm_rules.rules.model import StepKind
from tests.cluster.setting import PANEL, Site

HOUR = timedelta(hours=1)


@dataclass
class Taken:
    """A queue that notes what is deferred."""

    tasks: list[Task] = field(default_factory=list)

    async def defer(self, tasks: Sequence[Task], *, again: bool = False) -> int:
        self.tasks += tasks
        return len(tasks)


@dataclass
class Office:
    """Where jobs are handed out, for one panel whose balance and catalogue aren't due unless a test says
    so."""

    here: Site
    ledger: WorkerLedger
    dispatch: Dispatch
    taken: Taken
    epoch: int

    async def due(self, now: datetime | None = None) -> list[str]:
        self.taken.tasks.clear()
        await self.dispatch.all(now or self.here.clock.now())
        return sorted(task.name for task in self.taken.tasks)

    async def see(self, kind: EntityKind, name: str, due_in: timedelta) -> None:
        now = self.here.clock.now()
        facts = {"id": name} if name else {"amount": "1"}
        with running(self.epoch):
            await self.ledger.record(
                Sweep(now, (Observed(Entity(kind, PANEL, name), facts, True, now + due_in),))
            )

    async def track(self, count: int) -> None:
        orders = [NewOrder(Entity(EntityKind.ORDER, PANEL, str(number)), "1") for number in range(count)]
        await self.ledger.track(orders, self.here.clock.now())


async def office(here: Site, units: Sequence[Unit] = ()) -> Office:
    lease, ledger, taken = await here.lease(), await here.ledger(), Taken()
    await make_standings(here.database, [PANEL])

    def queue() -> Queue:
        return taken  # type: ignore[return-value]  # only defers

    work = {PANEL: PanelWork(slice_size=10, slices=3, actions=4)}
    dispatch = Dispatch(here.database, ledger, queue, work, units, timedelta(seconds=15))
    made = Office(here, ledger, dispatch, taken, lease.epoch)
    await made.see(EntityKind.BALANCE, "", HOUR)
    await made.see(EntityKind.SERVICE, "1", HOUR)
    return made


async def nothing() -> None:
    return


async def test_nothing_due_makes_no_job(here: Site) -> None:
    assert await (await office(here)).due() == []


async def test_due_orders_make_as_many_slices_as_they_fill_and_no_more_than_are_allowed(here: Site) -> None:
    there = await office(here)
    await there.track(1)
    assert await there.due() == [f"orders:{PANEL}"]
    await there.track(15)
    assert await there.due() == [f"orders:{PANEL}", f"orders:{PANEL}#1"]
    await there.track(500)
    assert await there.due() == [f"orders:{PANEL}", f"orders:{PANEL}#1", f"orders:{PANEL}#2"]
    assert {unit_of(slice_task(PANEL, number).name) for number in range(3)} == {f"orders:{PANEL}"}


async def test_balance_catalogue_and_refills_are_due_at_their_time(here: Site) -> None:
    there = await office(here)
    await there.see(EntityKind.REFILL, "7", timedelta(minutes=30))
    assert await there.due() == []
    later = here.clock.now() + 2 * HOUR
    assert await there.due(later) == [f"balance:{PANEL}", f"catalogue:{PANEL}", f"refills:{PANEL}"]


async def test_what_was_never_read_is_due_at_once(here: Site) -> None:
    there = await office(here)
    await here.database.rows(
        "DELETE FROM smm_rules.history; DELETE FROM smm_rules.facts; DELETE FROM entities"
    )
    assert await there.due() == [f"balance:{PANEL}", f"catalogue:{PANEL}"]


async def test_what_is_wanted_is_due_before_its_time(here: Site) -> None:
    there = await office(here)
    await want(here.database, [PANEL], BALANCE, here.clock.now())
    assert await there.due() == [f"balance:{PANEL}"]
    await want(here.database, [PANEL], CATALOGUE, here.clock.now())
    assert await there.due() == [f"balance:{PANEL}", f"catalogue:{PANEL}"]


async def test_a_panel_that_is_left_alone_is_asked_nothing_of_that_kind(here: Site) -> None:
    there = await office(here)
    await there.track(1)
    standing = Standing(PANEL)
    shared = SharedStanding(here.database, there.ledger, standing, HOUR)
    now = here.clock.now()
    await shared.before("orders", now)
    outage = standing.note_failure("orders", Ambiguous("502"), now)
    await shared.after("orders")
    looks = [name for name in await there.due() if not name.startswith("health")]
    assert looks == []
    after = [name for name in await there.due(outage.paused_until) if not name.startswith("health")]
    assert after == [f"orders:{PANEL}"]


async def test_health_is_judged_a_while_after_the_last_time_and_only_when_there_is_something(
    here: Site,
) -> None:
    there = await office(here)
    standing = Standing(PANEL)
    shared = SharedStanding(here.database, there.ledger, standing, HOUR)
    await shared.before("orders", here.clock.now())
    standing.note_answer("orders", here.clock.now())
    await shared.after("orders")
    assert await there.due() == [f"health:{PANEL}"]
    now = here.clock.now()
    with running(there.epoch):
        observed = Observed(Entity(EntityKind.PANEL, PANEL), {"name": PANEL}, True, None)
        await there.ledger.record(Sweep(now, (observed,)))
    assert await there.due(now + timedelta(seconds=10)) == []
    assert await there.due(now + timedelta(seconds=20)) == [f"health:{PANEL}"]


async def test_other_units_are_handed_out_by_the_servers_clock_once_each_time(here: Site) -> None:
    there = await office(here, [Unit("brakes", 3600.0, nothing), Unit("outbox", 3600.0, nothing)])
    assert await there.due() == ["brakes", "outbox"]
    assert await there.due() == []
    await here.database.rows("UPDATE units SET next_at = clock_timestamp() WHERE unit = 'outbox'")
    assert await there.due() == ["outbox"]


async def test_each_planned_action_is_a_job_and_those_about_one_order_share_a_lock(here: Site) -> None:
    there = await office(here)
    now = here.clock.now()
    for number, order in enumerate(("1", "1", "2")):
        entity = Entity(EntityKind.ORDER, PANEL, order)
        draft = IntentDraft(f"ask.{number}", StepKind.CANCEL, PANEL, {"order": order}, None, None)
        await there.ledger.ask(draft, entity, now, "tests")
    names = await there.due()
    assert [name.partition(":")[0] for name in names] == [INTENT] * 3
    first, second, _ = there.taken.tasks
    assert first.lock == second.lock
    assert {task.queue for task in there.taken.tasks} == {ACTS}
    assert slice_task(PANEL, 0).queue == LOOKS
