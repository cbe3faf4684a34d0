"""How the daemon stands, gathered from the ledger for `status`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from smm_rules.actions.queueing import Behind, waiting_behind_stopped
from smm_rules.config.model import Configuration
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.ledger.holds import HoldReason
from smm_rules.ledger.records import Heartbeat, Intent, IntentState, Totals
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.ledger.stops import Stop
from smm_rules.polling.carried import HTTP_INTAKE, STAMP

#: A daemon beats every 20 seconds; one silent for longer than this is stuck.
SILENT_AFTER = timedelta(minutes=2)
#: What the last heartbeat says when the daemon ended in order.
_STOPPED = "stopped"
#: How many intents that wait for the operator are listed.
MOST_LISTED = 20


class DaemonState(StrEnum):
    RUNNING = "running"
    STUCK = "stuck"
    STOPPED = "stopped"
    GONE = "gone"
    NEVER_RAN = "never ran"


@dataclass(frozen=True, slots=True)
class DaemonStanding:
    """The daemon as its lock and its heartbeat tell. `process` is empty where none has the lock.

    `http_intake` is where that is served or why it isn't, empty where none is wanted. `workers` are the
    processes that share the work; where there are some there is no daemon beside them.
    """

    state: DaemonState
    process: str
    started_at: datetime | None
    beat_at: datetime | None
    mode: str
    http_intake: str = ""
    workers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PanelStanding:
    """One panel as last read. `reachable` is None until the daemon has written how it answered.

    `overdue_since` is when the order most overdue should have been read, None where none is overdue.
    """

    panel: str
    reachable: bool | None
    last_answer_at: datetime | None
    failing_since: datetime | None
    last_error: str
    balance: Decimal | None
    currency: str | None
    overdue_since: datetime | None = None

    def late(self, now: datetime) -> timedelta:
        """How long the order most overdue has waited."""
        return timedelta() if self.overdue_since is None else max(now - self.overdue_since, timedelta())


@dataclass(frozen=True, slots=True)
class Standing:
    """Everything `status` tells.

    `held_back` is why nothing is sent, as after a restore; `stamp_trouble` why the stamp can't be used, which
    keeps everything from being sent, too, and is empty when it can.
    `behind` are actions that wait behind stopped ones about the same orders.
    """

    daemon: DaemonStanding
    panels: tuple[PanelStanding, ...]
    totals: Totals
    unknown: tuple[Intent, ...]
    held: tuple[Intent, ...]
    stops: tuple[Stop, ...]
    rules: Mapping[str, int]
    held_back: HoldReason | None = None
    stamp_trouble: str = ""
    behind: tuple[Behind, ...] = ()

    @property
    def most_overdue(self) -> datetime | None:
        """When the order most overdue of all should have been read."""
        return min((panel.overdue_since for panel in self.panels if panel.overdue_since), default=None)


async def gather(ledger: SqlLedger, configuration: Configuration, now: datetime) -> Standing:
    """Read it all. The parts are of moments close together, not of one."""
    panels = [await _panel(ledger, panel.name, now) for panel in configuration.panels]
    process, beat = await ledger.daemon(), await ledger.heartbeat()
    return Standing(
        daemon=replace(daemon_standing(process, beat, now), workers=await ledger.workers()),
        panels=tuple(panels),
        totals=await ledger.totals(now),
        unknown=await ledger.intents((IntentState.UNKNOWN,), MOST_LISTED),
        held=await ledger.intents((IntentState.HELD,), MOST_LISTED),
        stops=tuple(stop for stop in await ledger.stops() if stop.active(now)),
        rules=await ledger.remembered_rules(),
        held_back=await held_back(ledger),
        stamp_trouble=stamp_trouble(ledger, process, beat),
        behind=await waiting_behind_stopped(ledger, now),
    )


def stamp_trouble(ledger: SqlLedger, process: str | None, beat: Heartbeat | None) -> str:
    """Why the stamp can't be used, as the running daemon found or as this process does; empty when it can.

    The daemon may run as another user: whose files they are is seen from there alone.
    """
    of_daemon = beat.detail.get(STAMP, "") if process is not None and beat is not None else ""
    return of_daemon or ledger.stamp_trouble


async def held_back(ledger: SqlLedger) -> HoldReason | None:
    """Why the ledger is on hold, or will be as soon as the daemon starts."""
    hold = await ledger.open_hold()
    if hold is not None:
        return hold.reason
    return None if ledger.finding is None else ledger.finding.reason


def daemon_standing(process: str | None, beat: Heartbeat | None, now: datetime) -> DaemonStanding:
    """What the lock's holder (None when nobody has it) and the last heartbeat come to."""
    if process is not None:
        silent = beat is not None and now - beat.beat_at > SILENT_AFTER
        state = DaemonState.STUCK if silent else DaemonState.RUNNING
    elif beat is None:
        state = DaemonState.NEVER_RAN
    else:
        state = DaemonState.STOPPED if beat.detail.get("status") == _STOPPED else DaemonState.GONE
    return DaemonStanding(
        state,
        process or "",
        beat.started_at if beat else None,
        beat.beat_at if beat else None,
        beat.detail.get("mode", "") if beat else "",
        beat.detail.get(HTTP_INTAKE, "") if beat else "",
    )


async def _panel(ledger: SqlLedger, panel: str, now: datetime) -> PanelStanding:
    health = await _facts(ledger, Entity(EntityKind.PANEL, panel))
    balance = await _facts(ledger, Entity(EntityKind.BALANCE, panel))
    due = await ledger.due(EntityKind.ORDER, panel, now, 1)
    reachable, amount, currency = health.get("reachable"), balance.get("amount"), balance.get("currency")
    return PanelStanding(
        panel,
        reachable if isinstance(reachable, bool) else None,
        _instant(health, "last_answer_at"),
        _instant(health, "failing_since"),
        str(health.get("last_error", "")),
        amount if isinstance(amount, Decimal) else None,
        currency if isinstance(currency, str) else None,
        due[0].due_at if due else None,
    )


async def _facts(ledger: SqlLedger, entity: Entity) -> Facts:
    watched = await ledger.watched(entity)
    return watched.facts if watched else {}


def _instant(facts: Facts, name: str) -> datetime | None:
    value = facts.get(name)
    return value if isinstance(value, datetime) else None
