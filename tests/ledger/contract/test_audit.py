"""The record of decisions: everything decided is in it, in one unbroken chain."""

from __future__ import annotations

import pytest

from smm_rules.ledger.audit import AuditEntry, AuditKind, AuditQuery, Head, RuleText
from smm_rules.ledger.port import Ledger, StateConflict
from smm_rules.ledger.records import IntentState
from tests.ledger.builders import (
    DAY,
    MINUTE,
    NOTHING,
    T0,
    bring_to,
    draft,
    ended,
    fired,
    firing,
    message,
    new_order,
    order,
    planned,
)

ALL = AuditQuery()
TEXT = RuleText("top-up", "v1", "- name: top-up\n  watch: order\n")


async def _entries(ledger: Ledger, asked: AuditQuery = ALL) -> tuple[AuditEntry, ...]:
    return await ledger.audit_page(asked, 0, 1_000)


async def _told(ledger: Ledger) -> list[tuple[str, str, object]]:
    return [(entry.kind, entry.by, entry.data.get("after")) for entry in await _entries(ledger)]


async def test_a_firing_its_intent_and_every_change_are_recorded(ledger: Ledger) -> None:
    await bring_to(ledger, IntentState.CONFIRMED, draft(estimate="1.50"))
    assert await _told(ledger) == [
        ("firing", "top-up", None),
        ("intent", "top-up", "planned"),
        ("transition", "d1", "sending"),
        ("transition", "d1", "confirmed"),
    ]
    decided, asked, *_ = await _entries(ledger)
    assert decided.data["facts"] == firing().facts
    assert decided.data["rule_version"] == "v1"
    assert asked.subject == "order/north/1"
    assert asked.data["firing"] == firing().key
    assert asked.data["parameters"] == {"quantity": "10"}
    assert str(asked.data["reserved"]) == "1.50"


async def test_the_operators_word_is_recorded_with_who_gave_it(ledger: Ledger) -> None:
    held = await bring_to(ledger, IntentState.HELD)
    await ledger.approve(held.id, T0, "operator:ann")
    await ledger.hold(held.id, "approval", "", T0)
    await ledger.deny(held.id, T0, "operator:bob")
    given = [(entry.by, entry.data["after"]) for entry in await _entries(ledger, AuditQuery(intent=held.id))]
    assert given == [
        ("top-up", "planned"),
        ("", "held"),
        ("operator:ann", "planned"),
        ("", "held"),
        ("operator:bob", "denied"),
    ]


async def test_what_is_tracked_and_forgotten_is_recorded_once(ledger: Ledger) -> None:
    await ledger.track([new_order(1), new_order(2)], T0, "operator:ann")
    await ledger.track([new_order(1)], T0, "operator:ann")
    assert await ledger.forget(order(1), T0, "operator:bob")
    assert not await ledger.forget(order(1), T0, "operator:bob")
    assert [(entry.kind, entry.by) for entry in await _entries(ledger)] == [
        ("track", "operator:ann"),
        ("forget", "operator:bob"),
    ]


async def test_evidence_is_recorded_when_it_is_news(ledger: Ledger) -> None:
    doubtful = await bring_to(ledger, IntentState.UNKNOWN)
    await ledger.note(doubtful.id, {"balance_after": "5.00"})
    await ledger.note(doubtful.id, {"balance_after": "5.00"})
    [noted] = await _entries(ledger, AuditQuery(kinds=("evidence",)))
    assert noted.data["evidence"] == {"balance_after": "5.00"}


async def test_a_look_that_decides_nothing_leaves_no_entry(ledger: Ledger) -> None:
    await ledger.record(fired(at=T0))
    await ledger.enqueue(message(), T0)
    await ledger.postpone([order(1)], T0)
    assert await _entries(ledger) == ()


async def test_what_fails_leaves_no_entry(ledger: Ledger) -> None:
    ended_one = await bring_to(ledger, IntentState.CONFIRMED)
    before = await _entries(ledger)
    with pytest.raises(StateConflict):
        await ledger.settle(ended_one.id, ended(IntentState.REJECTED), NOTHING, T0, "d1")
    assert await _entries(ledger) == before


async def test_rule_texts_are_kept_once_and_sets_noted_when_they_change(ledger: Ledger) -> None:
    assert await ledger.rules_in_force([TEXT], T0, "daemon", ["/etc/rules"])
    assert not await ledger.rules_in_force([TEXT], T0 + MINUTE, "daemon", ["/etc/rules"])
    edited = RuleText("top-up", "v2", TEXT.text + "  for: 10m\n")
    assert await ledger.rules_in_force([edited, RuleText("new", "a", "- name: new\n")], T0 + DAY, "daemon")
    _, last = await _entries(ledger)
    assert (last.data["added"], last.data["changed"], last.data["removed"]) == (["new"], ["top-up"], [])
    assert await ledger.rule_text("top-up", "v1") == TEXT.text
    assert await ledger.rule_text("top-up", "v2", edited.digest) == edited.text
    assert await ledger.rule_text("top-up", "v3") is None


async def test_a_whole_record_is_sound_and_says_where_it_ends(ledger: Ledger) -> None:
    assert await ledger.verify_audit() == await ledger.verify_audit([Head()])
    await ledger.rules_in_force([TEXT], T0, "daemon")
    await bring_to(ledger, IntentState.UNKNOWN)
    entries = await _entries(ledger)
    found = await ledger.verify_audit([Head(one.id, one.hash) for one in entries])
    assert found.fault is None
    assert (found.entries, found.first, found.head) == (
        len(entries),
        1,
        Head(entries[-1].id, entries[-1].hash),
    )


async def test_a_head_noted_elsewhere_must_be_in_the_chain(ledger: Ledger) -> None:
    await ledger.rules_in_force([TEXT], T0, "daemon")
    other = await ledger.verify_audit([Head(1, "f" * 64)])
    ahead = await ledger.verify_audit([Head(7, "f" * 64)])
    assert other.fault is not None
    assert ahead.fault is not None
    assert (other.fault.entry, ahead.fault.entry) == (1, 2)
    assert "noted elsewhere" in other.fault.what


async def test_entries_are_found_by_time_kind_rule_and_thing(ledger: Ledger) -> None:
    await ledger.record(fired(planned(firing(order(1)), draft()), planned(firing(order(2), rule="other"))))
    await ledger.audit(AuditKind.PAUSE, "operator:ann", "", {"reason": "holiday"}, T0 + DAY)
    assert len(await _entries(ledger, AuditQuery(rule="top-up"))) == 2
    assert len(await _entries(ledger, AuditQuery(entity=order(2)))) == 1
    assert [entry.kind for entry in await _entries(ledger, AuditQuery(since=T0 + DAY))] == ["pause"]
    assert len(await _entries(ledger, AuditQuery(until=T0 + DAY))) == 3
    assert len(await _entries(ledger, AuditQuery(kinds=("intent", "pause")))) == 2


async def test_what_is_pruned_is_sealed_and_the_rest_still_follows(ledger: Ledger) -> None:
    for day in range(5):
        await ledger.audit(AuditKind.PAUSE, "operator:ann", "", {"day": day}, T0 + day * DAY)
    kept = await _entries(ledger, AuditQuery(since=T0 + 2 * DAY))
    assert await ledger.seal_audit(T0 + 2 * DAY, T0 + 5 * DAY) == 2
    assert await ledger.seal_audit(T0 + 2 * DAY, T0 + 5 * DAY) == 0
    entries = await _entries(ledger)
    assert entries[:-1] == kept
    assert (entries[-1].kind, entries[-1].data["last"]) == ("checkpoint", 2)
    found = await ledger.verify_audit([Head(1, "f" * 64)])  # pruned: nothing can be said of it
    assert (found.fault, found.first, found.entries) == (None, 3, 4)


async def test_all_may_be_sealed_again_and_again(ledger: Ledger) -> None:
    sealed = []
    for day in range(3):
        await ledger.audit(AuditKind.PAUSE, "", "", {"day": day}, T0 + day * DAY)
        sealed.append(await ledger.seal_audit(T0 + 10 * DAY, T0 + day * DAY))
        assert (await ledger.verify_audit()).fault is None
    assert sealed == [1, 2, 2]  # the checkpoint before goes with the next


async def test_an_entry_older_than_one_before_it_waits_for_it(ledger: Ledger) -> None:
    for at in (T0 + 3 * DAY, T0, T0 + 4 * DAY):
        await ledger.audit(AuditKind.PAUSE, "", "", {}, at)
    assert await ledger.seal_audit(T0 + 2 * DAY, T0 + 5 * DAY) == 0
    assert await ledger.seal_audit(T0 + 4 * DAY, T0 + 5 * DAY) == 2
    assert (await ledger.verify_audit()).fault is None


async def test_history_is_pruned_without_the_record(ledger: Ledger) -> None:
    await ledger.track([new_order(1)], T0)
    await ledger.record(fired(planned(firing(), draft())))
    await ledger.record(fired(at=T0))
    before = await _entries(ledger)
    await ledger.prune(T0 + 100 * DAY)
    assert await _entries(ledger) == before
