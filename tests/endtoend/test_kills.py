"""A SIGKILL at every ledger boundary, judged by the panel's own journal."""

from __future__ import annotations

import signal

import pytest

from tests.endtoend.world import World, effects_known

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
