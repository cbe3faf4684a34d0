"""Which looks at orders can come to nothing, so that they need not be taken whole.

A look at which no rule's memory changed and nothing fired came to nothing. The next one comes to the same as
long as all that a rule goes by is the same:

- the facts of the order: they follow from what the ledger holds of it and from the panel's words. Words that
  are repeated leave them as they are, and a change in the ledger ends the rest by itself (`Rest.changes`);
- the rules in force, the facts they read of service, balance and panel, the settings of looks: the context;
- the time: until the next instant at which a running duration passes one that a rule names, or for which a
  rule waits, or at which the order settles;
- when it was last looked at: a hold starts anew after a gap.

What is stopped (pauses, modes, limits over more than one order) matters only where something fires.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b

from smm_rules import __version__
from smm_rules.engine.attention import Attention
from smm_rules.engine.urgency import Interest
from smm_rules.facts import UNKNOWN, EntityKind, Value
from smm_rules.ledger.codec import duration_to_micros, to_micros
from smm_rules.ledger.records import DueOrder, Rest
from smm_rules.rules.model import Rule

#: A thing counts as watched while fewer looks in a row than this are missing, whatever `observation_gap`.
MISSED_LOOKS = 2
#: An order is looked at whole this often, whatever it rests on.
LONGEST_REST = timedelta(days=1)
_CONTEXT_BYTES = 8
_SERVICE = f"{EntityKind.SERVICE}."
_OF_THE_PANEL = (f"{EntityKind.BALANCE}.", f"{EntityKind.PANEL}.")


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the rest after a look at an order stands on, beside time; see `Rest`."""

    answer: int
    context: int
    changes: int
    attention: Attention

    def rest(
        self,
        facts: Mapping[str, Value],
        now: datetime,
        pace: timedelta,
        instants: Iterable[datetime | None],
    ) -> Rest | None:
        """The rest after a look at `now` that came to nothing; None where it would spare no look.

        `instants` bound it beside the turns of the rules' conditions on these complete facts.
        """
        stays = self.attention.stays_for(facts, now)
        lasts = LONGEST_REST if stays is None else min(stays, LONGEST_REST)
        until = now + lasts
        for at in instants:
            if at is not None and at < until:
                until = at
        return Rest(self.answer, self.context, until, pace, self.changes) if now + pace < until else None


@dataclass(slots=True)
class Contexts:
    """Fingerprints of all that a panel's rules for orders go by, beside the orders: one a service.

    Those made since anything last changed are the valid ones: whoever rests on another is looked at, and its
    service's is made. `settings` are what is set of looks, as a text.
    """

    settings: str = ""
    attention: Attention = field(default_factory=lambda: Attention.of(()))
    interest: Interest = field(default_factory=lambda: Interest.of(()))
    valid: set[int] = field(default_factory=set)
    _rules: tuple[Rule, ...] | None = None
    _of_service: dict[str, int] = field(default_factory=dict)
    _of_panel: object = None
    _late: timedelta = timedelta()
    _catalogue: int = -1
    _common: bytes = b""
    _read_of_service: tuple[str, ...] = ()
    _read_of_panel: tuple[str, ...] = ()

    def refresh(
        self, rules: tuple[Rule, ...], shared: Mapping[str, Value], catalogue: int, late: timedelta
    ) -> None:
        """Take note of how things are: rules in force, balance and panel, how many catalogues were read.

        `late` is how late looks come: paces were found by it, so nobody rests on another.
        """
        if self._rules is None or not _same(rules, self._rules):
            self._rules, self._of_panel = rules, None
            self.attention, self.interest = Attention.of(rules), Interest.of(rules)
            names = sorted(self.attention.names)
            self._read_of_service = tuple(name for name in names if name.startswith(_SERVICE))
            self._read_of_panel = tuple(name for name in names if name.startswith(_OF_THE_PANEL))
        of_panel = _written(self._read_of_panel, shared)
        if of_panel == self._of_panel and catalogue == self._catalogue and late == self._late:
            return
        self._of_panel, self._catalogue, self._late = of_panel, catalogue, late
        versions = sorted((rule.name, rule.version) for rule in rules)
        self._common = repr((__version__, self.settings, late, versions, of_panel)).encode()
        self._of_service.clear()
        self.valid.clear()

    def of(self, service: str | None, related: Mapping[str, Value]) -> int:
        """The context of orders of `service`, of which `related` has the facts under dotted names."""
        known = self._of_service.get(service or "")
        if known is None:
            digest = blake2b(self._common, digest_size=_CONTEXT_BYTES)
            digest.update(repr((service or "", _written(self._read_of_service, related))).encode())
            known = int.from_bytes(digest.digest(), signed=True)
            self._of_service[service or ""] = known
            self.valid.add(known)
        return known


def resting(
    due: Iterable[DueOrder], same: Collection[str], valid: set[int], now: datetime, gap: timedelta
) -> list[int]:
    """The rows of those that the panel said the `same` of as before, and whose looks can come to nothing.

    `valid` are the contexts of now, `gap` is the longest time between two looks that no hold minds.
    """
    at, longest = to_micros(now), duration_to_micros(gap)
    # A hold is looked at so often that two looks are never further apart than the gap, unless some failed.
    return [
        row
        for row, name, seen, answer, context, until, pace, _ in due
        if answer is not None
        and context in valid
        and name in same
        and seen is not None
        and until is not None
        and pace is not None
        and seen <= at
        and at + pace < until
        and (at - seen <= longest or at - seen <= MISSED_LOOKS * pace)
    ]


def _same(rules: tuple[Rule, ...], before: tuple[Rule, ...]) -> bool:
    return len(rules) == len(before) and all(map(_is, rules, before))


def _is(rule: Rule, other: Rule) -> bool:
    return rule is other


def _written(names: Iterable[str], facts: Mapping[str, Value]) -> str:
    return repr([(name, facts.get(name, UNKNOWN)) for name in names])
