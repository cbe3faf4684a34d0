"""A button acts on what its page showed: what has changed since is shown anew first."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.actions import approve
from smm_rules.actions.resolve import resolve_did_not
from smm_rules.cli.intents import verdicts
from smm_rules.engine.guards import APPROVAL
from smm_rules.ledger.records import IntentState, Outcome
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.rules.model import ApprovalNeed, RuleGuards, StepKind
from smm_rules.web.site import Site
from tests.ledger.builders import NOTHING
from tests.ledger.contract.test_guards import firing_of
from tests.web.shop import MINUTE, NOW, draft, fill, fire, open_site, order
from tests.web.visitor import LOGIN, Visitor

DOUBT = 8
TIMED_OUT = Outcome(IntentState.UNKNOWN, "read_timeout", "the panel didn't answer within 30s")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    found = await open_site(tmp_path, login=LOGIN)
    assert isinstance(found.ledger, SqliteLedger)
    await fill(found.ledger)
    yield found
    await found.ledger.aclose()


@pytest.fixture
async def ann(site: Site) -> Visitor:
    visitor = Visitor(site)
    await visitor.log_in()
    return visitor


async def state(site: Site, intent: int) -> IntentState:
    found = await site.ledger.intent(intent)
    assert found is not None
    return found.state


async def test_the_word_on_one_attempt_is_not_taken_for_one_on_the_next(site: Site, ann: Visitor) -> None:
    """Two windows show an action in doubt. In one it is planned once more; it is sent and in doubt again."""
    path = f"/intents/{DOUBT}/did-not"
    other_window = await ann.form(path)
    await resolve_did_not(site.ledger, site.voice, DOUBT, NOW, "operator:ben", retry=True)
    assert await site.ledger.claim(DOUBT, "daemon", NOW + MINUTE, {})
    await site.ledger.settle(DOUBT, TIMED_OUT, NOTHING, NOW + MINUTE, "daemon")

    answer = await ann.send(path, {**other_window, "retry": "yes"})

    assert await state(site, DOUBT) is IntentState.UNKNOWN
    page = await ann.text(answer.headers["location"])
    assert "It has changed since that page was shown, so nothing was done" in page
    await ann.press(path, retry="yes")
    assert await state(site, DOUBT) is IntentState.PLANNED


async def test_an_approval_is_for_the_price_that_the_page_showed(site: Site, ann: Visitor) -> None:
    assert isinstance(site.ledger, SqliteLedger)
    asks = RuleGuards(approval=ApprovalNeed(Decimal("1.00")))
    what = firing_of("dear", order(7341), order(7341), NOW, asks, None)
    intent = await fire(site.ledger, what, draft(StepKind.REORDER, "2.00"))
    path = f"/intents/{intent}/approve"
    page = await ann.form(path)
    await approve(site.ledger, intent, NOW, "operator:ben")
    assert not await site.ledger.claim(intent, "daemon", NOW + MINUTE, {}, Decimal("20.00"), "USD")
    held = await site.ledger.intent(intent)
    assert held is not None
    assert (held.state, held.reason, held.reserved) == (IntentState.HELD, APPROVAL, Decimal("20.00"))

    await ann.send(path, page)

    assert await state(site, intent) is IntentState.HELD
    assert "That costs 20.00 USD." in await ann.text(path)


async def test_an_action_is_given_up_whatever_became_of_it(site: Site, ann: Visitor) -> None:
    """It was tried again and again meanwhile."""
    page = await ann.form("/intents/10/deny")
    assert await site.ledger.claim(10, "daemon", NOW + MINUTE, {})
    away = Outcome(IntentState.NOT_SENT, "not_reached", retry_at=NOW + 2 * MINUTE)
    await site.ledger.settle(10, away, NOTHING, NOW + MINUTE, "daemon")
    await ann.send("/intents/10/deny", page)
    assert await state(site, 10) is IntentState.DENIED


async def test_a_form_that_names_no_page_is_refused(site: Site, ann: Visitor) -> None:
    path = f"/intents/{DOUBT}/did-not"
    fields = await ann.form(path)
    del fields["seen"]
    await ann.send(path, fields)
    assert await state(site, DOUBT) is IntentState.UNKNOWN


async def test_an_approval_of_all_is_for_what_the_question_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One becomes dearer while the command waits for its answer."""
    site = await open_site(tmp_path, on_disk=True)
    assert isinstance(site.ledger, SqliteLedger)
    asks = RuleGuards(approval=ApprovalNeed(Decimal("1.00")))
    firings = [firing_of("dear", order(number), order(number), NOW, asks, None) for number in (1, 2)]
    first, second = [await fire(site.ledger, what, draft(StepKind.REORDER, "2.00")) for what in firings]
    await approve(site.ledger, first, NOW, "operator:ben")
    await site.ledger.hold(first, APPROVAL, "", NOW)
    await site.ledger.aclose()

    async def dearer() -> None:
        async with await SqliteLedger.open(tmp_path / "ledger.db") as ledger:
            await approve(ledger, first, NOW, "operator:ben")
            assert not await ledger.claim(first, "daemon", NOW + MINUTE, {}, Decimal("20.00"), "USD")

    questions = []

    def answer(question: str, _: bool) -> None:
        questions.append(question)
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(asyncio.run, dearer()).result()

    monkeypatch.setattr(verdicts, "ask_first", answer)
    given = await verdicts._pass(approve, "approve", (), "dear", True, False, site.configuration)

    assert questions == ["Approve 2 held actions (4.00 USD reserved)?"]
    assert [intent.id for intent in given[0]] == [second]
    assert list(given[1]) == [first]
    assert "has changed since you were asked" in given[1][first]
