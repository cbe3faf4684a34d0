"""A SIGKILL at every ledger boundary, judged by the panel's own journal."""

from __future__ import annotations

import asyncio
import signal
from random import Random

import pytest

from smm_rules.ledger.records import IntentState
from smm_rules.simulator import Fault
from tests.endtoend.waiting import eventually
from tests.endtoend.world import World, effects_known
from tests.notify.receiver import answering

#: What became of a plain action by the boundary its daemon died at: state, and calls the panel saw.
CONFIRMED, DOUBT_UNSENT, DOUBT_DONE = ("confirmed", 1), ("unknown", 0), ("unknown", 1)
OUTCOMES = {
    "record.before": CONFIRMED,
    "record.inside": CONFIRMED,
    "record.after": CONFIRMED,
    "claim.before": CONFIRMED,
    "claim.inside": CONFIRMED,
    "claim.after": DOUBT_UNSENT,
    "send.before": DOUBT_UNSENT,
    "send.written": DOUBT_DONE,
    "send.after": DOUBT_DONE,
    "settle.before": DOUBT_DONE,
    "settle.inside": DOUBT_DONE,
    "settle.enqueue": DOUBT_DONE,
    "settle.after": CONFIRMED,
}
ACTIONS = {"refill": "refill", "reorder": "add", "cancel": "cancel"}


async def an_order_for(world: World, action: str) -> str:
    """An order that the rule called `action` acts on; `refused` is one whose refill the panel refuses."""
    panel = world.simulator
    if action == "refill":
        order = panel.add_order(4, 1000, "https://example.com/refill", status="Partial", remains=157)
    elif action == "refused":
        order = panel.add_order(1, 1000, "https://example.com/refused", status="Partial", remains=400)
    elif action == "reorder":
        order = panel.add_order(2, 500, "https://example.com/reorder", status="Canceled")
    else:
        order = panel.add_order(1, 1000, "https://example.com/cancel", status="In progress", remains=900)
    await world.track(order)
    return order


async def die_at(world: World, boundary: str, occurrence: int = 1) -> None:
    """Let a daemon die at the boundary."""
    daemon = world.start(boundary, occurrence)
    assert await daemon.ended() == -signal.SIGKILL, daemon.tail()


@pytest.mark.parametrize("boundary", OUTCOMES)
@pytest.mark.parametrize("action", ACTIONS)
async def test_an_action_happens_at_most_once_wherever_the_daemon_dies(
    world: World, action: str, boundary: str
) -> None:
    order = await an_order_for(world, action)
    state, calls = OUTCOMES[boundary]

    await die_at(world, boundary)
    daemon = world.start()
    books = await world.until(lambda books: books.at_rest and books.states == (f"{action} {state}",))
    await world.looked()
    assert await daemon.stop() == 0

    after = await world.books()
    assert after.states == books.states
    assert len(world.journal.requests(ACTIONS[action])) == calls
    assert len([e for e in world.journal.paid_effects() if e.request]) == calls
    assert effects_known(world.journal, after) == []
    told = {key.partition(":")[0] for key in world.told()}
    assert told == ({"operator"} if state == "unknown" else {action})
    assert set(world.told().values()) == {1}
    assert all(intent.entity.id == order for intent in after.intents)


#: A refused refill and the reorder that follows it: the boundary and which time it comes, then the states of
#: the intents, and the calls for a refill and for an order that the panel saw.
REFUSED = {
    ("claim.after", 1): (("refill unknown",), 0, 0),
    ("send.before", 1): (("refill unknown",), 0, 0),
    ("send.written", 1): (("refill unknown",), 1, 0),
    ("send.after", 1): (("refill unknown",), 1, 0),
    ("settle.before", 1): (("refill unknown",), 1, 0),
    ("settle.plan", 1): (("refill unknown",), 1, 0),
    ("settle.inside", 1): (("refill unknown",), 1, 0),
    ("settle.after", 1): (("refill rejected", "reorder confirmed"), 1, 1),
    ("claim.before", 2): (("refill rejected", "reorder confirmed"), 1, 1),
    ("claim.inside", 2): (("refill rejected", "reorder confirmed"), 1, 1),
    ("claim.after", 2): (("refill rejected", "reorder unknown"), 1, 0),
    ("send.before", 2): (("refill rejected", "reorder unknown"), 1, 0),
    ("send.written", 2): (("refill rejected", "reorder unknown"), 1, 1),
    ("send.after", 2): (("refill rejected", "reorder unknown"), 1, 1),
    ("settle.before", 2): (("refill rejected", "reorder unknown"), 1, 1),
    ("settle.follow", 1): (("refill rejected", "reorder unknown"), 1, 1),
    ("settle.inside", 2): (("refill rejected", "reorder unknown"), 1, 1),
    ("settle.after", 2): (("refill rejected", "reorder confirmed"), 1, 1),
}


@pytest.mark.parametrize(("boundary", "occurrence"), REFUSED)
async def test_what_follows_a_refusal_happens_at_most_once_too(
    world: World, boundary: str, occurrence: int
) -> None:
    await an_order_for(world, "refused")
    states, refills, adds = REFUSED[boundary, occurrence]

    await die_at(world, boundary, occurrence)
    daemon = world.start()
    await world.until(lambda books: books.at_rest and books.states == states)
    await world.looked()
    assert await daemon.stop() == 0

    after = await world.books()
    assert after.states == states
    assert len(world.journal.requests("refill")) == refills
    assert len(world.journal.requests("add")) == adds
    assert effects_known(world.journal, after) == []
    assert set(world.told().values()) == {1}
    assert [key.partition(":")[0] for key in world.told()] == [
        "operator" if states[-1].endswith("unknown") else "refill"
    ]


async def test_the_refill_that_was_made_is_watched_or_in_doubt(world: World) -> None:
    await an_order_for(world, "refill")

    await die_at(world, "settle.watch_refill")
    daemon = world.start()
    books = await world.until(lambda books: books.at_rest and books.states == ("refill unknown",))
    assert await daemon.stop() == 0

    assert len(world.journal.refills_made()) == 1
    assert effects_known(world.journal, books) == []


#: How often the message about an action arrives when the daemon dies while handing it over.
HANDED_OVER = {
    "deliver.before": 1,
    "deliver.after": 2,
    "delivered.before": 2,
    "delivered.inside": 2,
    "delivered.after": 1,
}


@pytest.mark.parametrize("boundary", HANDED_OVER)
async def test_a_message_arrives_at_least_once_and_under_one_key(world: World, boundary: str) -> None:
    order = await an_order_for(world, "reorder")

    await die_at(world, boundary)
    daemon = world.start()
    await world.until(lambda books: books.at_rest and books.states == ("reorder confirmed",))
    await world.looked()
    assert await daemon.stop() == 0

    (made,) = [entry.order for entry in world.journal.orders_made() if entry.request]
    assert list(world.told().values()) == [HANDED_OVER[boundary]]
    assert list(world.bodies().values()) == [f"reordered {order} as {made}"]


@pytest.mark.parametrize("boundary", ["undelivered.before", "undelivered.inside", "undelivered.after"])
async def test_a_message_refused_before_the_kill_arrives_after_it(world: World, boundary: str) -> None:
    await an_order_for(world, "cancel")
    world.hook.answer = lambda _: answering(503)
    await die_at(world, boundary)
    (refused,) = world.told()

    world.hook.answer = lambda _: answering(200)
    daemon = world.start()
    await world.until(lambda books: books.at_rest)
    assert await daemon.stop() == 0
    assert world.told() == {refused: 2}


@pytest.mark.parametrize("action", ["refill", "reorder", "cancel"])
@pytest.mark.parametrize(
    "boundary",
    [
        "recover.before",
        "recover.inside",
        "recover.after",
        "enqueue.before",
        "enqueue.inside",
        "enqueue.after",
        "delivered.after",
    ],
)
async def test_a_kill_while_recovering_loses_no_doubt(world: World, action: str, boundary: str) -> None:
    """The first daemon dies with the request sent, the second while it finds that out."""
    await an_order_for(world, action)
    await die_at(world, "send.written")
    await die_at(world, boundary)
    daemon = world.start()
    books = await world.until(lambda books: books.at_rest and books.states == (f"{action} unknown",))
    await world.looked()
    assert await daemon.stop() == 0

    assert len(world.journal.requests(ACTIONS[action])) == 1
    assert effects_known(world.journal, books) == []
    assert world.told() == {f"operator:unknown:{books.intents[0].id}": 1}


@pytest.mark.parametrize("boundary", ["note.before", "note.inside", "note.after"])
async def test_evidence_is_collected_whenever_the_daemon_dies(world: World, boundary: str) -> None:
    await an_order_for(world, "reorder")
    world.simulator.faults.next("add", Fault.CLOSE_AFTER_EFFECT)

    await die_at(world, boundary)
    daemon = world.start()
    books = await world.until(lambda books: books.at_rest and "suggests" in books.intents[0].evidence)
    await world.looked()
    assert await daemon.stop() == 0

    (intent,) = books.intents
    assert intent.state is IntentState.UNKNOWN
    assert intent.evidence["suggests"] == "happened"
    assert len(world.journal.requests("add")) == 1
    assert set(world.told()) == {f"operator:unknown:{intent.id}"}


#: An order of the operator's own, by the boundary at which the command that placed it died. What was planned
#: and never claimed was asked for all the same, so the daemon carries it out.
PLACED = {
    "claim.before": ("add confirmed", 1),
    "claim.after": ("add unknown", 0),
    "send.written": ("add unknown", 1),
    "settle.inside": ("add unknown", 1),
    "settle.after": ("add confirmed", 1),
}
_ORDER = ("--service", "1", "--link", "https://example.com/placed", "--quantity", "100", "--yes")


@pytest.mark.parametrize("boundary", PLACED)
async def test_a_command_that_dies_places_an_order_at_most_once(world: World, boundary: str) -> None:
    daemon = world.start()
    await eventually(lambda: world.journal.requests("services"), "the catalogue", describe=daemon.tail)
    await world.looked_at_balance()
    assert await daemon.stop() == 0

    command = await world.command("orders", "place", *_ORDER, crash=(boundary, 1))
    assert command.code == -signal.SIGKILL, command.tail()
    # A claim by a command counts for dead after a quarter of an hour: the next daemon comes later than that.
    world.pace = (world.pace[0] - 60, world.pace[1])
    state, calls = PLACED[boundary]
    daemon = world.start()
    books = await world.until(lambda books: books.at_rest and books.states == (state,))
    await world.looked_at_balance()
    assert await daemon.stop() == 0

    assert (await world.books()).states == (state,)
    assert len(world.journal.requests("add")) == calls
    assert effects_known(world.journal, books) == []
    doubtful = {f"operator:unknown:{i.id}" for i in books.intents if i.state is IntentState.UNKNOWN}
    assert set(world.told()) == doubtful


KILLS = 15
_SEED = 20_240


async def test_kills_at_any_moment_repeat_nothing_and_lose_nothing(world: World) -> None:
    """New orders before each start; the moment of the kill is drawn, from a daemon's first breath on."""
    chance = Random(_SEED)
    panel = world.simulator
    for round_ in range(KILLS):
        link = f"https://example.com/round-{round_}"
        await world.track(
            panel.add_order(4, 1000, f"{link}/refill", status="Partial", remains=157),
            panel.add_order(1, 1000, f"{link}/refused", status="Partial", remains=400),
            panel.add_order(2, 500, f"{link}/reorder", status="Canceled"),
            panel.add_order(1, 1000, f"{link}/cancel", status="In progress", remains=900),
        )
        daemon = world.start()
        await daemon.said("daemon.started")
        await asyncio.sleep(chance.uniform(0, 0.5))
        daemon.signal(signal.SIGKILL)
        assert await daemon.ended() == -signal.SIGKILL

    daemon = world.start()
    books = await world.until(lambda books: books.at_rest and len(books.intents) >= 4 * KILLS)
    await world.looked()
    assert await daemon.stop() == 0

    journal = world.journal
    assert journal.duplicates() == ()
    assert effects_known(journal, books) == []
    calls = sum(len(journal.requests(action)) for action in ("add", "refill", "cancel"))
    assert calls <= sum(1 for intent in books.intents if intent.attempts == 1)
    assert {intent.attempts for intent in books.intents} == {1}
    doubtful = {f"operator:unknown:{i.id}" for i in books.intents if i.state is IntentState.UNKNOWN}
    told = world.told()
    assert {key for key in told if key.startswith("operator:")} == doubtful
    world.bodies()
    # One message for each order whose action ended well, each at least once.
    assert {message.dedup_key for message in books.messages} == set(told)
