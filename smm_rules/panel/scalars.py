"""Single values as panels write them, read without ever raising: None is what can't be read.

Panels write numbers as numbers or text, flags four ways, and text with whatever their database held.
"""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation

#: Longer text is cut: enough for any service name or error message.
LONGEST_TEXT = 500
LONGEST_STATUS = 64
LONGEST_ID = 64
#: Whole numbers beyond this fit no counter of a panel and not every database.
LARGEST = 10**15
_MOST_DIGITS = 40
#: So many digits are never more than `LARGEST`.
_FEW_DIGITS = 15

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
# Control characters, line and paragraph separators, and marks that turn the direction of writing.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+")
# What nobody sees and a comparison does: soft hyphens, spaces without width, tags, annotations, fillers. The
# joiners U+200C and U+200D stay, for Persian and emoji are written with them.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b\u2060-\u2065\u206a-\u206f\u3164\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
# Half characters: valid in JSON, impossible in UTF-8.
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
_GROUPED = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d*)?", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*", re.ASCII)
_CURRENCY = re.compile(r"[A-Za-z]{3}", re.ASCII)
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def safe_text(value: str, limit: int = LONGEST_TEXT) -> str:
    """`value` in one line of at most `limit` characters, with nothing in it that a terminal obeys."""
    # Cutting first bounds the work; an escape sequence cut in two loses its ESC to `_CONTROL`.
    shown = value[: limit * 4]
    if not (shown.isascii() and shown.isprintable()):
        shown = _INVISIBLE.sub("", _CONTROL.sub(" ", _ANSI.sub("", shown)))
        shown = _SURROGATE.sub("\ufffd", shown)
    shown = shown.strip()
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def text(value: object, limit: int = LONGEST_TEXT) -> str:
    """Text, also from a number; empty for anything else."""
    if isinstance(value, str):
        return safe_text(value, limit)
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return safe_text(_plain(value), limit)
    return ""


def decimal_number(value: object) -> Decimal | None:
    """A number or its text, with thousands commas or without, exactly."""
    if isinstance(value, str):
        if len(value) <= _FEW_DIGITS and value.isascii() and value.replace(".", "", 1).isdigit():
            return Decimal(value)  # nearly every sum of a panel
        return _decimal_of(value)
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return Decimal(value) if abs(value) <= LARGEST else None
    return _bounded(value) if isinstance(value, Decimal) else None


def whole_number(value: object) -> int | None:
    """A whole number or its text: 157, "157", "-3", "1,000", "12.00"."""
    if isinstance(value, str) and len(value) <= _FEW_DIGITS and value.isascii() and value.isdigit():
        return int(value)  # nearly every number of a panel, ten times as fast
    if type(value) is int:
        return value if abs(value) <= LARGEST else None
    number = decimal_number(value)
    if number is None or number != number.to_integral_value():
        return None
    return int(number)


def flag(value: object) -> bool | None:
    """true, 1, "1", "true" and their opposites."""
    if isinstance(value, bool):
        return value
    written = text(value).casefold()
    if written in _TRUE:
        return True
    return False if written in _FALSE else None


def identifier(value: object) -> str | None:
    """An ID as short plain text: a positive whole number, or letters, digits and `_ . : -`."""
    if isinstance(value, Decimal):
        value = whole_number(value)
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    if isinstance(value, int):
        return _plain(value) if 0 < value < 10**LONGEST_ID else None
    written = value.strip()
    if len(written) > LONGEST_ID or not _ID.fullmatch(written):
        return None
    return None if not written.strip("0.") else written


def currency(value: object) -> str | None:
    """Three capitals."""
    if isinstance(value, str) and len(value) == 3 and value.isascii() and value.isalpha() and value.isupper():
        return value
    written = value.strip() if isinstance(value, str) else ""
    return written.upper() if _CURRENCY.fullmatch(written) else None


def _plain(value: int | Decimal) -> str:
    # Python refuses to write integers of thousands of digits; they name nothing on a panel.
    if isinstance(value, int):
        return str(value) if abs(value) < 10**LONGEST_ID else ""
    return str(value)


def _decimal_of(written: str) -> Decimal | None:
    stripped = written.strip()
    if len(stripped) > _MOST_DIGITS:
        return None
    if _GROUPED.fullmatch(stripped):
        stripped = stripped.replace(",", "")
    elif not _NUMBER.fullmatch(stripped):
        return None
    try:
        return _bounded(Decimal(stripped))
    except InvalidOperation:
        return None


def _bounded(number: Decimal) -> Decimal | None:
    # 1e999999999 is a short Decimal and an int that fills the memory.
    if not number.is_finite():
        return None
    _, digits, exponent = number.as_tuple()
    if not isinstance(exponent, int) or len(digits) > _MOST_DIGITS or abs(exponent) > _MOST_DIGITS:
        return None
    return number if abs(number) <= LARGEST else None
