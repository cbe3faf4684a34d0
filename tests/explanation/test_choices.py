"""Why an action is on its panel, in words: for the operator, an explanation and a preview."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.actions.verdict import Ready
from smm_rules.explanation.choices import choice_in_words, choice_notes
from smm_rules.explanation.gathering import standing_of
from smm_rules.explanation.preview import preview
from smm_rules.matching.exchange import ExchangeRates
from smm_rules.rules.loader import load_rules
from tests.actions.panels import Panels, panels_over
from tests.actions.world import T0, order

RULE = """\
rules:
  - name: elsewhere
    watch: order
    when: status == "Canceled"
    do: [reorder: {panel: cheapest}]
    limit: {per_chain: 2}
"""
RATES = ExchangeRates("USD", T0.date(), timedelta(days=30), {"EUR": Decimal("1.10")})


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Panels]:
    made = await panels_over(tmp_path / "ledger.db", rates=RATES)
    async with made.ledger:
        await made.offer("north", "2.00", min=5000)
        await made.offer("south", "1.90", currency="EUR")
        await made.offer("east", "2.05")
        await made.canceled()
        yield made


WORDS = {
    "chosen": "the cheapest of group followers, compared in USD",
    "north/7": "not taken: service 7 takes 5000 at least, 1000 were asked for; it isn't rounded up by itself",
    "south/70": "not taken: another is cheaper; 1.90 EUR for 1000 (2.09 USD)",
    "east/700": "taken; 2.05 USD for 1000",
}


async def test_every_candidate_is_told_with_its_price_and_why(world: Panels) -> None:
    intent_id = await world.again()

    assert choice_in_words(await world.choice(intent_id)) == WORDS
    assert list(choice_notes([await world.intent(intent_id)])) == [
        "intent 1 is on east/700, the cheapest of group followers, compared in USD; kept away: north/7 "
        "(service 7 takes 5000 at least, 1000 were asked for; it isn't rounded up by itself)"
    ]


async def test_a_preview_chooses_like_the_daemon_and_writes_nothing(world: Panels, tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text(RULE)
    [rule] = load_rules([tmp_path / "rules.yaml"]).rules.rules

    seen = await preview(rule, await standing_of(world.ledger, order(), world.clock.now()), world.ledger)

    [step] = seen.steps
    assert step.action is not None
    assert (step.action.panel, choice_in_words(step.choice)) == ("east", WORDS)
    assert isinstance(step.verdict, Ready)
    assert step.verdict.parameters == {
        "service": "700",
        "link": "https://example.com/a",
        "quantity": "1000",
    }
    assert await world.all_intents() == ()


async def test_nothing_chosen_is_told_with_the_way_out(world: Panels) -> None:
    await world.canceled(2, service="8")
    intent_id = await world.again(entity=order(2))

    words = choice_in_words(await world.choice(intent_id))

    assert words["chosen"] == "by cheapest"
    assert "smm-rules services match" in words["none because"]
