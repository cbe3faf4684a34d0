"""The daemon's life: open, recover, tick, reload, drain."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial

from smm_rules import __version__
from smm_rules.clock import Clock
from smm_rules.config.model import Configuration
from smm_rules.daemon.asked import Asked
from smm_rules.daemon.http_intake import HttpIntake, http_intake_of
from smm_rules.daemon.jobs import Jobs
from smm_rules.daemon.page import RunningEngine, StatusPage, status_page_of
from smm_rules.daemon.parts import Parts, assemble
from smm_rules.daemon.progress import Progress
from smm_rules.daemon.recovery import DAEMON, recover, stale_claim
from smm_rules.daemon.rule_files import RuleFiles
from smm_rules.daemon.rules_in_force import (
    RulesInForce,
    compare,
    edited,
    no_longer_asked,
    questions,
    rule_texts,
    versions,
)
from smm_rules.daemon.sending import take_up_hold
from smm_rules.daemon.sole import LOOK_SECONDS, SoleDaemon
from smm_rules.daemon.units import Alone
from smm_rules.daemon.waiting import either
from smm_rules.daemon.work import Work, note_call
from smm_rules.document.problem import DocumentError
from smm_rules.ledger.audit import AuditKind
from smm_rules.ledger.opening import daemon_lock
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import MessageState
from smm_rules.notify.operator import reload_failed
from smm_rules.observe import get_logger
from smm_rules.observe.counters import Counters
from smm_rules.observe.sd_notify import Notifier
from smm_rules.polling.carried import Carried, read_carried
from smm_rules.rules.scope import scope_of

log = get_logger(__name__)

#: How long a job may run before the daemon calls itself stuck, in seconds of the machine's time.
PATIENCE_SECONDS = 600.0
_DEAD_LETTERS_TOLD = 100
_PROBLEMS_RECORDED = 100


class Daemon(Asked):
    """Runs until `stop` is called.

    1. Take the ledger's lock, so that no second daemon works on it, and open every part.
    2. Load the rules; a fault in them is an error before anything is done.
    3. Recover: what was being sent when the last daemon died is in doubt. The operator is told of that
       and of dead letters, each once.
    4. Start the jobs and tell systemd READY, then what is odd about the rules.
    5. On SIGHUP, and when their files change, read the rules again, whole or not at all.
    6. On SIGTERM or SIGINT start nothing more, let what is under way settle within `stop_timeout`, close.

    The status page is there from 4 to the end and the HTTP intake from 4 to 6, if they are wanted; nothing
    that happens to them stops the daemon.
    """

    def __init__(
        self,
        configuration: Configuration,
        environment: Mapping[str, str],
        clock: Clock,
        notifier: Notifier | None = None,
    ) -> None:
        super().__init__()
        self._configuration = configuration
        self._environment = environment
        self._clock = clock
        self._notifier = notifier or Notifier.from_environment(environment)
        self._deciding = asyncio.Lock()
        self.started = asyncio.Event()
        self.counters = Counters()
        self.page: StatusPage | None = None
        self.http_intake: HttpIntake | None = None

    async def run(self) -> None:
        """Live. `LedgerError`, `DocumentError` and `SecretUnavailable` say why it couldn't start."""
        configuration = self._configuration
        # Made before the rules are read: a change in between is found, too.
        files = RuleFiles(configuration.rule_sources, lambda: self.reload("files"))
        rules = RulesInForce(configuration.rules, scope_of(configuration))
        async with AsyncExitStack() as stack:
            lock = daemon_lock(configuration, self._environment)
            lock.acquire()
            stack.callback(lock.release)
            progress = Progress(PATIENCE_SECONDS)
            parts = await assemble(
                configuration,
                self._environment,
                stack,
                partial(note_call, progress=progress, counters=self.counters),
            )
            parts.ledger.use_equal_services(rules.loaded.equal)
            await take_up_hold(parts.ledger, parts.voice, DAEMON, self._clock.now())
            await self._recover(parts)
            carried = await self._carry_over(parts, rules)
            await parts.ledger.rules_in_force(rules.texts, self._clock.now(), DAEMON, rules.files)
            jobs = Jobs(self.counters, progress)
            work = await self._work(parts, rules, jobs, progress, carried)
            for unit in work.units():
                jobs.every(unit.every, unit.name, unit.run)
            sole = SoleDaemon(lock, self.stop)
            jobs.every(LOOK_SECONDS, "lock", sole.look)
            jobs.start()
            watching = asyncio.create_task(files.run()) if configuration.reload.watch else None
            shown: asyncio.Task[None] | None = None
            receiving: asyncio.Task[None] | None = None
            ending, over = asyncio.Event(), asyncio.Event()
            try:
                engine = RunningEngine(self.counters, rules, progress, work.watches, work.act_soon)
                self.page = status_page_of(work, self._environment, engine)
                if self.page is not None:
                    shown = asyncio.create_task(self.page.run(over))
                self.http_intake = http_intake_of(work, self._environment)
                if self.http_intake is not None:
                    receiving = asyncio.create_task(self.http_intake.run(ending))
                self._say_started(rules)
                await self._serve(work, rules, parts)
            finally:
                ending.set()
                files.stop()
                await self._drain(jobs, work)
                if watching is not None:
                    await watching
                over.set()
                if shown is not None:
                    await shown
                if receiving is not None:
                    await receiving
            sole.check()

    async def _work(
        self, parts: Parts, rules: RulesInForce, jobs: Jobs, progress: Progress, carried: Carried
    ) -> Work:
        work = Work(
            configuration=self._configuration,
            parts=parts,
            rules=rules,
            jobs=jobs,
            progress=progress,
            clock=self._clock,
            notifier=self._notifier,
            counters=self.counters,
            owner=DAEMON,
            started_at=self._clock.now(),
            carried=carried,
            sharing=Alone(self._deciding),
            environment=self._environment,
        )
        await work.load()
        return work

    async def _recover(self, parts: Parts) -> None:
        now = self._clock.now()
        await recover(parts.ledger, parts.voice, DAEMON, stale_claim(self._configuration), now)
        dead = await parts.ledger.messages((MessageState.DEAD,), _DEAD_LETTERS_TOLD)
        await parts.voice.tell_dead(dead, now)

    async def _carry_over(self, parts: Parts, rules: RulesInForce) -> Carried:
        """What the last run handed on. Holds of rules rewritten or removed since then are void, and holds of
        rules edited otherwise may be over sooner than was thought."""
        beat = await parts.ledger.heartbeat()
        carried = read_carried(beat.detail) if beat is not None else Carried()
        void = no_longer_asked(carried.questions, questions(rules.current()))
        ended = await parts.ledger.end_holds(void) if void else 0
        if ended:
            log.info("rules.holds_ended", rules=list(void), holds=ended)
        await parts.ledger.wake(edited(carried.versions, versions(rules.current())), self._clock.now())
        return carried

    def _say_started(self, rules: RulesInForce) -> None:
        configuration = self._configuration
        count = len(rules.current().rules)
        log.info(
            "daemon.started",
            version=__version__,
            panels=[panel.name for panel in configuration.panels],
            rules=count,
            mode=configuration.mode,
            ledger=str(configuration.ledger),
        )
        self._notifier.ready(f"Watching {len(configuration.panels)} panels by {count} rules")
        self.started.set()

    async def _serve(self, work: Work, rules: RulesInForce, parts: Parts) -> None:
        warning = asyncio.create_task(rules.tell_warnings())
        while not self._stopping.is_set():
            await either(self._stopping, self._reload_wanted)
            if self._reload_wanted.is_set() and not self._stopping.is_set():
                self._reload_wanted.clear()
                await self._reload(work, rules, parts)
        await warning

    async def _reload(self, work: Work, rules: RulesInForce, parts: Parts) -> None:
        """Read the rules again. Whatever goes wrong, the last good set stays in force and the daemon runs."""
        self._notifier.reloading()
        try:
            fresh = await asyncio.to_thread(rules.read)
            changes = compare(rules.current(), fresh.rules)
            async with self._deciding:
                ended = await parts.ledger.end_holds((*changes.removed, *changes.restarted))
                await parts.ledger.wake(changes.changed, self._clock.now())
                by = f"{DAEMON}, asked by {self._asked_by}"
                await parts.ledger.rules_in_force(rule_texts(fresh), self._clock.now(), by, rules.files)
                rules.adopt(fresh)
                parts.ledger.use_equal_services(fresh.equal)
        except (DocumentError, LedgerError) as error:
            await self._refuse_reload(error, rules, parts)
            return
        self.counters.increment("reloads", result="done")
        log.info(
            "rules.reloaded",
            added=list(changes.added),
            removed=list(changes.removed),
            changed=list(changes.changed),
            restarted=list(changes.restarted),
            kept=len(changes.kept),
            holds_ended=ended,
            asked_by=self._asked_by,
        )
        told = changes.in_words()
        self._notifier.ready(f"Running {len(fresh.rules.rules)} rules" + (f" ({told})" if told else ""))
        work.look_now()

    async def _refuse_reload(
        self, error: DocumentError | LedgerError, rules: RulesInForce, parts: Parts
    ) -> None:
        problems = (
            [str(problem) for problem in error.problems] if isinstance(error, DocumentError) else [str(error)]
        )
        count = len(rules.current().rules)
        self.counters.increment("reloads", result="failed")
        log.error("rules.reload_failed", problems=problems, kept=count)
        self._notifier.ready(f"Reload refused; running the {count} rules from before")
        now = self._clock.now()
        try:
            what = {"problems": problems[:_PROBLEMS_RECORDED], "kept": count}
            await parts.ledger.audit(AuditKind.RELOAD_REFUSED, DAEMON, "", what, now)
            await parts.voice.tell(reload_failed(problems, now), now)
        except LedgerError as failure:
            log.error("rules.reload_untold", error=str(failure))

    async def _drain(self, jobs: Jobs, work: Work) -> None:
        """Let what is under way end within `stop_timeout`, then cancel it: the executor settles even then."""
        log.info("daemon.stopping", under_way=list(jobs.running))
        self._notifier.stopping("Finishing what is under way")
        jobs.stop()
        work.executor.stop()
        seconds = self._configuration.stop_timeout.total_seconds()
        under_way = jobs.running
        drained = await jobs.drained(seconds)
        if not drained:
            log.warning("daemon.drain_timed_out", under_way=list(under_way), seconds=seconds)
        jobs.shut()
        await work.last_beat()
        log.info("daemon.stopped", drained=drained)
