"""Reads out of the rehearsal's ledger what came of firings: messages queued and intents settled."""

from __future__ import annotations

import json
from datetime import datetime

from smm_rules.actions.circumstances import SENT
from smm_rules.engine.firing import Firing
from smm_rules.engine.memory import Reason
from smm_rules.facts import Entity
from smm_rules.ledger.records import Intent, IntentState, QueuedMessage
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.rehearsal.happening import TOLD, Record, StepTaken, StoppedFiring, Swept
from smm_rules.rules.model import StepKind

_OPEN = frozenset({IntentState.PLANNED, IntentState.SENDING})
_PAGE = 64
#: How many new intents are looked for at first: there are seldom more at one instant.
_FEW = 4


class Collector:
    """Notes each step once, when it has been told or its action has come to an end or to a halt.

    `next_attempt` is when an action that could not be sent yet is to be tried again.
    """

    def __init__(self, ledger: SqliteLedger, record: Record) -> None:
        self._ledger = ledger
        self._record = record
        self.next_attempt: datetime | None = None
        self._open: dict[int, Intent] = {}
        self._newest = 0
        self._firings: dict[str, Firing] = {}
        self._numbers: dict[str, int] = {}
        self._by_id: dict[int, Firing] = {}
        self._stops: dict[tuple[str, Entity], tuple[Reason, datetime | None]] = {}

    def swept(self, swept: Swept) -> None:
        """Note what fired in a sweep, and what a limit stopped."""
        stopped = {item.firing.key for item in swept.recorded.stopped}
        for planned in swept.decided.sweep.firings:
            if planned.firing.key not in stopped:
                self._firings[planned.firing.key] = planned.firing
                self._numbers[planned.firing.key] = len(self._numbers)
                self._record.fired.append(planned.firing)
        for one in swept.decided.sweep.remembered:
            if one.memory.stopped_by is not None:
                self._stopped(one.rule, one.entity, one.memory.stopped_by, one.memory.true_since, swept.at)
        for item in swept.recorded.stopped:
            firing = item.firing
            self._stopped(firing.rule, firing.entity, item.reason, firing.episode, swept.at)

    def _stopped(
        self, rule: str, entity: Entity, reason: Reason, episode: datetime | None, now: datetime
    ) -> None:
        """Note a limit when it begins to stop an episode, not at every look."""
        if self._stops.get((rule, entity)) != (reason, episode):
            self._stops[rule, entity] = (reason, episode)
            self._record.stopped.append(StoppedFiring(rule, entity, now, reason))

    @property
    def waiting(self) -> tuple[Intent, ...]:
        """Actions that have been asked for and not been sent yet."""
        return tuple(self._open.values())

    async def collect(self, now: datetime) -> None:
        """Note what is new, firing by firing in the order of their steps."""
        taken = [*await self._intents(now), *await self._messages(now)]
        taken.sort(key=lambda step: (self._numbers.get(step.firing.key, 0), place_order(step.place)))
        self._record.steps += taken
        later = [each.not_before for each in self._open.values() if each.not_before and each.not_before > now]
        self.next_attempt = min(later, default=None)

    async def _intents(self, now: datetime) -> list[StepTaken]:
        found: dict[int, Intent] = {}
        for intent_id in self._open:
            known = await self._ledger.intent(intent_id)
            if known is not None:
                found[intent_id] = known
        found |= {intent.id: intent for intent in await self._new_intents()}
        self._open = {intent.id: intent for intent in found.values() if intent.state in _OPEN}
        ended = [intent for intent in found.values() if intent.state not in _OPEN]
        return [step for intent in ended if (step := await self._acted(intent, now)) is not None]

    async def _new_intents(self) -> list[Intent]:
        """Those planned since the last time: IDs only grow."""
        limit = _FEW
        while True:
            newest = await self._ledger.intents((), limit)
            new = [intent for intent in newest if intent.id > self._newest]
            if len(new) < len(newest) or len(newest) < limit:
                break
            limit *= 4
        self._newest = max((intent.id for intent in new), default=self._newest)
        return list(reversed(new))

    async def _acted(self, intent: Intent, now: datetime) -> StepTaken | None:
        firing = await self._firing(intent)
        if firing is None:
            return None
        details: dict[str, object] = {**intent.parameters, **json.loads(intent.evidence.get(SENT, "{}"))}
        return StepTaken(
            firing=firing,
            place=intent.step,
            kind=intent.kind,
            at=now,
            outcome=intent.state.value,
            details={"panel": intent.panel, **details},
            reason=intent.reason,
            message=intent.message,
            intent=intent,
        )

    async def _firing(self, intent: Intent) -> Firing | None:
        if intent.firing is None:
            return None
        if intent.firing not in self._by_id:
            found = await self._ledger.firing(intent.firing)
            if found is None:
                return None
            self._by_id[intent.firing] = self._firings.get(found.key, found)
        return self._by_id[intent.firing]

    async def _messages(self, now: datetime) -> list[StepTaken]:
        told: list[StepTaken] = []
        while messages := await self._ledger.deliverable(now, _PAGE):
            for message in messages:
                await self._ledger.delivered(message.id, now)
                key, _, place = message.dedup_key.rpartition(":")
                firing = self._firings.get(key)
                if firing is not None:  # the others are the daemon's own words to the operator
                    told.append(StepTaken(firing, place, message.kind, now, TOLD, _details(message)))
        return told


def _details(message: QueuedMessage) -> dict[str, object]:
    if message.kind is StepKind.WEBHOOK:
        return {"channel": message.channel, "data": json.loads(message.body).get("data")}
    if message.kind is StepKind.LOG:
        return {"level": message.level, "message": message.body}
    return {"channel": message.channel, "title": message.title, "message": message.body}


def place_order(place: str) -> tuple[bool, int]:
    """The order in which steps run: `otherwise` comes after `do`."""
    section, _, index = place.partition(".")
    return section == "otherwise", int(index) if index.isdecimal() else 0
