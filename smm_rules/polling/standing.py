"""What is known of one panel beyond its orders: catalogue, balance and how it has been answering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from smm_rules.engine.panel_facts import answered, catalogue_read, failed
from smm_rules.engine.snapshots import related
from smm_rules.facts import Entity, EntityKind, Facts, Value
from smm_rules.ledger.records import Watched
from smm_rules.panel.errors import PanelError, RateLimited

FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=10)
#: A panel that asks for a longer pause than this is asked again all the same.
LONGEST_ASKED_PAUSE = timedelta(hours=1)
#: Failures in a row of one kind of look after which the operator is told: once an outage, and at its end.
FAILURES_TOLD = 3
#: A look that wasn't tried again for so long after its pause has nothing left to ask about.
NOT_TRIED_ANY_MORE = timedelta(minutes=15)
_PAGE = 5_000


class WatchedReader(Protocol):
    """What is read from the ledger at start."""

    async def watched(self, entity: Entity) -> Watched | None: ...

    async def watched_page(
        self, kind: EntityKind, panel: str | None, after: Entity | None, limit: int
    ) -> tuple[Watched, ...]: ...


@dataclass(frozen=True, slots=True)
class Outage:
    """One kind of look at a panel failing: since when, how often in a row, and until when it is let be."""

    since: datetime
    failures: int
    error: str
    paused_until: datetime


def down(known: Mapping[str, Mapping[str, Outage]], now: datetime) -> frozenset[str]:
    """The panels that can't be read, of which the operator has been told, out of each one's outages.

    A look fails until it is answered. One with nothing left to ask about, as when the last refill that was
    due is forgotten, is never answered: it no longer counts some time after its pause.
    """
    return frozenset(
        panel
        for panel, outages in known.items()
        if any(
            outage.failures >= FAILURES_TOLD and now <= outage.paused_until + NOT_TRIED_ANY_MORE
            for outage in outages.values()
        )
    )


class Standing:
    """One panel's catalogue, balance and health, kept in memory beside the ledger's copy.

    `tried` are the kinds of look taken since the start, `balance_wanted` and `catalogue_wanted` ask for one
    before its time. `catalogue_looked_cut` is whether the last one lacked most of its services all at once.
    `catalogues` counts the catalogues taken over.
    """

    def __init__(self, panel: str) -> None:
        self.panel = panel
        self.services: dict[str, Watched] = {}
        self.balance: Watched | None = None
        self.health: Watched | None = None
        self.health_facts: Facts = {"name": panel}
        self.outages: dict[str, Outage] = {}
        self.tried: set[str] = set()
        self.balance_wanted = False
        self.catalogue_wanted = False
        self.catalogue_looked_cut = False
        self.catalogues = 0
        self._shared: dict[str, Value] = {}
        self._by_service: dict[str, dict[str, Value]] = {}

    async def load(self, ledger: WatchedReader) -> None:
        """Read what the ledger last knew, so that a restart forgets nothing."""
        self.balance = await ledger.watched(Entity(EntityKind.BALANCE, self.panel))
        self.health = await ledger.watched(Entity(EntityKind.PANEL, self.panel))
        if self.health is not None:
            self.health_facts = {**self.health.facts, "name": self.panel}
        after: Entity | None = None
        while page := await ledger.watched_page(EntityKind.SERVICE, self.panel, after, _PAGE):
            self.services |= {watched.entity.id: watched for watched in page}
            after = page[-1].entity
        self.catalogues += 1
        self._refresh()

    def _refresh(self) -> None:
        """Forget the flattened facts; they are made anew when next asked for."""
        balance = self.balance.facts if self.balance else {}
        self._shared = related(EntityKind.BALANCE, balance) | related(EntityKind.PANEL, self.health_facts)
        self._by_service.clear()

    def related_to_service(self, service: str | None) -> dict[str, Value]:
        """Flat dotted facts of a service, the balance and the panel; the service's own unknown if need be."""
        known = service or ""
        if known not in self._by_service:
            watched = self.services.get(known)
            facts = watched.facts if watched else {}
            self._by_service[known] = self._shared | related(EntityKind.SERVICE, facts)
        return self._by_service[known]

    def related_to_panel(self) -> dict[str, Value]:
        """Flat dotted facts of the balance and the panel."""
        return self._shared

    def keep_services(self, services: Iterable[Watched]) -> None:
        """Take over a catalogue just read."""
        self.services |= {watched.entity.id: watched for watched in services}
        self.catalogue_wanted = False
        self.catalogues += 1
        self._refresh()

    def keep_balance(self, balance: Watched) -> None:
        """Take over a balance just read."""
        self.balance = balance
        self._refresh()

    def balance_is_due(self, now: datetime) -> bool:
        """Whether it is to be read: its time has come, or an action in doubt wants it as evidence."""
        due_at = self.balance.due_at if self.balance else None
        return self.balance_wanted or due_at is None or due_at <= now

    def catalogue_is_due(self, now: datetime) -> bool:
        """Whether it is to be read: for the first time, or because the time of any service has come."""
        due = [item.due_at for item in self.services.values() if item.due_at is not None]
        return self.catalogue_wanted or not due or min(due) <= now

    def note_answer(self, what: str, now: datetime) -> Outage | None:
        """The panel answered a look; the outage of that look which ended with it, if there was one."""
        self.health_facts = answered(self.health_facts, self.panel, now).facts
        self._note_tried(what)
        return self.outages.pop(what, None)

    def note_catalogue_read(self, now: datetime) -> None:
        """The catalogue's answer is whole and will be looked at."""
        self.health_facts = catalogue_read(self.health_facts, now)
        self._refresh()

    def note_failure(self, what: str, error: PanelError, now: datetime) -> Outage:
        """A look failed: it is left alone for a while, longer each time in a row."""
        self.health_facts = failed(self.health_facts, self.panel, str(error), now).facts
        self._note_tried(what)
        return self._fail(what, error, now, LONGEST_PAUSE)

    def note_partial_failure(
        self, what: str, error: PanelError, now: datetime, interval: timedelta
    ) -> Outage:
        """Some requests of a look failed while others were answered, so the panel is in reach.

        The look pauses for no longer than its `interval`, so that what can be read is read in time.
        """
        self.health_facts = answered(self.health_facts, self.panel, now).facts
        self._note_tried(what)
        return self._fail(what, error, now, interval)

    def _fail(self, what: str, error: PanelError, now: datetime, longest: timedelta) -> Outage:
        before = self.outages.get(what)
        failures = before.failures + 1 if before else 1
        pause = _asked_pause(error) or min(FIRST_PAUSE * 2 ** min(failures - 1, 10), LONGEST_PAUSE, longest)
        outage = Outage(before.since if before else now, failures, str(error), now + pause)
        self.outages[what] = outage
        return outage

    def _note_tried(self, what: str) -> None:
        self.tried.add(what)
        self._refresh()

    def take_over(
        self,
        outages: Mapping[str, Outage],
        health: Facts,
        tried: Iterable[str],
        *,
        balance_wanted: bool,
        catalogue_wanted: bool,
    ) -> None:
        """Take over what others who look at the panel have found out; their looks count as tried here."""
        self.outages = dict(outages)
        self.health_facts = {**health, "name": self.panel}
        self.tried = set(tried)
        self.balance_wanted, self.catalogue_wanted = balance_wanted, catalogue_wanted
        self._refresh()

    def end_pauses(self, now: datetime) -> None:
        """Leave nothing alone any longer: the pauses were counted by a clock that was ahead."""
        self.outages = {
            what: replace(outage, paused_until=min(outage.paused_until, now))
            for what, outage in self.outages.items()
        }

    def paused(self, what: str, now: datetime) -> bool:
        """Whether a look is being left alone after a failure."""
        outage = self.outages.get(what)
        return outage is not None and now < outage.paused_until

    def acquainted(self, now: datetime) -> bool:
        """Whether catalogue and balance are known as of late, or have been asked for since the start.

        Orders wait for that, so that the first look at them finds their services known where possible. After
        a restart what the ledger remembers will do, until its time has come.
        """
        catalogue = "catalogue" in self.tried or not self.catalogue_is_due(now)
        return catalogue and ("balance" in self.tried or not self.balance_is_due(now))


def _asked_pause(error: PanelError) -> timedelta | None:
    """The pause a rate limit asked for, within reason; None where none was."""
    if not isinstance(error, RateLimited) or not error.retry_after:
        return None
    return min(error.retry_after, LONGEST_ASKED_PAUSE)
