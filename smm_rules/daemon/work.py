"""What the daemon does at each tick, job by job."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from smm_rules.actions.brakes import Brakes
from smm_rules.actions.evidence import collect_evidence
from smm_rules.actions.executor import Executor
from smm_rules.actions.proving import prove
from smm_rules.clock import Clock
from smm_rules.config.model import Configuration, PanelSettings
from smm_rules.daemon.parts import Parts
from smm_rules.daemon.progress import Progress
from smm_rules.daemon.recovery import NOBODY, recover, stale_claim
from smm_rules.daemon.rules_in_force import RulesInForce, questions, versions
from smm_rules.daemon.sending import Sending
from smm_rules.daemon.units import Alone, Driver, Sharing, Unit
from smm_rules.engine.urgency import Bounds
from smm_rules.facts import EntityKind
from smm_rules.facts.allowance import Per, begun_at
from smm_rules.ledger.records import Heartbeat, IntentState
from smm_rules.notify.delivery import Plotter, deliver_due
from smm_rules.notify.keeping import AlertPolicy, policy_of
from smm_rules.notify.silences import end_over
from smm_rules.notify.unwatched import Watching, settle_unwatched
from smm_rules.observe import frame, get_logger
from smm_rules.observe.counters import Counters
from smm_rules.observe.sd_notify import Notifier
from smm_rules.panel.batches import LARGEST_BATCH
from smm_rules.panel.client import CallReport
from smm_rules.polling import request_rate
from smm_rules.polling.balance import look_at_balance
from smm_rules.polling.carried import HTTP_INTAKE, Carried
from smm_rules.polling.catalogue import look_at_catalogue
from smm_rules.polling.decisions import Belts
from smm_rules.polling.health import look_at_health
from smm_rules.polling.orders import sweep_orders
from smm_rules.polling.refills import sweep_refills
from smm_rules.polling.request_rate import RequestRate
from smm_rules.polling.standing import Outage, Standing, down
from smm_rules.polling.watch import Pace, PanelWatch
from smm_rules.rules.model import RuleSet

# What only some configurations ask for is loaded by those.
if TYPE_CHECKING:
    from smm_rules.daemon.statements import DailyStatement
    from smm_rules.intake.drop_folder import DropFolder
    from smm_rules.intake.sql.source import SqlSource

log = get_logger(__name__)

#: Bounds of the ticker in seconds of the machine's time. What is due is in the ledger; a tick only asks.
SHORTEST_TICK, LONGEST_TICK = 0.2, 5.0
HEARTBEAT_SECONDS = 20.0
HEALTH_EVERY = timedelta(seconds=15)
RECOVERY_EVERY = timedelta(minutes=5)
SILENCES_EVERY = timedelta(seconds=15)
#: How late the read of a database of orders may be, and how soon one that failed is tried again.
SOURCES_EVERY = timedelta(seconds=30)
HOUSEKEEPING_EVERY = timedelta(hours=6)
#: How late a daily statement may be.
STATEMENT_EVERY = timedelta(minutes=1)
#: A sweep takes no more orders than the panel's budget lets it ask about in so many minutes: an answer that
#: waited long for the others of its sweep would be acted on when it is stale.
LONGEST_SWEEP_MINUTES = 2
_MESSAGES_A_TICK = 200
_MANY = 1_000
#: The job that a request belongs to, by the request's action.
_JOB_OF_READ = {"status": "orders", "refill_status": "refills", "balance": "balance", "services": "catalogue"}


def source_unit(name: str) -> str:
    """The unit of a database of orders. By its colon workers take it for what waits for answers for long."""
    return f"source:{name}"


def note_call(report: CallReport, progress: Progress, counters: Counters) -> None:
    """A request has ended: whoever made it gets on, however slowly the panel lets it."""
    counters.increment("requests", panel=report.panel, action=report.action, outcome=report.outcome)
    job = _JOB_OF_READ.get(report.action)
    progress.step(f"{job}:{report.panel}" if job else "actions")


@dataclass(slots=True)
class Work:
    """The daemon's jobs over its parts."""

    configuration: Configuration
    parts: Parts
    rules: RulesInForce
    jobs: Driver
    progress: Progress
    clock: Clock
    notifier: Notifier
    counters: Counters
    owner: str
    started_at: datetime
    carried: Carried = field(default_factory=Carried)
    sharing: Sharing = field(default_factory=Alone)
    executor: Executor = field(init=False)
    brakes: Brakes = field(init=False)
    alert_policy: AlertPolicy = field(init=False)
    plotter: Plotter | None = None
    watches: dict[str, PanelWatch] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    drop_folder: DropFolder | None = None
    sources: tuple[SqlSource, ...] = ()
    statement: DailyStatement | None = None
    beaten_at: datetime | None = None
    settled_by: RuleSet | None = None  # the rules by which alerts that nobody watches were ended
    known_outages: Mapping[str, Mapping[str, Outage]] | None = None  # what workers know together
    request_rate: RequestRate = field(default_factory=RequestRate)
    http_intake: str = ""  # where it is served, or why it isn't
    sending: Sending = field(init=False)

    async def load(self) -> None:
        """Build a watch for each panel on what the ledger last knew of it, and what carries out actions."""
        self.executor = Executor(
            self.parts.ledger,
            self.parts.clients,
            owner=self.owner,
            clock=self.clock,
            voice=self.parts.voice,
            live=self.configuration.mode == "live",
            want_balance=self.want_balance,
            default_rate_increase=self.configuration.guards.max_rate_increase,
            fence=self.sharing.fence,
            turns=self.sharing.turns,
        )
        self.alert_policy = policy_of(self.configuration.alerts, self.configuration.channels, self.outages)
        if any(channel.email is not None for channel in self.configuration.channels.values()):
            from smm_rules.notify.plots import BalancePlots

            self.plotter = BalancePlots(
                self.parts.ledger, tuple(panel.name for panel in self.configuration.panels)
            ).of
        # The configuration may have changed: what waits is judged by the one in force.
        await self.parts.ledger.take_up_kept_back(self.clock.now())
        self.brakes = Brakes(self.parts.ledger, self.parts.voice, self.answered_at)
        beat = await self.parts.ledger.heartbeat()
        self.beaten_at = beat.beat_at if beat is not None else None
        self.sending = Sending(self.parts.ledger, self.parts.voice, self.owner)
        self.sending.carry_over(beat.detail if beat is not None else {})
        for panel in self.configuration.panels:
            standing = Standing(panel.name)
            await standing.load(self.parts.ledger)
            standing.outages |= self.carried.outages.get(panel.name, {})
            self.watches[panel.name] = self._watch(panel, standing)
        for intent in await self.parts.ledger.intents((IntentState.UNKNOWN,), _MANY):
            if intent.panel in self.watches:
                # The balance is evidence on what the last run left in doubt, the sooner the better.
                self.watches[intent.panel].standing.balance_wanted = True
        if self.configuration.statement is not None:
            from smm_rules.daemon.statements import DailyStatement

            self.statement = DailyStatement(
                self.parts.ledger,
                tuple(self.watches),
                self.configuration.statement,
                self.configuration.retention,
                self.configuration.page_url,
            )
            self.statement.carry_over(beat.detail if beat is not None else {})
        if self.configuration.drop_folder is not None:
            from smm_rules.intake.drop_folder import DropFolder

            self.drop_folder = DropFolder(
                self.configuration.drop_folder,
                self.parts.ledger,
                panels=tuple(self.watches),
                default_panel=next(iter(self.watches)) if len(self.watches) == 1 else None,
            )

        if self.configuration.intake.sql:
            self.sources = self._sources()

    def _sources(self) -> tuple[SqlSource, ...]:
        """The databases of orders."""
        from smm_rules.intake.sql.source import SqlSource

        return tuple(
            SqlSource(
                settings,
                self.parts.ledger,
                self.parts.voice,
                tuple(self.watches),
                self.environment,
                partial(self.progress.step, source_unit(settings.name)),
            )
            for settings in self.configuration.intake.sql
        )

    def _watch(self, panel: PanelSettings, standing: Standing) -> PanelWatch:
        settings = self.configuration
        return PanelWatch(
            panel=panel.name,
            client=self.parts.clients[panel.name],
            ledger=self.parts.ledger,
            standing=standing,
            pace=Pace(
                orders=panel.poll.orders,
                refills=panel.poll.refills,
                balance=panel.poll.balance,
                catalogue=panel.poll.catalogue,
                settle_after=settings.settle_after,
                sweep_size=min(
                    settings.sweep_size, LARGEST_BATCH * panel.requests_per_minute * LONGEST_SWEEP_MINUTES
                ),
                bounds=Bounds(*panel.poll.bounds) if settings.polling == "adaptive" else None,
            ),
            belts=Belts(
                live=settings.mode == "live",
                gap=settings.observation_gap,
                shadow=settings.mode == "shadow",
            ),
            clock=self.clock,
            counters=self.counters,
            rules=self.rules.current,
            voice=self.parts.voice,
            planned=self.act_soon,
            deciding=self.sharing.deciding(panel.name),
            recent=self.sharing.recent(panel.name),
        )

    def units(self) -> tuple[Unit, ...]:
        """All there is to be done again and again."""
        tick = self._tick_seconds()
        return (
            *(unit for watch in self.watches.values() for unit in self._looks(watch, tick)),
            Unit("brakes", tick, self.mind_the_brakes),
            Unit("actions", tick, self.act),
            Unit("outbox", tick, self.deliver),
            Unit("silences", self._seconds(SILENCES_EVERY), self.mind_silences),
            Unit("heartbeat", self._heartbeat_seconds(), self.beat),
            *((Unit("drop-folder", tick, self.take_in),) if self.drop_folder is not None else ()),
            *(self._source_unit(source) for source in self.sources),
            Unit("recovery", self._seconds(RECOVERY_EVERY), self.recover),
            *(
                (Unit("statement", self._seconds(STATEMENT_EVERY), self.send_statement),)
                if self.statement is not None
                else ()
            ),
            Unit("housekeeping", self._seconds(HOUSEKEEPING_EVERY), self.keep_house),
        )

    def _source_unit(self, source: SqlSource) -> Unit:
        every = self._seconds(min(source.settings.every, SOURCES_EVERY))
        return Unit(source_unit(source.settings.name), every, partial(self.read_source, source))

    def _looks(self, watch: PanelWatch, tick: float) -> tuple[Unit, ...]:
        """The looks at one panel."""

        def look(
            kind: str, run: Callable[[PanelWatch], Awaitable[object]], seconds: float | None = None
        ) -> Unit:
            async def looked() -> object:
                with frame("look", what=kind, panel=watch.panel):
                    return await run(watch)

            return Unit(kind, tick if seconds is None else seconds, looked, watch.panel)

        return (
            look("orders", self.orders),
            look("refills", sweep_refills),
            look("balance", self.balance),
            look("catalogue", look_at_catalogue),
            look("health", look_at_health, self._seconds(HEALTH_EVERY)),
        )

    def _tick_seconds(self) -> float:
        """A quarter of the shortest interval, within bounds: how late a due look may be."""
        polls = [panel.poll for panel in self.configuration.panels]
        shortest = min(min(poll.orders, poll.refills, poll.balance, poll.catalogue) for poll in polls)
        if self.configuration.polling == "adaptive":
            shortest = min(shortest, *(poll.bounds[0] for poll in polls))
        return min(max(self.clock.real_seconds(shortest) / 4, SHORTEST_TICK), LONGEST_TICK)

    def _seconds(self, duration: timedelta) -> float:
        """`duration` in the machine's time, but no shorter than a tick may be."""
        return max(self.clock.real_seconds(duration), SHORTEST_TICK)

    def _heartbeat_seconds(self) -> float:
        """Often enough for systemd's watchdog, in the machine's time whatever the clock's pace."""
        asked = self.notifier.watchdog_interval
        return min(HEARTBEAT_SECONDS, asked.total_seconds()) if asked else HEARTBEAT_SECONDS

    def act_soon(self) -> None:
        """A sweep planned something: carry it out and tell of it without waiting for the tick."""
        self.jobs.soon("actions")
        self.jobs.soon("brakes")
        self.jobs.soon("outbox")

    def look_now(self) -> None:
        """Look at once, as after a reload: `for:` may be shorter now than what has passed of a hold."""
        for name, watch in self.watches.items():
            watch.standing.balance_wanted = True
            watch.standing.catalogue_wanted = watch.watched_by_rules(EntityKind.SERVICE)
            for look in ("orders", "refills", "balance", "catalogue", "health"):
                self.jobs.soon(f"{look}:{name}")
        self.jobs.soon("silences")

    def want_balance(self, panel: str) -> None:
        """An action on the panel is in doubt: what the balance says now is evidence."""
        self.watches[panel].standing.balance_wanted = True
        self.jobs.soon(f"balance:{panel}")

    async def act(self) -> None:
        """Carry out what is planned, and at once what follows from it."""
        report = await self.executor.run_due(self.clock.now())
        for state, count in report.ended.items():
            self.counters.increment("actions", amount=count, state=state.value)
        if report.ended:
            self.act_soon()

    async def mind_the_brakes(self) -> None:
        """Tell of what guards hold, end what is over, and resolve what the policy takes for proved."""
        now = self.clock.now()
        if await self.brakes.mind(now):
            self.jobs.soon("actions")
            self.jobs.soon("outbox")
        by = self.configuration.unknown.prove_by
        if by and await prove(self.parts.ledger, self.parts.voice, by, now):
            self.act_soon()

    def answered_at(self, panel: str) -> datetime | None:
        """When a panel last answered a look, None when it hasn't or isn't configured any more."""
        watch = self.watches.get(panel)
        answered = watch.standing.health_facts.get("last_answer_at") if watch is not None else None
        return answered if isinstance(answered, datetime) else None

    async def orders(self, watch: PanelWatch) -> None:
        """Sweep the orders, and go on without a pause while there are more due than one sweep takes."""
        if await sweep_orders(watch) >= watch.pace.sweep_size:
            self.jobs.soon(f"orders:{watch.panel}")

    async def balance(self, watch: PanelWatch) -> None:
        """Look at the balance and note the reading on what is in doubt."""
        asked_at = self.clock.now()
        reading = await look_at_balance(watch)
        if reading is not None:
            await collect_evidence(self.parts.ledger, watch.panel, reading, asked_at, self.clock.now())

    async def deliver(self) -> None:
        """Deliver what is due from the outbox."""
        now = self.clock.now()
        report = await deliver_due(
            self.parts.ledger,
            self.parts.channels,
            now,
            batch=_MESSAGES_A_TICK,
            counters=self.counters,
            policy=self.alert_policy,
            plotter=self.plotter,
        )
        if await self.parts.voice.tell_dead(report.dead, now) or report.full:
            self.jobs.soon("outbox")

    async def mind_silences(self) -> None:
        """Tell of silences that are over and alerts nobody watches any more; deliver what was kept back."""
        ended = await end_over(self.parts.ledger, self.parts.voice, self.clock.now())
        if ended + await self._settle_unwatched():
            self.jobs.soon("outbox")

    async def _settle_unwatched(self) -> int:
        """Once for each set of rules that comes into force, and at times: how many alerts ended."""
        rules = self.rules.current()
        if rules is self.settled_by:
            return 0
        watching = Watching(rules, frozenset(self.watches))
        # The rules stay those in force meanwhile; a worker that has others decides nothing.
        async with self.sharing.deciding(next(iter(self.watches))):
            if rules is not self.rules.current():
                return 0
            ended = await settle_unwatched(self.parts.ledger, watching, self.clock.now())
        self.settled_by = rules
        return ended

    def outages(self) -> frozenset[str]:
        """The panels of whose outage, which goes on, the operator has been told."""
        known = self.known_outages
        if known is None:
            known = {name: watch.standing.outages for name, watch in self.watches.items()}
        return down(known, self.clock.now())

    async def take_in(self) -> None:
        """Import what lies in the drop folder."""
        if self.drop_folder is not None:
            await self.drop_folder.scan(self.clock.now())

    async def read_source(self, source: SqlSource) -> None:
        """Take in what is new in a database of orders, and look at it at once."""
        if await source.read_due(self.clock.now()):
            for name in self.watches:
                self.jobs.soon(f"orders:{name}")

    async def send_statement(self) -> None:
        """Send the daily statement once it is due."""
        if self.statement is not None and await self.statement.send_due(self.clock.now()):
            self.jobs.soon("outbox")

    async def recover(self) -> None:
        """Put in doubt what a command died over: it may have placed an order."""
        stale = stale_claim(self.configuration)
        await recover(self.parts.ledger, self.parts.voice, NOBODY, stale, self.clock.now())

    async def keep_house(self) -> None:
        """Drop what is older than the retention, and look once more for alerts that nobody watches."""
        self.settled_by = None  # a message of a rule that was removed since may have begun one
        now = self.clock.now()
        sealed = await self.parts.ledger.seal_audit(now - self.configuration.audit_retention, now)
        if sealed:
            log.info("ledger.audit_sealed", entries=sealed)
        dropped = await self.parts.ledger.prune(now - self.configuration.retention, begun_at(Per.MONTH, now))
        if any(dropped.values()):
            log.info("ledger.pruned", rows=dropped)

    async def beat(self) -> None:
        """Write a heartbeat to the ledger and feed systemd's watchdog, unless a job is stuck."""
        await self._mind_the_clock()
        now = self.clock.now()
        obstacle = await self.sending.look(now)
        totals = await self.parts.ledger.totals(now)
        doubtful = totals.intents.get("unknown", 0)
        counts = f"{totals.orders} orders, {totals.due} due, {doubtful} actions in doubt"
        status = f"{obstacle}; {counts}" if obstacle else counts
        await self._write_beat(status)
        stuck = self.progress.stuck()
        if stuck:
            self.counters.increment("watchdog_withheld")
            log.error("daemon.stuck", jobs=list(stuck))
            self.notifier.status(f"Stuck: {', '.join(stuck)}")
            return
        self.notifier.status(status)
        self.notifier.watchdog()

    async def _mind_the_clock(self) -> None:
        """What a clock that was ahead had put off must not wait for the one set back, also over a restart."""
        now = self.clock.now()
        set_back = self.beaten_at is not None and now < self.beaten_at
        self.beaten_at = now
        if set_back:
            await self.parts.ledger.clock_set_back(now)
            for watch in self.watches.values():
                watch.standing.end_pauses(now)
            self.look_now()
            self.act_soon()

    async def last_beat(self) -> None:
        """Say in the ledger that the daemon ended in order."""
        await self._write_beat("stopped")

    def _requests(self) -> dict[str, int]:
        return {panel: self.counters.value("requests", panel=panel) for panel in self.watches}

    async def _write_beat(self, status: str) -> None:
        rules = self.rules.current()
        outages = {name: watch.standing.outages for name, watch in self.watches.items()}
        carried = Carried(questions(rules), versions(rules), outages)
        detail = {
            "status": status,
            "mode": self.configuration.mode,
            **carried.written(),
            **self.sending.written(),
            **(self.statement.written() if self.statement is not None else {}),
            **({HTTP_INTAKE: self.http_intake} if self.http_intake else {}),
            **request_rate.written(self.request_rate.note(self._requests(), self.clock.now())),
        }
        await self.parts.ledger.beat(Heartbeat(self.owner, self.started_at, self.clock.now(), detail))
