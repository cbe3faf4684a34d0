"""A rule in plain sentences, made from what is in force: defaults included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from smm_rules.facts import EntityKind, format_duration
from smm_rules.facts.allowance import Per
from smm_rules.rules.expression import CompiledCondition
from smm_rules.rules.model import Condition, FirstSeen, Mode, Rule, RuleGuards, Step, StepKind

_THINGS = {
    EntityKind.ORDER: "an order",
    EntityKind.REFILL: "a refill",
    EntityKind.BALANCE: "a panel's balance",
    EntityKind.SERVICE: "a service",
    EntityKind.PANEL: "a panel",
}
_AN = {
    Per.ORDER: "an order",
    Per.CHAIN: "a chain",
    Per.HOUR: "an hour",
    Per.DAY: "a day",
    Per.MONTH: "a month",
}


def in_words(rule: Rule) -> list[str]:
    """The rule in lines: a heading ends with a colon, and its steps are set further in."""
    lines = [f"{_beginning(rule)}:", *_steps(rule.do, "Nothing is done")]
    if rule.otherwise:
        lines += ["When the panel refuses:", *_steps(rule.otherwise, "")]
    lines += [sentence for sentence in (_end(rule), _reminder(rule)) if sentence]
    if rule.done:
        lines += ["When it is over:", *_steps(rule.done, "")]
    return [*lines, *_bounds(rule), *_guards(rule.guards)]


def _beginning(rule: Rule) -> str:
    where = f" on {_either(sorted(rule.panels))}" if rule.panels else ""
    held = f" for {format_duration(rule.hold)} without a break" if rule.hold else ""
    return f"When {_THINGS[rule.watch]}{where} has {_condition(rule.when)}{held}, then"


def _condition(condition: Condition) -> str:
    clauses = (
        [clause.source for clause in condition.clauses]
        if isinstance(condition, CompiledCondition)
        else [condition.source]
    )
    return " and ".join(f"`{' '.join(clause.split())}`" for clause in clauses)


def _either(names: list[str]) -> str:
    return " or ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _steps(steps: tuple[Step, ...], without: str) -> Iterator[str]:
    if not steps and without:
        yield f"  {without}"
    for number, step in enumerate(steps, 1):
        yield f"  {number}. {_step(step)}"


def _step(step: Step) -> str:
    given = step.parameters
    match step.kind:
        case StepKind.REFILL:
            return "ask the panel to refill it"
        case StepKind.CANCEL:
            return "ask the panel to cancel it"
        case StepKind.REORDER:
            return _reorder(given)
        case StepKind.NOTIFY:
            return f"tell {given['channel']}: {_line(given['message'])}{_escalation(given.get('escalate'))}"
        case StepKind.WEBHOOK:
            what = "the facts" if "data" not in given else "its data"
            return f"post {what} to {given['channel']}"
        case StepKind.LOG:
            return f"write a line to the log ({given['level']}): {_line(given['message'])}"
    return str(step.kind)


def _escalation(stages: object) -> str:
    if not isinstance(stages, list):
        return ""
    told = [
        f"{stage['channel']} after {format_duration(timedelta(seconds=stage['after']))}" for stage in stages
    ]
    return f"; and, unless somebody acknowledges it, {', '.join(told)}"


def _line(text: object) -> str:
    return f'"{" ".join(str(text).split())}"'


def _reorder(given: Mapping[str, object]) -> str:
    own = {
        name: value
        for name, value in given.items()
        if name in ("service", "quantity", "link") or (name == "panel" and value != "same")
    }
    parameters = given.get("parameters")
    own |= parameters if isinstance(parameters, dict) else {}
    changed = ", ".join(f"{name} {value}" for name, value in own.items())
    text = f"order it again with {changed}" if changed else "order it again as it was"
    increase = given.get("max_rate_increase")
    if increase is None:
        return f"{text}, unless guards.max_rate_increase forbids it"
    return f"{text}, unless it became more than {_percent(increase)} dearer"


def _percent(share: object) -> str:
    text = f"{float(str(share)) * 100:.2f}".rstrip("0").rstrip(".")
    return f"{text}%"


def _end(rule: Rule) -> str:
    return f"It is over when {_condition(rule.until)} holds." if rule.until is not None else ""


def _reminder(rule: Rule) -> str:
    if not rule.remind:
        return ""
    text = f"While it lasts it is told again after {format_duration(rule.remind)}"
    if rule.reminding.factor == 1:
        text = f"While it lasts it is told again every {format_duration(rule.remind)}"
    elif rule.reminding.at_most != 1:
        text += ", then less and less often"
    return f"{text}{_at_most(rule.reminding.at_most)}."


def _at_most(count: int | None) -> str:
    if count is None:
        return ""
    return ", once" if count == 1 else f", {count} times at most"


def _guards(guards: RuleGuards) -> Iterator[str]:
    if guards.spend:
        told = " and ".join(f"{each.amount:f} {_AN[each.per]}" for each in guards.spend)
        yield f"It may spend at most {told}, in each panel's own currency."
    approval = guards.approval
    if approval is not None:
        what = (
            "Each action" if approval.above is None else f"An action that costs more than {approval.above:f}"
        )
        end = f"; after {format_duration(approval.expires)} it is denied" if approval.expires else ""
        yield f"{what} waits for your approval{end}."
    if guards.mode is Mode.DRY_RUN:
        yield "It is in a dry run: its actions are held."
    if guards.mode is Mode.SHADOW:
        yield "It only writes down what it would have done."


def _bounds(rule: Rule) -> Iterator[str]:
    limit = rule.limit
    noun = rule.watch.value
    told = []
    if limit.per_order is not None:
        told.append("once" if limit.per_order == 1 else f"{limit.per_order} times")
        told[-1] += f" for one {noun}"
    if limit.per_chain is not None:
        told.append(f"{limit.per_chain} times over an order and its reorders")
    if told:
        yield f"At most {' and '.join(told)}."
    if limit.every:
        yield f"At least {format_duration(limit.every)} lie between two times for one {noun}."
    if limit.per_sweep is not None:
        yield f"If more than {limit.per_sweep} would fire in one look at a panel, none is acted on."
    if rule.first_seen is FirstSeen.IGNORE:
        yield f"What is so already when {_THINGS[rule.watch]} is first seen is left alone."
