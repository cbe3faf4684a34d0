"""A loaded rule: typed, checked, compiled and frozen. The loader makes these, the engine reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from smm_rules.document.problem import Position
from smm_rules.facts import EntityKind, Value
from smm_rules.facts.allowance import Allowance
from smm_rules.rules.index import WatchedRules


class StepKind(StrEnum):
    """What a step does. The first four act on a panel and go through intents; the rest go to the outbox.

    `ADD` is an order of the operator's own, `smm-rules orders place`: no rule has it as a step.
    """

    REFILL = "refill"
    REORDER = "reorder"
    CANCEL = "cancel"
    ADD = "add"
    NOTIFY = "notify"
    WEBHOOK = "webhook"
    LOG = "log"


#: Steps that change something on a panel: each is an intent in the ledger, attempted at most once.
ACTING = frozenset({StepKind.REFILL, StepKind.REORDER, StepKind.CANCEL, StepKind.ADD})


class FirstSeen(StrEnum):
    """What to do about an entity that is already in a rule's state when it is first observed."""

    IGNORE = "ignore"
    ACT = "act"


class Condition(Protocol):
    """A compiled condition."""

    @property
    def source(self) -> str:
        """The condition as written, clauses of a list joined by ` and `."""
        ...

    def holds(self, facts: Mapping[str, Value], now: datetime) -> bool | None:
        """True, False, or None when a fact it needs is unknown (three-valued: false and unknown is false)."""
        ...


@dataclass(frozen=True, slots=True)
class Step:
    """One step of `do`, `otherwise` or `done`.

    `parameters` hold plain values and template texts as written (str, int, bool, Decimal as text, or
    mappings and lists of these); `rules.templates` renders them when the step's turn comes. It is plain
    data so that a firing can keep its own steps in the ledger while the rule file moves on.
    """

    kind: StepKind
    parameters: Mapping[str, object] = field(default_factory=dict)

    @property
    def acts(self) -> bool:
        """Whether the step changes something on a panel."""
        return self.kind in ACTING


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a rule may fire. None means no such limit.

    `per_order` counts firings for one entity ever, `every` is the least time between two of them,
    `per_chain` counts over a chain of reorders, `per_sweep` over all entities of one sweep: a rule that
    would fire more often than that in one sweep acts on none of them.
    """

    per_order: int | None = None
    every: timedelta | None = None
    per_chain: int | None = None
    per_sweep: int | None = None


NO_LIMITS = Limits()


class Mode(StrEnum):
    """How far a rule goes. `DRY_RUN` holds its actions and lets its messages out; `SHADOW` only writes down
    what it would have done, beside the live rules."""

    LIVE = "live"
    DRY_RUN = "dry_run"
    SHADOW = "shadow"


@dataclass(frozen=True, slots=True)
class ApprovalNeed:
    """Which actions wait for the operator: those dearer than `above`, all of them where that is None.

    What waited for longer than `expires` is denied; None waits for ever.
    """

    above: Decimal | None = None
    expires: timedelta | None = None


@dataclass(frozen=True, slots=True)
class RuleGuards:
    """What bounds a rule's actions beyond how often it fires. Money is in each panel's own currency."""

    mode: Mode = Mode.LIVE
    spend: tuple[Allowance, ...] = ()
    approval: ApprovalNeed | None = None


NO_RULE_GUARDS = RuleGuards()


@dataclass(frozen=True, slots=True)
class Reminding:
    """How reminders grow apart: each waits `factor` times as long as the one before, up to eight times the
    first, and there are `at_most` of them in one episode; None for no end."""

    factor: int = 2
    at_most: int | None = None


DOUBLING = Reminding()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. `version` is a hash over its meaning, so an edit of comments or layout keeps it."""

    name: str
    watch: EntityKind
    when: Condition
    do: tuple[Step, ...]
    version: str
    description: str = ""
    hold: timedelta = timedelta()
    until: Condition | None = None
    remind: timedelta | None = None
    reminding: Reminding = DOUBLING
    otherwise: tuple[Step, ...] = ()
    done: tuple[Step, ...] = ()
    limit: Limits = NO_LIMITS
    guards: RuleGuards = NO_RULE_GUARDS
    first_seen: FirstSeen = FirstSeen.ACT
    panels: frozenset[str] | None = None
    position: Position | None = None

    @property
    def acts(self) -> bool:
        """Whether any step of the rule changes something on a panel."""
        return any(step.acts for step in (*self.do, *self.otherwise, *self.done))


@dataclass(frozen=True, slots=True)
class RuleSet:
    """All rules in force, by name and by what they watch."""

    rules: tuple[Rule, ...] = ()
    _watched: dict[tuple[EntityKind, str], WatchedRules] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def watching(self, kind: EntityKind, panel: str) -> WatchedRules:
        """The rules for entities of `kind` on `panel`, in file order; the same ones at every call."""
        found = self._watched.get((kind, panel))
        if found is None:
            found = self._watched[kind, panel] = WatchedRules(
                rule
                for rule in self.rules
                if rule.watch is kind and (rule.panels is None or panel in rule.panels)
            )
        return found

    def named(self, name: str) -> Rule | None:
        """The rule called `name`, or None."""
        return next((rule for rule in self.rules if rule.name == name), None)
