"""`smm-rules orders place`: bought once, told truly, on a real panel over real HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from smm_rules.clock import SystemClock
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.records import DatedBalance, Intent, OrderSource
from smm_rules.ledger.sql.ledger import SqlLedger
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.simulator import Fault, RunningSimulator
from tests.cli.command import configure, said
from tests.cli.daemon_like import OWNER
from tests.cli.test_orders_look import Terminal
from tests.cli.test_orders_track import COMMAND, tracked

Capture = pytest.CaptureFixture[str]
LINK = "https://example.com/p"
PLACE = ("orders", "place", "--service", "1", "--link", LINK, "--quantity", "100")


@pytest.fixture
def north(here: Path, smm_panel: RunningSimulator, monkeypatch: pytest.MonkeyPatch) -> RunningSimulator:
    """The configured panel, running."""
    configure(here, smm_panel.url)
    monkeypatch.setenv("NORTH_KEY", smm_panel.key)
    return smm_panel


def intents(here: Path) -> list[Intent]:
    """Every intent of the ledger, the oldest first."""

    async def read() -> list[Intent]:
        async with await SqliteLedger.open(here / "ledger.db") as ledger:
            return list(reversed(await ledger.intents((), 100)))

    return asyncio.run(read())


def states(here: Path) -> list[str]:
    return [intent.state.value for intent in intents(here)]


# -- by this command itself -----------------------------------------------------------------------------
def test_it_is_bought_and_watched(here: Path, north: RunningSimulator, capsys: Capture) -> None:
    done = said(capsys, *PLACE, "--label", "mine", "--yes")
    [made] = north.journal.orders_made()
    order = tracked(here, str(made.order))
    assert (done.code, done.out) == (
        0,
        f"Order {made.order} was placed on north and is watched from now on (intent 1).\n",
    )
    assert order is not None
    assert (order.service, order.label, order.source) == ("1", "mine", OrderSource.PLACED)
    assert order.parameters == {"link": LINK, "quantity": "100", "rate": "0.90"}


def test_price_and_balance_are_shown_first(here: Path, north: RunningSimulator, capsys: Capture) -> None:
    done = said(capsys, *PLACE, "--yes")
    shown = {line.split(None, 1)[0]: line.split(None, 1)[1].strip() for line in done.err.splitlines()}
    assert shown == {
        "panel": "north",
        "service": "1, Followers [30 days refill] (Default)",
        "link": LINK,
        "quantity": "100",
        "rate": "0.90 USD for 1000",
        "cost": "0.09 USD",
        "balance": "100.00000 USD",
        "left": "then  99.91000 USD",
    }


def test_the_price_is_the_ledgers_and_the_balance_todays(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    """A daemon has read the catalogue; the balance may have moved since it last looked."""
    with daemon_like(here, north, "idle"):
        pass
    catalogues = len(north.journal.requests("services"))
    north.set_balance(Decimal("7.00"))
    done = said(capsys, *PLACE, "--yes")
    assert done.code == 0
    assert "balance    7.00000 USD" in done.err
    assert len(north.journal.requests("services")) == catalogues == 1


@pytest.mark.parametrize(("keep", "state"), [("6.95", "held"), ("6.90", "confirmed")])
def test_the_balance_to_keep_is_kept_of_todays(
    here: Path, north: RunningSimulator, capsys: Capture, keep: str, state: str
) -> None:
    """The ledger's reading is of yesterday, when there was plenty."""
    config = here / "smm-rules.yaml"
    text = config.read_text(encoding="utf-8")
    guarded = text.replace("NORTH_KEY}}", f"NORTH_KEY}}, guards: {{keep_balance: {keep}}}}}")
    config.write_text(guarded, encoding="utf-8")

    async def read_yesterday() -> None:
        at = SystemClock().now() - timedelta(days=1)
        async with await SqliteLedger.open(here / "ledger.db") as ledger:
            await ledger.note_balance("north", DatedBalance(Decimal(100), "USD", at, at))

    asyncio.run(read_yesterday())
    north.set_balance(Decimal("7.00"))
    said(capsys, *PLACE, "--yes")
    assert states(here) == [state]


def test_json_for_scripts(here: Path, north: RunningSimulator, capsys: Capture) -> None:
    done = said(capsys, *PLACE, "--yes", "--json")
    told = json.loads(done.out)
    assert done.code == 0
    assert told["order"] == "1001"
    assert {name: told["intent"][name] for name in ("id", "state", "kind", "reserved", "currency")} == {
        "id": 1,
        "state": "confirmed",
        "kind": "add",
        "reserved": "0.09",
        "currency": "USD",
    }


def test_any_type_of_service_takes_its_parameters(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    done = said(
        capsys, "orders", "place", "-s", "102", "-l", LINK, "--param", "comments=One\nTwo\nThree", "--yes"
    )
    [made] = north.journal.orders_made()
    assert done.code == 0
    assert made.amount == Decimal("0.024")


def test_what_was_read_for_the_price_is_not_written_for_the_rules(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    """A look that no rule was asked about must not count as having watched."""
    said(capsys, *PLACE, "--yes")

    async def known() -> list[object]:
        from smm_rules.facts import Entity, EntityKind

        async with await SqliteLedger.open(here / "ledger.db") as ledger:
            return [
                await ledger.watched(Entity(EntityKind.BALANCE, "north")),
                await ledger.watched(Entity(EntityKind.SERVICE, "north", "1")),
            ]

    assert asyncio.run(known()) == [None, None]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("-s", "99", "-l", LINK, "--quantity", "100"), 2, "no service 99 in its catalogue"),
        (("-s", "1", "-l", LINK, "--quantity", "10"), 2, "service 1 takes 50 at least"),
        (("-s", "1", "--quantity", "100"), 2, "link is missing; give them with --link"),
        (("-s", "1", "-l", LINK, "--quantity", "100", "--param", "lnik=x"), 2, "lnik is no parameter of it"),
        (("-l", LINK, "--quantity", "100"), 2, "no service is named"),
        (("-s", "1", "-l", LINK, "--panel", "nort"), 2, 'Did you mean "north"?'),
        (("-s", "4", "-l", LINK, "--quantity", "20000"), 0, ""),
        (("-s", "102", "-l", LINK, "--param", "comments=" + "a\n" * 1400), 0, ""),
    ],
)
def test_what_is_bound_to_be_refused_is_never_asked(
    here: Path, north: RunningSimulator, capsys: Capture, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = said(capsys, "orders", "place", *arguments, "--yes")
    assert done.code == code
    assert words in done.err
    assert len(north.journal.requests("add")) == (1 if code == 0 else 0)


def test_too_little_money_places_nothing(here: Path, north: RunningSimulator, capsys: Capture) -> None:
    north.set_balance(Decimal("0.05"))
    done = said(capsys, *PLACE, "--yes")
    assert done.code == 5
    assert "it costs 0.09, north has 0.05" in done.err
    assert (states(here), north.journal.requests("add")) == ([], ())


def test_a_dry_run_buys_nothing(
    here: Path, north: RunningSimulator, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SMM_RULES_MODE", "dry_run")
    done = said(capsys, *PLACE, "--yes")
    assert (done.code, done.out) == (1, "")
    assert "mode: dry_run" in done.err
    assert north.journal.requests() == ()


def test_without_a_terminal_it_needs_yes(here: Path, north: RunningSimulator, capsys: Capture) -> None:
    done = said(capsys, *PLACE)
    assert done.code == 2
    assert "say --yes" in done.err
    assert (states(here), north.journal.requests("add")) == ([], ())


@pytest.mark.parametrize(("answer", "code", "bought"), [("y\n", 0, 1), ("\n", 1, 0)])
def test_on_a_terminal_it_asks(
    here: Path,
    north: RunningSimulator,
    capsys: Capture,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
    bought: int,
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    done = said(capsys, *PLACE)
    assert (done.code, len(north.journal.orders_made())) == (code, bought)
    assert "Place this order?" in done.err


def test_a_panel_that_cant_be_reached_is_told(
    here: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from smm_rules.panel.client import PanelClient
    from smm_rules.panel.errors import NotSent

    async def unreachable(_: PanelClient) -> None:
        raise NotSent("connection refused")

    configure(here, "http://127.0.0.1:9/api/v2")
    monkeypatch.setenv("NORTH_KEY", "k")
    monkeypatch.setattr(PanelClient, "services", unreachable)
    done = said(capsys, *PLACE, "--yes")
    assert (done.code, done.out, done.err) == (5, "", "error: connection refused\n")


def test_a_refusal_is_told_in_the_panels_words(here: Path, north: RunningSimulator, capsys: Capture) -> None:
    done = said(capsys, "orders", "place", "-s", "1", "-l", "not a link", "--quantity", "100", "--yes")
    assert (done.code, done.out) == (5, "")
    assert "Refused by north:" in done.err
    assert "Nothing was bought (intent 1)." in done.err
    assert (states(here), north.journal.orders_made()) == (["rejected"], ())


@pytest.mark.parametrize("fault", [Fault.RATE_LIMITED])
def test_what_could_not_be_sent_is_never_sent_later(
    here: Path, north: RunningSimulator, capsys: Capture, fault: Fault
) -> None:
    """The operator has been told that nothing was bought: a daemon started later must not buy it."""
    north.faults.next("add", fault)
    done = said(capsys, *PLACE, "--yes")
    assert done.code == 5
    assert "Not sent:" in done.err
    assert (states(here), north.journal.orders_made()) == (["not_sent"], ())


def test_what_the_balance_no_longer_bears_is_withdrawn(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    """An earlier purchase in doubt may have spent the money: the executor waits, this command doesn't."""
    north.faults.next("add", Fault.CLOSE_BEFORE_EFFECT)
    north.set_balance(Decimal("0.10"))
    first = said(capsys, *PLACE, "--yes")
    second = said(capsys, *PLACE, "--yes")
    assert (first.code, second.code) == (1, 5)
    assert "it costs 0.09 beside 0.09 that other actions may have spent" in second.err
    assert states(here) == ["unknown", "not_sent"]


@pytest.mark.parametrize(
    ("fault", "bought", "evidence"),
    [
        (Fault.CLOSE_AFTER_EFFECT, 1, "it probably happened"),
        (Fault.HTML_BEFORE_EFFECT, 0, "it probably didn't happen"),
    ],
)
def test_an_unknown_outcome_is_told_loudly(
    here: Path, north: RunningSimulator, capsys: Capture, fault: Fault, bought: int, evidence: str
) -> None:
    north.faults.next("add", fault)
    done = said(capsys, *PLACE, "--yes")
    assert (done.code, done.out, len(north.journal.orders_made())) == (1, "", bought)
    for words in (
        "IN DOUBT",
        "Do NOT place it again",
        evidence,
        "smm-rules intents resolve 1 --happened ORDER",
        "smm-rules intents resolve 1 --did-not",
    ):
        assert words in done.err
    assert len(north.journal.requests("add")) == 1


def test_an_outcome_the_ledger_didnt_take_is_told(
    here: Path, north: RunningSimulator, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise LedgerError("the disk is full")

    monkeypatch.setattr(SqlLedger, "settle", full)
    done = said(capsys, *PLACE, "--yes")
    assert (done.code, done.out) == (4, "")
    assert "The outcome was: confirmed 1001." in done.err
    assert "Do NOT place it again" in done.err
    assert states(here) == ["sending"]


def test_the_key_is_in_no_output(here: Path, north: RunningSimulator, capsys: Capture) -> None:
    done = [said(capsys, *PLACE, "--yes"), said(capsys, *PLACE, "--yes", "--json"), said(capsys, *PLACE)]
    assert north.key not in "".join(one.out + one.err for one in done)


# -- beside another process -----------------------------------------------------------------------------
@contextmanager
def daemon_like(here: Path, panel: RunningSimulator, work: str) -> Iterator[None]:
    """Another process that holds the ledger's lock, and works or sits idle."""
    arguments = [
        sys.executable,
        "-m",
        "tests.cli.daemon_like",
        str(here / "ledger.db"),
        panel.url,
        panel.key,
        work,
    ]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        arguments, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "ready\n"
            yield
        finally:
            process.stdin.close()
            process.wait(30)


def test_a_running_daemon_does_it_and_is_waited_for(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    with daemon_like(here, north, "work"):
        done = said(capsys, *PLACE, "--yes")
        refused = said(capsys, "orders", "place", "-s", "1", "-l", "no link", "--quantity", "100", "--yes")
    assert (done.code, done.out.startswith("Order 1001 was placed on north")) == (0, True)
    assert refused.code == 5
    assert [intent.owner for intent in intents(here)] == [OWNER, OWNER]
    assert len(north.journal.orders_made()) == 1


def test_a_daemon_that_takes_longer_is_not_overtaken(
    here: Path, north: RunningSimulator, capsys: Capture
) -> None:
    with daemon_like(here, north, "idle"):
        late = said(capsys, *PLACE, "--yes", "--timeout", "0")
        left = said(capsys, *PLACE, "--yes", "--no-wait")
    assert (late.code, late.out) == (1, "")
    assert "Not done yet: intent 1 is planned. The daemon goes on with it: don't place it again." in late.err
    assert (left.code, left.out) == (
        0,
        "Planned as intent 2; the daemon sends it. See: smm-rules intents show 2\n",
    )
    assert (states(here), north.journal.requests("add")) == (["planned", "planned"], ())


def test_interrupted_while_waiting_it_is_left_to_the_daemon(here: Path, north: RunningSimulator) -> None:
    with daemon_like(here, north, "idle"):
        command = subprocess.Popen(
            [COMMAND, *PLACE, "--yes"], cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        eventually(lambda: states(here))
        os.kill(command.pid, signal.SIGINT)
        out, err = command.communicate(timeout=60)
    assert (command.returncode, out) == (130, "")
    assert "Interrupted: intent 1 is planned." in err
    assert states(here) == ["planned"]


def test_several_at_once_buy_one_each(here: Path, north: RunningSimulator) -> None:
    commands = [
        subprocess.Popen([COMMAND, *PLACE, "--yes"], cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    told = [command.communicate(timeout=60)[0] for command in commands]
    assert [command.returncode for command in commands] == [0, 0, 0]
    assert len(set(told)) == 3
    assert (states(here), len(north.journal.orders_made())) == (["confirmed"] * 3, 3)


def eventually(happened: Callable[[], object]) -> None:
    """Wait for what another process does and no event tells of."""
    for _ in range(3_000):
        if happened():
            return
        time.sleep(0.01)
    raise AssertionError("it never happened")


def test_interrupted_while_the_panel_is_silent_it_is_in_doubt(here: Path, north: RunningSimulator) -> None:
    north.faults.next("add", Fault.HANG_AFTER_EFFECT)
    command = subprocess.Popen(
        [COMMAND, *PLACE, "--yes"], cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    eventually(lambda: north.journal.requests("add"))
    os.kill(command.pid, signal.SIGINT)
    out, err = command.communicate(timeout=60)
    assert (command.returncode, out) == (130, "")
    assert "Interrupted: intent 1 is unknown." in err
    assert (states(here), len(north.journal.orders_made())) == (["unknown"], 1)
