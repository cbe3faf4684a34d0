"""What keeps a rule from seeing an entity at all, or as it is today."""

from __future__ import annotations

from datetime import timedelta

from smm_rules.engine.memory import Reason
from smm_rules.explanation.model import Cause, Standing, Surroundings
from smm_rules.explanation.verdict import Verdict
from smm_rules.explanation.words import moment, span
from smm_rules.facts import Entity, EntityKind
from smm_rules.rules.model import Rule

#: A look later than this is not just one that is about to come.
_LATE = timedelta(minutes=1)
_SETTLING = (EntityKind.ORDER, EntityKind.REFILL)


def out_of_reach(rule: Rule, standing: Standing, around: Surroundings) -> Verdict | None:
    """The rule never looks at the entity, or nobody has looked at it yet; None when somebody has."""
    entity = standing.entity
    if rule.watch is not entity.kind:
        return Verdict(
            Cause.KIND_NOT_WATCHED,
            f"the rule watches {_plural(rule.watch)}, and this is {_a(entity.kind)}",
            f"write watch: {entity.kind} in the rule, or ask about {_a(rule.watch)}",
        )
    if rule.panels is not None and entity.panel not in rule.panels:
        named = ", ".join(sorted(rule.panels))
        return Verdict(
            Cause.PANEL_NOT_WATCHED,
            f"the rule is for panels: {named}, and this is on {entity.panel}",
            f"add {entity.panel} to the rule's panels",
        )
    if not around.configured:
        return Verdict(
            Cause.PANEL_NOT_WATCHED,
            f"there is no panel {entity.panel} in the configuration, so nobody looks at it",
            f"add {entity.panel} to the configuration's panels",
        )
    if not standing.stored and entity.kind in _SETTLING:
        return _not_watched(standing)
    return _unread(standing, around) if standing.seen_at is None else None


def _not_watched(standing: Standing) -> Verdict:
    entity, order = standing.entity, standing.order
    name = f"{entity.panel}/{entity.id}"
    if entity.kind is EntityKind.REFILL:
        return Verdict(
            Cause.NEVER_TRACKED,
            f"refill {name} is not watched: it was not asked for through this daemon, or was forgotten",
        )
    track = f"smm-rules orders track {name}"
    if order is not None:
        return Verdict(Cause.FORGOTTEN, f"order {name} was forgotten, so nobody looks at it", track)
    return Verdict(Cause.NEVER_TRACKED, f"the daemon was never told of order {name}", track)


def _unread(standing: Standing, around: Surroundings) -> Verdict:
    entity = standing.entity
    summary = f"{_the(entity)} has not been read yet"
    if around.outage is not None:
        return Verdict(
            Cause.PANEL_FAILING, f"{summary}, and {_failing(entity, around)}", _until_it_answers(entity)
        )
    if around.daemon_runs is False:
        return Verdict(Cause.DAEMON_DOWN, f"{summary}, and no daemon runs", "start it: smm-rules run")
    return Verdict(Cause.NOT_YET_SEEN, summary, "wait for the first look")


def out_of_sight(standing: Standing, around: Surroundings, reason: Reason) -> Verdict | None:
    """The facts are not of today: the panel fails, nobody looks, or the order has settled.

    `reason` is what the engine makes of them all the same: a settled order whose condition is false on
    what was last seen is no business of the rule's in any case.
    """
    entity = standing.entity
    assert standing.seen_at is not None
    ago = f"what is known of it is of {moment(standing.seen_at)}, {span(standing.at - standing.seen_at)} ago"
    if around.outage is not None and entity.kind is not EntityKind.PANEL:
        return Verdict(
            Cause.PANEL_FAILING, f"{_failing(entity, around)}; {ago}, and rules don't act on stale facts",
            _until_it_answers(entity),
        )  # fmt: skip
    late = standing.due_at is not None and standing.at - standing.due_at > _LATE
    if late and around.daemon_runs is False:
        return Verdict(Cause.DAEMON_DOWN, f"no daemon runs; {ago}", "start it: smm-rules run")
    settled = standing.due_at is None and not standing.past and entity.kind in _SETTLING
    if settled and reason is not Reason.NOT_TRUE:
        return Verdict(
            Cause.SETTLED,
            f"{_the(entity)} has settled: it ended long ago, so nobody looks at it any more; {ago}",
            f"raise settle_after in the configuration, or have {_it_looked_at(entity)}",
        )
    return None


def _failing(entity: Entity, around: Surroundings) -> str:
    assert around.outage is not None
    return (
        f"panel {entity.panel} has not answered since {moment(around.outage.since)} ({around.outage.error})"
    )


def _until_it_answers(entity: Entity) -> str:
    return f"panel {entity.panel} must answer again; see smm-rules check --live"


def _it_looked_at(entity: Entity) -> str:
    name = f"{entity.panel}/{entity.id}"
    return f"it looked at anew: smm-rules orders forget {name}, then track {name}"


def _the(entity: Entity) -> str:
    named = f" {entity.id}" if entity.id else ""
    on = f" of panel {entity.panel}" if not entity.id else ""
    return f"the {entity.kind}{named}{on}" if not entity.id else f"{entity.kind}{named}"


def _a(kind: EntityKind) -> str:
    return f"{'an' if kind is EntityKind.ORDER else 'a'} {kind}"


def _plural(kind: EntityKind) -> str:
    return f"{kind}s"
