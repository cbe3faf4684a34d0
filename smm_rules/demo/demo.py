"""The demonstration: the daemon itself against the bundled panel on real HTTP, sped up."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from smm_rules.clock import AcceleratedClock
from smm_rules.config.load import load_configuration
from smm_rules.config.model import Configuration
from smm_rules.daemon.daemon import Daemon
from smm_rules.demo.curtain import CurtainClock
from smm_rules.demo.stage import PANEL, write_orders, write_stage
from smm_rules.demo.summary import Summary, summarise
from smm_rules.facts import EntityKind
from smm_rules.intake import IntakeOptions
from smm_rules.intake.importing import import_orders
from smm_rules.intake.order_file import OrderFile
from smm_rules.ledger.opening import open_ledger
from smm_rules.ledger.records import IntentState, MessageState
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.simulator import RunningSimulator, SimulatorSettings

RULES = ("refill-partial", "low-balance", "reorder-canceled")
_MANY = 10_000


@dataclass(frozen=True, slots=True)
class DemoSettings:
    """`speed` is seconds of the demonstration's time a second, `patience` the longest it may really take."""

    speed: float = 60.0
    patience: timedelta = timedelta(seconds=50)
    seed: int = 1
    dialect: str = "classic"


async def run_demo(directory: Path, settings: DemoSettings, environment: Mapping[str, str]) -> Summary:
    """Set the stage in `directory`, run the daemon until all three rules have done their work, sum up.

    1. Start the panel with five orders that will come to different ends.
    2. Import them from a CSV file, as an operator would.
    3. Run the daemon, and once it has seen all orders let the panel's time run as fast as its own, until
       nothing is left to do or patience ends.
    4. Stop it as systemd would, then compare its ledger with the panel's journal.
    """
    clock = AcceleratedClock(settings.speed)
    curtain = CurtainClock(settings.speed, clock.now())
    panel = RunningSimulator(
        SimulatorSettings(
            scenario="mission",
            speed=settings.speed,
            start=clock.now(),
            seed=settings.seed,
            dialect=settings.dialect,  # type: ignore[arg-type]  # plain text is taken too
            journal=directory / "panel-journal.jsonl",
        ),
        curtain,
    )
    with panel:
        configuration = load_configuration(write_stage(directory, panel), environment)
        await _import(configuration, write_orders(directory, panel, clock.now()), clock)
        daemon = Daemon(configuration, environment, clock)
        daemon.listen_to_signals()
        running = asyncio.create_task(daemon.run())
        watching = asyncio.create_task(_watch(configuration, settings.patience, curtain))
        await asyncio.wait({running, watching}, return_when=asyncio.FIRST_COMPLETED)
        watching.cancel()
        daemon.stop()
        await running
        return await summarise(configuration, RULES, panel.journal)


async def _import(configuration: Configuration, orders: Path, clock: AcceleratedClock) -> None:
    now = clock.now()
    async with await open_ledger(configuration) as ledger:
        with OrderFile(orders, IntakeOptions(now, panels=(PANEL,), default_panel=PANEL)) as source:
            await import_orders(source, ledger, now)


async def _watch(configuration: Configuration, patience: timedelta, curtain: CurtainClock) -> None:
    """Raise the curtain once the daemon has seen every order. Return when every rule has fired and nothing is
    left to send or to tell, or when patience ends."""
    async with await open_ledger(configuration) as ledger:
        with suppress(TimeoutError):
            async with asyncio.timeout(patience.total_seconds()):
                # The daemon is only looked at from outside, as an operator would: through its ledger.
                while not await _has_seen_all(ledger):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                curtain.begin()
                while not await _is_done(ledger):  # noqa: ASYNC110
                    await asyncio.sleep(0.2)


async def _has_seen_all(ledger: SqlLedger) -> bool:
    orders = await ledger.watched_page(EntityKind.ORDER, None, None, _MANY)
    return all(order.last_seen_at is not None for order in orders)


async def _is_done(ledger: SqlLedger) -> bool:
    intents = await ledger.intents((), _MANY)
    messages = await ledger.messages((), _MANY)
    spoken = {message.dedup_key.partition(":")[0] for message in messages}
    open_states = {IntentState.PLANNED, IntentState.SENDING}
    return (
        {intent.rule for intent in intents} | spoken >= set(RULES)
        and len(intents) >= 4
        and not any(intent.state in open_states for intent in intents)
        and not any(message.state is MessageState.PENDING for message in messages)
    )
