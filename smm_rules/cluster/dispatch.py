"""What is due, as jobs: looked for in the ledger once a second by one of all workers, by the server's clock.

Only what is due becomes a job, so the queue is as short as there is work, whatever the number of panels.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol
from zlib import crc32

from smm_rules.cluster.database import Database
from smm_rules.cluster.queue import ACTS, LOOKS, ORDINARY, SOON, Queue, Task
from smm_rules.daemon.units import Unit
from smm_rules.ledger.codec import to_micros
from smm_rules.ledger.records import Intent

#: The kinds of jobs.
UNIT, INTENT = "unit", "intent"
#: How many planned intents are handed out at once.
MOST_INTENTS = 500
#: Marks the slices of one panel's orders after the first.
SLICE = "#"

_PAUSED = "coalesce((p.outages -> '{0}' ->> 3)::bigint > %(now)s, false)"
_WANTED = """
  coalesce((p.wanted_at ->> '{0}')::bigint, 0) > coalesce((p.read_at ->> '{0}')::bigint, 0)
"""
#: Of all panels those with something due, found in the index of what is due. A look that fails is let be.
_PANELS = """
  SELECT panel, orders, refills, balance, catalogue, health FROM (
    SELECT p.panel,
      CASE WHEN NOT {paused} THEN
        (SELECT count(*) FROM (
          SELECT 1 FROM entities WHERE kind = 'order' AND panel = p.panel AND due_at <= %(now)s LIMIT %(most)s
        ) due)
      ELSE 0 END AS orders,
      NOT {paused_refills} AND EXISTS (
        SELECT 1 FROM entities WHERE kind = 'refill' AND panel = p.panel AND due_at <= %(now)s
      ) AS refills,
      NOT {paused_balance} AND ({wanted_balance} OR NOT EXISTS (
        SELECT 1 FROM entities WHERE kind = 'balance' AND panel = p.panel AND due_at > %(now)s
      )) AS balance,
      NOT {paused_catalogue} AND ({wanted_catalogue} OR coalesce(
        (SELECT min(due_at) FROM entities
          WHERE kind = 'service' AND panel = p.panel AND due_at IS NOT NULL), 0
      ) <= %(now)s) AS catalogue,
      p.health <> '{{}}' AND coalesce(
        (SELECT max(last_seen_at) FROM entities WHERE kind = 'panel' AND panel = p.panel), 0
      ) <= %(looked)s AS health
    FROM panels p WHERE p.panel = ANY(%(panels)s)
  ) due
  WHERE orders > 0 OR refills OR balance OR catalogue OR health
""".format(  # noqa: S608 - only constants are put in
    paused=_PAUSED.format("orders"),
    paused_refills=_PAUSED.format("refills"),
    paused_balance=_PAUSED.format("balance"),
    paused_catalogue=_PAUSED.format("catalogue"),
    wanted_balance=_WANTED.format("balance"),
    wanted_catalogue=_WANTED.format("catalogue"),
)
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


class Due(NamedTuple):
    """What is due on a panel. `orders` counts up to what all slices hold."""

    panel: str
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
        tasks = [task for due in await self._due(now) for task in self._looks(due)]
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
        looked = to_micros(now - self._health_every)
        values = {"now": to_micros(now), "looked": looked, "most": self._most, "panels": list(self._panels)}
        return [Due._make(row) for row in await self._database.rows(_PANELS, values)]

    def _looks(self, due: Due) -> list[Task]:
        work = self._panels[due.panel]
        slices = min(-(-due.orders // work.slice_size), work.slices)
        tasks = [slice_task(due.panel, number) for number in range(slices)]
        looks = {
            "refills": due.refills,
            "balance": due.balance,
            "catalogue": due.catalogue,
            "health": due.health,
        }
        return [*tasks, *(unit_task(f"{what}:{due.panel}") for what, is_due in looks.items() if is_due)]

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
