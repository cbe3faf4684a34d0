"""A written rule → a rule in force: conditions compiled, defaults filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from smm_rules.document import DocumentError, Problem, Trail
from smm_rules.facts import EntityKind
from smm_rules.rules.checks import WrittenRule, check_parts, check_whole
from smm_rules.rules.expression import CompiledCondition, SourceText, compile_conditions
from smm_rules.rules.model import (
    DOUBLING,
    ApprovalNeed,
    FirstSeen,
    Limits,
    Mode,
    Reminding,
    Rule,
    RuleGuards,
    Step,
    StepKind,
)
from smm_rules.rules.schema import RuleSpec
from smm_rules.rules.scope import Scope
from smm_rules.rules.steps import escalation
from smm_rules.rules.version import rule_version

#: What an acting rule's `limit` leaves out. A chain of reorders exists for orders alone.
DEFAULT_PER_ORDER = 3
DEFAULT_EVERY = timedelta(hours=1)
DEFAULT_PER_CHAIN = 3
DEFAULT_PER_SWEEP = 25


def build_rule(written: WrittenRule, scope: Scope | None) -> Rule:
    """The rule in force; `DocumentError` carries every problem."""
    problems = [*check_parts(written, scope), *check_whole(written)]
    when = compiled(written, "when", problems)
    until = compiled(written, "until", problems)
    if problems or when is None:
        raise DocumentError(problems)
    spec = written.spec
    acts = written.acts
    rule = Rule(
        name=spec.name,
        watch=EntityKind(spec.watch),
        when=when,
        do=_escalated(spec),
        version="",
        description=spec.description,
        hold=spec.hold,
        until=until,
        remind=None if spec.remind is None else spec.remind.every,
        reminding=DOUBLING if spec.remind is None else Reminding(spec.remind.factor, spec.remind.at_most),
        otherwise=tuple(step.step() for step in spec.otherwise),
        done=tuple(step.step() for step in spec.done),
        limit=_limits(written),
        guards=_guards(written),
        first_seen=FirstSeen(spec.first_seen or (FirstSeen.IGNORE if acts else FirstSeen.ACT)),
        panels=frozenset(spec.panels) or None,
        position=written.document.position((*written.trail, "name")),
    )
    return replace(rule, version=rule_version(rule, when.canonical, until.canonical if until else ""))


def compiled(written: WrittenRule, key: str, problems: list[Problem]) -> CompiledCondition | None:
    """The condition at `when` or `until`; None where there is none or it has problems, which are added."""
    texts: tuple[str, ...] = getattr(written.spec, key)
    if not texts:
        return None
    try:
        return compile_conditions(_sources(written, key, texts), EntityKind(written.spec.watch))
    except DocumentError as error:
        problems.extend(error.problems)
        return None


def _sources(written: WrittenRule, key: str, texts: tuple[str, ...]) -> list[SourceText]:
    document = written.document
    trail = (*written.trail, key)
    if not isinstance(document.at(trail), list):
        return [_source(written, trail, texts[0])]
    return [_source(written, (*trail, index), text) for index, text in enumerate(texts)]


def _source(written: WrittenRule, trail: Trail, text: str) -> SourceText:
    document = written.document
    return SourceText(text, document.within(trail, 0), lambda offset: document.within(trail, offset))


def _escalated(spec: RuleSpec) -> tuple[Step, ...]:
    """The steps of `do`; the rule's own `escalate` is that of its first notify step which has none."""
    steps = [step.step() for step in spec.do]
    for index, step in enumerate(steps):
        if spec.escalate and step.kind is StepKind.NOTIFY and "escalate" not in step.parameters:
            parameters = {**step.parameters, "escalate": escalation(spec.escalate)}
            steps[index] = replace(step, parameters=parameters)
            break
    return tuple(steps)


def _guards(written: WrittenRule) -> RuleGuards:
    spec = written.spec
    approve = spec.approve
    approval = None if approve is None else ApprovalNeed(approve.above, approve.expires)
    return RuleGuards(Mode(spec.mode), spec.spend, approval)


def _limits(written: WrittenRule) -> Limits:
    limit = written.spec.limit
    if not written.acts:
        return Limits(limit.per_order, limit.every, limit.per_chain, limit.per_sweep)
    chain = DEFAULT_PER_CHAIN if written.spec.watch == "order" else None
    return Limits(
        per_order=limit.per_order or DEFAULT_PER_ORDER,
        every=DEFAULT_EVERY if limit.every is None else limit.every,
        per_chain=limit.per_chain or chain,
        per_sweep=limit.per_sweep or DEFAULT_PER_SWEEP,
    )
