"""With a status page, what the operator is told ends with a link to it; without one nothing changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from smm_rules.engine.firing import MessageDraft
from smm_rules.engine.guards import APPROVAL
from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.holds import Gap, Hold, HoldReason
from smm_rules.ledger.records import MessageState
from smm_rules.ledger.stops import Stop, StopKind, StopScope
from smm_rules.notify import brakes, operator, pages
from smm_rules.notify.operator import OperatorVoice
from tests.notify.outbox import START, MemoryOutbox, queued
from tests.notify.test_operator import INTENT

BASE = "https://ops.example/smm"
WAITING = replace(INTENT, reason=APPROVAL, expires_at=START)
STOP = Stop(3, StopKind.PANIC, StopScope.ALL, "", "panic", "operator:ann", START)

DRAFTS: dict[str, tuple[Callable[[], MessageDraft], str]] = {
    "in doubt": (lambda: operator.unknown_outcome(INTENT), "intents/5"),
    "held": (lambda: operator.held(INTENT), "intents/5"),
    "not sent": (lambda: operator.not_sent(INTENT), "intents/5"),
    "one to approve": (lambda: brakes.held_by_guard([WAITING], START), "intents/5"),
    "several to approve": (
        lambda: brakes.held_by_guard([WAITING, replace(WAITING, id=6)], START),
        "intents?state=held",
    ),
    "expired": (lambda: brakes.expired(WAITING), "intents/5"),
    "stopped": (lambda: brakes.stopped(STOP), "stops"),
    "behind": (lambda: brakes.behind_stopped(WAITING, INTENT, STOP), "intents/5"),
    "ahead": (lambda: brakes.began_ahead(replace(STOP, until=START), START), "stops"),
    "goes on": (lambda: brakes.ended(STOP, START), "intents?state=held"),
    "proved": (lambda: brakes.proved(INTENT, "the balance fell"), "intents/5"),
    "on hold": (lambda: operator.on_hold(Hold(1, START, HoldReason.OLDER, Gap(), "daemon")), ""),
    "over the limit": (lambda: operator.over_sweep_limit("main", "refill", 40, START), "rules/refill"),
    "can't be read": (lambda: operator.poll_failing("main", "orders", START, 3, "timed out"), "panels/main"),
    "read again": (
        lambda: operator.poll_recovered("main", "orders", START, START + timedelta(hours=1)),
        "panels/main",
    ),
    "dead letter": (lambda: operator.dead_letter(queued(1, "ops", state=MessageState.DEAD)), "messages"),
}


@pytest.mark.parametrize("what", DRAFTS)
def test_what_the_operator_is_told_ends_with_a_link(what: str) -> None:
    make, path = DRAFTS[what]
    plain = OperatorVoice(MemoryOutbox(), "ops").addressed(make())
    linked = OperatorVoice(MemoryOutbox(), "ops", BASE).addressed(make())
    assert linked.body == f"{plain.body}\n{BASE}/{path}"
    assert (linked.dedup_key, linked.title, linked.channel) == (plain.dedup_key, plain.title, "ops")


def test_a_refused_reload_has_no_page() -> None:
    draft = operator.reload_failed(["rules.yaml:1:1: error"], START)
    assert OperatorVoice(MemoryOutbox(), "ops", BASE).addressed(draft).body == draft.body


def test_addressed_twice_it_has_one_link() -> None:
    voice = OperatorVoice(MemoryOutbox(), "ops", BASE)
    once = voice.addressed(operator.held(INTENT))
    assert voice.addressed(once) == once


def test_hostile_names_stay_within_their_part_of_a_link() -> None:
    order = Entity(EntityKind.ORDER, "main", "../../x?state=a#b /ü")
    assert pages.about(order) == "orders/main/..%2F..%2Fx%3Fstate%3Da%23b%20%2F%C3%BC"
    assert pages.about(Entity(EntityKind.BALANCE, "main", "")) == "panels/main"
    assert pages.about(Entity(EntityKind.SERVICE, "main", "a/1")) == "services/main/a%2F1"
