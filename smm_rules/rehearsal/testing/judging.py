"""What was expected against what came, and why something didn't come."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from smm_rules.document import Position
from smm_rules.engine.firing import Firing
from smm_rules.facts import EntityKind, format_duration
from smm_rules.rehearsal.happening import TOLD, StepTaken
from smm_rules.rehearsal.stage import Stage
from smm_rules.rehearsal.testing.model import ExpectedFiring, ExpectedStep, Moment, RuleTest
from smm_rules.rehearsal.testing.reasons import reasons
from smm_rules.rules.model import StepKind

#: A text that begins so is looked for within what was told.
PART = "~ "
#: What a panel was really asked for.
_ASKED = frozenset({"confirmed", "rejected", "unknown"})
_ACTIONS = (StepKind.REFILL, StepKind.REORDER, StepKind.CANCEL)


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which a test failed: at which instant, what was expected where, in lines to be read."""

    at: timedelta
    position: Position
    message: str
    details: tuple[str, ...] = ()


@dataclass(slots=True)
class _Came:
    """One firing and its steps since the last moment."""

    firing: Firing
    steps: list[StepTaken] = field(default_factory=list)


async def judge(
    test: RuleTest,
    moment: Moment,
    fired: Sequence[Firing],
    steps: Sequence[StepTaken],
    stage: Stage,
    start: datetime,
) -> list[Failure]:
    """Everything about `moment` that isn't as expected."""
    came = _gathered(fired, steps)
    failures: list[Failure] = []
    left = list(moment.expected)
    for matching in (_fits, _is_of):
        for expected in list(left):
            found = next((one for one in came if matching(expected, one)), None)
            if found is None:
                continue
            left.remove(expected)
            came.remove(found)
            if matching is _is_of:
                failures.append(_differs(moment.at, expected, found, start))
    for expected in left:
        rule = next(rule for rule in test.rules if rule.name == expected.rule)
        why = await reasons(rule, stage, start + moment.at, test.every)
        message = f"{_expected_text(expected)} was expected and did not come"
        failures.append(Failure(moment.at, expected.position, message, tuple(why)))
    for one in came:
        failures.append(_unexpected(moment, one, fired, start))
    return sorted(failures, key=lambda failure: failure.position)


def _unexpected(moment: Moment, came: _Came, fired: Sequence[Firing], start: datetime) -> Failure:
    """Something that came and nobody expected: a firing, or what had to wait of one that came before."""
    firing, since = came.firing, format_duration(came.firing.at - start)
    new = any(one.key == firing.key for one in fired)
    verb = firing.occasion.value if new else "went on"
    told = (
        f"it came at {since}"
        if new
        else f"it {firing.occasion} at {since}, and since the instant before came"
    )
    message = f"{firing.rule} {verb} for {firing.entity}, which was not expected"
    return Failure(moment.at, moment.position, message, (f"{told}: {_came_text(came)}",))


def _gathered(fired: Iterable[Firing], steps: Iterable[StepTaken]) -> list[_Came]:
    came = {firing.key: _Came(firing) for firing in fired}
    for step in steps:
        came.setdefault(step.firing.key, _Came(step.firing)).steps.append(step)
    return list(came.values())


def _is_of(expected: ExpectedFiring, came: _Came) -> bool:
    """Whether it is the rule and thing that was meant, whatever its steps."""
    firing = came.firing
    if expected.rule != firing.rule or expected.occasion not in (None, firing.occasion):
        return False
    if expected.thing is None:
        return True
    kind, name = expected.thing
    return name == (firing.entity.panel if kind is EntityKind.PANEL else firing.entity.id)


def _fits(expected: ExpectedFiring, came: _Came) -> bool:
    if not _is_of(expected, came):
        return False
    if expected.steps is None:
        return True
    if len(expected.steps) != len(came.steps):
        return False
    return not any(_faults(step, taken) for step, taken in zip(expected.steps, came.steps, strict=True))


def _faults(expected: ExpectedStep, taken: StepTaken) -> list[str]:
    """In what a step that was taken differs from the one that was expected."""
    if expected.kind is not taken.kind:
        return [f"expected {expected.kind}, got {_step_text(taken)}"]
    faults = []
    if taken.outcome != TOLD and not _is_outcome(expected, taken):
        wanted = expected.outcome or "asked of the panel"
        faults.append(f"{taken.kind}: expected {wanted}, got {taken.outcome}{_because(taken)}")
    if expected.reason is not None and expected.reason not in (taken.reason, taken.message):
        faults.append(f"{taken.kind}: expected the reason {expected.reason}, got {taken.reason}")
    for name, value in expected.details.items():
        got = taken.details.get(name)
        if not _same(value, got):
            faults += [
                f"{taken.kind} {name}:",
                f"    expected {_shown(value)}",
                f"    got      {_shown(got)}",
            ]
    return faults


def _is_outcome(expected: ExpectedStep, taken: StepTaken) -> bool:
    return taken.outcome == expected.outcome if expected.outcome else taken.outcome in _ASKED


def _same(expected: object, got: object) -> bool:
    if isinstance(expected, str) and expected.startswith(PART):
        return got is not None and expected.removeprefix(PART).strip() in str(got)
    if isinstance(expected, Mapping):
        return isinstance(got, Mapping) and all(
            _same(value, got.get(name)) for name, value in expected.items()
        )
    if isinstance(expected, list):
        same_length = isinstance(got, list) and len(got) == len(expected)
        return same_length and all(_same(one, other) for one, other in zip(expected, got, strict=True))  # type: ignore[call-overload]
    if isinstance(expected, Decimal) and not isinstance(got, bool):
        return _number(got) == expected
    return got == expected or (isinstance(expected, str) and str(got).rstrip("\n") == expected.rstrip("\n"))


def _number(value: object) -> Decimal | None:
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return None


def _differs(at: timedelta, expected: ExpectedFiring, came: _Came, start: datetime) -> Failure:
    """The right rule with the wrong steps."""
    wanted = expected.steps or ()
    details = [f"expected {_names(step.kind for step in wanted)}", f"got      {_came_text(came)}"]
    if [step.kind for step in wanted] == [taken.kind for taken in came.steps]:
        details = [
            fault for step, taken in zip(wanted, came.steps, strict=True) for fault in _faults(step, taken)
        ]
    since = format_duration(came.firing.at - start)
    message = (
        f"{expected.rule} {came.firing.occasion} for {came.firing.entity} at {since}, but not as expected"
    )
    return Failure(at, expected.position, message, tuple(details))


def _expected_text(expected: ExpectedFiring) -> str:
    thing = f" for {expected.thing[0]} {expected.thing[1]}" if expected.thing else ""
    steps = "" if expected.steps is None else f" [{_names(step.kind for step in expected.steps)}]"
    return f"{expected.rule}{thing}{steps}"


def _names(kinds: Iterable[StepKind]) -> str:
    return ", ".join(kind.value for kind in kinds) or "no steps"


def _came_text(came: _Came) -> str:
    return ", ".join(_step_text(step) for step in came.steps) or "no steps yet"


def _step_text(step: StepTaken) -> str:
    if step.kind in _ACTIONS:
        return (
            step.kind.value
            if step.outcome == "confirmed"
            else f"{step.kind} ({step.outcome}{_because(step)})"
        )
    return f"{step.kind} {_shown(step.details.get('message', step.details.get('data')))}"


def _because(step: StepTaken) -> str:
    said = step.message or step.reason
    return f": {said}" if said else ""


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, Decimal):
        return format(value, "f")
    return f'"{value}"' if isinstance(value, str) else str(value)
