"""`smm-rules worker`: where it can't work it says why, and with what exit code."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from smm_rules.cli.exits import Exit
from smm_rules.ledger.postgres import Access
from smm_rules.ledger.postgres.daemon_lock import PostgresDaemonLock
from tests.cli.command import KEY, configure, said

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def configuration(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NORTH_KEY", KEY)
    return configure(here)


def in_database(configuration: Path, url: str) -> None:
    text = configuration.read_text(encoding="utf-8")
    text = text.replace("ledger: ledger.db\n", f"ledger: {url}\nstate_directory: .\n")
    configuration.write_text(text, encoding="utf-8")


def test_a_ledger_in_a_file_is_one_daemons(configuration: Path, capsys: Capture) -> None:
    refused = said(capsys, "worker")
    assert refused.code == Exit.LEDGER
    assert "needs a ledger in a PostgreSQL database" in " ".join(refused.err.split())


def test_a_daemon_at_work_is_named(configuration: Path, ledger_database: str, capsys: Capture) -> None:
    in_database(configuration, ledger_database)
    with PostgresDaemonLock(Access(ledger_database)):
        refused = said(capsys, "worker")
    assert refused.code == Exit.LEDGER
    assert "stop the daemon first" in " ".join(refused.err.split())


def test_without_its_packages_it_says_what_to_install(
    configuration: Path, ledger_database: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_database(configuration, ledger_database)
    monkeypatch.setitem(sys.modules, "smm_rules.cluster.worker", None)
    refused = said(capsys, "worker")
    assert refused.code == Exit.CONFIGURATION
    assert "pip install 'smm-rules[cluster]'" in " ".join(refused.err.split())
