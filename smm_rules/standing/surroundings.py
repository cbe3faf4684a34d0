"""What bears on every entity of a panel, read from the configuration, the lock and the last heartbeat."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from smm_rules.config.model import Configuration, PollSettings
from smm_rules.explanation.model import Outage, Standing, Surroundings
from smm_rules.facts import EntityKind
from smm_rules.ledger.alerts import Silence
from smm_rules.ledger.opening import daemon_lock
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import Heartbeat
from smm_rules.ledger.stops import Stop
from smm_rules.polling.carried import read_carried

#: The kind of look by which each kind is read.
_LOOKS = {
    EntityKind.ORDER: "orders",
    EntityKind.REFILL: "refills",
    EntityKind.BALANCE: "balance",
    EntityKind.SERVICE: "catalogue",
}


def surroundings(
    configuration: Configuration,
    beat: Heartbeat | None,
    standing: Standing,
    stops: Sequence[Stop] = (),
    silences: Sequence[Silence] = (),
) -> Surroundings:
    """What bears on the entity of `standing` at its moment."""
    panel = configuration.panel(standing.entity.panel)
    poll = panel.poll if panel is not None else PollSettings()
    runs = None if standing.past else _daemon_runs(configuration)
    return Surroundings(
        daemon_runs=runs,
        beat_at=beat.beat_at if beat else None,
        mode=beat.detail.get("mode", configuration.mode) if beat and runs else configuration.mode,
        interval=_interval(poll, standing.entity.kind),
        gap=configuration.observation_gap,
        outage=None if runs is False else _outage(beat, standing),
        configured=panel is not None,
        stops=() if standing.past else tuple(stops),
        silences=tuple(silences),
        alerts=configuration.alerts,
    )


def _daemon_runs(configuration: Configuration) -> bool | None:
    try:
        return daemon_lock(configuration).holder() is not None
    except LedgerError:
        return None


def _interval(poll: PollSettings, kind: EntityKind) -> timedelta:
    intervals = {
        EntityKind.ORDER: poll.orders,
        EntityKind.REFILL: poll.refills,
        EntityKind.SERVICE: poll.catalogue,
    }
    return intervals.get(kind, poll.balance)


def _outage(beat: Heartbeat | None, standing: Standing) -> Outage | None:
    """Looks of this kind failing, by the daemon's word; else the panel answering nothing at all."""
    entity = standing.entity
    if beat is not None and not standing.past:
        failing = read_carried(beat.detail).outages.get(entity.panel, {}).get(_LOOKS.get(entity.kind, ""))
        if failing is not None:
            return Outage(failing.since, failing.error)
    health = standing.health
    since, error = health.get("failing_since"), health.get("last_error")
    if health.get("reachable") is not False or not isinstance(since, datetime):
        return None
    return Outage(since, str(error or "no answer"))
