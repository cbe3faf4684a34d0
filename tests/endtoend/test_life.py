"""The daemon's own life: alone on its ledger, reloaded, restarted, refused where it can't work."""

from __future__ import annotations

import os
import signal
from decimal import Decimal
from pathlib import Path

import pytest

from tests.endtoend.test_reads import HOLDING, holding_since, memory_of
from tests.endtoend.waiting import eventually
from tests.endtoend.world import World

LEDGER_EXIT = 4


async def test_a_second_daemon_on_the_ledger_ends_at_once_and_says_why(world: World) -> None:
    order = world.simulator.add_order(2, 500, status="Canceled")
    first = world.start_installed()
    await first.said("daemon.started")
    second = world.start_installed()
    assert await second.ended() == LEDGER_EXIT
    said = second.errors.read_text()
    assert f"another daemon (process {first.process}) is running on this ledger" in said
    assert "Traceback" not in said
    assert second.events("daemon.started") == []

    await world.track(order)
    await world.until(lambda books: books.at_rest and books.states == ("reorder confirmed",))
    assert await first.stop() == 0


def _unwritable() -> Path:
    """A directory in which not even root can make a file."""
    return Path("/proc/self") if not os.access("/sys", os.F_OK) else Path("/sys")


@pytest.mark.parametrize("place", ["unwritable", "missing", "a directory"])
async def test_a_ledger_that_cannot_be_had_ends_it_with_a_sentence(world: World, place: str) -> None:
    (world.directory / "taken").mkdir()
    ledger = {
        "unwritable": _unwritable() / "ledger.db",
        "missing": world.directory / "nowhere" / "ledger.db",
        "a directory": world.directory / "taken",
    }[place]
    text = world.configuration.read_text().replace("ledger: ledger.db", f"ledger: {ledger}")
    world.configuration.write_text(text)

    daemon = world.start()
    assert await daemon.ended() == LEDGER_EXIT
    said = daemon.errors.read_text()
    assert said.startswith("error: ")
    assert str(ledger.parent) in " ".join(said.split())
    assert "Traceback" not in said
    assert world.journal.requests() == ()


async def test_a_broken_reload_changes_nothing_and_a_good_one_applies_at_once(world: World) -> None:
    panel = world.simulator
    good = world.rules
    daemon = world.start()
    await daemon.said("daemon.started")

    world.write_rules(good.replace('"Canceled"', '"Cancelt"'))
    daemon.signal(signal.SIGHUP)
    (failed,) = await daemon.said("rules.reload_failed")
    assert failed["kept"] == 3
    assert any("Cancelt" in problem and "rules.yaml:" in problem for problem in failed["problems"])
    await eventually(
        lambda: any(key.startswith("operator:reload:") for key in world.told()), "word of the failed reload"
    )
    canceled = panel.add_order(2, 500, "https://example.com/canceled", status="Canceled")
    await world.track(canceled)
    await world.until(lambda books: books.at_rest and books.states == ("reorder confirmed",))

    world.write_rules(good.replace("- name: cancel", "- name: stop"))
    daemon.signal(signal.SIGHUP)
    (reloaded,) = await daemon.said("rules.reloaded")
    assert (reloaded["added"], reloaded["removed"], reloaded["kept"]) == (["stop"], ["cancel"], 2)
    at_work = panel.add_order(1, 1000, "https://example.com/cancel", status="In progress", remains=900)
    await world.track(at_work)
    books = await world.until(lambda books: books.at_rest and len(books.intents) == 2)
    assert await daemon.stop() == 0
    assert [(i.rule, i.kind.value, i.state.value) for i in books.intents] == [
        ("reorder", "reorder", "confirmed"),
        ("stop", "cancel", "confirmed"),
    ]


TELLING = """\
rules:
  - name: low-balance
    watch: balance
    when: amount < 20
    do:   [{notify: {channel: ops, message: "{{ amount }} left"}}]
    done: [{notify: {channel: ops, message: "topped up"}}]
  - name: partial
    watch: order
    when: status == "Partial"
    do:   [{notify: {channel: ops, message: "{{ order.id }} is partial"}}]
"""


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_nothing_is_told_twice_over_restarts(world: World, end: int) -> None:
    panel = world.simulator
    world.write_rules(TELLING)
    panel.set_balance(Decimal("5"))
    await world.track(*(panel.add_order(1, 1000, status="Partial", remains=10) for _ in range(3)))
    for _ in range(3):
        daemon = world.start()
        await world.until(lambda books: books.at_rest and len(books.messages) == 4)
        await world.looked()
        daemon.signal(end)
        assert await daemon.ended() == (0 if end == signal.SIGTERM else -signal.SIGKILL)
    assert sorted(world.told().values()) == [1, 1, 1, 1]

    panel.set_balance(Decimal("50"))
    daemon = world.start()
    books = await world.until(lambda books: books.at_rest and len(books.messages) == 5)
    assert await daemon.stop() == 0
    assert books.messages[-1].body == "topped up"
    assert sorted(world.told().values()) == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_holds_survive_restarts_and_reloads(world: World, end: int) -> None:
    world.write_rules(HOLDING.format(hold="1h"))
    order = world.simulator.add_order(4, 1000, status="Partial", remains=157)
    await world.track(order)
    daemon = world.start()
    began = await holding_since(world, "refill", order)
    daemon.signal(end)
    await daemon.ended()

    daemon = world.start()
    await daemon.said("daemon.started")
    await world.looked()
    assert await memory_of(world, "refill", order) == began
    assert world.journal.requests("refill") == ()

    world.write_rules(HOLDING.format(hold="10s"))
    daemon.signal(signal.SIGHUP)
    books = await world.until(lambda books: books.at_rest and books.states == ("refill confirmed",))
    assert await daemon.stop() == 0
    assert books.intents[0].episode == began.true_since


async def test_stopping_lets_the_call_under_way_settle(world: World) -> None:
    """SIGTERM while the panel takes its time: the answer is waited for and written down."""
    from smm_rules.simulator import Fault

    order = world.simulator.add_order(2, 500, status="Canceled")
    await world.track(order)
    world.simulator.faults.next("add", Fault.SLOW)
    daemon = world.start()
    await eventually(lambda: world.journal.requests("add"), "the call", describe=daemon.tail)
    assert await daemon.stop() == 0
    books = await world.books()
    assert books.states == ("reorder confirmed",)
    assert [entry.order for entry in world.journal.orders_made() if entry.request] == [
        books.intents[0].result
    ]
    assert daemon.events("daemon.stopped")[0]["drained"] is True
