"""`at` as written → the firings that are expected, each with its steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from smm_rules.document import Plain, Position, Trail, did_you_mean
from smm_rules.document.types import Settings
from smm_rules.facts import EntityKind
from smm_rules.rehearsal.testing.model import ExpectedFiring, ExpectedStep
from smm_rules.rehearsal.testing.spec import (
    ExpectedExisting,
    ExpectedLog,
    ExpectedNotify,
    ExpectedReorder,
    ExpectedWebhook,
    FiringSpec,
)
from smm_rules.rehearsal.testing.written import Reading
from smm_rules.rules.model import Rule, StepKind

_STEPS: dict[StepKind, type[Settings]] = {
    StepKind.REFILL: ExpectedExisting,
    StepKind.CANCEL: ExpectedExisting,
    StepKind.REORDER: ExpectedReorder,
    StepKind.NOTIFY: ExpectedNotify,
    StepKind.WEBHOOK: ExpectedWebhook,
    StepKind.LOG: ExpectedLog,
}
_THINGS = (EntityKind.ORDER, EntityKind.REFILL, EntityKind.SERVICE, EntityKind.PANEL)
_NAMES = tuple(kind.value for kind in _STEPS)
_EXAMPLE = "Write for example refill-partial: [refill, notify]"


def read_firings(reading: Reading, trail: Trail) -> Iterator[ExpectedFiring]:
    """The firings expected at one instant."""
    for item in reading.items(trail):
        value = reading.at(item)
        if isinstance(value, str):
            if _rule(reading, item, value) is not None:
                yield ExpectedFiring(value, reading.position(item))
        elif isinstance(value, dict) and value:
            for name in value:
                yield from _firing(reading, (*item, name), name)
        else:
            reading.refuse(item, "A rule's name was expected, with its steps", _EXAMPLE)


def _rule(reading: Reading, trail: Trail, name: str) -> Rule | None:
    rule = reading.rules.get(name)
    if rule is None:
        reading.refuse_rule(trail, name, key=True)
    return rule


def _firing(reading: Reading, trail: Trail, name: str) -> Iterator[ExpectedFiring]:
    """A rule's steps: a list, one alone, nothing at all, or a mapping that says more of the firing."""
    rule = _rule(reading, trail, name)
    if rule is None:
        return
    value = reading.at(trail)
    if isinstance(value, dict) and value and not _is_step(value):
        yield from _in_full(reading, trail, rule)
        return
    steps = None if value is None else _steps(reading, trail, rule)
    yield ExpectedFiring(name, reading.key_position(trail), steps)


def _is_step(value: Mapping[str, Plain]) -> bool:
    """Whether a mapping is one step rather than a firing in full: both may name an order."""
    return len(value) == 1 and next(iter(value)) in _NAMES and next(iter(value)) != EntityKind.REFILL


def _in_full(reading: Reading, trail: Trail, rule: Rule) -> Iterator[ExpectedFiring]:
    spec = reading.valid(FiringSpec, trail)
    if spec is None:
        return
    thing = None
    for kind in _THINGS:
        if kind.value not in spec.model_fields_set:
            continue
        if kind is not rule.watch and not (kind is EntityKind.PANEL and rule.watch is EntityKind.BALANCE):
            message = f"Rule {rule.name} watches {rule.watch}, not {kind}"
            reading.refuse((*trail, kind.value), message, key=True)
        thing = (kind, str(getattr(spec, kind.value)))
    steps = _steps(reading, (*trail, "steps"), rule) if "steps" in spec.model_fields_set else None
    yield ExpectedFiring(rule.name, reading.key_position(trail), steps, thing, spec.occasion)


def _steps(reading: Reading, trail: Trail, rule: Rule) -> tuple[ExpectedStep, ...]:
    found = [_step(reading, item, rule) for item in reading.items(trail)]
    return tuple(step for step in found if step is not None)


def _step(reading: Reading, trail: Trail, rule: Rule) -> ExpectedStep | None:
    value = reading.at(trail)
    if isinstance(value, str):
        kind = _kind(reading, trail, value, rule)
        return None if kind is None else ExpectedStep(kind, reading.position(trail))
    if not isinstance(value, dict) or len(value) != 1:
        reading.refuse(trail, "A step is a word or a mapping of one key", 'Write notify: {message: "…"}')
        return None
    name = next(iter(value))
    below = (*trail, name)
    kind = _kind(reading, below, name, rule)
    if kind is None:
        return None
    position = reading.key_position(below)
    if value[name] is None:
        return ExpectedStep(kind, position)
    spec = reading.valid(_STEPS[kind], below)
    return None if spec is None else _expected(kind, spec, position)


def _expected(kind: StepKind, spec: Settings, position: Position) -> ExpectedStep:
    details = {name: value for name, value in spec if name in spec.model_fields_set}
    outcome, reason = details.pop("outcome", None), details.pop("reason", None)
    details |= details.pop("parameters", None) or {}
    return ExpectedStep(kind, position, details, outcome, reason)


def _kind(reading: Reading, trail: Trail, name: str, rule: Rule) -> StepKind | None:
    """The kind of step called `name`, if the rule has such a step at all."""
    if name not in _NAMES:
        suggestion = did_you_mean(name, _NAMES) or f"Steps are: {', '.join(_NAMES)}"
        reading.refuse(trail, f'There is no step "{name}"', suggestion, key=True)
        return None
    kinds = {step.kind.value for step in (*rule.do, *rule.otherwise, *rule.done)}
    if name not in kinds:
        reading.refuse(
            trail, f"Rule {rule.name} has no step {name}", f"It has: {', '.join(sorted(kinds))}", key=True
        )
        return None
    return StepKind(name)
