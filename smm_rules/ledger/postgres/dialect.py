"""The common statements (`ledger.sql`) as PostgreSQL writes them: each is translated once.

- placeholders: `?` and `?2` become `$n`, numbered as SQLite does: `?` is one more than the largest so far;
- lists: `(SELECT value FROM json_each(?))` becomes the elements of a JSON array, as numbers behind `id IN`,
  as texts elsewhere; `json_each(?) name` in a FROM is the same with a column `value`;
- `?2 IS NULL` becomes true or a test of a value: PostgreSQL can't tell the type of what is only NULL;
- `sqlite_sequence`, the IDs given so far, is the table `handed_out`.

Everything else reads the same in both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_LIST = r"SELECT\s+value\s+FROM\s+json_each\(\?(?P<{0}>\d*)\)"
#: What is looked for, the longest first; quoted texts and comments are passed over.
_TOKENS = re.compile(
    r"(?P<quoted>'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|--[^\n]*)"
    rf"|(?P<numbers>(?P<id>\b(?:\w+\.)?id\s+(?:NOT\s+)?IN\s*\(\s*){_LIST.format('of_numbers')})"
    rf"|(?P<texts>{_LIST.format('of_texts')})"
    r"|(?P<table>json_each\(\?(?P<of_table>\d*)\)\s+(?:AS\s+)?(?P<name>\w+))"
    r"|(?P<sequence>\bsqlite_sequence\b)"
    r"|(?P<test>\?(?P<tested>\d+)\s+IS\s+NULL\b)"
    r"|\?(?P<number>\d*)"
)
_ELEMENTS = "jsonb_array_elements_text(${}::text::jsonb)"


class Statement(NamedTuple):
    """A statement for PostgreSQL. `returns` says whether it has rows to return."""

    text: bytes
    returns: bool


def translate(statement: str, values: Sequence[object] = ()) -> Statement:
    """The statement in PostgreSQL's writing, to be run with these values."""
    tested = _tested(statement)
    return _translated(statement, tuple(values[number - 1] is None for number in tested))


@lru_cache(maxsize=1_000)
def _tested(statement: str) -> tuple[int, ...]:
    """The numbers of the placeholders that are tested for NULL."""
    found = _TOKENS.finditer(statement)
    return tuple(sorted({int(token["tested"]) for token in found if token["test"] is not None}))


@lru_cache(maxsize=1_000)
def _translated(statement: str, nulls: tuple[bool, ...]) -> Statement:
    """`nulls` says of each placeholder that is tested whether it is NULL."""
    is_null = dict(zip(_tested(statement), nulls, strict=True))
    largest = 0

    def placeholder(given: str) -> int:
        nonlocal largest
        number = int(given) if given else largest + 1
        largest = max(largest, number)
        return number

    def replaced(found: re.Match[str]) -> str:
        if found["quoted"] is not None:
            return found["quoted"]
        if found["numbers"] is not None:
            elements = _ELEMENTS.format(placeholder(found["of_numbers"]))
            return f"{found['id']}SELECT {elements}::bigint"
        if found["texts"] is not None:
            return f"SELECT {_ELEMENTS.format(placeholder(found['of_texts']))}"
        if found["table"] is not None:
            return f"{_ELEMENTS.format(placeholder(found['of_table']))} AS {found['name']} (value)"
        if found["sequence"] is not None:
            return "handed_out"
        if found["test"] is not None:
            number = placeholder(found["tested"])
            return "TRUE" if is_null[number] else f"${number} IS NULL"
        return f"${placeholder(found['number'])}"

    text = _TOKENS.sub(replaced, statement)
    verb = statement.split(None, 1)[0].upper()
    returns = verb in ("SELECT", "WITH") or re.search(r"\bRETURNING\b", statement) is not None
    return Statement(text.encode(), returns)
