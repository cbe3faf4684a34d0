"""What keeps a rule's messages about an entity back: silences, maintenance, quiet hours."""

from __future__ import annotations

from collections.abc import Iterator

from smm_rules.explanation.model import Standing, Surroundings
from smm_rules.explanation.words import moment
from smm_rules.ledger.alerts import Labels
from smm_rules.notify.schedule import maintenance_until, quiet_until
from smm_rules.rules.model import Rule, Step, StepKind


def kept_back(rule: Rule, standing: Standing, around: Surroundings) -> Iterator[str]:
    """Sentences without an end; none where the rule notifies nobody, or for a moment gone by."""
    steps = [step for step in (*rule.do, *rule.otherwise) if step.kind is StepKind.NOTIFY]
    if standing.past or not steps:
        return
    entity = standing.entity
    labels = [Labels(rule.name, entity.panel, entity.kind.value, entity.id, _level(step)) for step in steps]
    for silence in around.silences:
        if silence.active(standing.at) and any(silence.matcher.matches(one) for one in labels):
            yield (
                f"silence {silence.id} of {silence.by} keeps its messages back until "
                f"{moment(silence.until)}: {silence.reason}"
            )
    end = maintenance_until(around.alerts.maintenance, entity.panel, standing.at)
    if end is not None:
        yield f"panel {entity.panel} is in maintenance: its messages wait until {moment(end)}"
    for channel, level in dict.fromkeys(
        (str(step.parameters.get("channel")), _level(step)) for step in steps
    ):
        quiet = quiet_until(around.alerts.quiet_hours, channel, level, standing.at)
        if quiet is not None:
            yield f"it is quiet on channel {channel}: its {level} messages wait until {moment(quiet)}"


def _level(step: Step) -> str:
    return str(step.parameters.get("level", "info"))
