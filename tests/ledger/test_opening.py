"""The ledger that a configuration names."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import pytest

from smm_rules.config.model import Configuration
from smm_rules.config.secrets import SecretUnavailable
from smm_rules.ledger.lock import DaemonLock
from smm_rules.ledger.opening import access_to, daemon_lock, file_of, open_ledger, stamp_of
from smm_rules.ledger.port import LedgerError
from smm_rules.ledger.postgres import PostgresLedger
from smm_rules.ledger.postgres.daemon_lock import PostgresDaemonLock
from smm_rules.ledger.sqlite import SqliteLedger
from smm_rules.ledger.stamp import StampFile
from tests.config.test_load import SOUND, load
from tests.ledger.builders import T0, new_order


def of_file(directory: Path) -> Configuration:
    return load(directory, SOUND.replace("state/ledger.sqlite", "ledger.db"))


def of_database(directory: Path, url: str, more: str = "") -> Configuration:
    text = SOUND.replace("ledger: state/ledger.sqlite", f"ledger: {url}\nstate_directory: .\n{more}")
    return load(directory, text)


async def test_a_file_is_opened(tmp_path: Path) -> None:
    configuration = of_file(tmp_path)
    async with await open_ledger(configuration) as ledger:
        assert isinstance(ledger, SqliteLedger)
    assert isinstance(daemon_lock(configuration), DaemonLock)
    assert file_of(configuration, "do something else") == tmp_path / "ledger.db"
    assert stamp_of(configuration) is None


async def test_a_database_is_opened_and_stamped(tmp_path: Path, ledger_database: str) -> None:
    configuration = of_database(tmp_path, ledger_database)
    async with await open_ledger(configuration, {}) as ledger:
        assert isinstance(ledger, PostgresLedger)
        await ledger.track([new_order(1)], T0)
        head = await ledger.audit_head()
    place = stamp_of(configuration)
    assert place is not None
    assert place.parent == tmp_path
    stamp = StampFile(place).read()
    assert stamp is not None
    assert stamp.head == head
    assert isinstance(daemon_lock(configuration, {}), PostgresDaemonLock)
    with pytest.raises(LedgerError, match=r"is in the database .+; do something else"):
        file_of(configuration, "do something else")


def test_the_password_is_read_from_where_it_is_kept(tmp_path: Path) -> None:
    configuration = of_database(tmp_path, "postgresql:///ledger", "ledger_password: {env: WORD}\n")
    assert access_to(configuration, {"WORD": "s3cret"}).password == "s3cret"
    with pytest.raises(SecretUnavailable, match="WORD is not set"):
        access_to(configuration, {})


def test_a_file_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match="is a file; this needs a ledger in a PostgreSQL database"):
        access_to(of_file(tmp_path), {})


def test_a_missing_client_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = builtins.__import__

    def without(name: str, *given: Any) -> Any:
        if name.startswith("smm_rules.ledger.postgres"):
            raise ImportError("No module named 'psycopg'")
        return whole(name, *given)

    configuration = of_database(tmp_path, "postgresql:///ledger")
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(LedgerError, match=r"pip install 'smm-rules\[postgres\]'"):
        access_to(configuration, {})
