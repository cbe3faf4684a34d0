"""What every arena has: a panel that is listened to, orders for the rules, a judge that reads its journal."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import IntentState, MessageState, NewOrder
from smm_rules.simulator import Journal, RunningSimulator
from smm_rules.simulator.api import Reply
from tests.endtoend.world import ACTING_RULES, FACTOR, PANEL, Books, effects_known

ACTING = frozenset({"add", "refill", "cancel"})
_MANY = 1_000_000
#: What rules find to do about an order: its service, quantity, status and what remains.
_WORTH_ACTING = (
    (4, 1000, "Partial", 157),
    (1, 1000, "Partial", 400),
    (2, 500, "Canceled", None),
    (1, 1000, "In progress", 900),
)


@dataclass
class Toll:
    """What became of one world's orders and money. `wrong` is empty when every promise was kept."""

    kills: int = 0
    seconds: float = 0.0
    orders: int = 0
    paid_calls: int = 0
    paid_effects: int = 0
    doubled: int = 0
    lost: int = 0
    in_doubt: int = 0
    untold: int = 0
    states: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


class Arena(ABC):
    """One panel and one ledger; who works on them and what befalls them is for each kind to say."""

    toll: Toll

    def __init__(self, directory: Path, panel: RunningSimulator, chance: Random, configuration: str) -> None:
        self._directory = directory
        self._panel = panel
        self._chance = chance
        self._pace = (time.time(), FACTOR)
        self._called = threading.Event()
        self._names = 0
        (directory / "rules.yaml").write_text(ACTING_RULES)
        self.configuration = directory / "smm-rules.yaml"
        self.configuration.write_text(configuration)
        self._listen()

    @abstractmethod
    async def _ledger(self) -> AbstractAsyncContextManager[Ledger]:
        """The ledger, opened beside whoever works on it."""

    def _listen(self) -> None:
        """Notice paid calls the moment the panel is about to answer them."""
        answer = self._panel.api.answer

        def heard(form: Mapping[str, str]) -> Reply:
            if form.get("action") in ACTING:
                self._called.set()
            return answer(form)

        self._panel.api.answer = heard  # type: ignore[method-assign]

    async def _new_orders(self, most: int) -> None:
        """Work: one to `most` orders, each for one of the rules."""
        panel, chance = self._panel, self._chance
        new = []
        for service, quantity, state, remains in chance.sample(_WORTH_ACTING, chance.randint(1, most)):
            self.toll.orders += 1
            link = f"https://example.com/{self.toll.orders}"
            number = panel.add_order(service, quantity, link, status=state, remains=remains)
            given = {"link": link, "quantity": str(quantity)}
            entity = Entity(EntityKind.ORDER, PANEL, number)
            new.append(NewOrder(entity, str(service), given, panel.order(number).placed_at))
        async with await self._ledger() as ledger:
            await ledger.track(new, datetime.now(UTC))

    async def _books(self) -> Books:
        async with await self._ledger() as ledger:
            intents, messages = await ledger.intents((), _MANY), await ledger.messages((), _MANY)
        return Books(tuple(sorted(intents, key=lambda i: i.id)), tuple(sorted(messages, key=lambda m: m.id)))

    def _judge_effects(self, books: Books) -> None:
        """The ledger beside the panel's own journal: what was doubled, lost, or in doubt and not told."""
        toll, journal = self.toll, self._journal()
        doubled = journal.duplicates()
        unknown_effects = effects_known(journal, books)
        calls = sum(len(journal.requests(action)) for action in ACTING)
        attempts = sum(intent.attempts for intent in books.intents)
        doubtful = [intent for intent in books.intents if intent.state is IntentState.UNKNOWN]
        told = {m.dedup_key for m in books.messages if m.state is MessageState.DELIVERED}
        untold = [intent.id for intent in doubtful if f"operator:unknown:{intent.id}" not in told]
        toll.paid_calls, toll.paid_effects = calls, sum(1 for e in journal.paid_effects() if e.request)
        toll.doubled, toll.lost, toll.untold = len(doubled), len(unknown_effects), len(untold)
        toll.in_doubt = len(doubtful)
        toll.states = dict(Counter(f"{intent.kind} {intent.state}" for intent in books.intents))
        toll.wrong += [f"DOUBLED: {group}" for group in doubled]
        toll.wrong += [f"LOST: {effect}" for effect in unknown_effects]
        toll.wrong += [f"nobody was told that intent {number} is in doubt" for number in untold]
        if calls > attempts:
            toll.wrong.append(f"{calls} paid calls were made, {attempts} were claimed")

    def _journal(self) -> Journal:
        path = self._panel.settings.journal
        assert path is not None
        return Journal.read(path)
