"""The query of a database of orders: one SELECT, read in the order of its watermark, and nothing that writes.

This is a check of what was written, so that a slip is found when the configuration loads. What keeps the
database from being changed is a read-only transaction, and best a user who may do nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from smm_rules.document.types import refuse

#: By this name the query is told where to read on.
SINCE = "since"
_TOKENS = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<named>\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`)"
    r"|(?P<cast>::)"
    r"|(?P<placeholder>:[A-Za-z_]\w*)"
    r"|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<other>.)",
    re.DOTALL,
)
#: Words that stand in no query that only reads.
_WRITING = frozenset(
    {
        "insert", "update", "delete", "merge", "truncate", "drop", "alter", "create", "grant", "revoke",
        "call", "into", "outfile", "dumpfile", "attach", "detach", "pragma", "vacuum", "commit", "rollback",
    }
)  # fmt: skip
#: What stands before SHARE where rows are locked.
_LOCKING = ("for", "in", "key")
_HOW = "Write SELECT … WHERE updated_at > :since ORDER BY updated_at"


class Token(NamedTuple):
    """A piece of the query: its kind, its text (of a name without its quotes), how deep in parentheses."""

    kind: str
    text: str
    depth: int


def check_query(query: str, watermark: str) -> None:
    """Refuses a query that isn't one which reads on by `watermark`; a semicolon at its end does no harm."""
    tokens = list(_tokens(query))
    while tokens and tokens[-1].text == ";":
        tokens.pop()
    if not tokens or tokens[0].text.casefold() not in ("select", "with"):
        refuse("must be one SELECT, which may begin with WITH", _HOW)
    _check_words(tokens)
    _check_placeholders(tokens)
    _check_order(tokens, watermark)


def bindable(query: str) -> str:
    """The query as SQLAlchemy's `text` takes it: a colon within quotes or a comment is no placeholder.

    Without the semicolon at its end.
    """
    return _TOKENS.sub(_escaped, query.strip().rstrip("; \t\r\n"))


def _escaped(found: re.Match[str]) -> str:
    plain = found.lastgroup not in ("text", "named", "comment")
    return found[0] if plain else found[0].replace(":", r"\:")


def _tokens(query: str) -> Iterator[Token]:
    """What the query is made of, without spaces and comments; refused where quotes aren't closed."""
    depth = 0
    for found in _TOKENS.finditer(query):
        kind, text = found.lastgroup or "", found[0]
        if kind == "comment" and text.startswith(("/*!", "/*M!")):
            refuse("must not hold a comment that MySQL carries out", "Leave it out")
        if kind in ("space", "comment"):
            continue
        if kind == "other" and text in "'\"`":
            refuse(f"has a {text} that is never closed", _HOW)
        if text == "$" or text == "\\":
            refuse(f"must not hold a {text}, for each database reads it in another way", "Leave it out")
        depth -= text == ")"
        if kind == "named":
            text = text[1:-1].replace(text[0] * 2, text[0])
        yield Token(kind, text, depth)
        depth += text == "(" and kind == "other"


def _check_words(tokens: list[Token]) -> None:
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.text == ";":
            refuse("must be one statement: a ; stands in the middle of it", "Leave all but the SELECT out")
        word = token.text.casefold()
        if token.kind != "word" or (before is not None and before.text == "."):
            continue
        locks = word == "share" and before is not None and before.text.casefold() in _LOCKING
        if word in _WRITING or locks:
            refuse(
                f"must only read, and {token.text.upper()} doesn't",
                f'If a column is called so, write it in quotes: "{token.text}" (MySQL: `{token.text}`)',
            )


def _check_placeholders(tokens: list[Token]) -> None:
    names = {token.text[1:] for token in tokens if token.kind == "placeholder"}
    for name in sorted(names - {SINCE}):
        refuse(f"has the placeholder :{name}; there is :{SINCE} alone", _HOW)
    if SINCE not in names:
        refuse(f"must read on from where it was, by the placeholder :{SINCE}", _HOW)


def _check_order(tokens: list[Token], watermark: str) -> None:
    """The rows must come in the order of the watermark, and all of them."""
    outer = [token for token in tokens if token.depth == 0]
    words = [token.text.casefold() if token.kind == "word" else "" for token in outer]
    for word in ("limit", "fetch", "offset", "top"):
        if word in words:
            refuse(
                f"must not be cut short by {word.upper()}: rows are read bit by bit anyway", "Leave it out"
            )
    places = [place for place, word in enumerate(words[:-1]) if word == "order" and words[place + 1] == "by"]
    if not places:
        refuse(f"must end in ORDER BY {watermark}, so that reading can stop and go on anywhere", _HOW)
    after = outer[places[-1] + 2 :]
    names = [token.text.casefold() for token in after[:4]]
    if names[1:2] == ["."]:
        names = names[2:]
    if not names or names[0] != watermark.casefold() or names[1:2] not in ([], [","], ["asc"]):
        refuse(f"must be in the order of {watermark} first, upwards", f"Write ORDER BY {watermark}")
