"""How values are written in messages and parameters."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from smm_rules.facts import format_duration

#: The longest text a template may come to, in characters.
LONGEST_OUTPUT = 8192


class TemplateFailed(Exception):
    """A template can't be rendered with these facts. The message is one sentence for the operator."""


class WrongKind(TemplateFailed):
    """A value is of a kind that can't be used so, whatever the facts are."""


def written(value: object) -> str:
    """A plain value as text: decimals without exponent, instants in ISO 8601 UTC, durations like `3d`.

    Raises `TemplateFailed` for what isn't a plain value.
    """
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case Decimal() if value.is_finite():
            return f"{value:f}"
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        case timedelta():
            return format_duration(value)
    raise WrongKind("The template prints something that isn't a plain value")


def bounded(text: str) -> str:
    """The text itself; `TemplateFailed` when it is longer than any message."""
    if len(text) > LONGEST_OUTPUT:
        raise TemplateFailed(f"The text comes to more than {LONGEST_OUTPUT} characters")
    return text


def bounded_join(pieces: Iterable[str]) -> str:
    """The pieces as one text, given up as soon as it is longer than `LONGEST_OUTPUT`."""
    length, kept = 0, []
    for piece in pieces:
        length += len(piece)
        if length > LONGEST_OUTPUT:
            raise TemplateFailed(f"The text comes to more than {LONGEST_OUTPUT} characters")
        kept.append(piece)
    return "".join(kept)
