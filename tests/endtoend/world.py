"""One panel, one receiver of messages and a directory for one ledger: where a daemon is let loose."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Intent, IntentState, MessageState, NewOrder, QueuedMessage
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.signature import HEADER
from smm_rules.simulator import Entry, Journal, RunningSimulator
from tests.endtoend.processes import Launcher, Running, start_installed
from tests.endtoend.waiting import eventually
from tests.notify.receiver import Received, Receiver, answering, receiving

PANEL = "main"
HOOK_SECRET = "end-to-end-hook-secret-51c9"
#: How much faster than life a forked daemon's clock runs.
FACTOR = 20.0
_MANY = 10_000
OPEN = frozenset({IntentState.PLANNED, IntentState.SENDING})

#: One rule for each action, acting at the first sight of an order.
ACTING_RULES = """\
rules:
  - name: refill
    watch: order
    when: status == "Partial" and remains > 0
    first_seen: act
    do:
      - refill:
      - notify: {channel: ops, message: "refilled {{ order.id }} as {{ result }}"}
    otherwise:
      - reorder: {quantity: "{{ order.remains }}"}
      - notify: {channel: ops, message: "rest of {{ order.id }} ordered as {{ result }}"}
    limit: {per_order: 3, every: 24h}
  - name: reorder
    watch: order
    when: status == "Canceled"
    first_seen: act
    do:
      - reorder:
      - notify: {channel: ops, message: "reordered {{ order.id }} as {{ result }}"}
    limit: {per_order: 3, every: 24h}
  - name: cancel
    watch: order
    when: status == "In progress"
    first_seen: act
    do:
      - cancel:
      - notify: {channel: ops, message: "cancel of {{ order.id }} asked"}
    limit: {per_order: 3, every: 24h}
"""

_CONFIGURATION = """\
panels:
  - name: {panel}
    url: {url}
    key: {{env: PANEL_KEY}}
    requests_per_minute: 6000
    timeout: {timeout}
    poll: {{orders: 1s, refills: 1s, balance: 1s, catalogue: 1h}}
channels:
  ops: {{webhook: {{url: "{hook}", secret: {{env: HOOK_SECRET}}}}}}
operator: {{channel: ops}}
rules: rules.yaml
ledger: ledger.db
drop_folder: inbox
logging: {{format: json, level: debug}}
stop_timeout: 5s
{guards}
"""
#: Bounds what all actions cost together, well above what any test spends.
ROOMY = "guards: {spend: 1000.00/day}"


@dataclass(frozen=True)
class Books:
    """What the ledger holds at one moment."""

    intents: tuple[Intent, ...]
    messages: tuple[QueuedMessage, ...]

    def of(self, rule: str) -> tuple[Intent, ...]:
        """The intents of a rule, oldest first."""
        return tuple(intent for intent in self.intents if intent.rule == rule)

    @property
    def states(self) -> tuple[str, ...]:
        """`kind state` of every intent, oldest first."""
        return tuple(f"{intent.kind} {intent.state}" for intent in self.intents)

    @property
    def at_rest(self) -> bool:
        """Whether nothing is left to send or to tell."""
        return not any(intent.state in OPEN for intent in self.intents) and not any(
            message.state is MessageState.PENDING for message in self.messages
        )

    def __str__(self) -> str:
        intents = [f"{i.id} {i.rule} {i.entity} {i.step} {i.kind} {i.state} {i.reason}" for i in self.intents]
        messages = [f"{m.dedup_key} {m.state} {m.attempts} {m.last_error}" for m in self.messages]
        return "\n".join((*intents, *messages))


@dataclass
class World:
    """What a test sets up and judges by."""

    directory: Path
    url: str
    key: str
    hook: Receiver
    launcher: Launcher
    panel: RunningSimulator | None = None
    rules: str = ACTING_RULES
    timeout: str = "5s"
    pace: tuple[float, float] = field(default_factory=lambda: (time.time(), FACTOR))
    started: list[Running] = field(default_factory=list)
    _names: Any = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        (self.directory / "inbox").mkdir(exist_ok=True)
        self.write_rules(self.rules)
        self.set_timeout(self.timeout)

    @property
    def configuration(self) -> Path:
        return self.directory / "smm-rules.yaml"

    @property
    def environment(self) -> dict[str, str]:
        return {"PANEL_KEY": self.key, "HOOK_SECRET": HOOK_SECRET, "NO_COLOR": "1"}

    def set_timeout(self, timeout: str) -> None:
        """Write the configuration with this time-out of the panel."""
        self.configuration.write_text(
            _CONFIGURATION.format(
                panel=PANEL, url=self.url, timeout=timeout, hook=self.hook.url(), guards=ROOMY
            )
        )

    def write_rules(self, text: str) -> None:
        (self.directory / "rules.yaml").write_text(text)

    # -- processes --------------------------------------------------------------------------------------
    def start(self, crash: str | None = None, occurrence: int = 1, *, paced: bool = True) -> Running:
        """A daemon forked from the launcher, to die at `crash`."""
        return self._fork(
            ("run", "--config", str(self.configuration)),
            pace=self.pace if paced else None,
            crash=(crash, occurrence) if crash else None,
        )

    def start_installed(self, *arguments: str) -> Running:
        """The installed command, by default its daemon."""
        asked = arguments or ("run",)
        name = f"{next(self._names)}-{asked[0]}"
        running = start_installed(
            (*asked, "--config", str(self.configuration)), self.directory, self.environment, name
        )
        self.started.append(running)
        return running

    async def command(
        self, *arguments: str, configured: bool = True, crash: tuple[str, int] | None = None
    ) -> Running:
        """Run a command line to its end, or to its death at `crash`."""
        config = ("--config", str(self.configuration)) if configured else ()
        running = self._fork((*arguments, *config), crash=crash)
        await running.ended()
        return running

    def _fork(self, arguments: Sequence[str], **more: Any) -> Running:
        name = f"{next(self._names)}-{arguments[0]}"
        running = self.launcher.start(arguments, self.directory, self.environment, name, **more)
        self.started.append(running)
        return running

    def logged(self, name: str) -> list[dict[str, Any]]:
        """An event in the logs of all daemons so far."""
        return [event for running in self.started for event in running.events(name)]

    # -- the panel's side ---------------------------------------------------------------------------------
    @property
    def simulator(self) -> RunningSimulator:
        assert self.panel is not None
        return self.panel

    @property
    def journal(self) -> Journal:
        """The panel's own account, read from its file."""
        path = self.simulator.settings.journal
        assert path is not None
        return Journal.read(path)

    async def looked(self, times: int = 2) -> None:
        """Wait until the daemon has asked about orders `times` more."""
        await self._asked("status", times)

    async def looked_at_balance(self, times: int = 2) -> None:
        """Wait until the daemon has asked for the balance `times` more."""
        await self._asked("balance", times)

    async def _asked(self, action: str, times: int) -> None:
        before = len(self.journal.requests(action))
        await eventually(
            lambda: len(self.journal.requests(action)) >= before + times, action, describe=self.tails
        )

    # -- the ledger's side --------------------------------------------------------------------------------
    @asynccontextmanager
    async def ledger(self) -> AsyncIterator[SqliteLedger]:
        async with await SqliteLedger.open(self.directory / "ledger.db") as ledger:
            yield ledger

    async def track(self, *orders: str, parameters: Mapping[str, str] | None = None) -> None:
        """Watch these orders of the simulator, as an import would."""
        new = []
        for number in orders:
            order = self.simulator.order(number)
            given = {"link": order.link, "quantity": str(order.quantity)}
            entity = Entity(EntityKind.ORDER, PANEL, number)
            new.append(NewOrder(entity, order.service, given, order.placed_at))
        async with self.ledger() as ledger:
            await ledger.track(new, datetime.now(UTC))

    async def books(self) -> Books:
        async with self.ledger() as ledger:
            intents = await ledger.intents((), _MANY)
            messages = await ledger.messages((), _MANY)
        return Books(tuple(sorted(intents, key=lambda i: i.id)), tuple(sorted(messages, key=lambda m: m.id)))

    async def until(self, probe: Callable[[Books], object], what: str = "the ledger's state") -> Books:
        """Wait until the ledger looks as `probe` wants it."""
        last: Books | None = None

        async def ask() -> Books | None:
            nonlocal last
            last = await self.books()
            return last if probe(last) else None

        found = await eventually(ask, what, describe=lambda: f"{last}\n{self.tails()}")
        assert found is not None
        return found

    def tails(self) -> str:
        return "\n".join(f"--- {r.errors.name}\n{r.tail()}" for r in self.started)

    # -- the receiver's side ------------------------------------------------------------------------------
    def told(self) -> Counter[str]:
        """How often each message arrived, by its dedup key."""
        return Counter(fields(received)["key"] for received in self.hook.received)

    def bodies(self) -> dict[str, str]:
        """The text of each message by its dedup key; one that changed between attempts is a fault."""
        texts: dict[str, str] = {}
        for received in self.hook.received:
            message = fields(received)
            assert texts.setdefault(message["key"], message["body"]) == message["body"]
        return texts


def fields(received: Received) -> dict[str, str]:
    """A webhook's body; its key is in the header as well."""
    message: dict[str, str] = json.loads(received.body)
    assert HEADER.lower() in received.headers
    return message


def effects_known(journal: Journal, books: Books) -> list[Entry]:
    """Paid effects of the daemon's requests that no intent of the ledger accounts for: none, it is hoped.

    An effect is known when a confirmed intent has its ID, or one in doubt is about its order.
    """
    confirmed = {(i.kind.value, i.result) for i in books.intents if i.state is IntentState.CONFIRMED}
    canceled = {i.entity.id for i in books.intents if i.kind == "cancel" and i.state is IntentState.CONFIRMED}
    doubtful = {(i.kind.value, i.entity.id) for i in books.intents if i.state is IntentState.UNKNOWN}
    doubtful_links = {
        json.loads(i.evidence["sent"]).get("link") for i in books.intents if i.state is IntentState.UNKNOWN
    }
    unknown = []
    for effect in journal.paid_effects():
        if not effect.request:
            continue
        if effect.refill:
            known = ("refill", effect.refill) in confirmed or ("refill", effect.order) in doubtful
        elif effect.kind == "order_made":
            bought = {("reorder", effect.order), ("add", effect.order)}
            known = bool(bought & confirmed) or effect.parameters["link"] in doubtful_links
        else:
            known = effect.order in canceled or ("cancel", effect.order) in doubtful
        if not known:
            unknown.append(effect)
    return unknown


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that takes every message."""
    async with receiving(lambda _: answering(200)) as hook:
        yield hook
