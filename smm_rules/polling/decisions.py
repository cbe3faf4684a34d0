"""From entities just read to one sweep for the ledger: evaluate every rule, keep the belts on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from smm_rules.engine.due import next_look
from smm_rules.engine.evaluate import Evaluation, evaluate
from smm_rules.engine.guards import over_sweep_limit
from smm_rules.engine.memory import BLANK, Memory, Reason
from smm_rules.engine.steps import begin
from smm_rules.facts import Entity, Facts, Snapshot
from smm_rules.ledger.records import Observed, PlannedFiring, Remembered, Sweep
from smm_rules.rules.model import Rule

Memories = Mapping[tuple[str, Entity], Memory]
#: A thing counts as watched while fewer looks in a row than this are missing, whatever `observation_gap`.
MISSED_LOOKS = 2


@dataclass(frozen=True, slots=True)
class Look:
    """One entity as just read, what is to be stored of it, and the rules that look at it.

    It is looked at again after `interval`, sooner if a rule waits for an instant before, and no more once
    it has been in a terminal status for `settle_after`.
    """

    snapshot: Snapshot
    facts: Facts
    changed: bool
    rules: tuple[Rule, ...]
    interval: timedelta
    settle_after: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Belts:
    """What bounds a sweep: `live` false plans every acting step as held, `gap` is the tolerated gap."""

    live: bool
    gap: timedelta


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule's evaluation for one entity."""

    rule: Rule
    entity: Entity
    before: Memory
    evaluation: Evaluation


@dataclass(frozen=True, slots=True)
class Decided:
    """A sweep ready to be recorded, every verdict behind it, and the rules that went over their limit."""

    sweep: Sweep
    verdicts: tuple[Verdict, ...]
    over_limit: dict[str, int]


def decide(looks: Sequence[Look], memories: Memories, now: datetime, belts: Belts) -> Decided:
    """Evaluate all rules for all entities of a sweep and assemble what the ledger is to write."""
    by_look = [[_verdict(rule, look, memories, now, belts.gap) for rule in look.rules] for look in looks]
    verdicts = [verdict for mine in by_look for verdict in mine]
    over_limit = _over_limit(verdicts)
    sweep = Sweep(
        at=now,
        observed=tuple(
            _observed(look, mine, over_limit, now) for look, mine in zip(looks, by_look, strict=True)
        ),
        remembered=tuple(_remembered(verdicts, over_limit)),
        firings=tuple(_planned(verdicts, over_limit, belts.live)),
    )
    return Decided(sweep, tuple(verdicts), over_limit)


def _verdict(rule: Rule, look: Look, memories: Memories, now: datetime, gap: timedelta) -> Verdict:
    entity = look.snapshot.entity
    before = memories.get((rule.name, entity), BLANK)
    # What is read rarely is not out of sight between two looks.
    tolerated = max(gap, look.interval * MISSED_LOOKS)
    return Verdict(rule, entity, before, evaluate(rule, look.snapshot, before, now, tolerated))


def _observed(
    look: Look, verdicts: Sequence[Verdict], over_limit: Mapping[str, int], now: datetime
) -> Observed:
    entity = look.snapshot.entity
    wakes = [verdict.evaluation.wake_at for verdict in verdicts]
    if any(_stopped_by_sweep(verdict, over_limit) for verdict in verdicts):
        # It asks to fire again at the next look, so there must be one even when the order has settled.
        wakes.append(now + look.interval)
    due_at = next_look(entity.kind, look.facts, now, look.interval, look.settle_after, wakes)
    return Observed(entity, look.facts, look.changed, due_at)


def _over_limit(verdicts: Sequence[Verdict]) -> dict[str, int]:
    """Rules that would fire for more entities than one sweep allows, with that number."""
    counts = Counter(verdict.rule.name for verdict in verdicts if verdict.evaluation.reason is Reason.FIRED)
    limits = {verdict.rule.name: verdict.rule.limit for verdict in verdicts}
    return {name: count for name, count in counts.items() if over_sweep_limit(limits[name], count)}


def _stopped_by_sweep(verdict: Verdict, over_limit: Mapping[str, int]) -> bool:
    """Whether a firing that acts on no panel is left out: what acts is kept, but held."""
    firing = verdict.evaluation.firing
    return (
        verdict.evaluation.reason is Reason.FIRED
        and verdict.rule.name in over_limit
        and not (firing is not None and firing.acts)
    )


def _remembered(verdicts: Sequence[Verdict], over_limit: Mapping[str, int]) -> list[Remembered]:
    memories = (
        (
            verdict,
            verdict.evaluation.memory_if_stopped(Reason.LIMIT_PER_SWEEP)
            if _stopped_by_sweep(verdict, over_limit)
            else verdict.evaluation.memory,
        )
        for verdict in verdicts
    )
    return [
        Remembered(verdict.rule.name, verdict.entity, memory)
        for verdict, memory in memories
        if memory != verdict.before
    ]


def _planned(verdicts: Sequence[Verdict], over_limit: Mapping[str, int], live: bool) -> list[PlannedFiring]:
    planned = []
    for verdict in verdicts:
        firing = verdict.evaluation.firing
        if firing is None or _stopped_by_sweep(verdict, over_limit):
            continue
        held = _held(verdict, over_limit, live)
        if_stopped = verdict.evaluation.memory_if_stopped(Reason.LIMIT_PER_CHAIN)
        planned.append(PlannedFiring(firing, begin(firing), if_stopped, held))
    return planned


def _held(verdict: Verdict, over_limit: Mapping[str, int], live: bool) -> Reason | None:
    if verdict.rule.name in over_limit and verdict.evaluation.reason is Reason.FIRED:
        return Reason.LIMIT_PER_SWEEP
    return None if live else Reason.DRY_RUN
