"""Whether what came out is what a page shows.

On a page `…` stands for any text within a line, and a line that is `…` alone for any number of lines.
"""

from __future__ import annotations

import re

_ANYTHING = "…"
_NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?")
#: Times, spans of time (`3m12s`) and amounts, which differ from one time to the next.
_TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?|\d\d:\d\d(?::\d\d)?Z?")
_SPAN = re.compile(r"\b(?:\d+(?:d|h|m|s|ms))+\b")


def matches(shown: str, came: str, *, alike: bool = False) -> bool:
    """Whether `came` is `shown`; `alike` lets numbers, times and the widths of columns differ."""
    wanted, lines = _lines(shown), _lines(came)
    if alike:
        wanted, lines = [_plain(line) for line in wanted], [_plain(line) for line in lines]
    pattern = "".join(_pattern(line) for line in wanted)
    return re.fullmatch(pattern, "".join(f"{line}\n" for line in lines)) is not None


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip("\n").splitlines()]


def _pattern(line: str) -> str:
    if line.strip() == _ANYTHING:
        return r"(?:[^\n]*\n)*"
    return r"[^\n]*".join(map(re.escape, line.split(_ANYTHING))) + r"\n"


def _plain(line: str) -> str:
    line = _TIME.sub("T", line)
    line = _SPAN.sub("0s", line)
    return " ".join(re.sub("[─-]{2,}", "-", _NUMBER.sub("0", line)).split())
