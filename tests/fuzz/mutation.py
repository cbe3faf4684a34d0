"""Inputs made of inputs: the corpus cut, joined, repeated and strewn with what breaks readers."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

#: Pieces of every language that is read, and the classics against readers.
PIECES: tuple[bytes, ...] = tuple(
    piece.encode("utf-8", "surrogatepass")
    for piece in (
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        ":",
        ",",
        '"',
        "'",
        "\\",
        "\n",
        "\r",
        "\t",
        "\0",
        "\x1b[31m",
        "\x9b2J",
        "-",
        "- ",
        "? ",
        "&a ",
        "*a",
        "!!python/object:os.system ",
        "!",
        "|",
        ">",
        "|2-\n",
        "%YAML 1.1\n",
        "---\n",
        "...\n",
        "<<: ",
        "#",
        "~",
        "null",
        "true",
        "yes",
        "NaN",
        "-Infinity",
        ".inf",
        "1e999",
        "1e99999999999999999999",
        "9" * 400,
        "9" * 5000,
        "-0",
        "0x10",
        "0777",
        "1_000",
        "1,5",
        "12:30",
        "\u202e",
        "\u200b",
        "\u2028",
        "\ufeff",
        "\ud800",
        "\U000e0041",
        "é",
        "ẞ",
        "İ",
        "{{ ",
        " }}",
        "{% if ",
        " %}",
        "{% endif %}",
        "{#",
        "#}",
        "{% raw %}",
        "{% autoescape true %}",
        "{% filter upper %}",
        "{% block b %}",
        "{% macro m(a=1) %}",
        "{% for a in id recursive %}",
        "{% include 'a' ignore missing with context %}",
        "{%- ",
        " -%}",
        "{% end",
        "| replace('a', 'aaaa')",
        "| truncate(9)",
        "|money",
        "| number(12)",
        "order.__class__",
        "__import__('os')",
        "''.format",
        "().__class__.__mro__",
        "% (",
        "{0.__class__}",
        "self",
        "loop",
        " and ",
        " or ",
        "not ",
        " in ",
        " == ",
        " != ",
        " < ",
        " + ",
        " * ",
        " / ",
        "remains",
        "status",
        '"Partial"',
        "age",
        "3d",
        "20 USD",
        "10%",
        "min(",
        "max(",
        "abs(",
        "round(",
        "contains(",
        "known(",
        "lower(",
        "changed(",
        "lambda: 0",
        "x if y else z",
        '"order"',
        '"orders"',
        '"refill"',
        '"cancel"',
        '"error"',
        '"status"',
        '"balance"',
        '"currency"',
        '"service"',
        '"1"',
        '"10"',
        '"success"',
        '"message"',
        '"charge"',
        '"remains"',
        "Incorrect order ID",
        "Rate limit exceeded",
        "Not enough funds",
        "refill ",
        "wait ",
        "order ",
        "rules:",
        "name:",
        "watch:",
        "when:",
        "for:",
        "do:",
        "otherwise:",
        "limit:",
        "notify:",
        "tests:",
        "<half>",
        "order,service,link\n",
        ";",
        '""',
        "panel",
        "north",
        "retry_after",
        "Wed, 21 Oct 2026 07:28:00 GMT",
        "99999999999999999999",
        "+9999",
    )
)
LARGEST = 20_000

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]


def _two(chance: random.Random, length: int) -> tuple[int, int]:
    first, second = chance.randint(0, length), chance.randint(0, length)
    return min(first, second), max(first, second)


def _cut(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _two(chance, len(data))
    return data[:start] + data[end:]


def _insert(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    place = chance.randint(0, len(data))
    return data[:place] + chance.choice(PIECES) + data[place:]


def _replace(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start = chance.randint(0, len(data))
    return data[:start] + chance.choice(PIECES) + data[start + chance.randint(1, 8) :]


def _repeat(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _two(chance, len(data))
    piece = data[start:end][:200]
    return data[:end] + piece * chance.choice((1, 2, 5, 50, 1000)) + data[end:]


def _repeat_piece(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    place = chance.randint(0, len(data))
    return data[:place] + chance.choice(PIECES) * chance.choice((2, 20, 200, 2000)) + data[place:]


def _splice(chance: random.Random, data: bytes, corpus: Sequence[bytes]) -> bytes:
    other = chance.choice(corpus)
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


def _flip(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    changed = bytearray(data or b"\0")
    for _time in range(chance.randint(1, 4)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _move(chance: random.Random, data: bytes, _: Sequence[bytes]) -> bytes:
    start, end = _two(chance, len(data))
    rest = data[:start] + data[end:]
    place = chance.randint(0, len(rest))
    return rest[:place] + data[start:end] + rest[place:]


_MUTATIONS: tuple[Mutation, ...] = (
    _cut,
    _insert,
    _insert,
    _replace,
    _replace,
    _repeat,
    _repeat_piece,
    _splice,
    _flip,
    _move,
)


def mutated(chance: random.Random, corpus: Sequence[bytes]) -> bytes:
    """One input, made of one of the corpus by a few changes."""
    data = chance.choice(corpus)
    for _ in range(chance.choice((1, 1, 2, 3, 5, 8))):
        data = chance.choice(_MUTATIONS)(chance, data, corpus)[:LARGEST]
    return data
