"""Why one rule did or didn't act on one entity. Pure: everything it needs is handed to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from smm_rules.engine.evaluate import Evaluation, evaluate
from smm_rules.engine.memory import BLANK, Memory, Reason
from smm_rules.explanation.acted import acted
from smm_rules.explanation.clauses import outcomes
from smm_rules.explanation.model import (
    Cause,
    ClauseOutcome,
    Explanation,
    Hold,
    Records,
    Standing,
    Surroundings,
)
from smm_rules.explanation.notes import notes
from smm_rules.explanation.out_of_sight import out_of_reach, out_of_sight
from smm_rules.explanation.stopped import stopped
from smm_rules.explanation.verdict import Verdict
from smm_rules.explanation.words import moment, roughly, span
from smm_rules.facts import Snapshot
from smm_rules.polling.decisions import MISSED_LOOKS
from smm_rules.rules.model import FirstSeen, Rule


def explain(rule: Rule, standing: Standing, records: Records, around: Surroundings) -> Explanation:
    """Name the one cause, what would have to change, and everything that bears on it.

    1. What keeps the rule from ever looking at the entity: the kind, the panel, not tracked, not yet seen.
    2. What came of it, if this episode has fired.
    3. What keeps the facts from being of today: the panel fails, nobody looks, the order has settled.
    4. What the engine itself says on the facts and the memory there are: unknown, false, holding, a limit.
    """
    whole = _Whole(rule, standing, records, around)
    verdict = whole.verdict()
    readable = standing.seen_at is not None
    return Explanation(
        rule=rule,
        entity=standing.entity,
        at=standing.at,
        cause=verdict.cause,
        summary=verdict.summary,
        change=verdict.change,
        notes=notes(rule, standing, records, around, verdict.cause),
        when=whole.when if readable else (),
        until=outcomes(rule.until, standing) if readable else (),
        hold=whole.hold(),
        standing=standing,
        records=records,
    )


@dataclass(slots=True)
class _Whole:
    """All that one explanation is made of."""

    rule: Rule
    standing: Standing
    records: Records
    around: Surroundings

    @property
    def when(self) -> tuple[ClauseOutcome, ...]:
        if self.standing.entity.kind is not self.rule.watch:
            return ()
        return outcomes(self.rule.when, self.standing)

    @property
    def memory(self) -> Memory:
        return self.records.memory or BLANK

    def verdict(self) -> Verdict:
        unreachable = out_of_reach(self.rule, self.standing, self.around)
        if unreachable is not None:
            return unreachable
        if self.records.memory is None:
            return Verdict(
                Cause.MEMORY_LOST,
                f"what rule {self.rule.name} remembered at {moment(self.standing.at)} is no longer kept",
                "ask for a later moment: only the last changes of each rule and entity are kept",
            )
        if self.memory.fired_at is not None:
            return acted(self.rule, self.standing, self.records)
        evaluation = self._evaluation()
        unseen = out_of_sight(self.standing, self.around, evaluation.reason)
        return unseen or self._judged(evaluation)

    def _evaluation(self) -> Evaluation:
        """What the engine would say if it looked now and found the same facts."""
        standing = self.standing
        snapshot = Snapshot(
            entity=standing.entity,
            facts=dict(standing.facts),
            taken_at=standing.at,
            previous_at=standing.seen_at,
            root=standing.root,
            imported=standing.imported,
        )
        gap = max(self.around.gap, self.around.interval * MISSED_LOOKS)
        return evaluate(self.rule, snapshot, self.memory, standing.at, gap)

    def _judged(self, evaluation: Evaluation) -> Verdict:
        match evaluation.reason:
            case Reason.UNKNOWN:
                return self._unknown()
            case Reason.NOT_TRUE:
                return self._false()
            case Reason.FIRST_SEEN:
                return self._first_seen()
            case Reason.HOLDING | Reason.GAP_RESTARTED:
                return self._holding(evaluation)
            case _:
                return self._stopped_or_due(evaluation)

    def _unknown(self) -> Verdict:
        open_ones = [clause for clause in self.when if clause.truth is None]
        names = [f"`{clause.text}`" for clause in open_ones]
        change = "; ".join(clause.wanted for clause in open_ones)
        if self.memory.undecided and self.rule.first_seen is FirstSeen.IGNORE:
            change += "; if it then turns out to have been so from the start, it is ignored (first_seen)"
        return Verdict(Cause.UNKNOWN_FACT, f"{_listed(names)} can't be decided: a fact is unknown", change)

    def _false(self) -> Verdict:
        false = [clause for clause in self.when if clause.truth is False]
        verb = "is" if len(false) == 1 else "are"
        return Verdict(
            Cause.CLAUSE_FALSE,
            f"{_listed([f'`{clause.text}`' for clause in false])} {verb} false",
            "; ".join(clause.wanted for clause in false),
        )

    def _first_seen(self) -> Verdict:
        since = self.memory.true_since or self.standing.at
        kind = self.standing.entity.kind
        return Verdict(
            Cause.FIRST_SEEN,
            f"it held already when the {kind} was first seen ({moment(since)}), and the rule has "
            "first_seen: ignore",
            "the condition must end and begin anew; with first_seen: act the rule would act on what it finds "
            "so, from then on",
        )

    def _holding(self, evaluation: Evaluation) -> Verdict:
        hold, standing = self.hold(), self.standing
        assert hold is not None
        if hold.since is None or hold.ends_at is None or evaluation.reason is Reason.GAP_RESTARTED:
            return Verdict(
                Cause.HOLDING,
                f"the condition holds, but its {roughly(self.rule.hold)} begin with the next look",
                f"wait for the next look and {roughly(self.rule.hold)} more",
            )
        return Verdict(
            Cause.HOLDING,
            f"it has held for {span(standing.at - hold.since)} of the {roughly(hold.needed)} it must",
            f"wait {roughly(hold.ends_at - standing.at)} more, until {moment(hold.ends_at)}",
        )

    def _stopped_or_due(self, evaluation: Evaluation) -> Verdict:
        verdict = stopped(self.rule, self.standing, self.memory, evaluation, self.around)
        if verdict is not None:
            return verdict
        due_at = self.standing.due_at
        return Verdict(
            Cause.DUE,
            "everything holds: it fires at the next look, if the panel still says the same",
            f"wait for the next look{_at(due_at, self.standing.at)}",
        )

    def hold(self) -> Hold | None:
        """The state of the hold, None for a rule without one."""
        if not self.rule.hold:
            return None
        memory = self.memory
        if memory.true_since is None or memory.fired_at is not None or memory.ignored:
            return Hold(self.rule.hold)
        return Hold(self.rule.hold, memory.true_since, memory.true_since + self.rule.hold)


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _at(due_at: datetime | None, now: datetime) -> str:
    if due_at is None:
        return ""
    return f" at {moment(due_at)}" if due_at > now else ", which is due now"
