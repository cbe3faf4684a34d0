"""`/metrics` for Prometheus. No label has an order's ID: there would be as many series as orders."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.responses import Response

from smm_rules import __version__
from smm_rules.ledger.records import IntentState, MessageState
from smm_rules.ledger.stops import StopKind
from smm_rules.observe.counters import OVERFLOW, Count
from smm_rules.rules.model import RuleSet
from smm_rules.standing.budgets import gather_budgets
from smm_rules.standing.overview import Standing, gather
from smm_rules.web.engine import Engine
from smm_rules.web.metric_names import METRICS, PREFIX, Kind
from smm_rules.web.site import Site
from smm_rules.web.visit import Refused, Visit

_Family = GaugeMetricFamily | CounterMetricFamily
#: What a label says where more sets of labels came up than are kept apart.
_REST = "other"
#: More actions in doubt or held than this aren't looked through for the oldest.
_MANY = 1_000


async def exposition(visit: Visit) -> Response:
    """All metrics as text. `Refused` for who isn't this machine and has no token."""
    _check_reader(visit)
    families = Families()
    await _of_ledger(families, visit.site, visit.now)
    registry = CollectorRegistry()
    if visit.site.engine is not None:
        _of_process(families, visit.site.engine, visit.site.configuration.mode)
        ProcessCollector(registry=registry)
    registry.register(families)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def _check_reader(visit: Visit) -> None:
    token = visit.site.metrics_token
    given = visit.request.headers.get("authorization", "")
    if token and hmac.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return
    peer = visit.request.client.host if visit.request.client else "127.0.0.1"
    if token or visit.is_forwarded or peer not in ("127.0.0.1", "::1"):
        raise Refused("The metrics are for this machine, or for who has `web.metrics_token`.", 403)


class Families(Collector):
    """The values of one exposition, by the names in `metric_names`."""

    def __init__(self) -> None:
        self._families: dict[str, _Family] = {}

    def add(self, name: str, value: float | Decimal, /, **labels: str) -> None:
        """A value of the metric called `name`, whose labels must be those it is documented with."""
        metric = METRICS[name]
        if name not in self._families:
            make = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
            self._families[name] = make(PREFIX + name, metric.meaning, labels=metric.labels)
        self._families[name].add_metric([labels[label] for label in metric.labels], float(value))

    def collect(self) -> Iterable[_Family]:
        return self._families.values()


async def _of_ledger(families: Families, site: Site, now: datetime) -> None:
    standing = await gather(site.ledger, site.configuration, now)
    for (name, status), count in (await site.statuses()).items():
        families.add("orders", count, panel=name, status=status)
    families.add("orders_due", standing.totals.due)
    for panel in standing.panels:
        families.add("order_lateness_seconds", panel.late(now).total_seconds(), panel=panel.panel)
    _of_panels(families, standing)
    _of_totals(families, standing)
    await _of_ages(families, site, now)
    for kind in StopKind:
        families.add("stops", sum(stop.kind is kind for stop in standing.stops), kind=kind.value)
    families.add("on_hold", standing.held_back is not None)
    if standing.daemon.beat_at is not None:
        families.add("heartbeat_age_seconds", _age(standing.daemon.beat_at, now))
    loaded = site.rules()
    rules = loaded.rules if loaded else RuleSet()
    for one in await gather_budgets(site.ledger, site.configuration, rules, now):
        currency = "actions" if one.currency is None else one.currency
        families.add(
            "budget_used_ratio", one.share, scope=one.scope, name=one.name, per=one.per, currency=currency
        )


def _of_panels(families: Families, standing: Standing) -> None:
    for panel in standing.panels:
        if panel.reachable is not None:
            families.add("panel_reachable", panel.reachable, panel=panel.panel)
        if panel.last_answer_at is not None:
            at = panel.last_answer_at.timestamp()
            families.add("panel_last_answer_timestamp_seconds", at, panel=panel.panel)
        if panel.balance is not None:
            families.add("panel_balance", panel.balance, panel=panel.panel, currency=panel.currency or "")


def _of_totals(families: Families, standing: Standing) -> None:
    totals = standing.totals
    for state in IntentState:
        families.add("intents", totals.intents.get(state, 0), state=state.value)
    for message_state in MessageState:
        families.add("messages", totals.messages.get(message_state, 0), state=message_state.value)
    for currency, amount in totals.reserved.items():
        families.add("reserved_money", amount, currency=currency)


async def _of_ages(families: Families, site: Site, now: datetime) -> None:
    """By when it was claimed or planned: for the operator it has waited since then."""
    doubtful = await site.ledger.intents((IntentState.UNKNOWN,), _MANY)
    held = await site.ledger.intents((IntentState.HELD,), _MANY)
    oldest_doubt = min((one.claimed_at for one in doubtful if one.claimed_at is not None), default=None)
    oldest_held = min((one.planned_at for one in held), default=None)
    families.add("oldest_doubt_age_seconds", _age(oldest_doubt, now))
    families.add("oldest_held_age_seconds", _age(oldest_held, now))


def _of_process(families: Families, engine: Engine, mode: str) -> None:
    families.add("info", 1, version=__version__, mode=mode)
    families.add("jobs_stuck", len(engine.stuck()))
    for job, seconds in engine.at_rest().items():
        families.add("job_rest_seconds", seconds, job=job)
    for count in (*engine.counters.levels(), *engine.counters.snapshot()):
        if count.name in METRICS:
            families.add(count.name, count.value, **_labels(count))


def _labels(count: Count) -> Mapping[str, str]:
    given = dict(count.labels)
    rest = _REST if count.labels == OVERFLOW else ""
    return {label: given.get(label, rest) for label in METRICS[count.name].labels}


def _age(at: datetime | None, now: datetime) -> float:
    return 0.0 if at is None else max((now - at).total_seconds(), 0.0)
