"""One request budget a panel for all workers: a bucket of tokens in a row of the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from smm_rules.cluster.database import Database, ServerAway
from smm_rules.observe import get_logger
from smm_rules.panel.budget import Places, shape
from smm_rules.panel.errors import NotSent
from smm_rules.panel.sending import machine_time

log = get_logger(__name__)

#: How long a token taken in advance for a paid call may be kept, in seconds, before it is taken for stale.
POCKETED_SECONDS = 5.0
#: How long ordinary turns stand back for a paid call beyond the moment its turn should come, in seconds: it
#: has to ask again.
STAND_BACK_SECONDS = 1.0
#: How long a server that is away is waited for before the request is given up unsent, in seconds.
PATIENCE_SECONDS = 30.0
#: Pauses between two questions, in seconds.
_SHORTEST, _LONGEST, _AWAY = 0.02, 5.0, 0.5

_MAKE = "INSERT INTO budgets (panel, tokens) SELECT unnest(%s::text[]), 0 ON CONFLICT DO NOTHING"
#: One statement: what has leaked into the bucket since it was looked at last, and a token out of it if one is
#: there and nobody else goes first. Gives whether it was had, and the seconds until it may be.
_TAKE = """
  WITH bucket AS (
    SELECT panel, clock_timestamp() AS at, resume_at, urgent_until,
      least(%(burst)s, tokens + %(rate)s * extract(epoch FROM clock_timestamp() - counted_at)) AS tokens
    FROM budgets WHERE panel = %(panel)s FOR UPDATE
  ), turn AS (
    SELECT *, tokens >= 1 AND resume_at <= at AND (%(urgent)s OR urgent_until <= at) AS had FROM bucket
  )
  UPDATE budgets b SET
    tokens = turn.tokens - turn.had::int,
    counted_at = turn.at,
    urgent_until = CASE
      WHEN NOT %(urgent)s THEN b.urgent_until
      WHEN turn.had THEN turn.at
      ELSE greatest(turn.resume_at, turn.at)
        + make_interval(secs => greatest(0, (1 - turn.tokens) / %(rate)s)) + %(stand_back)s
    END
  FROM turn WHERE b.panel = turn.panel
  RETURNING turn.had, greatest(
    (1 - turn.tokens) / %(rate)s,
    extract(epoch FROM greatest(turn.resume_at, CASE WHEN %(urgent)s THEN turn.at ELSE turn.urgent_until END)
      - turn.at)
  )::double precision
"""
_PAUSE = """
  UPDATE budgets SET resume_at = greatest(resume_at, clock_timestamp() + %s) WHERE panel = %s
"""


async def make_budgets(database: Database, panels: list[str]) -> None:
    """A row for each panel that has none. It begins empty: workers that are started anew give no extra
    burst."""
    await database.rows(_MAKE, (panels,))


class SharedBudget:
    """Turns to ask one panel, as `panel.budget.Budget` gives them, for all workers together.

    In no minute do more than `requests_per_minute` turns begin over all workers. At most `connections` are
    under way in this one. An urgent turn (a paid call) that had to wait makes the ordinary ones stand back.
    `ready` takes the urgent turn in advance, so that a claimed call needn't ask for it.
    """

    def __init__(
        self,
        database: Database,
        panel: str,
        requests_per_minute: int,
        connections: int,
        machine: Callable[[], float] = machine_time,
    ) -> None:
        burst, rate = shape(requests_per_minute)
        self._database = database
        self._panel = panel
        self._shape = {"panel": panel, "burst": burst, "rate": rate}
        self._places = Places(connections)
        self._machine = machine
        self._pocketed: list[float] = []
        self._resume_at = 0.0
        self._pausing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def turn(self, *, urgent: bool) -> AsyncIterator[None]:
        """Wait for a turn, and hold a place among the requests under way for the block.

        `NotSent` when the server can't be asked for long: nothing was sent.
        """
        await self._places.take(urgent=urgent)
        try:
            if not (urgent and self._from_pocket()):
                await self._take(urgent=urgent)
            yield
        finally:
            self._places.give_back()

    async def ready(self) -> None:
        """Take an urgent turn in advance. `NotSent` as above."""
        await self._take(urgent=True)
        self._pocketed.append(self._machine())

    def pause(self, duration: timedelta) -> None:
        """Begin no turn for `duration`, in no worker: the panel asked for it."""
        self._resume_at = max(self._resume_at, self._machine() + duration.total_seconds())
        task = asyncio.create_task(self._share_pause(duration))
        self._pausing.add(task)
        task.add_done_callback(self._pausing.discard)

    async def _share_pause(self, duration: timedelta) -> None:
        try:
            await self._database.rows(_PAUSE, (duration, self._panel))
        except ServerAway as error:
            log.warning("worker.pause_unshared", panel=self._panel, error=str(error))

    def _from_pocket(self) -> bool:
        """Whether a turn taken in advance is still good."""
        oldest = self._machine() - POCKETED_SECONDS
        self._pocketed = [taken for taken in self._pocketed if taken > oldest]
        if not self._pocketed or self._resume_at > self._machine():
            return False
        self._pocketed.pop(0)
        return True

    async def _take(self, *, urgent: bool) -> None:
        give_up = self._machine() + PATIENCE_SECONDS
        while True:
            pause = self._resume_at - self._machine()
            if pause > 0:
                await asyncio.sleep(pause)
                continue
            try:
                had, wait = await self._ask(urgent=urgent)
                give_up = self._machine() + PATIENCE_SECONDS
            except ServerAway as error:
                if self._machine() > give_up:
                    raise NotSent(f"the request budget can't be asked for: {error}") from None
                had, wait = False, _AWAY
            if had:
                return
            await asyncio.sleep(min(max(wait, _SHORTEST), _LONGEST))

    async def _ask(self, *, urgent: bool) -> tuple[bool, float]:
        values = {**self._shape, "urgent": urgent, "stand_back": timedelta(seconds=STAND_BACK_SECONDS)}
        async with self._database.connection() as connection:
            cursor = await connection.execute(_TAKE.encode(), values)
            row = await cursor.fetchone()
        if row is None:
            raise ServerAway(f"panel {self._panel} has no budget in the ledger; restart the worker")
        return bool(row[0]), float(row[1])
