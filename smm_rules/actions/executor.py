"""Carries out intents: checked, claimed, attempted once, settled."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from smm_rules.actions.attempt import INTERRUPTED, KNOWN_ORDER, STOPPED, Patience, outcome_of, send
from smm_rules.actions.checking import check, claim_evidence, waits_its_turn
from smm_rules.actions.circumstances import Circumstances, gather
from smm_rules.actions.continuing import as_settled, continuation
from smm_rules.actions.failover import patience_for
from smm_rules.actions.last_look import LastLook
from smm_rules.actions.made import confirmed
from smm_rules.actions.port import ActingPanel, ActionLedger, Fence, Voice
from smm_rules.actions.queueing import Waiting
from smm_rules.actions.reporting import ExecutionReport, log_outcome
from smm_rules.actions.setting_aside import SettingAside
from smm_rules.actions.settling import Settlement, Settling
from smm_rules.actions.unbroken import unbroken
from smm_rules.actions.verdict import Hold, Ready, Refuse, Verdict, Why
from smm_rules.actions.voice import about_outcome
from smm_rules.clock import Clock
from smm_rules.facts import Entity
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import Intent, IntentState, Leave, Outcome
from smm_rules.observe import correlated, correlation_of, get_logger, span
from smm_rules.panel.sending import looked_at_last, machine_time, sent_before

log = get_logger(__name__)

#: Evidence: an ID the panel gave for something that couldn't be written down as made.
ANSWER = "answer"
_BATCH = 500
#: How much dearer a service may have become for a reorder that states no bound, unless told otherwise.
DEFAULT_RATE_INCREASE = Decimal("0.25")
#: With less time than this left to send in, in seconds, nothing is claimed: it could hardly leave.
LEAST_TO_SEND = 1.0


class Unfenced:
    """The fence of a process that nobody takes for dead while it lives: a lock keeps others away."""

    def send_before(self) -> float | None:
        return None


class Executor:
    """Carries out what is planned in the ledger, in these steps for each intent:

    1. **Order.** Intents about the same order or refill go one after the other, the oldest first, also over
       runs: one waits while an earlier one is planned or any is under way, and is held while one is in
       doubt. The operator is told when the earlier one is stopped, and this one waits for it.
       Intents of different orders go side by side, at most `per_panel` on one panel.
    2. **Check.** What is known today (`gather`) is judged by the kind's pure check: ready, refused with a
       way out, later (the order wasn't looked at for long, the catalogue isn't read, the balance is low:
       looked at again for `Patience.waiting`, then given up and told), or held for the operator. What a rule
       asked for is refused once its condition was seen to hold no more. Check and claim of one panel are one
       at a time, so that two orders can't count on the same money.
    3. **Claim.** Compare-and-set planned → sending, durable before any byte leaves, with the evidence that
       tells an outcome apart later: the parameters, the cost, the balance before. In the same transaction the
       guards judge what it really costs, and a pause or a panic keeps it from being sent. Whoever loses the
       race leaves the intent alone. Under a `fence` the request leaves before its instant, taken before the
       claim, or not at all.
    4. **One attempt.** No repeat inside it. Right before its first byte the ledger is asked once more: what a
       pause or a panic stopped while it waited for the panel is planned as before, and what was taken for
       dead meanwhile is left to whoever has it now. Not reached or rate-limited: nothing happened, the
       intent is planned again with growing pauses, at most `Patience.attempts` times. Refused: rejected. An
       ID: confirmed. Anything else, a cancelled task or the ID of an order known before included: unknown.
    5. **Settle.** Outcome, what it made, the firing's next steps and the word to the operator in one
       transaction, run to its end even when the task is cancelled. If the ledger can't take it, it is tried
       again by the next run, and the boot after a crash puts the intent in doubt.

    With `live` false nothing is ever sent: what is planned is held.
    """

    def __init__(
        self,
        ledger: ActionLedger,
        panels: Mapping[str, ActingPanel],
        owner: str,
        clock: Clock,
        voice: Voice,
        *,
        live: bool = True,
        per_panel: int = 4,
        patience: Patience | None = None,
        want_balance: Callable[[str], None] = lambda _: None,
        default_rate_increase: Decimal | None = DEFAULT_RATE_INCREASE,
        fence: Fence | None = None,
        turns: Callable[[str], AbstractAsyncContextManager[object]] | None = None,
    ) -> None:
        """`turns` gives who may check and claim on a panel, where several processes act on it together."""
        self._ledger = ledger
        self._panels = panels
        self._owner = owner
        self._clock = clock
        self._voice = voice
        self._live = live
        self._per_panel = per_panel
        self._patience = patience or Patience()
        self._want_balance = want_balance
        self._default_rate_increase = default_rate_increase
        self._settling = Settling(ledger, voice, owner)
        self._waiting = Waiting(ledger, voice)
        self._aside = SettingAside(ledger, voice, self._patience)
        self._places: dict[str, asyncio.Semaphore] = {}
        self._checks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._turns = turns or (lambda panel: self._checks[panel])
        self._fence: Fence = fence or Unfenced()
        self._stopping = False

    @property
    def unwritten(self) -> tuple[Settlement, ...]:
        """Outcomes the ledger hasn't taken yet; the next run tries again."""
        return self._settling.unwritten

    def stop(self) -> None:
        """Claim nothing more. A run under way ends when its attempts have; cancel it to end it sooner."""
        self._stopping = True

    async def run_due(self, now: datetime) -> ExecutionReport:
        """Carry out every intent that may be claimed at `now`.

        A `LedgerError` is raised when the others are done: it spoils no other intent.
        """
        await self._settling.settle_again()
        return await self._run(await self._ledger.claimable(now, _BATCH))

    async def settle_again(self) -> None:
        """Write down the outcomes that the ledger wouldn't take before."""
        await self._settling.settle_again()

    async def run_one(self, intent_id: int) -> Intent | None:
        """Carry out one intent if it is planned, and return how it stands; None when there is none."""
        intent = await self._ledger.intent(intent_id)
        if intent is None or intent.state is not IntentState.PLANNED:
            return intent
        await self._run((intent,))
        return await self._ledger.intent(intent_id)

    async def _run(self, intents: Iterable[Intent]) -> ExecutionReport:
        lines: defaultdict[Entity | int, list[Intent]] = defaultdict(list)
        for intent in intents:
            lines[intent.entity if intent.entity.id else intent.id].append(intent)
        report = ExecutionReport()
        ends = await asyncio.gather(
            *(self._line(line, report) for line in lines.values()), return_exceptions=True
        )
        for end in ends:
            if isinstance(end, BaseException):
                raise end
        return report

    async def _line(self, intents: Sequence[Intent], report: ExecutionReport) -> None:
        """Intents about one order, one after the other."""
        for intent in intents:
            if self._stopping:
                return
            story = correlation_of(intent.rule, intent.entity, intent.episode)
            about = str(intent.entity)
            with (
                correlated(intent=intent.id, rule=intent.rule, entity=about, correlation=story),
                span("action", story=story, intent=intent.id, kind=intent.kind.value, rule=intent.rule),
            ):
                if intent.panel not in self._places:
                    self._places[intent.panel] = asyncio.Semaphore(self._per_panel)
                async with self._places[intent.panel]:
                    await self._carry_out(intent, report)

    async def _carry_out(self, intent: Intent, report: ExecutionReport) -> None:
        panel = self._panels.get(intent.panel)
        if panel is not None and self._live:
            await panel.ready()
        async with self._turns(intent.panel):
            if self._stopping:
                return
            # It may have been tried by another meanwhile: which attempt this will be is read in this turn.
            intent = await self._ledger.intent(intent.id) or intent
            if intent.state is not IntentState.PLANNED:
                await self._lost(intent, report)
                return
            now = self._clock.now()
            with span("action.check"):
                known, verdict = await self._judge(intent, panel is not None, now)
            if known is not None and waits_its_turn(known):
                await self._waiting.tell(intent, known.earlier, now)
                report.waiting += 1
                return
            if panel is None or known is None or not isinstance(verdict, Ready):
                await self._aside.set_aside(intent, verdict, known, now, report)
                return
            evidence = claim_evidence(verdict, known, intent.evidence)
            before = self._fence.send_before()
            if before is not None and before - machine_time() < LEAST_TO_SEND:
                report.waiting += 1
                return
            claim = self._ledger.claim(intent.id, self._owner, now, evidence, verdict.cost, verdict.currency)
            with span("action.claim"):
                claimed, stopped = await unbroken(claim)
            intent = replace(intent, attempts=intent.attempts + claimed, claimed_at=now)
        if not claimed:
            await self._lost(intent, report)
        elif stopped:
            outcome = Outcome(IntentState.NOT_SENT, STOPPED, "stopped before it was sent", retry_at=now)
            await self._settle(intent, outcome, known, report)
        else:
            with sent_before(before):
                stopped = await self._attempt(intent, panel, verdict, known, now, report)
        if stopped:
            raise asyncio.CancelledError

    async def _lost(self, intent: Intent, report: ExecutionReport) -> None:
        """The claim failed: a guard holds the intent, a stop keeps it, or somebody else was faster."""
        after = await self._ledger.intent(intent.id)
        if after is not None and after.state is IntentState.HELD:
            log.warning("action.held", intent=intent.id, reason=after.reason, detail=after.message)
            report.ended[IntentState.HELD] += 1
            return
        if after is not None and after.state is IntentState.PLANNED:
            log.info("action.stopped", intent=intent.id)
        else:
            log.info("action.claimed_elsewhere", intent=intent.id)
        report.elsewhere += 1

    async def _judge(
        self, intent: Intent, panel_known: bool, now: datetime
    ) -> tuple[Circumstances | None, Verdict]:
        """What is known, and what follows; a check that fails itself is held, never sent."""
        try:
            known = await gather(self._ledger, intent, now)
            known = replace(known, default_rate_increase=self._default_rate_increase)
            if not self._live:
                return known, Hold(Why.DRY_RUN, "nothing is sent in a dry run")
            if not panel_known:
                what = f"panel {intent.panel} is not in the configuration; add it and ask again"
                return known, Refuse(Why.PANEL_UNKNOWN, what)
            return known, check(intent, known)
        except LedgerError:
            raise
        except Exception as error:  # nothing may be bought on the word of a broken check
            log.exception("action.check_failed", intent=intent.id, error=repr(error))
            return None, Hold(Why.CHECK_FAILED, f"the check before it failed: {error!r}")

    async def _attempt(
        self,
        intent: Intent,
        panel: ActingPanel,
        ready: Ready,
        known: Circumstances,
        now: datetime,
        report: ExecutionReport,
    ) -> bool:
        """The one call and its settlement; whether the task was asked to stop meanwhile."""
        result, stopped = "", False
        look = LastLook(self._ledger, intent, self._owner, self._clock)
        rate = "" if ready.rate is None else format(ready.rate, "f")
        try:
            with looked_at_last(look):
                result = await send(panel, intent.kind, ready)
            outcome = confirmed(intent, result, known.order, ready.parameters, rate, now)
        except asyncio.CancelledError:
            stopped = _asked_to_stop()
            what = "stopped while the request was under way; whether the panel acted isn't known"
            outcome = Outcome(IntentState.UNKNOWN, INTERRUPTED, what)
        except Exception as error:  # whatever it is, the request may have had its effect
            at = self._clock.now()
            outcome = look.outcome(at) or outcome_of(error, intent, at, patience_for(intent, self._patience))
        if look.leave is Leave.LOST:
            return await self._give_back(intent, outcome, known, report) or stopped
        if outcome.tracked is not None:
            outcome, cut_off = await self._doubt_known(outcome, outcome.tracked.entity, now)
            stopped = stopped or cut_off
        if result and not outcome.result:
            outcome = replace(outcome, evidence={**outcome.evidence, ANSWER: result})
        return await self._settle(intent, outcome, known, report) or stopped

    async def _give_back(
        self, intent: Intent, outcome: Outcome, known: Circumstances, report: ExecutionReport
    ) -> bool:
        """Say that a lost claim was never sent, unless it was claimed again: that is another's to settle."""
        log.warning("action.claim_lost", intent=intent.id)
        report.elsewhere += 1
        then = continuation(self._voice, known.firing, intent, outcome)
        return await self._settling.prove(Settlement(intent, outcome, then, self._clock.now()))

    async def _doubt_known(
        self, outcome: Outcome, made: Entity, claimed_at: datetime
    ) -> tuple[Outcome, bool]:
        """In doubt if the order made was known before the attempt; and whether the task was asked to stop."""
        try:
            known, stopped = await unbroken(self._ledger.order(made))
        except LedgerError:
            return outcome, False  # the panel's word stands
        if known is None or known.tracked_at >= claimed_at:
            return outcome, stopped
        what = f"the panel answered with order {made.id}, which was known before; whether it made one isn't"
        return Outcome(IntentState.UNKNOWN, KNOWN_ORDER, what), stopped

    async def _settle(
        self, intent: Intent, outcome: Outcome, known: Circumstances, report: ExecutionReport
    ) -> bool:
        """Write the outcome down; whether the task was asked to stop meanwhile."""
        now = self._clock.now()
        again = outcome.retry_at is not None
        settled = as_settled(intent, outcome, now)
        messages = () if again else about_outcome(self._voice, settled, now)
        then = continuation(self._voice, known.firing, intent, outcome, messages)
        with span("action.settle", state=outcome.state.value, reason=outcome.reason):
            stopped = await self._settling.settle(Settlement(intent, outcome, then, now))
        log_outcome(settled, outcome)
        if again:
            report.postponed += 1
        else:
            report.ended[outcome.state] += 1
        if outcome.state is IntentState.UNKNOWN:
            self._want_balance(intent.panel)
        return stopped


def _asked_to_stop() -> bool:
    """Whether this task is being cancelled; a library's own cancellation is only a failed call."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
