"""The grammar: do the tokens make a sentence? Plain answers first, then Python's own parser.

Every operand is handed to the parser as a stand-in name (`t3` for token 3), so that the tree holds names,
operators, brackets and nothing else, whatever the condition's text was.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from smm_rules.rules.condition.complaint import Complaint
from smm_rules.rules.condition.functions import FUNCTIONS
from smm_rules.rules.condition.tokens import Token, TokenKind

DEEPEST = 20
_CLOSING = {"(": ")", "[": "]"}
_SIGNS = frozenset({"not", "-"})
#: After these, `not` may begin a value; after an operator it needs parentheses.
_BEFORE_NOT = frozenset({"", "(", "[", ",", "and", "or", "not"})


@dataclass(frozen=True, slots=True)
class Parsed:
    """A syntax tree over stand-ins. `starts` and `ends` give the source's offsets for the tree's columns."""

    source: str
    tokens: tuple[Token, ...]
    tree: ast.expr
    starts: dict[int, int]
    ends: dict[int, int]

    def token(self, name: ast.Name) -> Token:
        """The token a stand-in stands for."""
        return self.tokens[int(name.id[1:])]

    def word_before(self, name: ast.Name) -> str:
        """The word of the token before a stand-in's, empty for the first."""
        index = int(name.id[1:])
        return self.tokens[index - 1].word if index else ""

    def start(self, node: ast.expr) -> int:
        """Where a part begins in the source."""
        return self.starts[node.col_offset]

    def text(self, node: ast.expr) -> str:
        """A part as written, on one line."""
        assert node.end_col_offset is not None
        return self.source[self.start(node) : self.ends[node.end_col_offset]].replace("\n", " ")


def sentence_complaints(tokens: tuple[Token, ...]) -> list[Complaint]:
    """What keeps the tokens of a text from being a sentence."""
    return list(_Reader(tokens).complaints())


def parse(source: str, tokens: tuple[Token, ...]) -> Parsed | Complaint:
    """The tree of tokens that make a sentence, or what the parser still found."""
    starts: dict[int, int] = {}
    ends: dict[int, int] = {}
    pieces: list[str] = []
    column = 0
    for index, token in enumerate(tokens):
        piece = token.word if token.kind is TokenKind.MARK else f"t{index}"
        starts[column] = token.start
        ends[column + len(piece)] = token.end
        pieces.append(piece)
        column += len(piece) + 1
    try:
        tree = ast.parse(" ".join(pieces), mode="eval").body
    except SyntaxError as error:
        place = max((error.offset or 1) - 1, 0)
        return Complaint(starts.get(place, 0), "the condition can't be understood from here on")
    except (RecursionError, MemoryError, ValueError):
        return Complaint(0, "the condition is nested too deeply", "Split it into several rules")
    return Parsed(source, tokens, tree, starts, ends)


@dataclass(slots=True)
class _Reader:
    """Walks over the tokens, expecting by turns a value and an operator."""

    tokens: tuple[Token, ...]
    open: list[Token] = field(default_factory=list)
    signs: int = 0
    wants_value: bool = True
    previous: Token | None = None

    def complaints(self) -> Iterator[Complaint]:
        if not self.tokens:
            yield Complaint(0, "the condition is empty", 'Write one like `status == "Partial"`')
            return
        for index, token in enumerate(self.tokens):
            following = self.tokens[index + 1] if index + 1 < len(self.tokens) else None
            read = self._value if self.wants_value else self._operator
            yield from read(token, following)
            self.previous = token
        yield from self._end()

    def _value(self, token: Token, following: Token | None) -> Iterator[Complaint]:
        if token.kind is not TokenKind.MARK:
            called = following is not None and following.word == "(" and token.kind is TokenKind.NAME
            self.wants_value = called
            self.signs = 0
            if token.word in FUNCTIONS and not called:
                example = FUNCTIONS[token.word].example
                yield Complaint(token.start, f"`{token.word}` is a function", f"Write it like `{example}`")
        elif token.word in _CLOSING:
            yield from self._opened(token)
        elif token.word in _SIGNS:
            yield from self._sign(token)
        elif token.word in (")", "]"):
            if self.previous is not None and self.previous.word not in ("(", "[", ","):
                yield self._missing(token)
            yield from self._closed(token)
        elif token.word == "+":
            yield Complaint(token.start, "a `+` needs a value before it", "Leave it out")
        else:
            yield self._missing(token)

    def _sign(self, token: Token) -> Iterator[Complaint]:
        self.signs += 1
        if self.signs == DEEPEST:
            yield Complaint(token.start, f"more than {DEEPEST - 1} signs in a row", "Leave them out")
        before = self.previous.word if self.previous else ""
        if token.word == "not" and before == "in":
            yield Complaint(token.start, "`in not` must be written the other way round", "Write `not in`")
        elif token.word == "not" and before not in _BEFORE_NOT:
            yield Complaint(
                token.start, f"`not` can't follow `{before}`", "Put parentheses around `not` and its value"
            )

    def _opened(self, token: Token) -> Iterator[Complaint]:
        self.open.append(token)
        self.signs = 0
        self.wants_value = True
        if len(self.open) == DEEPEST:
            yield Complaint(
                token.start, f"more than {DEEPEST - 1} brackets within each other", "Write it simpler"
            )

    def _closed(self, token: Token) -> Iterator[Complaint]:
        self.wants_value = False
        self.signs = 0
        if not self.open:
            yield Complaint(token.start, f"this `{token.word}` closes nothing", "Leave it out")
        elif _CLOSING[self.open.pop().word] != token.word:
            yield Complaint(token.start, f"this `{token.word}` closes a bracket of the other shape")

    def _operator(self, token: Token, following: Token | None) -> Iterator[Complaint]:
        if token.kind is not TokenKind.MARK:
            yield self._between(token)
        elif token.word == "[":
            yield self._between(token)
            yield from self._opened(token)
        elif token.word == "(":
            yield from self._opened(token)
            yield Complaint(
                token.start,
                "only a function can be followed by `(`",
                "Put `and`, `or` or a comparison before it",
            )
        elif token.word in (")", "]"):
            yield from self._closed(token)
        elif token.word == "not" and (following is None or following.word != "in"):
            yield self._between(token)
        elif token.word == ",":
            self.wants_value = True
            if not self.open:
                yield self._comma(token)
        elif token.word != "not":
            self.wants_value = True

    def _between(self, token: Token) -> Complaint:
        assert self.previous is not None
        before, after = self.previous.word, token.word
        if token.word == "[":
            return Complaint(
                token.start, f"`{before}` has no parts to pick with `[ ]`", "Leave the brackets out"
            )
        if token.word in FUNCTIONS:
            example = FUNCTIONS[token.word].example
            self.wants_value = True
            return Complaint(token.start, f"`{after}` is a function", f"Write it like `{example}`")
        message = f"something is missing between `{before}` and `{after}`"
        return Complaint(
            token.start, message, "Put a comparison such as `==` or a word such as `and` between them"
        )

    def _comma(self, token: Token) -> Complaint:
        return Complaint(
            token.start, "a comma doesn't join conditions", "Write `and`, or put a list in parentheses"
        )

    def _missing(self, token: Token) -> Complaint:
        self.signs = 0
        if self.previous is None:
            return Complaint(
                token.start, f"the condition starts with `{token.word}`", "Put a value before it"
            )
        message = f"a value is missing between `{self.previous.word}` and `{token.word}`"
        return Complaint(token.start, message)

    def _end(self) -> Iterator[Complaint]:
        last = self.tokens[-1]
        for opened in self.open:
            closing = _CLOSING[opened.word]
            yield Complaint(
                opened.start, f"this `{opened.word}` is never closed", f"Close it with `{closing}`"
            )
        if self.wants_value and last.word not in _CLOSING and not (self.open and last.word == ","):
            yield Complaint(last.start, f"the condition ends with `{last.word}`", "Put a value after it")
