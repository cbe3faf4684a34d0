"""The steps of a firing: what is told and asked first, and what follows each outcome."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from smm_rules.engine.firing import Continuation, Firing, IntentDraft, Occasion
from smm_rules.engine.rendering import template_context
from smm_rules.engine.steps import begin, follow
from smm_rules.facts import Entity, EntityKind, Facts
from smm_rules.rules.checks import EXTRA_NAMES
from smm_rules.rules.model import Step, StepKind

NOW = datetime(2025, 3, 1, 12, tzinfo=UTC)
ORDER = Entity(EntityKind.ORDER, "acme", "23501")
FACTS: Facts = {
    "id": "23501",
    "status": "Partial",
    "remains": 157,
    "quantity": 1000,
    "age": timedelta(hours=3),
    "service.id": "1",
    "service.rate": Decimal("0.90"),
    "service.type": "Default",
    "balance.currency": "USD",
    "panel.name": "acme",
}
REFILL = Step(StepKind.REFILL)
CANCEL = Step(StepKind.CANCEL)


def notify(message: str, **parameters: object) -> Step:
    return Step(StepKind.NOTIFY, {"channel": "ops", "message": message, **parameters})


def reorder(**parameters: object) -> Step:
    return Step(StepKind.REORDER, parameters)


def firing(
    *steps: Step,
    otherwise: tuple[Step, ...] = (),
    occasion: Occasion = Occasion.FIRED,
    facts: Facts = FACTS,
    entity: Entity = ORDER,
) -> Firing:
    return Firing("stuck", "1", entity, entity, NOW, occasion, 0, NOW, facts, steps, otherwise)


def bodies(continuation: Continuation) -> list[str]:
    return [message.body for message in continuation.messages]


def draft(step: Step, facts: Facts = FACTS, entity: Entity = ORDER) -> IntentDraft:
    intent = begin(firing(step, facts=facts, entity=entity)).intent
    assert intent is not None
    return intent


# -- the walk ------------------------------------------------------------------------------------------
def test_messages_are_queued_up_to_the_first_action() -> None:
    first = begin(firing(notify("one"), notify("two"), REFILL, notify("three"), CANCEL))
    assert bodies(first) == ["one", "two"]
    assert first.intent == IntentDraft("do.2", StepKind.REFILL, "acme", {"order": "23501"})
    assert first.finished is False


def test_after_an_action_that_was_confirmed_the_rest_follows_up_to_the_next() -> None:
    asked = firing(notify("one"), REFILL, notify("refill {{ result }}"), CANCEL, notify("four"))
    after = follow(asked, "do.1", "confirmed", result="77")
    assert bodies(after) == ["refill 77"]
    assert after.intent == IntentDraft("do.3", StepKind.CANCEL, "acme", {"order": "23501"})
    last = follow(asked, "do.3", "confirmed")
    assert (bodies(last), last.intent, last.finished) == (["four"], None, True)


def test_a_refused_action_goes_on_with_otherwise_and_no_more_of_do() -> None:
    asked = firing(REFILL, notify("refilled"), otherwise=(notify("no: {{ refusal }}"), reorder(quantity="5")))
    after = follow(asked, "do.0", "rejected", refusal="Refill is not available")
    assert bodies(after) == ["no: Refill is not available"]
    assert after.intent is not None
    assert (after.intent.step, after.intent.kind) == ("otherwise.1", StepKind.REORDER)
    assert after.finished is False


def test_otherwise_goes_on_after_its_own_actions() -> None:
    asked = firing(REFILL, otherwise=(reorder(), notify("ordered {{ result }}")))
    assert bodies(follow(asked, "otherwise.0", "confirmed", result="9")) == ["ordered 9"]


@pytest.mark.parametrize(
    ("step", "state"),
    [
        ("otherwise.0", "rejected"),
        ("otherwise.0", "not_sent"),
        ("do.0", "not_sent"),
        ("do.0", "denied"),
    ],
)
def test_nothing_more_comes_of_it(step: str, state: str) -> None:
    asked = firing(REFILL, notify("refilled"), otherwise=(reorder(), notify("ordered")))
    assert follow(asked, step, state) == Continuation()


@pytest.mark.parametrize("state", ["planned", "held", "sending", "unknown"])
def test_nothing_follows_while_the_outcome_is_open(state: str) -> None:
    assert follow(firing(REFILL, notify("refilled")), "do.0", state) == Continuation(finished=False)


def test_a_refused_action_without_otherwise_ends_it() -> None:
    assert follow(firing(REFILL, notify("refilled")), "do.0", "rejected") == Continuation()


@pytest.mark.parametrize(
    ("occasion", "section"),
    [(Occasion.FIRED, "do"), (Occasion.REMINDED, "remind"), (Occasion.RESOLVED, "done")],
)
def test_steps_are_named_by_their_occasion(occasion: Occasion, section: str) -> None:
    asked = firing(notify("one"), REFILL, occasion=occasion)
    first = begin(asked)
    assert first.intent is not None
    assert first.intent.step == f"{section}.1"
    assert first.messages[0].dedup_key == f"stuck:{ORDER}:{NOW.isoformat()}:{occasion}:0:{section}.0"


@pytest.mark.parametrize("step", ["do.5", "done.0", "remind.0", "otherwise.0", "do", "do.x", ""])
def test_a_step_that_does_not_exist_is_refused(step: str) -> None:
    with pytest.raises(ValueError, match="has no step"):
        follow(firing(REFILL), step, "confirmed")


def test_a_state_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="'maybe' is not a state"):
        follow(firing(REFILL), "do.0", "maybe")


def test_what_templates_may_print_is_what_the_loader_checks_them_against() -> None:
    extra = template_context(firing(), "", "").extra
    assert extra.keys() == EXTRA_NAMES | {"result", "refusal"}


# -- messages ------------------------------------------------------------------------------------------
def test_a_message_prints_facts_by_every_name_they_have() -> None:
    text = "{{ order.id }} {{ id }} {{ service.id }} {{ rule.name }} {{ firing.entity }}"
    message = begin(firing(notify(text, title="{{ panel.name }}"))).messages[0]
    assert (message.title, message.body) == ("acme", "23501 23501 1 stuck order/acme/23501")
    assert (message.kind, message.channel, message.fallback) == (StepKind.NOTIFY, "ops", "")


def test_a_message_prints_how_long_something_has_lasted() -> None:
    assert bodies(begin(firing(notify("{{ age }}")))) == ["3h"]


def test_a_log_line_has_a_level_and_no_channel() -> None:
    step = Step(StepKind.LOG, {"message": "seen", "level": "warning"})
    message = begin(firing(step)).messages[0]
    assert (message.kind, message.channel, message.level, message.body) == (
        StepKind.LOG,
        "",
        "warning",
        "seen",
    )


def test_a_message_whose_template_fails_is_told_in_plain_words() -> None:
    message = begin(firing(notify("{{ charge }}", title="fine"))).messages[0]
    assert "stuck" in message.body
    assert "23501" in message.body
    assert "charge" in message.fallback


def test_a_failed_message_stops_nothing() -> None:
    first = begin(firing(notify("{{ charge }}"), REFILL))
    assert first.intent == IntentDraft("do.1", StepKind.REFILL, "acme", {"order": "23501"})


def webhook(facts: Facts = FACTS, **parameters: object) -> dict[str, object]:
    step = Step(StepKind.WEBHOOK, {"channel": "hook", **parameters})
    body: dict[str, object] = json.loads(begin(firing(step, facts=facts)).messages[0].body)
    return body


def test_a_webhook_posts_its_rendered_data_and_where_it_comes_from() -> None:
    body = webhook(data={"order": "{{ order.id }}", "tags": ["a", "{{ status }}"], "count": 2, "ok": True})
    assert body == {
        "data": {"order": "23501", "tags": ["a", "Partial"], "count": 2, "ok": True},
        "rule": "stuck",
        "entity": "order/acme/23501",
        "episode": NOW.isoformat(),
        "occasion": "fired",
        "dedup_key": f"stuck:{ORDER}:{NOW.isoformat()}:fired:0:do.0",
    }


def test_a_webhook_without_data_posts_the_facts() -> None:
    facts: Facts = {"amount": Decimal("1E+2"), "changed_at": NOW, "age": timedelta(hours=3), "remains": 5}
    expected = {"amount": "100", "changed_at": NOW.isoformat(), "age": "3h", "remains": 5}
    assert webhook(facts)["data"] == expected


def test_a_webhooks_bytes_are_the_same_every_time_and_always_encodable() -> None:
    step = Step(StepKind.WEBHOOK, {"channel": "hook", "data": {"b": "\ud800", "a": "é"}})
    body = begin(firing(step)).messages[0].body
    assert body == json.dumps(json.loads(body), sort_keys=True)
    assert body.isascii()


def test_a_webhook_whose_template_fails_still_posts_json() -> None:
    data = webhook(data={"charge": "{{ charge }}"})["data"]
    assert isinstance(data, dict)
    assert data.keys() == {"message", "template_error"}
    assert "charge" in data["template_error"]


# -- actions -------------------------------------------------------------------------------------------
def test_a_refill_watched_as_such_acts_on_the_order_it_belongs_to() -> None:
    refill = Entity(EntityKind.REFILL, "acme", "7")
    assert draft(REFILL, {"id": "7", "order.id": "23501"}, refill).parameters == {"order": "23501"}
    assert draft(CANCEL, {"id": "7"}, refill).failure == "no order is known that refill/acme/7 belongs to"


def test_an_action_on_what_has_no_order_fails_and_is_finished() -> None:
    balance = Entity(EntityKind.BALANCE, "acme")
    first = begin(firing(reorder(), entity=balance))
    assert first.intent is not None
    assert (first.intent.parameters, first.finished) == ({}, True)
    assert first.intent.failure == "no order is known that balance/acme belongs to"


def test_a_reorder_of_the_same_is_estimated_from_the_orders_own_quantity() -> None:
    expected = IntentDraft("do.0", StepKind.REORDER, "acme", {}, Decimal("0.9"), "USD")
    assert draft(reorder(panel="same")) == expected


def test_a_reorder_carries_its_overrides_and_its_bound() -> None:
    step = reorder(
        quantity="{{ order.remains }}",
        link="https://example.org/{{ id }}",
        max_rate_increase="0.1",
        parameters={"runs": 2, "comments": ["one", "{{ status }}"]},
    )
    intent = draft(step)
    assert intent.failure == ""
    assert intent.parameters == {
        "quantity": "157",
        "link": "https://example.org/23501",
        "max_rate_increase": "0.1",
        "runs": "2",
        "comments": "one\nPartial",
    }
    assert (intent.estimate, intent.currency) == (Decimal("0.1413"), "USD")


@pytest.mark.parametrize(
    ("step", "facts"),
    [
        (reorder(panel="other"), FACTS),
        (reorder(service="2"), FACTS),
        (reorder(), {name: value for name, value in FACTS.items() if name != "service.rate"}),
        (reorder(), {name: value for name, value in FACTS.items() if name != "quantity"}),
        (reorder(), FACTS | {"service.type": "Custom Comments Package"}),
    ],
)
def test_a_price_that_cannot_be_told_is_not_guessed(step: Step, facts: Facts) -> None:
    intent = draft(step, facts)
    assert (intent.failure, intent.estimate, intent.currency) == ("", None, None)


def test_another_panel_is_where_the_reorder_acts() -> None:
    assert draft(reorder(panel="other")).panel == "other"


@pytest.mark.parametrize(
    "quantity", ["{{ remains - 157 }}", "{{ -remains }}", "{{ remains / 2 }}", "x", "1e3"]
)
def test_a_quantity_that_is_no_positive_whole_number_buys_nothing(quantity: str) -> None:
    first = begin(firing(reorder(quantity=quantity), notify("ordered")))
    assert first.intent is not None
    assert (first.intent.parameters, first.intent.estimate) == ({}, None)
    assert first.intent.failure.startswith("quantity came to ")
    assert (first.messages, first.finished) == ((), True)


@pytest.mark.parametrize("step", [reorder(quantity="{{ charge }}"), reorder(link="{{ label }}")])
def test_a_template_that_fails_on_a_paid_action_aborts_it(step: Step) -> None:
    intent = draft(step)
    assert intent.failure != ""
    assert intent.parameters == {}


def test_the_clients_own_parameters_cannot_be_overridden() -> None:
    assert draft(reorder(parameters={"key": "x"})).failure == "`key` can't be a parameter of a reorder"


@pytest.mark.parametrize("share", ["-0.1", "10%", "Infinity", "lots"])
def test_a_bound_that_is_no_share_buys_nothing(share: str) -> None:
    assert draft(reorder(max_rate_increase=share)).failure.startswith("max_rate_increase came to ")
