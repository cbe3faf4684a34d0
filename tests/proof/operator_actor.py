"""The operator: imports orders, says truthfully what became of doubts, approves, denies, reloads, brakes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

from smm_rules.actions.resolve import approve, deny, resolve_did_not, resolve_happened
from smm_rules.daemon.daemon import Daemon
from smm_rules.document.problem import DocumentError
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import Intent, IntentState, NewOrder
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stops import StopKind, StopScope
from smm_rules.notify.operator import OperatorVoice
from tests.proof.household import PANEL

if TYPE_CHECKING:
    from tests.proof.world import World

_MANY = 1_000
_BY = "operator"


class OperatorActor:
    """Looks in every hour or two, through a connection of its own, as the commands do."""

    def __init__(self, world: World, chance: Random) -> None:
        self._world = world
        self._chance = chance
        self._claimed_before: set[tuple[int, int]] = set()

    async def live(self, daemon: Daemon) -> None:
        await daemon.started.wait()
        while True:
            await asyncio.sleep(self._chance.uniform(300, 1800 if self._world.calm else 7200))
            try:
                await self._look_in(daemon)
            except LedgerError as error:
                self._world.counts["operator met a ledger error"] += 1
                if "disk" not in self._world.settings.faults:
                    self._world.fail(f"a command failed: {error}")

    async def _look_in(self, daemon: Daemon) -> None:
        world = self._world
        if world.troubled("second") and self._chance.random() < 0.05:
            await self._start_a_second_daemon()
        if world.troubled("reload") and self._chance.random() < 0.1:
            world.write_rules(world.new_edition(self._chance))
            world.counts["reloads asked"] += 1
            daemon.reload()
        async with await SqliteLedger.open(world.ledger_path) as ledger:
            await world.restoring.look_after_hold(ledger)
            await self._import(ledger)
            await self._resolve(ledger)
            await self._judge_held(ledger)
            await self._brake(ledger)
            if self._chance.random() < 0.05 and not world.calm:
                await self._forget(ledger)
            await world.restoring.back_up(ledger)

    async def _start_a_second_daemon(self) -> None:
        second = self._world.second_daemon()
        try:
            await second.run()
        except LedgerError as error:
            if "another daemon" not in str(error):
                self._world.fail(f"a second daemon was refused with: {error}")
        except DocumentError:
            return  # it came upon the broken rules of a refused reload before it came upon the lock
        else:
            self._world.fail("a second daemon ran on the same ledger")

    async def _import(self, ledger: SqliteLedger) -> None:
        world = self._world
        wanted = list(world.to_import)
        if not wanted:
            return
        new = []
        for number in wanted:
            order = world.panel.simulator.order(number)
            given = {"link": order.link, "quantity": str(order.quantity), "service": order.service}
            entity = Entity(EntityKind.ORDER, PANEL, number)
            new.append(NewOrder(entity, order.service, given, order.placed_at))
        await ledger.track(new, world.timeline.wall())
        world.to_import = [number for number in world.to_import if number not in wanted]
        world.counts["orders imported"] += len(wanted)

    async def _resolve(self, ledger: SqliteLedger) -> None:
        """Say what the panel's journal says; nothing while a request may yet arrive."""
        world = self._world
        for intent in await ledger.intents((IntentState.UNKNOWN,), _MANY):
            if world.network.paid_under_way() or (self._chance.random() < 0.3 and not world.calm):
                continue
            voice = OperatorVoice(ledger, "ops")
            made = self._made(intent)
            now = world.timeline.wall()
            world.counts["doubts resolved"] += 1
            if made is None:
                again = self._chance.random() < 0.3
                await resolve_did_not(ledger, voice, intent.id, now, _BY, retry=again)
            else:
                await resolve_happened(ledger, voice, intent.id, made, now, _BY)

    def _made(self, intent: Intent) -> str | None:
        for effect in self._world.panel.effects:
            if effect.intent == intent.id:
                entry = effect.entry
                return entry.refill or (entry.order if entry.kind == "order_made" else "")
        return None

    async def _judge_held(self, ledger: SqliteLedger) -> None:
        world = self._world
        for intent in await ledger.intents((IntentState.HELD,), _MANY):
            luck = self._chance.random()
            if world.restoring.concerns(intent) and world.restoring.was_done(intent):
                world.counts["denied, for it was done before the restore"] += 1
                await deny(ledger, intent.id, world.timeline.wall(), _BY)
            elif luck < 0.4:
                world.counts["approved"] += 1
                await approve(ledger, intent.id, world.timeline.wall(), _BY)
            elif luck < 0.7:
                world.counts["denied"] += 1
                await deny(ledger, intent.id, world.timeline.wall(), _BY)

    async def _brake(self, ledger: SqliteLedger) -> None:
        """Let go what is stopped, now and then, and in the calm at last; stop something now and then."""
        world, now = self._world, self._world.timeline.wall()
        for stop in await ledger.stops():
            if not world.calm and self._chance.random() < 0.5:
                continue
            if stop.kind is StopKind.PANIC:
                await self._judge_panic(ledger)
            world.counts[f"stops ended: {stop.kind}"] += 1
            await ledger.end_stop(stop.id, now, _BY)
        if world.calm or self._chance.random() < 0.97:
            return
        if self._chance.random() < 0.5:
            await ledger.stop(StopKind.PANIC, StopScope.ALL, "", "drill", _BY, now, None)
            world.counts["panics"] += 1
            self._claimed_before = await _claims(ledger)
        else:
            until = now + timedelta(seconds=self._chance.uniform(600, 20_000))
            scope, name = self._chance.choice(((StopScope.PANEL, PANEL), (StopScope.RULE, "cancel-stuck")))
            await ledger.stop(StopKind.PAUSE, scope, name, "drill", _BY, now, until)
            world.counts["pauses"] += 1

    async def _judge_panic(self, ledger: SqliteLedger) -> None:
        """Since the command returned nothing may have been claimed."""
        claims = await _claims(ledger)
        if claims - self._claimed_before:
            self._world.fail(f"claimed in a panic: {sorted(claims - self._claimed_before)}")

    async def _forget(self, ledger: SqliteLedger) -> None:
        watched = await ledger.watched_page(EntityKind.ORDER, PANEL, None, 50)
        if watched:
            self._world.counts["orders forgotten"] += 1
            gone = self._chance.choice(watched).entity
            await ledger.forget(gone, self._world.timeline.wall())


async def _claims(ledger: SqliteLedger) -> set[tuple[int, int]]:
    """Every claim so far, as intent and number of the attempt."""
    found = await ledger.intents((), 100_000)
    return {(intent.id, number) for intent in found for number in range(intent.attempts)}
