"""Where more is due than a panel can be asked about, what is not urgent makes room for what is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from smm_rules.engine.urgency import Bounds
from smm_rules.ledger.codec import to_micros
from smm_rules.ledger.records import DueOrder
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.panel.errors import Unreadable
from smm_rules.polling.orders import sweep_orders
from smm_rules.polling.pacing import Backlog
from smm_rules.polling.watch import PanelWatch
from tests.polling.world import HOUR, MINUTE, T0, TELL, World, order, state

BOUNDS = Bounds(MINUTE, HOUR)
SECOND = timedelta(seconds=1)


def due(*overdue: timedelta, now: datetime) -> list[DueOrder]:
    """Orders that have been due for so long, the most overdue first."""
    return [
        DueOrder(row, str(row), None, None, None, None, None, to_micros(now - late))
        for row, late in enumerate(overdue)
    ]


NONE = timedelta()
BEHIND = [4 * MINUTE, MINUTE]


def lateness(*sweeps: tuple[timedelta, Sequence[timedelta]], backlog: Backlog | None = None) -> timedelta:
    """What a backlog comes to over sweeps of two orders at most, each so long after the one before."""
    found, now = backlog or Backlog(), T0
    for after, overdue in sweeps:
        now += after
        found.note(due(*overdue, now=now), 2, now, BOUNDS)
    return found.late


@pytest.mark.parametrize("taken", [[HOUR], [HOUR, -SECOND], []], ids=["fewer", "filled", "none"])
def test_a_sweep_that_takes_all_that_is_due_leaves_no_backlog(taken: list[timedelta]) -> None:
    assert lateness(*[(MINUTE, taken)] * 100) == NONE


def test_a_lasting_backlog_is_as_late_as_its_latest_looks() -> None:
    assert lateness(*[(MINUTE, BEHIND)] * 600) == 3 * MINUTE + 30 * SECOND  # rounded down from 4 minutes


def test_a_backlog_is_noted_little_by_little_and_forgotten_likewise() -> None:
    backlog = Backlog()
    grown = [lateness((MINUTE, BEHIND), backlog=backlog)]
    for turn in range(1, 240):
        backlog.note(due(*BEHIND, now=T0 + turn * MINUTE), 2, T0 + turn * MINUTE, BOUNDS)
        grown.append(backlog.late)
    faded = []
    for turn in range(240, 700):
        backlog.note((), 2, T0 + turn * MINUTE, BOUNDS)
        faded.append(backlog.late)
    assert (grown[0], faded[-1]) == (NONE, NONE)
    assert grown == sorted(grown)
    assert faded == sorted(faded, reverse=True)
    assert len({*grown, *faded}) < 20  # of 700: it seldom changes


def test_what_came_due_while_nobody_looked_weighs_no_more_than_the_time_to_work_it_off() -> None:
    late = [10 * HOUR, 9 * HOUR]
    assert lateness((NONE, late)) == NONE
    assert lateness((NONE, late), (10 * HOUR, late), (SECOND, [])) < MINUTE


def test_the_time_in_which_a_panel_does_not_answer_is_none_of_a_backlog() -> None:
    backlog = Backlog()
    for turn in range(100):
        now = T0 + turn * MINUTE
        backlog.note(due(HOUR, HOUR, now=now), 2, now, BOUNDS)
        backlog.interrupt()
    assert backlog.late == NONE


def test_a_clock_that_was_set_back_is_no_backlog() -> None:
    assert lateness((NONE, BEHIND), *[(-HOUR, BEHIND)] * 100) == NONE


class Unchanging(Backlog):
    """Takes no notice: without a lateness everybody is equally late."""

    def note(self, due: Sequence[DueOrder], most: int, now: datetime, bounds: Bounds) -> None:
        pass


@dataclass
class Crowd:
    """A panel that can be asked about five orders every 20 seconds, and far more that are worth asking about.

    The first five are about to end all the time; nothing moves in the others, taken in over the first hour.
    """

    world: World
    watch: PanelWatch
    seen: dict[str, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    urgent: tuple[str, ...] = tuple(str(number) for number in range(5))
    dull: tuple[str, ...] = tuple(str(number) for number in range(5, 305))

    async def live(self, span: timedelta) -> None:
        self.world.panel.orders |= dict.fromkeys(self.dull, state("In progress", 1000))
        self.world.panel.orders |= dict.fromkeys(self.urgent, state("Pending", 1000))
        await self.world.track(*self.urgent)
        for turn in range(span // (20 * SECOND)):
            if new := self.dull[2 * turn : 2 * turn + 2]:
                await self.world.track(*new)
            await sweep_orders(self.watch)
            for name in self.world.panel.asked[-1][1]:
                self.seen[name].append(self.world.clock.now())
            self.world.clock.move(20 * SECOND)
            self.world.panel.orders |= dict.fromkeys(self.urgent, state("In progress", 1 + turn % 2))

    def between_looks(self, names: Sequence[str], since: datetime) -> list[timedelta]:
        """The times between two looks at one of these from then on, the shortest first."""
        return sorted(
            later - sooner
            for name in names
            for sooner, later in zip(self.seen[name], self.seen[name][1:], strict=False)
            if sooner >= since
        )


async def crowded(world: World, backlog: Backlog) -> Crowd:
    world.use(TELL)
    watch = await world.acquainted(sweep_size=5)
    watch.pace = replace(watch.pace, bounds=BOUNDS)
    watch.backlog = backlog
    return Crowd(world, watch)


def percentile(times: Sequence[timedelta], share: float) -> timedelta:
    return times[int(len(times) * share)]


async def test_under_overload_urgent_orders_stay_near_their_pace(tmp_path: Path) -> None:
    """All late alike in the order they came due; and with others giving way, by a multiple."""
    looks = {}
    for kind in (Unchanging, Backlog):
        async with await SqliteLedger.in_memory() as ledger:
            crowd = await crowded(World(tmp_path, ledger), kind())
            await crowd.live(4 * HOUR)
            for names in (crowd.urgent, crowd.dull):
                looks[kind, names is crowd.urgent] = crowd.between_looks(names, T0 + 2 * HOUR)
    late = {of: percentile(looks[of], 0.95) for of in looks}
    assert late[Backlog, True] < late[Unchanging, True] / 2
    assert late[Unchanging, True] > late[Unchanging, False] / 2
    assert late[Backlog, True] < late[Backlog, False] / 4
    assert looks[Backlog, False][-1] <= BOUNDS.slowest


async def test_orders_at_rest_give_way_too(world: World) -> None:
    crowd = await crowded(world, Backlog())
    world.panel.orders |= dict.fromkeys(crowd.dull, state("In progress", 1000))
    await world.track("10")
    await sweep_orders(crowd.watch)
    await world.later(crowd.watch, 10 * MINUTE)
    [rests] = await world.ledger.due_orders("north", world.clock.now() + HOUR, 1)
    assert rests.pace is not None
    crowd.watch.backlog = Unchanging(2 * MINUTE)
    await world.ledger.postpone([order("10")], world.clock.now())
    await sweep_orders(crowd.watch)
    [late] = await world.ledger.due_orders("north", world.clock.now() + HOUR, 1)
    assert late.pace is not None
    assert late.pace > 2 * rests.pace


async def test_a_panel_that_is_away_for_hours_leaves_no_backlog_behind(world: World) -> None:
    crowd = await crowded(world, Backlog())
    world.panel.orders |= dict.fromkeys(crowd.dull[:20], state("In progress", 1000))
    await world.track(*crowd.dull[:20])
    await world.later(crowd.watch, MINUTE)
    world.panel.failing["orders"] = Unreadable("nonsense")
    for _ in range(120):
        await world.later(crowd.watch, MINUTE)
    assert crowd.watch.backlog.late == NONE


async def test_orders_that_keep_the_same_pace_know_no_backlog(world: World) -> None:
    crowd = await crowded(world, Backlog())
    crowd.watch.pace = replace(crowd.watch.pace, bounds=None)
    await crowd.live(HOUR)
    assert crowd.watch.backlog == Backlog()
