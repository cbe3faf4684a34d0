"""What the rules for one kind of entity depend on: which facts, and which instants."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from smm_rules.facts import EntityKind, Value
from smm_rules.rules.expression import CompiledCondition, Turn
from smm_rules.rules.model import Condition, Rule

#: A comparison by `>` turns the moment after its instant, one by `>=` at it.
MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Attention:
    """What all rules for one kind of entity depend on together.

    `turns` are the durations whose passing may turn a condition, None when that can't be told; `names` the
    stored facts they read, by the name they have in a snapshot.
    """

    turns: frozenset[Turn] | None
    names: frozenset[str]
    _lengths: tuple[tuple[str, tuple[timedelta, ...]], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        lengths: defaultdict[str, list[timedelta]] = defaultdict(list)
        for turn in self.turns or ():
            lengths[turn.since].append(turn.after)
        in_order = tuple((since, tuple(sorted(each))) for since, each in sorted(lengths.items()))
        object.__setattr__(self, "_lengths", in_order)

    @classmethod
    def of(cls, rules: Iterable[Rule]) -> Attention:
        """The attention of all of `rules` together."""
        conditions = [each for rule in rules for each in (rule.when, rule.until) if each is not None]
        turns: frozenset[Turn] | None = frozenset()
        names: frozenset[str] = frozenset()
        for condition in conditions:
            found = _turns(condition)
            turns = None if turns is None or found is None else turns | found
            names |= condition.stored_names if isinstance(condition, CompiledCondition) else frozenset()
        return cls(turns, names)

    def reads(self, kind: EntityKind) -> frozenset[str]:
        """The facts of a related `kind` that are read, by their bare names."""
        prefix = f"{kind}."
        return frozenset(name.removeprefix(prefix) for name in self.names if name.startswith(prefix))

    def instants(self, facts: Mapping[str, Value]) -> list[datetime]:
        """When time alone may turn a condition, on these complete facts."""
        found = []
        for turn in self.turns or ():
            since = facts.get(turn.since)
            if isinstance(since, datetime):
                found += [since + turn.after, since + turn.after + MOMENT]
        return found

    def stays_for(self, facts: Mapping[str, Value], now: datetime) -> timedelta | None:
        """How long after `now`, at least, time alone turns no condition; None when it never does.

        Nothing where it can't be told. The instant at the end is one at which a condition may turn.
        """
        if self.turns is None:
            return timedelta()
        shortest: timedelta | None = None
        for name, lengths in self._lengths:
            since = facts.get(name)
            if not isinstance(since, datetime):
                continue
            passed = now - since
            if passed <= lengths[-1]:
                left = lengths[bisect_left(lengths, passed)] - passed
                shortest = left if shortest is None or left < shortest else shortest
        # What stands at its very length turns in a moment.
        return MOMENT if shortest is not None and not shortest else shortest


def _turns(condition: Condition) -> frozenset[Turn] | None:
    return condition.turns() if isinstance(condition, CompiledCondition) else None
