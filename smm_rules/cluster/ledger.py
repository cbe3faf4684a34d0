"""The ledger as a worker has it: what it decides counts only while its lease lasts.

- Due orders and refills are taken by one run at a time: no two workers ask about the same ones at once.
- A sweep is recorded only while the lease under which it began lasts, the rules it was judged by are in
  force, and what it took is still its own. So a worker that was stopped in the middle of a look can't write
  down what has become old, though its turn ended meanwhile.
- A claim carries the epoch of the lease. That the lease lasts is checked by the database itself, in the
  claim's own transaction (schema.sql).

What became of an action is always written down: it is true whoever says it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from smm_rules.cluster.database import SCHEMA
from smm_rules.cluster.runs import Run, current
from smm_rules.engine.guards import Guards
from smm_rules.facts import EntityKind
from smm_rules.ledger.codec import storable, to_json
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import PostgresLedger
from smm_rules.ledger.records import DueOrder, Leave, Recorded, Sweep, Watched
from smm_rules.ledger.sql import entities, rest, sweeps
from smm_rules.ledger.sql.query import Connection, cell, changed, first, rows

#: Tells the lock of those who take due things apart from the turns about a panel.
_TAKING = 3
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(CAST(? AS integer), hashtext(?))"
_TAKEN = f"SELECT name FROM {SCHEMA}.reads WHERE kind = ? AND panel = ?"  # noqa: S608 - a constant
_TAKE = f"""
  INSERT INTO {SCHEMA}.reads (kind, panel, name, epoch, run)
  SELECT ?1, ?2, named.value, ?4, ?5 FROM json_each(?3) named ON CONFLICT DO NOTHING
"""  # noqa: S608 - as above
_STILL_TAKEN = f"SELECT count(*) FROM {SCHEMA}.reads WHERE epoch = ? AND run = ?"  # noqa: S608 - as above
_LASTS = f"""
  SELECT (SELECT max(generation) FROM {SCHEMA}.rules) FROM {SCHEMA}.leases
  WHERE epoch = ? AND ended_at IS NULL AND lease_until > clock_timestamp()
"""  # noqa: S608 - as above


class Fenced(LedgerError):
    """The lease has ended: the worker was taken for dead, and others have taken over what it was at."""


class WorkerLedger(PostgresLedger):
    """A PostgreSQL ledger opened by a worker. What decides is called within a run (`cluster.runs`)."""

    async def due(self, kind: EntityKind, panel: str, now: datetime, limit: int) -> tuple[Watched, ...]:
        """Those that no other run has taken; they are this run's until it ends."""
        run = current()
        found = await self._write_beside(_take, run, kind, panel, now, limit)
        run.taken += len(found)
        return found

    async def due_orders(self, panel: str, now: datetime, limit: int, batch: int = 1) -> tuple[DueOrder, ...]:
        run = current()
        found = await self._write_beside(_take_orders, run, panel, now, limit, batch)
        run.taken += len(found)
        return found

    async def record(self, sweep: Sweep) -> Recorded:
        write = self._write if sweep.firings else self._write_beside
        return await write(_record, current(), sweep, self._guards)

    async def claim(
        self,
        intent_id: int,
        owner: str,
        now: datetime,
        evidence: Mapping[str, str],
        cost: Decimal | None = None,
        currency: str | None = None,
    ) -> bool:
        """Under the lease of this run, in place of `owner`. False also when that lease has ended."""
        del owner
        return await super().claim(intent_id, current().owner, now, evidence, cost, currency)

    async def take_back_doubtful(self) -> None:
        """Plan again what this worker couldn't tell whether it had claimed: it sent nothing of it.

        A daemon does so whenever it looks for what is planned; a worker may not do that for long.
        """
        await self._take_back_doubtful()

    async def may_leave(self, intent_id: int, owner: str, attempt: int, now: datetime) -> Leave:
        del owner
        return await super().may_leave(intent_id, current().owner, attempt, now)


def _take(
    connection: Connection, run: Run, kind: EntityKind, panel: str, now: datetime, limit: int
) -> tuple[Watched, ...]:
    """The most overdue that are free."""
    taken = _taken(connection, kind, panel)
    found = entities.due(connection, kind, panel, now, limit + len(taken))
    free = [one for one in found if one.entity.id not in taken][:limit]
    _note(connection, run, kind, panel, [one.entity.id for one in free])
    return tuple(free)


def _take_orders(
    connection: Connection, run: Run, panel: str, now: datetime, limit: int, batch: int
) -> tuple[DueOrder, ...]:
    taken = _taken(connection, EntityKind.ORDER, panel)
    found = rest.due_orders(connection, panel, now, limit + len(taken), batch)
    free = [one for one in found if one.id not in taken][:limit]
    _note(connection, run, EntityKind.ORDER, panel, [one.id for one in free])
    return tuple(free)


def _taken(connection: Connection, kind: EntityKind, panel: str) -> frozenset[str]:
    """What runs have taken, after waiting for whoever is just taking something there."""
    rows(connection, _ONE_AT_A_TIME, (_TAKING, f"{kind}/{panel}"))
    return frozenset(name for (name,) in rows(connection, _TAKEN, (kind.value, storable(panel))))


def _note(connection: Connection, run: Run, kind: EntityKind, panel: str, names: Sequence[str]) -> None:
    if not names:
        return
    _check_lease(connection, run)
    texts = to_json([storable(name) for name in names])
    changed(connection, _TAKE, (kind.value, storable(panel), texts, run.epoch, run.number))


def _record(connection: Connection, run: Run, sweep: Sweep, guards: Guards) -> Recorded:
    _check_lease(connection, run)
    if run.taken and int(cell(connection, _STILL_TAKEN, (run.epoch, run.number))) < run.taken:
        raise Fenced("what this look was about was taken over by others; what it read is dropped")
    return sweeps.record(connection, sweep, guards)


def _check_lease(connection: Connection, run: Run) -> None:
    found = first(connection, _LASTS, (run.epoch,))
    if found is None:
        raise Fenced(f"the lease of epoch {run.epoch} has ended; what was read under it is dropped")
    if run.rules is not None and found[0] != run.rules:
        raise Fenced("other rules are in force by now; what was judged by the old ones is dropped")
