"""A panel's key and a webhook's secret never leave by any way: streams, ledger, journal or messages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from smm_rules.cli.app import COMMANDS
from smm_rules.simulator import AccountSettings, Fault, RunningSimulator, SimulatorSettings
from tests.endtoend.processes import Launcher
from tests.endtoend.raw_panel import RawPanel
from tests.endtoend.test_faults import DOUBT, as_set, raw_world, three_orders
from tests.endtoend.waiting import eventually
from tests.endtoend.world import HOOK_SECRET, World, receiver
from tests.notify.receiver import answering
from tests.panel import fault_server as raw

KEY = "cAnArY/9f+27=b1-kEy"


def writings(secret: str) -> set[bytes]:
    """A secret as it is and in the ways a program may write it."""
    texts = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
    return {text.encode() for text in texts} | {secret.encode().hex().encode()}


def leaks(world: World) -> list[str]:
    """Where a secret is found: files of the world, and messages as they arrived."""
    places = {str(path): path.read_bytes() for path in world.directory.rglob("*") if path.is_file()}
    for number, received in enumerate(world.hook.received):
        places[f"message {number}"] = received.body + repr((received.target, received.headers)).encode()
    return [
        place
        for place, content in places.items()
        if any(text in content for secret in (KEY, HOOK_SECRET) for text in writings(secret))
    ]


@pytest.fixture
async def secretive(launcher: Launcher, tmp_path: Path) -> AsyncIterator[World]:
    """A world whose panel has the canary for its key."""
    settings = SimulatorSettings(
        speed=0, accounts=(AccountSettings(key=KEY),), journal=tmp_path / "panel-journal.jsonl"
    )
    async with receiver() as hook:
        with RunningSimulator(settings) as panel:
            world = World(tmp_path, panel.url, KEY, hook, launcher, panel, timeout="1s")
            try:
                yield world
            finally:
                for running in world.started:
                    running.end_now()


#: Every command, with exit codes that are fine for it here.
CALLS: tuple[tuple[tuple[str, ...], set[int]], ...] = (
    (("check",), {0}),
    (("check", "--live"), {0}),
    (("check", "--live", "--json"), {0}),
    (("status",), {0, 1}),
    (("status", "--json"), {0, 1}),
    (("doctor",), {0, 1}),
    (("doctor", "--json"), {0, 1}),
    (("orders", "track", "424242"), {0}),
    (("orders", "import", "more.csv"), {1}),
    (("orders", "list"), {0}),
    (("orders", "list", "--json"), {0}),
    (("orders", "show", "424242"), {0}),
    (("orders", "forget", "424242", "--yes"), {0}),
    (
        (
            "orders",
            "place",
            "--service",
            "1",
            "--link",
            "https://example.com/new",
            "--quantity",
            "100",
            "--yes",
        ),
        {0},
    ),
    (("orders", "place", "--service", "1", "--link", "x", "--quantity", "1", "--yes"), {1, 2, 5}),
    (("preview", "refill", "--order", "1001"), {0}),
    (("notify", "ops", "--test"), {0}),
    (("explain", "1001"), {0}),
    (("explain", "1001", "--verbose", "--json"), {0}),
    (("intents", "list"), {0}),
    (("intents", "list", "--json"), {0}),
    (("intents", "show", "1"), {0}),
    (("intents", "show", "1", "--json"), {0}),
    (("intents", "resolve", "1", "--did-not"), {0}),
    (("intents", "resolve", "999", "--did-not"), {1}),
    (("intents", "approve", "1", "--yes"), {1}),
    (("intents", "deny", "1", "--yes"), {1}),
    (("run", "--no-such-option"), {2}),
)


async def test_no_command_and_no_failure_shows_a_secret(secretive: World) -> None:
    world = secretive
    panel = world.simulator
    (world.directory / "more.csv").write_text("order,service\n5151,1\n,2\n")
    await three_orders(world)
    panel.faults.next("refill", Fault.CLOSE_BEFORE_EFFECT)
    panel.faults.next("add", Fault.HTML_BEFORE_EFFECT)
    panel.faults.next("cancel", Fault.HANG_BEFORE_EFFECT)
    panel.faults.next("services", Fault.TRUNCATED_JSON)
    panel.faults.next("balance", Fault.HALF_BODY, Fault.ERROR_BEFORE_EFFECT)
    world.hook.answer = lambda _: answering(503, "try later")
    daemon = world.start()
    await world.until(lambda books: sorted(books.states) == sorted(DOUBT))
    await daemon.said("message.delivery_failed")
    await daemon.said("panel.retry")
    world.hook.answer = lambda _: answering(200)
    await world.until(as_set(DOUBT))

    for arguments, codes in CALLS:
        command = await world.command(*arguments)
        told = command.output.read_text() + command.tail()
        assert command.code in codes, f"{arguments}: {command.code}\n{told}"
        assert "Traceback" not in told
    first = await world.command("init", "fresh", configured=False)
    assert first.code == 0, first.tail()
    # What has no line above reads no secret: rules alone, or its own bundled panel.
    for name in COMMANDS.keys() - {arguments[0] for arguments, _ in CALLS}:
        helped = await world.command(name, "--help", configured=False)
        assert helped.code == 0, helped.tail()
    assert await daemon.stop() == 0
    assert leaks(world) == []
    # The search itself must be able to find: the very bytes are looked for in a place that has them.
    (world.directory / "planted").write_text(f"key={quote_plus(KEY)}")
    assert leaks(world) == [str(world.directory / "planted")]


def echoes() -> dict[str, raw.Fault]:
    """Panels that repeat the key they were sent, in every kind of answer."""
    page = f"<html><body>Bad request: key={quote_plus(KEY)} ({KEY})</body></html>".encode()
    return {
        "refusal": raw.answer({"error": f"Invalid API key {KEY}"}),
        "page": raw.raw(page, 200, {"Content-Type": "text/html"}),
        "server error": raw.raw(page, 500, {"Content-Type": "text/html"}),
        "truncated": raw.truncated({"order": f"{KEY}", "refill": KEY, "error_": KEY}),
        "redirect": raw.redirect(f"/api/v2?key={quote_plus(KEY)}"),
        "identifier": raw.answer({"order": KEY, "refill": KEY}),
        "limit": raw.answer({"error": f"Rate limit exceeded for {KEY}"}, 429, {"Retry-After": "1"}),
    }


@pytest.mark.parametrize("echo", echoes())
async def test_a_panel_that_repeats_the_key_brings_it_nowhere(
    launcher: Launcher, tmp_path: Path, echo: str
) -> None:
    panel = RawPanel(echoes()[echo])
    async with raw_world(launcher, tmp_path, panel, key=KEY) as world:
        daemon = world.start()
        ended = {"confirmed", "rejected", "unknown"}
        await world.until(
            lambda books: (
                books.at_rest
                and {state.split()[0] for state in books.states} == {"refill", "reorder", "cancel"}
                and {state.split()[1] for state in books.states} <= ended
            )
        )
        for words in (("intents", "list"), ("intents", "show", "1"), ("status",)):
            await world.command(*words)
        looks = panel.asked("status")
        await eventually(lambda: panel.asked("status") > looks, "another look", describe=daemon.tail)
        assert await daemon.stop() == 0
        assert leaks(world) == []


async def test_a_wrong_key_is_told_without_the_key(launcher: Launcher, tmp_path: Path) -> None:
    settings = SimulatorSettings(speed=0, journal=tmp_path / "panel-journal.jsonl")
    async with receiver() as hook:
        with RunningSimulator(settings) as panel:
            world = World(tmp_path, panel.url, KEY, hook, launcher, panel)
            checked = await world.command("check", "--live")
            assert checked.code == 5
            assert leaks(world) == []
