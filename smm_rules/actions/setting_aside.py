"""What becomes of an intent that isn't sent now: given up, looked at again later, or held."""

from __future__ import annotations

from datetime import datetime, timedelta

from smm_rules.actions.attempt import Patience
from smm_rules.actions.circumstances import HELD_FOR, HELD_RATE, WAITING_SINCE, Circumstances
from smm_rules.actions.continuing import as_settled, continuation
from smm_rules.actions.failover import patience_for
from smm_rules.actions.port import ActionLedger, Voice
from smm_rules.actions.reporting import ExecutionReport, log_outcome
from smm_rules.actions.verdict import Hold, Later, Refuse, Verdict, Why
from smm_rules.actions.voice import about_hold, about_outcome
from smm_rules.facts import format_duration
from smm_rules.ledger.port import StateConflict
from smm_rules.ledger.records import Intent, IntentState, Outcome
from smm_rules.observe import get_logger

log = get_logger(__name__)

_LONGEST_WAIT = timedelta(minutes=15)


class SettingAside:
    """Writes down that an intent isn't sent now, and tells the operator where that is needed."""

    def __init__(self, ledger: ActionLedger, voice: Voice, patience: Patience) -> None:
        self._ledger = ledger
        self._voice = voice
        self._patience = patience

    async def set_aside(
        self,
        intent: Intent,
        verdict: Verdict,
        known: Circumstances | None,
        now: datetime,
        report: ExecutionReport,
    ) -> None:
        """Carry out a verdict that isn't `Ready`; somebody else's change of the intent goes before ours."""
        try:
            if isinstance(verdict, Hold):
                await self._hold(intent, verdict, now)
                report.ended[IntentState.HELD] += 1
            elif isinstance(verdict, Later):
                await self._later(intent, verdict, known, now, report)
            elif isinstance(verdict, Refuse):
                await self._give_up(intent, verdict.reason, verdict.message, known, now, report)
        except StateConflict as conflict:
            log.info("action.changed_elsewhere", intent=intent.id, error=str(conflict))
            report.elsewhere += 1

    async def _hold(self, intent: Intent, verdict: Hold, now: datetime) -> None:
        """Tell first: a crash in between makes the next run do both again, and the key tells it once.

        What an approval would be for is noted last: beside an earlier approval it would widen that one, were
        it noted and the intent then not held.
        """
        if verdict.reason is not Why.DRY_RUN:
            as_held = as_settled(
                intent, Outcome(IntentState.HELD, verdict.reason.value, verdict.message), now
            )
            mark = await self._mark(intent, verdict)
            await self._ledger.enqueue(about_hold(self._voice, as_held, mark), now)
        await self._ledger.hold(intent.id, verdict.reason.value, verdict.message, now)
        evidence = {HELD_FOR: verdict.reason.value, WAITING_SINCE: "", **verdict.evidence}
        await self._ledger.note(intent.id, evidence)
        log.warning("action.held", intent=intent.id, reason=verdict.reason.value, detail=verdict.message)

    async def _mark(self, intent: Intent, verdict: Hold) -> str:
        """What tells this holding from others for the same reason: the rate, and how often it was held."""
        changes = await self._ledger.transitions(intent.id)
        times = sum(change.after is IntentState.HELD for change in changes)
        rate = verdict.evidence.get(HELD_RATE, "")
        return f"{rate}:{times}" if times else rate

    async def _later(
        self,
        intent: Intent,
        verdict: Later,
        known: Circumstances | None,
        now: datetime,
        report: ExecutionReport,
    ) -> None:
        since = _waiting_since(intent, verdict, known) or now
        waited = now - since
        if waited >= patience_for(intent, self._patience, verdict.reason).waiting:
            what = f"waited {format_duration(waited)}: {verdict.message}"
            await self._give_up(intent, verdict.reason, what, known, now, report)
            return
        pause = min(max(self._patience.first_pause, waited / 2), _LONGEST_WAIT)
        outcome = Outcome(
            IntentState.NOT_SENT,
            verdict.reason.value,
            verdict.message,
            retry_at=now + pause,
            evidence={WAITING_SINCE: since.isoformat()},
        )
        then = continuation(self._voice, known.firing if known else None, intent, outcome)
        await self._ledger.refuse(intent.id, outcome, then, now)
        if verdict.reason is Why.NOT_LOOKED_AT and known is not None and not _is_due(known):
            await self._ledger.postpone((intent.entity,), now)
        log_outcome(intent, outcome)
        report.postponed += 1

    async def _give_up(
        self,
        intent: Intent,
        reason: Why,
        message: str,
        known: Circumstances | None,
        now: datetime,
        report: ExecutionReport,
    ) -> None:
        outcome = Outcome(IntentState.NOT_SENT, reason.value, message)
        messages = about_outcome(self._voice, as_settled(intent, outcome, now), now)
        then = continuation(self._voice, known.firing if known else None, intent, outcome, messages)
        await self._ledger.refuse(intent.id, outcome, then, now)
        log_outcome(intent, outcome)
        report.ended[IntentState.NOT_SENT] += 1


def _waiting_since(intent: Intent, verdict: Later, known: Circumstances | None) -> datetime | None:
    """Since when it has been waiting. A look since then ended the wait for one: this is another wait."""
    since = _instant(intent.evidence.get(WAITING_SINCE))
    look = known.last_look if known is not None and verdict.reason is Why.NOT_LOOKED_AT else None
    if since is not None and look is not None and look.last_seen_at is not None and look.last_seen_at > since:
        return None
    return since


def _is_due(known: Circumstances) -> bool:
    """Whether it is to be read at once already: then it keeps its place among the overdue."""
    due_at = known.last_look.due_at if known.last_look is not None else None
    return due_at is not None and due_at <= known.now


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
