"""From entities just read to one sweep for the ledger: evaluate every rule, keep the belts on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from smm_rules.engine.due import next_look_before, settles_at
from smm_rules.engine.evaluate import Evaluation, judged
from smm_rules.engine.firing import Firing, Occasion
from smm_rules.engine.guards import over_sweep_limit
from smm_rules.engine.memory import BLANK, Memory, Reason
from smm_rules.engine.steps import begin
from smm_rules.facts import Entity, Facts, Snapshot
from smm_rules.ledger.records import KeptTrace, Observed, PlannedFiring, Remembered, Sweep
from smm_rules.polling.pacing import LOOKS_AT_ONE_PACE, Pacing
from smm_rules.polling.resting import MISSED_LOOKS as MISSED_LOOKS
from smm_rules.polling.resting import Grounds
from smm_rules.polling.tracing import kept_trace
from smm_rules.rules.index import RuleIndex, index_of
from smm_rules.rules.model import Mode, Rule

Memories = Mapping[tuple[str, Entity], Memory]
_NOTHING: Mapping[str, Memory] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Look:
    """One entity as just read, and what is to be stored of it.

    It is looked at again after `interval`, sooner if a rule waits for an instant before, and no more once
    it has been in a terminal status for `settle_after`. `same` says that its facts are the very ones the
    ledger holds. `asked_at` is when the panel was asked, where it matters how old an answer may be. `grounds`
    are given for what may rest while the panel repeats itself, `pacing` for an order whose next look comes as
    soon as it is worth one. `row` is the ledger's own number of an order.
    """

    snapshot: Snapshot
    facts: Facts
    changed: bool
    interval: timedelta
    settle_after: timedelta = timedelta()
    same: bool = False
    asked_at: datetime | None = None
    grounds: Grounds | None = None
    pacing: Pacing | None = None
    row: int | None = None


@dataclass(frozen=True, slots=True)
class Belts:
    """What bounds a sweep: `live` false plans every acting step as held, `gap` is the tolerated gap.

    With `shadow` everything is only written down. Rules named in `paused` don't fire.
    """

    live: bool
    gap: timedelta
    shadow: bool = False
    paused: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's evaluation for one entity."""

    rule: Rule
    entity: Entity
    before: Memory
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that could not be evaluated for an entity: its state for it stays as it was."""

    rule: str
    entity: Entity
    error: Exception


@dataclass(frozen=True, slots=True)
class Decided:
    """A sweep ready to be recorded and what there is to tell of it.

    `verdicts` are those carried out, less the many by which nothing changed, fired or waits. `over_limit`
    has the rules that would have fired too often, by name with that number, `broken` what could not be
    decided.
    """

    sweep: Sweep
    verdicts: tuple[Verdict, ...] = ()
    over_limit: Mapping[str, int] = field(default_factory=dict)
    broken: tuple[Broken, ...] = ()


def decide(
    looks: Sequence[Look],
    rules: Sequence[Rule],
    memories: Memories,
    now: datetime,
    belts: Belts,
    recent: Mapping[str, int] = MappingProxyType({}),
) -> Decided:
    """Evaluate all rules for all entities of a sweep and assemble what the ledger is to write.

    1. Evaluate each rule for each entity, but for those that are certain not to hold and have nothing begun.
       One that raises what nobody foresaw is left out for that entity, with its memory as it was: it spoils
       neither the other rules nor the other entities.
    2. Count the firings of each rule, for one that acts with the `recent` ones, by name, of the sweeps since
       these things were last looked at. Over `per_sweep`, what would act on the panel is planned as held, and
       what would only tell is left out.
    3. Begin the firings that are left: render messages and the first action.
    4. An entity for which something is open is looked at again after `interval` even when it has settled.
    """
    remembered = _by_entity(memories)
    index = index_of(rules)
    judged = [
        _judge(look, index, remembered.get(look.snapshot.entity, _NOTHING), now, belts.gap) for look in looks
    ]
    at_work = [[one for one in verdicts if _may_act(one.rule, belts)] for verdicts, _ in judged if verdicts]
    over_limit = _over_limit(at_work, recent, stopped=False)
    gathering = _Gathering(now, belts, over_limit, _over_limit(at_work, recent, stopped=True))
    for look, (verdicts, broken) in zip(looks, judged, strict=True):
        gathering.add(look, verdicts, broken, remembered.get(look.snapshot.entity, _NOTHING))
    return gathering.decided()


def _by_entity(memories: Memories) -> dict[Entity, dict[str, Memory]]:
    """Each entity's memories by rule: most have none, and need no search for each rule."""
    found: defaultdict[Entity, dict[str, Memory]] = defaultdict(dict)
    for (rule, entity), memory in memories.items():
        found[entity][rule] = memory
    return found


def _judge(
    look: Look, index: RuleIndex, remembered: Mapping[str, Memory], now: datetime, gap: timedelta
) -> tuple[list[Verdict], list[Broken]]:
    """What the rules make of one entity, as far as anything follows from it."""
    # What is read rarely is not out of sight between two looks.
    tolerated = max(gap, look.interval * MISSED_LOOKS)
    snapshot = look.snapshot
    facts = snapshot.facts
    verdicts: list[Verdict] = []
    broken: list[Broken] = []
    for rule in index.candidates(facts, remembered):
        before = remembered.get(rule.name, BLANK) if remembered else BLANK
        try:
            when = rule.when.holds(facts, now)
            if when is False and before is BLANK:
                continue  # as by far most rules are for most things: nothing came of it before, nor does now
            evaluation = judged(rule, snapshot, before, when, now, tolerated)
        except Exception as error:  # a sweep that died of it would die of it again at every tick
            broken.append(Broken(rule.name, snapshot.entity, error))
            continue
        if evaluation.memory is before and evaluation.firing is None and evaluation.wake_at is None:
            continue
        verdicts.append(Verdict(rule, snapshot.entity, before, evaluation))
    return verdicts, broken


def _may_act(rule: Rule, belts: Belts) -> bool:
    """Whether anything comes of the rule: what only watches can't act on too much."""
    return rule.name not in belts.paused and not belts.shadow and rule.guards.mode is not Mode.SHADOW


def _over_limit(
    judged: Sequence[Sequence[Verdict]], recent: Mapping[str, int], *, stopped: bool
) -> dict[str, int]:
    """Rules that would fire for more entities than one sweep allows, with that number.

    With `stopped` those count that the limit over chains stopped at their last look. It will most likely stop
    them again, and they must not use up the sweep for others; should it have been raised, there are many.
    """
    fired = [
        verdict.rule
        for verdicts in judged
        for verdict in verdicts
        if verdict.evaluation.reason is Reason.FIRED and (stopped or not _was_stopped(verdict))
    ]
    counts = Counter(rule.name for rule in fired)
    counts.update({rule.name: recent.get(rule.name, 0) for rule in fired if rule.acts})
    limits = {rule.name: rule.limit for rule in fired}
    return {name: count for name, count in counts.items() if over_sweep_limit(limits[name], count)}


def _was_stopped(verdict: Verdict) -> bool:
    return verdict.before.stopped_by is Reason.LIMIT_PER_CHAIN


def _is_calm(verdict: Verdict) -> bool:
    """Whether the evaluation came to nothing but, maybe, an instant to wait for: so will the next one."""
    evaluation = verdict.evaluation
    return evaluation.firing is None and evaluation.memory == verdict.before


@dataclass(slots=True)
class _Gathering:
    """What the looks of a sweep come to, one after the other."""

    now: datetime
    belts: Belts
    over_limit: Mapping[str, int]
    over_limit_with_stopped: Mapping[str, int]
    observed: list[Observed] = field(default_factory=list)
    remembered: list[Remembered] = field(default_factory=list)
    firings: list[PlannedFiring] = field(default_factory=list)
    traced: list[KeptTrace] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)
    broken: list[Broken] = field(default_factory=list)

    def decided(self) -> Decided:
        sweep = Sweep(
            self.now,
            tuple(self.observed),
            tuple(self.remembered),
            tuple(self.firings),
            tuple(self.traced),
        )
        return Decided(sweep, tuple(self.verdicts), self.over_limit_with_stopped, tuple(self.broken))

    def add(
        self,
        look: Look,
        verdicts: Sequence[Verdict],
        broken: Sequence[Broken],
        remembered: Mapping[str, Memory],
    ) -> None:
        """Take over one entity with what its rules came to. `remembered` is what they knew of it before."""
        self.broken += broken
        wakes: list[datetime | None] = []
        if verdicts or broken:
            wakes += [verdict.evaluation.wake_at for verdict in verdicts]
            # All of them, whatever comes first: each has its own memory and firing to hand over.
            carried_out = [self._carry_out(verdict, look.snapshot) for verdict in verdicts]
            if broken or not all(carried_out):
                wakes.append(self.now + look.interval)
        entity = look.snapshot.entity
        pace = self._pace(look, verdicts, remembered)
        settles = settles_at(entity.kind, look.facts, look.settle_after)
        due_at = next_look_before(settles, self.now, pace, wakes)
        if look.pacing is not None and due_at is not None:
            turns_at = look.pacing.turns_at(look.snapshot.facts, self.now)
            due_at = due_at if turns_at is None else min(due_at, turns_at)
        rest = None
        if look.grounds is not None and due_at is not None and not broken and all(map(_is_calm, verdicts)):
            again = None if look.pacing is None else self.now + LOOKS_AT_ONE_PACE * pace
            rest = look.grounds.rest(look.snapshot.facts, self.now, pace, (*wakes, settles, again))
        self.observed.append(
            Observed(entity, look.facts, look.changed, due_at, look.same, look.asked_at, rest, look.row)
        )

    def _pace(self, look: Look, verdicts: Sequence[Verdict], remembered: Mapping[str, Memory]) -> timedelta:
        """The time to the next look, should nothing ask for one before."""
        if look.pacing is None:
            return look.interval
        after = [verdict.evaluation.memory for verdict in verdicts]
        return look.pacing.pace(look.facts, (*remembered.values(), *after), self.now)

    def _carry_out(self, verdict: Verdict, snapshot: Snapshot) -> bool:
        """Take over memory and firing; False when the verdict is left out and has to come again."""
        evaluation = verdict.evaluation
        firing = evaluation.firing
        if firing is not None and self._is_paused(verdict, firing):
            if firing.occasion is Occasion.FIRED:  # a reminder is simply due again at the next look
                paused = evaluation.memory_if_stopped(Reason.PAUSED)
                self._remember(verdict, snapshot, paused, Reason.PAUSED)
            return False
        if firing is not None and self._is_left_out(verdict, firing):
            stopped = evaluation.memory_if_stopped(Reason.LIMIT_PER_SWEEP)
            self._remember(verdict, snapshot, stopped, Reason.LIMIT_PER_SWEEP)
            return False
        if firing is not None:
            try:
                planned = self._planned(verdict, firing)
            except Exception as error:  # as in `_judge`: the episode hasn't fired, and asks again
                self.broken.append(Broken(verdict.rule.name, verdict.entity, error))
                return False
            self.firings.append(planned)
        self._remember(verdict, snapshot, evaluation.memory, evaluation.reason)
        self.verdicts.append(verdict)
        return True

    def _remember(self, verdict: Verdict, snapshot: Snapshot, memory: Memory, reason: Reason) -> None:
        """Note a memory that changed, and what changed it. Most looks change none and end here."""
        if memory is not verdict.before and memory != verdict.before:
            self.remembered.append(Remembered(verdict.rule.name, verdict.entity, memory))
            self.traced.append(kept_trace(verdict.rule, snapshot, memory, reason, self.now))

    def _is_over_limit(self, verdict: Verdict) -> bool:
        over_limit = self.over_limit_with_stopped if _was_stopped(verdict) else self.over_limit
        return verdict.evaluation.reason is Reason.FIRED and verdict.rule.name in over_limit

    def _is_paused(self, verdict: Verdict, firing: Firing) -> bool:
        """A rule on pause neither fires nor reminds; that an episode is over it still tells."""
        return verdict.rule.name in self.belts.paused and firing.occasion is not Occasion.RESOLVED

    def _is_left_out(self, verdict: Verdict, firing: Firing) -> bool:
        """What acts on a panel is kept for the operator to approve; what only tells would flood them."""
        return self._is_over_limit(verdict) and not firing.acts

    def _planned(self, verdict: Verdict, firing: Firing) -> PlannedFiring:
        hold = None if self.belts.live else Reason.DRY_RUN
        if self.belts.shadow:
            hold = Reason.SHADOW
        elif self._is_over_limit(verdict):
            hold = Reason.LIMIT_PER_SWEEP
        if_stopped = verdict.evaluation.memory_if_stopped(Reason.LIMIT_PER_CHAIN)
        return PlannedFiring(firing, begin(firing), if_stopped, hold)
