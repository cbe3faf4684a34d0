"""Escalation: messages for others, queued with the first one, for should nobody acknowledge it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from smm_rules.engine.firing import AlertDraft, Firing, MessageDraft, Occasion, Telling
from smm_rules.engine.steps import begin
from smm_rules.facts import Entity, EntityKind
from smm_rules.rules.model import Step, StepKind

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORDER = Entity(EntityKind.ORDER, "north", "1")
STEPS = [{"after": 1800, "channel": "boss"}, {"after": 7200, "channel": "owner"}]


def firing(**parameters: object) -> Firing:
    step = Step(StepKind.NOTIFY, {"channel": "ops", "message": "look", "escalate": STEPS, **parameters})
    return Firing("late", "v1", ORDER, ORDER, AT, Occasion.FIRED, 0, AT, {}, (step,), ())


def told(what: Firing) -> tuple[MessageDraft, ...]:
    return begin(what).messages


def test_each_stage_is_a_message_of_the_same_alert_for_later() -> None:
    first, boss, owner = told(firing(title="Late", level="error"))
    assert [(one.channel, one.delay, one.level) for one in (first, boss, owner)] == [
        ("ops", timedelta(), "error"),
        ("boss", timedelta(minutes=30), "error"),
        ("owner", timedelta(hours=2), "error"),
    ]
    assert first.alert == AlertDraft("late", ORDER, AT, Telling.FIRED)
    assert boss.alert == owner.alert == AlertDraft("late", ORDER, AT, Telling.ESCALATED)
    assert len({first.dedup_key, boss.dedup_key, owner.dedup_key}) == 3
    assert (boss.title, boss.body) == ("Nobody acknowledged: Late", "look")


def test_an_escalation_without_a_title_says_what_it_is() -> None:
    assert [one.title for one in told(firing())] == [
        "",
        "Nobody acknowledged this",
        "Nobody acknowledged this",
    ]


def test_a_template_that_failed_is_reported_once() -> None:
    first, boss, _ = told(firing(message="{{ 1 / 0 }}"))
    assert first.fallback
    assert (boss.fallback, boss.body) == ("", first.body)


def test_reminders_and_ends_start_no_escalation_of_their_own() -> None:
    for occasion in (Occasion.REMINDED, Occasion.RESOLVED):
        [only] = told(replace(firing(), occasion=occasion))
        assert only.alert is not None
        assert only.alert.telling.value == occasion.value


def test_what_is_for_programs_is_no_alert() -> None:
    steps = (Step(StepKind.WEBHOOK, {"channel": "hook"}), Step(StepKind.LOG, {"message": "m"}))
    assert [one.alert for one in told(replace(firing(), steps=steps))] == [None, None]
