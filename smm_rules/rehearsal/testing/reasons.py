"""Why a firing that was expected didn't come: by the daemon's own explanation."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from smm_rules.explanation.explain import explain
from smm_rules.explanation.gathering import records_of
from smm_rules.explanation.model import ClauseOutcome, Explanation, Standing, Surroundings
from smm_rules.explanation.words import in_words, sentence
from smm_rules.facts import Entity
from smm_rules.rehearsal.stage import Stage
from smm_rules.rules.model import Rule

_TRUTHS = {True: "true", False: "false", None: "unknown"}
_MOST_ENTITIES = 3


async def reasons(rule: Rule, stage: Stage, now: datetime, every: timedelta) -> list[str]:
    """Lines that say, for each thing the rule looks at, why it didn't fire by `now`."""
    entities = stage.looked_at(rule.watch)
    if not entities:
        return [f"the rule watches {rule.watch}, and there is none in `given`"]
    lines: list[str] = []
    for entity in entities[:_MOST_ENTITIES]:
        lines += _told(await _explanation(rule, entity, stage, now, every))
    if len(entities) > _MOST_ENTITIES:
        lines.append(f"… and {len(entities) - _MOST_ENTITIES} more")
    return lines


async def _explanation(
    rule: Rule, entity: Entity, stage: Stage, now: datetime, every: timedelta
) -> Explanation:
    snapshot = await stage.snapshot(entity, now)
    standing = Standing(
        entity=entity,
        at=now,
        facts=snapshot.facts,
        stored=True,
        seen_at=snapshot.previous_at,
        due_at=None if stage.settled(entity) else now,
        root=snapshot.root,
        imported=snapshot.imported,
        order=await stage.order_of(entity),
        health={},
        service_known=True,
    )
    records = await records_of(stage.ledger, rule.name, standing)
    around = Surroundings(daemon_runs=True, beat_at=now, mode="live", interval=every, gap=stage.pace.gap)
    return explain(rule, standing, records, around)


def _told(explanation: Explanation) -> Iterator[str]:
    yield f"{explanation.entity}: {sentence(explanation.summary)}"
    width = max((len(clause.text) for clause in explanation.when), default=0)
    for clause in explanation.when:
        yield f"    {clause.text:{width}}  {_TRUTHS[clause.truth]:7}  {_facts(clause)}".rstrip()
    if explanation.change:
        yield f"    what would have to be: {explanation.change}"


def _facts(clause: ClauseOutcome) -> str:
    return ", ".join(f"{fact.name} = {in_words(fact.value)}" for fact in clause.facts)
