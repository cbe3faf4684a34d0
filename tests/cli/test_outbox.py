"""`smm-rules outbox`: dead letters are listed, revived and dropped, and who did that is in the record."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from smm_rules.ledger.records import MessageState
from smm_rules.ledger.sqlite import SqliteLedger
from tests.cli.command import configure, said
from tests.cli.stage import NOW, stage
from tests.ledger.builders import message

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smm_rules.clock.SystemClock.now", lambda _: NOW)


async def two_dead_and_one_waiting(ledger: SqliteLedger) -> None:
    """Messages 1 and 2 were given up, 3 waits."""
    for key in ("one", "two"):
        await ledger.enqueue(message(key, f"says {key}"), NOW)
    for dead in await ledger.deliverable(NOW, 10):
        await ledger.undelivered(dead.id, "no such room", None, NOW)
    await ledger.enqueue(message("three", "says three"), NOW)


@pytest.fixture
def outbox(here: Path) -> Path:
    """A directory with a configuration and a ledger with these messages."""
    configure(here)
    stage(here / "ledger.db", two_dead_and_one_waiting)
    return here


def states(here: Path) -> dict[int, MessageState]:
    async def read() -> dict[int, MessageState]:
        async with await SqliteLedger.open(here / "ledger.db") as ledger:
            return {one.id: one.state for one in await ledger.messages((), 10)}

    return asyncio.run(read())


def test_dead_letters_are_listed_with_why(outbox: Path, capsys: Capture) -> None:
    told = said(capsys, "outbox", "list", "--dead")
    assert told.code == 0
    lines = told.out.splitlines()[1:]
    assert [line.split()[:2] for line in lines] == [["2", "dead"], ["1", "dead"]]
    assert "says two" in lines[0]
    assert "no such room" in lines[0]
    assert "smm-rules outbox retry" in told.err


def test_all_messages_are_listed_newest_first_and_no_more_than_asked(outbox: Path, capsys: Capture) -> None:
    listed = json.loads(said(capsys, "outbox", "list", "--json").out)
    assert [(one["id"], one["state"]) for one in listed] == [(3, "pending"), (2, "dead"), (1, "dead")]
    assert (listed[0]["body"], listed[0]["key"]) == ("says three", "three")
    some = said(capsys, "outbox", "list", "--limit", "1")
    assert len(some.out.splitlines()) == 2
    assert "--limit 10 shows more" in some.err
    assert said(capsys, "outbox", "list", "--state", "delivered").err == "No such messages.\n"


def test_one_is_retried_and_the_rest_stay_dead(outbox: Path, capsys: Capture) -> None:
    told = said(capsys, "outbox", "retry", "1")
    assert (told.code, told.out) == (0, "1 message due again.\n")
    assert states(outbox) == {1: MessageState.PENDING, 2: MessageState.DEAD, 3: MessageState.PENDING}


def test_all_dead_ones_are_retried(outbox: Path, capsys: Capture) -> None:
    assert said(capsys, "outbox", "retry", "--all-dead").out == "2 messages due again.\n"
    assert set(states(outbox).values()) == {MessageState.PENDING}
    again = said(capsys, "outbox", "retry", "--all-dead")
    assert (again.code, again.out) == (0, "0 messages due again.\n")


def test_what_is_not_dead_is_not_retried(outbox: Path, capsys: Capture) -> None:
    told = said(capsys, "outbox", "retry", "1", "3", "99", "--json")
    assert (told.code, json.loads(told.out)) == (1, {"changed": [1], "failed": [3, 99]})
    assert "message 3 is not dead" in told.err


@pytest.mark.parametrize("arguments", [("retry",), ("retry", "1", "--all-dead"), ("drop", "--yes")])
def test_it_has_to_be_said_which(outbox: Path, capsys: Capture, arguments: tuple[str, ...]) -> None:
    assert said(capsys, "outbox", *arguments).code == 2
    assert MessageState.DEAD in states(outbox).values()


def test_dropping_is_asked_first_and_is_for_good(outbox: Path, capsys: Capture) -> None:
    assert said(capsys, "outbox", "drop", "1").code == 2
    told = said(capsys, "outbox", "drop", "1", "3", "--yes")
    assert (told.code, told.out) == (0, "2 messages dropped.\n")
    assert states(outbox) == {1: MessageState.DROPPED, 2: MessageState.DEAD, 3: MessageState.DROPPED}
    assert said(capsys, "outbox", "drop", "1", "--yes").code == 1
    assert said(capsys, "outbox", "retry", "1").code == 1


def test_the_record_says_who_did_it(outbox: Path, capsys: Capture) -> None:
    said(capsys, "outbox", "retry", "1", "2")
    said(capsys, "outbox", "drop", "3", "--yes")
    entries = json.loads(said(capsys, "audit", "list", "--kind", "outbox", "--json").out)
    assert [entry["data"]["what"] for entry in entries] == ["revived", "dropped"]
    assert all(entry["by"].startswith("operator:") for entry in entries)
    table = said(capsys, "audit", "list", "--kind", "outbox").out
    assert "revived message 1, 2" in table
