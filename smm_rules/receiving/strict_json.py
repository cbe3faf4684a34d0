"""JSON as it is meant by who pays: no key twice, no number that lost digits, no depth, no half characters."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Never

from smm_rules.receiving.problem import Code, Fault, Problem

#: An array of orders, each with an object or list of texts in it.
DEEPEST = 4
#: Whole numbers of more digits are no IDs or quantities.
_LONGEST_NUMBER = 18
_SURROGATE = re.compile("[\ud800-\udfff]")
_MEND = 'Send valid JSON in UTF-8, like {"order": "1234"}'


class Inexact:
    """A number with a fraction, an exponent or too many digits: what it was meant to be can't be told."""


class Twice(dict[str, Any]):
    """An object in which keys stand more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        counts = Counter(key for key, _ in pairs)
        self.repeated = tuple(key for key, count in counts.items() if count > 1)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    return made if len(made) == len(pairs) else Twice(pairs)


def _whole(text: str) -> int | Inexact:
    return int(text) if len(text) <= _LONGEST_NUMBER else Inexact()


def _no_number(text: str) -> Never:
    raise ValueError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_whole, parse_float=lambda _: Inexact(), parse_constant=_no_number
)


def read_json(body: bytes) -> Any:
    """The value of a body; `Problem` 400 says what is wrong and where."""
    try:
        value = _DECODER.decode(body.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise _unreadable(f"byte {error.start} is not UTF-8") from None
    except json.JSONDecodeError as error:
        raise _unreadable(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
    except RecursionError:
        raise _unreadable("it is nested too deeply") from None
    except ValueError as error:
        raise _unreadable(str(error)) from None
    faults = [*_faults(value, "", 0)]
    if faults:
        first = faults[0]
        place = f" at {first.pointer}" if first.pointer else ""
        raise Problem(400, Code.UNREADABLE, f"{first.detail}{place}", first.to_do, faults)
    return value


def _unreadable(what: str) -> Problem:
    return Problem(400, Code.UNREADABLE, what, _MEND, [Fault("", what, _MEND)])


def _faults(value: Any, pointer: str, depth: int) -> Iterator[Fault]:
    if isinstance(value, Inexact):
        what = "a number with a fraction, an exponent or more than 18 digits may have lost what was meant"
        yield Fault(pointer, what, 'Write it as text, like "0.90"')
    elif isinstance(value, str):
        if _SURROGATE.search(value):
            yield Fault(pointer, "it holds half a character", "Write whole characters")
    elif isinstance(value, dict | list):
        if depth == DEEPEST:
            yield Fault(pointer, "it is nested too deeply", "Send one order, or a list of them")
            return
        if isinstance(value, Twice):
            for repeated in value.repeated:
                yield Fault(_below(pointer, repeated), "it is given twice", "Keep one of them")
        parts: Iterable[tuple[str | int, Any]] = (
            value.items() if isinstance(value, dict) else enumerate(value)
        )
        for key, part in parts:
            if isinstance(key, str) and _SURROGATE.search(key):
                yield Fault(pointer, "a key in it holds half a character", "Write whole characters")
            else:
                yield from _faults(part, _below(pointer, key), depth + 1)


def _below(pointer: str, key: str | int) -> str:
    """The JSON Pointer (RFC 6901) of what is at `key`; of a long key only its beginning."""
    return f"{pointer}/{str(key)[:64].replace('~', '~0').replace('/', '~1')}"


def digest_of(operation: str, value: Any) -> str:
    """What a request asks for, in short: the same however its JSON is written, of 100 and "100" alike."""
    text = json.dumps([operation, _plain(value)], sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_plain(part) for part in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value
