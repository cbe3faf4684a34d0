"""`smm-rules explain`: what may be named, moments gone by, and all rules of an order."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Heartbeat, NewOrder
from smm_rules.polling.carried import Carried
from smm_rules.polling.standing import Outage
from tests.explanation.cases import REFILL
from tests.explanation.saying import said
from tests.explanation.stage import HOUR, MINUTE, Stage

RULES = """\
rules:
  - name: refill-partial
    watch: order
    when: status == "Partial" and remains > 0
    for: 10m
    do: [refill]
    limit: {per_order: 1}
  - name: stuck
    watch: order
    when: status == "In progress" and unchanged > 3d
    do: [{log: {message: "stuck"}}]
  - name: low-balance
    watch: balance
    when: amount < 20
    do: [{notify: {channel: ops, message: "{{ amount }} left"}}]
"""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with Stage(tmp_path / "here") as made:
        made.use_file(RULES)
        await made.get_acquainted()
        await made.buy("a")
        await made.look()
        yield made


@pytest.mark.parametrize("written", ["1001", "main/1001", "order/main/1001", "#1001"])
async def test_an_order_may_be_named_in_every_way(stage: Stage, written: str) -> None:
    found = await said(stage, "explain", "refill-partial", written, "--json")
    assert (found.code, found.data["entity"]) == (0, "order/main/1001")


@pytest.mark.parametrize("written", ["main", "balance/main"])
async def test_a_balance_is_named_by_its_panel(stage: Stage, written: str) -> None:
    found = await said(stage, "explain", "low-balance", written, "--json")
    assert (found.data["cause"], found.data["entity"]) == ("clause_false", "balance/main")


@pytest.mark.parametrize("words", [("order", "1001"), ("order/main/1001",)])
async def test_all_rules_of_an_order_are_one_line_each(stage: Stage, words: tuple[str, ...]) -> None:
    found = await said(stage, "explain", *words)
    assert found.code == 0
    lines = found.out.splitlines()
    assert [line.split()[0] for line in lines] == ["rule", "refill-partial", "stuck"]
    assert '`status == "Partial"` is false' in lines[1]


async def test_all_rules_with_every_clause(stage: Stage) -> None:
    found = await said(stage, "explain", "order", "1001", "--verbose")
    assert found.out.count("does not fire for order/main/1001") == 2
    assert "unchanged must be above 3d: it is 0s; wait 3d more" in found.out


async def test_all_rules_for_scripts(stage: Stage) -> None:
    found = await said(stage, "explain", "order", "1001", "--json")
    assert [one["rule"] for one in found.data] == ["refill-partial", "stuck"]


async def test_an_id_on_two_panels_must_say_which(stage: Stage) -> None:
    stage.add_panel("backup")
    found = await said(stage, "explain", "stuck", "1001", "--json")
    assert (found.code, found.data["entity"]) == (0, "order/main/1001")
    await stage.ledger.track([NewOrder(Entity(EntityKind.ORDER, "backup", "1001"))], stage.clock.now())
    found = await said(stage, "explain", "stuck", "1001")
    assert (found.code, found.out) == (2, "")
    assert "Order 1001 is known on main and backup; write PANEL/1001." in found.err


async def test_a_rule_that_does_not_exist_has_a_suggestion(stage: Stage) -> None:
    found = await said(stage, "explain", "refil-partial", "1001")
    assert (found.code, found.out) == (2, "")
    assert 'There is no rule "refil-partial". Did you mean "refill-partial"?' in found.err


@pytest.mark.parametrize("at", ["yesterday", "2030-01-01T00:00:00Z"])
async def test_a_moment_that_is_none_is_refused(stage: Stage, at: str) -> None:
    found = await said(stage, "explain", "stuck", "1001", "--at", at)
    assert (found.code, found.out) == (2, "")


async def test_looks_that_fail_while_others_are_answered_are_known_from_the_heartbeat(stage: Stage) -> None:
    since = stage.clock.now() - HOUR
    failing = Carried(outages={"main": {"orders": Outage(since, 4, "HTTP 503", since)}})
    beat = Heartbeat("daemon", since, stage.clock.now(), {"status": "", **failing.written()})
    await stage.ledger.beat(beat)
    order = (await said(stage, "explain", "stuck", "1001", "--json")).data
    balance = (await said(stage, "explain", "low-balance", "main", "--json")).data
    assert (order["cause"], balance["cause"]) == ("panel_failing", "clause_false")
    assert "has not answered since 2026-03-01 11:00:00Z (HTTP 503)" in order["summary"]


async def test_without_a_daemon_an_overdue_look_is_the_cause(stage: Stage) -> None:
    stage.lock.release()
    soon = (await said(stage, "explain", "stuck", "1001", "--json")).data
    await stage.wait(HOUR)
    late = (await said(stage, "explain", "stuck", "1001", "--json")).data
    assert (soon["cause"], late["cause"]) == ("clause_false", "daemon_down")
    assert "no daemon runs now" in soon["notes"]


async def test_nothing_is_asked_of_the_panel_and_nothing_written(stage: Stage) -> None:
    asked = len(stage.panel.journal.requests())
    before = (await stage.ledger.totals(stage.clock.now()), await stage.ledger.remembered_rules())
    await said(stage, "explain", "order", "1001")
    assert len(stage.panel.journal.requests()) == asked
    assert (await stage.ledger.totals(stage.clock.now()), await stage.ledger.remembered_rules()) == before


async def test_a_moment_gone_by_is_put_together_from_history_and_traces(tmp_path: Path) -> None:
    async with Stage(tmp_path / "here") as stage:
        stage.use(REFILL)
        await stage.get_acquainted()
        await stage.buy("a", service=4)
        await stage.look()  # 12:00, in progress
        stage.panel.set_status("1001", "Partial", 157)
        await stage.look(5 * MINUTE)  # 12:05, the hold begins
        await stage.look(10 * MINUTE)  # 12:15, it fires
        stage.panel.set_status("1001", "Completed")
        await stage.look(5 * MINUTE)  # 12:20, it is over
        told = {}
        for at in ("12:02", "12:07", "12:16"):
            found = await said(
                stage, "explain", "refill-partial", "1001", "--json", "--at", f"2026-03-01 {at}"
            )
            told[at] = (found.data["cause"], found.data["summary"])
        now = (await said(stage, "explain", "refill-partial", "1001", "--json")).data["cause"]
        text = (await said(stage, "explain", "refill-partial", "1001", "--at", "13m")).out
    assert told["12:02"] == ("clause_false", '`status == "Partial"` is false')
    assert told["12:07"] == ("holding", "it has held for 2m of the 10m it must")
    assert told["12:16"][0] == "fired"
    assert now == "clause_false"
    assert text.startswith("Rule refill-partial did not fire for order/main/1001 at 2026-03-01 12:07:00Z\n")
