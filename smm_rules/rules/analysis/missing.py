"""Templates that print what may not be known when their step's turn comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from smm_rules.document.problem import Problem
from smm_rules.facts import EntityKind, readable_fields
from smm_rules.rules.analysis.box import Boxes, TooManyBoxes
from smm_rules.rules.analysis.conditions import holding, warning
from smm_rules.rules.analysis.normal import ways
from smm_rules.rules.analysis.world import possible, prefixes
from smm_rules.rules.checks import WrittenRule, template_texts
from smm_rules.rules.expression import CompiledCondition
from smm_rules.rules.model import Rule
from smm_rules.rules.steps import StepSpec
from smm_rules.rules.templates import printed_names

#: Facts that are often unknown: panels leave them out, files don't say them, or they need a change first.
OFTEN_UNKNOWN = {
    EntityKind.ORDER: frozenset(
        {"start_count", "runs", "posts", "expiry", "suborders", "quantity", "link", "placed_at", "age"}
        | {"delivered", "progress"}
    ),
    EntityKind.BALANCE: frozenset({"previous_amount"}),
    EntityKind.SERVICE: frozenset({"previous_rate", "rate_increase"}),
    EntityKind.PANEL: frozenset({"failing_since", "failing_for"}),
}
#: What a parameter of a paid action must not count on besides: answers with a null, a catalogue not read.
UNCERTAIN = {
    EntityKind.ORDER: OFTEN_UNKNOWN[EntityKind.ORDER] | {"remains", "charge"},
    EntityKind.SERVICE: OFTEN_UNKNOWN[EntityKind.SERVICE] | {"rate", "min", "max", "name", "id"},
    EntityKind.BALANCE: OFTEN_UNKNOWN[EntityKind.BALANCE] | {"amount"},
    EntityKind.PANEL: OFTEN_UNKNOWN[EntityKind.PANEL],
}


def missing_warnings(written: WrittenRule, rule: Rule) -> Iterator[Problem]:
    """A warning at each name that a template prints though it may be unknown then."""
    told: set[tuple[str, str]] = set()
    for section, index, step in written.steps():
        given = _circumstances(rule, section)
        if given is None:
            continue
        trail = (*written.trail, section, index)
        for below, text in template_texts(trail, step):
            for name, offset in printed_names(text):
                if (section, name) not in told and _may_be_missing(name, given, rule.watch, step):
                    told.add((section, name))
                    yield warning(
                        written.document.within(below, offset), *_words(name, section, step, rule.watch)
                    )


def _circumstances(rule: Rule, section: str) -> Boxes | None:
    """Every way the facts can be when a step of `section` has its turn, None where that can't be told."""
    when, until = rule.when, rule.until
    if not isinstance(when, CompiledCondition):
        return None
    with suppress(TooManyBoxes):
        if section != "done":
            return holding(when.clauses, rule.watch)
        if isinstance(until, CompiledCondition):
            return holding(until.clauses, rule.watch)
        return possible(ways(when.node, False), rule.watch)
    return None


def _may_be_missing(name: str, given: Boxes, kind: EntityKind, step: StepSpec) -> bool:
    field = readable_fields(kind).get(name)
    if field is None or not _is_uncertain(field.name, kind, acts=step.step().acts):
        return False
    stored = field.since or field.name
    return any(stored not in box.known for box in given)


def _is_uncertain(name: str, kind: EntityKind, *, acts: bool) -> bool:
    names = UNCERTAIN if acts else OFTEN_UNKNOWN
    return any(
        name.removeprefix(prefix) in names.get(owner, ())
        for prefix, owner in prefixes(kind)
        if name.startswith(prefix) and "." not in name.removeprefix(prefix)
    )


def _words(name: str, section: str, step: StepSpec, kind: EntityKind) -> tuple[str, str]:
    bare = name.removeprefix(f"{kind}.")
    if step.step().acts:
        message = f"`{name}` may be unknown then, and `{step.kind}` is not sent without it"
        return message, f"Ask for it in the condition: `known({bare})`"
    message = f"`{name}` may be unknown then, and the message would only tell the plain facts"
    default = f'Write {{{{ {name} | default("?") }}}}'
    return (
        message,
        default if section == "done" else f"{default}, or ask for `known({bare})` in the condition",
    )
