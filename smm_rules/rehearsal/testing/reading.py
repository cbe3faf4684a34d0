"""Tests as written → tests to be played, with every fault of every one of them told at its place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

from smm_rules.document import DocumentError, Trail, did_you_mean, in_file_order
from smm_rules.engine.guards_set import guards_from
from smm_rules.facts import parse_duration
from smm_rules.rehearsal.restraints import Restraints
from smm_rules.rehearsal.scripted_panel import Answer, Manner
from smm_rules.rehearsal.testing.expecting import read_firings
from smm_rules.rehearsal.testing.giving import read_things
from smm_rules.rehearsal.testing.model import Change, Moment, RuleTest, Thing
from smm_rules.rehearsal.testing.spec import AnswersOutline, AnswerSpec, GuardsGiven, TestOutline
from smm_rules.rehearsal.testing.written import Reading
from smm_rules.rules.loader import RawTest
from smm_rules.rules.model import Rule, StepKind

_WORDS = {
    "accepted": Answer(),
    "lost": Answer(Manner.LOST),
    "unreachable": Answer(Manner.UNREACHABLE),
    "limited": Answer(Manner.LIMITED),
}
#: The name of what an accepted action of each kind makes.
_MADE = {StepKind.REFILL: "refill", StepKind.REORDER: "order", StepKind.CANCEL: "cancel"}
_ANSWER_EXAMPLE = 'Write accepted, lost, unreachable, limited, or {refused: "the panel\'s words"}'
#: Nobody waits longer for a test, and a slip of the keyboard would take for ever.
_LONGEST = timedelta(days=366)


def read_test(raw: RawTest, rules: Sequence[Rule]) -> RuleTest:
    """The test that `raw` describes, for `rules`; `DocumentError` carries every fault."""
    reading = Reading(raw.document, raw.trail, {rule.name: rule for rule in rules})
    outline = reading.valid(TestOutline, ())
    # A misspelt key must not hide a misspelt status: what can be read is read all the same.
    chosen = list(rules) if outline is None else _chosen(reading, outline, rules)
    reading.rules = {rule.name: rule for rule in chosen}
    given = read_things(reading, ("given",), ()) if reading.holds(("given",)) else ()
    moments = tuple(
        Moment(at, reading.key_position(trail), tuple(read_firings(reading, trail)))
        for at, trail in _instants(reading, "at")
    )
    changes = _changes(reading, given, moments)
    answers = _answers(reading)
    restraints = _restraints(reading)
    if reading.problems or outline is None:
        raise DocumentError(in_file_order(reading.problems))
    return RuleTest(
        outline.name,
        raw.position,
        tuple(chosen),
        given,
        moments,
        changes,
        answers,
        outline.every,
        restraints,
    )


def _chosen(reading: Reading, outline: TestOutline, rules: Sequence[Rule]) -> list[Rule]:
    """The rules named in the test, else all."""
    if not outline.rules:
        return list(rules)
    listed = isinstance(reading.at(("rules",)), list)
    for index, name in enumerate(outline.rules):
        if name not in reading.rules:
            reading.refuse_rule(("rules", index) if listed else ("rules",), name)
    return [rule for rule in rules if rule.name in outline.rules]


def _instants(reading: Reading, key: str) -> list[tuple[timedelta, Trail]]:
    """The instants below `at` or `change`, in time order, each with the way to it."""
    value = reading.at((key,)) if reading.holds((key,)) else {}
    found: dict[timedelta, Trail] = {}
    for text in value if isinstance(value, dict) else {}:
        trail = (key, text)
        try:
            at = parse_duration(text)
        except ValueError as error:
            message = f"An instant is written as the time since the start, like 0m or 1h30m: {error}"
            reading.refuse(trail, message, key=True)
            continue
        if at > _LONGEST:
            reading.refuse(trail, "A test may last a year at most", key=True)
        elif at in found:
            reading.refuse(
                trail, f"This instant stands here as {found[at][1]} already", "Join the two", key=True
            )
        else:
            found[at] = trail
    return sorted(found.items(), key=lambda item: item[0])


def _changes(reading: Reading, given: Sequence[Thing], moments: Sequence[Moment]) -> tuple[Change, ...]:
    changes = []
    last = moments[-1].at if moments else _LONGEST
    for at, trail in _instants(reading, "change"):
        if at == timedelta():
            reading.refuse(trail, "A change at the very start belongs in `given`", key=True)
        if at > last:
            message = "Nothing is expected after this change"
            reading.refuse(trail, message, "Add an instant after it to `at`, if need be with []", key=True)
        changes.append(Change(at, read_things(reading, trail, given)))
    return tuple(changes)


def _restraints(reading: Reading) -> Restraints | None:
    """The guards that the test states; None when it states none."""
    if not reading.holds(("guards",)):
        return None
    given = reading.valid(GuardsGiven, ("guards",))
    if given is None:
        return None
    return Restraints(guards_from(given, given.panels), given.max_rate_increase)


def _answers(reading: Reading) -> dict[StepKind, tuple[Answer, ...]]:
    if not reading.holds(("answers",)):
        return {}
    outline = reading.valid(AnswersOutline, ("answers",))
    found: dict[StepKind, tuple[Answer, ...]] = {}
    for name in sorted(outline.model_fields_set) if outline is not None else ():
        kind, trail = StepKind(name), ("answers", name)
        answers = tuple(answer for item in reading.items(trail) for answer in _answer(reading, item, kind))
        if answers:
            found[kind] = answers
        elif not reading.items(trail):
            reading.refuse(trail, f"`{name}` has no answer", _ANSWER_EXAMPLE)
    return found


def _answer(reading: Reading, trail: Trail, kind: StepKind) -> Iterator[Answer]:
    value = reading.at(trail)
    if not isinstance(value, dict):
        answer = _WORDS.get(str(value))
        if answer is None:
            suggestion = did_you_mean(str(value), [*_WORDS, "refused"]) or _ANSWER_EXAMPLE
            reading.refuse(trail, f'"{value}" is not an answer of a panel', suggestion)
        else:
            yield answer
        return
    spec = reading.valid(AnswerSpec, trail)
    if spec is None:
        return
    given = spec.model_fields_set
    if given == {"refused"} and spec.refused is not None:
        yield Answer(Manner.REFUSED, spec.refused)
    elif given == {_MADE[kind]}:
        yield Answer(text=str(getattr(spec, _MADE[kind])))
    else:
        example = f"{{{_MADE[kind]}: 1007}}"
        reading.refuse(
            trail, f"An answer to {kind} has one key: refused or {_MADE[kind]}", f"Write {example}"
        )
