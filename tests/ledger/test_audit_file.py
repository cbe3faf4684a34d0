"""The record of decisions under the hands of somebody who can write to the file."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import apsw
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smm_rules.ledger.audit import AuditKind, Head, RuleText
from smm_rules.ledger.sql import audit
from smm_rules.ledger.sqlite.connection import open_connection, open_in_memory
from tests.ledger.builders import MINUTE, T0

ENTRIES = 6


def _filled(connection: apsw.Connection) -> apsw.Connection:
    audit.rules_in_force(connection, [RuleText("top-up", "v1", "- name: top-up\n")], T0, "daemon", [])
    for number in range(1, ENTRIES):
        data = {"number": number}
        audit.append(connection, T0 + number * MINUTE, AuditKind.PAUSE, "operator:ann", "x", data)
    return connection


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET data = '{}' WHERE id = 3",
        "DELETE FROM audit WHERE id = 3",
        "DELETE FROM audit",
        "UPDATE rule_versions SET text = ''",
        "DELETE FROM rule_versions",
    ],
)
def test_the_file_refuses_to_change_what_is_recorded(statement: str) -> None:
    with closing(_filled(open_in_memory())) as connection:
        with pytest.raises(apsw.ConstraintError, match="never"):
            connection.execute(statement)
        assert audit.verify(connection).entries == ENTRIES


def test_only_what_a_checkpoint_sealed_may_go() -> None:
    with closing(_filled(open_in_memory())) as connection:
        assert audit.seal(connection, T0 + 2 * MINUTE, T0 + 9 * MINUTE) == 2
        with pytest.raises(apsw.ConstraintError, match="never shortened"):
            connection.execute("DELETE FROM audit WHERE id = 3")


def _without_triggers(connection: apsw.Connection) -> None:
    names = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    for (name,) in names:
        connection.execute(f"DROP TRIGGER {name}")


def _alter(connection: apsw.Connection, entry: int) -> int:
    connection.execute("UPDATE audit SET data = '{\"number\":99}' WHERE id = ?", (entry,))
    return entry


def _alter_and_hash(connection: apsw.Connection, entry: int) -> int:
    """Its own hash is made right, so the next one no longer follows; for the last nothing shows it."""
    _alter(connection, entry)
    previous = connection.execute("SELECT hash FROM audit WHERE id = ?", (entry - 1,)).get
    [row] = connection.execute("SELECT * FROM audit WHERE id = ?", (entry,)).fetchall()
    hashed = audit.digest(previous or audit.Head().hash, *row[:-1])
    connection.execute("UPDATE audit SET hash = ? WHERE id = ?", (hashed, entry))
    return entry + 1


def _remove(connection: apsw.Connection, entry: int) -> int:
    connection.execute("DELETE FROM audit WHERE id = ?", (entry,))
    return entry


def _insert(connection: apsw.Connection, entry: int) -> int:
    connection.execute("UPDATE audit SET id = id + 100 WHERE id >= ?", (entry,))
    connection.execute("UPDATE audit SET id = id - 99 WHERE id > 100")
    connection.execute(
        "INSERT INTO audit SELECT ?, at, kind, by, subject, data, hash FROM audit WHERE id = 1", (entry,)
    )
    return entry


def _swap(connection: apsw.Connection, entry: int) -> int:
    connection.execute("UPDATE audit SET id = -1 WHERE id = ?", (entry,))
    connection.execute("UPDATE audit SET id = ? WHERE id = ?", (entry, entry + 1))
    connection.execute("UPDATE audit SET id = ? WHERE id = -1", (entry + 1,))
    return entry


Tamper = Callable[[apsw.Connection, int], int]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tamper=st.sampled_from([_alter, _alter_and_hash, _remove, _insert, _swap]),
    entry=st.integers(2, ENTRIES - 1),
)
def test_whatever_is_done_to_an_entry_the_first_bad_one_is_named(tamper: Tamper, entry: int) -> None:
    with closing(_filled(open_in_memory())) as connection:
        noted = audit.head(connection)
        _without_triggers(connection)
        expected = tamper(connection, entry)
        found = audit.verify(connection, [noted])
        assert found.fault is not None
        assert found.fault.entry == expected


def test_an_end_cut_off_shows_by_what_was_handed_out() -> None:
    with closing(_filled(open_in_memory())) as connection:
        _without_triggers(connection)
        connection.execute("DELETE FROM audit WHERE id > 4")
        found = audit.verify(connection)
        assert found.fault is not None
        assert found.fault.entry == 5
        audit.append(connection, T0, AuditKind.PAUSE, "", "", {})  # business goes on: the gap stays
        found = audit.verify(connection)
        assert found.fault is not None
        assert (found.fault.entry, found.fault.what) == (5, "entry 5 to 6 is missing")


def test_entries_that_are_missing_are_named() -> None:
    for missing, words in (((3,), "entry 3 is missing"), ((3, 4), "entry 3 to 4 is missing")):
        with closing(_filled(open_in_memory())) as connection:
            _without_triggers(connection)
            connection.executemany("DELETE FROM audit WHERE id = ?", [(one,) for one in missing])
            found = audit.verify(connection)
            assert found.fault is not None
            assert (found.fault.entry, found.fault.what) == (3, words)


def test_an_altered_last_entry_shows_by_the_head_noted_elsewhere() -> None:
    with closing(_filled(open_in_memory())) as connection:
        noted = audit.head(connection)
        _without_triggers(connection)
        _alter_and_hash(connection, ENTRIES)
        assert audit.verify(connection).fault is None
        found = audit.verify(connection, [noted])
        assert found.fault is not None
        assert found.fault.entry == ENTRIES


def test_a_beginning_cut_off_without_a_checkpoint_shows() -> None:
    with closing(_filled(open_in_memory())) as connection:
        _without_triggers(connection)
        connection.execute("DELETE FROM audit WHERE id < 3")
        found = audit.verify(connection)
        assert found.fault is not None
        assert found.fault.entry == 1


def test_more_cut_off_than_was_sealed_shows() -> None:
    with closing(_filled(open_in_memory())) as connection:
        audit.seal(connection, T0 + 2 * MINUTE, T0 + 9 * MINUTE)
        _without_triggers(connection)
        connection.execute("DELETE FROM audit WHERE id < 4")
        found = audit.verify(connection)
        assert found.fault is not None
        assert found.fault.entry == 4


def test_an_altered_rule_text_shows() -> None:
    with closing(_filled(open_in_memory())) as connection:
        _without_triggers(connection)
        connection.execute("UPDATE rule_versions SET text = 'when: true'")
        found = audit.verify(connection)
        assert found.fault is not None
        assert (found.fault.entry, "top-up" in found.fault.what) == (1, True)


def test_the_record_survives_the_process(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(_filled(open_connection(path))) as connection:
        head = audit.head(connection)
    with closing(open_connection(path)) as connection:
        assert audit.head(connection) == head
        assert audit.verify(connection, [head]).fault is None


def test_a_head_is_read_as_it_is_written() -> None:
    head = Head(12, "0123456789abcdef" * 4)
    assert Head.parse(f" {head}\n") == head


@pytest.mark.parametrize(
    "text",
    ["", "12", "12:", f":{'a' * 64}", f"x:{'a' * 64}", f"12:{'a' * 63}", f"12:{'a' * 65}", f"12:{'G' * 64}"],
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no head of a record; it looks like"):
        Head.parse(text)
