"""What would become of each row of a plan, as far as that can be told before it is placed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from smm_rules.actions.circumstances import Circumstances
from smm_rules.actions.place import draft_order
from smm_rules.actions.purchase import Basket, check_purchase
from smm_rules.actions.verdict import Ready
from smm_rules.cli.exits import Exit, Stop
from smm_rules.engine.buying import SERVICE
from smm_rules.engine.firing import IntentDraft
from smm_rules.engine.guards import Guarded
from smm_rules.facts import Entity, EntityKind
from smm_rules.intake import Unacceptable
from smm_rules.intake.plan_file import PlanEntry
from smm_rules.intake.values import Purchase
from smm_rules.ledger.plans import (
    NEVER_SENT,
    NOTHING_BOUGHT,
    PlannedRow,
    PlanRow,
    RowKey,
    may_be_planned_again,
    was_bought_after_all,
)
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import LATE_ANSWER, DatedBalance, IntentState, Watched


class Fate(StrEnum):
    """What a row is: to be placed now, done with, still under way, or not to be placed."""

    PLACE = "to be placed"
    BOUGHT = "placed"
    UNDER_WAY = "under way"
    HELD = "held"
    IN_DOUBT = "in doubt"
    ENDED = "ended"
    REFUSED = "not placed"


class Reported(NamedTuple):
    """What a report says became of a row: the intent, its state, the order that was made and what it cost."""

    intent: str
    state: str
    order: str
    cost: str
    currency: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A row and its fate. `draft` is there where it is to be placed, `planned` where it was planned before.

    `why` says why it isn't placed now, `guard` what would hold it. `reported` is what only the report before
    knows of it: the next one has to go on saying so.
    """

    entry: PlanEntry
    key: RowKey
    fate: Fate
    why: str = ""
    draft: IntentDraft | None = None
    planned: PlannedRow | None = None
    guard: Guarded | None = None
    reported: Reported | None = None

    @property
    def row(self) -> PlanRow:
        """What the ledger is given of it."""
        assert self.draft is not None, "it isn't to be placed"
        return PlanRow(self.key, self.entry.digest, self.draft)


@dataclass(frozen=True, slots=True)
class PanelMarket:
    """The services that a plan names on a panel, its balance, and what of that others have set aside."""

    services: Mapping[str, Watched]
    balance: DatedBalance
    reserved: Decimal

    async def watched(self, entity: Entity) -> Watched | None:
        return self.services.get(entity.id) if entity.kind is EntityKind.SERVICE else None


Markets = Mapping[str, PanelMarket]


@dataclass(frozen=True, slots=True)
class _Shop:
    """`actions.port.MarketLedger` over what was read for the table."""

    markets: Markets

    async def watched(self, entity: Entity) -> Watched | None:
        return await self.markets[entity.panel].watched(entity)

    async def balance(self, panel: str) -> DatedBalance | None:
        return self.markets[panel].balance


def key_of(entry: PlanEntry, name: str) -> RowKey:
    """What the row is known by: its reference, whatever the file, or its number within the plan."""
    return RowKey("", entry.reference) if entry.reference else RowKey(name, str(entry.number))


async def known_rows(ledger: Ledger, name: str, entries: Sequence[PlanEntry]) -> dict[RowKey, PlannedRow]:
    """The rows of the file that were planned before. `Stop` when a row that was has moved, changed or gone.

    Rows without a reference are known by their number alone: in a file that was changed above its end one
    that was bought could pass for another.
    """
    numbered = await ledger.numbered_rows(name)
    by_reference = any(entry.reference for entry in entries)
    if by_reference:
        if numbered:
            raise _changed(name, "was placed by the numbers of its rows before, not by references")
        return await ledger.plan_rows([key_of(entry, name) for entry in entries])
    if not numbered and await ledger.plan_file(name) is not None:
        raise _changed(name, "was placed by references before, and the file has none")
    said = {key_of(entry, name): entry for entry in entries}
    for key, planned in numbered.items():
        entry = said.get(key)
        if entry is None or entry.purchase is None or entry.digest != planned.digest:
            raise _changed(
                name,
                f"had something else in row {key.key} when that was placed as intent {planned.intent_id}",
            )
    return numbered


def _changed(name: str, how: str) -> Stop:
    return Stop(
        f'The plan "{name}" {how}. Rows without a reference are known by their number, so what was placed '
        "must stay as it was; add new rows at the end. Nothing was placed. If this is another plan, give it "
        'a name of its own with --name; to be free to change a file, give each row a "reference".',
        Exit.USAGE,
    )


async def judge(
    entries: Sequence[PlanEntry],
    name: str,
    known: Mapping[RowKey, PlannedRow],
    reported: Mapping[RowKey, Reported],
    markets: Markets,
    now: datetime,
    *,
    retry: bool,
) -> list[Judged]:
    """Each row's fate, in the file's order: what one costs is gone for those after it."""
    found: list[Judged] = []
    spent = {panel: market.reserved for panel, market in markets.items()}
    for entry in entries:
        key = key_of(entry, name)
        planned = known.get(key)
        judged = None if planned is None else _before(entry, key, planned, retry=retry)
        told = reported.get(key)
        if judged is None and told is not None and _is_forgotten(told.intent, planned):
            judged = Judged(entry, key, Fate.REFUSED, _lost(told.intent), planned=planned, reported=told)
        if judged is None:
            judged = await _fresh(entry, key, markets, spent, now)
            judged = replace(judged, planned=planned)
        found.append(judged)
    return found


def _is_forgotten(intent: str, planned: PlannedRow | None) -> bool:
    """Whether the report's intent of a row came after all that the ledger knows of it."""
    return planned is None or not intent.isdecimal() or int(intent) > planned.intent_id


def _lost(intent: str) -> str:
    return (
        f"the report beside the file says that it was planned as intent {intent}, of which this ledger knows "
        "nothing: was it restored, or is it another one? See whether it was bought; to place it, move the "
        "report away"
    )


def _before(entry: PlanEntry, key: RowKey, planned: PlannedRow, *, retry: bool) -> Judged | None:
    """What became of a row that was planned before; None where it is to be placed once more."""
    if entry.purchase is None or entry.digest != planned.digest:
        why = f"it said something else when it was planned as intent {planned.intent_id}"
        return Judged(entry, key, Fate.REFUSED, why, planned=planned)
    intent = planned.intent
    if intent is None:
        why = f"planned on {planned.at:%Y-%m-%d} as intent {planned.intent_id}, which is no longer kept"
        return Judged(entry, key, Fate.BOUGHT, why, planned=planned)
    if may_be_planned_again(intent, NOTHING_BOUGHT if retry else NEVER_SENT):
        return None
    if was_bought_after_all(intent):
        why = f"{intent.state}, and the panel said late that it was bought: {intent.evidence[LATE_ANSWER]}"
        return Judged(entry, key, Fate.IN_DOUBT, why, planned=planned)
    fate = _FATES.get(intent.state, Fate.ENDED)
    why = intent.message or intent.reason
    if fate is Fate.ENDED:
        why = f"{intent.state}: {why}. To ask once more: --retry"
    return Judged(entry, key, fate, why, planned=planned)


_FATES = {
    IntentState.CONFIRMED: Fate.BOUGHT,
    IntentState.PLANNED: Fate.UNDER_WAY,
    IntentState.SENDING: Fate.UNDER_WAY,
    IntentState.UNKNOWN: Fate.IN_DOUBT,
    IntentState.HELD: Fate.HELD,
}


async def _fresh(
    entry: PlanEntry, key: RowKey, markets: Markets, spent: dict[str, Decimal], now: datetime
) -> Judged:
    """A row that was never bought. `spent` is what is taken of each balance already."""
    if entry.purchase is None:
        return Judged(entry, key, Fate.REFUSED, entry.problem)
    bought = entry.purchase
    market = markets[bought.panel]
    row = market.services.get(bought.parameters[SERVICE])
    if row is None:
        why = f"service {bought.parameters[SERVICE]} is not in {bought.panel}'s catalogue"
        return Judged(entry, key, Fate.REFUSED, why)
    verdict = check_purchase(
        Basket(
            bought.panel, row.entity.id, {}, bought.parameters, "give them as columns of their names", None
        ),
        _circumstances(row, market, spent[bought.panel], now),
    )
    if not isinstance(verdict, Ready):
        return Judged(entry, key, Fate.REFUSED, verdict.message)
    try:
        draft = await _draft(bought, markets)
    except Unacceptable as problem:
        return Judged(entry, key, Fate.REFUSED, str(problem))
    spent[bought.panel] += verdict.cost or 0
    return Judged(entry, key, Fate.PLACE, draft=draft)


def _circumstances(row: Watched, market: PanelMarket, spent: Decimal, now: datetime) -> Circumstances:
    return Circumstances(
        now=now,
        service=row.facts,
        catalogue_read_at=row.last_seen_at,
        balance=market.balance,
        currency=market.balance.currency,
        committed=spent,
    )


async def _draft(bought: Purchase, markets: Markets) -> IntentDraft:
    return await draft_order(_Shop(markets), bought.panel, bought.parameters, "", label=bought.label)
