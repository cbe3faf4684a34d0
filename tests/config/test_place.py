"""Where the ledger is: a file, or a database whose address holds no password and lets nobody read along."""

from __future__ import annotations

from pathlib import Path

import pytest

from smm_rules.config import SecretReference
from smm_rules.config.place import DatabaseAddress
from tests.config.test_load import SOUND, load, problems

STATE = "state_directory: state\n"


def with_ledger(address: str, more: str = STATE) -> str:
    return SOUND.replace("ledger: state/ledger.sqlite\n", f"ledger: {address}\n{more}")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("postgresql://ann@127.0.0.1/ledger", "ledger@127.0.0.1"),
        ("postgresql://ann@127.0.0.1:5433/ledger", "ledger@127.0.0.1:5433"),
        ("postgres://localhost/ledger", "ledger@localhost"),
        ("postgresql://[::1]:5433/ledger", "ledger@[::1]:5433"),
        ("postgresql:///ledger?host=/var/run/postgresql", "ledger@_var_run_postgresql"),
        ("postgresql:///ledger", "ledger@local"),
        ("postgresql://ann@db.example/ledger?sslmode=verify-full", "ledger@db.example"),
        ("postgresql://ann@one.example,two.example/l?sslmode=require", "l@one.example+two.example"),
    ],
)
def test_a_database_is_known_by_its_address(tmp_path: Path, address: str, name: str) -> None:
    configuration = load(tmp_path, with_ledger(address))
    assert configuration.ledger == DatabaseAddress(address, name)
    assert str(configuration.ledger) == address
    assert configuration.state_directory == tmp_path / "state"


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("postgresql://ann:secret@127.0.0.1/ledger", "must not hold a password"),
        ("postgresql://127.0.0.1/ledger?password=secret", "must not hold a password"),
        ("postgresql://ann@db.example/ledger", "must be encrypted to another machine"),
        ("postgresql://ann@db.example/ledger?sslmode=prefer", "must be encrypted to another machine"),
        ("postgresql://127.0.0.1,db.example/ledger", "must be encrypted to another machine"),
        ("postgresql:///ledger?host=db.example", "must be encrypted to another machine"),
        ("postgresql://ann@127.0.0.1", "must name a database"),
        ("postgresql://ann@127.0.0.1/", "must name a database"),
        ("postgresql://ann@127.0.0.1/a/b", "must name a database"),
        ("postgresql://ann@127.0.0.1/ledger?sslmode", "must be the address of a database"),
        ("mysql://ann@127.0.0.1/ledger", "must be the path of a file or the address of a database"),
    ],
)
def test_an_address_is_refused(tmp_path: Path, address: str, words: str) -> None:
    [problem] = problems(tmp_path, with_ledger(address))
    assert words in problem.message
    assert "secret" not in problem.message.replace("must not hold", "") + problem.suggestion


def test_a_database_needs_a_directory_of_this_machine(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, with_ledger("postgresql:///ledger", ""))
    assert "`state_directory` is needed" in problem.message


@pytest.mark.parametrize("key", ["state_directory: here", "ledger_password: {env: WORD}"])
def test_a_file_has_neither_password_nor_directory(tmp_path: Path, key: str) -> None:
    [problem] = problems(tmp_path, SOUND + key + "\n")
    assert "belongs to a ledger in a database" in problem.message


def test_its_password_is_among_the_secrets(tmp_path: Path) -> None:
    more = STATE + "ledger_password: {credential: ledger}\n"
    configuration = load(tmp_path, with_ledger("postgresql:///ledger", more))
    assert SecretReference(credential="ledger") in configuration.references


def test_the_environment_names_a_database_as_well(tmp_path: Path) -> None:
    given = {"SMM_RULES_LEDGER": "postgresql:///other", "SMM_RULES_STATE_DIRECTORY": "/var/lib/x"}
    configuration = load(tmp_path, SOUND, given)
    assert configuration.ledger == DatabaseAddress("postgresql:///other", "other@local")
    assert configuration.state_directory == Path("/var/lib/x")
