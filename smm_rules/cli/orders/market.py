"""Today's price of a service and the money left, for an order that is about to be placed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from smm_rules.clock import Clock
from smm_rules.config.model import PanelSettings
from smm_rules.engine.service_facts import observe_service
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.intake import Unacceptable
from smm_rules.ledger.records import DatedBalance, Watched
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.panel.client import PanelClient


class PricedLedger(SqlLedger):
    """The ledger, with readings of the catalogue laid over it that this process made itself.

    They are not written down: a reading in the ledger says that the rules have looked at it, and holds
    would seem to have been watched while nobody did. A balance is noted beside them (`note_balance`), so that
    the guards, which judge inside the ledger and may do so for a daemon, go by it too.
    """

    def __init__(self, opened: SqlLedger) -> None:
        super().__init__(*opened.parts)
        self._opened = opened
        self._readings: dict[Entity, Watched] = {}

    def lay_over(self, entity: Entity, facts: Facts, at: datetime) -> Watched:
        """Take `facts` for what is known of `entity`, read at `at`."""
        reading = Watched(entity, facts, at, at, None)
        self._readings[entity] = reading
        return reading

    async def daemon(self) -> str | None:
        return await self._opened.daemon()

    async def watched(self, entity: Entity) -> Watched | None:
        return self._readings.get(entity) or await super().watched(entity)


@dataclass(frozen=True, slots=True)
class Market:
    """The service to be ordered, as read lately, and the balance as it is now."""

    service: Watched
    balance: DatedBalance


async def read_market(
    ledger: PricedLedger, client: PanelClient, panel: PanelSettings, service: str, clock: Clock
) -> Market:
    """The service as the ledger has it, or the panel where that is missing or old; the balance is asked for
    and noted.

    `Unacceptable` when the panel's catalogue has no such service, `PanelError` when it can't be read.
    """
    row = await _service(ledger, client, panel, service, clock.now())
    return Market(row, await read_balance(ledger, client, panel.name, clock))


def _is_fresh(reading: Watched, interval: timedelta, now: datetime) -> bool:
    return reading.last_seen_at is not None and now - reading.last_seen_at <= 2 * interval


async def _service(
    ledger: PricedLedger, client: PanelClient, panel: PanelSettings, service: str, now: datetime
) -> Watched:
    found = await read_services(ledger, client, panel, (service,), now)
    if service not in found:
        raise Unacceptable(f"{panel.name} has no service {service} in its catalogue", "Look up its ID there")
    return found[service]


async def read_services(
    ledger: PricedLedger,
    client: PanelClient,
    panel: PanelSettings,
    services: Collection[str],
    now: datetime,
) -> dict[str, Watched]:
    """Those of these services that the panel has, as the ledger knows them, or as the panel tells where one
    of them is missing or old; the panel is asked once at most."""
    found: dict[str, Watched] = {}
    before: dict[str, Facts] = {}
    for service in services:
        known = await ledger.watched(Entity(EntityKind.SERVICE, panel.name, service))
        before[service] = known.facts if known else {}
        gone = known is not None and known.facts.get("gone") is True
        if known is not None and not gone and _is_fresh(known, panel.poll.catalogue, now):
            found[service] = known
    if len(found) == len(before):
        return found
    for row in await client.services():
        if row.id in before and row.id not in found:
            entity = Entity(EntityKind.SERVICE, panel.name, row.id)
            found[row.id] = ledger.lay_over(entity, observe_service(before[row.id], row, now).facts, now)
    return found


async def read_balance(ledger: PricedLedger, client: PanelClient, panel: str, clock: Clock) -> DatedBalance:
    asked_at = clock.now()
    answer = await client.balance()
    reading = DatedBalance(answer.amount, answer.currency, asked_at, clock.now())
    await ledger.note_balance(panel, reading)
    return reading
