"""JSON Lines: one object a line. Numbers are kept as they are written, so an ID never loses a digit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import BinaryIO, Never

from smm_rules.intake.columns import column
from smm_rules.intake.lines import BadLine, IntakeOptions, Line, Unacceptable, shown
from smm_rules.intake.readers.physical import physical_lines
from smm_rules.intake.values import LISTS, order_from

_SHOWN = 2_000


def read_json_lines(file: BinaryIO, options: IntakeOptions) -> Iterator[Line]:
    """The orders of a JSON Lines file."""
    for line in physical_lines(file):
        if isinstance(line, BadLine):
            yield line
        elif line[1].strip():
            yield _order(line[0], line[1], options)


def _order(number: int, text: str, options: IntakeOptions) -> Line:
    try:
        return order_from(named(_pairs(text), options.ignored), options)
    except Unacceptable as problem:
        return BadLine(number, problem.what, problem.to_do, text[:_SHOWN])


def named(pairs: list[tuple[str, object]], ignored: frozenset[str]) -> dict[str, str]:
    """Values by column, from keys as written; lists become lines. `Unacceptable` for what can't be used."""
    values: dict[str, str] = {}
    for key, value in pairs:
        name = column(key, ignored)
        if name is None:
            continue
        if name in values:
            raise Unacceptable(f'"{name}" is given twice', "Keep one of them")
        values[name] = _text(name, value)
    return values


def _text(name: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if name in LISTS and isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return "\n".join(value)
    to_do = "Write a text or a list of texts" if name in LISTS else "Write a text or a number"
    raise Unacceptable(f'"{name}" is {shown(json.dumps(value))}', to_do)


class _Object(list[tuple[str, object]]):
    """A JSON object as its pairs, so that a key given twice is seen."""


def _decimal(text: str) -> str:
    """A number with a fraction as it is written; one with an exponent has lost what was meant."""
    if "e" in text.casefold():
        raise Unacceptable(f"{shown(text)} is written with an exponent", "Write it out in digits")
    return text


def _not_a_number(text: str) -> Never:
    raise Unacceptable(f"{text} is no value", "Leave it out")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_Object, parse_int=str, parse_float=_decimal, parse_constant=_not_a_number
)


def _pairs(text: str) -> list[tuple[str, object]]:
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = f"column {error.colno}: {error.msg}"
        raise Unacceptable(f"the line isn't JSON ({where})", 'Write one {"order": "…"} a line') from None
    except RecursionError:
        raise Unacceptable("the line is nested too deeply", 'Write one {"order": "…"} a line') from None
    if not isinstance(value, _Object):
        raise Unacceptable("the line isn't a JSON object", 'Write one {"order": "…"} a line')
    return value
