"""Alerts whose rule was removed end, told once to those who knew of them, and go on should it come back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from smm_rules.engine.firing import AlertDraft, MessageDraft, Telling
from smm_rules.engine.memory import Memory
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.alerts import Alert, AlertState
from smm_rules.ledger.records import Observed, Remembered, Sweep
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.notify.unwatched import Watching, settle_unwatched
from smm_rules.rules import load_rules
from smm_rules.rules.model import RuleSet, StepKind
from tests.ledger.builders import new_order, order
from tests.notify.outbox import START

HOUR = timedelta(hours=1)
FIRED = Memory(true_since=START, fired_at=START)
LATE = """
  - name: late
    watch: order
    when: status == "Partial"
    do: [{notify: {channel: ops, message: "late"}}]
"""
LOW = """
  - name: low
    watch: balance
    when: amount < 20
    do: [{notify: {channel: ops, message: "low"}}]
"""


Watched = Callable[..., Watching]


@pytest.fixture
def watching(tmp_path: Path) -> Watched:
    """The rules in force, and the panels."""

    def read(*rules: str, panels: tuple[str, ...] = ("north", "south")) -> Watching:
        (tmp_path / "rules.yaml").write_text("rules:" + "".join(rules), encoding="utf-8")
        loaded = load_rules([tmp_path / "rules.yaml"]).rules if rules else RuleSet()
        return Watching(loaded, frozenset(panels))

    return read


@pytest.fixture
async def ledger() -> AsyncIterator[SqliteLedger]:
    async with await SqliteLedger.in_memory() as opened:
        yield opened


async def tell(
    ledger: SqliteLedger, rule: str, entity: Entity, channel: str = "ops", delivered: bool = True
) -> None:
    """The rule has fired for it and told a channel."""
    if entity.kind is EntityKind.ORDER:
        await ledger.track([new_order(entity.id, panel=entity.panel)], START)
    seen = Observed(entity, {}, changed=False, due_at=None)
    await ledger.record(Sweep(START, (seen,), (Remembered(rule, entity, FIRED),)))
    alert = AlertDraft(rule, entity, START, Telling.FIRED)
    key = f"{alert.key}:fired:0:{channel}"
    await ledger.enqueue(MessageDraft(key, StepKind.NOTIFY, channel, "", "told", alert=alert), START)
    if delivered:
        await ledger.delivered((await ledger.messages((), 1))[0].id, START)


async def notices(ledger: SqliteLedger) -> list[tuple[str, str, str]]:
    """Channel, title and text of the notices, the oldest first."""
    found = reversed(await ledger.messages((), 99))
    return [(one.channel, one.title, one.body) for one in found if one.dedup_key.startswith("unwatched:")]


async def open_alerts(ledger: SqliteLedger) -> list[Alert]:
    return list(await ledger.alerts((AlertState.FIRING, AlertState.ACKNOWLEDGED), 99))


async def test_the_alerts_of_a_removed_rule_are_over_and_it_is_told_once(
    ledger: SqliteLedger, watching: Watched
) -> None:
    for number in range(12):
        await tell(ledger, "late", order(number))
    await tell(ledger, "low", Entity(EntityKind.BALANCE, "north"))
    assert await settle_unwatched(ledger, watching(LATE, LOW), START + HOUR) == 0
    assert await settle_unwatched(ledger, watching(LOW), START + HOUR) == 12
    assert [one.rule for one in await open_alerts(ledger)] == ["low"]
    [(channel, title, body)] = await notices(ledger)
    assert (channel, title) == ("ops", "Over: 12 alerts of rule late")
    assert body.startswith("Rule late was removed. ")
    assert body.endswith("north 3, north 2 and 2 more.")
    assert await settle_unwatched(ledger, watching(LOW), START + 2 * HOUR) == 0
    assert len(await notices(ledger)) == 1


async def test_each_channel_is_told_of_what_it_knew(ledger: SqliteLedger, watching: Watched) -> None:
    await tell(ledger, "late", order(1))
    await tell(ledger, "late", order(1), "boss")
    await tell(ledger, "late", order(2))
    await tell(ledger, "late", order(3), "night", delivered=False)
    assert await settle_unwatched(ledger, watching(), START + HOUR) == 3
    assert [(channel, title) for channel, title, _ in await notices(ledger)] == [
        ("boss", "Over: 1 alert of rule late"),
        ("ops", "Over: 2 alerts of rule late"),
    ]


async def test_a_panel_that_was_removed_and_a_rule_that_watches_something_else(
    ledger: SqliteLedger, watching: Watched
) -> None:
    await tell(ledger, "late", order(1, "south"))
    await tell(ledger, "low", Entity(EntityKind.BALANCE, "north"))
    orders = LOW.replace("watch: balance", "watch: order").replace("amount < 20", "remains > 1")
    assert await settle_unwatched(ledger, watching(LATE, orders, panels=("north",)), START + HOUR) == 2
    assert [body.partition(". ")[0] for _, _, body in await notices(ledger)] == [
        "Panel south is no longer configured",
        "Rule low no longer watches them",
    ]


async def test_a_rule_that_comes_back_goes_on_with_its_alerts(
    ledger: SqliteLedger, watching: Watched
) -> None:
    await tell(ledger, "late", order(1))
    await settle_unwatched(ledger, watching(), START + HOUR)
    assert await open_alerts(ledger) == []
    assert await settle_unwatched(ledger, watching(LATE), START + 2 * HOUR) == 0
    assert [one.state for one in await open_alerts(ledger)] == [AlertState.FIRING]
    await settle_unwatched(ledger, watching(), START + 3 * HOUR)
    assert len(await notices(ledger)) == 2
