"""A small installation: configuration, ledger, looks at a simulated panel, a clock set by hand."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import indent
from types import TracebackType

from smm_rules.actions import Executor
from smm_rules.config.load import load_configuration
from smm_rules.config.model import Configuration
from smm_rules.daemon.parts import endpoint_of, scope_of
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.records import NewOrder
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.operator import OperatorVoice
from smm_rules.observe.counters import Counters
from smm_rules.panel.client import PanelClient, RetryPolicy
from smm_rules.polling.balance import look_at_balance
from smm_rules.polling.catalogue import look_at_catalogue
from smm_rules.polling.decisions import Belts
from smm_rules.polling.health import look_at_health
from smm_rules.polling.orders import sweep_orders
from smm_rules.polling.standing import Standing
from smm_rules.polling.watch import Pace, PanelWatch
from smm_rules.rules.loader import load_rules
from smm_rules.rules.model import RuleSet
from smm_rules.simulator import RunningSimulator, SimulatorSettings

T0 = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PANEL = "main"
CONFIGURATION = """\
panels:
  - {{name: main, url: "{url}", key: {{env: MAIN_KEY}}}}
channels:
  ops: {{log: {{}}}}
rules: rules
ledger: ledger.db
mode: {mode}
"""


@dataclass(slots=True)
class HandClock:
    """Stands still until it is moved."""

    at: datetime = T0

    def now(self) -> datetime:
        return self.at

    def real_seconds(self, duration: timedelta) -> float:
        return duration.total_seconds()


@dataclass
class Stage:
    """One panel on real HTTP, the daemon's looks and its executor, moved by hand. Holds the daemon's lock."""

    directory: Path
    clock: HandClock = field(default_factory=HandClock)
    mode: str = "live"
    panel: RunningSimulator = field(init=False)
    ledger: SqliteLedger = field(init=False)
    watch: PanelWatch = field(init=False)
    lock: DaemonLock = field(init=False)
    rules: RuleSet = field(default_factory=RuleSet)
    executor: Executor = field(init=False)
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    async def __aenter__(self) -> Stage:
        self.panel = RunningSimulator(SimulatorSettings(speed=0, start=T0))
        await self._stack.enter_async_context(self.panel)
        self.directory.mkdir(exist_ok=True)
        (self.directory / "rules").mkdir(exist_ok=True)
        (self.directory / "rules" / "rules.yaml").write_text("rules: []\n", encoding="utf-8")
        self.configure(self.mode)
        self.lock = DaemonLock(self.configuration.ledger)
        self._stack.enter_context(self.lock)
        self.ledger = await self._stack.enter_async_context(
            await SqliteLedger.open(self.configuration.ledger)
        )
        endpoint = endpoint_of(self.configuration.panels[0], {"MAIN_KEY": self.panel.key})
        client = PanelClient(endpoint, retries=RetryPolicy(attempts=1))
        self._stack.push_async_callback(client.aclose)
        voice = OperatorVoice(self.ledger, None)
        self.executor = Executor(
            self.ledger,
            {PANEL: client},
            owner="daemon",
            clock=self.clock,
            voice=voice,
            live=self.mode == "live",
            want_balance=lambda panel: None,
        )
        self.watch = await self._watch(client, voice)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def configuration_path(self) -> Path:
        return self.directory / "smm-rules.yaml"

    @property
    def configuration(self) -> Configuration:
        return load_configuration(self.configuration_path, {})

    def configure(self, mode: str) -> None:
        """Write the configuration."""
        text = CONFIGURATION.format(url=self.panel.url, mode=mode)
        self.configuration_path.write_text(text, encoding="utf-8")

    def add_panel(self, name: str) -> None:
        """Write another panel into the configuration; nobody looks at it."""
        text = self.configuration_path.read_text(encoding="utf-8")
        line = f'  - {{name: {name}, url: "{self.panel.url}", key: {{env: MAIN_KEY}}}}\n'
        self.configuration_path.write_text(text.replace("channels:", f"{line}channels:"), encoding="utf-8")

    def add_channels(self, lines: str) -> None:
        """Write more channels into the configuration."""
        text = self.configuration_path.read_text(encoding="utf-8")
        self.configuration_path.write_text(
            text.replace("rules: rules", f"{lines}rules: rules"), encoding="utf-8"
        )

    async def _watch(self, client: PanelClient, voice: OperatorVoice) -> PanelWatch:
        standing = Standing(PANEL)
        await standing.load(self.ledger)
        poll, settings = self.configuration.panels[0].poll, self.configuration
        return PanelWatch(
            panel=PANEL,
            client=client,
            ledger=self.ledger,
            standing=standing,
            pace=Pace(
                poll.orders,
                poll.refills,
                poll.balance,
                poll.catalogue,
                settings.settle_after,
                settings.sweep_size,
            ),
            belts=Belts(self.mode == "live", settings.observation_gap),
            clock=self.clock,
            counters=Counters(),
            rules=lambda: self.rules,
            voice=voice,
            planned=lambda: None,
        )

    def use(self, rule: str) -> None:
        """Put the one rule written in `rule`, its keys at the left, into force."""
        first, _, rest = rule.strip().partition("\n")
        self.use_file(f"rules:\n  - {first}\n{indent(rest, '    ')}\n")

    def use_file(self, text: str) -> None:
        """Put the rules of a whole file into force."""
        path = self.directory / "rules" / "rules.yaml"
        path.write_text(text, encoding="utf-8")
        self.rules = load_rules(self.configuration.rules, scope_of(self.configuration)).rules

    async def get_acquainted(self) -> None:
        """Read catalogue and balance."""
        await look_at_catalogue(self.watch)
        await look_at_balance(self.watch)

    async def buy(
        self, *names: str, service: int = 1, status: str = "In progress", remains: int = 157
    ) -> list[str]:
        """Orders bought on the panel's own site and told to the daemon now; their IDs."""
        made = [
            self.panel.add_order(service, link=f"https://example.com/{name}", quantity=1000, status=status,
                                 remains=remains)
            for name in names
        ]  # fmt: skip
        await self.track(*made, service=service)
        return made

    async def track(self, *ids: str, service: int | None = 1) -> None:
        orders = [
            NewOrder(
                Entity(EntityKind.ORDER, PANEL, each),
                None if service is None else str(service),
                {"link": f"https://example.com/{each}", "quantity": "1000"},
            )
            for each in ids
        ]
        await self.ledger.track(orders, self.clock.now())

    async def look(self, after: timedelta = timedelta()) -> None:
        """Let time pass, then look at the orders as the daemon does, and carry out what is planned."""
        await self.wait(after)
        await sweep_orders(self.watch)
        await self.executor.run_due(self.clock.now())

    async def wait(self, duration: timedelta) -> None:
        """Let time pass, unwatched."""
        self.clock.at += duration
        self.panel.advance(duration)

    async def look_at_health(self) -> None:
        """Write down how the panel has been answering."""
        await look_at_health(self.watch)
