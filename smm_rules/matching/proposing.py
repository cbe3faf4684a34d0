"""Which services of several panels may be the same thing: proposals, with a score and what speaks for them.

A proposal is never used by itself: services that only seem equal would be bought with the user's money.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import combinations

from smm_rules.matching.equal import Group, Member
from smm_rules.matching.file import PROPOSED, REFUSED, LoadedMapping
from smm_rules.matching.names import Weights, numbers_differ, words_of
from smm_rules.matching.offered import Offered, common_quantities, folded

#: Less alike than this isn't proposed unless asked for.
LEAST_SCORE = 0.6
#: By so many of its rarest words those are found that a service is compared with, and so many of them.
_TELLING_WORDS = 6
_COMPARED = 40
_OF_NAME, _OF_CATEGORY, _OF_BOUNDS = 0.75, 0.15, 0.10
_OTHER_NUMBERS, _OTHER_FLAG = 0.8, 0.9


@dataclass(frozen=True, slots=True)
class Alike:
    """Two services of two panels, how alike they are from 0 to 1, and what was found."""

    one: Offered
    other: Offered
    score: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Proposal:
    """Services that may be equal, or one that may belong to the confirmed group `joins`.

    `score` is that of the pair that is least alike.
    """

    services: tuple[Offered, ...]
    score: float
    reasons: tuple[str, ...]
    joins: str | None = None


def propose(
    catalogues: Mapping[str, Sequence[Offered]], known: LoadedMapping | None, least: float = LEAST_SCORE
) -> tuple[Proposal, ...]:
    """Proposals for what the mapping `known` says nothing of, the surest first.

    What is confirmed or was proposed before stays as it is, what was refused is not proposed again. A service
    is proposed with the one most like it on another panel, and only if that one says the same of it.
    """
    said = _Said.of(known)
    weights = Weights.of(f"{row.name} {row.category}" for rows in catalogues.values() for row in rows)
    pairs: list[Alike] = []
    for one, other in combinations(catalogues, 2):
        pairs += _mutual(catalogues[one], catalogues[other], weights, said, least)
    pairs.sort(key=lambda pair: (-pair.score, str(pair.one.member), str(pair.other.member)))
    return tuple(_gathered(pairs, said))


@dataclass(frozen=True, slots=True)
class _Said:
    """What the mapping says already."""

    grouped: Mapping[Member, Group]
    waiting: frozenset[Member]
    refused: frozenset[frozenset[Member]]

    @classmethod
    def of(cls, known: LoadedMapping | None) -> _Said:
        if known is None:
            return cls({}, frozenset(), frozenset())
        grouped = {member: group for group in known.equal.groups for member in group.members}
        names = {group.name.casefold(): group for group in known.equal.groups}
        waiting = (member for _, entry in known.entries(PROPOSED) for member in entry.members)
        refused: set[frozenset[Member]] = set()
        for _, entry in known.entries(REFUSED):
            group = names.get((entry.joins or "").casefold())
            members = (*entry.members, *(group.members if group else ()))
            refused |= {frozenset(pair) for pair in combinations(members, 2)}
        return cls(grouped, frozenset(waiting), frozenset(refused))

    def may_be(self, one: Member, other: Member) -> bool:
        """Whether the mapping leaves it open that two are equal."""
        if one in self.waiting or other in self.waiting or frozenset((one, other)) in self.refused:
            return False
        mine, theirs = self.grouped.get(one), self.grouped.get(other)
        if mine is None and theirs is None:
            return True
        if mine is not None and theirs is not None:
            return False
        group, new = (mine, other) if mine is not None else (theirs, one)
        assert group is not None
        return group.on(new.panel) is None and not any(
            frozenset((new, member)) in self.refused for member in group.members
        )


def _mutual(
    ones: Sequence[Offered], others: Sequence[Offered], weights: Weights, said: _Said, least: float
) -> Iterator[Alike]:
    """Pairs of which each is the other's most alike."""
    best: dict[Member, Alike] = {}
    best_of_other: dict[Member, Alike] = {}
    for pair in _pairs(ones, others, weights, said, least):
        if pair.score > _score(best.get(pair.one.member)):
            best[pair.one.member] = pair
        if pair.score > _score(best_of_other.get(pair.other.member)):
            best_of_other[pair.other.member] = pair
    return (pair for pair in best.values() if best_of_other[pair.other.member] is pair)


def _score(pair: Alike | None) -> float:
    return -1.0 if pair is None else pair.score


def _pairs(
    ones: Sequence[Offered], others: Sequence[Offered], weights: Weights, said: _Said, least: float
) -> Iterator[Alike]:
    """Every pair that is worth a comparison: of one type, and among the closest by their telling words."""
    by_word: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for index, row in enumerate(others):
        for word in words_of(row.name):
            by_word[folded(row.type), word].append(index)
    for one in ones:
        for index in _closest(one, by_word, weights):
            other = others[index]
            if said.may_be(one.member, other.member):
                pair = alike(one, other, weights)
                if pair is not None and pair.score >= least:
                    yield pair


def _closest(one: Offered, by_word: Mapping[tuple[str, str], list[int]], weights: Weights) -> list[int]:
    """Those that share the most of the rarest words of `one`, a few of them."""
    shared: defaultdict[int, float] = defaultdict(float)
    type_ = folded(one.type)
    for word in weights.rarest(words_of(one.name), _TELLING_WORDS):
        found = by_word.get((type_, word), ())
        weight = weights.weight(word)
        for index in found:
            shared[index] += weight
    return nlargest(_COMPARED, shared, key=shared.__getitem__)


def alike(one: Offered, other: Offered, weights: Weights) -> Alike | None:
    """How alike two services are; None where they can't be equal: no quantity that both take."""
    common = common_quantities(one, other)
    if common is None:
        return None
    names = weights.alike(one.name, other.name)
    categories = weights.alike(one.category, other.category) if one.category and other.category else names
    score = _OF_NAME * names + _OF_CATEGORY * categories + _OF_BOUNDS * _overlap(one, other)
    reasons = [f"names {names * 100:.0f} % alike", f"both of type {one.type}", _bounds_in_words(common)]
    numbers = numbers_differ(one.name, other.name)
    if numbers is not None:
        score *= _OTHER_NUMBERS
        reasons.append(f"BUT numbers differ: {numbers[0]} and {numbers[1]}")
    for flag in ("refill", "cancel"):
        mine, theirs = getattr(one, flag), getattr(other, flag)
        if mine is not None and theirs is not None and mine is not theirs:
            score *= _OTHER_FLAG
            reasons.append(f"BUT only {one.member if mine else other.member} has {flag}")
    return Alike(one, other, score, tuple(reasons))


def _overlap(one: Offered, other: Offered) -> float:
    """The share of quantities, by their order of magnitude, that both take."""
    least = [max(row.least or 1, 1) for row in (one, other)]
    most = [max(row.most or 10**9, 1) for row in (one, other)]
    shared, all_ = min(most) / max(least), max(most) / min(least)
    return 1.0 if all_ <= 1 else max(0.0, min(1.0, _log(shared) / _log(all_)))


def _log(number: float) -> float:
    return math.log(max(number, 1.0) + 1)


def _bounds_in_words(common: tuple[int, int | None]) -> str:
    least, most = common
    return f"both take {least} and more" if most is None else f"both take {least} to {most}"


def _gathered(pairs: Iterable[Alike], said: _Said) -> Iterator[Proposal]:
    """Pairs put together, the surest first: a group has one service of each panel."""
    groups: list[list[Alike]] = []
    place: dict[Member, list[Alike]] = {}
    joining: list[Proposal] = []
    joined: set[tuple[str, str]] = set()
    for pair in pairs:
        members = (pair.one.member, pair.other.member)
        confirmed = next((said.grouped[member] for member in members if member in said.grouped), None)
        if confirmed is not None:
            new = pair.other if pair.one.member in said.grouped else pair.one
            if new.member not in place and (confirmed.name, new.member.panel) not in joined:
                joined.add((confirmed.name, new.member.panel))
                place[new.member] = []
                joining.append(Proposal((new,), pair.score, pair.reasons, confirmed.name))
            continue
        found = [place[member] for member in members if member in place]
        if not found:
            groups.append([pair])
            place |= dict.fromkeys(members, groups[-1])
        elif len(found) == 1 and found[0] and _fits(found[0], pair, said):
            found[0].append(pair)
            place |= dict.fromkeys(members, found[0])
    whole = [
        Proposal(_services(group), min(pair.score for pair in group), _reasons(group)) for group in groups
    ]
    yield from sorted([*whole, *joining], key=lambda proposal: -proposal.score)


def _fits(group: Sequence[Alike], pair: Alike, said: _Said) -> bool:
    """Whether a pair brings a panel that the group lacks, with nothing said against any two."""
    there = {row.member: row for one in group for row in (one.one, one.other)}
    new = pair.other if pair.one.member in there else pair.one
    if any(member.panel == new.member.panel for member in there):
        return False
    return all(
        said.may_be(new.member, member) and common_quantities(new, row) is not None
        for member, row in there.items()
    )


def _services(group: Sequence[Alike]) -> tuple[Offered, ...]:
    return tuple({row.member: row for pair in group for row in (pair.one, pair.other)}.values())


def _reasons(group: Sequence[Alike]) -> tuple[str, ...]:
    """Those of the pair that is least alike, and each doubt of another."""
    weakest = min(group, key=lambda pair: pair.score)
    doubts = [
        reason for pair in group if pair is not weakest for reason in pair.reasons if reason.startswith("BUT")
    ]
    return tuple(dict.fromkeys((*weakest.reasons, *doubts)))
