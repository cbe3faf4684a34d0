"""What the daemon tells its operator: once each, with the way out, to the channel or to the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Intent, IntentState
from smm_rules.notify import operator
from smm_rules.notify.operator import OperatorVoice
from smm_rules.rules.model import StepKind
from tests.notify.outbox import START, MemoryOutbox, queued

ORDER = Entity(EntityKind.ORDER, "main", "77")
INTENT = Intent(
    id=5,
    firing=1,
    rule="reorder-canceled",
    entity=ORDER,
    episode=START,
    step="do.0",
    kind=StepKind.REORDER,
    panel="main",
    parameters={},
    state=IntentState.UNKNOWN,
    reason="read_timeout",
    message="the panel didn't answer within 30s.",
    reserved=Decimal("1.20"),
    currency="USD",
    attempts=1,
    not_before=None,
    planned_at=START,
    claimed_at=START,
    settled_at=START,
    result="",
    owner="one",
    evidence={},
)


async def test_the_voice_speaks_to_the_configured_channel_once() -> None:
    outbox = MemoryOutbox()
    voice = OperatorVoice(outbox, "ops")
    assert [await voice.tell(operator.unknown_outcome(INTENT), START) for _ in range(2)] == [True, False]
    (draft,) = outbox.drafts
    assert (draft.kind, draft.channel, draft.level) == (StepKind.NOTIFY, "ops", "error")


async def test_without_a_channel_it_speaks_to_the_log() -> None:
    outbox = MemoryOutbox()
    await OperatorVoice(outbox, None).tell(operator.held(INTENT), START)
    (draft,) = outbox.drafts
    assert (draft.kind, draft.channel, draft.level) == (StepKind.LOG, "", "warning")


def test_an_unknown_outcome_says_how_to_resolve_it() -> None:
    draft = operator.unknown_outcome(INTENT)
    assert draft.dedup_key == "operator:unknown:5"
    assert draft.title == "Unknown outcome: reorder on main"
    assert draft.body == (
        "Rule reorder-canceled asked for a reorder on panel main for order/main/77. The panel gave no usable "
        "answer (the panel didn't answer within 30s), so it may have acted or not. It will not be sent again "
        "by itself. Look at the panel, then say what happened:\n"
        "  smm-rules intents resolve 5 --happened ORDER\n"
        "  smm-rules intents resolve 5 --did-not"
    )


def test_a_held_action_says_how_to_approve_it() -> None:
    assert "smm-rules intents approve 5" in operator.held(INTENT).body


def test_an_action_not_sent_says_that_the_panel_has_not_acted() -> None:
    silent = replace(INTENT, message="", reason="")
    assert "no reason was noted. The panel has not acted." in operator.not_sent(silent).body


@pytest.mark.parametrize("tell", [operator.held, operator.not_sent])
def test_another_attempt_is_told_anew(tell: object) -> None:
    assert callable(tell)
    assert tell(INTENT).dedup_key != tell(replace(INTENT, attempts=2)).dedup_key


def test_an_outage_has_one_beginning_and_one_end() -> None:
    first = operator.poll_failing("main", "orders", START, 3, "read timed out")
    later = operator.poll_failing("main", "orders", START, 9, "connection refused")
    another = operator.poll_failing("main", "orders", START + timedelta(days=1), 3, "read timed out")
    end = operator.poll_recovered("main", "orders", START, START + timedelta(hours=1))
    assert first.dedup_key == later.dedup_key
    assert len({first.dedup_key, another.dedup_key, end.dedup_key}) == 3


def test_a_failed_template_is_told_once_an_episode() -> None:
    draft = operator.template_failed("low", ORDER, START, "do.0", "x" * 9000)
    assert draft.dedup_key == "operator:template:low:order/main/77:2026-03-01T12:00:00+00:00:do.0"
    assert len(draft.body) < 1000


def test_a_rule_over_its_sweep_limit_is_told_once_a_day() -> None:
    drafts = [
        operator.over_sweep_limit("main", "reorder-canceled", count, START + timedelta(hours=hours))
        for count, hours in ((40, 0), (41, 5), (42, 24))
    ]
    assert "would have fired 40 times in one look at panel main" in drafts[0].body
    assert [draft.dedup_key == drafts[0].dedup_key for draft in drafts] == [True, True, False]


def test_a_refused_reload_shows_the_first_problems() -> None:
    problems = [f"rules.yaml:{number}:1: error" for number in range(12)]
    body = operator.reload_failed(problems, START).body
    assert body.splitlines()[1:] == [*problems[:10], "… and 2 more"]


async def test_dead_letters_are_told_once_and_never_about_themselves() -> None:
    outbox = MemoryOutbox()
    voice = OperatorVoice(outbox, "ops")
    letters = [
        queued(1, "customers", attempts=1, last_error="no such room"),
        queued(2, "ops", attempts=12, last_error="the operator's own channel"),
        queued(3, "old-ops", attempts=12, dedup_key="operator:dead:1", last_error="gone"),
    ]
    assert [await voice.tell_dead(letters, START) for _ in range(2)] == [1, 0]
    (draft,) = outbox.drafts
    assert (draft.dedup_key, draft.channel) == ("operator:dead:1", "ops")
    assert draft.body == (
        'A message to channel "customers" was given up after 1 failures: no such room. '
        "Once the channel works again: smm-rules outbox retry 1\nIt said:\nbody 1"
    )
