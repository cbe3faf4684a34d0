"""The brakes of a running daemon, judged by the panel's own journal."""

from __future__ import annotations

import json
from decimal import Decimal

from smm_rules.ledger.records import Intent, IntentState
from smm_rules.simulator import Fault
from tests.endtoend.waiting import eventually
from tests.endtoend.world import ROOMY, Books, World

REORDER = """\
rules:
  - name: reorder
    watch: order
    when: status == "Canceled"
    first_seen: act
    do: [reorder]
    limit: {per_order: 3, every: 24h, per_sweep: 1000}
"""


def guarded(world: World, rule: str = "", configuration: str = "") -> None:
    """Give the one rule, and the configuration, these lines more."""
    world.write_rules(REORDER + "".join(f"    {line}\n" for line in rule.splitlines()))
    text = world.configuration.read_text()
    assert ROOMY in text
    world.configuration.write_text(text.replace(ROOMY, configuration))


def canceled(world: World, count: int) -> list[str]:
    """Orders that the panel canceled; a new one like them costs 0.35."""
    return [
        world.simulator.add_order(2, 1000, f"https://example.com/{n}", status="Canceled")
        for n in range(count)
    ]


def spent(world: World) -> Decimal:
    """What the panel charged for orders of the daemon."""
    made = [entry for entry in world.journal.orders_made() if entry.request]
    return sum((entry.amount for entry in made), Decimal(0))


def calls(world: World) -> int:
    return len(world.journal.requests("add"))


def by_state(books: Books, state: IntentState) -> list[Intent]:
    return [intent for intent in books.intents if intent.state is state]


def told_of(world: World, word: str) -> list[str]:
    """The messages to the operator whose key has this word in it."""
    return [text for key, text in world.bodies().items() if word in key]


async def test_a_panel_that_cancels_500_orders_at_once_gets_no_more_than_the_budget(world: World) -> None:
    guarded(world, "spend: 5.00/day")
    await world.track(*canceled(world, 500))
    daemon = world.start(paced=False)
    books = await world.until(lambda books: books.at_rest and len(books.intents) == 500)
    await world.looked()
    assert await daemon.stop() == 0

    assert spent(world) == Decimal("4.90")  # 14 of 0.35: one more would be more than 5.00
    assert len(by_state(books, IntentState.CONFIRMED)) == 14
    held = by_state(books, IntentState.HELD)
    assert {intent.reason for intent in held} == {"spend_per_day"}
    assert len(held) == 486
    [message] = told_of(world, "guard:spend_per_day")
    assert "rule reorder may spend 5.00 USD per day" in message
    assert "smm-rules intents approve --rule reorder --all" in message


async def test_what_is_dear_waits_for_a_word_and_is_denied_without_one(world: World) -> None:
    guarded(world, "approve: {above: 0.30, expires: 1m}")
    approved, denied, forgotten = canceled(world, 3)
    await world.track(approved, denied, forgotten)
    daemon = world.start(paced=False)
    books = await world.until(lambda books: len(by_state(books, IntentState.HELD)) == 3)
    await eventually(lambda: told_of(world, "approval"), "the question", describe=daemon.tail)
    assert calls(world) == 0
    ids = {intent.entity.id: str(intent.id) for intent in books.intents}
    assert (await world.command("intents", "approve", ids[approved])).code == 0
    assert (await world.command("intents", "deny", ids[denied])).code == 0
    await world.until(lambda books: books.states.count("reorder confirmed") == 1)
    assert await daemon.stop() == 0

    daemon = world.start()  # its clock runs ahead: a minute is three seconds
    books = await world.until(lambda books: books.states.count("reorder denied") == 2 and books.at_rest)
    await eventually(lambda: told_of(world, "expired"), "the end of the waiting", describe=daemon.tail)
    assert await daemon.stop() == 0
    reasons = {intent.entity.id: intent.reason for intent in books.intents}
    assert (reasons[denied], reasons[forgotten]) == ("denied", "expired")
    assert spent(world) == Decimal("0.35")
    assert "waits for approval" in told_of(world, "approval")[0]


async def test_after_a_panic_nothing_leaves(world: World) -> None:
    guarded(world)
    await world.track(*canceled(world, 20))
    world.simulator.faults.always("add", Fault.SLOW)
    daemon = world.start(paced=False)
    await eventually(lambda: calls(world) >= 4, "orders under way", describe=daemon.tail)

    panic = await world.command("panic", "--reason", "too many")
    sent = calls(world)
    assert panic.code == 0, panic.tail()
    assert 4 <= sent < 20
    await world.looked(4)
    assert calls(world) == sent
    books = await world.books()
    assert sorted(set(books.states)) == ["reorder confirmed", "reorder planned"]
    assert books.states.count("reorder confirmed") == sent
    await eventually(lambda: told_of(world, "stop:"), "the panic told", describe=daemon.tail)

    world.simulator.faults.clear()
    assert (await world.command("resume", "all", "--yes")).code == 0
    await world.until(lambda books: books.states == ("reorder confirmed",) * 20)
    assert await daemon.stop() == 0
    assert len([entry for entry in world.journal.orders_made() if entry.request]) == 20


async def test_a_breaker_opens_closes_by_reads_and_a_rules_own_by_the_operator(world: World) -> None:
    guarded(world, configuration="guards: {breaker: {errors: 50%, of: 3, pause: 1m}}\n")
    world.simulator.faults.always("add", Fault.HTML_BEFORE_EFFECT)
    await world.track(*canceled(world, 3))
    daemon = world.start()
    await daemon.said("guard.stopped", 2)
    stopped = {(event["scope"], event["name"]) for event in daemon.events("guard.stopped")}
    assert stopped == {("panel", "main"), ("rule", "reorder")}
    sent = calls(world)
    world.simulator.faults.clear()

    [late] = canceled(world, 1)
    await world.track(late)
    books = await world.until(lambda books: len(by_state(books, IntentState.HELD)) == 1)
    [held] = by_state(books, IntentState.HELD)
    assert (held.entity.id, held.reason) == (late, "breaker")

    # The panel answers looks, so its breaker closes by itself; nothing was bought to find that out.
    [closed] = await daemon.said("guard.stop_ended")
    assert (closed["kind"], closed["scope"], closed["name"]) == ("breaker", "panel", "main")
    assert calls(world) == sent
    await eventually(lambda: told_of(world, "stop_ended"), "its end told", describe=daemon.tail)

    listed = await world.command("pauses", "list", "--json")
    assert [one["scope"] for one in json.loads(listed.output.read_text())] == ["rule"]
    assert (await world.command("resume", "rule", "reorder")).code == 0
    assert (await world.command("intents", "approve", str(held.id))).code == 0
    await world.until(lambda books: books.states.count("reorder confirmed") == 1)
    assert await daemon.stop() == 0
    assert calls(world) == sent + 1


async def test_a_pause_survives_a_restart_and_loses_nothing(world: World) -> None:
    guarded(world)
    for number, pause in enumerate((("rule", "reorder"), ("panel", "main"), ("all",))):
        [order] = canceled(world, 1)
        await world.track(order)
        assert (await world.command("pause", *pause, "--reason", "a look")).code == 0
        for _ in range(2):
            daemon = world.start(paced=False)
            await daemon.said("daemon.started")
            await world.looked()
            assert await daemon.stop() == 0
            assert calls(world) == number
        daemon = world.start(paced=False)
        assert (await world.command("resume", *pause)).code == 0
        await world.until(lambda books, wanted=number + 1: books.states == ("reorder confirmed",) * wanted)
        assert await daemon.stop() == 0


async def test_a_rule_in_the_shadow_sends_and_tells_nothing(world: World) -> None:
    guarded(world, "mode: shadow")
    await world.track(*canceled(world, 3))
    daemon = world.start(paced=False)
    books = await world.until(lambda books: books.states == ("reorder denied",) * 3)
    await world.looked()
    assert await daemon.stop() == 0
    assert {(intent.reason, intent.reserved) for intent in books.intents} == {("shadow", Decimal("0.35000"))}
    assert (calls(world), world.bodies()) == (0, {})


async def test_by_policy_a_balance_that_fell_by_the_price_proves_a_purchase(world: World) -> None:
    guarded(world, configuration="unknown: {prove_by: [balance, status]}\n")
    orders = canceled(world, 1)  # what the panel gives back for it is in the balance from the start
    daemon = world.start(paced=False)
    await daemon.said("daemon.started")
    await world.looked_at_balance()
    world.simulator.faults.next("add", Fault.CLOSE_AFTER_EFFECT)
    await world.track(*orders)
    books = await world.until(lambda books: books.states == ("reorder confirmed",))
    await eventually(lambda: told_of(world, "proved"), "the proof told", describe=daemon.tail)
    assert await daemon.stop() == 0
    [intent] = books.intents
    assert (intent.reason, intent.evidence["proved_by"]) == ("proved_by_balance", "balance")
    assert spent(world) == Decimal("0.35")
    [message] = told_of(world, "proved")
    assert "smm-rules orders track main/ORDER" in message
