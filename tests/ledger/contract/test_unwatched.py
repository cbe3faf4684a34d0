"""Alerts that nobody watches any more, as every back end ends them and lets them go on."""

from __future__ import annotations

from smm_rules.engine.firing import AlertDraft, MessageDraft, Telling
from smm_rules.engine.memory import Memory
from smm_rules.ledger.alerts import AlertState
from smm_rules.ledger.audit import AuditKind, AuditQuery
from smm_rules.ledger.port import Ledger
from smm_rules.ledger.records import Remembered, Sweep
from smm_rules.rules.model import StepKind
from tests.ledger.builders import DAY, MINUTE, T0, firing, message, new_order, order, planned

FIRED = Memory(true_since=T0, fired_at=T0 + MINUTE, last_fired=T0 + MINUTE, firings=1)
WHY = "Rule top-up was removed."


async def alarmed(ledger: Ledger, *numbers: int) -> list[int]:
    """An alert about each of these orders; the alerts' IDs."""
    for number in numbers:
        await ledger.track([new_order(number)], T0)
        alert = AlertDraft("top-up", order(number), T0, Telling.FIRED)
        told = MessageDraft(alert.key, StepKind.NOTIFY, "ops", "", "told", alert=alert)
        remembered = (Remembered("top-up", order(number), FIRED),)
        firings = (planned(firing(order(number)), messages=(told,)),)
        await ledger.record(Sweep(T0 + MINUTE, remembered=remembered, firings=firings))
    return [one.id for one in reversed(await ledger.alerts((), 9))]


async def states(ledger: Ledger) -> list[AlertState]:
    return [one.state for one in reversed(await ledger.alerts((), 9))]


async def test_they_end_with_their_notice_and_are_written_down(ledger: Ledger) -> None:
    first, second = await alarmed(ledger, 1, 2)
    assert await ledger.end_alerts([first], [message("notice")], WHY, T0 + DAY) == 1
    assert await states(ledger) == [AlertState.RESOLVED, AlertState.FIRING]
    found = await ledger.alert(first)
    assert found is not None
    assert found.resolved_at == T0 + DAY
    assert [one.dedup_key for one in await ledger.messages((), 1)] == ["notice"]
    [entry] = await ledger.audit_page(AuditQuery(kinds=(AuditKind.ALERT,)), 0, 9)
    assert entry.data == {"what": "ended", "alerts": [first], "reason": WHY}
    assert await ledger.alert(second) is not None


async def test_what_is_over_is_not_ended_and_told_again(ledger: Ledger) -> None:
    [only] = await alarmed(ledger, 1)
    await ledger.end_alerts([only], [], WHY, T0 + DAY)
    assert await ledger.end_alerts([only], [message("notice")], WHY, T0 + 2 * DAY) == 0
    assert "notice" not in [one.dedup_key for one in await ledger.messages((), 9)]


async def test_one_goes_on_as_it_stood(ledger: Ledger) -> None:
    firing_, acknowledged = await alarmed(ledger, 1, 2)
    await ledger.acknowledge(acknowledged, "ann", "known", T0 + DAY)
    await ledger.end_alerts([firing_, acknowledged], [], WHY, T0 + DAY)
    assert [one.id for one in await ledger.alerts_ended_too_soon()] == [firing_, acknowledged]
    assert await ledger.reopen_alerts([firing_, acknowledged], "it is back", T0 + 2 * DAY) == 2
    assert await states(ledger) == [AlertState.FIRING, AlertState.ACKNOWLEDGED]
    assert (await ledger.alerts((), 1))[0].resolved_at is None
    assert await ledger.alerts_ended_too_soon() == ()
    assert await ledger.reopen_alerts([firing_], "it is back", T0 + 2 * DAY) == 0


async def test_what_ended_by_itself_was_not_ended_too_soon(ledger: Ledger) -> None:
    await alarmed(ledger, 1, 2, 3)
    over = Memory(last_fired=T0 + MINUTE, firings=1)
    await ledger.record(Sweep(T0 + DAY, remembered=(Remembered("top-up", order(1), over),)))
    anew = Memory(true_since=T0 + DAY, fired_at=T0 + DAY, last_fired=T0 + DAY, firings=2)
    await ledger.record(Sweep(T0 + DAY, remembered=(Remembered("top-up", order(1), anew),)))
    await ledger.forget(order(2), T0 + DAY)
    assert await ledger.alerts_ended_too_soon() == ()
