"""Moments gone by, as written on the command line."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from smm_rules.facts import parse_duration


def moment_gone_by(text: str, now: datetime) -> datetime:
    """`2026-03-01 14:30`, with a zone or in UTC, or `2h`: so long ago. `BadParameter` for anything else."""
    try:
        return now - parse_duration(text)
    except ValueError:
        pass
    try:
        written = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is no moment; write it like 2026-03-01T14:30:00Z, or 2h for two hours ago",
            param_hint="--at",
        ) from None
    at = written.replace(tzinfo=UTC) if written.tzinfo is None else written.astimezone(UTC)
    if at > now:
        raise click.BadParameter(f"{text} lies ahead; only what has been can be explained", param_hint="--at")
    return at
