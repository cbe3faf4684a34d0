"""Files of purchases: each row is planned once, whoever asks and however often."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.engine.firing import IntentDraft
from smm_rules.engine.guards import Bounds, Guards
from smm_rules.facts.allowance import Allowance, Per
from smm_rules.ledger.plans import NEVER_SENT, NOTHING_BOUGHT, PlanRow, RowKey
from smm_rules.ledger.port import Ledger, StateConflict
from smm_rules.ledger.records import DatedBalance, IntentState, Outcome
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.rules.model import StepKind
from tests.ledger.builders import DAY, MINUTE, NOTHING, T0, message
from tests.ledger.conftest import Opener

NAME, FILE, BY = "monday", "digest of the file", "operator:me"


def row(number: int, says: str = "a", cost: str = "1.00", scope: str = NAME) -> PlanRow:
    draft = IntentDraft(
        step="",
        kind=StepKind.ADD,
        panel="north",
        parameters={"service": "1", "quantity": str(number)},
        estimate=Decimal(cost),
        currency="USD",
    )
    return PlanRow(RowKey(scope, str(number)), says, draft)


async def place(ledger: Ledger, *rows: PlanRow, again: frozenset[IntentState] = frozenset()) -> int:
    return await ledger.place_plan(NAME, FILE, rows, again, T0, BY)


async def quantities(ledger: Ledger) -> list[str]:
    return sorted(intent.parameters["quantity"] for intent in await ledger.intents((), 100))


async def settle(ledger: Ledger, intent: int, state: IntentState) -> None:
    assert await ledger.claim(intent, "me", T0, {})
    await ledger.settle(intent, Outcome(state, "", "told"), NOTHING, T0 + MINUTE, "me")


async def test_each_row_is_planned_once(open_ledger: Opener) -> None:
    ledger = await open_ledger()
    assert await place(ledger, row(1), row(2)) == 2
    await ledger.aclose()
    ledger = await open_ledger()
    assert await place(ledger, row(1), row(2), row(3)) == 1
    assert await quantities(ledger) == ["1", "2", "3"]
    known = await ledger.plan_rows([RowKey(NAME, "1"), RowKey(NAME, "9")])
    [one] = known.values()
    assert one.intent is not None
    assert (one.digest, one.at, one.tries, one.intent.state, one.intent.step[:5], one.intent.step[-2:]) == (
        "a", T0, 1, IntentState.PLANNED, "plan.", ".1",
    )  # fmt: skip
    await ledger.aclose()


async def test_two_at_once_plan_each_row_once(open_ledger: Opener) -> None:
    first, second = await open_ledger(), await open_ledger()
    rows = [row(number) for number in range(20)]
    counts = await asyncio.gather(place(first, *rows), place(second, *reversed(rows)))
    assert sum(counts) == 20
    assert len(await quantities(first)) == 20
    await first.aclose()
    await second.aclose()


async def test_a_row_that_says_something_else_now_is_left_alone(ledger: Ledger) -> None:
    await place(ledger, row(1, "a"))
    assert await place(ledger, row(1, "b"), again=NOTHING_BOUGHT) == 0


async def test_numbers_belong_to_a_plan_and_references_to_nobody(ledger: Ledger) -> None:
    assert await place(ledger, row(1), row(1, scope="tuesday"), row(1, scope="")) == 3
    assert await ledger.place_plan("tuesday", "x", [row(1, scope="")], (), T0, BY) == 0
    assert list(await ledger.numbered_rows("tuesday")) == [RowKey("tuesday", "1")]


@pytest.mark.parametrize("state", [IntentState.CONFIRMED, IntentState.UNKNOWN, IntentState.REJECTED])
async def test_what_may_have_been_bought_or_was_refused_is_not_planned_again_by_itself(
    ledger: Ledger, state: IntentState
) -> None:
    await place(ledger, row(1))
    await settle(ledger, 1, state)
    assert await place(ledger, row(1), again=NEVER_SENT) == 0
    assert await place(ledger, row(1), again=NOTHING_BOUGHT) == (state is IntentState.REJECTED)


async def test_what_was_never_sent_is_planned_again_when_that_is_asked_for(ledger: Ledger) -> None:
    await place(ledger, row(1))
    await ledger.refuse(1, Outcome(IntentState.NOT_SENT, "withdrawn", ""), NOTHING, T0)
    assert await place(ledger, row(1)) == 0
    assert await place(ledger, row(1), again=NEVER_SENT) == 1
    [known] = (await ledger.plan_rows([RowKey(NAME, "1")])).values()
    assert (known.tries, known.intent_id) == (2, 2)
    assert await place(ledger, row(1), again=NEVER_SENT) == 0


async def test_a_row_outlives_its_intent(ledger: Ledger) -> None:
    await place(ledger, row(1))
    await settle(ledger, 1, IntentState.NOT_SENT)
    assert (await ledger.prune(T0 + DAY, T0 + DAY))["intents"] == 1
    [known] = (await ledger.plan_rows([RowKey(NAME, "1")])).values()
    assert (known.intent, known.intent_id) == (None, 1)
    assert await place(ledger, row(1), again=NOTHING_BOUGHT) == 0


async def test_the_same_file_is_found_under_another_name(ledger: Ledger) -> None:
    await place(ledger, row(1))
    assert await ledger.same_plan_file(FILE, NAME) is None
    found = await ledger.same_plan_file(FILE, "tuesday")
    known = await ledger.plan_file(NAME)
    assert found == known
    assert known is not None
    assert (known.name, known.digest, known.at) == (NAME, FILE, T0)
    await ledger.place_plan(NAME, "changed", [], (), T0 + DAY, BY)
    assert await ledger.same_plan_file(FILE, "tuesday") is None
    changed = await ledger.plan_file(NAME)
    assert changed is not None
    assert changed.at == T0


async def test_for_a_day_after_a_hold_what_is_new_to_the_ledger_is_held(
    tmp_path: Path,
) -> None:
    """The run that was lost may have bought it."""
    ledger = await SqliteLedger.open(tmp_path / "ledger.db")
    await ledger.enqueue(message(), T0)
    await ledger.backup(tmp_path / "copy.db", BY, T0)
    await place(ledger, row(1))
    assert await ledger.claim(1, "me", T0, {})
    await ledger.aclose()
    (tmp_path / "copy.db").replace(tmp_path / "ledger.db")
    for beside in ("-wal", "-shm"):
        (tmp_path / f"ledger.db{beside}").unlink(missing_ok=True)
    ledger = await SqliteLedger.open(tmp_path / "ledger.db")
    with pytest.raises(StateConflict, match="on hold"):
        await place(ledger, row(1))
    await ledger.hold_if_doubtful(BY, T0 + MINUTE)
    await ledger.confirm_hold(T0 + MINUTE, BY, T0 + MINUTE)
    await ledger.place_plan(NAME, FILE, [row(1)], (), T0 + 2 * MINUTE, BY)
    await ledger.place_plan(NAME, FILE, [row(2)], (), T0 + 2 * DAY, BY)
    held = [(intent.state.value, intent.reason) for intent in reversed(await ledger.intents((), 10))]
    assert held == [("held", "restored"), ("planned", "")]
    await ledger.aclose()


async def test_guards_are_foreseen_as_they_will_judge(open_ledger: Opener) -> None:
    ledger = await open_ledger(Guards(Bounds(spend=(Allowance(Decimal("2.50"), Per.DAY),))))
    rows = [row(number) for number in (1, 2, 3)]
    foreseen = await ledger.foresee([one.draft for one in rows], T0)
    assert await quantities(ledger) == []
    await place(ledger, *rows)
    planned = list(reversed(await ledger.intents((), 10)))
    assert [intent.state for intent in planned] == ["planned", "planned", "held"]
    assert [one and (one.reason, one.message) for one in foreseen] == [
        None, None, (planned[2].reason, planned[2].message),
    ]  # fmt: skip
    await ledger.aclose()


async def test_the_balance_to_keep_is_foreseen_row_after_row(open_ledger: Opener) -> None:
    ledger = await open_ledger(Guards(panels={"north": Bounds(keep_balance=Decimal(8))}))
    await ledger.note_balance("north", DatedBalance(Decimal(10), "USD", T0, T0))
    rows = [row(number) for number in (1, 2, 3)]
    foreseen = await ledger.foresee([one.draft for one in rows], T0)
    await place(ledger, *rows)
    held = [intent.state == "held" for intent in reversed(await ledger.intents((), 10))]
    assert [one is not None for one in foreseen] == held == [False, False, True]
    await ledger.aclose()
