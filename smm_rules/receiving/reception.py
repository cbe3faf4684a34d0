"""Everything the HTTP intake is made of, built once a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from smm_rules.clock import Clock
from smm_rules.config.intake import HttpIntakeSettings
from smm_rules.config.model import Configuration
from smm_rules.engine.firing import IntentDraft, MessageDraft
from smm_rules.facts import Entity
from smm_rules.intake import IntakeOptions
from smm_rules.ledger.records import Asked, DatedBalance, Intent, NewOrder, Received, TrackedOrder, Watched
from smm_rules.notify.operator import OperatorVoice
from smm_rules.observe.counters import Counters
from smm_rules.observe.redaction import Redactor
from smm_rules.receiving.clients import Clients
from smm_rules.receiving.keys import Turns
from smm_rules.rules.model import NO_RULE_GUARDS, ApprovalNeed, Mode, RuleGuards
from smm_rules.web.throttle import Throttle


class IntakeLedger(Protocol):
    """What the HTTP intake needs of the ledger."""

    async def received(self, client: str, key: str) -> Received | None: ...

    async def track_asked(
        self,
        orders: list[NewOrder],
        asked: Asked,
        answer: Callable[[frozenset[Entity]], str],
        now: datetime,
        by: str,
    ) -> Received: ...

    async def purchase(
        self,
        draft: IntentDraft,
        asked: Asked,
        answer: Callable[[Intent], str],
        now: datetime,
        by: str,
        bounds: RuleGuards = NO_RULE_GUARDS,
        told: Callable[[Intent], MessageDraft | None] = ...,
    ) -> Received: ...

    async def enqueue(self, message: MessageDraft, now: datetime) -> bool: ...

    async def balance(self, panel: str) -> DatedBalance | None: ...

    async def watched(self, entity: Entity) -> Watched | None: ...

    async def order(self, entity: Entity) -> TrackedOrder | None: ...

    async def intent(self, intent_id: int) -> Intent | None: ...


@dataclass(frozen=True, slots=True)
class Host:
    """The process the intake is served in. `planned` is called when something is to be carried out."""

    counters: Counters = field(default_factory=Counters)
    planned: Callable[[], None] = lambda: None
    stuck: Callable[[], tuple[str, ...]] = tuple


@dataclass(frozen=True, slots=True)
class Reception:
    """What every request may ask for. `redactor` keeps secrets out of problems; `voice` is the operator's."""

    configuration: Configuration
    settings: HttpIntakeSettings
    ledger: IntakeLedger
    clock: Clock
    clients: Clients
    redactor: Redactor
    voice: OperatorVoice
    host: Host = field(default_factory=Host)
    turns: Turns = field(default_factory=Turns)
    throttle: Throttle = field(default_factory=Throttle)

    def options(self, now: datetime) -> IntakeOptions:
        """How orders are read: the only panel needn't be named."""
        panels = tuple(panel.name for panel in self.configuration.panels)
        return IntakeOptions(now, panels, panels[0] if len(panels) == 1 else None)

    @property
    def bounds(self) -> RuleGuards:
        """What purchases are held for beside the guards of panels and of everything together."""
        approve = self.settings.approve
        need = None if approve is None else ApprovalNeed(approve.above, approve.expires)
        return RuleGuards(Mode(self.configuration.mode), approval=need)


def make_reception(
    configuration: Configuration,
    settings: HttpIntakeSettings,
    environment: Mapping[str, str],
    ledger: IntakeLedger,
    clock: Clock,
    host: Host,
) -> Reception:
    """The intake over an opened ledger, which stays the caller's. `SecretUnavailable` says what it lacks."""
    channel = configuration.operator.channel if configuration.operator else None
    tokens = [(token, token.token.read(environment)) for token in settings.tokens]
    return Reception(
        configuration=configuration,
        settings=settings,
        ledger=ledger,
        clock=clock,
        clients=Clients(tokens),
        redactor=Redactor(
            [*(text for _, text in tokens), *(panel.key.read(environment) for panel in configuration.panels)]
        ),
        voice=OperatorVoice(ledger, channel, configuration.page_url),
        host=host,
    )
