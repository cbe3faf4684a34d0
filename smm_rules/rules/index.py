"""Which rules could match: found by the plain values that their conditions ask for, not by trying each.

`status == "Partial" and …` can't hold for an order of another status, whatever else is in it. Of all such
equalities that a rule's condition joins by `and`, the one that fewest other rules share stands for the rule
in the index. What is left out would have come to false. An unknown fact leaves nothing out, for then nothing
is known to be false.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from smm_rules.facts import UNKNOWN, FactType, Known, Value
from smm_rules.rules.condition.functions import TEXTUAL
from smm_rules.rules.condition.nodes import (
    AllOf,
    AnyOf,
    Comparison,
    Literal,
    Node,
    Opposite,
    Options,
    Read,
    Relation,
)
from smm_rules.rules.expression import CompiledCondition

if TYPE_CHECKING:
    from smm_rules.rules.model import Rule

#: Types whose values are equal only to what is written the same; money may be in another currency.
_PLAIN = TEXTUAL | {FactType.BOOLEAN}
#: How many rules the answers kept for another time may hold together.
_MOST_KEPT = 100_000
_UNKNOWN, _ELSE = -1, 0

#: The values that a fact must have, any of them, for a part to hold.
Term = tuple[str, frozenset[Known]]


class WatchedRules(tuple["Rule", ...]):
    """Rules in file order that keep the index made of them."""

    @cached_property
    def rule_index(self) -> RuleIndex:
        """Made when it is first needed: 1,000 rules take some milliseconds."""
        return RuleIndex(self)


def index_of(rules: Sequence[Rule]) -> RuleIndex:
    """The index of `rules`; only `WatchedRules` keep theirs."""
    return rules.rule_index if isinstance(rules, WatchedRules) else RuleIndex(rules)


@dataclass(frozen=True, slots=True)
class _Fact:
    """One fact that rules are found by: a number for each of the values they ask for, and whose they are.

    `rules` are places in file order by the number of a value; `_ELSE` has none, `_UNKNOWN` all of them.
    """

    name: str
    numbers: Mapping[Known, int]
    rules: Mapping[int, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class _Found:
    """Rules in file order, and their names."""

    rules: tuple[Rule, ...]
    names: frozenset[str]


@dataclass(slots=True)
class RuleIndex:
    """Finds among `rules`, of different names and for one kind of thing, those that could match its facts."""

    rules: Sequence[Rule]
    _facts: tuple[_Fact, ...] = field(init=False)
    _always: tuple[int, ...] = field(init=False)
    _places: Mapping[str, int] = field(init=False)
    _kept: dict[tuple[int, ...], _Found] = field(init=False, default_factory=dict)
    _kept_rules: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        chosen = _chosen([terms(rule) for rule in self.rules])
        self._always = tuple(place for place, term in enumerate(chosen) if term is None)
        self._facts = tuple(_facts(chosen))
        self._places = {rule.name: place for place, rule in enumerate(self.rules)}

    def candidates(self, facts: Mapping[str, Value], remembered: Collection[str]) -> Sequence[Rule]:
        """The rules, in file order, that are not certain to be false on these complete facts.

        Those named in `remembered` are always among them: what has begun must be able to end.
        """
        key = []
        for fact in self._facts:
            value = facts.get(fact.name, UNKNOWN)
            key.append(_UNKNOWN if value is UNKNOWN else fact.numbers.get(value, _ELSE))  # type: ignore[arg-type]  # UNKNOWN is told by identity
        found = self._kept.get(tuple(key)) or self._find(tuple(key))
        if not remembered or found.names.issuperset(remembered):
            return found.rules
        return self._with(found, remembered)

    def _find(self, key: tuple[int, ...]) -> _Found:
        """What the numbers of all facts' values come to, kept for the next thing that has the same."""
        places = set(self._always)
        for fact, number in zip(self._facts, key, strict=True):
            places.update(fact.rules[number])
        rules = self._at(places)
        found = _Found(rules, frozenset(rule.name for rule in rules))
        if self._kept_rules > _MOST_KEPT:
            self._kept.clear()
            self._kept_rules = 0
        self._kept[key] = found
        self._kept_rules += len(rules) + 1
        return found

    def _with(self, found: _Found, remembered: Collection[str]) -> Sequence[Rule]:
        places = {self._places[name] for name in (*found.names, *remembered) if name in self._places}
        return found.rules if len(places) == len(found.rules) else self._at(places)

    def _at(self, places: Iterable[int]) -> tuple[Rule, ...]:
        return tuple(self.rules[place] for place in sorted(places))


def terms(rule: Rule) -> dict[str, frozenset[Known]]:
    """The facts that must have one of a few values for the rule's condition to hold, with these values."""
    found: dict[str, frozenset[Known]] = {}
    if isinstance(rule.when, CompiledCondition):
        for node in _conjuncts(rule.when.node):
            term = _term(node)
            if term is not None:
                name, values = term
                found[name] = found.get(name, values) & values
    return found


def _conjuncts(node: Node) -> Iterator[Node]:
    if isinstance(node, AllOf):
        for part in node.parts:
            yield from _conjuncts(part)
    else:
        yield node


def _term(node: Node) -> Term | None:
    """What a part asks of one fact, false when it is something else; None where it asks more."""
    match node:
        case Comparison(operands=(left, right), relations=(relation,), currency_facts=()):
            return _compared(relation, left, right)
        case Read(type=FactType.BOOLEAN):
            return node.field.name, frozenset({True})
        case Opposite(operand=Read(field=field)):
            return field.name, frozenset({False})
        case AnyOf(parts=parts):
            return _any_of([_term(part) for part in parts])
    return None


def _compared(relation: Relation, left: Node, right: Node) -> Term | None:
    if isinstance(left, Literal):
        left, right = right, left
    if not isinstance(left, Read) or left.type not in _PLAIN or left.field.since is not None:
        return None
    if relation is Relation.EQUAL and isinstance(right, Literal):
        return left.field.name, frozenset({right.value})
    if relation is Relation.IN and isinstance(right, Options):
        return left.field.name, frozenset(item.value for item in right.items)
    return None


def _any_of(found: Sequence[Term | None]) -> Term | None:
    names = {term[0] for term in found if term is not None}
    if None in found or len(names) != 1:
        return None
    return names.pop(), frozenset().union(*(term[1] for term in found if term is not None))


def _chosen(asked: Sequence[Mapping[str, frozenset[Known]]]) -> list[Term | None]:
    """The one term that each rule is found by: that of the values which fewest rules ask for."""
    rivals = Counter((name, value) for found in asked for name, values in found.items() for value in values)
    users = Counter(name for found in asked for name in found)

    def cost(term: Term) -> tuple[int, bool, int, str]:
        name, values = term
        most = max((rivals[name, value] for value in values), default=0)
        return most, not values.isdisjoint((True, False)), -users[name], name

    return [min(found.items(), key=cost, default=None) for found in asked]


def _facts(chosen: Sequence[Term | None]) -> Iterator[_Fact]:
    for name in sorted({term[0] for term in chosen if term is not None}):
        mine = [(place, term[1]) for place, term in enumerate(chosen) if term is not None and term[0] == name]
        numbers: dict[Known, int] = {}
        rules: dict[int, list[int]] = {_ELSE: [], _UNKNOWN: [place for place, _ in mine]}
        for place, values in mine:
            for value in values:
                rules.setdefault(numbers.setdefault(value, len(numbers) + 1), []).append(place)
        yield _Fact(name, numbers, {number: tuple(places) for number, places in rules.items()})
