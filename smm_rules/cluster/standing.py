"""What the workers know of a panel together: outages, what was read when, how it has been answering.

Each worker keeps its own copy (`polling.standing`), brought up to date before a look and written back after
it. What is written are changes by kind of look, so that two looks at once lose nothing of each other.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from smm_rules.cluster.database import Database
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.codec import decode_facts, encode_facts, from_micros, to_micros
from smm_rules.ledger.records import Watched
from smm_rules.polling.standing import Outage, Standing

_MAKE = "INSERT INTO panels (panel) SELECT unnest(%s::text[]) ON CONFLICT DO NOTHING"
_COLUMNS = "version, outages, tried, read_at, wanted_at, health"
_READ = f"SELECT {_COLUMNS} FROM panels WHERE panel = %s"  # noqa: S608 - only a constant is put in
_READ_ALL = f"SELECT panel, {_COLUMNS} FROM panels WHERE panel = ANY(%s::text[])"  # noqa: S608 - a constant
_WRITE = """
  UPDATE panels SET
    version = version + 1,
    outages = (outages - %(ended)s::text[]) || %(outages)s::jsonb,
    tried = tried || %(tried)s::jsonb,
    read_at = read_at || %(read_at)s::jsonb,
    health = (health - %(gone)s::text[]) || %(health)s::jsonb
  WHERE panel = %(panel)s RETURNING version
"""
_WANT = """
  UPDATE panels SET version = version + 1, wanted_at = wanted_at || %s::jsonb
  WHERE panel = ANY(%s::text[])
"""
_END_PAUSES = "UPDATE panels SET version = version + 1, outages = '{}' WHERE panel = ANY(%s::text[])"

BALANCE, CATALOGUE, HEALTH = "balance", "catalogue", "health"


class StandingLedger(Protocol):
    """What is read from the ledger."""

    async def watched(self, entity: Entity) -> Watched | None: ...

    async def watched_page(
        self, kind: EntityKind, panel: str | None, after: Entity | None, limit: int
    ) -> tuple[Watched, ...]: ...


async def make_standings(database: Database, panels: list[str]) -> None:
    """A row for each panel that has none."""
    await database.rows(_MAKE, (panels,))


async def want(database: Database, panels: list[str], what: str, now: datetime) -> None:
    """Ask for a look at the balance or catalogue of these panels before its time."""
    await database.rows(_WANT, (json.dumps({what: to_micros(now)}), panels))


async def end_pauses(database: Database, panels: list[str]) -> None:
    """Leave no panel alone any longer."""
    await database.rows(_END_PAUSES, (panels,))


@dataclass(frozen=True, slots=True)
class Known:
    """A panel's row. Instants are microseconds since 1970."""

    version: int = -1
    outages: Mapping[str, Outage] = field(default_factory=dict)
    tried: Mapping[str, int] = field(default_factory=dict)
    read_at: Mapping[str, int] = field(default_factory=dict)
    wanted_at: Mapping[str, int] = field(default_factory=dict)
    health: Mapping[str, Any] = field(default_factory=dict)

    def wanted(self, what: str) -> bool:
        """Whether a reading begun since it was asked for is still missing."""
        return self.wanted_at.get(what, 0) > self.read_at.get(what, 0)

    def paused(self, what: str, now: datetime) -> bool:
        """Whether a look is being left alone after a failure."""
        outage = self.outages.get(what)
        return outage is not None and now < outage.paused_until


def known_from(row: tuple[Any, ...]) -> Known:
    """A row of the columns of `_READ` as a record."""
    version, outages, tried, read_at, wanted_at, health = row
    return Known(
        version, {what: _outage(one) for what, one in outages.items()}, tried, read_at, wanted_at, health
    )


class SharedStanding:
    """One panel's standing in this worker, kept in step with what all workers know of it."""

    def __init__(
        self, database: Database, ledger: StandingLedger, standing: Standing, tried_lately: timedelta
    ) -> None:
        """A look counts as tried since the start when it was within `tried_lately`."""
        self._database = database
        self._ledger = ledger
        self._standing = standing
        self._tried_lately = tried_lately
        self._known = Known()
        self._looks = 0
        self._begun: dict[str, datetime] = {}

    async def before(self, what: str, now: datetime) -> None:
        """A look of kind `what` is about to begin: take over what other workers found out.

        While another look of this worker is under way nothing is taken over: what that one has found out is
        not written yet, and its copy is as old as itself at most.
        """
        self._looks += 1
        self._begun[what] = now
        if self._looks > 1:
            return
        row = await self._database.row(_READ, (self._standing.panel,))
        if row is not None and row[0] != self._known.version:
            await self._take_over(known_from(row), what, now)

    async def after(self, what: str) -> None:
        """The look has ended, however: write down what it found out."""
        self._looks -= 1
        begun = self._begun.pop(what, None)
        changes = self._changes(what, begun)
        if changes is not None:
            row = await self._database.row(_WRITE, changes)
            self._note(changes, -1 if row is None else row[0])

    def note_health(self, known: Known) -> None:
        """Take over how the panel has been answering, for those who only want to know."""
        if not self._looks and known.version != self._known.version:
            self._standing.health_facts = {**facts_of(known), "name": self._standing.panel}

    async def _take_over(self, known: Known, what: str, now: datetime) -> None:
        standing = self._standing
        if known.read_at.get(CATALOGUE) != self._known.read_at.get(CATALOGUE):
            standing.services.clear()
            await standing.load(self._ledger)
        elif known.read_at.get(BALANCE) != self._known.read_at.get(BALANCE):
            standing.balance = await self._ledger.watched(Entity(EntityKind.BALANCE, standing.panel))
        if what == HEALTH:
            standing.health = await self._ledger.watched(Entity(EntityKind.PANEL, standing.panel))
        lately = to_micros(now - self._tried_lately)
        standing.take_over(
            outages=known.outages,
            health=facts_of(known) or standing.health_facts,
            tried={name for name, at in known.tried.items() if at >= lately},
            balance_wanted=known.wanted(BALANCE),
            catalogue_wanted=known.wanted(CATALOGUE),
        )
        self._known = known

    def _changes(self, what: str, begun: datetime | None) -> dict[str, object] | None:
        """What this look changed, as the values of `_WRITE`; None when it changed nothing."""
        standing, known = self._standing, self._known
        outage = standing.outages.get(what)
        health = json.loads(encode_facts(standing.health_facts))
        changed = {name: value for name, value in health.items() if known.health.get(name) != value}
        tried = what in standing.tried and begun is not None
        wanted = standing.balance_wanted if what == BALANCE else standing.catalogue_wanted
        answered = tried and outage is None and what in (BALANCE, CATALOGUE) and not wanted
        if outage == known.outages.get(what) and not changed:
            return None
        at = to_micros(begun) if begun is not None else 0
        return {
            "panel": standing.panel,
            "ended": [what] if outage is None else [],
            "outages": json.dumps({} if outage is None else {what: _written(outage)}),
            "tried": json.dumps({what: at} if tried else {}),
            "read_at": json.dumps({what: at} if answered else {}),
            "gone": [name for name in known.health if name not in health],
            "health": json.dumps(changed),
        }

    def _note(self, changes: Mapping[str, Any], version: int) -> None:
        """What was written is known. Where others have written, too, the row is read again before the next
        look."""
        known = self._known
        gone = set(changes["gone"])
        health = {name: value for name, value in known.health.items() if name not in gone}
        outages = {what: one for what, one in known.outages.items() if what not in changes["ended"]}
        written = {what: _outage(one) for what, one in json.loads(changes["outages"]).items()}
        self._known = Known(
            version if version == known.version + 1 else known.version,
            outages | written,
            {**known.tried, **json.loads(changes["tried"])},
            {**known.read_at, **json.loads(changes["read_at"])},
            known.wanted_at,
            health | json.loads(changes["health"]),
        )


async def read_all(database: Database, panels: list[str]) -> dict[str, Known]:
    """The rows of these panels."""
    found = await database.rows(_READ_ALL, (panels,))
    return {str(row[0]): known_from(row[1:]) for row in found}


def facts_of(known: Known) -> Facts:
    """A panel's health as facts."""
    return decode_facts(json.dumps(known.health)) if known.health else {}


def _written(outage: Outage) -> list[object]:
    return [to_micros(outage.since), outage.failures, outage.error, to_micros(outage.paused_until)]


def _outage(written: Any) -> Outage:
    since, failures, error, paused_until = written
    return Outage(from_micros(since), int(failures), str(error), from_micros(paused_until))
