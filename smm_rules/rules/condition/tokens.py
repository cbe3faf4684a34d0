"""The scanner: a condition's text cut into tokens, and what people write out of habit told from it.

A token whose spelling is wrong but whose meaning is plain (`=`, `&&`, `AND`, curly quotes) is complained
of and read as it was meant, so that the mistakes after it are found in the same run.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from smm_rules.facts import Known, parse_duration
from smm_rules.rules.condition.complaint import Complaint
from smm_rules.rules.condition.literals import (
    CURRENCIES,
    NUMBER,
    SIGNS,
    near_currency,
    parse_number,
    parse_percentage,
    parse_text,
)
from smm_rules.rules.condition.spelling import (
    CURLY_QUOTES,
    MEANT_MARKS,
    NOTHINGS,
    RIGHT_MARKS,
    WAYS_OUT,
    WORD_MARKS,
)

LONGEST_SOURCE = 4000
MOST_TOKENS = 1000
MOST_COMPLAINTS = 20


class TokenKind(StrEnum):
    """What a token is. MARK is an operator, a word operator, a bracket or a comma."""

    NAME = "name"
    TEXT = "text"
    BOOLEAN = "boolean"
    NUMBER = "number"
    MONEY = "money"
    DURATION = "duration"
    MARK = "mark"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a condition from `start` to `end`; `word` is its meaning, `value` a literal's."""

    kind: TokenKind
    start: int
    end: int
    word: str
    value: Known = False
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Scanned:
    """The tokens of a text. `readable` is false when a piece had to be left out."""

    tokens: tuple[Token, ...]
    complaints: tuple[Complaint, ...]
    readable: bool


_NAME = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*", re.ASCII)
_IS_NOT = re.compile(r"is\s+not\b")
_UNIT = re.compile(r"[A-Za-z]\w*", re.ASCII)
_CURRENCY = re.compile(r"[ \t]+([A-Za-z]{3})\b(?![.(])", re.ASCII)
_WITH_COMMA = re.compile(r"\d+(?:,\d+)+", re.ASCII)
_MARK = re.compile(
    r"===|!==|==|!=|<=|>=|<>|=<|=>|=!|:=|&&|\|\||\*\*|//|<<|>>|\{\{|\}\}|[-+*/<>()\[\],=!&|≤≥≠×÷−–]"
)


def scan(source: str) -> Scanned:
    """The tokens of `source` and everything wrong with their spelling."""
    if len(source) > LONGEST_SOURCE:
        complaint = Complaint(LONGEST_SOURCE, f"the condition is longer than {LONGEST_SOURCE} characters")
        return Scanned((), (complaint,), readable=False)
    return _Scanner(source).run()


class _Scanner:
    """One pass over one text."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.place = 0
        self.tokens: list[Token] = []
        self.complaints: list[Complaint] = []
        self.readable = True
        self.depth = 0

    def run(self) -> Scanned:
        while self.place < len(self.source) and len(self.complaints) < MOST_COMPLAINTS:
            if len(self.tokens) > MOST_TOKENS:
                self._unreadable(f"the condition has more than {MOST_TOKENS} parts", "Split it into rules")
                break
            self._step()
        return Scanned(tuple(self.tokens), tuple(self.complaints), self.readable)

    def _step(self) -> None:
        character = self.source[self.place]
        if character.isspace():
            self.place += 1
        elif character in "\"'":
            self._text(character)
        elif character in CURLY_QUOTES:
            self._curly_text()
        elif NUMBER.match(self.source, self.place):
            self._number()
        elif name := _NAME.match(self.source, self.place):
            self._word(name[0])
        else:
            self._mark()

    def _complain(self, message: str, suggestion: str = "", offset: int | None = None) -> None:
        self.complaints.append(Complaint(self.place if offset is None else offset, message, suggestion))

    def _unreadable(self, message: str, suggestion: str = "") -> None:
        self._complain(message, suggestion)
        self.readable = False

    def _add(self, kind: TokenKind, end: int, word: str, value: Known = False, currency: str = "") -> None:
        self.tokens.append(Token(kind, self.place, end, word, value, currency))
        self.place = end

    def _text(self, quote: str) -> None:
        end = self.place + 1
        while end < len(self.source) and self.source[end] not in (quote, "\n"):
            end += 2 if self.source[end] == "\\" else 1
        if end >= len(self.source) or self.source[end] == "\n":
            self._unreadable("the text that starts here is never closed", f"End it with `{quote}`")
            self.place = len(self.source)
            return
        self._add_text(self.source[self.place + 1 : end], end + 1)

    def _curly_text(self) -> None:
        self._complain("curly quotes don't enclose a text", 'Use straight ones: `"`')
        closing = re.compile(f"[{CURLY_QUOTES}\"'\n]").search(self.source, self.place + 1)
        if closing is None or closing[0] == "\n":
            self.readable = False
            self.place = len(self.source)
            return
        self._add_text(self.source[self.place + 1 : closing.start()], closing.end())

    def _add_text(self, inner: str, end: int) -> None:
        value = inner
        try:
            value = parse_text(inner)
        except ValueError as error:
            self._complain(str(error), r"Write a backslash as `\\`")
        self._add(TokenKind.TEXT, end, self.source[self.place : end], value)

    def _number(self) -> None:
        number = NUMBER.match(self.source, self.place)
        assert number is not None
        end = number.end()
        if self.depth == 0 and (thousands := _WITH_COMMA.match(self.source, self.place)):
            self._with_comma(thousands)
        elif self.source[end : end + 1] == "%":
            self._literal(TokenKind.NUMBER, end + 1, parse_percentage)
        elif _UNIT.match(self.source, end):
            self._number_with_unit(number[0], end)
        elif (currency := _CURRENCY.match(self.source, end)) and self._is_currency(currency[1]):
            self._money(number[0], currency[1], currency.end())
        else:
            self._literal(TokenKind.NUMBER, end, parse_number)

    def _with_comma(self, number: re.Match[str]) -> None:
        """`1,000` and `1,5`: outside of a list a comma between digits can't mean anything else."""
        whole, rest = number[0].split(",", 1)
        grouped = all(len(group) == 3 for group in rest.split(","))
        meant = number[0].replace(",", "") if grouped else number[0].replace(",", ".")
        self._complain("a number has no comma", f"Write `{meant}`", self.place + len(whole))
        self._add(TokenKind.NUMBER, number.end(), number[0], 1)

    def _is_currency(self, word: str) -> bool:
        if word in ("AND", "NOT"):
            return False
        return word.isupper() or word.upper() in CURRENCIES

    def _literal(self, kind: TokenKind, end: int, parse: Callable[[str], Known]) -> None:
        text = self.source[self.place : end]
        try:
            value = parse(text)
        except ValueError as error:
            self._complain(str(error), _way_out_of_number(text))
            value = 1
        self._add(kind, end, text, value)

    def _number_with_unit(self, number: str, end: int) -> None:
        while unit := (_UNIT.match(self.source, end) or NUMBER.match(self.source, end)):
            end = unit.end()
        text = self.source[self.place : end]
        unit_text = text[len(number) :]
        if unit_text.upper() in CURRENCIES:
            self._money(number, unit_text, end)
            return
        try:
            self._add(TokenKind.DURATION, end, text, parse_duration(text))
        except ValueError as error:
            message, _, suggestion = str(error).partition("; ")
            self._complain(message, suggestion[:1].upper() + suggestion[1:])
            self._add(TokenKind.DURATION, end, text, parse_duration("1s"))

    def _money(self, number: str, currency: str, end: int) -> None:
        amount = Decimal(1)
        try:
            amount = Decimal(parse_number(number))
        except ValueError as error:
            self._complain(str(error), _way_out_of_number(number))
        if currency.upper() not in CURRENCIES:
            near = near_currency(currency)
            self._complain(f'there is no currency "{currency}"', near, end - len(currency))
            currency = ""
        elif not currency.isupper():
            self._complain("a currency is written in capitals", f"Write `{number} {currency.upper()}`")
        self._add(TokenKind.MONEY, end, self.source[self.place : end], amount, currency.upper())

    def _word(self, word: str) -> None:
        end = self.place + len(word)
        lowered = word.lower()
        if lowered in WORD_MARKS:
            if word != lowered:
                self._complain(f"`{word}` must be in small letters", f"Write `{lowered}`")
            self._add(TokenKind.MARK, end, lowered)
        elif lowered in ("true", "false"):
            if word.isupper() and len(word) > 1:
                self._complain(f"`{word}` must be in small letters", f"Write `{lowered}`")
            self._add(TokenKind.BOOLEAN, end, lowered, lowered == "true")
        elif word == "is":
            self._is(end)
        elif lowered in NOTHINGS:
            self._unreadable(
                f"`{word}` isn't a value: a comparison with an unknown fact is itself unknown",
                "To ask whether a fact is known, write `known(start_count)`",
            )
            self.place = end
        elif keyword.iskeyword(word):
            self._unreadable(
                f"`{word}` isn't part of the condition language", "Join conditions by `and`, `or`, `not`"
            )
            self.place = end
        else:
            self._add(TokenKind.NAME, end, word)

    def _is(self, end: int) -> None:
        is_not = _IS_NOT.match(self.source, self.place)
        meant = "!=" if is_not else "=="
        self._complain("`is` doesn't compare values", f"Use `{meant}` to compare")
        self._add(TokenKind.MARK, is_not.end() if is_not else end, meant)

    def _mark(self) -> None:
        character = self.source[self.place]
        match = _MARK.match(self.source, self.place)
        mark = match[0] if match else character
        if mark in RIGHT_MARKS:
            self.depth += (mark in "([") - (mark in ")]")
            self._add(TokenKind.MARK, self.place + len(mark), mark)
        elif mark in MEANT_MARKS:
            self._meant(mark, MEANT_MARKS[mark])
        elif mark in ("{{", "}}"):
            if mark == "{{":
                self._complain(
                    "a condition needs no `{{ }}`: it reads facts by their plain names", "Leave it out"
                )
            self.place += 2
        elif mark in SIGNS:
            self._complain(f"`{mark}` isn't a currency", f"Write money like `20 {SIGNS[mark]}`")
            self.place += 1
        elif mark == "#":
            self._complain(
                "a comment can't stand in a condition", "Put it on a line of its own, outside of it"
            )
            line_end = self.source.find("\n", self.place)
            self.place = len(self.source) if line_end < 0 else line_end
        else:
            shown = mark if mark.isprintable() else f"U+{ord(mark):04X}"
            self._unreadable(f"`{shown}` isn't part of the condition language", WAYS_OUT.get(mark, ""))
            self.place += len(mark)

    def _meant(self, mark: str, meant: str) -> None:
        if meant == "==":
            self._complain(f"`{mark}` doesn't compare", "Use `==` to compare")
        else:
            self._complain(f"`{mark}` isn't part of the condition language", f"Write `{meant}`")
        self._add(TokenKind.MARK, self.place + len(mark), meant)


def _way_out_of_number(text: str) -> str:
    if text.startswith("0"):
        return f'Write `{text.lstrip("0_") or "0"}`, or `"{text}"` for a text'
    return ""
