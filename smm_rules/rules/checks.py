"""What must be true of a rule beyond the shape of its keys."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from smm_rules.document import Document, Problem, Trail, did_you_mean
from smm_rules.facts import EntityKind, readable_fields
from smm_rules.rules.model import StepKind
from smm_rules.rules.schema import RuleSpec
from smm_rules.rules.scope import Scope
from smm_rules.rules.steps import EscalateSpec, NotifySpec, ReorderSpec, StepSpec, WebhookSpec, is_templated
from smm_rules.rules.templates import TemplateProblem, check_template

#: What templates may print besides facts, in every step; see `engine.rendering`.
EXTRA_NAMES = frozenset(
    {"rule.name", "firing.at", "firing.episode", "firing.occasion", "firing.ordinal", "firing.entity"}
)
#: What acting steps need: an order, or a refill, which belongs to one.
_ORDERS = ("order", "refill")
_SECTIONS = ("do", "otherwise", "done")
#: The words by which the panel of a reorder is chosen; what they mean is in `engine.choosing`.
CHOOSING = frozenset({"cheapest", "next"})
_LIMIT_EXAMPLE = "Write for example limit: {per_order: 3, every: 24h}"


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A rule as written, with its place: `trail` leads to it in `document`."""

    document: Document
    trail: Trail
    spec: RuleSpec

    def problem(self, trail: Trail, message: str, suggestion: str = "") -> Problem:
        """A problem at `trail` below the rule."""
        return self.document.problem((*self.trail, *trail), message, suggestion)

    def key_problem(self, key: str, message: str, suggestion: str = "") -> Problem:
        """A problem at one of the rule's own keys."""
        return Problem(self.document.key_position((*self.trail, key)), message, suggestion)

    def steps(self) -> Iterator[tuple[str, int, StepSpec]]:
        """Every step with its section and its place in it."""
        for section in _SECTIONS:
            for index, step in enumerate(getattr(self.spec, section)):
                yield section, index, step

    @property
    def acts(self) -> bool:
        return any(step.acts for _, _, step in self.steps())


def check_parts(rule: WrittenRule, scope: Scope | None) -> Iterator[Problem]:
    """Problems of single values: templates, and names of channels and panels."""
    yield from _templates(rule)
    if scope is not None:
        yield from _names(rule, scope)


def check_whole(rule: WrittenRule) -> Iterator[Problem]:
    """Problems of how the keys of a rule fit together."""
    yield from _sections(rule)
    yield from _limits(rule)
    if "remind" in rule.spec.model_fields_set and all(step.acts for step in rule.spec.do):
        message = "`remind` repeats what `do` tells, and nothing in `do` tells anybody"
        yield rule.key_problem("remind", message, "Add a notify step to `do`")
    yield from _escalation(rule)


def _escalation(rule: WrittenRule) -> Iterator[Problem]:
    if "escalate" in rule.spec.model_fields_set and not any(
        step.kind is StepKind.NOTIFY for step in rule.spec.do
    ):
        message = "`escalate` tells others of what `do` notifies of, and `do` notifies nobody"
        yield rule.key_problem("escalate", message, "Add a notify step to `do`")
    for section, index, step in rule.steps():
        if section == "done" and isinstance(step.parameters, NotifySpec) and step.parameters.escalate:
            message = "`done` tells that it is over, which nobody need acknowledge"
            yield rule.problem((section, index, "notify", "escalate"), message, "Leave it out")


def _sections(rule: WrittenRule) -> Iterator[Problem]:
    watch = rule.spec.watch
    for section, index, step in rule.steps():
        if not step.acts:
            continue
        trail = (section, index)
        if section == "done":
            message = f"`done` only tells that it is over; `{step.kind}` can't stand in it"
            yield rule.problem(trail, message, "Write a rule of its own for it")
        elif watch not in _ORDERS:
            message = f"`{step.kind}` needs an order, and this rule watches {watch}"
            yield rule.problem(trail, message, "Watch order or refill, or only notify")
    if "otherwise" in rule.spec.model_fields_set and not any(step.acts for step in rule.spec.do):
        message = (
            "`otherwise` is for when a panel refuses what `do` asks, and `do` asks no panel for anything"
        )
        yield rule.key_problem("otherwise", message, "Add refill, reorder or cancel to `do`")


def _limits(rule: WrittenRule) -> Iterator[Problem]:
    given = rule.spec.limit.model_fields_set
    if rule.acts and not given and rule.spec.watch in _ORDERS:
        message = "A rule that acts on a panel needs a `limit`"
        yield rule.problem(("name",), message, _LIMIT_EXAMPLE)
    if "per_chain" in given and rule.spec.watch != "order":
        message = "`per_chain` counts an order and its reorders; this rule doesn't watch orders"
        yield rule.problem(("limit", "per_chain"), message, "Leave it out")
    for key in ("spend", "approve"):
        if key in rule.spec.model_fields_set and not rule.acts:
            message = f"`{key}` bounds actions, and this rule asks no panel for anything"
            yield rule.key_problem(key, message, "Leave it out")


def _templates(rule: WrittenRule) -> Iterator[Problem]:
    kind = EntityKind(rule.spec.watch)
    facts = _names_for(kind)
    acted = dict.fromkeys(_SECTIONS, False)
    for section, index, step in rule.steps():
        names = facts | {"result"} if acted[section] else facts
        names = names | {"refusal"} if section == "otherwise" else names
        trail = (*rule.trail, section, index)
        for below, text in template_texts(trail, step):
            for found in check_template(text, names, kind):
                position = rule.document.within(below, found.offset)
                yield Problem(position, found.message, _when_known(text, found))
        acted[section] = acted[section] or step.acts


@cache
def _names_for(kind: EntityKind) -> frozenset[str]:
    return frozenset(readable_fields(kind)) | EXTRA_NAMES


#: Names that only some steps know.
_WHEN_KNOWN = {
    "result": "`result` is known in steps after refill, reorder or cancel",
    "refusal": "`refusal` is known in `otherwise`",
}


def _when_known(text: str, found: TemplateProblem) -> str:
    word = re.match(r"\w*", text[found.offset :])
    return _WHEN_KNOWN.get(word[0] if word else "", found.suggestion)


#: Values that are names or words, not templates.
_NOT_TEMPLATES = frozenset({"channel", "escalate", "level", "max_rate_increase"})


def template_texts(trail: Trail, step: StepSpec) -> Iterator[tuple[Trail, str]]:
    """Every text of a step that is a template, with the way to it."""
    for name, value in step.plain:
        if name not in _NOT_TEMPLATES:
            yield from _texts_in(value, (*trail, step.kind.value, name))


def _texts_in(value: object, trail: Trail) -> Iterator[tuple[Trail, str]]:
    if isinstance(value, str):
        yield trail, value
    elif isinstance(value, dict):
        for name, entry in value.items():
            yield from _texts_in(entry, (*trail, name))
    elif isinstance(value, list):
        for index, entry in enumerate(value):
            yield from _texts_in(entry, (*trail, index))


def _names(rule: WrittenRule, scope: Scope) -> Iterator[Problem]:
    for index, panel in enumerate(rule.spec.panels):
        if panel not in scope.panels:
            yield _no_panel(rule, ("panels", index), panel, scope)
    yield from _escalation_channels(rule, ("escalate",), rule.spec.escalate, scope)
    for section, index, step in rule.steps():
        trail = (section, index, step.kind.value)
        parameters = step.parameters
        if isinstance(parameters, NotifySpec):
            yield from _escalation_channels(rule, (*trail, "escalate"), parameters.escalate, scope)
        if isinstance(parameters, NotifySpec | WebhookSpec):
            yield from _channel(rule, (*trail, "channel"), parameters.channel, step.kind, scope)
        elif isinstance(parameters, ReorderSpec):
            panel = parameters.panel
            if panel in CHOOSING:
                yield from _choosing(rule, trail, parameters, scope)
            elif panel != "same" and not is_templated(panel) and panel not in scope.panels:
                yield _no_panel(rule, (*trail, "panel"), panel, scope)


def _choosing(rule: WrittenRule, trail: Trail, reorder: ReorderSpec, scope: Scope) -> Iterator[Problem]:
    """Which services of other panels are equal to the order's must be known from the mapping."""
    if reorder.service is not None:
        message = f"`panel: {reorder.panel}` takes the service that the mapping says is equal"
        yield rule.problem((*trail, "service"), message, "Leave `service` out, or name a panel")
    if scope.services is None:
        message = f"`panel: {reorder.panel}` needs the mapping of equal services"
        suggestion = "Write one with smm-rules services match, and services: FILE in the configuration"
        yield rule.problem((*trail, "panel"), message, suggestion)


def _escalation_channels(
    rule: WrittenRule, trail: Trail, specs: Sequence[EscalateSpec] | None, scope: Scope
) -> Iterator[Problem]:
    many = specs is not None and isinstance(rule.document.at((*rule.trail, *trail)), list)
    for index, spec in enumerate(specs or ()):
        place = (*trail, index, "channel") if many else (*trail, "channel")
        yield from _channel(rule, place, spec.channel, StepKind.NOTIFY, scope)


def _no_panel(rule: WrittenRule, trail: Trail, name: str, scope: Scope) -> Problem:
    suggestion = did_you_mean(name, scope.panels) or f"Configured are: {', '.join(sorted(scope.panels))}"
    return rule.problem(trail, f'There is no panel "{name}" in the configuration', suggestion)


def _channel(rule: WrittenRule, trail: Trail, name: str, kind: StepKind, scope: Scope) -> Iterator[Problem]:
    fitting = [
        channel
        for channel, type_ in scope.channels.items()
        if kind is not StepKind.WEBHOOK or type_ == "webhook"
    ]
    configured = f"Configured are: {', '.join(sorted(fitting))}" if fitting else "Add it below `channels:`"
    if name not in scope.channels:
        suggestion = did_you_mean(name, fitting) or configured
        yield rule.problem(trail, f'There is no channel "{name}" in the configuration', suggestion)
    elif name not in fitting:
        message = f'The channel "{name}" is of type {scope.channels[name]}; `webhook` needs a webhook channel'
        yield rule.problem(trail, message, f"Use notify, or a webhook channel. {configured}")
