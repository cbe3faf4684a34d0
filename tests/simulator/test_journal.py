"""The journal says what happened, all of it, and outlives its writer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from smm_rules.simulator import Fault, Journal, Kind, RunningSimulator, Simulator, SimulatorSettings
from tests.simulator.conftest import Caller

ADD = {"service": "1", "quantity": "100", "link": "https://example.com/p"}


@pytest.fixture
def smm_panel_settings(request: pytest.FixtureRequest, tmp_path: Path) -> SimulatorSettings:
    """Every test here runs on a journal in memory and on one in a file."""
    path = tmp_path / "journal.jsonl" if request.param == "file" else None
    return SimulatorSettings(speed=0, journal=path)


both = pytest.mark.parametrize("smm_panel_settings", ["memory", "file"], indirect=True)
in_file = pytest.mark.parametrize("smm_panel_settings", ["file"], indirect=True)


@both
def test_every_request_is_there_as_it_arrived(ask: Caller, smm_panel: RunningSimulator) -> None:
    ask("balance")
    ask("add", **ADD)
    ask("nonsense", x="é\n1")
    ask("balance", key="wrong")
    seen = [(entry.action, entry.key, dict(entry.parameters)) for entry in smm_panel.journal.requests()]
    assert seen == [
        ("balance", "default", {}),
        ("add", "default", ADD),
        ("nonsense", "default", {"x": "é\n1"}),
        ("balance", "", {}),
    ]


@both
def test_every_effect_names_its_request(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = str(ask("add", **ADD)["order"])
    other = str(ask("add", **ADD)["order"])
    smm_panel.set_status(order, "Completed")
    ask("refill", order=order)
    ask("cancel", orders=other)
    smm_panel.set_status(other, "In progress", 50)
    smm_panel.advance(timedelta(hours=1))
    smm_panel.set_balance(Decimal("5"))
    journal = smm_panel.journal
    actions = {entry.n: entry.action for entry in journal.requests()}
    told = [
        (entry.kind, entry.order, entry.amount, actions.get(entry.request)) for entry in journal.effects()
    ]
    assert [line for line in told if line[0] is not Kind.REFILL_ENDED] == [
        (Kind.ORDER_MADE, order, Decimal("0.09"), "add"),
        (Kind.ORDER_MADE, other, Decimal("0.09"), "add"),
        (Kind.REFILL_MADE, order, Decimal(0), "refill"),
        (Kind.CANCEL_ACCEPTED, other, Decimal(0), "cancel"),
        (Kind.CANCELED, other, Decimal(0), None),
        (Kind.REFUND, other, Decimal("0.045"), None),
        (Kind.BALANCE_CHANGED, "", Decimal("5") - Decimal("99.865"), None),
    ]
    assert [entry.n for entry in journal.entries] == list(range(1, len(journal.entries) + 1))
    assert journal.spent() == Decimal("0.135")


@both
def test_duplicates_are_equal_paid_effects(ask: Caller, smm_panel: RunningSimulator) -> None:
    for quantity in (100, 100, 200):
        ask("add", **ADD | {"quantity": str(quantity)})
    assert [[entry.order for entry in group] for group in smm_panel.journal.duplicates()] == [
        ["1001", "1002"]
    ]


@both
def test_a_refused_action_is_a_request_without_an_effect(ask: Caller, smm_panel: RunningSimulator) -> None:
    ask("refill", order="1001")
    assert len(smm_panel.journal.requests("refill")) == 1
    assert smm_panel.journal.paid_effects() == ()


@both
def test_the_key_is_never_written(ask: Caller, smm_panel: RunningSimulator) -> None:
    ask("add", **ADD)
    ask("balance", key="another-secret")
    told = repr(smm_panel.journal.entries) + repr(smm_panel.settings)
    if smm_panel.settings.journal is not None:
        told += smm_panel.settings.journal.read_text()
    assert [secret for secret in (smm_panel.key, "another-secret") if secret in told] == []


@in_file
def test_an_effect_is_on_the_disk_before_its_answer_leaves(
    ask: Caller, smm_panel: RunningSimulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = smm_panel.settings.journal
    assert path is not None
    synced: list[int] = []
    fsync = os.fsync

    def counting(descriptor: int) -> None:
        fsync(descriptor)
        synced.append(len(Journal.read(path).orders_made()))

    monkeypatch.setattr(os, "fsync", counting)
    smm_panel.faults.next("add", Fault.CLOSE_AFTER_EFFECT)
    with pytest.raises(httpx.TransportError):
        ask("add", **ADD)
    assert synced == [1]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_journal_survives_a_kill_and_goes_on(tmp_path: Path, client: httpx.Client) -> None:
    path = tmp_path / "journal.jsonl"
    script = (
        "import sys; from pathlib import Path; from smm_rules.simulator import SimulatorSettings, serve\n"
        "serve(SimulatorSettings(journal=Path(sys.argv[1])), lambda panel: print(panel.url, flush=True))"
    )
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        form = {"key": SimulatorSettings().accounts[0].key, "action": "add", **ADD}
        answers = [client.post(url, data=form).json() for _ in range(3)]
        process.send_signal(signal.SIGKILL)
    with path.open("ab") as torn:
        torn.write(b'{"n": 99, "kind": "ord')
    assert [int(entry.order) for entry in Journal.read(path).orders_made()] == [
        answer["order"] for answer in answers
    ]
    again = Simulator(SimulatorSettings(journal=path))
    again.api.answer(form)
    assert [entry.order for entry in again.journal.orders_made()] == ["1001", "1002", "1003", "1004"]
    again.close()


def test_serve_stops_cleanly_on_sigterm(tmp_path: Path) -> None:
    script = (
        "from smm_rules.simulator import SimulatorSettings, serve\n"
        "serve(SimulatorSettings(), lambda panel: print(panel.url, flush=True)); print('stopped')"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()
    assert (process.returncode, rest) == (0, "stopped\n")


@in_file
def test_a_closed_journal_stays_as_it_was(ask: Caller, smm_panel: RunningSimulator) -> None:
    order = smm_panel.add_order(1, 1000, status="In progress", remains=400)
    ask("cancel", orders=order)
    smm_panel.close()
    before = smm_panel.journal
    smm_panel.clock.advance(timedelta(hours=1))
    assert smm_panel.journal == before
