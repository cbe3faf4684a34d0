"""Paid calls that go wrong on the wire, at the level of the running daemon: at most once, and never lost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from smm_rules.facts import Entity, EntityKind
from smm_rules.ledger.records import Intent, IntentState, NewOrder
from smm_rules.simulator import Fault
from tests.endtoend.processes import Launcher
from tests.endtoend.raw_panel import MADE, ORDERS, PAID, RawPanel
from tests.endtoend.world import PANEL, World, effects_known, receiver
from tests.panel import fault_server as raw

#: The call behind each kind of action.
CALLS = {"refill": "refill", "reorder": "add", "cancel": "cancel"}
DOUBT = ("refill unknown", "reorder unknown", "cancel unknown")

#: Faults by which an outcome is in doubt, and whether the panel had acted.
DOUBTFUL = {
    Fault.ERROR_BEFORE_EFFECT: False,
    Fault.ERROR_AFTER_EFFECT: True,
    Fault.CLOSE_BEFORE_EFFECT: False,
    Fault.CLOSE_AFTER_EFFECT: True,
    Fault.HANG_BEFORE_EFFECT: False,
    Fault.HANG_AFTER_EFFECT: True,
    Fault.SLOW: True,
    Fault.HTML_BEFORE_EFFECT: False,
    Fault.HTML_AFTER_EFFECT: True,
    Fault.TRUNCATED_JSON: True,
    Fault.HALF_BODY: True,
}


async def three_orders(world: World) -> None:
    """An order for each action."""
    panel = world.simulator
    await world.track(
        panel.add_order(4, 1000, "https://example.com/refill", status="Partial", remains=157),
        panel.add_order(2, 500, "https://example.com/reorder", status="Canceled"),
        panel.add_order(1, 1000, "https://example.com/cancel", status="In progress", remains=900),
    )


def as_set(states: tuple[str, ...]) -> Callable[[object], bool]:
    """Whether the books hold just these states, in whatever order the actions were planned."""
    return lambda books: books.at_rest and sorted(books.states) == sorted(states)  # type: ignore[attr-defined]


async def resolve_all(world: World, intents: tuple[Intent, ...], made: dict[str, str] | None) -> None:
    """Say of each action in doubt what the panel shows, by the command an operator would use."""
    for intent in intents:
        said = ("--did-not",) if made is None else ("--happened", made[intent.kind.value])
        command = await world.command("intents", "resolve", str(intent.id), *[word for word in said if word])
        assert command.code == 0, command.tail()


@pytest.mark.parametrize("fault", DOUBTFUL)
async def test_a_call_in_doubt_is_never_repeated_is_told_and_is_resolved(world: World, fault: Fault) -> None:
    await three_orders(world)
    world.set_timeout("1s")
    for action in CALLS.values():
        world.simulator.faults.next(action, fault)
    daemon = world.start()
    books = await world.until(as_set(DOUBT))
    await world.looked()

    journal = world.journal
    assert [len(journal.requests(action)) for action in CALLS.values()] == [1, 1, 1]
    acted = [entry for entry in journal.paid_effects() if entry.request]
    assert len(acted) == (3 if DOUBTFUL[fault] else 0)
    assert effects_known(journal, books) == []
    assert set(world.told()) == {f"operator:unknown:{intent.id}" for intent in books.intents}
    assert {event["intent"] for event in daemon.events("action.unknown")} == {i.id for i in books.intents}

    made = {
        "refill": next((e.refill for e in acted if e.refill), ""),
        "reorder": next((e.order for e in acted if e.kind == "order_made"), ""),
        "cancel": "",
    }
    await resolve_all(world, books.intents, made if acted else None)
    ended = "confirmed" if acted else "not_sent"
    after = await world.until(as_set(tuple(f"{kind} {ended}" for kind in CALLS)))
    await world.looked()
    assert await daemon.stop() == 0
    assert [len(world.journal.requests(action)) for action in CALLS.values()] == [1, 1, 1]
    assert {i.result for i in after.intents} == set(made.values()) if acted else {""}
    rules_spoke = {key.partition(":")[0] for key in world.told()} - {"operator"}
    assert rules_spoke == (set(CALLS) if acted else set())


async def test_a_call_that_was_too_many_is_made_again_later(world: World) -> None:
    await three_orders(world)
    for action in CALLS.values():
        world.simulator.faults.next(action, Fault.RATE_LIMITED)
    daemon = world.start()
    books = await world.until(as_set(tuple(f"{kind} confirmed" for kind in CALLS)))
    await world.looked()
    assert await daemon.stop() == 0

    journal = world.journal
    assert [len(journal.requests(action)) for action in CALLS.values()] == [2, 2, 2]
    assert len([entry for entry in journal.paid_effects() if entry.request]) == 3
    assert journal.duplicates() == ()
    assert {intent.attempts for intent in books.intents} == {2}


# -- on a raw socket ----------------------------------------------------------------------------------------
@asynccontextmanager
async def raw_world(
    launcher: Launcher, directory: Path, panel: RawPanel, key: str = "raw-panel-key-77d0"
) -> AsyncIterator[World]:
    """A world around a raw panel, its three orders tracked."""
    async with receiver() as hook, panel:
        world = World(directory, panel.url, key, hook, launcher, timeout="1s")
        parameters = {"link": "https://example.com/post", "quantity": "1000"}
        now = datetime.now(UTC)
        orders = [NewOrder(Entity(EntityKind.ORDER, PANEL, order), "1", parameters, now) for order in ORDERS]
        async with world.ledger() as ledger:
            await ledger.track(orders, now)
        try:
            yield world
        finally:
            for running in world.started:
                running.end_now()


RAW_DOUBTFUL = {
    "closed before headers": raw.close_before_headers,
    "closed after headers": raw.close_after_headers,
    "half a body": raw.half_a_body({"order": 9001, "refill": "7001"}),
    "slow drip": raw.slow_drip,
    "silence": raw.silence,
    "500 in plain text": raw.failing(500),
    "a page of a proxy": raw.html(200),
    "truncated JSON": raw.truncated({"order": 9001, "refill": "7001"}),
    "redirect 302": raw.redirect("/api/v3"),
    "redirect 307": raw.redirect("/api/v3", 307),
    "not HTTP": raw.not_http,
}


@pytest.mark.parametrize("fault", RAW_DOUBTFUL)
async def test_a_broken_answer_leaves_the_call_in_doubt(
    launcher: Launcher, tmp_path: Path, fault: str
) -> None:
    panel = RawPanel(RAW_DOUBTFUL[fault])
    async with raw_world(launcher, tmp_path, panel) as world:
        daemon = world.start()
        books = await world.until(as_set(DOUBT))
        assert set(world.told()) == {f"operator:unknown:{intent.id}" for intent in books.intents}
        await resolve_all(world, books.intents, {kind: MADE[call] for kind, call in CALLS.items()})
        await world.until(as_set(tuple(f"{kind} confirmed" for kind in CALLS)))
        looks = panel.asked("status")
        await world.until(lambda _: panel.asked("status") >= looks + 2)
        assert await daemon.stop() == 0
        assert [panel.asked(action) for action in PAID] == [1, 1, 1]
        assert {seen.path for seen in panel.seen} == {"/api/v2"}


@pytest.mark.parametrize("retry_after", ["1", None])
async def test_a_panel_that_says_429_did_not_act(
    launcher: Launcher, tmp_path: Path, retry_after: str | None
) -> None:
    panel = RawPanel(raw.rate_limited(retry_after))
    async with raw_world(launcher, tmp_path, panel) as world:
        daemon = world.start()
        books = await world.until(as_set(tuple(f"{kind} confirmed" for kind in CALLS)))
        assert await daemon.stop() == 0
        assert [panel.asked(action) for action in PAID] == [2, 2, 2]
        assert {intent.attempts for intent in books.intents} == {2}
        assert not any(key.startswith("operator:") for key in world.told())


async def test_a_panel_nobody_listens_at_is_asked_again_later(launcher: Launcher, tmp_path: Path) -> None:
    panel = RawPanel()
    panel.refusing = True
    async with raw_world(launcher, tmp_path, panel) as world:
        daemon = world.start()
        books = await world.until(lambda books: [i.attempts for i in books.intents] == [1, 1, 1])
        assert {(i.state, i.reason) for i in books.intents} <= {
            (IntentState.PLANNED, "not_reached"),
            (IntentState.SENDING, ""),
        }
        assert [panel.asked(action) for action in PAID] == [0, 0, 0]
        await panel.listen_again()
        await world.until(as_set(tuple(f"{kind} confirmed" for kind in CALLS)))
        assert await daemon.stop() == 0
        assert [panel.asked(action) for action in PAID] == [1, 1, 1]
