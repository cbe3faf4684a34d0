"""Which looks can be left out because they can't come to anything new.

Between two events the daemon asks about an entity every interval and mostly hears what it knows. A rehearsal
keeps to the same grid of instants and skips the looks at which neither facts, nor a rule's wake-up, nor a
running duration can change what any rule comes to.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from smm_rules.facts import EntityKind, Value
from smm_rules.rules.expression import CompiledCondition, Turn
from smm_rules.rules.model import Condition, Rule

#: A comparison by `>` turns the moment after its instant, one by `>=` at it.
_MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Attention:
    """What the rules for one kind of entity depend on.

    `turns` are the durations whose passing may turn a condition, None when that can't be told; `names` the
    stored facts they read, by the name they have in a snapshot.
    """

    turns: frozenset[Turn] | None
    names: frozenset[str]

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
                found += [since + turn.after, since + turn.after + _MOMENT]
        return found


def _turns(condition: Condition) -> frozenset[Turn] | None:
    return condition.turns() if isinstance(condition, CompiledCondition) else None


def on_grid(last: datetime, interval: timedelta, at: datetime) -> datetime:
    """The first look at or after `at`, one interval after `last` at the earliest."""
    steps = -((last - at) // interval)
    return last + interval * max(steps, 1)


def previous_on_grid(last: datetime, interval: timedelta, at: datetime) -> datetime:
    """The look before the one at `at`, those that were left out counted."""
    steps = -((last - at) // interval) - 1
    return last + interval * max(steps, 0)


def next_worthwhile(
    last: datetime, interval: timedelta, wakes: Sequence[datetime], turns: Iterable[datetime]
) -> datetime | None:
    """The next look after `last` that may come to something; None when only news can."""
    later = [on_grid(last, interval, at) for at in turns if at > last]
    return min([*later, *wakes], default=None)
