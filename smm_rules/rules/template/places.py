"""Where the words of a template stand: Jinja2's tree knows only lines, its lexer knows every token."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from jinja2 import Environment, TemplateSyntaxError

from smm_rules.rules.template.plain import WORDS


class Role(StrEnum):
    """What a word is in a template."""

    NAME = "name"
    FILTER = "filter"
    TEST = "test"
    TAG = "tag"
    OPERATOR = "operator"
    CALL = "call"


@dataclass(frozen=True, slots=True)
class Piece:
    """One token: its kind in Jinja2's words, its text, its offset and its line (from 1)."""

    kind: str
    text: str
    offset: int
    line: int


_BEGINNINGS = ("variable_begin", "block_begin", "comment_begin")


def pieces(environment: Environment, text: str) -> tuple[Piece, ...]:
    """The tokens of `text` without spaces, as far as it can be read."""
    return tuple(_pieces(environment, text))


def _pieces(environment: Environment, text: str) -> Iterator[Piece]:
    offset = 0
    try:
        for line, kind, token in environment.lex(text):
            found = text.find(token, offset)
            if found < 0:
                # Jinja2 has made the line ends of the text its own; the place before is near enough.
                found = offset
            offset = found + len(token)
            if kind not in ("whitespace", "data", "comment", "comment_end"):
                yield Piece(kind, token, found, line)
    except TemplateSyntaxError:
        return


class Places:
    """The offsets of every word by its role, handed out in order."""

    def __init__(self, environment: Environment, text: str) -> None:
        self._text = text
        self._pieces = pieces(environment, text)
        self._waiting: dict[tuple[Role, str], list[int]] = defaultdict(list)
        for role, word, offset in _roles(self._pieces):
            self._waiting[role, word].append(offset)

    def next(self, role: Role, word: str, line: int) -> int:
        """The place of the next `word` in that role, or of the first tag of the line."""
        waiting = self._waiting[role, word]
        return waiting.pop(0) if waiting else self.line(line)

    def line(self, line: int) -> int:
        """The place of the first tag on a line, or of the line."""
        for piece in self._pieces:
            if piece.line == line and piece.kind in _BEGINNINGS:
                return piece.offset
        starts = [0, *(match.end() for match in re.finditer("\n", self._text))]
        return min(starts[min(line, len(starts)) - 1], max(len(self._text) - 1, 0))

    def text(self, word: str, line: int) -> int | None:
        """The place of the first token `word` on a line."""
        return next((p.offset for p in self._pieces if p.line == line and p.text == word), None)


def _roles(tokens: tuple[Piece, ...]) -> Iterator[tuple[Role, str, int]]:
    for index, piece in enumerate(tokens):
        before = tokens[index - 1] if index else piece
        if piece.kind == "operator":
            yield Role.OPERATOR, piece.text, piece.offset
            if piece.text == "(" and (before.kind == "name" or before.text in (")", "]")):
                yield Role.CALL, "", piece.offset
        elif piece.kind == "name" and before.text != ".":
            yield from _name(tokens, index)


def _name(tokens: tuple[Piece, ...], index: int) -> Iterator[tuple[Role, str, int]]:
    piece = tokens[index]
    before = [token.text for token in tokens[max(index - 2, 0) : index]]
    if before[-1:] == ["|"]:
        yield Role.FILTER, piece.text, piece.offset
    elif before[-1:] == ["is"] or before == ["is", "not"]:
        yield Role.TEST, piece.text, piece.offset
    elif index and tokens[index - 1].kind == "block_begin":
        yield Role.TAG, piece.text, piece.offset
    elif piece.text not in WORDS:
        yield Role.NAME, _dotted(tokens, index), piece.offset


def _dotted(tokens: tuple[Piece, ...], index: int) -> str:
    name = tokens[index].text
    while index + 2 < len(tokens) and tokens[index + 1].text == "." and tokens[index + 2].kind == "name":
        index += 2
        name += f".{tokens[index].text}"
    return name
