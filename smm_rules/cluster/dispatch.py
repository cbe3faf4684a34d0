"""What is due, as jobs: looked for in the ledger once a second by one of all workers, by the server's clock.

Only what is due becomes a job, so the queue is as short as there is work, whatever the number of panels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol
from zlib import crc32

from smm_rules.cluster.database import Database
from smm_rules.cluster.queue import ACTS, LOOKS, ORDINARY, SOON, Queue, Task
from smm_rules.cluster.standing import Known, facts_of, known_from
from smm_rules.daemon.units import Unit
from smm_rules.ledger.codec import to_micros
from smm_rules.ledger.records import Intent

#: The kinds of jobs.
UNIT, INTENT = "unit", "intent"
#: How many planned intents are handed out at once.
MOST_INTENTS = 500
#: Marks the slices of one panel's orders after the first.
SLICE = "#"

_PANELS = """
  SELECT p.panel, p.version, p.outages, p.tried, p.read_at, p.wanted_at, p.health,
    (SELECT count(*) FROM (
      SELECT 1 FROM entities WHERE kind = 'order' AND panel = p.panel AND due_at <= %(now)s LIMIT %(most)s
    ) due),
    EXISTS (SELECT 1 FROM entities WHERE kind = 'refill' AND panel = p.panel AND due_at <= %(now)s),
    NOT EXISTS (SELECT 1 FROM entities WHERE kind = 'balance' AND panel = p.panel AND due_at > %(now)s),
    coalesce(
      (SELECT min(due_at) FROM entities WHERE kind = 'service' AND panel = p.panel AND due_at IS NOT NULL), 0
    ) <= %(now)s,
    (SELECT last_seen_at FROM entities WHERE kind = 'panel' AND panel = p.panel AND forgotten_at IS NULL)
  FROM panels p WHERE p.panel = ANY(%(panels)s)
"""
#: Those whose time has come by the server's clock, each handed out once until it has come again.
_UNITS = """
  INSERT INTO units AS u (unit, next_at)
  SELECT unit, clock_timestamp() + every
  FROM unnest(%s::text[], %s::interval[]) AS asked (unit, every)
  ON CONFLICT (unit) DO UPDATE SET next_at = excluded.next_at WHERE u.next_at <= clock_timestamp()
  RETURNING unit
"""


class ClaimableLedger(Protocol):
    """Where planned intents are found."""

    async def claimable(self, now: datetime, limit: int) -> tuple[Intent, ...]: ...


@dataclass(frozen=True, slots=True)
class PanelWork:
    """How much of one panel's orders a slice is, how many slices there may be at once, and how many
    actions may be under way."""

    slice_size: int
    slices: int
    actions: int


@dataclass(frozen=True, slots=True)
class Due:
    """What is due on a panel. `orders` counts up to what all slices hold."""

    panel: str
    known: Known
    orders: int
    refills: bool
    balance: bool
    catalogue: bool
    health: bool


class Dispatch:
    """Turns what is due into jobs. `units` are those that are no looks at a panel."""

    def __init__(
        self,
        database: Database,
        ledger: ClaimableLedger,
        queue: Callable[[], Queue],
        panels: Mapping[str, PanelWork],
        units: Sequence[Unit],
        health_every: timedelta,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._queue = queue
        self._panels = panels
        self._units = {unit.name: timedelta(seconds=unit.every) for unit in units}
        self._health_every = health_every
        self._most = max((work.slices * work.slice_size for work in panels.values()), default=1)

    async def all(self, now: datetime) -> int:
        """Defer everything that is due; how many jobs that were."""
        tasks = [task for due in await self._due(now) for task in self._looks(due, now)]
        tasks += [unit_task(name) for name in await self._units_due()]
        return await self._queue().defer(tasks) + await self.intents(now)

    async def intents(self, now: datetime) -> int:
        """Defer a job for each planned intent whose time has come; how many."""
        found = await self._ledger.claimable(now, MOST_INTENTS)
        return await self._queue().defer([self.intent_task(intent) for intent in found])

    def intent_task(self, intent: Intent) -> Task:
        """Actions about one order share a lock, and there are no more locks a panel than it takes calls."""
        work = self._panels.get(intent.panel)
        line = crc32(str(intent.entity).encode()) % (work.actions if work is not None else 1)
        return Task(ACTS, INTENT, f"{INTENT}:{intent.id}", f"{INTENT}:{intent.panel}:{line}", SOON)

    async def _due(self, now: datetime) -> list[Due]:
        at = to_micros(now)
        values = {"now": at, "most": self._most, "panels": list(self._panels)}
        found = await self._database.rows(_PANELS, values)
        return [self._read(row, now) for row in found]

    def _read(self, row: tuple[object, ...], now: datetime) -> Due:
        panel, orders, refills, balance, catalogue, seen_at = str(row[0]), *row[7:]
        known = known_from(row[1:7])
        looked = to_micros(now - self._health_every)
        return Due(
            panel,
            known,
            orders if isinstance(orders, int) else 0,
            bool(refills),
            bool(balance) or known.wanted("balance"),
            bool(catalogue) or known.wanted("catalogue"),
            bool(known.tried)
            and (not isinstance(seen_at, int) or seen_at <= looked)
            and bool(facts_of(known)),
        )

    def _looks(self, due: Due, now: datetime) -> list[Task]:
        tasks = []
        if due.orders and not due.known.paused("orders", now):
            work = self._panels[due.panel]
            wanted = min(-(-due.orders // work.slice_size), work.slices)
            tasks += [slice_task(due.panel, number) for number in range(wanted)]
        looks = {"refills": due.refills, "balance": due.balance, "catalogue": due.catalogue}
        tasks += [
            unit_task(f"{what}:{due.panel}")
            for what, is_due in looks.items()
            if is_due and not due.known.paused(what, now)
        ]
        if due.health:
            tasks.append(unit_task(f"health:{due.panel}"))
        return tasks

    async def _units_due(self) -> list[str]:
        names = list(self._units)
        found = await self._database.rows(_UNITS, (names, [self._units[name] for name in names]))
        return [str(row[0]) for row in found]


def unit_task(name: str) -> Task:
    """The job of a unit. What is asked of a panel waits in another queue than what acts and tells."""
    queue = LOOKS if ":" in name else ACTS
    return Task(queue, UNIT, name, name, ORDINARY)


def slice_task(panel: str, number: int) -> Task:
    """The job of one slice of a panel's due orders: which they are is settled when it begins."""
    name = f"orders:{panel}" + (f"{SLICE}{number}" if number else "")
    return unit_task(name)


def unit_of(name: str) -> str:
    """The unit that a job's name asks for."""
    return name.partition(SLICE)[0]
