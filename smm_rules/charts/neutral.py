"""Text from outside, fit to be shown: nothing in it can act or hide."""

from __future__ import annotations

from markupsafe import Markup

_NEUTRAL = "·"
_KEPT = "\n\t"
_LONGEST = 4_000


def neutral(value: object) -> object:
    """What a page or picture shows: text without control characters and signs that turn its direction."""
    if isinstance(value, Markup) or value is None:
        return "" if value is None else value
    text = str(value)
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    if text.isascii() and text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in _KEPT else _NEUTRAL for one in text)
