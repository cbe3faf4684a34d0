"""What a bare YAML word means: the unsurprising part of YAML 1.2, numbers as int or Decimal.

`yes`, `on`, `12:30`, `010`, `1_000` and dates stay text; only what JSON calls a number is one.
"""

from __future__ import annotations

import re
from decimal import Decimal

#: A scalar's value. Never float.
Scalar = str | int | Decimal | bool | None

_WORDS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?(?:[eE]([-+]?[0-9]+))?", re.ASCII)
_NOT_FINITE = re.compile(r"[-+]?\.inf|\.nan", re.IGNORECASE)
#: More digits than any amount of money or count has; keeps arithmetic on hostile numbers cheap.
_LONGEST_NUMBER = 40
_LARGEST_EXPONENT = 20


class NotAValue(Exception):
    """A bare word that looks like a number and can't be one. The message is a sentence."""


def resolve(text: str) -> Scalar:
    """The value of a plain (unquoted) scalar; `NotAValue` for `.inf`, `.nan` and monstrous numbers."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0].isalpha():
        return text  # what isn't text begins with a digit, a sign or a point
    if _NOT_FINITE.fullmatch(text):
        raise NotAValue(f"{text} is not a number that can be counted with")
    match = _NUMBER.fullmatch(text)
    if match is None:
        return text
    fraction, exponent = match.groups()
    if len(text) > _LONGEST_NUMBER or (exponent and abs(int(exponent)) > _LARGEST_EXPONENT):
        raise NotAValue("This number is too long")
    if fraction is None and exponent is None:
        return int(text)
    return Decimal(text)
