"""A sweep comes to the same whether every rule is tried or only those that the index finds."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from smm_rules.document.problem import Position
from smm_rules.engine.memory import Memory, Reason
from smm_rules.engine.snapshots import complete
from smm_rules.facts import Entity, EntityKind, Facts, Known, Snapshot, Value
from smm_rules.polling.decisions import Belts, Decided, Look, decide
from smm_rules.rules.expression import compile_condition
from smm_rules.rules.index import WatchedRules
from smm_rules.rules.model import FirstSeen, Limits, Rule, Step, StepKind

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
AT = Position(Path("rules.yaml"), 1, 1)
LOG, REFILL = Step(StepKind.LOG, {"message": "{{ order.status }}"}), Step(StepKind.REFILL, {})


@dataclass(frozen=True)
class _All:
    """Finds every rule, always."""

    rules: Sequence[Rule]

    def candidates(self, facts: Mapping[str, Value], remembered: Collection[str]) -> Sequence[Rule]:
        return self.rules


CLAUSES = st.sampled_from(
    [
        'status == "Partial"', 'status in ("Partial", "Canceled")', 'status != "Partial"', 'label == "a"',
        'service.id == "1"', 'service.id in ("1", "2")', "service.refill", "remains > 0",
        '(status == "Completed" or status == "Partial")', '(label == "a" or remains == 0)', "unchanged > 2m",
        "known(label)", "not service.refill",
    ]
)  # fmt: skip
CONDITIONS = (
    st.lists(CLAUSES, min_size=1, max_size=3, unique=True)
    .map(" and ".join)
    .map(lambda source: compile_condition(source, EntityKind.ORDER, AT))
)
FACTS = st.fixed_dictionaries(
    {"id": st.just("1")},
    optional={
        "status": st.sampled_from(["Partial", "Canceled", "Completed", "Frozen"]),
        "label": st.sampled_from(["a", "b"]),
        "remains": st.sampled_from([0, 5]),
        "changed_at": st.sampled_from([NOW, NOW - 5 * MINUTE]),
    },
)
RELATED = st.fixed_dictionaries(
    {}, optional={"service.id": st.sampled_from(["1", "2", "3"]), "service.refill": st.booleans()}
)
INSTANTS = st.none() | st.integers(0, 90).map(lambda minutes: NOW - minutes * MINUTE)


@st.composite
def rules(draw: st.DrawFn) -> list[Rule]:
    return [
        Rule(
            name=f"rule-{number}",
            watch=EntityKind.ORDER,
            when=draw(CONDITIONS),
            do=draw(st.sampled_from([(LOG,), (REFILL,), (REFILL, LOG)])),
            version="v1",
            hold=draw(st.sampled_from([timedelta(), 3 * MINUTE])),
            until=draw(st.none() | CONDITIONS),
            remind=draw(st.sampled_from([None, 10 * MINUTE])),
            done=draw(st.sampled_from([(), (LOG,)])),
            limit=draw(st.sampled_from([Limits(), Limits(per_order=1, every=60 * MINUTE, per_sweep=1)])),
            first_seen=draw(st.sampled_from(FirstSeen)),
        )
        for number in range(draw(st.integers(1, 6)))
    ]


@st.composite
def memories(draw: st.DrawFn) -> Memory:
    began = draw(INSTANTS)
    fired = draw(INSTANTS) if began else None
    return Memory(
        true_since=began,
        unknown_since=draw(INSTANTS) if began else None,
        fired_at=fired,
        last_fired=fired,
        firings=draw(st.integers(0, 2)),
        ignored=draw(st.booleans()) if began and not fired else False,
        undecided=draw(st.booleans()) if not began else False,
        stopped_by=draw(st.sampled_from([None, Reason.LIMIT_EVERY])) if began and not fired else None,
    )


@st.composite
def looks(draw: st.DrawFn) -> list[Look]:
    found = []
    for number in range(draw(st.integers(1, 4))):
        entity = Entity(EntityKind.ORDER, "north", str(number))
        facts: Facts = draw(FACTS)
        related: dict[str, Any] = draw(RELATED)
        snapshot = Snapshot(
            entity,
            complete(EntityKind.ORDER, facts, related),
            NOW,
            draw(st.sampled_from([None, NOW - MINUTE, NOW - 300 * MINUTE])),
            entity,
            draw(st.booleans()),
        )
        found.append(Look(snapshot, facts, draw(st.booleans()), 5 * MINUTE))
    return found


def decided_by_all(*given_to_it: Any) -> Decided:
    with mock.patch("smm_rules.polling.decisions.index_of", _All):
        return decide(*given_to_it)


@given(rules(), looks(), st.data(), st.booleans())
@settings(max_examples=200, deadline=None)
def test_a_sweep_with_the_index_is_the_sweep_without(
    several: list[Rule], looked_at: list[Look], data: st.DataObject, paused: bool
) -> None:
    pairs = [(rule.name, look.snapshot.entity) for rule in several for look in looked_at]
    remembered: dict[tuple[str, Entity], Memory] = data.draw(
        st.dictionaries(st.sampled_from([*pairs, ("gone", pairs[0][1])]), memories(), max_size=5)
    )
    belts = Belts(live=True, gap=60 * MINUTE, paused=frozenset({"rule-0"} if paused else ()))
    whole = decided_by_all(looked_at, several, remembered, NOW, belts)
    assert decide(looked_at, several, remembered, NOW, belts) == whole
    assert decide(looked_at, WatchedRules(several), remembered, NOW, belts) == whole


def test_an_episode_ends_though_the_index_would_not_find_its_rule() -> None:
    known: dict[str, Known] = {"id": "1", "status": "Completed"}
    entity = Entity(EntityKind.ORDER, "north", "1")
    snapshot = Snapshot(entity, complete(EntityKind.ORDER, known, {}), NOW, NOW - MINUTE, entity)
    condition = compile_condition('status == "Partial"', EntityKind.ORDER, AT)
    ending = Rule("ending", EntityKind.ORDER, condition, (LOG,), "v1", done=(LOG,))
    began = Memory(true_since=NOW - MINUTE, fired_at=NOW - MINUTE, last_fired=NOW - MINUTE, firings=1)
    belts = Belts(live=True, gap=60 * MINUTE)
    decided = decide([Look(snapshot, known, True, MINUTE)], [ending], {("ending", entity): began}, NOW, belts)
    assert [verdict.evaluation.reason for verdict in decided.verdicts] == [Reason.RESOLVED]
    assert len(decided.sweep.firings) == 1
