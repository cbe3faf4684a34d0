"""Templates that print what may not be known when their step's turn comes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import cache

from smm_rules.document.problem import Problem
from smm_rules.facts import EntityKind, readable_fields
from smm_rules.rules.analysis.box import NOTHING, Boxes, TooManyBoxes
from smm_rules.rules.analysis.conditions import warning
from smm_rules.rules.analysis.normal import ways
from smm_rules.rules.analysis.reading import Reading
from smm_rules.rules.analysis.world import possible, prefixes
from smm_rules.rules.checks import WrittenRule, template_texts
from smm_rules.rules.steps import StepSpec
from smm_rules.rules.templates import printed_names

#: Facts that are often unknown: panels leave them out, files don't say them, or they need a change first.
OFTEN_UNKNOWN = {
    EntityKind.ORDER: frozenset(
        {"start_count", "runs", "posts", "expiry", "suborders", "quantity", "link", "placed_at", "age"}
        | {"delivered", "progress"}
    ),
    EntityKind.BALANCE: frozenset({"previous_amount"}),
    EntityKind.SERVICE: frozenset(
        {"previous_rate", "rate_increase", "previous_min", "previous_max", "previous_name", "previous_type"}
        | {"listed_at", "listed_for"}
    ),
    EntityKind.PANEL: frozenset({"failing_since", "failing_for"}),
}
#: What a parameter of a paid action must not count on besides: answers with a null, a catalogue not read.
UNCERTAIN = {
    EntityKind.ORDER: OFTEN_UNKNOWN[EntityKind.ORDER] | {"remains", "charge"},
    EntityKind.SERVICE: OFTEN_UNKNOWN[EntityKind.SERVICE] | {"rate", "min", "max", "name", "id"},
    EntityKind.BALANCE: OFTEN_UNKNOWN[EntityKind.BALANCE] | {"amount"},
    EntityKind.PANEL: OFTEN_UNKNOWN[EntityKind.PANEL],
}


def missing_warnings(written: WrittenRule, when: Reading, until: Reading | None) -> Iterator[Problem]:
    """A warning at each name that a template prints though it may be unknown then."""
    told: set[tuple[str, str]] = set()
    for section, index, step in written.steps():
        for below, text in template_texts((*written.trail, section, index), step):
            for name, offset in printed_names(text):
                stored = _uncertain(name, when.kind, acts=step.acts)
                if not stored or (section, name) in told:
                    continue
                if any(stored not in box.known for box in _circumstances(section, when, until)):
                    told.add((section, name))
                    yield warning(
                        written.document.within(below, offset), *_words(name, section, step, when.kind)
                    )


def _circumstances(section: str, when: Reading, until: Reading | None) -> Boxes:
    """Every way the facts can be when a step of `section` has its turn, none where that can't be told."""
    with suppress(TooManyBoxes):
        if section != "done":
            return when.holding()
        return possible(ways(when.condition.node, False), when.kind) if until is None else until.holding()
    return NOTHING


@cache
def _uncertain(name: str, kind: EntityKind, *, acts: bool) -> str:
    """What a fact is stored as that a step should not count on; empty for any other and for none."""
    field = readable_fields(kind).get(name)
    names = UNCERTAIN if acts else OFTEN_UNKNOWN
    for prefix, owner in prefixes(kind):
        if field is None:
            break
        if field.name.startswith(prefix) and field.name.removeprefix(prefix) in names.get(owner, ()):
            return field.since or field.name
    return ""


def _words(name: str, section: str, step: StepSpec, kind: EntityKind) -> tuple[str, str]:
    bare = name.removeprefix(f"{kind}.")
    if step.acts:
        message = f"`{name}` may be unknown then, and `{step.kind}` is not sent without it"
        return message, f"Ask for it in the condition: `known({bare})`"
    message = f"`{name}` may be unknown then, and the message would only tell the plain facts"
    default = f'Write {{{{ {name} | default("?") }}}}'
    return (
        message,
        default if section == "done" else f"{default}, or ask for `known({bare})` in the condition",
    )
