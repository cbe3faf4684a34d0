"""Everything a worker is made of."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import Any

from smm_rules.cluster.budget import SharedBudget, make_budgets
from smm_rules.cluster.clock import ServerClock
from smm_rules.cluster.database import Database, pool
from smm_rules.cluster.dispatch import INTENT, UNIT, Dispatch, PanelWork
from smm_rules.cluster.doing import Doing
from smm_rules.cluster.driver import ACTIONS, QueueDriver
from smm_rules.cluster.following import Following
from smm_rules.cluster.keeper import Keeper
from smm_rules.cluster.lease import Lease
from smm_rules.cluster.ledger import WorkerLedger
from smm_rules.cluster.queue import Queue
from smm_rules.cluster.rules import SharedRules
from smm_rules.cluster.schema import prepare
from smm_rules.cluster.sharing import Together
from smm_rules.cluster.standing import make_standings
from smm_rules.cluster.turns import FOLDER, Turn
from smm_rules.config.model import Configuration
from smm_rules.daemon.parts import Parts, endpoint_of, put_together
from smm_rules.daemon.progress import Progress
from smm_rules.daemon.recovery import DAEMON, recover, stale_claim
from smm_rules.daemon.rules_in_force import RulesInForce
from smm_rules.daemon.sending import take_up_hold
from smm_rules.daemon.units import Unit
from smm_rules.daemon.work import HEALTH_EVERY, Work, note_call
from smm_rules.engine.guards_set import guards_of
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import Access, PostgresLedger
from smm_rules.observe import get_logger
from smm_rules.observe.counters import Counters
from smm_rules.observe.sd_notify import Notifier
from smm_rules.panel.budget import Turns
from smm_rules.panel.endpoint import Endpoint
from smm_rules.polling.carried import Carried, read_carried
from smm_rules.rules.scope import scope_of

log = get_logger(__name__)

#: Connections to the server of one worker: for short statements and the queue, and for turns that are held.
CONNECTIONS, TURN_CONNECTIONS = 6, 6
#: How long a look may stand still before the worker calls itself stuck, in seconds of the machine's time.
PATIENCE_SECONDS = 600.0
_OTHER_SETTINGS = """
  SELECT worker FROM leases WHERE ended_at IS NULL AND lease_until > clock_timestamp() AND settings <> %s
"""
#: Units that each worker has for itself, or that the queue does in another way.
_NOT_QUEUED = frozenset({ACTIONS, "drop-folder"})


@dataclass(frozen=True, slots=True)
class Household:
    """A worker's parts. `address` is where the ledger is, without a password."""

    address: str
    lease: Lease
    keeper: Keeper
    queue: Queue
    dispatch: Dispatch
    driver: QueueDriver
    following: Following
    doing: Doing
    work: Work
    folder_turn: Turn

    async def say_goodbye(self) -> None:
        """Settle what can be settled, and give the lease back: others needn't wait for its end."""
        try:
            await self.doing.settle_again()
            await self.lease.end()
        except LedgerError as error:
            log.warning("worker.lease_left", error=str(error))


async def assemble(
    configuration: Configuration,
    environment: Mapping[str, str],
    access: Access,
    stamp: Path | None,
    stack: AsyncExitStack,
    clock: ServerClock,
    notifier: Notifier,
    counters: Counters,
    *,
    adopt_rules: bool = False,
) -> Household:
    """Open and build everything; `stack` closes it in reverse order. `LedgerError` and the like say what is
    missing."""
    name = f"smm-rules worker, process {os.getpid()} on {socket.gethostname()[:16]} {token_hex(4)}"
    rules = RulesInForce(configuration.rules, scope_of(configuration))
    await rules.tell_warnings()
    endpoints = [endpoint_of(panel, environment) for panel in configuration.panels]
    ledger = await WorkerLedger.open(access, stamp, guards_of(configuration), name=name)
    stack.push_async_callback(ledger.aclose)
    connections, turn_connections = pool(access, name, CONNECTIONS), pool(access, name, TURN_CONNECTIONS)
    for opened in (connections, turn_connections):
        await opened.open()
        stack.push_async_callback(opened.close)
    database, turns = Database(connections), Database(turn_connections)
    progress = Progress(PATIENCE_SECONDS)
    panels = [endpoint.name for endpoint in endpoints]

    lease = Lease(access, name, configuration.cluster.lease, settings_digest(configuration), clock)
    stack.push_async_callback(lease.aclose)
    await lease.read_clock()
    driver = QueueDriver(database, clock.now)
    parts = await put_together(
        configuration,
        environment,
        stack,
        ledger,
        endpoints,
        partial(note_call, progress=progress, counters=counters),
        partial(_budget, database),
    )
    work = Work(
        configuration=_by_slices(configuration),
        parts=parts,
        rules=rules,
        jobs=driver,
        progress=progress,
        clock=clock,
        notifier=notifier,
        counters=counters,
        owner=name,
        started_at=clock.now(),
        sharing=Together(database, turns, lease, lambda: lease.rules),
        environment=environment,
    )
    doing = Doing(work, ledger, lease, database, outdated=lambda: following.behind.set())
    queue = Queue(
        connections,
        {UNIT: doing.unit, INTENT: doing.intent},
        lambda: dispatch.all(clock.now()),
        counters,
        lease.length.total_seconds(),
    )
    await queue.open()
    await prepare(database, queue.app)
    await make_budgets(database, panels)
    await make_standings(database, panels)
    following = Following(
        rules,
        SharedRules(database, turns, ledger, name),
        lease,
        ledger,
        parts.voice,
        counters,
        name,
        clock.now,
    )
    await lease.begin()
    await _tell_other_settings(database, lease)
    await _recover(parts, configuration, name, clock)
    await following.start(await _carried(ledger), adopt=adopt_rules)
    await work.load()
    doing.prepare()
    dispatch = Dispatch(
        database, ledger, lambda: queue, _panel_work(configuration), queued_units(work), HEALTH_EVERY
    )
    keeper = Keeper(
        lease,
        database,
        ledger,
        parts.voice,
        counters,
        clock.now,
        stale_claim(configuration),
        lost=lease.begin,
        renewed=following.look,
    )
    for unit in doing.units.values():
        progress.expect(unit.name, float("inf"))
    folder = Turn(turns, FOLDER, str(configuration.drop_folder), lambda: lease.rules)
    return Household(ledger.address, lease, keeper, queue, dispatch, driver, following, doing, work, folder)


def queued_units(work: Work) -> list[Unit]:
    """The units that are handed out by their time, and not because something is due on a panel."""
    return [unit for unit in work.units() if unit.panel is None and unit.kind not in _NOT_QUEUED]


def settings_digest(configuration: Configuration) -> str:
    """What a configuration is known by among workers: they should all have the same.

    Where a worker listens is its own.
    """
    own: dict[str, Any] = {
        "logging": True,
        "rules": True,
        "ledger": True,
        "drop_folder": True,
        "intake": {"http": {"listen"}},
        "web": {"listen"},
    }
    settings = configuration.model_dump(mode="json", exclude=own)
    return sha256(json.dumps(settings, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _by_slices(configuration: Configuration) -> Configuration:
    """A look takes a slice of what is due, so that several workers can share it."""
    size = min(configuration.sweep_size, configuration.cluster.slice_size)
    return configuration.model_copy(update={"sweep_size": size})


def _panel_work(configuration: Configuration) -> dict[str, PanelWork]:
    cluster = configuration.cluster
    size = min(configuration.sweep_size, cluster.slice_size)
    return {panel.name: PanelWork(size, cluster.slices, panel.connections) for panel in configuration.panels}


def _budget(database: Database, endpoint: Endpoint) -> Turns:
    return SharedBudget(database, endpoint.name, endpoint.requests_per_minute, endpoint.connections)


async def _recover(parts: Parts, configuration: Configuration, name: str, clock: ServerClock) -> None:
    """What a daemon that was on this ledger before the workers was sending when it died."""
    now = clock.now()
    await take_up_hold(parts.ledger, parts.voice, name, now)
    await recover(parts.ledger, parts.voice, DAEMON, stale_claim(configuration), now)


async def _tell_other_settings(database: Database, lease: Lease) -> None:
    """Workers should have one configuration; while it is rolled out they differ for a while."""
    others = await database.rows(_OTHER_SETTINGS, (lease.settings,))
    if others:
        log.warning("worker.settings_differ", workers=[row[0] for row in others])


async def _carried(ledger: PostgresLedger) -> Carried:
    """What the last daemon handed on."""
    beat = await ledger.heartbeat()
    return read_carried(beat.detail) if beat is not None else Carried()
