"""The common statements in PostgreSQL's writing."""

from __future__ import annotations

import pytest

from smm_rules.ledger.postgres.dialect import translate

ELEMENTS = "jsonb_array_elements_text(${}::text::jsonb)"


@pytest.mark.parametrize(
    ("common", "written"),
    [
        ("SELECT ?, ?", "SELECT $1, $2"),
        ("SELECT ?2, ?1, ?2", "SELECT $2, $1, $2"),
        ("SELECT ?, ?3, ?", "SELECT $1, $3, $4"),
        ("SELECT '?', \"a?\", ? -- really?\n", "SELECT '?', \"a?\", $1 -- really?\n"),
        ("SELECT 'it''s ?'", "SELECT 'it''s ?'"),
        ("SELECT max(seq) FROM sqlite_sequence", "SELECT max(seq) FROM handed_out"),
        (
            "SELECT 1 WHERE name IN (SELECT value FROM json_each(?))",
            f"SELECT 1 WHERE name IN (SELECT {ELEMENTS.format(1)})",
        ),
        (
            "SELECT 1 WHERE id IN (SELECT value FROM json_each(?2)) AND a = ?1",
            f"SELECT 1 WHERE id IN (SELECT {ELEMENTS.format(2)}::bigint) AND a = $1",
        ),
        (
            "SELECT 1 WHERE e.id NOT IN (SELECT value FROM json_each(?))",
            f"SELECT 1 WHERE e.id NOT IN (SELECT {ELEMENTS.format(1)}::bigint)",
        ),
        (
            "SELECT 1 FROM json_each(?) named CROSS JOIN t WHERE t.a = ?",
            f"SELECT 1 FROM {ELEMENTS.format(1)} AS named (value) CROSS JOIN t WHERE t.a = $2",
        ),
    ],
)
def test_a_statement_is_translated(common: str, written: str) -> None:
    assert translate(common).text.decode() == written


@pytest.mark.parametrize(("value", "test"), [(None, "TRUE"), (7, "$2 IS NULL")])
def test_a_test_for_null_is_one_of_a_value_or_true(value: object, test: str) -> None:
    common = "SELECT 1 WHERE a = ?1 AND (?2 IS NULL OR b = ?2)"
    assert translate(common, (1, value)).text.decode() == f"SELECT 1 WHERE a = $1 AND ({test} OR b = $2)"


@pytest.mark.parametrize(
    ("common", "returns"),
    [
        (" \n SELECT 1", True),
        ("INSERT INTO a VALUES (?) RETURNING id", True),
        ("UPDATE a SET b = 1", False),
        ("DELETE FROM a", False),
    ],
)
def test_it_is_known_which_statements_have_rows(common: str, returns: bool) -> None:
    assert translate(common).returns is returns
