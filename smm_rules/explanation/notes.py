"""What else bears on a rule and an entity beside the one cause."""

from __future__ import annotations

from collections.abc import Iterator

from smm_rules.engine.memory import Reason
from smm_rules.explanation.choices import choice_notes
from smm_rules.explanation.kept_back import kept_back
from smm_rules.explanation.model import Cause, Records, Standing, Surroundings
from smm_rules.explanation.words import moment, roughly, span
from smm_rules.facts import EntityKind
from smm_rules.ledger.stops import StopScope, concerning
from smm_rules.rules.model import Mode, Rule

_NEVER_SEEN = frozenset(
    {Cause.KIND_NOT_WATCHED, Cause.PANEL_NOT_WATCHED, Cause.NEVER_TRACKED, Cause.FORGOTTEN}
)


def notes(
    rule: Rule, standing: Standing, records: Records, around: Surroundings, cause: Cause
) -> tuple[str, ...]:
    """Sentences without an end, the most telling first."""
    if cause in _NEVER_SEEN:
        return ()
    return (
        *_of_memory(records),
        *_of_rule(rule, standing, records),
        *_of_choices(records),
        *_around(rule, standing, around, cause),
        *kept_back(rule, standing, around),
    )


def _of_memory(records: Records) -> Iterator[str]:
    memory = records.memory
    if memory is None:
        return
    newest = records.traces[0] if records.traces else None
    if newest is not None and newest.reason is Reason.GAP_RESTARTED and newest.at == memory.true_since:
        yield (
            f"the hold began anew at {moment(newest.at)}: nobody had seen the condition hold for longer than "
            "observation_gap"
        )
    if memory.unknown_since is not None and memory.true_since is not None:
        yield (
            f"a fact it needs has been unknown since {moment(memory.unknown_since)}; the episode that began "
            f"at {moment(memory.true_since)} waits for it"
        )
    if memory.fired_at is None and memory.firings:
        last = f", last at {moment(memory.last_fired)}" if memory.last_fired else ""
        yield f"it has fired {_times(memory.firings)} before{last}"
    if memory.reminders:
        yield f"it has reminded {_times(memory.reminders)}"


def _of_rule(rule: Rule, standing: Standing, records: Records) -> Iterator[str]:
    newest = records.traces[0] if records.traces else None
    if newest is not None and newest.rule_version != rule.version:
        yield f"the rule was edited after it last came to something here ({moment(newest.at)})"
    if standing.past:
        yield "put together from the history: what was read without news since then isn't in it"


def _of_choices(records: Records) -> Iterator[str]:
    """Of the episode that lasts, the oldest first: what a later one tells of comes after it."""
    memory = records.memory
    if memory is not None and memory.true_since is not None:
        ours = [intent for intent in records.intents if intent.episode == memory.true_since]
        yield from choice_notes(reversed(ours))


def _around(rule: Rule, standing: Standing, around: Surroundings, cause: Cause) -> Iterator[str]:
    if around.mode == "dry_run" and rule.acts and cause is not Cause.ACTION_HELD:
        yield "mode is dry_run: when it fires, its actions are held"
    if around.mode == "shadow" or rule.guards.mode is Mode.SHADOW:
        yield "mode is shadow: when it fires, that is only written down"
    if cause is not Cause.PAUSED:
        for stop in concerning(around.stops, rule.name, standing.entity.panel, standing.at):
            name = "everything" if stop.scope is StopScope.ALL else f"{stop.scope} {stop.name}"
            yield f"actions of {name} are stopped since {moment(stop.since)}: {stop.reason}"
    if around.daemon_runs is False and cause is not Cause.DAEMON_DOWN:
        since = f" (last heard of {span(standing.at - around.beat_at)} ago)" if around.beat_at else ""
        yield f"no daemon runs now{since}"
    if standing.entity.kind is EntityKind.PANEL or standing.past:
        return
    if standing.due_at is None and standing.stored and cause is not Cause.SETTLED and standing.seen_at:
        yield "it has settled: nobody looks at it any more"
    elif standing.due_at is not None and standing.due_at > standing.at:
        yield f"the next look is in {roughly(standing.due_at - standing.at)}, at {moment(standing.due_at)}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
